//! `hola watch`: at a terminal and as one text, of servers of this program and others, and of runs.

use std::fs;
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use nix::pty::{Winsize, openpty};
use nix::sys::signal::Signal;
use nix::sys::termios::{Termios, tcgetattr};
use serde_json::Value;

use crate::support::{
    HOLA, Server, end_of, eventually, hola, paths_in, printed, refused, send_signal, settled,
};

/// What enters the alternate screen, and what leaves it.
const ENTER: &str = "\x1b[?1049h";
const EXIT: &str = "\x1b[?1049l";
/// How every colour begins that is not the terminal's own.
const COLOUR: &str = "\x1b[38;5;";

/// A program at a terminal of its own, and all that it has written there.
struct AtTerminal {
    program: Child,
    keyboard: File,
    line: OwnedFd,
    before: Termios,
    written: Arc<Mutex<Vec<u8>>>,
}

impl AtTerminal {
    /// Runs `hola watch` at a terminal of 80 columns and 24 rows.
    fn start(variables: &[(&str, &str)], arguments: &[&str]) -> Self {
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let terminal = openpty(&size, None).expect("a terminal");
        let line = terminal.slave;
        let end = || line.try_clone().expect("a descriptor");
        // It makes the terminal that of the program, which then learns of a new size, and becomes the program.
        let mut command = Command::new("setsid");
        command
            .args(["--ctty", HOLA, "watch"])
            .args(arguments)
            .env_remove("NO_COLOR")
            .env("TERM", "xterm")
            .envs(variables.iter().copied())
            .stdin(end())
            .stdout(end())
            .stderr(Stdio::null());
        let before = tcgetattr(&line).expect("a terminal");
        let program = command.spawn().expect("setsid(1) is there");
        let keyboard = File::from(terminal.master);
        let written = Arc::new(Mutex::new(Vec::new()));
        let mut screen = keyboard.try_clone().expect("a descriptor");
        let kept = Arc::clone(&written);
        thread::spawn(move || {
            let mut piece = [0; 4096];
            // If the other side of a terminal is closed, a read ends with an error.
            while let Ok(count @ 1..) = screen.read(&mut piece) {
                let mut kept = kept.lock().expect("no panic");
                kept.extend_from_slice(&piece[..count]);
            }
        });
        AtTerminal {
            program,
            keyboard,
            line,
            before,
            written,
        }
    }

    /// All that has been written so far.
    fn written(&self) -> String {
        let written = self.written.lock().expect("no panic");
        String::from_utf8_lossy(&written).into_owned()
    }

    fn shows(&self, text: &str) {
        eventually(&format!("{text:?} is shown"), || {
            self.written().contains(text)
        });
    }

    fn resize(&self, columns: u16, rows: u16) {
        let mut command = Command::new("stty");
        command.args(["cols", &columns.to_string(), "rows", &rows.to_string()]);
        command.stdin(self.line.try_clone().expect("a descriptor"));
        assert!(command.status().expect("stty(1) is there").success());
    }

    fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).expect("typed");
    }

    /// Waits for the end; the terminal must then be as it was before.
    fn ends(mut self, code: i32) {
        let status = end_of(&mut self.program);
        assert_eq!(status.code(), Some(code), "{}", self.written());
        let is_after = |last: &str, first: &str| {
            let written = self.written();
            written.rfind(last) > written.rfind(first)
        };
        eventually("the alternate screen is left", || is_after(EXIT, ENTER));
        eventually("the cursor is shown", || is_after("\x1b[?25h", "\x1b[?25l"));
        assert_eq!(tcgetattr(&self.line).expect("a terminal"), self.before);
    }
}

impl Drop for AtTerminal {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn a_server_is_shown_at_a_terminal_of_any_size_until_the_end_is_asked_for() {
    // Before SIGTERM, the beginning of an escape sequence that never ends.
    for (code, keys) in [(143, "\x1b[1;"), (130, "\x03"), (0, "q")] {
        let model = ["--model", "thread-per-client", "--", "--workers", "3"];
        let mut terminal = AtTerminal::start(&[], &model);
        terminal.shows(ENTER);
        terminal.shows("Requests/s");
        // The server is read.
        terminal.shows("Workers:");
        assert_ne!(
            tcgetattr(&terminal.line).expect("a terminal"),
            terminal.before
        );
        terminal.resize(200, 50);
        // The last row of the new screen.
        terminal.shows("\x1b[50;1H");
        terminal.types(keys);
        if code == 143 {
            send_signal(&terminal.program, Signal::SIGTERM);
        }
        terminal.ends(code);
    }
}

#[test]
fn the_words_are_in_the_language_and_colours_are_left_out_where_they_are_not_wanted() {
    let server = Server::start("epoll");
    let address = server.address.to_string();
    for (variables, is_coloured) in [(&[][..], true), (&[("NO_COLOR", "1")][..], false)] {
        let mut terminal = AtTerminal::start(variables, &[&address, "--lang=es"]);
        terminal.shows("Peticiones/s");
        terminal.shows("Trabajadores:");
        terminal.types("q");
        assert_eq!(terminal.written().contains(COLOUR), is_coloured);
        terminal.ends(0);
    }
    server.stop();
}

#[test]
fn a_server_that_ends_ends_the_watch() {
    let server = Server::start("pre-forked");
    let terminal = AtTerminal::start(&[], &[&server.address.to_string()]);
    terminal.shows("Workers:");
    server.stop();
    terminal.ends(1);
}

#[test]
fn one_text_has_the_counts_of_a_server_of_this_program() {
    for model in ["pre-threaded", "pre-forked"] {
        let server = Server::start_whole(model, &[]);
        let _clients = [server.stalled(), server.stalled()];
        // Without a probe there are no other clients.
        let address = server.address.to_string();
        let shown = printed(&["watch", &address, "--once", "--conversation", "chat"]);
        for expected in [
            "Clients       2",
            "Refused       0",
            "p50 ms        –",
            &address,
            model,
        ] {
            assert!(shown.contains(expected), "{model}: {expected}: {shown}");
        }
        let (_, workers) = shown.split_once("Workers: ").expect("workers");
        let held = workers.matches(" 1         0").count();
        assert_eq!(held, 2, "{model}: {shown}");
    }
}

#[test]
fn one_text_of_a_model_has_what_a_probe_meets() {
    let shown = printed(&["watch", "--model=tokio", "--once", "--lang=es"]);
    let (_, median) = shown.split_once("p50 ms        ").expect("a median");
    let median = median.split_whitespace().next().expect("a figure");
    assert!(median.contains(','), "{shown}");
    assert!(
        shown.contains("20 peticiones/s enviadas desde aquí"),
        "{shown}"
    );
}

#[test]
fn a_server_of_another_program_is_seen_from_outside() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let shown = printed(&["watch", &address, "--once", "--conversation=chat"]);
    assert!(shown.contains("Clients       –"), "{shown}");
    assert!(!shown.contains("Threads       –"), "{shown}");
    assert!(shown.contains("no server of this program"), "{shown}");
}

#[test]
fn what_cannot_be_watched_is_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    drop(taken);
    let no_run = tempfile::tempdir().expect("a folder");
    let no_run = no_run.path().to_str().expect("text");
    for (code, arguments, named) in [
        (2, &[&*address][..], "--once"),
        (1, &[&address, "--once"], &*address),
        (1, &[no_run, "--once"], "run.json"),
        (3, &["--model=epoll", "--once", "--", "--bind"], "--bind"),
    ] {
        let words = refused(code, &[&["watch"], arguments].concat());
        assert!(words.contains(named), "{named}: {words}");
        assert!(code == 3 || words.lines().count() == 1, "{words}");
    }
    for arguments in [&["watch"][..], &["watch", "nowhere", "--once"]] {
        let words = refused(2, arguments);
        assert!(words.contains("TARGET"), "{words}");
    }
}

/// The folders of the stored runs.
fn stored_runs() -> Vec<PathBuf> {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let mut runs = paths_in(&results);
    runs.retain(|path| path.join("run.json").exists());
    runs
}

#[test]
fn a_run_is_told_by_its_records() {
    let run = stored_runs().pop().expect("a stored run");
    let path = run.to_str().expect("text");
    let complete = printed(&["watch", path, "--once", "--lang", "es"]);
    assert!(complete.contains("completa · "), "{complete}");
    // The same run, when three of its blocks were made.
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string(run.join("run.json")).expect("a file");
    let mut record: Value = serde_json::from_str(&text).expect("JSON");
    record["status"] = "running".into();
    record["finished_at"] = Value::Null;
    fs::write(folder.path().join("run.json"), record.to_string()).expect("written");
    let blocks = fs::read_to_string(run.join("blocks.jsonl")).expect("a file");
    let blocks: Vec<&str> = blocks.split_inclusive('\n').take(4).collect();
    let kept = folder.path().join("blocks.jsonl");
    fs::write(&kept, blocks[..3].concat()).expect("written");
    let name = |block: &str| {
        let block: Value = serde_json::from_str(block).expect("JSON");
        block["experiment"].as_str().expect("a name").to_owned()
    };
    let path = folder.path().to_str().expect("text");
    let (status, running, words) = hola(&["watch", path, "--once"]);
    assert!(status.success(), "{words}");
    for expected in [
        "running (or killed) · 3 blocks kept · at most ",
        &format!("newest block: {}", name(blocks[2])),
        &format!("▶ {}", name(blocks[2])),
    ] {
        assert!(running.contains(expected), "{expected}: {running}");
    }
    // A block more is seen while it is watched.
    let mut terminal = AtTerminal::start(&[], &[path]);
    terminal.shows("newest");
    let before = settled(|| terminal.written().len());
    fs::write(&kept, blocks.concat()).expect("written");
    eventually("it is drawn again", || terminal.written().len() > before);
    terminal.types("q");
    terminal.ends(0);
}
