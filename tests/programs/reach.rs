//! The scripts of `scripts/reach` that need nothing but this machine, with small numbers.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::HOLA;

/// Runs a script, which must succeed and installs nothing. Returns what it printed, or `None` with the reason printed where
/// something that it needs is missing.
fn script(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/reach");
    let mut command = Command::new(folder.join(name));
    command.args(arguments).env("HOLA", HOLA);
    command
        .env("NO_INSTALL", "1")
        .envs(environment.iter().copied());
    let output = command.output().expect("bash is there");
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{name}: {stdout}{stderr}");
    if stdout.starts_with("skipped: ") {
        println!("{name}: {stdout}");
        return None;
    }
    Some(stdout.into_owned())
}

#[test]
fn the_manifests_of_kubernetes_are_whole_and_their_pods_make_one_load() {
    let Some(printed) = script("indexed-job", &[], &[]) else {
        return;
    };
    for words in ["good/s", "four ranks made one load"] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
}

#[test]
fn a_comparison_on_each_machine_is_put_together_by_claims() {
    let folder = tempfile::tempdir().expect("a folder");
    let class = folder.path().join("class");
    let class = class.to_str().expect("text");
    let comparison = [
        "--experiments=spawn",
        "--models=fork-per-client",
        "--blocks=3",
    ];
    let arguments = [&["parallel", "2", class], &comparison[..]].concat();
    let Some(printed) = script("machines", &arguments, &[]) else {
        return;
    };
    for words in ["Machines: 2; runs: 2.", " on 2 of 2"] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    let data = fs::read_to_string(Path::new(class).join("class/class.json")).expect("data");
    let data: Value = serde_json::from_str(&data).expect("JSON");
    let machines = data["machines"].as_array().expect("machines").iter();
    let names: Vec<&str> = machines
        .filter_map(|machine| machine["name"].as_str())
        .collect();
    assert!(
        names.len() == 2 && names[0].ends_with("-1") && names[1].ends_with("-2"),
        "each after its host and its index: {names:?}"
    );
}

#[test]
fn more_and_more_idle_clients_are_held_on_several_servers_and_their_memory_is_told() {
    // Other tests are at work: how long a fresh client waits is not judged here.
    let small = [
        ("PER_SERVER", "100"),
        ("STEPS", "2"),
        ("HOLD_S", "2"),
        ("FRESH_MS_MAX", "10000"),
    ];
    let Some(printed) = script("hundred-thousand", &["epoll-per-core", "tokio"], &small) else {
        return;
    };
    // Clients; memory of servers, kernel and machine for one of them; the wait of a fresh one.
    let rows = printed.lines().filter_map(|line| {
        let words = line.split_whitespace().map(str::parse::<f64>);
        words.collect::<Result<Vec<f64>, _>>().ok()
    });
    let rows: Vec<Vec<f64>> = rows.collect();
    let clients: Vec<f64> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(clients, [200.0, 400.0, 200.0, 400.0], "{printed}");
    for row in rows {
        assert!(row.len() == 5 && row[4] > 0.0, "{printed}");
    }
}
