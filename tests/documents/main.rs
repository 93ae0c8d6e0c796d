//! Checks that the documents agree with the code and the stored results, and keep to their length. `HOLA_BLESS=1 cargo
//! test --test documents` rewrites the generated blocks; every other run compares them.

mod baselines;
mod examples;
mod lessons;
mod packages;
mod recipes;
mod replay;
mod structure;
mod text;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hola_base::Language;
use hola_lab::plan::Profile;
use hola_lab::record::{Block, Run, RunStatus};
use hola_lab::store;
use hola_servers::models::{MODELS, Model, classics_and_moderns};
use serde_json::Value;

/// A README with an answer: the picture of the answer, and the text while no run is stored.
struct Readme {
    name: &'static str,
    language: Language,
    picture: &'static str,
    no_answer: &'static str,
}

const READMES: [Readme; 2] = [
    Readme {
        name: "README.md",
        language: Language::English,
        picture: "answer.svg",
        no_answer: "No full run of this version is stored yet. `hola compare --profile full` makes one.",
    },
    Readme {
        name: "README.es.md",
        language: Language::Spanish,
        picture: "answer.es.svg",
        no_answer: "Todavía no se guarda ninguna ejecución completa de esta versión. `hola compare --profile full` hace una.",
    },
];

/// Every document, and the most words it may have outside its generated blocks, if it has a limit.
const DOCUMENTS: [(&str, Option<usize>); 14] = [
    ("README.md", Some(900)),
    ("README.es.md", Some(900)),
    ("ARCHITECTURE.md", Some(1_500)),
    ("METHODOLOGY.md", Some(3_000)),
    ("CONTRIBUTING.md", None),
    ("CHANGELOG.md", None),
    ("docs/decisions.md", None),
    ("docs/load.md", Some(800)),
    ("docs/load.es.md", Some(900)),
    ("docs/models.md", Some(300)),
    ("docs/models.es.md", Some(300)),
    ("docs/pull-requests.md", None),
    ("docs/reach.md", None),
    ("results/README.md", None),
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
    let missing = || -> ! { panic!("{document} has no {opening} or no {closing}") };
    let (before, rest) = text.split_once(&opening).unwrap_or_else(|| missing());
    let (block, after) = rest.split_once(&closing).unwrap_or_else(|| missing());
    if std::env::var_os("HOLA_BLESS").is_some() {
        let blessed = format!("{before}{opening}{expected}{closing}{after}");
        fs::write(path_of(document), blessed).expect("written");
        return;
    }
    assert_eq!(
        block, expected,
        "{document}, block {name}: HOLA_BLESS=1 rewrites it"
    );
}

/// A run that is committed with the source, and its folder.
struct StoredRun {
    folder: PathBuf,
    run: Run,
    blocks: Vec<Block>,
}

/// Every run that is committed with the source, the newest last. A run that cannot be read, for example one of another
/// schema, is an error.
fn stored_runs() -> Vec<StoredRun> {
    let is_kept = |folder: &PathBuf| {
        let mut git = Command::new("git");
        git.args(["-C", env!("CARGO_MANIFEST_DIR"), "ls-files"]);
        // Without git, this is a release, in which all runs are kept.
        git.arg(folder).output().map_or(true, |output| {
            !output.status.success() || !output.stdout.is_empty()
        })
    };
    let entries = fs::read_dir(path_of("results")).expect("a folder");
    let folders = entries.flatten().map(|entry| entry.path());
    let mut folders: Vec<PathBuf> = folders
        // The folder of the schemas also has a `run.json`.
        .filter(|folder| !folder.ends_with("schema") && folder.join("run.json").exists())
        .filter(is_kept)
        .collect();
    folders.sort();
    if folders.is_empty() {
        println!("skipped: no run is kept under results/ yet");
    }
    let read = |folder: PathBuf| {
        let (run, blocks) = store::read(&folder).unwrap_or_else(|error| panic!("{error:#}"));
        StoredRun {
            folder,
            run,
            blocks,
        }
    };
    folders.into_iter().map(read).collect()
}

fn newest_full(runs: &[StoredRun]) -> Option<&StoredRun> {
    let is_full = |stored: &&StoredRun| stored.run.profile == Profile::Full;
    runs.iter().rfind(is_full)
}

#[test]
fn the_readme_answers_with_the_committed_run() {
    let runs = stored_runs();
    let check = |readme: &Readme, answer: &str| {
        check_block(
            readme.name,
            "answer",
            &format!("\n{}\n\n", answer.trim_end()),
        );
    };
    if runs.is_empty() {
        return READMES
            .iter()
            .for_each(|readme| check(readme, readme.no_answer));
    }
    let full = newest_full(&runs).expect("a full run under results/, for the answer");
    let environment = &full.run.environment;
    let made = (full.run.status, &*environment.build, environment.dirty);
    assert_eq!(
        made,
        (RunStatus::Complete, "release", Some(false)),
        "the run is whole, of an optimised build, and names the commit it was made by"
    );
    for readme in READMES {
        let picture = format!("results/{}/{}", full.run.name, readme.picture);
        assert!(path_of(&picture).exists(), "{picture}");
        let answer = hola_report::readme(&full.run, &full.blocks, readme.language, &picture);
        check(&readme, &answer);
    }
}

#[test]
fn the_committed_reports_are_those_of_the_committed_data() {
    for stored in stored_runs() {
        for (name, text) in hola_report::files(&stored.run, &stored.blocks) {
            let path = stored.folder.join(&name);
            let path = path.display();
            let kept = fs::read_to_string(stored.folder.join(&name));
            let kept = kept.unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(kept == text, "{path}: `hola report` rebuilds it");
        }
    }
}

#[test]
fn the_readme_lists_the_models() {
    let (classics, moderns) = classics_and_moderns();
    let mut tables = [String::new(), String::new()];
    for (models, titles) in [
        (classics, ["The classics", "Los clásicos"]),
        (moderns, ["The moderns", "Los modernos"]),
    ] {
        list_models(models, titles, &mut tables);
    }
    for (readme, table) in READMES.into_iter().zip(tables) {
        check_block(readme.name, "models", &(table + "\n"));
    }
}

/// Adds a part of the table of models to the text in each language.
fn list_models(models: &[Model], titles: [&str; 2], tables: &mut [String; 2]) {
    let heads = [
        "| model | who runs a conversation | a client costs | served at once |",
        "| modelo | quién lleva una conversación | un cliente cuesta | atendidos a la vez |",
    ];
    for ((table, head), title) in tables.iter_mut().zip(heads).zip(titles) {
        let _ = writeln!(table, "\n**{title}**\n\n{head}\n| --- | --- | --- | --- |");
    }
    for model in models {
        let page = format!("servers/src/models/{}.rs", model.name.replace('-', "_"));
        assert!(path_of(&page).exists(), "{page}");
        let (attention, capacity) = (model.attention.to_string(), model.capacity.to_string());
        let words = [
            (model.summary.en, &*attention, &*capacity),
            (
                model.summary.es,
                in_spanish(&attention),
                in_spanish(&capacity),
            ),
        ];
        for (table, (summary, attention, capacity)) in tables.iter_mut().zip(words) {
            let name = model.name;
            let _ = writeln!(
                table,
                "| [`{name}`]({page}) | {summary} | {attention} | {capacity} |"
            );
        }
    }
}

#[test]
fn the_page_of_models_says_when_to_choose_which_from_the_committed_run() {
    let runs = stored_runs();
    let full = newest_full(&runs);
    let choose = MODELS.iter().map(|model| (model.name, model.choose));
    let choose: Vec<_> = choose.collect();
    for (document, language) in [
        ("docs/models.md", Language::English),
        ("docs/models.es.md", Language::Spanish),
    ] {
        let table = full.map_or(String::new(), |full| {
            hola_report::choices(&full.run, &full.blocks, language, &choose)
        });
        check_block(document, "models", &format!("\n{}\n\n", table.trim_end()));
    }
}

/// The Spanish for a client's cost and for how many are served at once, in the table of models.
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

#[test]
fn both_readmes_show_the_same_commands() {
    let commands = READMES.map(|readme| -> Vec<String> {
        let text = read(readme.name);
        assert!(text.contains("cargo bench\n") && text.contains("cargo test\n"));
        let lines = text.lines().filter(|line| line.starts_with("hola "));
        let bare = lines.map(|line| line.split(" # ").next().unwrap_or(line).trim());
        // The Spanish README asks for Spanish.
        bare.map(|line| line.replace(" --lang es", "")).collect()
    });
    assert_eq!(commands[0], commands[1]);
}

#[test]
fn the_methodology_quotes_the_stored_baselines() {
    for (name, table) in [
        ("generators", baselines::generators as fn(&Value) -> String),
        ("proof", baselines::proof),
    ] {
        let stored = read(&format!("results/baselines/{name}.json"));
        let stored = serde_json::from_str(&stored).expect("JSON");
        check_block("METHODOLOGY.md", name, &format!("\n{}\n", table(&stored)));
    }
}

/// A model's page only decides who runs a conversation: it must not contain any of these words.
#[test]
fn model_pages_parse_nothing_judge_nothing_print_nothing() {
    const FORBIDDEN: &str = "Errno|ErrorKind|raw_os_error|print|std::env|unsafe|HTTP|u8]|if model";
    const PARTS: &str = "**Idea.**|```text|**Cost per client.**|**Fails when**";
    let mut count = 0;
    for page in fs::read_dir(path_of("servers/src/models"))
        .expect("a folder")
        .flatten()
    {
        let page = page.path();
        if page.ends_with("mod.rs") {
            continue;
        }
        let text = fs::read_to_string(&page).expect("text");
        let page = page.display();
        let (head, code): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.starts_with("//!"));
        let (head, all_code) = (head.join("\n"), code.join("\n"));
        for word in FORBIDDEN.split('|') {
            assert!(!all_code.contains(word), "{page}: {word}");
        }
        let places = Vec::from_iter(PARTS.split('|').map(|part| head.find(part)));
        let has_parts = places.iter().all(Option::is_some) && places.is_sorted();
        assert!(has_parts, "{page}: the four parts");
        count += 1;
    }
    assert_eq!(count, MODELS.len());
    for model in MODELS {
        let name = format!("name: \"{}\"", model.name);
        assert!(model.page.contains(&name), "{}", model.name);
        // The description is not code.
        let fits_on_a_screen = (1..=50).contains(&model.lines_of_code());
        assert!(fits_on_a_screen, "{}", model.name);
    }
}

/// The crates in the order in which data flows, and those a crate may use: servers and generator do not know each
/// other.
#[test]
fn crates_use_only_those_before_them() {
    const CRATES: [(&str, &[&str]); 6] = [
        ("base", &[]),
        ("servers", &["base"]),
        ("loadgen", &["base"]),
        ("lab", &["base", "servers", "loadgen"]),
        ("verdict", &["base", "lab", "loadgen"]),
        ("report", &["base", "lab", "verdict", "loadgen"]),
    ];
    for (name, allowed) in CRATES {
        let manifest = read(&format!("{name}/Cargo.toml"));
        let lines = manifest
            .lines()
            .filter_map(|line| line.strip_prefix("hola-"));
        for used in lines.filter_map(|line| line.split([' ', '.', '=']).next()) {
            assert!(allowed.contains(&used), "{name} uses {used}");
        }
    }
}
