//! Folders of runs that others have made: links, pipes and control characters in them, and who may read what is written.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hola::lab::record::{Outcome, Run, Trial};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::Value;
use tempfile::TempDir;

use crate::exports::small;
use crate::rebuilt::{files, stored};

/// Longest wait for a program that may hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that has ended: exit code, stdout, stderr.
fn hola(arguments: &[&str]) -> (Option<i32>, String, String) {
    // Files and not pipes: they take all that is said while this waits.
    let [out, err] = [(); 2].map(|()| tempfile::NamedTempFile::new().expect("a file"));
    let open = |file: &tempfile::NamedTempFile| Stdio::from(file.reopen().expect("a file"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_hola"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(open(&out))
        .stderr(open(&err))
        .spawn()
        .expect("the program runs");
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().expect("a child");
            child.wait().expect("a child");
            panic!("hola {arguments:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let text = |mut file: tempfile::NamedTempFile| {
        let mut text = String::new();
        file.read_to_string(&mut text).expect("text");
        text
    };
    (status.code(), text(out), text(err))
}

fn report(folder: &Path) -> (Option<i32>, String) {
    let (code, _, stderr) = hola(&["report", folder.to_str().expect("text")]);
    (code, stderr)
}

/// A folder of a run, and a folder beside it that nothing may touch, with one file in it.
struct Scene {
    folder: PathBuf,
    elsewhere: TempDir,
    _results: TempDir,
}

impl Scene {
    fn new() -> Self {
        Self::of(&small())
    }

    fn of((run, trials): &(Run, Vec<Trial>)) -> Self {
        let results = tempfile::tempdir().expect("a folder");
        let elsewhere = tempfile::tempdir().expect("a folder");
        fs::write(elsewhere.path().join("kept"), "kept").expect("written");
        Scene {
            folder: stored(results.path(), run, trials),
            elsewhere,
            _results: results,
        }
    }

    fn assert_elsewhere_untouched(&self, why: &str) {
        let left = files(self.elsewhere.path());
        let kept = self.elsewhere.path().join("kept");
        assert!(left.keys().eq([&kept]), "{why}: {:?}", left.keys());
        assert!(left[&kept] == b"kept", "{why}");
    }
}

#[test]
fn a_report_is_not_written_through_a_link_in_place_of_a_folder() {
    for name in ["csv", "hlog", "hlog/churn", "exports"] {
        let scene = Scene::new();
        let link = scene.folder.join(name);
        fs::create_dir_all(link.parent().expect("a folder")).expect("made");
        symlink(scene.elsewhere.path(), &link).expect("linked");
        let (code, stderr) = report(&scene.folder);
        assert_eq!(code, Some(1), "{name}: {stderr}");
        assert!(
            stderr.contains(&format!("{}: it is a symbolic link", link.display()))
                && stderr.lines().count() == 1,
            "{stderr}"
        );
        scene.assert_elsewhere_untouched(name);
    }
}

#[test]
fn a_report_replaces_a_link_in_place_of_a_file_and_not_what_it_leads_to() {
    let scene = Scene::new();
    assert_eq!(report(&scene.folder).0, Some(0));
    let written = files(&scene.folder);
    let kept = scene.elsewhere.path().join("kept");
    for path in written.keys() {
        if path.ends_with("run.json") || path.ends_with("trials.jsonl") {
            continue;
        }
        fs::remove_file(path).expect("removed");
        symlink(&kept, path).expect("linked");
    }
    // Names of files that are not whole yet, of this program and of those before it.
    symlink(&kept, scene.folder.join("report.html.tmp")).expect("linked");
    symlink(&kept, scene.folder.join("csv/churn.csv.tmp")).expect("linked");
    let (code, stderr) = report(&scene.folder);
    assert_eq!(code, Some(0), "{stderr}");
    scene.assert_elsewhere_untouched("files");
    for (path, octets) in &written {
        assert!(
            !path.is_symlink() && &fs::read(path).expect("a file") == octets,
            "{}",
            path.display()
        );
    }
}

#[test]
fn records_that_are_no_regular_files_are_named_and_not_waited_for() {
    for name in ["run.json", "trials.jsonl"] {
        for kind in ["a pipe", "a symbolic link", "a folder"] {
            let scene = Scene::new();
            let record = scene.folder.join(name);
            let moved = scene.elsewhere.path().join("moved");
            fs::rename(&record, &moved).expect("moved");
            match kind {
                "a pipe" => mkfifo(&record, Mode::S_IRWXU).expect("made"),
                "a symbolic link" => symlink(&moved, &record).expect("linked"),
                _ => fs::create_dir(&record).expect("made"),
            }
            let folder = scene.folder.to_str().expect("text");
            for arguments in [
                &["report", folder][..],
                &["report", folder, "--format", "csv"],
                &["diff", folder, folder],
                &["compare", "--resume", folder],
            ] {
                let (code, stdout, stderr) = hola(arguments);
                assert_eq!(code, Some(1), "{arguments:?}: {stderr}");
                assert!(
                    stdout.is_empty()
                        && stderr.lines().count() == 1
                        && stderr.contains(&format!("{}: it is {kind}", record.display())),
                    "{arguments:?}: {stderr}"
                );
            }
        }
    }
}

#[test]
fn what_is_written_is_for_its_owner_alone() {
    let results = tempfile::tempdir().expect("a folder");
    let script = "umask 0; exec \"$0\" compare --experiments=churn --models=iterative --clients=1 --rounds=1 --duration=50ms --output=\"$1\"";
    let status = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_hola")])
        .arg(results.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("a shell");
    assert!(status.success());
    let folder = fs::read_dir(results.path())
        .expect("a folder")
        .flatten()
        .next()
        .expect("a run")
        .path();
    // One that an older program left, for all to read.
    fs::set_permissions(folder.join("report.md"), Permissions::from_mode(0o644)).expect("changed");
    assert_eq!(report(&folder).0, Some(0));
    let written = files(&folder);
    assert!(written.len() > 8);
    for path in written.keys() {
        let mode = fs::metadata(path).expect("a file").permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
}

/// What would clear a terminal, or show the rest of a line as what it is not.
const HOSTILE: &str = "\u{1b}[2J\u{9b}31m\u{7f}\r\u{8}\u{202e}x";

/// A run of which every text that others may choose is hostile.
fn hostile() -> (Run, Vec<Trial>) {
    let (mut run, mut trials) = small();
    let say = |text: &mut String| text.push_str(HOSTILE);
    say(&mut run.models[1].title.en);
    say(&mut run.models[1].title.es);
    say(&mut run.models[1].summary.en);
    say(&mut run.skipped[0].reason);
    say(&mut run.environment.cpu_model);
    say(&mut run.environment.mitigations[0]);
    say(&mut run.environment.rustc);
    run.command.push(HOSTILE.to_owned());
    let design = &mut run.experiments[0];
    say(&mut design.question.en);
    say(&mut design.changes_mind.en);
    say(&mut design.levels[0].name);
    let renamed = design.models[0].clone() + HOSTILE;
    for trial in &mut trials {
        say(&mut trial.level);
        if trial.model == design.models[0] {
            trial.model.clone_from(&renamed);
        }
    }
    run.models[0].name.clone_from(&renamed);
    design.models[0].clone_from(&renamed);
    say(&mut design.figures[0]);
    design.figures.push("cpu_us_per_request".to_owned());
    run.environment.commit = Some(HOSTILE.to_owned());
    say(&mut run.environment.version);
    say(&mut run.started_at);
    trials[1].outcome = Outcome::Failed(HOSTILE.to_owned());
    (run, trials)
}

/// The characters of a text that command a terminal or turn it around.
fn active(text: &str) -> BTreeSet<char> {
    let is_active =
        |letter: &char| (letter.is_control() && !"\n\t".contains(*letter)) || *letter == '\u{202e}';
    text.chars().filter(is_active).collect()
}

#[test]
fn no_control_character_of_a_run_reaches_a_terminal_or_a_report() {
    let scene = Scene::of(&hostile());
    let folder = scene.folder.to_str().expect("text");
    let mut commands = vec![];
    for format in [
        "html",
        "markdown",
        "csv",
        "cells",
        "hyperfine",
        "github-action-benchmark",
        "table",
    ] {
        commands.push(vec!["report", folder, "--format", format]);
    }
    for format in ["text", "markdown", "html", "json"] {
        commands.push(vec!["diff", folder, folder, "--all", "--format", format]);
    }
    for arguments in commands {
        let (code, stdout, stderr) = hola(&arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {stderr}");
        assert!(
            active(&stdout).is_empty(),
            "{arguments:?}: {:?}",
            active(&stdout)
        );
        assert!(stdout.contains("[2J"), "{arguments:?} shows what it was");
        if arguments
            .last()
            .is_some_and(|format| format.contains("json") || *format == "hyperfine")
        {
            let json: Value = serde_json::from_str(&stdout).expect("JSON");
            assert!(
                json.to_string().contains('\u{202e}'),
                "data keep every character"
            );
        }
    }
    assert_eq!(report(&scene.folder).0, Some(0));
    for (path, octets) in files(&scene.folder) {
        let is_record = path.ends_with("run.json") || path.ends_with("trials.jsonl");
        let text = String::from_utf8(octets).expect("text");
        assert!(is_record || active(&text).is_empty(), "{}", path.display());
    }
}

#[test]
fn no_control_character_of_a_bad_record_reaches_a_terminal() {
    let damaged = |record: &str, from: &str, to: &str| {
        let scene = Scene::new();
        let path = scene.folder.join(record);
        let text = fs::read_to_string(&path).expect("a record");
        assert!(text.contains(from), "{record}: {from}");
        fs::write(&path, text.replacen(from, to, 1)).expect("written");
        scene
    };
    let hostile = r#""\u001b[2J\nhola: all is well\u009b""#;
    for scene in [
        damaged("run.json", "\"complete\"", hostile),
        damaged(
            "trials.jsonl",
            "\"arm\":\"model\"",
            &format!("\"arm\":{hostile}"),
        ),
    ] {
        let (code, stderr) = report(&scene.folder);
        assert_eq!(code, Some(1), "{stderr}");
        assert!(
            active(&stderr).is_empty() && stderr.lines().count() == 1,
            "{stderr:?}"
        );
        assert!(stderr.contains("[2J"), "{stderr:?}");
    }
    let scene = Scene::of(&hostile_names());
    let folder = scene.folder.to_str().expect("text");
    let (code, _, stderr) = hola(&["diff", folder, folder, "--experiments", "none"]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(active(&stderr).is_empty(), "{stderr:?}");
}

/// A run whose experiment has a hostile name.
fn hostile_names() -> (Run, Vec<Trial>) {
    let (mut run, mut trials) = small();
    run.experiments[0].experiment.push_str(HOSTILE);
    for trial in &mut trials {
        trial.experiment.push_str(HOSTILE);
    }
    (run, trials)
}
