//! The documents say what the code and the stored results say. `HOLA_BLESS=1 cargo test --test documents` rewrites the
//! generated blocks; every other run compares them.

mod baselines;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hola::lab::store;
use hola::language::Language;
use hola::report::{PICTURE, Reports};
use hola_servers::models::MODELS;
use serde_json::Value;

/// The document, the ending of its picture's name, its language.
const READMES: [(&str, &str, Language); 2] = [
    ("README.md", "", Language::English),
    ("README.es.md", ".es", Language::Spanish),
];

fn path_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path_of(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Compares the block between `<!-- NAME -->` and `<!-- /NAME -->` with what it should be.
fn check_block(document: &str, name: &str, expected: &str) {
    let text = read(document);
    let (opening, closing) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let start = text
        .find(&opening)
        .unwrap_or_else(|| panic!("{document} has no {opening}"))
        + opening.len();
    let end = start
        + text[start..]
            .find(&closing)
            .unwrap_or_else(|| panic!("{document} has no {closing}"));
    if std::env::var_os("HOLA_BLESS").is_some() {
        let blessed = format!("{}{expected}{}", &text[..start], &text[end..]);
        fs::write(path_of(document), blessed).expect("written");
        return;
    }
    assert_eq!(
        &text[start..end],
        expected,
        "{document}, block {name}: HOLA_BLESS=1 rewrites it"
    );
}

/// The newest run of a profile that is kept with the source.
fn committed_run(profile: &str) -> PathBuf {
    let runs = fs::read_dir(path_of("results"))
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path());
    let committed = |run: &PathBuf| {
        let mut git = Command::new("git");
        git.arg("-C")
            .arg(env!("CARGO_MANIFEST_DIR"))
            .arg("ls-files")
            .arg(run);
        // Where there is no git, there is nothing but what was released.
        git.output().map_or(true, |output| {
            !output.status.success() || !output.stdout.is_empty()
        })
    };
    let suffix = format!("-{profile}");
    let newest = runs
        .filter(|run| run.to_string_lossy().ends_with(&suffix))
        .filter(committed)
        .max();
    newest.unwrap_or_else(|| panic!("no {profile} run under results/"))
}

#[test]
fn the_readme_answers_with_the_committed_run() {
    let (run, trials) = store::read(&committed_run("full")).expect("a run");
    assert_eq!(
        run.environment.dirty,
        Some(false),
        "the run names the commit it was made by"
    );
    let reports = Reports::of(&run, &trials);
    for (document, suffix, language) in READMES {
        let picture = format!("results/{}/{PICTURE}{suffix}.svg", run.name);
        assert!(path_of(&picture).exists(), "{picture}");
        let answer = reports.readme(&picture, language);
        let block = format!("\n{}\n\n", answer.trim_end());
        check_block(document, "answer", &block);
    }
}

#[test]
fn the_committed_reports_are_those_of_the_committed_data() {
    let folder = committed_run("quick");
    let (run, trials) = store::read(&folder).expect("a run");
    let files = Reports::of(&run, &trials).files();
    // Interval logs are not kept with the source: they are trials.jsonl once more.
    for (name, text) in files.iter().filter(|(name, _)| !name.starts_with("hlog/")) {
        let stored = fs::read_to_string(folder.join(name)).expect("a report");
        assert!(&stored == text, "{name}: hola report rebuilds it");
    }
}

#[test]
fn the_readme_lists_the_models() {
    let mut tables = [
        "| model | who runs a conversation | a client costs | served at once |",
        "| modelo | quién lleva una conversación | un cliente cuesta | atendidos a la vez |",
    ]
    .map(|head| format!("\n{head}\n| --- | --- | --- | --- |\n"));
    for model in MODELS {
        let (attention, capacity) = (model.attention.to_string(), model.capacity.to_string());
        let words = [
            [model.summary.en, &attention, &capacity],
            [
                model.summary.es,
                in_spanish(&attention),
                in_spanish(&capacity),
            ],
        ];
        for (table, [summary, attention, capacity]) in tables.iter_mut().zip(words) {
            let _ = writeln!(
                table,
                "| [`{0}`](servers/src/models/{1}.rs) | {summary} | {attention} | {capacity} |",
                model.name,
                model.name.replace('-', "_"),
            );
        }
        assert!(
            path_of(&format!(
                "servers/src/models/{}.rs",
                model.name.replace('-', "_")
            ))
            .exists(),
            "{}",
            model.name
        );
    }
    for ((document, ..), table) in READMES.into_iter().zip(tables) {
        check_block(document, "models", &(table + "\n"));
    }
}

/// What the table of models says of a client's cost and of how many are served at once.
fn in_spanish(text: &str) -> &str {
    match text {
        "nothing" => "nada",
        "task" => "una tarea",
        "thread" => "un hilo",
        "process" => "un proceso",
        "one" => "uno",
        "as many as workers" => "tantos como trabajadores",
        "unbounded, capped" => "sin límite propio, con tope",
        other => panic!("no Spanish for {other}"),
    }
}

/// Every command of one is in the other.
#[test]
fn both_readmes_show_the_same_commands() {
    let commands = |document: &str| -> Vec<String> {
        let text = read(document);
        let lines = text.lines().filter(|line| line.starts_with("hola "));
        let bare = lines.map(|line| line.split(" # ").next().unwrap_or(line).trim());
        // Spanish readers ask for Spanish.
        bare.map(|line| line.replace(" --lang es", ""))
            .filter(|line| !line.contains("--format"))
            .collect()
    };
    assert_eq!(commands("README.md"), commands("README.es.md"));
}

#[test]
fn the_methodology_quotes_the_stored_baselines() {
    for (name, table) in [
        ("servers", baselines::servers as fn(&Value) -> String),
        ("generators", baselines::generators),
        ("proof", baselines::proof),
        ("reference", baselines::reference),
        ("idle", baselines::idle),
        ("confounders", baselines::confounders),
        ("syscalls", baselines::syscalls),
    ] {
        let stored = read(&format!("results/baselines/{name}.json"));
        let stored = serde_json::from_str(&stored).expect("JSON");
        check_block("METHODOLOGY.md", name, &format!("\n{}\n", table(&stored)));
    }
}

#[test]
fn the_readme_shows_the_two_commands() {
    for (document, ..) in READMES {
        let readme = read(document);
        assert!(readme.contains("cargo bench\n") && readme.contains("cargo test\n"));
    }
}

/// A model decides who runs a conversation and nothing else: what its page may not hold, it does not.
#[test]
fn model_pages_parse_nothing_judge_nothing_print_nothing() {
    const FORBIDDEN: &[&str] = &[
        "Errno",
        "ErrorKind",
        "raw_os_error",
        "print",
        "std::env",
        "unsafe",
        "HTTP",
        "u8]",
        "if model",
    ];
    const HEAD: &[&str] = &[
        "**Idea.**",
        "```text",
        "**Cost per client.**",
        "**Fails when**",
    ];
    let pages = fs::read_dir(path_of("servers/src/models"))
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path());
    let mut count = 0;
    for page in pages.filter(|page| !page.ends_with("mod.rs")) {
        let text = fs::read_to_string(&page).expect("text");
        let (head, code): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.starts_with("//!"));
        let (head, code) = (head.join("\n"), code.join("\n"));
        for word in FORBIDDEN {
            assert!(!code.contains(word), "{}: {word}", page.display());
        }
        let places: Vec<_> = HEAD.iter().map(|part| head.find(part)).collect();
        assert!(
            places.iter().all(Option::is_some) && places.is_sorted(),
            "{}: the four parts",
            page.display()
        );
        let code_lines = code
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//"));
        assert!(
            code_lines.count() <= 60,
            "{} does not fit on a screen",
            page.display()
        );
        count += 1;
    }
    assert_eq!(count, MODELS.len());
}

#[test]
fn servers_and_load_generator_do_not_know_each_other() {
    for (manifest, others) in [
        ("servers/Cargo.toml", "loadgen"),
        ("loadgen/Cargo.toml", "servers"),
    ] {
        assert!(
            !read(manifest).contains(&format!("hola-{others}")),
            "{manifest}"
        );
    }
}
