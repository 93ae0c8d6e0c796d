//! The published JSON Schemas are those of the code; they accept all records and refuse broken ones.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use hola_lab::record::schemas;
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
        let path = published(&format!("{name}.json"));
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

/// Validators of the published schemas.
struct Published {
    run: Validator,
    block: Validator,
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
            block: validator("block.json"),
        }
    }

    /// Reads the records of a run, all of which must be accepted.
    fn records(&self, folder: &Path) -> (Value, Vec<Value>) {
        let read = |name| fs::read_to_string(folder.join(name)).expect("a record");
        let run = accepted(&self.run, &read("run.json"));
        let lines = read("blocks.jsonl");
        let blocks: Vec<Value> = lines
            .split_inclusive('\n')
            // The last line may be incomplete while a run is written.
            .filter(|line| line.ends_with('\n'))
            .map(|line| accepted(&self.block, line))
            .collect();
        (run, blocks)
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

/// Makes a run of a load and a procedure, and returns its records.
fn fresh() -> (Value, Vec<Value>) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = format!("--output={}", folder.path().display());
    let (status, _, stderr) = hola(&[
        "compare",
        "--experiments=deadlines,spawn",
        "--models=tokio",
        "--blocks=1",
        &output,
    ]);
    assert!(status.success(), "{stderr}");
    Published::read().records(&only_folder(folder.path()))
}

#[test]
fn records_of_a_fresh_run_keep_to_the_published_schemas() {
    let (run, blocks) = fresh();
    assert_eq!(run["designs"].as_array().map(Vec::len), Some(2));
    assert!(
        blocks[0]["readings"][0]["slices"][0]["cpu_us"].is_number(),
        "{}",
        blocks[0]
    );
    assert!(
        blocks[1]["readings"][0]["figures"]["spawn_us"].is_number(),
        "{}",
        blocks[1]
    );
}

#[test]
fn records_of_every_stored_run_keep_to_the_published_schemas() {
    let published = Published::read();
    let stored = fs::read_dir(results()).expect("a folder").flatten();
    let runs: Vec<PathBuf> = stored
        .map(|entry| entry.path())
        .filter(|path| !path.ends_with("schema") && path.join("run.json").exists())
        .collect();
    if runs.is_empty() {
        println!("skipped: no run is kept under results/ yet");
        return;
    }
    for run in runs {
        let (_, blocks) = published.records(&run);
        assert!(!blocks.is_empty(), "{}", run.display());
    }
}

/// A copy of `record` without the key that `pointer` ends with.
fn without(record: &Value, pointer: &str) -> Value {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let mut broken = record.clone();
    let parent = broken.pointer_mut(parent).and_then(Value::as_object_mut);
    let removed = parent.expect("an object").remove(key);
    assert!(removed.is_some(), "{pointer}");
    broken
}

/// A copy of `record` with another value at `pointer`.
fn with(record: &Value, pointer: &str, value: Value) -> Value {
    let mut broken = record.clone();
    let place = broken.pointer_mut(pointer);
    *place.unwrap_or_else(|| panic!("no {pointer}")) = value;
    broken
}

#[test]
fn broken_records_are_refused() {
    let published = Published::read();
    let (run, blocks) = fresh();
    let block = &blocks[0];
    for pointer in [
        "/seed",
        "/designs/0/stages/0/levels/0/control",
        "/environment/cpus",
    ] {
        let broken = without(&run, pointer);
        assert!(!published.run.is_valid(&broken), "{pointer}");
    }
    for (pointer, value) in [
        ("/status", json!("finished")),
        ("/seed", json!(-1)),
        ("/designs/0/stages/0/levels/0/cycles", json!("many")),
        ("/designs/0/stages/0/levels/0/task/load/pace", json!("fast")),
        ("/environment", json!(null)),
    ] {
        let broken = with(&run, pointer, value);
        assert!(!published.run.is_valid(&broken), "{pointer}");
    }
    for pointer in ["/experiment", "/index", "/readings"] {
        let broken = without(block, pointer);
        assert!(!published.block.is_valid(&broken), "{pointer}");
    }
    for (pointer, value) in [
        ("/index", json!(0.5)),
        ("/readings/0/slices/0/cpu_us", json!("little")),
        ("/readings/0/slices", json!({})),
        ("/readings/0/participant", json!(1)),
    ] {
        let broken = with(block, pointer, value);
        assert!(!published.block.is_valid(&broken), "{pointer}");
    }
    let mut unknown = block.clone();
    unknown["readings"][0]["figures"] = json!({"no_such_metric": 1.0});
    assert!(!published.block.is_valid(&unknown));
}
