//! `hola client`: against the real servers, and against servers that a test scripts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use socket2::{Domain, Socket, Type};

use crate::support::{HOLA, Server, TIMEOUT, end_of, refused, reset_on_close, send_signal};

/// A running client. A test can wait for each line that it prints.
struct Client {
    child: Child,
    keyboard: Option<ChildStdin>,
    screen: Receiver<String>,
}

impl Client {
    fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(HOLA);
        command.arg("client").args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = command.stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the program runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (screen, lines) = channel();
        thread::spawn(move || stdout.try_for_each(|line| screen.send(line.expect("text"))));
        Client {
            keyboard: child.stdin.take(),
            child,
            screen: lines,
        }
    }

    /// A client, and the other end of its connection.
    fn connected(arguments: &[&str]) -> (Self, Peer) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let client = Client::start(&[&[address.as_str()], arguments].concat());
        (client, Peer::accept(&listener))
    }

    fn types(&mut self, text: impl AsRef<[u8]>) {
        let mut keyboard = self.keyboard.as_ref().expect("not left yet");
        keyboard.write_all(text.as_ref()).expect("typed");
    }

    /// Ends the input.
    fn leaves(&mut self) {
        self.keyboard = None;
    }

    /// Waits for the next printed line, without its prefix.
    fn prints(&self, line: &str) {
        let printed = self.screen.recv_timeout(TIMEOUT).expect("a line");
        assert_eq!(printed, format!("[SERVIDOR] {line}"));
    }

    /// Waits for the end; returns the exit code, the printed lines that no test has waited for, and the messages.
    fn end(mut self) -> (Option<i32>, Vec<String>, String) {
        let status = end_of(&mut self.child);
        let mut messages = String::new();
        let mut stderr = self.child.stderr.take().expect("piped");
        stderr.read_to_string(&mut messages).expect("text");
        (status.code(), self.screen.iter().collect(), messages)
    }

    /// Waits for the end, which must be this one; the lines are without their prefix.
    fn ends(self, code: i32, lines: &[&str], messages: &str) {
        let printed = |line: &&str| format!("[SERVIDOR] {line}");
        let lines: Vec<String> = lines.iter().map(printed).collect();
        assert_eq!(self.end(), (Some(code), lines, messages.to_owned()));
    }

    fn ends_well(self, lines: &[&str]) {
        self.ends(0, lines, "");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server of one client, as a test plays it. It closes when it is dropped.
struct Peer(TcpStream);

impl Peer {
    fn accept(listener: &TcpListener) -> Self {
        let (socket, _) = listener.accept().expect("a client");
        socket.set_nodelay(true).expect("an option");
        socket.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        Peer(socket)
    }

    /// Reads once, which must bring these bytes; none after the client has left.
    fn gets(&mut self, bytes: impl AsRef<[u8]>) {
        let mut space = [0; 1024];
        let count = self.0.read(&mut space).expect("the client is there");
        let (got, wanted) = (space[..count].escape_ascii(), bytes.as_ref().escape_ascii());
        assert_eq!(got.to_string(), wanted.to_string());
    }

    fn sends(&mut self, bytes: impl AsRef<[u8]>) {
        let sent = self.0.write_all(bytes.as_ref());
        sent.expect("the client is there");
    }
}

#[test]
fn each_line_of_a_pipe_is_a_message_that_is_answered() {
    let acknowledged = &["Mensaje recibido"; 3][..];
    for (conversation, input, answers) in [
        ("ack", "hola\nadiós\ny nada más\n", acknowledged),
        ("echo", "hola\n  ¿adiós?\t\n", &["hola", "  ¿adiós?\\t"]),
    ] {
        let option = ["--conversation", conversation];
        let server = Server::start_with("thread-per-client", &option);
        let address = server.address.to_string();
        for arguments in [&[][..], &option] {
            let mut client = Client::start(&[&[address.as_str()], arguments].concat());
            client.types(input);
            client.leaves();
            client.ends_well(answers);
        }
        let counters = server.stop();
        assert_eq!(counters["answers"], 2 * answers.len());
        assert_eq!(counters["closed"], 2);
    }
}

#[test]
fn a_long_line_comes_back_whole() {
    let server = Server::start_with("thread-per-client", &["--conversation", "echo"]);
    let line = "ñandú ".repeat(50_000);
    let mut client = Client::start(&[&server.address.to_string(), "--conversation", "echo"]);
    client.types(&line);
    client.leaves();
    let (code, lines, messages) = client.end();
    assert_eq!((code, messages.as_str()), (Some(0), ""));
    let pieces = lines.iter().map(|line| &line["[SERVIDOR] ".len()..]);
    assert_eq!(pieces.collect::<String>(), line);
    server.stop();
}

#[test]
fn sends_lines_without_their_ends_and_empty_ones_not_at_all() {
    let (mut client, mut server) = Client::connected(&[]);
    client.types(b"uno\r\n\n dos \n\ntr\xffes");
    client.leaves();
    for message in [&b"uno"[..], b" dos ", b"tr\xffes"] {
        server.gets(message);
        server.sends(".");
    }
    server.gets("");
    drop(server);
    client.ends_well(&["."; 3]);
}

#[test]
fn a_server_that_only_listens_gets_every_line_as_a_message_of_its_own() {
    let (mut client, mut server) = Client::connected(&[]);
    client.types("uno\ndos\n");
    client.leaves();
    for message in ["uno", "dos", ""] {
        server.gets(message);
    }
    // The server does not even close; the client ends nevertheless.
    client.ends_well(&[]);
}

#[test]
fn with_a_conversation_a_line_waits_for_the_whole_answer_to_the_one_before() {
    let (mut client, mut server) = Client::connected(&["--conversation", "echo"]);
    client.types("uno\ndos\n");
    server.gets("uno");
    server.sends("u");
    client.prints("u");
    // A client without `--conversation` would now send its next line, because it has received something.
    let moment = Some(Duration::from_millis(300));
    server.0.set_read_timeout(moment).expect("a timeout");
    let early = server.0.read(&mut [0; 1]);
    assert!(early.is_err(), "the second line went out early");
    server.0.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
    server.sends("no");
    server.gets("dos");
    server.sends("dos");
    client.leaves();
    server.gets("");
    drop(server);
    client.ends_well(&["no", "dos"]);
}

#[test]
fn with_a_conversation_an_answer_that_never_comes_is_an_error() {
    let (mut client, mut server) = Client::connected(&["--conversation", "ack"]);
    client.types("uno\n");
    client.leaves();
    server.gets("uno");
    client.ends(1, &[], "hola: no whole answer within 5 s\n");
}

#[test]
fn prints_what_comes_unasked_with_or_without_a_line_end() {
    let (mut client, mut server) = Client::connected(&[]);
    server.sends("Bienvenido");
    client.prints("Bienvenido");
    // Half a line is typed, and nothing is sent yet.
    client.types("ho");
    server.sends("uno\r\n\n¿dos?\n");
    for line in ["uno", "", "¿dos?"] {
        client.prints(line);
    }
    client.types("la\n");
    server.gets("hola");
    client.leaves();
    server.gets("");
    drop(server);
    client.ends_well(&[]);
}

#[test]
fn what_comes_cannot_command_the_terminal_and_characters_in_two_parts_are_printed_whole() {
    let (mut client, mut server) = Client::connected(&[]);
    for (sent, printed) in [
        (
            &b"\x1b[2J\x1b]0;title\x07\r\x08\0\x7f\xc2\x9b31m \xff \xe2\x80\xaefin\n"[..],
            r"\u{1b}[2J\u{1b}]0;title\u{7}\r\u{8}\0\u{7f}\u{9b}31m \xff \u{202e}fin",
        ),
        (b"mu\xc3", "mu"),
        (b"\xb1eca \xe2\x82", "ñeca "),
    ] {
        server.sends(sent);
        client.prints(printed);
    }
    client.leaves();
    drop(server);
    // The server's last character stays incomplete.
    client.ends_well(&["\\xe2\\x82"]);
}

#[test]
fn salir_leaves_and_neither_it_nor_anything_after_it_is_sent() {
    for word in ["salir\n", "  salir \r\n", "salir", "salir\ndos\n"] {
        let (mut client, mut server) = Client::connected(&[]);
        client.types("hola\n");
        server.gets("hola");
        client.types(word);
        if !word.ends_with('\n') {
            client.leaves();
        }
        server.gets("");
        // The answer may come late, and is still printed.
        server.sends("Mensaje recibido");
        drop(server);
        client.ends_well(&["Mensaje recibido"]);
    }
}

#[test]
fn a_reset_after_leaving_is_no_error() {
    let (mut client, mut server) = Client::connected(&[]);
    client.types("salir\n");
    server.gets("");
    reset_on_close(&server.0);
    drop(server);
    client.ends_well(&[]);
}

#[test]
fn a_server_that_goes_away_is_named_while_nothing_is_typed() {
    for abruptly in [false, true] {
        let (client, mut server) = Client::connected(&[]);
        server.sends("Hasta luego\n");
        client.prints("Hasta luego");
        if abruptly {
            reset_on_close(&server.0);
        }
        drop(server);
        client.ends(1, &[], "hola: the server closed the connection\n");
    }
}

#[test]
fn a_server_that_closes_after_the_last_answer_is_no_error() {
    let (mut client, mut server) = Client::connected(&[]);
    client.types("Hola servidor!\n");
    client.leaves();
    server.gets("Hola servidor!");
    server.sends("Mensaje recibido");
    server.0.shutdown(Shutdown::Write).expect("connected");
    client.ends_well(&["Mensaje recibido"]);
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
        let stderr = refused(1, &[&["client", &address], arguments].concat());
        let expected = format!(
            "hola: nobody listens at {address} (start one with: hola serve thread-per-client \
             --conversation {conversation} --bind {address})\n"
        );
        assert_eq!(stderr, expected);
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
    let stderr = refused(1, &["client", &address]);
    assert_eq!(stderr, format!("hola: {address} does not answer\n"));
}

#[test]
fn a_bad_address_is_a_usage_error() {
    // Separated by commas; the first one is empty.
    const BAD: &str = ",nowhere,127.0.0.1,127.0.0.1:x,:,0,65536,::1:80,[::1],a:0,a:65536,a b:1,http://a:80,\
        http://a:80/";
    for bad in BAD.split(',') {
        let stderr = refused(2, &["client", bad]);
        assert!(stderr.contains("such as 127.0.0.1:8080"), "{bad}: {stderr}");
    }
    refused(2, &["client", "--conversation", "http"]);
}

#[test]
fn finds_a_server_by_name_and_by_port_alone() {
    let server = Server::start_with("iterative", &["--conversation", "ack"]);
    let port = server.address.port();
    let named = format!("localhost:{port}");
    let found = format!("hola: {named} is {}\n", server.address);
    let alone = [(port.to_string(), ""), (format!(":{port}"), "")];
    for (typed, messages) in [(named, &*found)].into_iter().chain(alone) {
        let mut client = Client::start(&[&typed]);
        client.types("hola\n");
        client.leaves();
        client.ends(0, &["Mensaje recibido"], messages);
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
    let mut server = Peer::accept(&listener);
    server.sends("hola");
    client.prints("hola");
    client.leaves();
    drop(server);
    client.ends_well(&[]);
}

#[test]
fn an_interrupt_ends_with_130() {
    let (client, mut server) = Client::connected(&[]);
    send_signal(&client.child, Signal::SIGINT);
    server.gets("");
    client.ends(130, &[], "");
}
