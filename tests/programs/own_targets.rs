//! Servers of the user's own in a comparison: what is found out of them, what is refused, and what a run keeps of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hola_lab::pinned_program::PinnedProgram;
use hola_lab::record::{Block, Run, RunStatus};
use hola_lab::store;
use hola_lab::target::{TargetPaths, TargetSpec};
use hola_servers::models::Attention;

use crate::support::{HOLA, eventually, has_python, hola, only_folder, paths_in, printed, refused};
use crate::targets::installed;

/// A small server as a user would write it: a thread for each client, a request for each connection.
const PYTHON: &str = concat!(
    "mine=python3 -B ",
    env!("CARGO_MANIFEST_DIR"),
    "/scripts/reference/python_threads.py {port}"
);

/// One of Hola's models, as a server of the user's.
fn model(model: &str) -> String {
    format!("mine={HOLA} serve {model} --bind 127.0.0.1:{{port}}")
}

/// What is found out of a server.
fn probed(target: &str) -> TargetSpec {
    let mut spec = TargetSpec::from_command(target).expect(target);
    let program = PinnedProgram::open(Path::new(HOLA)).expect("the program");
    let places = TargetPaths::with_source_tree(Path::new(HOLA));
    spec.probe(&program, &places).expect(target);
    spec
}

#[test]
fn what_serves_a_client_and_how_many_at_once_is_found_out() {
    for (arguments, attention, serves_at_once) in [
        ("iterative", Attention::Nothing, Some(1)),
        ("fork-per-client", Attention::Process, None),
        ("pre-forked --workers 3", Attention::Process, Some(3)),
        ("thread-per-client", Attention::Thread, None),
        ("pre-threaded --workers 3", Attention::Thread, Some(3)),
        ("epoll", Attention::Task, None),
    ] {
        let spec = probed(&model(arguments));
        let found = (spec.attention(), spec.serves_at_once(), spec.keep_alive);
        assert_eq!(found, (attention, serves_at_once, true), "{arguments}");
        assert!(spec.answers("/") && spec.answers("/wait/10"), "{spec:?}");
    }
}

#[test]
fn a_server_is_asked_once_what_it_answers() {
    if has_python() {
        let spec = probed(PYTHON);
        let found = (spec.attention(), spec.serves_at_once(), spec.keep_alive);
        assert_eq!(found, (Attention::Thread, None, false));
        assert!(spec.answers("/wait/10") && !spec.answers("/compute/10"));
        let reason = spec.reason_without_answer("/compute/10");
        assert!(reason.contains("ms for /compute/1000000"), "{reason}");
    }
    // The bare servers give the greeting, whatever is asked.
    let bare = Path::new(HOLA).with_file_name("examples/bare");
    if !bare.is_file() {
        println!("skipped: the example bare is not built");
        return;
    }
    let spec = probed(&format!("mine={} poll {{port}}", bare.display()));
    assert_eq!(
        (&spec.paths[..], spec.keep_alive),
        (&["/".to_owned()][..], false)
    );
    for (path, asked) in [("/wait/10", "/wait/1:"), ("/compute/1000", "/compute/10:")] {
        let reason = spec.reason_without_answer(path);
        assert!(
            reason.contains("no right answer") && reason.contains(asked),
            "{reason}"
        );
    }
}

#[test]
fn installed_targets_are_found_to_be_what_their_list_says() {
    let program = PinnedProgram::open(Path::new(HOLA)).expect("the program");
    let places = TargetPaths::with_source_tree(Path::new(HOLA));
    for listed in installed() {
        let mut found = listed.clone();
        found.probe(&program, &places).expect(&listed.name);
        let facts = |spec: &TargetSpec| (spec.keep_alive, spec.answers("/wait/1"));
        assert_eq!(facts(&found), facts(&listed), "{found:?}");
    }
}

/// The run in `results`, and its folder.
fn run_in(results: &Path) -> (Run, Vec<Block>, PathBuf) {
    let folder = only_folder(results);
    let (run, blocks) = store::read(&folder).expect("a run");
    (run, blocks, folder)
}

fn assert_measured(blocks: &[Block], experiment: &str, times: usize) {
    let own = blocks.iter().filter(|block| block.experiment == experiment);
    let readings = own.flat_map(|block| &block.readings);
    let readings = readings.filter(|reading| reading.participant == "mine");
    let answered = readings.filter(|reading| {
        assert_eq!(reading.failed, None, "{reading:?}");
        // On a busy machine a slice may have no time for an answer.
        reading
            .slices
            .iter()
            .any(|slice| slice.answered > 0 && slice.cpu_us > 0.0)
    });
    assert_eq!(answered.count(), times, "{experiment}");
}

#[test]
fn an_own_server_is_measured_beside_the_control_and_left_out_elsewhere_with_the_reason() {
    if !has_python() {
        return;
    }
    let results = tempfile::tempdir().expect("a folder");
    let output = format!("--output={}", results.path().display());
    let (target, models) = (format!("--target={PYTHON}"), "--models=iterative");
    let experiments = "--experiments=targets,cpu";
    printed(&[
        "compare",
        experiments,
        models,
        "--blocks=1",
        &target,
        &output,
    ]);
    let (run, blocks, folder) = run_in(results.path());
    assert!(run.command.contains(&target), "{:?}", run.command);
    let stage = blocks
        .iter()
        .find(|block| block.stage == "new")
        .expect("a stage");
    let control = stage
        .readings
        .iter()
        .find(|one| one.participant == "iterative");
    assert!(control.is_some_and(|control| control.level == "new, 2000/s"));
    assert_measured(&blocks, "targets", 1);
    assert_measured(&blocks, "cpu", 0);
    let page = fs::read_to_string(folder.join("report.html")).expect("a report");
    for shown in [
        "Left out of cpu: it needs ",
        "Left out of targets: it takes one request per connection.",
        "python_threads.py {port}",
        // The command can be copied into a shell.
        "&#39;--target=mine=python3 -B",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[test]
fn a_killed_comparison_with_an_own_server_is_resumed_and_can_be_compared_with_another() {
    let results = tempfile::tempdir().expect("a folder");
    let mut compare = Command::new(HOLA)
        .args([
            "compare",
            "--experiments=wait",
            "--models=mine",
            "--blocks=3",
            "--seed=5",
        ])
        .arg(format!("--target={}", model("thread-per-client")))
        .arg("--output")
        .arg(results.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    eventually("a block is made", || {
        let folders = paths_in(results.path());
        let blocks = |folder: &PathBuf| fs::read_to_string(folder.join("blocks.jsonl")).ok();
        folders
            .iter()
            .find_map(blocks)
            .is_some_and(|blocks| blocks.contains('\n'))
    });
    compare.kill().expect("it is there");
    compare.wait().expect("it ends");
    let folder = only_folder(results.path());
    let name = folder.to_str().expect("text");

    // A command that starts something else does not resume it.
    let record = folder.join("run.json");
    let own = fs::read_to_string(&record).expect("a run");
    fs::write(
        &record,
        own.replace("thread-per-client --bind", "epoll --bind"),
    )
    .expect("written");
    let changed = fs::read_to_string(&record).expect("a run");
    let with_old_card = changed.replacen("epoll --bind", "thread-per-client --bind", 1);
    fs::write(&record, with_old_card).expect("written");
    let stderr = refused(1, &["compare", "--resume", name]);
    assert!(stderr.contains("begun with another mine"), "{stderr}");

    fs::write(&record, own).expect("written");
    printed(&["compare", "--resume", name]);
    let (run, blocks, _) = run_in(results.path());
    assert_eq!((run.status, run.resumed_at.len()), (RunStatus::Complete, 1));
    assert_measured(&blocks, "wait", 6);
    let difference = printed(&["diff", name, name, "--format=json"]);
    assert!(difference.contains("\"mine\""), "{difference}");
    let stderr = refused(2, &["diff", name, "--servers=mine,yours"]);
    assert!(
        stderr.contains("no server 'yours' was measured"),
        "{stderr}"
    );
}

/// Runs a comparison that must end with this exit code before anything is written. Returns its complaint.
fn complaint(code: i32, arguments: &[&str]) -> String {
    let results = tempfile::tempdir().expect("a folder");
    let output = format!("--output={}", results.path().display());
    let usual = ["compare", "--experiments=targets", &output];
    let stderr = refused(code, &[&usual, arguments].concat());
    assert!(paths_in(results.path()).is_empty());
    stderr.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_target_that_cannot_be_is_a_usage_error() {
    let good = "mine=sh {port}";
    for (targets, complaints) in [
        (&["mine"][..], &["NAME=COMMAND is wanted"][..]),
        (
            &["Mine=sh {port}"],
            &["`Mine` is no name", "lower-case letters"],
        ),
        (&["=sh {port}"], &["`` is no name"]),
        (&["my\u{1b}=sh {port}"], &["is no name"]),
        (&["mine=sh"], &["no argument with {port}"]),
        (&["mine="], &["there is no command"]),
        (&["mine=sh 'x {port}"], &["quote without its end"]),
        (
            &["mine=no-such-program {port}"],
            &["--target", "no program no-such-program"],
        ),
        (
            &["tokio=sh {port}"],
            &["--target", "`tokio` is taken by a model"],
        ),
        (
            &["nginx=sh {port}"],
            &["--target", "`nginx` is taken by another target"],
        ),
        (
            &[good, good],
            &["--target", "`mine` is taken by another target"],
        ),
    ] {
        let options = targets.iter().flat_map(|target| ["--target", target]);
        let first = complaint(2, &Vec::from_iter(options));
        for part in complaints {
            assert!(first.contains(part), "{targets:?}: {first}");
        }
    }
}

#[test]
fn a_server_that_does_not_start_or_greet_is_named_with_its_last_words() {
    let last_words = "mine=sh -c 'echo the sky fell >&2; exit 3' {port}";
    let first = complaint(1, &["--target", last_words]);
    assert!(
        first.contains("mine did not listen: the sky fell"),
        "{first}"
    );

    let silent = "mine=sh -c 'echo not yet; exec sleep 60' {port}";
    let first = complaint(1, &["--target", silent]);
    assert!(first.contains("mine did not listen: not yet"), "{first}");

    let without_http = format!("{} --conversation ack", model("epoll"));
    let first = complaint(1, &["--target", &without_http]);
    assert!(
        first.contains("mine does not answer / with the greeting"),
        "{first}"
    );

    if has_python() {
        let another_body = "mine=python3 -m http.server --bind 127.0.0.1 {port}";
        let first = complaint(1, &["--target", another_body]);
        assert!(first.contains("with the greeting: another body"), "{first}");
    }
}

/// A server of one client after another, in HTTP/1.0, which dies after 200 requests.
const SHORT_LIVED: &str = r#"
import http.server, os, sys

class Greeting(http.server.BaseHTTPRequestHandler):
    left = 200

    def do_GET(self):
        self.send_response(200 if self.path == "/" else 404)
        self.end_headers()
        self.wfile.write(b"Hola, cliente!")
        Greeting.left -= 1
        if Greeting.left == 0:
            print("no more greetings", file=sys.stderr, flush=True)
            os._exit(3)

    def log_message(self, *words):
        pass

http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Greeting).serve_forever()
"#;

#[test]
fn an_own_server_that_dies_under_load_is_named_with_its_last_words_and_others_are_measured() {
    if !has_python() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    // Its path has a space, as a user's may.
    let script = folder.path().join("my server.py");
    fs::write(&script, SHORT_LIVED).expect("written");
    let spec = format!("mine=python3 '{}' {{port}}", script.display());
    let found = probed(&spec);
    assert_eq!(
        (found.attention(), found.keep_alive),
        (Attention::Nothing, false)
    );
    let reason = found.reason_without_answer("/wait/10");
    assert_eq!(reason, "it answers /wait/1 with status 404");

    let output = folder.path().join("results");
    let (status, _, stderr) = hola(&[
        "compare",
        "--experiments=targets",
        "--models=iterative",
        "--blocks=1",
        &format!("--target={spec}"),
        &format!("--output={}", output.display()),
    ]);
    assert_eq!(status.code(), Some(1), "{stderr}");
    let complaint = "targets: mine: mine ended while it was loaded: mine ended by itself: \
        exit code 3: no more greetings";
    assert!(stderr.contains(complaint), "{stderr}");
    let (run, blocks, _) = run_in(&output);
    assert_eq!(run.status, RunStatus::Complete);
    let readings: Vec<_> = blocks.iter().flat_map(|block| &block.readings).collect();
    let failed = readings.iter().filter(|reading| reading.failed.is_some());
    let failed: Vec<_> = failed.map(|reading| &reading.participant).collect();
    assert_eq!(failed, ["mine"]);
}

/// A list of one target, the Python server of this repository.
const LIST: &str = r#"
[[target]]
name = "listed"
title = { en = "Mine", es = "El mío" }
programs = ["python3"]
install = "apt-get install python3"
version = ["--version"]
arguments = ["-B", "@reference@/python_threads.py", "@port@"]
paths = ["/", "/wait/N"]
keep_alive = true
processes = 1
threads = "clients"
"#;

#[test]
fn an_error_in_a_list_names_file_target_and_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let name = path.to_str().expect("text");
    let missing = complaint(2, &["--targets", name]);
    assert!(
        missing.contains(name) && missing.contains("No such file"),
        "{missing}"
    );
    for (part, changed, complaints) in [
        ("name = \"listed\"\n", "", &["target 1", "`name`"][..]),
        (
            "\"listed\"",
            "\"Listed\"",
            &["target `Listed`", "key `name`"],
        ),
        (
            "\"listed\"",
            "\"tokio\"",
            &["target `tokio`", "key `name`", "taken"],
        ),
        (
            "\"@port@\"",
            "\"8080\"",
            &["target `listed`", "key `arguments`", "@port@"],
        ),
        ("\"/\", ", "", &["target `listed`", "key `paths`"]),
        (
            "= true",
            "= \"yes\"",
            &["target `listed`", "`keep_alive`", "boolean"],
        ),
        (
            "\"clients\"",
            "\"many\"",
            &["target `listed`", "`threads`", "a number or"],
        ),
        ("install", "instal", &["target `listed`", "`instal`"]),
        (
            "processes",
            "templates = [\"x.in\"]\nprocesses",
            &["key `templates`", "x.in"],
        ),
        (
            "processes",
            "floor_of = \"epoll\"\nprocesses",
            &["key `floor_of`"],
        ),
        ("[[target]]", "[[server]]", &["key `server`"]),
        ("= true", "=", &["line 10"]),
    ] {
        let list = LIST.replacen(part, changed, 1);
        assert_ne!(list, LIST, "{part}");
        fs::write(&path, list).expect("written");
        let first = complaint(2, &["--targets", name]);
        for part in [&[name], complaints].concat() {
            assert!(first.contains(part), "{part}: {first}");
        }
    }
}

#[test]
fn a_target_of_a_list_takes_part_with_what_it_is_found_to_answer() {
    if !has_python() {
        return;
    }
    let folder_of_list = tempfile::tempdir().expect("a folder");
    let reference = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/reference");
    for file in ["python_threads.py", "greeting.py"] {
        fs::copy(reference.join(file), folder_of_list.path().join(file)).expect("copied");
    }
    let absent = LIST
        .replace("listed", "absent")
        .replace("python3\"]", "no-such-program\"]");
    let list = folder_of_list.path().join("mine.toml");
    fs::write(&list, format!("{LIST}{absent}")).expect("written");
    let (list, output) = (list.display(), folder_of_list.path().join("results"));
    let (targets, into) = (
        format!("--targets={list}"),
        format!("--output={}", output.display()),
    );
    let experiments = "--experiments=targets";
    printed(&[
        "compare",
        experiments,
        "--models=iterative",
        "--blocks=1",
        &targets,
        &into,
    ]);
    let (run, blocks, folder) = run_in(&output);
    assert!(run.command.contains(&targets), "{:?}", run.command);
    let listed = blocks.iter().flat_map(|block| &block.readings);
    let mut listed = listed.filter(|reading| reading.participant == "listed");
    assert!(listed.any(|reading| reading.slices.iter().any(|slice| slice.answered > 0)));
    // It says that connections stay, and they do not.
    for (server, reason) in [
        ("listed", "it takes one request per connection"),
        ("absent", "absent is not installed: apt-get install python3"),
    ] {
        let mut skipped = run.skipped.iter();
        let is_told = skipped.any(|one| one.server == server && one.reason == reason);
        assert!(is_told, "{:?}", run.skipped);
    }

    // Without its list such a run is not resumed.
    let record = folder.join("run.json");
    let complete = fs::read_to_string(&record).expect("a run");
    fs::write(&record, complete.replace("\"complete\"", "\"interrupted\"")).expect("written");
    fs::remove_file(folder_of_list.path().join("mine.toml")).expect("removed");
    let stderr = refused(1, &["compare", "--resume", folder.to_str().expect("text")]);
    assert!(
        stderr.contains("command no longer works") && stderr.contains("mine.toml"),
        "{stderr}"
    );
}
