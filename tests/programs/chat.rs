//! `hola console`: clients write to the operator, who answers one or all of them, under every model.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use hola_servers::models::{Capacity, find};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{HOLA, TIMEOUT, end_of, eventually, for_each_model};

/// A console, its operator's input, and all that it has printed so far.
pub(crate) struct Chat {
    console: Child,
    operator: ChildStdin,
    shown: Arc<Mutex<String>>,
}

impl Chat {
    pub(crate) fn start(model: &str) -> Self {
        Self::start_with(model, &[])
    }

    /// The same with further arguments.
    pub(crate) fn start_with(model: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(HOLA);
        command.args(["console", model, "--bind", "127.0.0.1:0"]);
        command.args(arguments).args(["--", "--workers", "3"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let console = command.stderr(Stdio::piped()).spawn();
        let mut console = console.expect("the program runs");
        let shown = Arc::new(Mutex::new(String::new()));
        let stdout = console.stdout.take().expect("a pipe");
        let stderr = console.stderr.take().expect("a pipe");
        keep_lines(BufReader::new(stdout), Arc::clone(&shown));
        keep_lines(BufReader::new(stderr), Arc::clone(&shown));
        let operator = console.stdin.take().expect("a pipe");
        let chat = Chat {
            console,
            operator,
            shown,
        };
        chat.shows(" listening on ");
        chat
    }

    /// Waits until it has printed `text`.
    pub(crate) fn shows(&self, text: &str) {
        let is_shown = || self.shown.lock().expect("no panic").contains(text);
        eventually(&format!("{text:?} is shown"), is_shown);
    }

    /// The word that it has printed after `text`.
    pub(crate) fn word_after(&self, text: &str) -> String {
        self.shows(text);
        let shown = self.shown.lock().expect("no panic").clone();
        let (_, rest) = shown.split_once(text).expect("just seen");
        rest.split_whitespace().next().expect("a word").to_owned()
    }

    /// A client, which nobody has seen yet.
    pub(crate) fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(self.word_after(" listening on "));
        let client = client.expect("the server accepts");
        client.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        client
    }

    /// A client, which is the `number`th and is seen by the operator.
    pub(crate) fn join(&self, number: usize) -> TcpStream {
        let client = self.connect();
        let address = client.local_addr().expect("connected");
        self.shows(&format!("[{number}] connected from {address}"));
        client
    }

    pub(crate) fn write(&mut self, line: &str) {
        writeln!(self.operator, "{line}").expect("the console reads");
    }

    pub(crate) fn end(mut self) {
        self.write("salir");
        assert_eq!(end_of(&mut self.console).code(), Some(0));
    }

    /// The process that serves, and the processes that it has made.
    pub(crate) fn server_and_children(&self) -> (i32, Vec<i32>) {
        let [server] = self.children()[..] else {
            panic!("one server");
        };
        (server, children(server))
    }

    /// All processes that the console has started.
    pub(crate) fn children(&self) -> Vec<i32> {
        children(self.console.id().try_into().expect("a pid"))
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        let _ = self.console.kill();
        let _ = self.console.wait();
    }
}

fn keep_lines(from: impl BufRead + Send + 'static, shown: Arc<Mutex<String>>) {
    thread::spawn(move || {
        for line in from.lines().map_while(Result::ok) {
            let mut shown = shown.lock().expect("no panic");
            shown.push_str(&line);
            shown.push('\n');
        }
    });
}

/// Child processes of all threads of a process.
fn children(process: i32) -> Vec<i32> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("a process");
    let lists = threads.flatten().map(|thread| {
        // A thread may have ended since.
        fs::read_to_string(thread.path().join("children")).unwrap_or_default()
    });
    let lists: Vec<String> = lists.collect();
    let pids = lists.iter().flat_map(|list| list.split_whitespace());
    pids.map(|pid| pid.parse().expect("a pid")).collect()
}

/// Reads exactly these words.
pub(crate) fn reads(client: &mut TcpStream, words: &str) {
    let mut read = vec![0; words.len()];
    client.read_exact(&mut read).expect("words");
    assert_eq!(String::from_utf8_lossy(&read), words);
}

#[test]
fn under_every_model_clients_write_and_the_operator_answers_one_or_all() {
    for_each_model(|model| {
        // The others of an iterative server wait for the first.
        if find(model).is_some_and(|model| model.capacity == Capacity::One) {
            return;
        }
        let mut chat = Chat::start(model);
        let mut first = chat.join(1);
        let mut second = chat.join(2);
        chat.shows("; 2 here");
        first.write_all("¿hay alguien?".as_bytes()).expect("sent");
        chat.shows("[1] ¿hay alguien?\n");
        second.write_all(b"hola\r\n").expect("sent");
        chat.shows("[2] hola\n");
        chat.write("1 sólo para ti");
        reads(&mut first, "sólo para ti\n");
        chat.write("* para todos");
        reads(&mut first, "para todos\n");
        reads(&mut second, "para todos\n");
        drop(first);
        chat.shows("[1] left; 1 here");
        second.shutdown(Shutdown::Write).expect("connected");
        chat.shows("[2] left; 0 here");
        assert_eq!(second.read(&mut [0; 9]).expect("the end"), 0, "{model}");
        let mut third = chat.join(3);
        chat.end();
        assert_eq!(third.read(&mut [0; 9]).expect("the end"), 0, "{model}");
    });
}

#[test]
fn what_clients_send_commands_no_terminal_and_what_is_wrong_is_explained() {
    let mut chat = Chat::start("epoll");
    let mut client = chat.join(1);
    client.write_all(b"<b>\x1b[2J\xff\x07").expect("sent");
    chat.shows("[1] <b>\\u{1b}[2J\u{fffd}\\u{7}\n");
    chat.write("2 nobody");
    chat.shows("no client 2 is here");
    chat.write("hola");
    chat.shows("write `3 text` to answer client 3");
    chat.write("1 a\u{2028}b");
    reads(&mut client, "a\u{2028}b\n");
    chat.end();
}

#[test]
fn a_client_that_does_not_read_loses_its_oldest_messages_and_nobody_else_waits() {
    const MESSAGES: usize = 200;
    let mut chat = Chat::start("tokio");
    let _deaf = chat.join(1);
    let listener = chat.join(2);
    let long = "a".repeat(100_000);
    let mut listener = BufReader::new(listener);
    for number in 0..MESSAGES {
        chat.write(&format!("* {number} {long}"));
        let mut line = String::new();
        listener.read_line(&mut line).expect("text");
        assert!(line.starts_with(&format!("{number} aaa")), "{number}");
        assert_eq!(line.len(), format!("{number} \n").len() + long.len());
    }
    chat.shows("client 1 does not read");
    chat.end();
}

#[test]
fn a_killed_process_takes_its_client_along_and_no_other() {
    let mut chat = Chat::start("fork-per-client");
    let mut first = chat.join(1);
    let (_, processes) = chat.server_and_children();
    let mut second = chat.join(2);
    let [only] = processes[..] else {
        panic!("{processes:?}")
    };
    kill(Pid::from_raw(only), Signal::SIGKILL).expect("it is there");
    chat.shows("[1] left; 1 here");
    assert_eq!(first.read(&mut [0; 9]).expect("the end"), 0);
    chat.write("* still here?");
    reads(&mut second, "still here?\n");
    chat.end();
}

#[test]
fn a_console_that_is_killed_leaves_no_server_and_no_connection() {
    let mut chat = Chat::start("pre-forked");
    let mut client = chat.join(1);
    let (server, workers) = chat.server_and_children();
    chat.console.kill().expect("it runs");
    assert_eq!(client.read(&mut [0; 9]).unwrap_or(0), 0);
    for process in [&[server], &workers[..]].concat() {
        let path = format!("/proc/{process}");
        eventually("nothing is left", || !fs::exists(&path).unwrap_or(true));
    }
}

#[test]
fn a_participant_sends_lines_at_once_and_sees_what_nobody_asked_for() {
    let mut chat = Chat::start("coroutine-per-client");
    let address = chat.word_after(" listening on ");
    let mut participant = Command::new(HOLA);
    participant.args(["client", &address, "--conversation", "chat"]);
    participant.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut participant = participant.spawn().expect("the program runs");
    let mut keyboard = participant.stdin.take().expect("a pipe");
    let mut screen = BufReader::new(participant.stdout.take().expect("a pipe"));
    chat.shows("[1] connected");
    chat.write("* unasked");
    let mut line = String::new();
    screen.read_line(&mut line).expect("a line");
    assert_eq!(line, "[SERVIDOR] unasked\n");
    for number in 0..50 {
        writeln!(keyboard, "line {number}").expect("taken");
    }
    chat.shows("line 49");
    writeln!(keyboard, "salir").expect("taken");
    chat.shows("[1] left; 0 here");
    assert_eq!(end_of(&mut participant).code(), Some(0));
    chat.end();
}
