//! A real server: the built program on a free port, ended with the test.

use std::fmt::Display;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use procfs::net::TcpState;
use procfs::process::{FDTarget, Process};
use serde_json::Value;

use super::{
    ASK, ASK_AND_CLOSE, Answer, HOLA, TIMEOUT, WORKERS, answer, ask, children_at_rest, end_of,
    eventually, last_request, rest, send_signal,
};

/// A running server.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    /// Its stderr so far. A thread reads the pipe at once, so that the server never waits to write.
    words: Arc<Mutex<String>>,
    listener: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts `hola serve MODEL` on a free port, and waits for all its workers.
    pub fn start(model: &str) -> Self {
        Self::start_whole(model, &[])
    }

    /// The same with further arguments.
    pub fn start_whole(model: &str, arguments: &[&str]) -> Self {
        let server = Self::start_with(model, arguments);
        eventually("all workers are there", || {
            server.children() == children_at_rest(model, arguments)
        });
        server
    }

    /// The same, without waiting for the workers.
    pub fn start_with(model: &str, arguments: &[&str]) -> Self {
        let mut command = serve(model);
        command.args(["--stats", "json"]).args(arguments);
        Self::run(command)
    }

    /// The same from a shell, after `prelude` (such as `ulimit -n 64`).
    pub fn start_after(prelude: &str, model: &str) -> Self {
        Self::run(serve_after(prelude, &format!("{model} --stats json")))
    }

    /// Starts `command`, which must become a server.
    pub fn run(command: Command) -> Self {
        Self::run_with_stderr(command, Stdio::piped())
    }

    /// The same with that stderr, which is read only if it is a new pipe.
    pub fn run_with_stderr(mut command: Command, stderr: Stdio) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(stderr)
            // A requested panic is quick without a backtrace.
            .env_remove("RUST_BACKTRACE")
            .spawn()
            .expect("the program runs");
        let words = Arc::new(Mutex::new(String::new()));
        let listener = child.stderr.take().map(|pipe| listen(pipe, words.clone()));
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a first line");
        let address = line.split_whitespace().last();
        let address = address.and_then(|address| address.parse().ok());
        Server {
            child,
            address: address.unwrap_or_else(|| panic!("no address in {line:?}")),
            words,
            listener,
        }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().expect("a process id"))
    }

    pub fn signal(&self, signal: Signal) {
        send_signal(&self.child, signal);
    }

    /// A connection with a timeout for reads and writes.
    pub fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).expect("the server accepts");
        socket.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
        socket.set_write_timeout(Some(TIMEOUT)).expect("a timeout");
        socket
    }

    /// Sends `bytes`, closes the sending half, and reads to the end.
    pub fn exchange(&self, bytes: &[u8]) -> String {
        let mut socket = self.connect();
        // A server may answer and close before it has read everything, so a failed write is no error.
        let _ = socket
            .write_all(bytes)
            .and_then(|()| socket.shutdown(Shutdown::Write));
        String::from_utf8(rest(socket)).expect("answers are ASCII")
    }

    /// One request for `path` on a connection of its own.
    pub fn get(&self, path: &str) -> Answer {
        let mut socket = self.connect();
        ask(&mut socket, path);
        answer(socket)
    }

    /// A client that has been answered once, and keeps its connection.
    pub fn answered(&self) -> TcpStream {
        let mut socket = self.connect();
        socket.write_all(ASK).expect("sent");
        answer(&socket);
        socket
    }

    /// The same, so that the server holds it; it stalls in the middle of its next head.
    pub fn stalled(&self) -> TcpStream {
        let mut socket = self.answered();
        socket.write_all(&ASK_AND_CLOSE[..20]).expect("sent");
        socket
    }

    /// One request, one greeting.
    pub fn greets(&self) {
        let answer = self.exchange(ASK_AND_CLOSE);
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nHola, cliente!"),
            "{answer:?}"
        );
    }

    /// Whether its port has a listener, for a server on IPv6. The IPv4 list is long when tests have left thousands of
    /// sockets.
    pub fn listens(&self) -> bool {
        let mut sockets = procfs::net::tcp6().expect("a list of sockets").into_iter();
        sockets.any(|one| one.local_address == self.address && one.state == TcpState::Listen)
    }

    /// Number of entries in a folder of the server process under /proc.
    pub fn count(&self, folder: &str) -> usize {
        fs::read_dir(format!("/proc/{}/{folder}", self.pid()))
            .expect("the process is there")
            .count()
    }

    /// Children, zombies included.
    pub fn children(&self) -> usize {
        self.child_ids().len()
    }

    /// Their process ids, oldest first.
    pub fn child_ids(&self) -> Vec<i32> {
        let thread = self.process().task_main_thread();
        let children = thread.and_then(|thread| thread.children());
        let children = children.expect("the process is there").into_iter();
        let id = |child: u32| child.try_into().expect("a process id");
        children.map(id).collect()
    }

    fn process(&self) -> Process {
        Process::new(self.pid().as_raw()).expect("the process is there")
    }

    /// Connects a client with `connect`, and returns it with the child that holds it. No other client may connect
    /// meanwhile.
    pub fn held(&self, connect: impl Fn(&Self) -> TcpStream) -> (TcpStream, i32) {
        let sockets = |child| {
            // The child may have ended since.
            let files = Process::new(child).and_then(|child| child.fd());
            let files = files.into_iter().flatten().flatten();
            files.filter(|file| matches!(file.target, FDTarget::Socket(_)))
        };
        let sockets_of_children = || -> Vec<(i32, FDTarget)> {
            let children = self.child_ids().into_iter();
            children
                .flat_map(|child| sockets(child).map(move |socket| (child, socket.target)))
                .collect()
        };
        let before = sockets_of_children();
        let is_new = |now: &(i32, FDTarget)| before.iter().all(|(_, socket)| *socket != now.1);
        let client = connect(self);
        let mut holder = None;
        eventually("a child holds the client", || {
            holder = sockets_of_children().into_iter().find(is_new);
            holder.is_some()
        });
        (client, holder.expect("just found").0)
    }

    /// Its stderr so far.
    pub fn words(&self) -> String {
        self.words.lock().expect("no panic").clone()
    }

    /// CPU time so far, in clock ticks of 10 ms.
    pub fn cpu_ticks(&self) -> u64 {
        let stat = self.process().stat().expect("the process is there");
        stat.utime + stat.stime
    }

    /// Waits for its end; returns its exit status and its stderr.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let status = end_of(&mut self.child);
        if let Some(listener) = self.listener.take() {
            listener.join().expect("text");
        }
        (status, self.words())
    }

    /// Asks it to stop, which must succeed. Returns its counters.
    pub fn stop(self) -> Value {
        self.report()["counters"].take()
    }

    /// The same; returns its whole report.
    pub fn report(self) -> Value {
        self.signal(Signal::SIGTERM);
        let (status, words) = self.wait();
        assert!(status.success(), "{status}: {words}");
        serde_json::from_str(words.lines().last().expect("a report")).expect("JSON")
    }

    /// Stops it while that many clients send requests without a pause. No answer may be cut short, and the server must
    /// end with success.
    pub fn stop_under_load(self, clients: usize) {
        self.stop_while_asked_for("/", "Hola, cliente!", clients, 500);
    }

    /// The same for `path` with the answer `body`, once there have been more than `enough` answers.
    pub fn stop_while_asked_for(self, path: &str, body: &str, clients: usize, enough: u32) {
        let answered = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..clients {
                scope.spawn(|| {
                    // Until the listener is closed.
                    while let Ok(mut socket) = TcpStream::connect(self.address) {
                        let _ = socket.write_all(last_request(path).as_bytes());
                        let answer = rest(socket);
                        let whole = answer.is_empty() || answer.ends_with(body.as_bytes());
                        assert!(whole, "{}", answer.escape_ascii());
                        answered.fetch_add(u32::from(!answer.is_empty()), Ordering::Relaxed);
                    }
                });
            }
            eventually("the load runs", || {
                answered.load(Ordering::Relaxed) > enough
            });
            self.signal(Signal::SIGTERM);
        });
        let (status, words) = self.wait();
        assert!(status.success(), "{status}: {words}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Stops a server, which must have closed every client that it accepted, and have counted what is expected. Returns its
/// counters.
pub fn stop_with(server: Server, way: impl Display, expected: &[(&str, usize)]) -> Value {
    let counters = server.stop();
    let closed = &counters["closed"];
    assert_eq!(&counters["accepted"], closed, "{way}: {counters}");
    for &(name, count) in expected {
        assert_eq!(counters[name], count, "{way}: {name}: {counters}");
    }
    counters
}

/// `hola serve MODEL` on a free port.
pub fn serve(model: &str) -> Command {
    serve_by(Command::new(HOLA), &format!("{model} --workers {WORKERS}"))
}

/// `hola serve` on a free port, run by `command`, with these arguments, separated by spaces.
pub fn serve_by(mut command: Command, arguments: &str) -> Command {
    command.args(["serve", "--bind", "127.0.0.1:0"]);
    command.args(arguments.split(' '));
    command
}

/// The same, run by a shell after `prelude`.
pub fn serve_after(prelude: &str, arguments: &str) -> Command {
    let mut command = Command::new("sh");
    let script = format!("{prelude} && exec \"$0\" serve --bind 127.0.0.1:0 {arguments}");
    command.args(["-c", &script, HOLA]);
    command
}

/// Appends the lines of `pipe` to `words` until the pipe is closed.
fn listen(pipe: impl Read + Send + 'static, words: Arc<Mutex<String>>) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let line = line.expect("text");
            let mut words = words.lock().expect("no panic");
            words.push_str(&line);
            words.push('\n');
        }
    })
}
