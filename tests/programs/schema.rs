//! The published JSON Schemas are those of the code; they accept all records and refuse broken ones.

use std::fs;
use std::path::{Path, PathBuf};

use hola::cli::load_plan_schema;
use hola::judge::Examination;
use hola::lesson::HandIn;
use hola_lab::record::schemas;
use hola_report::class;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::{only_folder, paths_in, printed};

fn results() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results")
}

fn published(name: &str) -> PathBuf {
    results().join("schema").join(name)
}

#[test]
fn published_schemas_are_those_of_the_code() {
    let others = [
        ("class", class::schema()),
        ("judge", Examination::schema()),
        ("load-plan", load_plan_schema()),
        ("lesson", HandIn::schema()),
    ];
    for (name, schema) in schemas().into_iter().chain(others) {
        let derived = serde_json::to_string_pretty(&schema).expect("JSON") + "\n";
        let path = published(&format!("{name}.json"));
        if std::env::var_os("HOLA_BLESS").is_some() {
            fs::write(&path, derived).expect("written");
            continue;
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        // The message leaves out the schemas, which are too long to read.
        assert!(
            stored == derived,
            "{name}: HOLA_BLESS=1 cargo test -p hola --test programs schema rewrites it"
        );
    }
}

/// The validator of a published schema.
pub fn validator(name: &str) -> Validator {
    let text = fs::read_to_string(published(name)).expect("a schema");
    let schema = serde_json::from_str(&text).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// Validators of the published schemas of a run.
struct Published {
    run: Validator,
    block: Validator,
}

impl Published {
    fn read() -> Self {
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

/// The record that `text` encodes, which must be accepted.
pub fn accepted(validator: &Validator, text: &str) -> Value {
    let record = serde_json::from_str(text).expect("JSON");
    let errors: Vec<String> = validator
        .iter_errors(&record)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    record
}

/// The records of a fresh run of a load and a procedure.
fn fresh() -> (Value, Vec<Value>) {
    let folder = tempfile::tempdir().expect("a folder");
    let output = format!("--output={}", folder.path().display());
    let experiments = "--experiments=deadlines,spawn";
    printed(&[
        "compare",
        experiments,
        "--models=tokio",
        "--blocks=1",
        &output,
    ]);
    Published::read().records(&only_folder(folder.path()))
}

#[test]
fn records_of_every_stored_run_keep_to_the_published_schemas() {
    let published = Published::read();
    let mut runs = paths_in(&results());
    runs.retain(|path| !path.ends_with("schema") && path.join("run.json").exists());
    if runs.is_empty() {
        println!("skipped: no run is kept under results/ yet");
    }
    for run in runs {
        let (_, blocks) = published.records(&run);
        assert!(!blocks.is_empty(), "{}", run.display());
    }
}

/// Copies of `record` that lack a key, or have another value in its place, each with what was done.
pub fn broken(record: &Value, lacking: &[&str], changed: &[(&str, Value)]) -> Vec<(String, Value)> {
    let lacking = lacking.iter().map(|&pointer| (pointer, None));
    let changed = changed
        .iter()
        .map(|(pointer, value)| (*pointer, Some(value)));
    let copy = |(pointer, value): (&str, Option<&Value>)| {
        let mut copy = record.clone();
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        let parent = copy.pointer_mut(parent).expect(pointer);
        assert!(parent.get(key).is_some(), "no {pointer}");
        match value {
            Some(value) => parent[key] = value.clone(),
            None => drop(parent.as_object_mut().expect("an object").remove(key)),
        }
        (format!("{pointer}: {value:?}"), copy)
    };
    lacking.chain(changed).map(copy).collect()
}

#[test]
fn records_of_a_fresh_run_keep_to_the_published_schemas_and_broken_ones_are_refused() {
    let published = Published::read();
    let (run, blocks) = fresh();
    assert_eq!(run["designs"].as_array().map(Vec::len), Some(2));
    let (load, procedure) = (&blocks[0]["readings"][0], &blocks[1]["readings"][0]);
    assert!(load["slices"][0]["cpu_us"].is_number(), "{load}");
    assert!(procedure["figures"]["spawn_us"].is_number(), "{procedure}");
    let broken_runs = broken(
        &run,
        &[
            "/seed",
            "/designs/0/stages/0/levels/0/control",
            "/environment/cpus",
        ],
        &[
            ("/status", json!("finished")),
            ("/seed", json!(-1)),
            ("/designs/0/stages/0/levels/0/cycles", json!("many")),
            ("/designs/0/stages/0/levels/0/task/load/pace", json!("fast")),
            ("/environment", json!(null)),
        ],
    );
    let broken_blocks = broken(
        &blocks[0],
        &["/experiment", "/index", "/readings"],
        &[
            ("/index", json!(0.5)),
            ("/readings/0/slices/0/cpu_us", json!("little")),
            ("/readings/0/slices", json!({})),
            ("/readings/0/participant", json!(1)),
        ],
    );
    let unknown = json!({"no_such_metric": 1.0});
    let broken_figures = broken(&blocks[1], &[], &[("/readings/0/figures", unknown)]);
    for (validator, records) in [
        (&published.run, broken_runs),
        (&published.block, broken_blocks),
        (&published.block, broken_figures),
    ] {
        for (how, record) in records {
            assert!(!validator.is_valid(&record), "{how}");
        }
    }
}
