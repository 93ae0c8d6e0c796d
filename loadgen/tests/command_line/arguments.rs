//! What arguments mean, and which are refused.

use std::sync::{Arc, Mutex};

use crate::truth::{Truth, answer_all, keeper};
use crate::{assert_refused, greeter, load, program, run};

/// Arguments that make no sense, and what is said of them.
#[rustfmt::skip] // a table
const REFUSED: &[(&str, &str)] = &[
    ("", "say which server"),
    ("http://192.0.2.1/", "--allow-remote"),
    ("ftp://127.0.0.1/", "not a URL"),
    ("9 --insecure", "for an https:// URL"),
    ("127.0.0.1:9/a\u{f1}o?q=\u{e9}", "percent-encode it, as /a%C3%B1o?q=%C3%A9"),
    ("9 --path=/a\tb", "percent-encode it, as /a%09b"),
    ("9 --path=a", "a path starts with /"),
    ("9 --duration=ten", "not a time"),
    ("9 --interval=1ms", "at least 100ms"),
    ("9 --cpus=3-1", "counts down"),
    ("9 --engine=fast", "expected one of `auto`"),
    ("9 --source=127.0.0.9-127.0.0.2", "is not a range"),
    ("9 --local-ports=0-70000", "is not a range"),
    ("9 --requests-per-connection=0", "unlimited"),
    ("9 --clients=0", "at least one"),
    ("9 --clients=4,0", "at least one"),
    ("9 --clients=1.5", "is not a number of clients"),
    ("9 --clients=8..1/3", "is not a number of clients"),
    ("9 --clients=1,,2", "is not a number of clients"),
    ("9 --clients=4000000000", "open files"),
    ("9 --clients=4 --rate=5", "cannot be used with"),
    ("9 --clients=1,2 --hlog=/nowhere/a", "keep one load"),
    ("9 --clients=1,2 --start-at=@1764342000", "for one load"),
    ("9 --rate=1k..2k", "is not a rate"),
    ("9 --rate=1k..2k/1", "is not a rate"),
    ("9 --rate=fast", "is not a rate"),
    ("9 --rate=fast --print-plan", "is not a rate"),
    ("9 --rate=0.5 --duration=1s --warmup=0s --seed=3", "no request is due"),
    ("9 --connections=4 --clients=4", "cannot be used with"),
    ("9 --connections=4", "give a --rate"),
    ("9 --connections=0 --rate=5", "at least one"),
    ("9 --connections=4 --rate=5 --warmup=0s", "warm-up"),
    ("9 --fail-if=p98>1ms", "is not a condition"),
    ("9 --fail-if=p99>10", "is not a condition"),
    ("9 --find-max", "--slo"),
    ("9 --slo=p99<1s", "--find-max"),
    ("9 --find-max --slo=p99<1s --rate=1,2", "starts from one rate"),
    ("9 --find-max --slo=p99<1s --clients=3", "cannot be used with"),
    ("9 --find-max --slo=p99<1s --junit=/nowhere/a", "cannot be used with"),
    ("9 --junit=/nowhere/a", "give a --fail-if, or --strict"),
    ("9 --plan=/nowhere/plan.toml", "--plan /nowhere/plan.toml: No such file"),
    ("9 --urls=/nowhere/urls.txt", "--urls /nowhere/urls.txt: No such file"),
    ("--unix-socket=/nowhere/a", "URL"),
];

/// Requests that no server could take, and secrets that cannot be used, with what is said of them.
#[rustfmt::skip] // a table
const REFUSED_REQUESTS: &[(&[&str], &str)] = &[
    (&["9", "--header", "Accept"], "the form `Name: value`"),
    (&["9", "--header", "Ac cept: a"], "\"Ac cept\" is not the name"),
    (&["9", "--header", ": a"], "\"\" is not the name"),
    (&["9", "--header", "X: a\r\nY: b"], "the value of X has a control character"),
    (&["9", "--header", "connection: close"], "Connection cannot be set: it follows from the requests"),
    (&["9", "--header", "Content-length: 3"], "Content-Length cannot be set: it follows from the body"),
    (&["9", "--header", "Transfer-Encoding: chunked"], "Transfer-Encoding cannot be set"),
    (&["9", "--header=Host: a", "--header=host: b"], "one Host"),
    (&["9", "--method", "GET /"], "\"GET /\" is not a method"),
    (&["9", "--method", ""], "\"\" is not a method"),
    (&["9", "--method", "CONNECT"], "CONNECT opens a tunnel"),
    (&["9", "--body=a", "--body-file=b"], "cannot be used with"),
    (&["9", "--body-file", "/nowhere/a"], "--body-file /nowhere/a: No such file"),
    (&["9", "--body-file", "/dev/zero"], "at most 67108864 bytes"),
    (&["9", "--method=HEAD", "--expect-body=a"], "the answer to HEAD has no body"),
    (&["9", "--body=a", "--conversation=ack"], "is for --conversation http alone"),
    (&["http://me:secret@127.0.0.1/"], "a URL names no user here: give --user"),
    (&["https://me:secret@127.0.0.1/"], "a URL names no user here: give --user"),
    (&["secret@127.0.0.1:80"], "a URL names no user here: give --user"),
    (&["9", "--user=secret"], "--user: credentials have the form NAME:PASSWORD"),
    (&["9", "--user=a:secret\n"], "--user: credentials have no control characters"),
    (&["9", "--user=a:secret", "--header=authorization: Bearer secret"], "--user and a --header Authorization cannot be given together"),
    (&["9", "--header=Authorization secret"], "--header: a header field has the form"),
    (&["9", "--header=X: secret\x7f"], "--header: the value of X has a control character"),
];

#[test]
fn arguments_that_make_no_sense_exit_with_2_and_say_why() {
    for (arguments, reason) in REFUSED {
        assert_refused(program(arguments), reason);
    }
    for list in [
        "", "20", "2000", "+20", "600", "100", "1xx", "6xx", "299-200", "200,", "2x", "xx", "ok",
    ] {
        let reason = format!("`{list}` does not name status codes");
        assert_refused(program(&format!("9 --expect-status={list}")), &reason);
    }
}

#[test]
fn requests_that_cannot_be_sent_exit_with_2_and_show_no_secret() {
    for (arguments, reason) in REFUSED_REQUESTS {
        let mut command = program("");
        command.args(*arguments);
        let said = assert_refused(command, reason).stderr;
        assert!(!said.contains("secret"), "{arguments:?}: {said}");
        let has_secret = arguments.concat().contains("secret");
        assert!(!has_secret || said.lines().count() == 1, "{said}");
    }
}

#[test]
fn addresses_of_this_machine_are_known_in_all_their_spellings() {
    let server = greeter();
    let port = server.address.port();
    let load = "--warmup=0s --requests=50 --clients=4";
    for url in [
        format!("http://0.0.0.0:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("localhost:{port}"),
        format!("{port}"),
        format!(":{port}/"),
    ] {
        run(program(&format!("{url} {load}"))).exits_with(0);
    }
}

#[test]
fn every_kept_connection_of_an_open_loop_has_its_turn() {
    const CONNECTIONS: usize = 8;
    for engine in ["readiness", "completion"] {
        let turns = Arc::new(Mutex::new(vec![0_u64; CONNECTIONS]));
        let server = Truth::start({
            let turns = Arc::clone(&turns);
            move |id, stream| {
                let connection = usize::try_from(id).unwrap();
                answer_all(stream, || turns.lock().unwrap()[connection] += 1);
            }
        });
        let arguments = "--warmup=1s --rate=400 --connections=8 --requests=160 --format=json";
        let address = server.address;
        let ran = run(program(&format!("{address} --engine={engine} {arguments}")));
        if ran.code == Some(2) && ran.stderr.contains("cannot be used here") {
            println!("skipped: {}", ran.stderr);
            continue;
        }
        let summary = ran.exits_with(0).summary();
        assert_eq!(summary.plan.connections, Some(8));
        assert_eq!(summary.plan.requests_per_connection, None);
        assert_eq!(summary.counts.ok, 160, "{engine}");
        assert_eq!(server.accepted(), 8, "{engine}");
        // Each connection should get one request of the warm-up and twenty of the window: the one idle longest is next.
        let turns = turns.lock().unwrap();
        assert!(turns.iter().all(|turns| *turns > 10), "{engine}: {turns:?}");
    }
}

#[test]
fn local_ports_that_run_out_come_with_advice() {
    // The client closes first, so its ports stay taken for a minute.
    let server = keeper();
    for (format, source) in [("text", "127.0.9.1"), ("markdown", "127.0.9.2")] {
        let few = format!("--local-ports=43100 --source={source} --format={format}");
        let ran = run(load(&server, &format!("--requests=12 --clients=1 {few}")));
        assert!(ran.stdout.contains("--requests-per-connection"), "{ran:?}");
    }
}
