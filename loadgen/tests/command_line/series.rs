//! Several loads, and searches for the highest rate.

use std::io::Write;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use hola_loadgen::summary::SearchLimit;
use nix::sys::signal::Signal;

use crate::formats::valid;
use crate::truth::{CLOSE, Truth, answer_once, request, silence};
use crate::{greeter, interrupted, load, nobody, program, run};

#[test]
fn several_loads_are_a_line_each_and_one_table() {
    let server = greeter();
    let ran = run(load(&server, "--clients=1,4 --requests=150"));
    assert_eq!(server.accepted(), 300);
    let progress: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(progress.len(), 2, "{ran:?}");
    assert!(progress[1].starts_with("[2/2] 4 clients: "), "{ran:?}");
    for row in ["level", "1 clients", "4 clients"] {
        let mut lines = ran.stdout.lines().map(str::trim_start);
        assert!(lines.any(|line| line.starts_with(row)), "{ran:?}");
    }
}

#[test]
fn several_loads_have_a_row_or_an_object_each() {
    let server = greeter();
    let arguments = "--rate=200..600/3 --requests=60 --arrivals=constant --format";
    let csv = run(load(&server, &format!("{arguments}=csv"))).stdout;
    let rates = csv.lines().map(|line| line.split(',').nth(4).unwrap());
    assert!(rates.eq(["rate_per_s", "200", "400", "600"]), "{csv}");
    let ran = run(load(&server, &format!("{arguments}=json")));
    valid("load-levels.json", &ran.stdout);
    let levels = ran.levels();
    let ok: Vec<u64> = levels.levels.iter().map(|level| level.counts.ok).collect();
    assert_eq!((ok, levels.search), (vec![60; 3], None));
}

#[test]
fn a_gate_names_the_load_that_breaks_it() {
    let arguments = "--rate=100,800 --requests=60 --arrivals=constant --fail-if=rate<300";
    let ran = run(load(&greeter(), arguments)).exits_with(99);
    let broken = "gate broken: 100/s: rate<300: rate is ";
    assert!(ran.stderr.contains(broken), "{ran:?}");
    assert!(!ran.stderr.contains("800/s: rate<300"), "{ran:?}");
}

#[test]
fn a_signal_keeps_the_loads_that_were_finished() {
    for (sent, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        // The second load never gets an answer, so it cannot be over before the signal comes.
        let server = Truth::start(|id, stream| match id {
            ..300 => answer_once(stream, CLOSE),
            _ => silence(stream),
        });
        let arguments = "--clients=2,3 --requests=300 --format=json --timeout=10m";
        let ran = interrupted(&server, 303, sent, load(&server, arguments));
        let levels = ran.exits_with(code).levels().levels;
        let clients: Vec<_> = levels.iter().map(|level| level.plan.clients).collect();
        assert_eq!(clients, [Some(2)]);
    }
}

#[test]
fn a_search_finds_a_rate_that_was_measured_to_hold() {
    // 5 ms for each request, one at a time: at most 200 requests per second.
    let turn = Mutex::new(());
    let server = Truth::start(move |_, mut stream| {
        if request(&mut stream) {
            let _turn = turn.lock().unwrap();
            thread::sleep(Duration::from_millis(5));
            let _ = stream.write_all(CLOSE);
        }
    });
    let search = "--find-max --slo=max<200ms,failed<1% --rate=25 --arrivals=constant";
    let arguments = format!("{search} --duration=1s --format=json");
    let ran = run(load(&server, &arguments)).exits_with(0);
    valid("load-levels.json", &ran.stdout);
    let levels = ran.levels();
    let search = levels.search.unwrap();
    assert_eq!(search.objectives, ["max<200ms", "failed<1%"]);
    let highest = search.highest_rate_per_s.unwrap();
    // Other load on the machine makes the server slower, never faster than its sleep.
    assert!((1.0..=300.0).contains(&highest), "{search:?}");
    assert_eq!(search.steps.len(), levels.levels.len());
    let mut lowest = f64::INFINITY;
    for (step, level) in search.steps.iter().zip(&levels.levels) {
        assert_eq!(Some(step.rate_per_s), level.plan.rate_per_s);
        assert_eq!(step.met, step.reasons.is_empty());
        if step.met {
            assert!(level.is_valid() && step.rate_per_s <= highest);
        } else {
            lowest = lowest.min(step.rate_per_s);
        }
    }
    assert!(lowest > highest && lowest / highest <= 1.05, "{search:?}");
    assert_eq!(ran.stderr.lines().count(), search.steps.len(), "{ran:?}");
    let found = "is the highest rate that was measured to hold max<200ms, failed<1%";
    assert!(search.conclusion.contains(found), "{search:?}");
    assert!(search.limit != SearchLimit::Bounds);
}

#[test]
fn a_search_ends_at_once_where_no_rate_can_help() {
    const NOT_FOUND: &[u8] =
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let server = Truth::start(|_, stream| answer_once(stream, NOT_FOUND));
    let search = "--find-max --slo=p99<1s --rate=50 --duration=1s";
    let ran = run(load(&server, search)).exits_with(1);
    assert_eq!(ran.stderr.lines().count(), 1, "one load: {ran:?}");
    let conclusion = "at 50/s not one request succeeded (";
    assert!(ran.stdout.contains(conclusion), "{ran:?}");
    assert!(ran.stdout.contains("status_404"), "{ran:?}");

    let nobody = nobody();
    let search = format!("{nobody} --find-max --slo=p99<1s --duration=1h");
    let ran = run(program(&search)).exits_with(1);
    let refused = format!("error: {nobody} takes no connection: Connection refused");
    assert!(ran.stderr.starts_with(&refused), "{ran:?}");
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
}

#[test]
fn a_search_in_which_nothing_holds_exits_with_99_and_with_4_if_no_load_could_tell() {
    let server = greeter();
    for (objective, code, words) in [
        ("p50<1us", 4, "too small a sample to tell"),
        ("max<1us", 99, "No rate was measured to hold max<1us"),
    ] {
        let search = format!("--find-max --slo={objective} --rate=4 --requests=2");
        let arguments = format!("{search} --arrivals=constant --format=ndjson");
        let ran = run(load(&server, &arguments)).exits_with(code);
        let last = valid("load-line.json", ran.stdout.lines().last().unwrap());
        assert_eq!(last["kind"], "search");
        let conclusion = last["conclusion"].as_str().unwrap();
        assert!(conclusion.contains(words), "{ran:?}");
    }
}
