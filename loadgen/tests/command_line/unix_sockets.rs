//! Servers on Unix domain sockets.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::truth::KEEP;
use crate::{assert_refused, program, run};

/// A load on a socket file, without a warm-up.
fn load(file: &Path, arguments: &str) -> Command {
    let mut command = program(&format!("http://localhost/ --warmup=0s {arguments}"));
    command.arg("--unix-socket").arg(file);
    command
}

/// Listens on a socket file, and answers every request until the test ends; the heads of all connections.
fn greeter(file: &Path) -> Arc<Mutex<Vec<Vec<String>>>> {
    let listener = UnixListener::bind(file).unwrap();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let known = Arc::clone(&heads);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let known = Arc::clone(&known);
            thread::spawn(move || known.lock().unwrap().push(answer_all(stream.unwrap())));
        }
    });
    heads
}

/// Answers every request until the client leaves; the lines of the first one.
fn answer_all(mut stream: UnixStream) -> Vec<String> {
    let reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    for line in reader.lines().map_while(Result::ok) {
        if line.is_empty() && stream.write_all(KEEP).is_err() {
            break;
        }
        lines.push(line);
    }
    lines
}

#[test]
fn a_server_on_a_socket_file_is_loaded_as_one_on_a_port() {
    for engine in ["readiness", "auto"] {
        for (reuse, connections) in [("1", 40), ("unlimited", 4)] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("server");
            let heads = greeter(&file);
            let reuse = format!("--requests-per-connection={reuse} --engine={engine}");
            let arguments = format!("--clients=4 --requests=40 --format=json {reuse}");
            let ran = run(load(&file, &arguments)).exits_with(0);
            assert_eq!(ran.stderr, "");
            let summary = ran.summary();
            assert_eq!(summary.counts.ok, 40, "{engine}: {ran:?}");
            assert_eq!(summary.latency_us.connect.count, connections, "{engine}");
            assert_eq!(summary.url, "http://localhost/");
            assert_eq!(summary.plan.unix_socket.as_deref(), file.to_str());
            for head in &*heads.lock().unwrap() {
                assert_eq!(head[..2], ["GET / HTTP/1.1", "Host: localhost"]);
            }
        }
    }
}

#[test]
fn a_search_and_a_report_name_the_socket_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server");
    let _heads = greeter(&file);
    let search = "--find-max --slo=rate<150 --rate=400 --arrivals=constant --requests=40";
    let ran = run(load(&file, search));
    let title = format!("http://localhost/ on {}\n", file.display());
    assert!(ran.stdout.starts_with(&title), "{ran:?}");
}

#[test]
fn a_server_that_is_gone_and_a_full_accept_queue_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let gone = folder.path().join("gone");
    drop(UnixListener::bind(&gone).unwrap());
    let full = folder.path().join("full");
    let listener =
        socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    listener
        .bind(&socket2::SockAddr::unix(&full).unwrap())
        .unwrap();
    listener.listen(0).unwrap();
    let _waiting = UnixStream::connect(&full).unwrap();
    for engine in ["readiness", "auto"] {
        let arguments = format!("--clients=3 --requests=6 --timeout=200ms --engine={engine}");
        let ran = run(load(&gone, &arguments));
        assert!(ran.stdout.contains("6 refused, connect"), "{ran:?}");
        let ran = run(load(&full, &arguments));
        assert!(ran.stdout.contains("6 local_EAGAIN, connect"), "{ran:?}");
        assert!(ran.stdout.contains("accept queue"), "{ran:?}");
    }
    let ran = run(load(&full, "--find-max --slo=p99<1s")).exits_with(1);
    assert!(ran.stderr.contains("full takes no connection"), "{ran:?}");
}

#[test]
fn a_file_that_cannot_be_a_server_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let [missing, plain, socket] =
        ["missing", "plain", "socket"].map(|name| folder.path().join(name));
    std::fs::write(&plain, "").unwrap();
    let _listener = UnixListener::bind(&socket).unwrap();
    let long = folder.path().join("x".repeat(200));
    symlink(&socket, &long).unwrap();
    for (file, arguments, reason) in [
        (&missing, "", "missing: No such file"),
        (&plain, "", "plain is not a socket"),
        (&long, "", "at most 107 bytes"),
        (&socket, "--source=127.0.0.1", "cannot be used with"),
        (&socket, "--local-ports=40000", "cannot be used with"),
    ] {
        assert_refused(load(file, arguments), reason);
    }
}
