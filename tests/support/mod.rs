//! A real server for a test: the built program on a free port, ended with the test.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use hola_servers::models::{Attention, Capacity, MODELS, find};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// The program under test.
pub const HOLA: &str = env!("CARGO_BIN_EXE_hola");

/// Longest a test waits for anything: far beyond what a working server needs, so that a broken one fails, not hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Workers of every server here that has a fixed number of them.
pub const WORKERS: usize = 3;

/// Names of all models that this system has, in teaching order.
pub fn models() -> impl Iterator<Item = &'static str> {
    let available = MODELS.iter().filter(|model| (model.available)().is_ok());
    available.map(|model| model.name)
}

/// Clients that a model serves at once with [`WORKERS`]; `None` is as many as come.
pub fn serves_at_once(model: &str) -> Option<usize> {
    find(model).expect("a model").serves_at_once(WORKERS)
}

/// Processes below the server's own while nobody is connected.
pub fn children_at_rest(model: &str) -> usize {
    let model = find(model).expect("a model");
    match (model.attention, model.capacity) {
        (Attention::Process, Capacity::Workers) => WORKERS,
        _ => 0,
    }
}

/// Does `work` for every model at the same time; a failure names its model.
pub fn for_each_model(work: impl Fn(&'static str) + Sync) {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = models()
            .map(|model| (model, scope.spawn(move || work(model))))
            .collect();
        for (model, thread) in threads {
            assert!(thread.join().is_ok(), "{model} failed; its panic is above");
        }
    });
}

/// A running server.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts `hola serve MODEL` on a free port.
    pub fn start(model: &str) -> Self {
        let server = Self::start_with(model, &[]);
        eventually("all workers are there", || {
            server.children() == children_at_rest(model)
        });
        server
    }

    /// The same with further arguments.
    pub fn start_with(model: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(HOLA);
        command
            .args(["serve", model, "--bind", "127.0.0.1:0", "--stats", "json"])
            .args(["--workers", &WORKERS.to_string()])
            .args(arguments);
        Self::run(command)
    }

    /// The same from a shell, after `prelude` (such as `ulimit -n 64`).
    pub fn start_after(prelude: &str, model: &str) -> Self {
        let mut command = Command::new("sh");
        let script =
            format!("{prelude} && exec \"$0\" serve {model} --bind 127.0.0.1:0 --stats json");
        command.args(["-c", &script, HOLA]);
        Self::run(command)
    }

    /// Starts `command`, which must become a server.
    pub fn run(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a first line");
        let address = line
            .trim()
            .rsplit(' ')
            .next()
            .and_then(|address| address.parse().ok());
        Server {
            child,
            address: address.unwrap_or_else(|| panic!("no address in {line:?}")),
        }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().expect("a process id"))
    }

    pub fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("the server is there");
    }

    /// A connection whose reads and writes give up in the end.
    pub fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).expect("the server accepts");
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        socket.set_write_timeout(Some(PATIENCE)).expect("a timeout");
        socket
    }

    /// Sends `octets`, closes the sending half, and reads to the end.
    pub fn exchange(&self, octets: &[u8]) -> String {
        let mut socket = self.connect();
        // A server may answer and close before it has read everything: that is its right, and not this write's failure.
        let _ = socket
            .write_all(octets)
            .and_then(|()| socket.shutdown(std::net::Shutdown::Write));
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        String::from_utf8(answer).expect("answers are ASCII")
    }

    /// One request, one greeting.
    pub fn greets(&self) {
        let answer = self.exchange(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nHola, cliente!"),
            "{answer:?}"
        );
    }

    /// Entries of a folder of this process under /proc.
    pub fn count(&self, folder: &str) -> usize {
        fs::read_dir(format!("/proc/{}/{folder}", self.pid()))
            .expect("the process is there")
            .count()
    }

    /// Children, zombies included.
    pub fn children(&self) -> usize {
        let path = format!("/proc/{0}/task/{0}/children", self.pid());
        fs::read_to_string(path)
            .expect("the process is there")
            .split_whitespace()
            .count()
    }

    /// CPU time so far, in clock ticks of 10 ms.
    pub fn cpu_ticks(&self) -> u64 {
        let stat =
            fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("the process is there");
        let after_name = stat.rsplit(')').next().expect("fields");
        after_name
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|field| field.parse::<u64>().expect("a number"))
            .sum()
    }

    /// Waits for the end; what it said on stderr comes with it.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "the server does not end");
            std::thread::sleep(Duration::from_millis(2));
        };
        let mut words = String::new();
        self.child
            .stderr
            .take()
            .expect("piped")
            .read_to_string(&mut words)
            .expect("text");
        (status, words)
    }

    /// Asks it to stop; it must end well. Gives its counters.
    pub fn stop(self) -> Value {
        self.signal(Signal::SIGTERM);
        let (status, words) = self.wait();
        assert!(status.success(), "{status}: {words}");
        let report: Value =
            serde_json::from_str(words.lines().last().expect("a report")).expect("JSON");
        report["counters"].clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `holds`; a condition that never comes fails the test.
pub fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The value of `look` once it has been the same for a while: a server has started all its workers by then.
pub fn settled<T: PartialEq + std::fmt::Debug>(look: impl Fn() -> T) -> T {
    const LOOKS: u32 = 30;
    let deadline = Instant::now() + PATIENCE;
    let (mut value, mut same) = (look(), 0);
    while same < LOOKS {
        assert!(Instant::now() < deadline, "never settles: {value:?}");
        std::thread::sleep(Duration::from_millis(5));
        let next = look();
        same = if next == value { same + 1 } else { 0 };
        value = next;
    }
    value
}

/// The status codes of a stream of answers.
pub fn statuses(answers: &str) -> Vec<u16> {
    answers
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| answer[..3].parse().expect("a status code"))
        .collect()
}

/// Runs the program to its end.
pub fn hola(arguments: &[&str]) -> (ExitStatus, String, String) {
    let output = Command::new(HOLA)
        .args(arguments)
        .output()
        .expect("the program runs");
    let text = |octets: Vec<u8>| String::from_utf8(octets).expect("text");
    (output.status, text(output.stdout), text(output.stderr))
}
