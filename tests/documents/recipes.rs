//! Whatever the recipes of CONTRIBUTING.md would add is in the source exactly where they put it, and nowhere else.

use std::fs;

use hola_lab::experiments::EXPERIMENTS;
use hola_lab::metric::Metric;
use hola_servers::models::MODELS;

use crate::{path_of, read};

#[test]
fn models_and_experiments_are_one_file_and_two_lines_each() {
    for (folder, constant, shared, count) in [
        ("servers/src/models", "MODEL", &["mod"][..], MODELS.len()),
        (
            "lab/src/experiments",
            "EXPERIMENT",
            &["mod", "roster"],
            EXPERIMENTS.len(),
        ),
    ] {
        let table = read(&format!("{folder}/mod.rs"));
        let mut files = 0;
        for file in fs::read_dir(path_of(folder)).expect("a folder").flatten() {
            let path = file.path();
            let name = path.file_stem().and_then(|name| name.to_str());
            let name = name.expect("a name");
            if shared.contains(&name) {
                continue;
            }
            for line in [format!("mod {name};"), format!("{name}::{constant},")] {
                let lines = table.lines().filter(|one| one.trim() == line);
                assert_eq!(lines.count(), 1, "{folder}/mod.rs: {line}");
            }
            files += 1;
        }
        assert_eq!(files, count, "{folder}");
    }
}

#[test]
fn a_metric_is_one_line_of_its_table() {
    let table = read("lab/src/record/metric.rs");
    for metric in Metric::ALL {
        let name = format!("\"{}\"", metric.name());
        let lines: Vec<&str> = table.lines().filter(|line| line.contains(&name)).collect();
        let [line] = lines[..] else {
            panic!("{name}: {lines:?}");
        };
        let title = metric.definition().title;
        assert!(line.contains(title.en) && line.contains(title.es), "{line}");
    }
}
