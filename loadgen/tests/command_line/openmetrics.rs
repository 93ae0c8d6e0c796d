//! Results as OpenMetrics text, read by a strict parser of the test and by Prometheus's own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use crate::truth::Truth;
use crate::{flawed, greeter, load, run};

/// Values of all samples, by name and sorted labels as they are written. Panics on what OpenMetrics 1.0 does not allow.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let body = text.strip_suffix("# EOF\n").expect("the end is marked");
    let (mut families, mut samples) = (BTreeSet::new(), BTreeMap::new());
    let (mut family, mut kind) = (String::new(), String::new());
    for line in body.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        match words[..] {
            ["#", "TYPE", name, of_kind] => {
                assert!(families.insert(name.to_owned()), "{line}: its second time");
                assert!(is_name(name), "{line}");
                (family, kind) = (name.to_owned(), of_kind.to_owned());
            }
            ["#", "UNIT", name, unit] => {
                let has_unit = name.ends_with(&format!("_{unit}"));
                assert!(name == family && has_unit, "{line}");
            }
            ["#", "HELP", name, help] => assert!(name == family && !help.is_empty(), "{line}"),
            _ => {
                let (name, labels, value) = sample(line);
                let suffixes: &[&str] = match &*kind {
                    "counter" => &["_total"],
                    "gauge" => &[""],
                    "summary" if labels.contains_key("quantile") => &[""],
                    "summary" => &["_count", "_sum"],
                    _ => panic!("{line}: of kind {kind}"),
                };
                let suffix = name
                    .strip_prefix(&*family)
                    .unwrap_or_else(|| panic!("{line}"));
                assert!(suffixes.contains(&suffix), "{line}");
                assert!(kind != "counter" || value >= 0.0, "{line}");
                let key = format!("{name}{labels:?}");
                assert_eq!(samples.insert(key, value), None, "{line}: its second time");
            }
        }
    }
    samples
}

fn is_name(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
        && name.starts_with("hola_load_")
}

/// Name, labels and value of a sample.
fn sample(line: &str) -> (&str, BTreeMap<String, String>, f64) {
    let (name, mut rest) = line.split_once('{').expect("it has labels");
    let mut labels = BTreeMap::new();
    loop {
        let (label, quoted) = rest.split_once('=').expect(line);
        // The value of a label is a string of JSON, with three escapes alone.
        let mut values = serde_json::Deserializer::from_str(quoted).into_iter::<String>();
        let value = values.next().expect(line).expect(line);
        let (written, after) = quoted.split_at(values.byte_offset());
        let escaped = value.replace('\\', r"\\").replace('"', "\\\"");
        let escaped = escaped.replace('\n', r"\n");
        assert_eq!(written, format!("\"{escaped}\""), "{line}");
        assert_eq!(labels.insert(label.to_owned(), value), None, "{line}");
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => {
                let value = after.strip_prefix("} ").expect(line);
                return (name, labels, value.parse().expect(line));
            }
        }
    }
}

/// The only sample whose name and labels contain all of `parts`.
fn value(samples: &BTreeMap<String, f64>, parts: &[&str]) -> f64 {
    let found: Vec<_> = samples
        .iter()
        .filter(|(key, _)| parts.iter().all(|part| key.contains(part)))
        .collect();
    assert_eq!(found.len(), 1, "{parts:?}: {samples:#?}");
    *found[0].1
}

/// What a load on `server` prints.
fn exposition(server: &Truth, arguments: &str) -> String {
    let arguments = format!("{arguments} --format=openmetrics");
    run(load(server, &arguments)).exits_with(0).stdout
}

#[test]
#[allow(clippy::float_cmp, reason = "counts are exact")]
fn metrics_are_those_of_the_summary_in_base_units() {
    let samples = parse(&exposition(&flawed(20), "--clients=3 --requests=2000"));
    assert_eq!(value(&samples, &["requests_planned_total"]), 2000.0);
    let right = ["requests_ok_total", "\"clients\": \"3\""];
    assert_eq!(value(&samples, &right), 1900.0);
    let failed = ["requests_failed_total", "closed_early", "before_first_byte"];
    assert_eq!(value(&samples, &failed), 100.0);
    assert_eq!(value(&samples, &["response_seconds_count"]), 2000.0);
    let p99 = value(&samples, &["_response_seconds", "\"quantile\": \"0.99\""]);
    assert!((1e-6..10.0).contains(&p99), "{p99}");
    let mean = value(&samples, &["response_seconds_sum"]) / 2000.0;
    assert!((1e-6..10.0).contains(&mean), "{mean}");
    assert_eq!(value(&samples, &["check_passed", "identity"]), 1.0);
}

#[test]
#[allow(clippy::float_cmp, reason = "counts are exact")]
fn several_loads_a_search_and_urls_are_told_apart_by_labels() {
    let server = greeter();
    let samples = parse(&exposition(&server, "--clients=2,2 --requests=40"));
    for load in ["\"load\": \"1\"", "\"load\": \"2\""] {
        assert_eq!(value(&samples, &["requests_ok_total", load]), 40.0);
    }
    let search = "--find-max --slo=rate<150 --rate=400 --arrivals=constant --requests=40";
    parse(&exposition(&server, search));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("urls.txt");
    fs::write(&file, "/\"a\\b\"\n/\"a\\b\"\n").unwrap();
    let arguments = format!("--urls={} --requests=60", file.display());
    let samples = parse(&exposition(&server, &arguments));
    let counts = ["\"1\"", "\"2\""].map(|number| {
        let number = format!("\"number\": {number}");
        value(&samples, &["url_response_seconds_count", &number])
    });
    assert_eq!(counts[0] + counts[1], 60.0);
}

/// What Prometheus's own program says of `text`; `None` if it is not installed.
fn promtool(arguments: &[&str], text: &str) -> Option<Output> {
    let mut command = Command::new("promtool");
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            println!("skipped: promtool: {error}");
            return None;
        }
    };
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    Some(child.wait_with_output().unwrap())
}

#[test]
fn prometheus_reads_every_sample_and_has_nothing_to_say_against_the_names() {
    let text = exposition(&flawed(20), "--clients=3 --requests=2000");
    // Its linter reads the older format, in which a counter has its whole name everywhere.
    let mut older = text.clone();
    for line in text.lines().filter(|line| line.ends_with(" counter")) {
        let name = line.split(' ').nth(2).unwrap();
        for begin in ["# TYPE", "# HELP"] {
            let [short, whole] = ["", "_total"].map(|end| format!("{begin} {name}{end} "));
            older = older.replace(&short, &whole);
        }
    }
    let Some(lint) = promtool(&["check", "metrics"], &older) else {
        return;
    };
    assert!(lint.status.success(), "{lint:?}");
    // Its parser of OpenMetrics wants a time with each sample.
    let with_time = |line: &str| match line.starts_with('#') {
        true => format!("{line}\n"),
        false => format!("{line} 1700000000\n"),
    };
    let timed: String = text.lines().map(with_time).collect();
    let folder = tempfile::tempdir().unwrap();
    let [file, blocks] = ["load.om", "blocks"].map(|name| folder.path().join(name));
    fs::write(&file, timed).unwrap();
    let arguments = ["tsdb", "create-blocks-from", "openmetrics"];
    let paths = [file.to_str().unwrap(), blocks.to_str().unwrap()];
    let made = promtool(&[&arguments[..], &paths].concat(), "").unwrap();
    assert!(made.status.success(), "{made:?}");
    assert!(fs::read_dir(&blocks).unwrap().count() > 0, "{made:?}");
}
