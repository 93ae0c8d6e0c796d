//! Right servers of every kind in several languages: each passes every check, and its kind is seen.

use std::path::Path;
use std::process::Command;

use super::{failed, has_program, judge, side_by_side};

/// Path of a file in `tests/judge/servers/`.
fn source(name: &str) -> String {
    format!("{}/tests/judge/servers/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The command that runs a server in Python, and leaves no compiled files beside it.
pub(super) fn python(name: &str) -> Vec<String> {
    vec!["python3".into(), "-B".into(), source(name)]
}

/// Builds a server in C as the file `program`. Returns its path; `None` without a compiler.
pub(super) fn built_by_cc(name: &str, program: &Path) -> Option<String> {
    let mut cc = Command::new("cc");
    cc.args(["-O1", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"]);
    cc.arg(program).arg(source(&format!("{name}.c")));
    has_program("cc").then(|| built(cc, program))
}

/// Builds a server in Java in the folder `place`. Returns the command that starts it; `None` without a compiler.
///
/// Compiled once: Java that compiles its source at each start takes seconds for that on a busy machine.
fn built_by_javac(name: &str, place: &Path) -> Option<Vec<String>> {
    let mut javac = Command::new("javac");
    javac.arg("-d").arg(place);
    javac.arg(source(&format!("{name}.java")));
    let folder = has_program("javac").then(|| built(javac, place))?;
    let java = ["java", "-cp", &folder, name].map(str::to_owned);
    Some(java.into())
}

/// Builds a server in Go as the file `program`. Returns its path; `None` without a compiler.
fn built_by_go(name: &str, program: &Path) -> Option<String> {
    let mut go = Command::new("go");
    go.args(["build", "-o"]);
    go.arg(program).arg(source(&format!("{name}.go")));
    has_program("go").then(|| built(go, program))
}

fn built(mut compiler: Command, program: &Path) -> String {
    let output = compiler.output().expect("a compiler");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{compiler:?}: {stderr}");
    program.to_str().expect("text").to_owned()
}

/// The command that starts a server, which may be built as the file `program`; `None` if its language is missing here.
fn command(server: &str, program: &Path) -> Option<Vec<String>> {
    let (name, ending) = server.split_once('.').expect("an ending");
    let started = match ending {
        "py" => has_program("python3").then(|| python(server)),
        "js" => has_program("node").then(|| vec!["node".into(), source(server)]),
        "java" => built_by_javac(name, program),
        "go" => built_by_go(name, program).map(|program| vec![program]),
        _ => built_by_cc(name, program).map(|program| vec![program]),
    };
    started.map(|command| [command, vec!["{port}".into()]].concat())
}

/// Right servers · the kind of each.
const SERVERS: [(&str, &str); 11] = [
    ("iterative.c", "iterative"),
    ("threads.py", "thread-per-client"),
    ("fork.c", "process-per-client"),
    ("processes.py", "process-per-client"),
    ("pool.c", "thread-pool"),
    ("pool.py", "thread-pool"),
    ("Pool.java", "thread-pool"),
    ("prefork.py", "process-pool"),
    ("loop.py", "loop"),
    ("loop.js", "loop"),
    ("goroutines.go", "loop"),
];

#[test]
fn right_servers_in_several_languages_pass_every_check_and_are_of_their_kind() {
    let folder = tempfile::tempdir().expect("a folder");
    side_by_side(&SERVERS, |&(server, kind)| {
        let program = folder.path().join(server);
        let Some(command) = command(server, &program) else {
            return println!("skipped: {server}");
        };
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let (code, examination) = judge(&[&["--expect", kind, "--"], &command[..]].concat());
        let found = (code, failed(&examination));
        assert_eq!(found, (Some(0), vec![]), "{server}: {examination:#}");
        assert_eq!(examination["kind"], kind, "{server}");
        assert_eq!(examination["points"], examination["points_max"]);
    });
}
