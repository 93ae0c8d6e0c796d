//! The page for a student: what failed, how to see it again, what to read, and nothing that a server wrote as markup.

use std::process::Command;

use super::servers::python;
use super::support::{Server, hola};
use super::{has_program, judge};

#[test]
fn the_page_says_what_failed_how_to_see_it_and_what_to_read_and_escapes_what_the_server_sent() {
    if !has_program("python3") {
        return;
    }
    let server = python("threads.py");
    let mut arguments = vec!["judge", "--format", "html", "--"];
    arguments.extend(server.iter().map(String::as_str));
    arguments.extend(["{port}", "wrong-greeting"]);
    let (status, page, stderr) = hola(&arguments);
    assert_eq!(status.code(), Some(99), "{stderr}");
    for words in [
        "<main lang=\"en\">",
        "<main lang=\"es\">",
        "Checks that failed: 1.",
        "Comprobaciones no superadas: 1.",
        "id=\"en-greeting\"",
        "printf &#39;GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n&#39; | nc 127.0.0.1 PORT",
        "RFC 9112 §4, §6.2",
        "prefers-color-scheme: dark",
        "&lt;script&gt;alert",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    for words in ["<script>alert", "http://", "https://", " src="] {
        assert!(!page.contains(words), "{words}: {page}");
    }
}

#[test]
fn the_line_for_a_shell_sends_the_bytes_of_the_check() {
    if !has_program("bash") {
        return;
    }
    let server = Server::start("epoll");
    let (_, examination) = judge(&["--url", &format!("http://{}/", server.address)]);
    let to_server = format!(" | nc 127.0.0.1 {}", server.address.port());
    let checks = examination["checks"].as_array().expect("checks");
    let mut compared = 0;
    for check in checks {
        let line = check["reproduce"].as_str().expect("a line");
        let Some(printed) = line.strip_suffix(&to_server) else {
            continue;
        };
        if !printed.starts_with("printf") {
            continue;
        }
        let output = Command::new("bash").args(["-c", printed]).output();
        let sent = output.expect("bash runs").stdout;
        assert_eq!(check["sent"], sent.escape_ascii().to_string(), "{line}");
        compared += 1;
    }
    assert!(compared >= 6, "{compared}: {checks:#?}");
    server.stop();
}
