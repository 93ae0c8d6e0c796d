//! Replays the tutorials: blocks of commands that are fenced as `sh replay` run as they are, one after another in a temporary
//! folder, with the real program and the files that the page shows. Only what a reader has is put in place of what the page
//! makes up (a port, a host), loads last a moment, and comparisons have few blocks.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use axum::Router;
use tempfile::TempDir;
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Runtime;

use super::read;

const HOLA: &str = env!("CARGO_BIN_EXE_hola");

/// The program as a reader types it. A measurement that is too short to be believed (4), or a difference (99), is no fault of
/// its command.
const SHORT: &str = r#"#!/bin/bash
arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    --duration | --blocks) shift ;;
    *) arguments+=("$1") ;;
  esac
  shift
done
code=0
case ${arguments[0]} in
  load) "$HOLA" "${arguments[@]}" --duration 300ms --warmup 200ms || code=$?; [ $code != 4 ] || code=0 ;;
  compare) "$HOLA" "${arguments[@]}" --blocks 3 || code=$? ;;
  diff) "$HOLA" "${arguments[@]}" || code=$?; [ $code != 99 ] || code=0 ;;
  *) "$HOLA" "${arguments[@]}" || code=$? ;;
esac
exit $code
"#;

/// A fenced block of a page.
struct Fenced<'t> {
    /// What stands after the opening fence.
    kind: &'t str,
    text: &'t str,
}

fn fenced(page: &str) -> Vec<Fenced<'_>> {
    let parts: Vec<&str> = page.split("```").collect();
    let inside = parts.iter().skip(1).step_by(2);
    let blocks = inside.filter_map(|block| block.split_once('\n'));
    blocks.map(|(kind, text)| Fenced { kind, text }).collect()
}

/// The file that a block shows, which its first line names: `# load.toml: …`.
fn file_name<'t>(block: &Fenced<'t>) -> Option<&'t str> {
    let (name, _) = block.text.strip_prefix("# ")?.split_once(':')?;
    (!name.contains(' ') && name.contains('.')).then_some(name)
}

/// What a reader has: a folder, the program, and a server that answers any request with the greeting.
struct Reader {
    folder: TempDir,
    port: u16,
    /// Of the server, which ends with it.
    _runtime: Runtime,
}

impl Reader {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = Runtime::new().expect("a runtime");
        let port = runtime.block_on(async {
            let router = Router::new().fallback(|| async { "Hola, cliente!" });
            let tcp = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let port = tcp.local_addr().expect("an address").port();
            let unix = UnixListener::bind(folder.path().join("shop.sock")).expect("a socket");
            tokio::spawn(axum::serve(tcp, router.clone()).into_future());
            tokio::spawn(axum::serve(unix, router).into_future());
            port
        });
        let reader = Self {
            folder,
            port,
            _runtime: runtime,
        };
        reader.program("bin/hola", SHORT);
        reader
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn program(&self, name: &str, text: &str) {
        self.write(name, text);
        let path = self.folder.path().join(name);
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("its owner's");
    }

    /// Runs the commands of a page, with other words in place of those made up. Returns the number of blocks that ran.
    fn replay(&self, page: &str, values: &[(&str, &str)]) -> usize {
        let text = read(page);
        let with_values = |text: &str| {
            let each = values.iter();
            each.fold(text.to_owned(), |text, (old, new)| text.replace(old, new))
        };
        let mut count = 0;
        for block in fenced(&text) {
            let shown = with_values(block.text);
            if let Some(name) = file_name(&block) {
                self.write(name, &shown);
            }
            if block.kind != "sh replay" {
                continue;
            }
            let program = block.text.split(' ').next().expect("a command");
            if program != "hola" && !is_installed(program) {
                println!("skipped: {program} is not installed");
                continue;
            }
            self.run(page, &shown);
            count += 1;
        }
        count
    }

    /// Runs commands until the first that fails, which fails the test.
    fn run(&self, page: &str, commands: &str) {
        let path = std::env::var("PATH").unwrap_or_default();
        let folder = self.folder.path();
        let mut shell = Command::new("bash");
        shell
            .args(["-euxo", "pipefail", "-c", commands])
            .current_dir(folder)
            .env("PATH", format!("{}/bin:{path}", folder.display()))
            .env("HOLA", HOLA)
            // In a container all is done by root, which Open MPI asks to have confirmed.
            .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
            .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        let output = shell.output().expect("bash is there");
        let [stdout, stderr] =
            [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        assert!(output.status.success(), "{page}: {stdout}{stderr}");
    }

    fn has(&self, name: &str) -> bool {
        self.folder.path().join(name).exists()
    }
}

fn is_installed(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output();
    found.is_ok_and(|output| output.status.success())
}

#[test]
fn the_commands_of_the_page_about_load_work_as_they_stand() {
    let reader = Reader::new();
    reader.write("order.json", "{}");
    let port = reader.port.to_string();
    let values = [
        ("/run/shop.sock", "shop.sock"),
        ("3000", &port),
        // How fast a busy machine is, is no matter of the page.
        ("p99>20ms", "p50>5s"),
    ];
    assert_eq!(reader.replay("docs/load.md", &values), 5);
    for name in ["load.json", "load.xml", "items.toml"] {
        assert!(reader.has(name), "{name}");
    }
}

#[test]
fn both_pages_about_load_show_the_same_commands() {
    let commands = ["docs/load.md", "docs/load.es.md"].map(|page| -> Vec<String> {
        let text = read(page);
        let blocks = fenced(&text).into_iter();
        let blocks = blocks.filter(|block| block.kind != "text");
        let lines = blocks.flat_map(|block| block.text.lines());
        let bare = lines.map(|line| line.split("# ").next().unwrap_or(line).trim().to_owned());
        bare.collect()
    });
    assert_eq!(commands[0], commands[1]);
}

#[test]
fn the_commands_of_the_page_about_several_processes_work_as_they_stand() {
    let reader = Reader::new();
    reader.write("hosts", "localhost slots=8\n");
    let host = format!("127.0.0.1:{}", reader.port);
    let values = [
        ("server:8080", &*host),
        ("--rate 20k", "--rate 400"),
        // Eight programs have to get ready beside other tests.
        ("+ 15)", "+ 7)"),
        ("+ 5)", "+ 7)"),
        ("/shared/results", "shared"),
    ];
    reader.replay("docs/reach.md", &values);
}

#[test]
fn the_commands_of_the_page_about_pull_requests_work_as_they_stand() {
    let reader = Reader::new();
    let server = format!("#!/bin/sh\nexec '{HOLA}' serve epoll --bind 127.0.0.1:$1\n");
    reader.program("base/server", &server);
    reader.program("head/server", &server);
    let values = [("<run>", "*")];
    assert_eq!(reader.replay("docs/pull-requests.md", &values), 1);
}
