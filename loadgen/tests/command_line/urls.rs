//! Loads that choose among several URLs.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use hola_loadgen::summary::Summary;
use tempfile::TempDir;

use crate::requests::{ENGINES, path_of, recorder};
use crate::truth::KEEP;
use crate::{assert_refused, greeter, load, measured, program, run};

const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

/// The answer to a request for `/missing` is 404, and to everything else 200.
fn page(path: &str) -> &'static [u8] {
    if path == "/missing" { NOT_FOUND } else { KEEP }
}

/// A list of URLs in a folder of its own.
fn list(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("urls.txt");
    fs::write(&file, text).unwrap();
    (folder, file)
}

/// Loads a server with a list, and returns the result with all paths that the server was asked for.
fn loaded(text: &str, arguments: &str) -> (Summary, Vec<String>) {
    let (server, requests) = recorder(page);
    let (_folder, file) = list(&text.replace("SERVER", &server.address.to_string()));
    let arguments = format!("--urls={} {arguments}", file.display());
    let summary = measured(load(&server, &arguments));
    let requests = requests.lock().unwrap();
    let paths = requests.iter().map(|request| path_of(request).to_owned());
    (summary, paths.collect())
}

#[test]
fn results_of_each_url_are_what_the_server_was_asked_for() {
    let text = "# what people ask for\n8 /a?b=1\nhttp://SERVER/ # the start\n3 /missing\n";
    let kept = "--clients=4 --requests-per-connection=9";
    for engine in ENGINES {
        for pace in ["--clients=4", "--rate=2000", kept] {
            let arguments = format!("--engine={engine} --threads=2 --requests=600 {pace}");
            let (summary, paths) = loaded(text, &arguments);
            let mut asked: BTreeMap<String, u64> = BTreeMap::new();
            for path in paths {
                *asked.entry(path).or_default() += 1;
            }
            assert_eq!(summary.counts.ok + summary.counts.failed_total(), 600);
            assert_eq!(summary.plan.http.unwrap().urls, Some(3));
            assert_eq!(summary.urls.len(), 3, "{:?}", summary.urls);
            let expected = [("/a?b=1", 8), ("/", 1), ("/missing", 3)];
            for (url, (path, weight)) in summary.urls.iter().zip(expected) {
                assert!(url.url.ends_with(path) && url.weight == weight, "{url:?}");
                let (ok, failed) = match path {
                    "/missing" => (0, asked[path]),
                    _ => (asked[path], 0),
                };
                let seen = (url.ok, url.failed, url.response_us.count);
                assert_eq!(seen, (ok, failed, asked[path]), "{url:?}");
                let share = u64::from(weight) * 600 / 12;
                assert!((share / 2..share * 2).contains(&asked[path]), "{asked:?}");
            }
        }
    }
}

#[test]
fn the_same_seed_asks_for_the_same_urls_in_the_same_order() {
    let orders = ["--seed=1", "--seed=1", "--seed=2"].map(|seed| {
        let arguments = format!("--clients=1 --requests=100 {seed}");
        loaded("/a\n/b\n2 /c", &arguments).1
    });
    assert_eq!(orders[0].len(), 100);
    assert_eq!(orders[0], orders[1]);
    assert_ne!(orders[0], orders[2]);
}

#[test]
fn a_list_of_urls_needs_no_other_url_and_is_a_table_of_the_report() {
    let (server, _) = recorder(page);
    let (_folder, file) = list(&format!("http://{0}/a\n2 http://{0}/b", server.address));
    let arguments = format!("--urls={} --warmup=0s --requests=200", file.display());
    let ran = run(program(&arguments)).exits_with(0);
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
    let conversation = "--urls is for --conversation http alone";
    for (text, arguments, reason) in [
        ("/a\nhttp://other:1/b", "SERVER", "a load has one"),
        ("/a\nb", "SERVER", "a load has one"),
        ("/a", "SERVER/x", "give the URL of the server without one"),
        ("/a", "SERVER --path=/x", "cannot be used with"),
        ("/a", "SERVER --conversation=ack", conversation),
        ("/a", "", "say which server to load"),
        ("/a\n/\u{f1}", "SERVER", "percent-encode it, as /%C3%B1"),
        ("x /a", "SERVER", "urls.txt: line 1: `x` is not a weight"),
    ] {
        let (_folder, file) = list(text);
        let arguments = arguments.replace("SERVER", &server.address.to_string());
        let arguments = format!("{arguments} --urls={}", file.display());
        assert_refused(program(&arguments), reason);
    }
}
