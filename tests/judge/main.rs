//! `hola judge`: the models pass, and so do servers in several languages; a server with one fault fails the check for it;
//! and what is wrong with a command is said.

mod faults;
mod page;
mod servers;
#[path = "../support/mod.rs"]
mod support;

use std::fmt::Debug;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hola_servers::models::{Attention, Capacity, Model};
use serde_json::Value;

use self::support::{HOLA, Server, for_each, has_program, hola, printed, refused, table};

/// Runs `hola judge` with those arguments. Returns its exit code and the examination.
fn judge(arguments: &[&str]) -> (Option<i32>, Value) {
    let (status, stdout, stderr) = hola(&[&["judge", "--format", "json"], arguments].concat());
    let not_json = |error| panic!("{error}: {stdout}{stderr}");
    let examination = serde_json::from_str(&stdout).unwrap_or_else(not_json);
    (status.code(), examination)
}

/// The command that serves under a model.
fn serve(model: &str) -> [&str; 5] {
    [HOLA, "serve", model, "--bind", "127.0.0.1:{port}"]
}

fn failed(examination: &Value) -> Vec<&str> {
    let checks = examination["checks"].as_array().expect("checks");
    let failed = checks.iter().filter(|check| check["state"] == "failed");
    failed.filter_map(|check| check["id"].as_str()).collect()
}

/// The kind that a model is, by its row of the table.
fn kind(model: &Model) -> &'static str {
    match (model.attention, model.capacity) {
        (_, Capacity::One) => "iterative",
        (Attention::Process, Capacity::Workers) => "process-pool",
        (_, Capacity::Workers) => "thread-pool",
        (Attention::Process, Capacity::Unbounded) => "process-per-client",
        (Attention::Thread, Capacity::Unbounded) => "thread-per-client",
        (_, Capacity::Unbounded) => "loop",
    }
}

/// Calls `examine` for all cases, several at once: an examination waits more than it computes.
fn side_by_side<T: Debug + Sync>(cases: &[T], examine: impl Fn(&T) + Sync) {
    const AT_ONCE: usize = 4;
    for some in cases.chunks(AT_ONCE) {
        for_each(some, &examine);
    }
}

#[test]
fn every_model_passes_every_check_and_is_of_its_kind() {
    let models: Vec<_> = table().collect();
    side_by_side(&models, |model| {
        let options = ["--expect", kind(model), "--"];
        let (code, examination) = judge(&[&options[..], &serve(model.name)].concat());
        let found = (code, failed(&examination));
        assert_eq!(found, (Some(0), vec![]), "{}: {examination:#}", model.name);
        assert_eq!(examination["points"], examination["points_max"]);
    });
}

#[test]
fn a_server_that_works_more_than_the_model_of_its_kind_costs_more() {
    let serve = [HOLA, "serve", "epoll", "--bind", "127.0.0.1:{port}"];
    let more = ["--extra-work-ns", "200000"];
    let (code, examination) = judge(&[&["--cost", "--"], &serve[..], &more].concat());
    assert_eq!(code, Some(0), "{examination:#}");
    let cost = &examination["cost"];
    assert_eq!(cost["model"], "epoll", "{examination:#}");
    let figures = cost["figures"].as_array().expect("figures");
    let is_cpu = |figure: &&Value| figure["metric"] == "cpu_us_per_request";
    let ratios = figures.iter().filter(is_cpu);
    let ratios: Vec<f64> = ratios.filter_map(|one| one["ratio"].as_f64()).collect();
    assert!(!ratios.is_empty(), "{cost:#}");
    assert!(ratios.iter().all(|ratio| *ratio > 1.2), "{cost:#}");
}

#[test]
fn another_kind_than_the_expected_one_fails_and_a_rubric_gives_the_points() {
    let folder = tempfile::tempdir().expect("a folder");
    let rubric = folder.path().join("rubric.toml");
    fs::write(&rubric, "greeting = 2.5\nkind = 4\n").expect("written");
    let rubric = rubric.to_str().expect("text");
    let options = ["--expect", "iterative", "--rubric", rubric, "--"];
    let (code, examination) = judge(&[&options[..], &serve("epoll")].concat());
    assert_eq!((code, failed(&examination)), (Some(99), vec!["kind"]));
    assert_eq!(examination["kind"], "loop");
    let points = ["points", "points_max"].map(|name| examination[name].as_f64());
    assert_eq!(points, [Some(19.5), Some(23.5)]);
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/schema/judge.json");
    let schema = fs::read_to_string(schema).expect("a schema");
    let schema = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    assert!(validator.is_valid(&examination), "{examination:#}");
}

#[test]
fn a_server_that_runs_is_examined_from_outside_in_every_format() {
    let server = Server::start("epoll");
    let url = format!("http://{}/", server.address);
    let english = printed(&["judge", "--url", &url]);
    let result = "12 passed, 0 failed, 12 of 12 points";
    assert!(english.contains(result), "{english}");
    let spanish = printed(&["judge", "--url", &url, "--lang", "es"]);
    let result = "12 superadas, 0 no superadas";
    assert!(spanish.contains(result), "{spanish}");
    let junit = printed(&["judge", "--url", &url, "--format", "junit"]);
    let result = "tests=\"19\" failures=\"0\" skipped=\"7\"";
    assert!(junit.contains(result), "{junit}");
    assert_eq!(junit.matches("<testcase ").count(), 19, "{junit}");
    let gradescope = printed(&["judge", "--url", &url, "--format", "gradescope"]);
    let gradescope: Value = serde_json::from_str(&gradescope).expect("JSON");
    assert_eq!(gradescope["score"], 12.0, "{gradescope:#}");
    assert_eq!(gradescope["tests"].as_array().map(Vec::len), Some(12));
    let classroom = printed(&["judge", "--url", &url, "--format", "classroom"]);
    let classroom = BASE64_STANDARD
        .decode(classroom.trim_end())
        .expect("base64");
    let classroom: Value = serde_json::from_slice(&classroom).expect("JSON");
    let result = (&classroom["status"], &classroom["max_score"]);
    assert_eq!(result, (&"pass".into(), &12.0.into()), "{classroom:#}");
    server.stop();
}

#[test]
fn what_does_not_start_is_named_with_its_last_words_and_leaves_no_process() {
    let missing = refused(3, &["judge", "--", "no-such-program", "{port}"]);
    assert!(missing.contains("cannot run no-such-program"), "{missing}");
    let script = "echo out of cheese; exit 4";
    let ended = refused(3, &["judge", "--", "sh", "-c", script, "{port}"]);
    assert!(ended.contains("out of cheese"), "{ended}");
}

#[test]
fn a_server_has_limits_on_memory_descriptors_and_cpu_time() {
    let script = "echo $(ulimit -v) $(ulimit -n) $(ulimit -t)";
    let options = ["judge", "--memory", "1G", "--deadline", "77", "--"];
    let command = ["sh", "-c", script, "{port}"];
    let said = refused(3, &[&options[..], &command].concat());
    assert!(said.contains("1048576 4096 77"), "{said}");
}

#[test]
fn a_check_without_time_left_fails_and_says_so() {
    // The server takes longer to start than there is time for all checks.
    let script = "sleep 0.7; exec \"$0\" serve epoll --bind 127.0.0.1:$1";
    let options = ["--deadline", "1", "--", "sh", "-c", script, HOLA, "{port}"];
    let (code, examination) = judge(&options);
    assert_eq!(code, Some(99));
    let checks = examination["checks"].as_array().expect("checks");
    let stop = checks.iter().find(|check| check["id"] == "stop");
    let seen = &stop.expect("a check")["seen"]["en"];
    assert_eq!(seen, "no time was left (--deadline)", "{examination:#}");
}

#[test]
fn a_wrong_command_line_is_named_in_its_first_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        path.to_str().expect("text").to_owned()
    };
    let unknown = file("unknown.toml", "no_check = 1\n");
    let negative = file("negative.toml", "greeting = -1\n");
    let broken = file("broken.toml", "greeting =\n");
    let rubric = |file| vec!["judge", "--rubric", file, "--", "true", "{port}"];
    let magic = vec!["judge", "--expect", "magic", "--", "true", "{port}"];
    for (arguments, words) in [
        (vec!["judge", "--", "true"], "write {port} where it belongs"),
        (vec!["judge"], "required arguments"),
        (vec!["judge", "--url", "nowhere"], "--url"),
        (magic, "magic"),
        (rubric(&unknown), "no check 'no_check'"),
        (rubric(&negative), "greeting: -1 are no points"),
        (rubric(&broken), "line 1"),
        (rubric("no/such/file"), "--rubric no/such/file"),
    ] {
        let stderr = refused(2, &arguments);
        let first = stderr.lines().next().unwrap_or_default();
        assert!(first.contains(words), "{arguments:?}: {stderr}");
    }
}
