//! Tests `hola client`: against the real servers, and against peers that a test scripts.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use socket2::{Domain, SockRef, Socket, Type};

use self::support::{HOLA, Server, TIMEOUT, hola};

/// A running client. A test can wait for each line that it prints.
struct Client {
    child: Child,
    keyboard: Option<ChildStdin>,
    screen: Receiver<String>,
}

/// The result of a client that has ended.
#[derive(Debug, PartialEq, Eq)]
struct End {
    code: Option<i32>,
    /// Printed lines that the test has not waited for.
    unread: Vec<String>,
    stderr: String,
}

impl End {
    fn good(lines: &[&str]) -> Self {
        End {
            code: Some(0),
            unread: lines.iter().map(|&line| line.to_owned()).collect(),
            stderr: String::new(),
        }
    }

    fn bad(stderr: &str) -> Self {
        End {
            code: Some(1),
            unread: Vec::new(),
            stderr: stderr.to_owned(),
        }
    }
}

impl Client {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(HOLA)
            .arg("client")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (screen, lines) = channel();
        thread::spawn(move || {
            stdout
                .lines()
                .try_for_each(|line| screen.send(line.expect("text")))
        });
        Client {
            keyboard: child.stdin.take(),
            child,
            screen: lines,
        }
    }

    /// A client, and the other end of its connection.
    fn connected(arguments: &[&str]) -> (Self, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let client = Client::start(&[&[address.as_str()], arguments].concat());
        (client, accept(&listener))
    }

    fn types(&mut self, text: &str) {
        let mut keyboard = self.keyboard.as_ref().expect("not left yet");
        keyboard.write_all(text.as_bytes()).expect("typed");
    }

    /// The next printed line.
    fn line(&self) -> String {
        self.screen.recv_timeout(TIMEOUT).expect("a line")
    }

    /// Ends the input.
    fn leaves(&mut self) {
        self.keyboard = None;
    }

    fn end(mut self) -> End {
        let deadline = Instant::now() + TIMEOUT;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "the client does not end");
            thread::sleep(Duration::from_millis(2));
        };
        let mut stderr = String::new();
        let mut pipe = self.child.stderr.take().expect("piped");
        pipe.read_to_string(&mut stderr).expect("text");
        End {
            code: status.code(),
            unread: self.screen.iter().collect(),
            stderr,
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client that is given `input` through a pipe.
fn piped(address: SocketAddr, arguments: &[&str], input: &str) -> End {
    let mut client = Client::start(&[&[address.to_string().as_str()], arguments].concat());
    client.types(input);
    client.leaves();
    client.end()
}

fn accept(listener: &TcpListener) -> TcpStream {
    let (socket, _) = listener.accept().expect("a client");
    socket.set_nodelay(true).expect("an option");
    socket.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
    socket
}

/// The text of one read; empty after the client has left.
fn read(mut socket: &TcpStream) -> String {
    let mut space = [0; 1024];
    let count = socket.read(&mut space).expect("the client is there");
    String::from_utf8(space[..count].to_vec()).expect("text")
}

fn write(mut socket: &TcpStream, bytes: &[u8]) {
    socket.write_all(bytes).expect("the client is there");
}

#[test]
fn each_line_of_a_pipe_is_a_message_that_is_acknowledged() {
    let server = Server::start_with("thread-per-client", &["--conversation", "ack"]);
    for arguments in [&[][..], &["--conversation", "ack"]] {
        let end = piped(server.address, arguments, "hola\nadiós\ny nada más\n");
        assert_eq!(end, End::good(&["[SERVIDOR] Mensaje recibido"; 3]));
    }
    let counters = server.stop();
    assert_eq!(
        (&counters["answers"], &counters["closed"]),
        (&6.into(), &2.into())
    );
}

#[test]
fn each_line_of_a_pipe_comes_back_from_an_echo() {
    let server = Server::start_with("thread-per-client", &["--conversation", "echo"]);
    for arguments in [&[][..], &["--conversation", "echo"]] {
        let end = piped(server.address, arguments, "hola\n  ¿adiós?\t\n");
        assert_eq!(
            end,
            End::good(&["[SERVIDOR] hola", "[SERVIDOR]   ¿adiós?\\t"])
        );
    }
    server.stop();
}

#[test]
fn a_long_line_comes_back_whole() {
    let server = Server::start_with("thread-per-client", &["--conversation", "echo"]);
    let line = "ñandú ".repeat(50_000);
    let end = piped(server.address, &["--conversation", "echo"], &line);
    assert_eq!((end.code, end.stderr.as_str()), (Some(0), ""));
    let pieces = end.unread.iter().map(|line| &line["[SERVIDOR] ".len()..]);
    assert_eq!(pieces.collect::<String>(), line);
    server.stop();
}

#[test]
fn sends_lines_without_their_ends_and_empty_ones_not_at_all() {
    let (mut client, socket) = Client::connected(&[]);
    client.types("uno\r\n\n dos \n\ntres");
    client.leaves();
    for expected in ["uno", " dos ", "tres"] {
        assert_eq!(read(&socket), expected);
        write(&socket, b".");
    }
    assert_eq!(read(&socket), "");
    drop(socket);
    assert_eq!(client.end(), End::good(&["[SERVIDOR] ."; 3]));
}

#[test]
fn a_server_that_only_listens_gets_every_line_as_a_message_of_its_own() {
    let (mut client, socket) = Client::connected(&[]);
    client.types("uno\ndos\n");
    client.leaves();
    for expected in ["uno", "dos", ""] {
        assert_eq!(read(&socket), expected);
    }
    // The server does not even close; the client ends nevertheless.
    assert_eq!(client.end(), End::good(&[]));
}

#[test]
fn with_a_conversation_a_line_waits_for_the_whole_answer_to_the_one_before() {
    let (mut client, socket) = Client::connected(&["--conversation", "echo"]);
    client.types("uno\ndos\n");
    assert_eq!(read(&socket), "uno");
    write(&socket, b"u");
    assert_eq!(client.line(), "[SERVIDOR] u");
    // A client without `--conversation` would now send its next line, because it has received something.
    let moment = Some(Duration::from_millis(300));
    socket.set_read_timeout(moment).expect("a timeout");
    assert!(
        (&socket).read(&mut [0; 1]).is_err(),
        "the second line went out early"
    );
    socket.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
    write(&socket, b"no");
    assert_eq!(read(&socket), "dos");
    write(&socket, b"dos");
    client.leaves();
    assert_eq!(read(&socket), "");
    drop(socket);
    assert_eq!(
        client.end(),
        End::good(&["[SERVIDOR] no", "[SERVIDOR] dos"])
    );
}

#[test]
fn with_a_conversation_an_answer_that_never_comes_is_an_error() {
    let (mut client, socket) = Client::connected(&["--conversation", "ack"]);
    client.types("uno\n");
    client.leaves();
    assert_eq!(read(&socket), "uno");
    assert_eq!(client.end(), End::bad("hola: no whole answer within 5 s\n"));
}

#[test]
fn prints_what_comes_unasked_with_or_without_a_line_end() {
    let (mut client, socket) = Client::connected(&[]);
    write(&socket, b"Bienvenido");
    assert_eq!(client.line(), "[SERVIDOR] Bienvenido");
    // Half a line is typed, and nothing is sent yet.
    client.types("ho");
    write(&socket, "uno\r\n\n¿dos?\n".as_bytes());
    for expected in ["[SERVIDOR] uno", "[SERVIDOR] ", "[SERVIDOR] ¿dos?"] {
        assert_eq!(client.line(), expected);
    }
    client.types("la\n");
    assert_eq!(read(&socket), "hola");
    client.leaves();
    assert_eq!(read(&socket), "");
    drop(socket);
    assert_eq!(client.end(), End::good(&[]));
}

#[test]
fn prints_a_character_whole_that_comes_in_two_parts() {
    let (mut client, socket) = Client::connected(&[]);
    write(&socket, b"mu\xc3");
    assert_eq!(client.line(), "[SERVIDOR] mu");
    write(&socket, b"\xb1eca \xe2\x82");
    assert_eq!(client.line(), "[SERVIDOR] ñeca ");
    client.leaves();
    drop(socket);
    // The server's last character stays incomplete.
    assert_eq!(client.end(), End::good(&["[SERVIDOR] \\xe2\\x82"]));
}

#[test]
fn a_server_cannot_command_the_terminal() {
    let (mut client, socket) = Client::connected(&[]);
    write(
        &socket,
        b"\x1b[2J\x1b]0;title\x07\r\x08\0\x7f\xc2\x9b31m \xff \xe2\x80\xaefin",
    );
    assert_eq!(
        client.line(),
        r"[SERVIDOR] \u{1b}[2J\u{1b}]0;title\u{7}\r\u{8}\0\u{7f}\u{9b}31m \xff \u{202e}fin"
    );
    client.leaves();
    drop(socket);
    assert_eq!(client.end(), End::good(&[]));
}

#[test]
fn salir_leaves_without_being_sent() {
    for word in ["salir\n", "  salir \r\n", "salir"] {
        let (mut client, socket) = Client::connected(&[]);
        client.types("hola\n");
        assert_eq!(read(&socket), "hola");
        client.types(word);
        if !word.ends_with('\n') {
            client.leaves();
        }
        assert_eq!(read(&socket), "", "{word:?}");
        // The answer may come late, and is still printed.
        write(&socket, b"Mensaje recibido");
        drop(socket);
        assert_eq!(
            client.end(),
            End::good(&["[SERVIDOR] Mensaje recibido"]),
            "{word:?}"
        );
    }
}

#[test]
fn nothing_is_sent_after_salir() {
    let server = Server::start_with("iterative", &["--conversation", "ack"]);
    let end = piped(server.address, &[], "uno\nsalir\ndos\n");
    assert_eq!(end, End::good(&["[SERVIDOR] Mensaje recibido"]));
    assert_eq!(server.stop()["answers"], 1);
}

#[test]
fn a_reset_after_leaving_is_no_error() {
    let (mut client, socket) = Client::connected(&[]);
    client.types("salir\n");
    assert_eq!(read(&socket), "");
    reset_on_close(&socket);
    drop(socket);
    assert_eq!(client.end(), End::good(&[]));
}

#[test]
fn a_server_that_goes_away_is_named_while_nothing_is_typed() {
    for abruptly in [false, true] {
        let (client, socket) = Client::connected(&[]);
        write(&socket, b"Hasta luego\n");
        assert_eq!(client.line(), "[SERVIDOR] Hasta luego");
        if abruptly {
            reset_on_close(&socket);
        }
        drop(socket);
        assert_eq!(
            client.end(),
            End::bad("hola: the server closed the connection\n")
        );
    }
}

#[test]
fn a_server_that_closes_after_the_last_answer_is_no_error() {
    let (mut client, socket) = Client::connected(&[]);
    client.types("Hola servidor!\n");
    client.leaves();
    assert_eq!(read(&socket), "Hola servidor!");
    write(&socket, b"Mensaje recibido");
    socket.shutdown(Shutdown::Write).expect("connected");
    assert_eq!(client.end(), End::good(&["[SERVIDOR] Mensaje recibido"]));
}

/// Makes close(2) send a reset instead of a FIN.
fn reset_on_close(socket: &TcpStream) {
    let no_linger = Some(Duration::ZERO);
    SockRef::from(socket)
        .set_linger(no_linger)
        .expect("an option");
}

/// An address that refuses connections for as long as the socket lives: bound but not listening.
fn refusing() -> (Socket, String) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    socket.bind(&any_port.into()).expect("a port");
    let address = socket.local_addr().expect("an address");
    let address = address.as_socket().expect("IPv4").to_string();
    (socket, address)
}

#[test]
fn an_absent_server_is_one_line_that_says_how_to_start_one() {
    let (_socket, address) = refusing();
    for (arguments, conversation) in [(&[][..], "ack"), (&["--conversation", "echo"], "echo")] {
        let (status, stdout, stderr) = hola(&[&["client", &address], arguments].concat());
        assert_eq!((status.code(), stdout.as_str()), (Some(1), ""));
        assert_eq!(
            stderr,
            format!(
                "hola: nobody listens at {address} (start one with: hola serve thread-per-client \
                 --conversation {conversation} --bind {address})\n"
            )
        );
    }
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let (full, address) = refusing();
    full.listen(0).expect("a listener");
    let address_known: SocketAddr = address.parse().expect("an address");
    // The accept queue has room for one client; the kernel drops further connections and does not refuse them.
    let moment = Duration::from_millis(50);
    let connect = || TcpStream::connect_timeout(&address_known, moment);
    let waiting: Vec<_> = std::iter::from_fn(|| connect().ok()).collect();
    assert!(!waiting.is_empty());
    let (status, _, stderr) = hola(&["client", &address]);
    assert_eq!(status.code(), Some(1));
    assert_eq!(stderr, format!("hola: {address} does not answer\n"));
}

#[test]
fn a_bad_address_is_a_usage_error() {
    for bad in [
        "nowhere",
        "127.0.0.1",
        "127.0.0.1:x",
        "::1:80",
        "a:0",
        "http://a:80/",
        "",
    ] {
        let (status, stdout, stderr) = hola(&["client", bad]);
        assert_eq!((status.code(), stdout.as_str()), (Some(2), ""), "{bad}");
        assert!(stderr.contains("such as 127.0.0.1:8080"), "{bad}: {stderr}");
    }
    let (status, _, stderr) = hola(&["client", "--conversation", "http"]);
    assert_eq!(status.code(), Some(2), "{stderr}");
}

#[test]
fn finds_a_server_by_name_and_by_port_alone() {
    let server = Server::start_with("iterative", &["--conversation", "ack"]);
    let port = server.address.port();
    let named = format!("localhost:{port}");
    for (typed, said) in [
        (
            named.clone(),
            format!("hola: {named} is {}\n", server.address),
        ),
        (port.to_string(), String::new()),
        (format!(":{port}"), String::new()),
    ] {
        let mut client = Client::start(&[&typed]);
        client.types("hola\n");
        client.leaves();
        let end = End {
            stderr: said,
            ..End::good(&["[SERVIDOR] Mensaje recibido"])
        };
        assert_eq!(client.end(), end, "{typed}");
    }
}

#[test]
fn talks_over_ipv6() {
    let listener = match TcpListener::bind("[::1]:0") {
        Ok(listener) => listener,
        Err(error) => return println!("skipped: no IPv6 here: {error}"),
    };
    let address = listener.local_addr().expect("an address").to_string();
    let mut client = Client::start(&[&address]);
    let socket = accept(&listener);
    write(&socket, b"hola");
    assert_eq!(client.line(), "[SERVIDOR] hola");
    client.leaves();
    drop(socket);
    assert_eq!(client.end(), End::good(&[]));
}

#[test]
fn an_interrupt_ends_with_130() {
    let (client, socket) = Client::connected(&[]);
    let process = Pid::from_raw(client.child.id().try_into().expect("a process id"));
    kill(process, Signal::SIGINT).expect("the client is there");
    assert_eq!(client.end().code, Some(130));
    assert_eq!(read(&socket), "");
}
