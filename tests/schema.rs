//! The published JSON Schemas of records are those of the code, records keep to them, and broken ones do not.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use hola::lab::record::schemas;
use jsonschema::Validator;
use serde_json::{Value, json};

use self::support::{hola, only_folder};

fn results() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results")
}

fn published(name: &str) -> PathBuf {
    results().join("schema").join(name)
}

#[test]
fn published_schemas_are_those_of_the_code() {
    for (name, schema) in schemas() {
        let derived = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
        let path = published(name);
        if std::env::var_os("HOLA_BLESS").is_some() {
            fs::write(&path, derived).expect("written");
            continue;
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            stored, derived,
            "{name}: HOLA_BLESS=1 cargo test -p hola --test schema rewrites it"
        );
    }
}

/// What the published schemas accept.
struct Published {
    run: Validator,
    trial: Validator,
}

impl Published {
    fn read() -> Self {
        let validator = |name| {
            let text = fs::read_to_string(published(name)).expect("a schema");
            let schema = serde_json::from_str(&text).expect("JSON");
            jsonschema::validator_for(&schema).expect("a schema")
        };
        Self {
            run: validator("run.json"),
            trial: validator("trial.json"),
        }
    }

    /// Reads the records of a run, all of which must be accepted.
    fn records(&self, folder: &Path) -> (Value, Vec<Value>) {
        let read = |name| fs::read_to_string(folder.join(name)).expect("a record");
        let run = accepted(&self.run, &read("run.json"));
        let lines = read("trials.jsonl");
        let trials: Vec<Value> = lines
            .split_inclusive('\n')
            // A run that goes on may be in the middle of a line.
            .filter(|line| line.ends_with('\n'))
            .map(|line| accepted(&self.trial, line))
            .collect();
        (run, trials)
    }
}

fn accepted(validator: &Validator, text: &str) -> Value {
    let record = serde_json::from_str(text).expect("JSON");
    let errors: Vec<String> = validator
        .iter_errors(&record)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    record
}

/// The records of a run made now: of a load, and of an experiment without one.
fn fresh() -> (Value, Vec<Value>) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = format!("--output={}", folder.path().display());
    let (status, _, stderr) = hola(&[
        "compare",
        "--experiments=churn,spawn",
        "--models=iterative,fork-per-client",
        "--clients=2",
        "--rounds=1",
        "--duration=100ms",
        &output,
    ]);
    assert!(status.success(), "{stderr}");
    Published::read().records(&only_folder(folder.path()))
}

#[test]
fn records_of_a_fresh_run_keep_to_the_published_schemas() {
    let (run, trials) = fresh();
    assert_eq!(run["experiments"].as_array().map(Vec::len), Some(2));
    let has_load = |trial: &&Value| trial["outcome"]["measured"]["load"].is_object();
    let loads = trials.iter().filter(has_load).count();
    assert!(loads >= 2 && loads < trials.len(), "{loads} loads");
}

#[test]
fn records_of_every_stored_run_keep_to_the_published_schemas() {
    let published = Published::read();
    let stored = fs::read_dir(results()).expect("a folder").flatten();
    let runs = stored
        .map(|entry| entry.path())
        .filter(|path| path.join("trials.jsonl").exists());
    let trials: usize = runs.map(|run| published.records(&run).1.len()).sum();
    assert!(trials > 100, "{trials}");
}

/// Takes the key that `pointer` ends with out of `record`.
fn without(record: &Value, pointer: &str) -> Value {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let mut broken = record.clone();
    let parent = broken.pointer_mut(parent).and_then(Value::as_object_mut);
    let removed = parent.expect("an object").remove(key);
    assert!(removed.is_some(), "{pointer}");
    broken
}

/// Puts something else where `pointer` points to in `record`.
fn with(record: &Value, pointer: &str, value: Value) -> Value {
    let mut broken = record.clone();
    let place = broken.pointer_mut(pointer);
    *place.unwrap_or_else(|| panic!("no {pointer}")) = value;
    broken
}

#[test]
fn broken_records_are_refused() {
    let published = Published::read();
    let (run, trials) = fresh();
    let has_load = |trial: &&Value| trial["outcome"]["measured"]["load"].is_object();
    let trial = trials.iter().find(has_load).expect("a load");

    for pointer in ["/seed", "/experiments/0/control", "/environment/cpus"] {
        let broken = without(&run, pointer);
        assert!(!published.run.is_valid(&broken), "{pointer}");
    }
    for (pointer, value) in [
        ("/status", json!("finished")),
        ("/seed", json!(-1)),
        ("/experiments/0/levels/0/clients", json!("many")),
        ("/experiments/0/figures", json!("cpu_us_per_request")),
        ("/environment", json!(null)),
    ] {
        let broken = with(&run, pointer, value);
        assert!(!published.run.is_valid(&broken), "{pointer}");
    }
    for pointer in [
        "/model",
        "/outcome/measured",
        "/outcome/measured/figures",
        "/outcome/measured/load/counts/ok",
        "/outcome/measured/server/requests",
    ] {
        let broken = without(trial, pointer);
        assert!(!published.trial.is_valid(&broken), "{pointer}");
    }
    for (pointer, value) in [
        ("/arm", json!("both")),
        ("/round", json!(0.5)),
        ("/outcome", json!("measured")),
        ("/outcome/measured/figures", json!({"recovery_us": "soon"})),
        ("/outcome/measured/validity", json!([{"check": "steal"}])),
        ("/outcome/measured/server/accounted_by", json!("guess")),
        ("/outcome/measured/response_histogram", json!([])),
    ] {
        let broken = with(trial, pointer, value);
        assert!(!published.trial.is_valid(&broken), "{pointer}");
    }
    let failed = with(trial, "/outcome", json!({"failed": "no server"}));
    assert!(published.trial.is_valid(&failed));
}
