//! The runs of many machines put together: `hola class` and `hola site`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hola_lab::metric::Metric;
use hola_lab::record::{Block, Run};
use hola_lab::store;
use hola_verdict::claims::CLAIMS;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::schema::{accepted, broken, validator};
use crate::support::{hola, paths_in, printed, refused};

/// Longest time of an optimised program; another takes ten times as long, and is not judged by it.
const SOON: Duration = Duration::from_secs(10);

/// Machines of the site, each with two runs.
const SITE_MACHINES: usize = if cfg!(debug_assertions) { 3 } else { 25 };

/// The quantity that differs between the made-up machines.
const FORK: &str = "fork-per-client against thread-per-client (spawn, 2000 in turn)";

/// Standard deviation of its logarithm.
const SPREAD: f64 = 0.2;

/// The newest quick run in the repository.
fn stored_run() -> (Run, Vec<Block>) {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let folders = paths_in(&results).into_iter();
    let quick = folders.filter(|folder| folder.to_string_lossy().ends_with("-quick"));
    store::read(&quick.max().expect("a quick run")).expect("its records")
}

/// Folders of made-up machines, `class/student-NN/NAME`: the stored run, with times of `fork` that differ.
struct Made {
    folder: TempDir,
    runs: Vec<PathBuf>,
}

impl Made {
    /// Each of `machines` makes `runs` runs.
    fn new(machines: usize, runs: usize) -> Self {
        let (mut run, blocks) = stored_run();
        let folder = tempfile::tempdir().expect("a folder");
        let mut made = Vec::new();
        for machine in 0..machines {
            // Symmetric, so that the mean of the machines is the stored run.
            let place = (machine as f64 + 0.5) / machines as f64 - 0.5;
            let factor = (place * SPREAD * 12f64.sqrt()).exp();
            for number in 0..runs {
                run.started_at = format!("2026-11-{:02}T10:15:02Z", number + 1);
                run.name = format!("2026-11-{:02}T101502Z-quick", number + 1);
                run.environment.cpu_model = format!("CPU {machine}");
                run.environment.virtualised = machine % 2 == 0;
                let path = folder
                    .path()
                    .join(format!("student-{machine:02}/{}", run.name));
                // The second run of a machine costs more, beyond any noise of the stored run.
                write(
                    &path,
                    &run,
                    &slowed(&blocks, factor * 4f64.powf(number as f64)),
                );
                made.push(path);
            }
        }
        Made { folder, runs: made }
    }

    /// Runs the command on all folders. Returns its exit code, stdout and stderr.
    fn hola(&self, command: &str, output: &str, more: &[&str]) -> (Option<i32>, String, String) {
        let output = format!("--output={}", self.path(output).display());
        let folders = self.runs.iter().map(|path| path.to_str().expect("text"));
        let mut arguments = vec![command, &output];
        arguments.extend(more);
        arguments.extend(folders);
        let (status, stdout, stderr) = hola(&arguments);
        (status.code(), stdout, stderr)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// The blocks with other times of making a process.
fn slowed(blocks: &[Block], factor: f64) -> Vec<Block> {
    let mut blocks = blocks.to_vec();
    for reading in blocks.iter_mut().flat_map(|block| &mut block.readings) {
        if reading.participant == "fork-per-client" {
            let figure = reading.figures.get_mut(&Metric::SpawnTime);
            figure.into_iter().for_each(|figure| *figure *= factor);
        }
    }
    blocks
}

fn write(folder: &Path, run: &Run, blocks: &[Block]) {
    fs::create_dir_all(folder).expect("a folder");
    let json = serde_json::to_string(run).expect("JSON");
    fs::write(folder.join("run.json"), json).expect("written");
    let lines = blocks.iter().map(|block| {
        let line = serde_json::to_string(block).expect("JSON");
        line + "\n"
    });
    fs::write(folder.join("blocks.jsonl"), lines.collect::<String>()).expect("written");
}

/// Every file below a folder with its bytes, by its path there.
fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for path in paths_in(&next) {
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(folder).expect("below").to_owned();
                    found.push((name, fs::read(&path).expect("bytes")));
                }
            }
        }
    }
    found.sort();
    found
}

/// Checks that an optimised program took no longer than [`SOON`].
fn is_soon(took: Duration) {
    println!("took {took:?}");
    assert!(cfg!(debug_assertions) || took <= SOON, "{took:?}");
}

/// What follows each `start` in a text, up to a quote.
fn quoted<'t>(text: &'t str, start: &str) -> Vec<&'t str> {
    let parts = text.split(start).skip(1);
    parts.filter_map(|after| after.split('"').next()).collect()
}

#[test]
fn thirty_machines_are_put_together_soon_and_rightly() {
    let made = Made::new(30, 1);
    let start = Instant::now();
    let (code, stdout, stderr) = made.hola("class", "out", &[]);
    is_soon(start.elapsed());
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    assert!(stdout.contains("Machines: 30; runs: 30"), "{stdout}");

    let data: Value = serde_json::from_str(&made.read("out/class.json")).expect("JSON");
    let claims = data["claims"].as_array().expect("claims");
    let quantities = claims
        .iter()
        .flat_map(|claim| claim["quantities"].as_array().expect("some"));
    let is_fork = |one: &&Value| {
        one["what"]
            .as_str()
            .is_some_and(|what| what.ends_with(FORK))
    };
    let fork = quantities.clone().find(is_fork).expect("a quantity");
    let found = &fork["random_effects"];
    let number = |value: &Value| value.as_f64().expect("a number");
    let logs = fork["values"].as_array().expect("values").iter();
    let logs: Vec<f64> = logs.map(|value| number(&value["value"]).ln()).collect();
    let truth = logs.iter().sum::<f64>() / logs.len() as f64;
    let [low, high] = [0, 1].map(|end| number(&found["interval"][end]).ln());
    assert!(low < truth && truth < high, "{fork:#}");
    assert!((number(&found["tau"]) - SPREAD).abs() < 0.03, "{fork:#}");
    let [lowest, highest] = [0, 1].map(|end| number(&found["prediction"][end]).ln());
    assert!(lowest < low && high < highest, "{fork:#}");
    // Microseconds of several machines have no mean.
    for one in quantities {
        let what = one["what"].as_str().expect("text");
        let is_ratio = what.contains(" against ");
        assert!(is_ratio || one["random_effects"].is_null(), "{what}");
    }
}

#[test]
fn a_class_has_a_page_in_both_languages_markdown_and_data_with_the_same_votes() {
    let made = Made::new(4, 1);
    let (_, stdout, _) = made.hola("class", "out", &["--lang=es"]);
    assert!(stdout.contains("Máquinas: 4; ejecuciones: 4"), "{stdout}");
    let page = made.read("out/class.html");
    assert!(page.contains("<main lang=\"en\">") && page.contains("<main lang=\"es\">"));
    assert!(!page.contains("://"), "an address of something remote");
    let anchors: BTreeSet<&str> = quoted(&page, " id=\"").into_iter().collect();
    for target in quoted(&page, "href=\"#") {
        assert!(anchors.contains(target), "{target}");
    }
    for (name, machines, holds) in [
        ("class.md", "## Machines", "holds on 4 of 4"),
        ("class.es.md", "## Máquinas", "se cumple en 4 de 4"),
    ] {
        let text = made.read(&format!("out/{name}"));
        assert!(text.contains(machines) && text.contains(holds), "{text}");
        assert!(text.contains("student-03"), "{text}");
    }
}

#[test]
fn the_data_of_a_class_keep_to_their_published_schema_and_broken_ones_are_refused() {
    let validator = validator("class.json");
    for machines in [1, 4] {
        let made = Made::new(machines, 1);
        made.hola("class", "out", &[]);
        let data = accepted(&validator, &made.read("out/class.json"));
        assert_eq!(data["claims"].as_array().map(Vec::len), Some(CLAIMS.len()));
        let mut claims = data["claims"].as_array().expect("claims").iter();
        let decided = claims.position(|claim| claim["votes"][0]["rests_on"][0].is_object());
        let vote = format!(
            "/claims/{}/votes/0",
            decided.expect("a claim with evidence")
        );
        let at = |key: &str| format!("{vote}/{key}");
        let lacking = [
            "/machines/0/id".to_owned(),
            at("run"),
            at("rests_on/0/interval"),
        ];
        let changed = [
            ("/machines/0/cpus".to_owned(), json!("many")),
            ("/machines/0/runs/0/profile".to_owned(), json!("long")),
            (at("verdict"), json!("true")),
            (at("rests_on/0/interval"), json!([1.0])),
            (at("rests_on/0/value"), Value::Null),
        ];
        let lacking = lacking.each_ref().map(String::as_str);
        let changed = changed
            .each_ref()
            .map(|(at, value)| (at.as_str(), value.clone()));
        for (how, record) in broken(&data, &lacking, &changed) {
            assert!(!validator.is_valid(&record), "{how}");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_read_is_named_and_left_out() {
    let mut made = Made::new(3, 1);
    fs::write(made.runs[1].join("run.json"), "nonsense").expect("written");
    made.runs.push(made.path("nowhere"));
    let (code, stdout, stderr) = made.hola("class", "out", &[]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(
        stdout.contains("could not be read: 2 folders") && stdout.contains("runs: 2"),
        "{stdout}"
    );
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines.len(), 2, "{stderr}");
    assert!(
        lines[0].contains("student-01") && lines[1].contains("nowhere"),
        "{stderr}"
    );
    // Without any run there is no page.
    let [output, nowhere] = ["none", "nowhere"].map(|name| made.path(name).display().to_string());
    let stderr = refused(1, &["class", &nowhere, "--output", &output]);
    assert!(stderr.contains("none of the folders is a run"), "{stderr}");
    assert!(!made.path("none").exists());
    refused(2, &["class", "--output", &output]);
}

#[test]
fn pseudonyms_say_no_name_and_stay_when_folders_are_renamed() {
    let mut made = Made::new(3, 1);
    made.hola("class", "out", &["--pseudonyms"]);
    let files = files_below(&made.path("out"));
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        assert!(
            !text.contains("student") && !text.contains("101502"),
            "{name:?}"
        );
    }
    let (old, new) = (made.path("student-00"), made.path("another"));
    fs::rename(&old, &new).expect("renamed");
    made.runs[0] = new.join(made.runs[0].file_name().expect("a name"));
    made.hola("class", "again", &["--pseudonyms"]);
    assert!(files == files_below(&made.path("again")));
}

#[test]
fn machines_of_the_same_make_are_told_apart_by_their_folders() {
    let (run, blocks) = stored_run();
    let mut made = Made::new(0, 0);
    for name in ["ana/1", "ana/2", "luis/1"] {
        let mut run = run.clone();
        run.seed += made.runs.len() as u64;
        let path = made.path(name);
        write(&path, &run, &blocks);
        made.runs.push(path);
    }
    for (by, machines) in [("hardware", 1), ("folder", 2)] {
        let (_, stdout, _) = made.hola("class", "out", &["--machines", by]);
        assert!(
            stdout.contains(&format!("Machines: {machines}; runs: 3")),
            "{by}: {stdout}"
        );
    }
}

#[test]
fn a_site_of_fifty_runs_is_written_soon_and_its_links_lead_somewhere() {
    let made = Made::new(SITE_MACHINES, 2);
    let start = Instant::now();
    let (code, stdout, stderr) = made.hola("site", "out", &[]);
    is_soon(start.elapsed());
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");

    let index = made.read("out/index.html");
    assert!(!index.contains("://"), "an address of something remote");
    let anchors: BTreeSet<&str> = quoted(&index, " id=\"").into_iter().collect();
    let mut pages = BTreeSet::new();
    for link in quoted(&index, "href=\"") {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        assert!(
            !file.starts_with('/') && made.path("out").join(file).is_file() || file.is_empty(),
            "{link}"
        );
        if file.is_empty() {
            assert!(anchors.contains(anchor), "{link}");
        } else if file.ends_with("report.html") && pages.insert(link) {
            let page = made.read(&format!("out/{file}"));
            let is_there = page.contains(&format!(" id=\"{anchor}\""));
            assert!(is_there || anchor.is_empty(), "{link}");
            assert!(page.contains("href=\"../../index.html\""), "{link}");
        }
    }
    let files: BTreeSet<&str> = pages
        .iter()
        .filter_map(|link| link.split('#').next())
        .collect();
    assert_eq!(files.len(), 2 * SITE_MACHINES);
    assert!(pages.len() > 10 * files.len(), "{}", pages.len());
    // Times of `fork` grew in each second run.
    let feed = made.read("out/feed.xml");
    assert_eq!(feed.matches("<entry>").count(), SITE_MACHINES, "{feed}");
    assert!(
        feed.contains("<updated>2026-11-02T10:15:02Z</updated>"),
        "{feed}"
    );
    let is_told =
        |line: &str| line.starts_with("slower · spawn") && line.contains("fork-per-client");
    assert_eq!(
        feed.lines().filter(|line| is_told(line)).count(),
        SITE_MACHINES,
        "{feed}"
    );
    for link in quoted(&feed, "href=\"index.html#") {
        assert!(anchors.contains(link), "{link}");
    }
    let ids: BTreeSet<&str> = feed.split("<id>").skip(1).collect();
    assert_eq!(
        ids.len(),
        SITE_MACHINES + 1,
        "each has a name of its own: {feed}"
    );
}

#[test]
fn the_same_runs_give_the_same_site_and_a_new_one_keeps_every_address() {
    let mut made = Made::new(2, 2);
    made.hola("site", "out", &[]);
    let files = files_below(&made.path("out"));
    made.runs.reverse();
    made.hola("site", "again", &[]);
    assert!(files == files_below(&made.path("again")));

    let anchors = |site: &str| -> BTreeSet<String> {
        let index = made.read(&format!("{site}/index.html"));
        let anchors = quoted(&index, " id=\"").into_iter();
        anchors.map(str::to_owned).collect()
    };
    let before = anchors("out");
    let more = Made::new(2, 3);
    let (code, _, stderr) = more.hola("site", "out", &[]);
    assert_eq!(code, Some(0), "{stderr}");
    let after = {
        let index = more.read("out/index.html");
        let anchors = quoted(&index, " id=\"").into_iter();
        anchors.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert!(after.is_superset(&before) && after.len() > before.len());
    for (name, _) in files {
        assert!(more.path("out").join(&name).is_file(), "{name:?}");
    }
}

#[test]
fn badges_tell_the_verdict_and_its_interval() {
    for (machines, word) in [
        (1, "holds · "),
        (2, "holds on 2 of 2 · ["),
        (3, "holds on 3 of 3 · "),
    ] {
        let made = Made::new(machines, 1);
        made.hola("site", "out", &[]);
        let badge = made.read("out/badges/fork-vs-thread.svg");
        assert!(
            badge.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""),
            "{badge}"
        );
        let told = format!("fork-vs-thread: {word}");
        assert!(
            badge.contains(&told) && badge.contains("]</title>"),
            "{badge}"
        );
        let spanish = made.read("out/badges/fork-vs-thread.es.svg");
        assert!(spanish.contains("se cumple"), "{spanish}");
    }
    let made = Made::new(1, 1);
    made.hola("site", "out", &[]);
    let unmeasured = made.read("out/badges/one-node-process.svg");
    assert!(unmeasured.contains("not measured here"), "{unmeasured}");
    let help = printed(&["site", "--help"]);
    assert!(help.contains("Examples:"), "{help}");
}
