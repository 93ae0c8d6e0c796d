//! What is sent to a server: method, header fields and body, and when it is sent again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use tempfile::NamedTempFile;

use crate::truth::{KEEP, Truth};
use crate::{load, measured, run};

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

/// The path that a request asks for.
pub(crate) fn path_of(request: &[u8]) -> &str {
    let path = request.split(|byte| *byte == b' ').nth(1);
    str::from_utf8(path.unwrap()).unwrap()
}

/// What a server was sent, one after the other.
type Requests = Arc<Mutex<Vec<Vec<u8>>>>;

/// A server that answers every request by its path, and what it was sent.
pub(crate) fn recorder(
    answer: impl Fn(&str) -> &'static [u8] + Send + Sync + 'static,
) -> (Truth, Requests) {
    let requests = Requests::default();
    let known = Arc::clone(&requests);
    let server = Truth::start(move |_, mut stream| {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while let Some(request) = request(&mut reader) {
            let answer = answer(path_of(&request));
            known.lock().unwrap().push(request);
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    });
    (server, requests)
}

/// A file for `--body-file`.
pub(crate) fn body_file(body: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(body).unwrap();
    file
}

/// The engines by name; the program skips the one that this machine has not.
pub(crate) const ENGINES: [&str; 2] = ["readiness", "auto"];

#[test]
fn requests_have_the_method_the_header_fields_and_the_body_asked_for() {
    for engine in ENGINES {
        let (server, requests) = recorder(|_| KEEP);
        let reuse = "--clients=1 --requests=2 --requests-per-connection=2 --format=json";
        let mut command = load(&server, &format!("--path=/a --method=PATCH {reuse}"));
        command
            .args(["--engine", engine, "--body", "ab\r\ncd"])
            .args(["--header", "accept:text/html, */*", "--header", "X-Empty:"])
            .args(["--header", "Host: example.org"])
            .args(["--header", "X-Secret:\t se:cret "]);
        let ran = run(command).exits_with(0);
        let fields =
            "accept: text/html, */*\r\nX-Empty: \r\nHost: example.org\r\nX-Secret: se:cret\r\n";
        let expected = |connection: &str| {
            format!("PATCH /a HTTP/1.1\r\n{fields}Content-Length: 6\r\n{connection}\r\nab\r\ncd")
        };
        let requests = requests.lock().unwrap();
        let requests = requests.iter().map(|bytes| str::from_utf8(bytes).unwrap());
        let both = [expected(""), expected("Connection: close\r\n")];
        assert_eq!(requests.collect::<Vec<_>>(), both, "{engine}");
        assert!(!ran.stdout.contains("cret"), "{ran:?}");
        let summary = ran.summary();
        assert!(summary.url.ends_with(&format!("{}/a", server.address)));
        let plan = summary.plan.http.unwrap();
        let seen = (&*plan.method, plan.headers, plan.body_bytes);
        assert_eq!(seen, ("PATCH", 4, Some(6)));
    }
}

#[test]
fn a_user_is_told_to_the_server_and_to_nobody_else() {
    let (server, requests) = recorder(|_| KEEP);
    let mut command = load(&server, "--clients=1 --requests=1 --format=json");
    command.args(["--user", "Aladdin:open sesame"]);
    let ran = run(command).exits_with(0);
    let request = String::from_utf8(requests.lock().unwrap().remove(0)).unwrap();
    // The example of RFC 7617 §2.
    let field = "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n";
    assert!(request.contains(field), "{request}");
    for secret in ["Aladdin", "sesame", "QWxh"] {
        assert!(!ran.stdout.contains(secret), "{ran:?}");
    }
    assert_eq!(ran.summary().plan.http.unwrap().headers, 1);
}

#[test]
fn methods_that_expect_a_body_send_the_length_of_an_empty_one() {
    for (method, sends_length) in [
        ("POST", true),
        ("PUT", true),
        ("DELETE", false),
        ("GET", false),
    ] {
        let (server, requests) = recorder(|_| KEEP);
        let arguments = format!("--clients=1 --requests=1 --expect-body=any --method={method}");
        measured(load(&server, &arguments));
        let request = String::from_utf8(requests.lock().unwrap().remove(0)).unwrap();
        let begins = format!("{method} / HTTP/1.1\r\nHost: ");
        assert!(request.starts_with(&begins), "{request}");
        let has_length = request.contains("\r\nContent-Length: 0\r\n");
        assert_eq!(has_length, sends_length, "{request}");
    }
}

#[test]
fn a_body_larger_than_the_send_buffer_arrives_whole() {
    let body: Vec<u8> = (0..5_000_000_u32).map(|at| (at % 251) as u8).collect();
    let file = body_file(&body);
    for engine in ENGINES {
        for reuse in ["1", "unlimited"] {
            let (server, requests) = recorder(|_| KEEP);
            let reuse = format!("--requests-per-connection={reuse} --engine={engine}");
            let mut command = load(&server, &format!("--clients=2 --requests=6 {reuse}"));
            command.arg("--body-file").arg(file.path());
            assert_eq!(measured(command).counts.ok, 6, "{reuse}");
            let requests = requests.lock().unwrap();
            assert_eq!(requests.len(), 6, "{reuse}");
            for request in &*requests {
                assert!(request.starts_with(b"POST / HTTP/1.1\r\n"), "{reuse}");
                assert!(request.ends_with(&body), "{reuse}");
            }
        }
    }
}

/// Answers each request before it reads its body of so many `x`, which nothing else may be among.
fn answer_first(mut stream: TcpStream, body_bytes: u64) {
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
        let mut rest = reader.by_ref().take(body_bytes);
        rest.read_to_end(&mut body).unwrap();
        let is_whole = body.iter().all(|byte| *byte == b'x');
        assert!(is_whole, "two requests are mixed");
    }
}

#[test]
fn an_answer_before_the_end_of_the_body_never_mixes_two_requests() {
    let body = vec![b'x'; 10_000_000];
    let file = body_file(&body);
    let reuse = "--requests-per-connection=unlimited --expect-body=any";
    for engine in ENGINES {
        let server = Truth::start(|_, stream| answer_first(stream, 10_000_000));
        let arguments = format!("--clients=1 --requests=6 {reuse} --engine={engine}");
        let mut command = load(&server, &arguments);
        command.arg("--body-file").arg(file.path());
        assert_eq!(measured(command).counts.ok, 6, "{engine}");
    }
}

#[test]
fn an_answer_to_head_has_no_body_whatever_its_length_says() {
    let reuse = "--requests-per-connection=unlimited --method=HEAD";
    for engine in ENGINES {
        let (server, _) = recorder(|_| NO_BODY);
        let arguments = format!("--clients=1 --requests=5 {reuse} --engine={engine}");
        let ok = measured(load(&server, &arguments)).counts.ok;
        assert_eq!((ok, server.accepted()), (5, 1), "{engine}");
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
    let reuse = "--requests-per-connection=unlimited --expect-body=any";
    for engine in ENGINES {
        for (method, ok) in [
            ("GET", 8),
            ("PUT", 8),
            ("DELETE", 8),
            ("POST", 4),
            ("BUY", 4),
        ] {
            let server = Truth::start(|_, stream| answer_one(stream));
            let method = format!("--method={method} --engine={engine}");
            let arguments = format!("--clients=1 --requests=8 {reuse} {method}");
            let counts = measured(load(&server, &arguments)).counts;
            let seen = (counts.ok, counts.failed_total());
            assert_eq!(seen, (ok, 8 - ok), "{method}");
        }
    }
}
