//! Loads that choose among several URLs.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use crate::requests::{ENGINES, request};
use crate::truth::{KEEP, Truth};
use crate::{Ran, greeter, load, program, run};

const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

/// A server that answers `/missing` with 404 and everything else with 200, and the paths that it was asked for.
fn pages() -> (Truth, Arc<Mutex<Vec<String>>>) {
    let paths = Arc::new(Mutex::new(Vec::new()));
    let known = Arc::clone(&paths);
    let server = Truth::start(move |_, mut stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(request) = request(&mut reader) {
            let request = String::from_utf8(request).unwrap();
            let path = request.split(' ').nth(1).unwrap().to_owned();
            let answer = if path == "/missing" { NOT_FOUND } else { KEEP };
            known.lock().unwrap().push(path);
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    });
    (server, paths)
}

/// A list of URLs in a folder of its own.
fn list(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("urls.txt");
    fs::write(&file, text).unwrap();
    (folder, file)
}

/// Loads `server` with a list, and returns the result with all paths that the server was asked for.
fn loaded(text: &str, arguments: &str) -> (Ran, Vec<String>) {
    let (server, paths) = pages();
    let (_folder, file) = list(&text.replace("SERVER", &server.address.to_string()));
    let arguments = format!("--urls={} --format=json {arguments}", file.display());
    let ran = run(load(&server, &arguments));
    let paths = paths.lock().unwrap().clone();
    (ran, paths)
}

#[test]
fn results_of_each_url_are_what_the_server_was_asked_for() {
    let text = "# what people ask for\n8 /a?b=1\nhttp://SERVER/ # the start\n3 /missing\n";
    for engine in ENGINES {
        for pace in [
            "--clients=4",
            "--rate=2000",
            "--clients=4 --requests-per-connection=9",
        ] {
            let arguments = format!("--engine={engine} --threads=2 --requests=600 {pace}");
            let (ran, paths) = loaded(text, &arguments);
            assert_eq!(ran.code, Some(0), "{ran:?}");
            let mut asked: BTreeMap<String, u64> = BTreeMap::new();
            for path in &paths {
                *asked.entry(path.clone()).or_default() += 1;
            }
            let summary = ran.summary();
            assert_eq!(summary.plan.http.unwrap().urls, Some(3));
            assert_eq!(summary.urls.len(), 3, "{ran:?}");
            for (url, (path, weight)) in
                summary
                    .urls
                    .iter()
                    .zip([("/a?b=1", 8), ("/", 1), ("/missing", 3)])
            {
                assert!(url.url.ends_with(path) && url.weight == weight, "{url:?}");
                assert_eq!(url.ok + url.failed, asked[path], "{url:?}");
                assert_eq!(url.response_us.count, asked[path], "{url:?}");
                let (good, bad) = if path == "/missing" {
                    (0, url.failed)
                } else {
                    (url.ok, 0)
                };
                assert_eq!((url.ok, url.failed), (good, bad), "{url:?}");
                let share = u64::from(weight) * 600 / 12;
                assert!((share / 2..share * 2).contains(&asked[path]), "{asked:?}");
            }
            assert_eq!(summary.counts.ok + summary.counts.failed_total(), 600);
        }
    }
}

#[test]
fn the_same_seed_asks_for_the_same_urls_in_the_same_order() {
    let orders = ["--seed=1", "--seed=1", "--seed=2"].map(|seed| {
        let (_, paths) = loaded(
            "/a\n/b\n2 /c",
            &format!("--clients=1 --requests=100 {seed}"),
        );
        paths
    });
    assert_eq!(orders[0].len(), 100);
    assert_eq!(orders[0], orders[1]);
    assert_ne!(orders[0], orders[2]);
}

#[test]
fn a_list_of_urls_needs_no_other_url_and_is_a_table_of_the_report() {
    let (server, _) = pages();
    let (_folder, file) = list(&format!("http://{0}/a\n2 http://{0}/b", server.address));
    let arguments = format!("--urls={} --warmup=0s --requests=200", file.display());
    let ran = run(program(&arguments));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let url = format!("http://{}/b", server.address);
    let mut lines = ran.stdout.lines().map(|line| line.split_whitespace());
    let row = lines.find_map(|mut cells| (cells.next()? == url).then(|| cells.collect()));
    let row: Vec<&str> = row.unwrap_or_else(|| panic!("{ran:?}"));
    assert_eq!((row[0], row[2]), ("2", "0"), "{ran:?}");
    assert!(ran.stdout.contains("2 URLs, closed loop"), "{ran:?}");
}

#[test]
fn lists_that_make_no_sense_exit_with_2_and_say_why() {
    let server = greeter();
    for (text, arguments, reason) in [
        ("/a\nhttp://other:1/b", "SERVER", "a load has one"),
        ("/a\nb", "SERVER", "a load has one"),
        ("/a", "SERVER/x", "give the URL of the server without one"),
        ("/a", "SERVER --path=/x", "cannot be used with"),
        (
            "/a",
            "SERVER --conversation=ack",
            "--urls is for --conversation http alone",
        ),
        ("/a", "", "say which server to load"),
        ("/a\n/\u{f1}", "SERVER", "percent-encode it, as /%C3%B1"),
        ("x /a", "SERVER", "urls.txt: line 1: `x` is not a weight"),
    ] {
        let (_folder, file) = list(text);
        let arguments = arguments.replace("SERVER", &server.address.to_string());
        let ran = run(program(&format!("{arguments} --urls={}", file.display())));
        assert_eq!(ran.code, Some(2), "{text:?} {arguments:?}: {ran:?}");
        assert!(
            ran.stderr.contains(reason),
            "{text:?} {arguments:?}: {ran:?}"
        );
    }
    let ran = run(program("9 --urls=/nowhere/urls.txt"));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.stderr
            .contains("--urls /nowhere/urls.txt: No such file"),
        "{ran:?}"
    );
}
