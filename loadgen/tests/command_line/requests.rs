//! What is sent to a server: method, header fields and body, and when it is sent again.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use crate::truth::{KEEP, Truth};
use crate::{load, program, run};

/// An answer to HEAD: its length is that of the body that a GET would get.
const NO_BODY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n";

/// Reads a request with its body, as long as Content-Length says; `None` when the client is gone.
pub(crate) fn request(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    loop {
        let start = bytes.len();
        if reader.read_until(b'\n', &mut bytes).ok()? == 0 {
            return None;
        }
        let line = &bytes[start..];
        if let Some(value) = line.strip_prefix(b"Content-Length: ") {
            length = str::from_utf8(value).unwrap().trim().parse().unwrap();
        }
        if line == b"\r\n" {
            break;
        }
    }
    reader.take(length).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// A server that answers every request, and what it was sent.
pub(crate) fn recorder(answer: &'static [u8]) -> (Truth, Arc<Mutex<Vec<Vec<u8>>>>) {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let known = Arc::clone(&requests);
    let server = Truth::start(move |_, mut stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(request) = request(&mut reader) {
            known.lock().unwrap().push(request);
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    });
    (server, requests)
}

/// The engines by name; the program skips the one that this machine has not.
pub(crate) const ENGINES: [&str; 2] = ["readiness", "auto"];

#[test]
fn requests_have_the_method_the_header_fields_and_the_body_asked_for() {
    for engine in ENGINES {
        let (server, requests) = recorder(KEEP);
        let mut command = load(
            &server,
            "--path=/a --clients=1 --requests=2 --requests-per-connection=2 --method=PATCH --format=json",
        );
        command
            .args(["--engine", engine, "--body", "ab\r\ncd"])
            .args(["--header", "accept:text/html, */*", "--header", "X-Empty:"])
            .args(["--header", "Host: example.org"])
            .args(["--header", "X-Secret:\t se:cret "]);
        let ran = run(command);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let fields =
            "accept: text/html, */*\r\nX-Empty: \r\nHost: example.org\r\nX-Secret: se:cret\r\n";
        let expected = |connection: &str| {
            format!("PATCH /a HTTP/1.1\r\n{fields}Content-Length: 6\r\n{connection}\r\nab\r\ncd")
        };
        let requests = requests.lock().unwrap();
        let requests: Vec<_> = requests
            .iter()
            .map(|bytes| str::from_utf8(bytes).unwrap())
            .collect();
        let both = [expected(""), expected("Connection: close\r\n")];
        assert_eq!(requests, both, "{engine}");
        let summary = ran.summary();
        let plan = summary.plan.http.unwrap();
        assert_eq!(
            (&*plan.method, plan.headers, plan.body_bytes),
            ("PATCH", 4, Some(6))
        );
        assert!(summary.url.ends_with(&format!("{}/a", server.address)));
        assert!(!ran.stdout.contains("cret"), "{ran:?}");
    }
}

#[test]
fn a_user_is_told_to_the_server_and_to_nobody_else() {
    let (server, requests) = recorder(KEEP);
    let mut command = load(&server, "--clients=1 --requests=1 --format=json");
    command.args(["--user", "Aladdin:open sesame"]);
    let ran = run(command);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let request = String::from_utf8(requests.lock().unwrap().remove(0)).unwrap();
    // The example of RFC 7617 §2.
    let field = "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n";
    assert!(request.contains(field), "{request}");
    assert_eq!(ran.summary().plan.http.unwrap().headers, 1);
    for secret in ["Aladdin", "sesame", "QWxh"] {
        assert!(!ran.stdout.contains(secret), "{ran:?}");
    }
}

#[test]
fn no_password_is_shown_when_it_cannot_be_used() {
    for (arguments, reason) in [
        (
            ["http://me:secret@127.0.0.1/"].as_slice(),
            "a URL names no user here: give --user",
        ),
        (
            &["https://me:secret@127.0.0.1/"],
            "a URL names no user here: give --user",
        ),
        (
            &["secret@127.0.0.1:80"],
            "a URL names no user here: give --user",
        ),
        (
            &["9", "--user=secret"],
            "--user: credentials have the form NAME:PASSWORD",
        ),
        (
            &["9", "--user=a:secret\n"],
            "--user: credentials have no control characters",
        ),
        (
            &[
                "9",
                "--user=a:secret",
                "--header=authorization: Bearer secret",
            ],
            "--user and a --header Authorization cannot be given together",
        ),
        (
            &["9", "--header=Authorization secret"],
            "--header: a header field has the form",
        ),
        (
            &["9", "--header=X: secret\x7f"],
            "--header: the value of X has a control character",
        ),
    ] {
        let mut command = program("");
        command.args(arguments);
        let ran = run(command);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(reason), "{arguments:?}: {ran:?}");
        assert!(!ran.stderr.contains("secret"), "{arguments:?}: {ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{arguments:?}: {ran:?}");
    }
}

#[test]
fn methods_that_expect_a_body_send_the_length_of_an_empty_one() {
    for (method, length) in [
        ("POST", true),
        ("PUT", true),
        ("DELETE", false),
        ("GET", false),
    ] {
        let (server, requests) = recorder(KEEP);
        let arguments = format!("--clients=1 --requests=1 --expect-body=any --method={method}");
        let ran = run(load(&server, &arguments));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let request = String::from_utf8(requests.lock().unwrap().remove(0)).unwrap();
        assert!(
            request.starts_with(&format!("{method} / HTTP/1.1\r\nHost: ")),
            "{request}"
        );
        let sends_length = request.contains("\r\nContent-Length: 0\r\n");
        assert_eq!(sends_length, length, "{request}");
    }
}

#[test]
fn a_body_larger_than_the_send_buffer_arrives_whole() {
    let body: Vec<u8> = (0..5_000_000_u32).map(|at| (at % 251) as u8).collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    fs::write(&file, &body).unwrap();
    for (engine, per_connection) in ENGINES
        .into_iter()
        .zip(["1", "unlimited"])
        .chain([(ENGINES[0], "unlimited"), (ENGINES[1], "1")])
    {
        let (server, requests) = recorder(KEEP);
        let mut command = load(&server, "--clients=2 --requests=6 --format=json");
        command
            .args([
                "--engine",
                engine,
                "--requests-per-connection",
                per_connection,
            ])
            .arg("--body-file")
            .arg(&file);
        let ran = run(command);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(ran.summary().counts.ok, 6, "{engine}: {ran:?}");
        let requests = requests.lock().unwrap();
        assert_eq!(requests.len(), 6, "{engine}");
        for request in &*requests {
            assert!(request.starts_with(b"POST / HTTP/1.1\r\n"), "{engine}");
            assert!(request.ends_with(&body), "{engine}, {per_connection}");
        }
    }
}

#[test]
fn an_answer_before_the_end_of_the_body_never_mixes_two_requests() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    fs::write(&file, vec![b'x'; 10_000_000]).unwrap();
    for engine in ENGINES {
        let server = Truth::start(|_, mut stream| {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            loop {
                let mut line = String::new();
                while line != "\r\n" {
                    line.clear();
                    if !matches!(reader.read_line(&mut line), Ok(1..)) {
                        return;
                    }
                }
                if stream.write_all(KEEP).is_err() {
                    return;
                }
                let mut body = Vec::new();
                reader
                    .by_ref()
                    .take(10_000_000)
                    .read_to_end(&mut body)
                    .unwrap();
                assert!(
                    body.iter().all(|byte| *byte == b'x'),
                    "two requests are mixed"
                );
            }
        });
        let mut command = load(
            &server,
            "--clients=1 --requests=6 --expect-body=any --format=json",
        );
        command
            .args(["--engine", engine, "--requests-per-connection=unlimited"])
            .arg("--body-file")
            .arg(&file);
        let ran = run(command);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(ran.summary().counts.ok, 6, "{engine}: {ran:?}");
    }
}

#[test]
fn an_answer_to_head_has_no_body_whatever_its_length_says() {
    for engine in ENGINES {
        let (server, _) = recorder(NO_BODY);
        let arguments =
            "--clients=1 --requests=5 --requests-per-connection=unlimited --method=HEAD";
        let ran = run(load(
            &server,
            &format!("{arguments} --engine={engine} --format=json"),
        ));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(
            (ran.summary().counts.ok, server.accepted()),
            (5, 1),
            "{engine}"
        );
    }
}

/// Closes each connection after one answer without announcing it, with the next request on its way.
fn answer_one(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    if request(&mut reader).is_some() && stream.write_all(KEEP).is_ok() {
        request(&mut reader);
    }
}

#[test]
fn only_idempotent_requests_are_sent_again_when_the_server_closes_a_kept_connection() {
    for engine in ENGINES {
        for (method, ok) in [
            ("GET", 8),
            ("PUT", 8),
            ("DELETE", 8),
            ("POST", 4),
            ("BUY", 4),
        ] {
            let server = Truth::start(|_, stream| answer_one(stream));
            let ran = run(load(
                &server,
                &format!(
                    "--clients=1 --requests=8 --requests-per-connection=unlimited --expect-body=any --method={method} \
                     --engine={engine} --format=json"
                ),
            ));
            assert_eq!(ran.code, Some(0), "{ran:?}");
            let counts = ran.summary().counts;
            assert_eq!(
                (counts.ok, counts.failed_total()),
                (ok, 8 - ok),
                "{engine}, {method}"
            );
        }
    }
}

#[test]
fn requests_that_no_server_could_take_exit_with_2_and_name_what_is_wrong() {
    for (arguments, reason) in [
        (["--header", "Accept"], "the form `Name: value`"),
        (["--header", "Ac cept: a"], "\"Ac cept\" is not the name"),
        (["--header", ": a"], "\"\" is not the name"),
        (
            ["--header", "X: a\r\nY: b"],
            "the value of X has a control character",
        ),
        (
            ["--header", "connection: close"],
            "Connection cannot be set: it follows from the requests",
        ),
        (
            ["--header", "Content-length: 3"],
            "Content-Length cannot be set: it follows from the body",
        ),
        (
            ["--header", "Transfer-Encoding: chunked"],
            "Transfer-Encoding cannot be set",
        ),
        (["--header=Host: a", "--header=host: b"], "one Host"),
        (["--method", "GET /"], "\"GET /\" is not a method"),
        (["--method", ""], "\"\" is not a method"),
        (["--method", "CONNECT"], "CONNECT opens a tunnel"),
        (["--body=a", "--body-file=b"], "cannot be used with"),
        (
            ["--body-file", "/nowhere/a"],
            "--body-file /nowhere/a: No such file",
        ),
        (["--body-file", "/dev/zero"], "at most 67108864 bytes"),
        (
            ["--method=HEAD", "--expect-body=a"],
            "the answer to HEAD has no body",
        ),
        (
            ["--body=a", "--conversation=ack"],
            "is for --conversation http alone",
        ),
    ] {
        let mut command = program("9");
        command.args(arguments);
        let ran = run(command);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(reason), "{arguments:?}: {ran:?}");
    }
}
