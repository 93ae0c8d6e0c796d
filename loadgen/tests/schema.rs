//! The published JSON Schemas are those of the code, and real output keeps to them.

mod truth;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hola_loadgen::summary::schemas;
use serde_json::Value;
use truth::{CLOSE, Truth, answer_once};

fn published(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../results/schema")
        .join(name)
}

#[test]
fn published_schemas_are_those_of_the_code() {
    for (name, schema) in schemas() {
        let derived = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        let path = published(name);
        if std::env::var_os("HOLA_BLESS").is_some() {
            fs::write(&path, derived).unwrap();
            continue;
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            stored, derived,
            "{name}: HOLA_BLESS=1 cargo test -p hola-loadgen --test schema rewrites it"
        );
    }
}

/// What a load of a server prints.
fn output(server: &Truth, arguments: &[&str]) -> String {
    let target = server.address.to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_hola-load"))
        .args([&[target.as_str(), "--warmup=0s"], arguments].concat())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn greeter() -> Truth {
    Truth::start(|_, stream| answer_once(stream, CLOSE))
}

/// A server that cuts one answer in twenty short.
fn flawed() -> Truth {
    Truth::start(|id, stream| answer_once(stream, if id % 20 == 19 { b"" } else { CLOSE }))
}

fn assert_valid(name: &str, text: &str) -> Value {
    let schema: Value =
        serde_json::from_str(&fs::read_to_string(published(name)).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:?}");
    value
}

#[test]
fn summaries_keep_to_their_schema() {
    for pace in [
        ["--clients=3", "--requests=60"],
        ["--rate=300", "--requests=60"],
    ] {
        let summary = assert_valid(
            "load.json",
            &output(&flawed(), &[&pace[..], &["--format=json"]].concat()),
        );
        assert!(
            summary["counts"]["failed"]
                .as_object()
                .is_some_and(|failed| !failed.is_empty())
        );
    }
}

#[test]
fn every_line_of_ndjson_keeps_to_its_schema() {
    let text = output(
        &flawed(),
        &[
            "--clients=2",
            "--duration=350ms",
            "--interval=100ms",
            "--format=ndjson",
        ],
    );
    let kinds: Vec<String> = text
        .lines()
        .map(|line| {
            assert_valid("load-line.json", line)["kind"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let (last, intervals) = kinds.split_last().unwrap();
    assert_eq!(last, "summary");
    assert!(
        intervals.len() >= 3 && intervals.iter().all(|kind| kind == "interval"),
        "{kinds:?}"
    );
}

#[test]
fn several_loads_and_a_search_keep_to_their_schema() {
    let text = output(
        &flawed(),
        &["--clients=1..3/3", "--requests=40", "--format=json"],
    );
    let levels = assert_valid("load-levels.json", &text);
    assert_eq!(levels["levels"].as_array().unwrap().len(), 3);
    let search = [
        "--find-max",
        "--slo=rate<150",
        "--rate=400",
        "--arrivals=constant",
        "--requests=40",
    ];
    let server = greeter();
    let text = output(&server, &[&search[..], &["--format=json"]].concat());
    let levels = assert_valid("load-levels.json", &text);
    assert_eq!(
        levels["search"]["objectives"],
        serde_json::json!(["rate<150"])
    );
    let text = output(&server, &[&search[..], &["--format=ndjson"]].concat());
    assert_eq!(
        assert_valid("load-line.json", text.lines().last().unwrap())["kind"],
        "search"
    );
}

#[test]
fn a_schema_notices_what_is_missing_or_of_another_kind() {
    let (_, schema) = &schemas()[0];
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    let mut summary: Value =
        serde_json::from_str(&output(&greeter(), &["--requests=20", "--format=json"])).unwrap();
    assert!(validator.is_valid(&summary));
    summary["plan"]["loop"] = "round".into();
    assert!(!validator.is_valid(&summary));
    summary["plan"]["loop"] = "closed".into();
    summary.as_object_mut().unwrap().remove("counts");
    assert!(!validator.is_valid(&summary));
}
