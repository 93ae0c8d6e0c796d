//! Servers of the user's own that cannot take part: what is wrong is named before anything is measured.

use std::fs;

use crate::own_targets::{LIST, model};
use crate::support::{fails, has_program, paths_in, rows_of};

/// Runs a comparison that must end with this exit code before anything is written, and name all of `words`.
fn complains(code: i32, arguments: &[&str], words: &[&str]) {
    let results = tempfile::tempdir().expect("a folder");
    let output = format!("--output={}", results.path().display());
    let usual = ["compare", "--experiments=targets", &output];
    fails(&[&usual, arguments].concat(), code, words);
    assert!(paths_in(results.path()).is_empty());
}

#[test]
fn a_target_that_cannot_be_is_a_usage_error() {
    // A target, and what is said of it.
    const WRONG: &str = "
        mine                        | NAME=COMMAND is wanted
        Mine=sh {port}              | `Mine` is no name | lower-case letters
        =sh {port}                  | `` is no name
        my\u{1b}=sh {port}          | is no name
        mine=sh                     | no argument with {port}
        mine=                       | there is no command
        mine=sh 'x {port}           | quote without its end
        mine=no-such-program {port} | --target | no program no-such-program
        tokio=sh {port}             | --target | `tokio` is taken by a model
        nginx=sh {port}             | --target | `nginx` is taken by another target";
    for row in rows_of(WRONG) {
        complains(2, &["--target", row[0]], &row[1..]);
    }
    let twice = ["--target", "mine=sh {port}"].repeat(2);
    complains(
        2,
        &twice,
        &["--target", "`mine` is taken by another target"],
    );
}

#[test]
fn a_server_that_does_not_start_or_greet_is_named_with_its_last_words() {
    let without_http = format!("{} --conversation ack", model("epoll"));
    let mut cases = vec![
        (
            "mine=sh -c 'echo the sky fell >&2; exit 3' {port}",
            "mine did not listen: the sky fell",
        ),
        (
            "mine=sh -c 'echo not yet; exec sleep 60' {port}",
            "mine did not listen: not yet",
        ),
        (
            without_http.as_str(),
            "mine does not answer / with the greeting",
        ),
    ];
    if has_program("python3") {
        let another_body = "mine=python3 -m http.server --bind 127.0.0.1 {port}";
        cases.push((another_body, "with the greeting: another body"));
    }
    for (target, words) in cases {
        complains(1, &["--target", target], &[words]);
    }
}

#[test]
fn an_error_in_a_list_names_file_target_and_key() {
    // What is replaced in the list, by what, and what is said of it.
    const CHANGES: &str = r#"
        name = "listed" |                               | target 1 | `name`
        "listed"        | "Listed"                      | target `Listed` | key `name`
        "listed"        | "tokio"                       | target `tokio` | key `name` | taken
        "@port@"        | "8080"                        | target `listed` | key `arguments` | @port@
        "/",            |                               | target `listed` | key `paths`
        = true          | = "yes"                       | target `listed` | `keep_alive` | boolean
        "clients"       | "many"                        | target `listed` | `threads` | a number or
        install         | instal                        | target `listed` | `instal`
        processes       | templates = ["x.in"];processes | key `templates` | x.in
        processes       | floor_of = "epoll";processes  | key `floor_of`
        [[target]]      | [[server]]                    | key `server`
        = true          | =                             | line 10"#;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let name = path.to_str().expect("text");
    complains(2, &["--targets", name], &[name, "No such file"]);
    for row in rows_of(CHANGES) {
        let [part, changed, words @ ..] = &row[..] else {
            panic!("{row:?}");
        };
        // A semicolon stands for the end of a line.
        let list = LIST.replacen(part, &changed.replace(';', "\n"), 1);
        assert_ne!(list, LIST, "{part}");
        fs::write(&path, list).expect("written");
        complains(2, &["--targets", name], &[&[name], words].concat());
    }
}
