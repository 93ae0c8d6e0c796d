//! `hola lesson`: all lessons unattended, their hand-ins, and what is said of a hand-in that was changed.

use std::fs;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::pty::{Winsize, openpty};
use serde_json::Value;

use crate::support::{HOLA, assert_has, hola, printed, refused, rows_of};

const ANSWERS: &str =
    "1 = \"c\"\n2 = \"a\"\n3 = \"b\"\n4 = \"c\"\n5 = \"a\"\n6 = \"c\"\n7 = \"c\"\n8 = \"a\"\n";

/// A file of that text in a folder.
fn file_in(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("written");
    path
}

fn read_json(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_eight_lessons_are_listed_in_both_languages() {
    let english = printed(&["lesson"]);
    let spanish = printed(&["lesson", "--lang=es"]);
    for list in [&english, &spanish] {
        let numbered = list
            .lines()
            .filter(|line| line.starts_with(|one: char| one.is_ascii_digit()));
        assert_eq!(numbered.count(), 8, "{list}");
    }
    assert_has(&english, &["One slow client"]);
    assert_has(&spanish, &["Un cliente lento"]);
}

#[test]
fn all_lessons_are_taken_unattended_and_their_hand_ins_are_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let answers = file_in(folder.path(), "answers.toml", ANSWERS);
    let work = folder.path().join("work");
    let (status, stdout, stderr) = hola(&[
        "lesson",
        "--blocks=3",
        "--name=Ada Lovelace",
        &format!("--answers={}", answers.display()),
        &format!("--hand-in={}", work.display()),
    ]);
    // On a busy machine the checks of the load may leave nothing of a lesson.
    assert!(matches!(status.code(), Some(0 | 4)), "{stderr}");
    for number in 1..=8 {
        assert_has(&stdout, &[&format!("Lesson {number} of 8")]);
        let json = work.join(format!("lesson-{number}.json"));
        let hand_in = read_json(&json);
        assert_eq!(hand_in["name"], "Ada Lovelace");
        let figures = hand_in["figures"].as_array().expect("figures");
        // Whether a figure is measured depends on the machine and on the build; if not, the reason is told.
        for figure in figures {
            let is_told = figure["value"].is_number() != figure["missing"].is_object();
            assert!(is_told, "lesson {number}: {figure}");
        }
        let checked = printed(&["lesson", "--check", json.to_str().expect("text")]);
        assert_has(&checked, &["every figure follows"]);
    }
    assert_eq!(read_json(&work.join("lesson-4.json"))["measured"], "c");
    changed_hand_ins_are_named(&work.join("lesson-4"));
}

/// Changes a figure, a record and the text of a hand-in, each in turn.
fn changed_hand_ins_are_named(hand_in: &Path) {
    let json = hand_in.with_extension("json");
    let path = json.to_str().expect("text");
    // The file, what is replaced in it, by what, and the line that is named.
    const CHANGES: &str = r#"
        json | "value": 6.0             | "value": 5.0             | `"value": 5.0,`
        json | "measured": "c"          | "measured": "b"          | `"measured": "b",`
        json | "clients_connected": 6.0 | "clients_connected": 7.0 | `"value": 6.0,`
        md   | Ada Lovelace             | Charles Babbage          | Charles Babbage
        csv  | iterative                | epoll                    | epoll"#;
    for row in rows_of(CHANGES) {
        let [ending, from, to, named] = row[..] else {
            panic!("{row:?}");
        };
        let changed = hand_in.with_extension(ending);
        let text = fs::read_to_string(&changed).expect("a file");
        assert!(text.contains(from), "{ending}: no {from}");
        fs::write(&changed, text.replacen(from, to, 1)).expect("written");
        let (status, stdout, stderr) = hola(&["lesson", "--check", path]);
        assert_eq!((status.code(), &*stdout), (Some(99), ""), "{stderr}");
        let line = stderr.lines().find(|line| line.contains(named));
        let line = line.unwrap_or_else(|| panic!("{named}: {stderr}"));
        let place = format!("{}:", changed.display());
        let number = line
            .strip_prefix(&place)
            .and_then(|rest| rest.split(':').next());
        let number: usize = number.and_then(|number| number.parse().ok()).expect(line);
        let written = fs::read_to_string(&changed).expect("a file");
        assert!(number <= written.lines().count(), "{line}");
        fs::write(&changed, text).expect("written");
    }
    printed(&["lesson", "--check", path]);
}

#[test]
fn what_is_no_answer_or_no_hand_in_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    const WRONG_ANSWERS: &str = r#"
        9 = "a" | there is no lesson 9
        2 = "e" | lesson 2 has no choice e; there are a, b, c, d
        3 = "d" | it has no answer to lesson 2
        2 = 1   | line 1
        2 =     | line 1"#;
    for row in rows_of(WRONG_ANSWERS) {
        let file = file_in(folder.path(), "answers.toml", row[0]);
        let file = file.to_str().expect("text");
        let stderr = refused(2, &["lesson", "2", "--answers", file]);
        assert_has(&stderr, &[row[1], file]);
    }
    for (arguments, named) in [
        (&["2", "--answers", "/no/such/file"][..], "/no/such/file"),
        (&["9"], "9 is not in 1..=8"),
        (&["--hand-in=work", "--name=Ada"], "--hand-in"),
    ] {
        let stderr = refused(2, &[&["lesson"], arguments].concat());
        assert_has(&stderr, &[named]);
    }
    for text in ["", "{}", "{\"lesson\": 99}"] {
        let file = file_in(folder.path(), "hand-in.json", text);
        let file = file.to_str().expect("text");
        let stderr = refused(1, &["lesson", "--check", file]);
        assert_has(&stderr, &[file]);
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
}

#[test]
fn a_lesson_without_a_terminal_and_without_answers_is_refused() {
    let mut command = Command::new(HOLA);
    command.args(["lesson", "1"]).stdin(Stdio::null());
    let output = command.output().expect("the program runs");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("--answers FILE"), "{stderr}");
    assert!(output.stdout.is_empty());
}

/// What a lesson writes to a terminal of so many columns whose user types that.
fn at_terminal(
    columns: u16,
    variables: &[(&str, &str)],
    typed: &str,
    arguments: &[&str],
) -> String {
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(&size, None).expect("a terminal");
    let mut command = Command::new(HOLA);
    command
        .args(arguments)
        .env_remove("NO_COLOR")
        .envs(variables.iter().copied())
        .stdin(terminal.slave.try_clone().expect("a descriptor"))
        .stdout(terminal.slave)
        .stderr(Stdio::null());
    let mut child = command.spawn().expect("the program runs");
    // It keeps the terminal open.
    drop(command);
    let mut master = File::from(terminal.master);
    master.write_all(typed.as_bytes()).expect("typed");
    let mut written = Vec::new();
    // If the other side of a terminal is closed, a read ends with an error.
    let _ = master.read_to_end(&mut written);
    child.wait().expect("its end");
    String::from_utf8(written).expect("text")
}

#[test]
fn a_lesson_at_a_terminal_asks_until_it_is_answered_and_keeps_to_the_width() {
    let lesson = ["lesson", "4", "--blocks=3", "--lang=es"];
    let coloured = at_terminal(60, &[], "z\nb\n", &lesson);
    let asked = coloured.matches("Tu predicción (a, b, c, d)").count();
    assert_eq!(asked, 2, "{coloured}");
    const EXPECTED: &str = "Lección 4 de 8|Dijiste: b)|Medido|Por qué|\x1b[36m";
    assert_has(&coloured, &EXPECTED.split('|').collect::<Vec<_>>());
    let plain = at_terminal(60, &[("NO_COLOR", "1")], "c\n", &lesson);
    assert!(!plain.contains('\x1b'), "{plain}");
    assert_has(&plain, &["coincide con tu predicción"]);
    // A command is not broken.
    for line in plain.lines().filter(|line| !line.contains("hola compare")) {
        assert!(line.trim_end().chars().count() <= 60, "{line}");
    }
}
