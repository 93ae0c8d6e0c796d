//! Checks that a published package has what it is built from.

use std::fs;
use std::process::Command;

use super::path_of;

/// The crates that are published, by the folder of each.
const PUBLISHED: [(&str, &str); 7] = [
    ("hola", "."),
    ("hola-base", "base"),
    ("hola-lab", "lab"),
    ("hola-loadgen", "loadgen"),
    ("hola-report", "report"),
    ("hola-servers", "servers"),
    ("hola-verdict", "verdict"),
];

/// Folders that no package has: what is in them reads the whole source tree.
const NOT_PUBLISHED: [&str; 3] = ["benches", "examples", "tests"];

/// Names in the top folder of a package, each once.
fn top_names(package: &str) -> Vec<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["package", "--list", "--allow-dirty", "--offline"]);
    let output = cargo.args(["--package", package]).output().expect("cargo");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{package}: {stderr}");
    let listed = String::from_utf8(output.stdout).expect("text");
    let names = listed.lines().filter_map(|line| line.split('/').next());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.dedup();
    names
}

#[test]
fn packages_have_all_that_they_are_built_from_and_their_licences() {
    for (package, folder) in PUBLISHED {
        let packaged = top_names(package);
        for name in [
            "Cargo.toml",
            "README.md",
            "LICENSE-APACHE",
            "LICENSE-MIT",
            "src",
        ] {
            assert!(
                packaged.iter().any(|packaged| packaged == name),
                "{package}: {name}"
            );
        }
        for name in NOT_PUBLISHED
            .into_iter()
            .chain(["docs", "results", "scripts"])
        {
            assert!(
                packaged.iter().all(|packaged| packaged != name),
                "{package}: {name}"
            );
        }
        // The folder of the program is also that of the workspace.
        if folder == "." {
            assert!(packaged.iter().any(|name| name == "build.rs"));
            continue;
        }
        for entry in fs::read_dir(path_of(folder)).expect("a folder").flatten() {
            let name = entry.file_name().into_string().expect("text");
            let is_known = packaged.contains(&name) || NOT_PUBLISHED.contains(&&*name);
            assert!(is_known, "{package}: {name} is not in `include`");
        }
    }
}
