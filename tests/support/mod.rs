//! A real server for a test: the built program on a free port, ended with the test.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hola_servers::models::{Attention, Capacity, MODELS, Model, find};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// The program under test.
pub const HOLA: &str = env!("CARGO_BIN_EXE_hola");

/// Longest wait of a test: far longer than a working server needs, so that a broken one fails and does not hang.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// Workers of every server here that has a fixed number of them.
pub const WORKERS: usize = 3;

/// A request after which the connection stays.
pub const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n";

/// A request after which the server closes.
pub const ASK_AND_CLOSE: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";

/// All models that this system has, in teaching order.
pub fn table() -> impl Iterator<Item = &'static Model> {
    MODELS.iter().filter(|model| (model.available)().is_ok())
}

/// Names of all models that this system has, in teaching order.
pub fn models() -> impl Iterator<Item = &'static str> {
    table().map(|model| model.name)
}

/// Clients that a model serves at once with [`WORKERS`]; `None` means no limit.
pub fn serves_at_once(model: &str) -> Option<usize> {
    find(model).expect("a model").serves_at_once(WORKERS)
}

/// Child processes of the server while no client is connected.
pub fn children_at_rest(model: &str, arguments: &[&str]) -> usize {
    let model = find(model).expect("a model");
    match (model.attention, model.capacity) {
        (Attention::Process, Capacity::Workers) => WORKERS,
        _ if arguments.contains(&"--processes") => WORKERS,
        _ => 0,
    }
}

/// A model and further arguments: one way of serving.
pub type Way = (&'static str, Vec<&'static str>);

/// Every way of giving clients to processes other than the server's own.
pub fn ways_with_processes() -> Vec<Way> {
    let with_processes = |model: &'static Model| match model.attention {
        Attention::Process => Some((model.name, vec![])),
        _ if model.threads_or_processes => Some((model.name, vec!["--processes"])),
        _ => None,
    };
    table().filter_map(with_processes).collect()
}

/// Does `work` for every model at the same time; a failure names its model.
pub fn for_each_model(work: impl Fn(&'static str) + Sync) {
    for_each(&models().collect::<Vec<_>>(), |&model| work(model));
}

/// Does `work` for everything in `list` at the same time; a failure names its item.
pub fn for_each<T: std::fmt::Debug + Sync>(list: &[T], work: impl Fn(&T) + Sync) {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = list
            .iter()
            .map(|item| (item, scope.spawn(move || work(item))))
            .collect();
        for (item, thread) in threads {
            assert!(thread.join().is_ok(), "{item:?} failed; its panic is above");
        }
    });
}

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
        let mut command = Command::new("sh");
        let script =
            format!("{prelude} && exec \"$0\" serve {model} --bind 127.0.0.1:0 --stats json");
        command.args(["-c", &script, HOLA]);
        Self::run(command)
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
        let address = line
            .trim()
            .rsplit(' ')
            .next()
            .and_then(|address| address.parse().ok());
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
        kill(self.pid(), signal).expect("the server is there");
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
            .and_then(|()| socket.shutdown(std::net::Shutdown::Write));
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        String::from_utf8(answer).expect("answers are ASCII")
    }

    /// One request for `path` on a connection of its own.
    pub fn get(&self, path: &str) -> Answer {
        let mut socket = self.connect();
        ask(&mut socket, path);
        Answer::read(&mut BufReader::new(socket)).expect("an answer")
    }

    /// A client that has been answered once, so that the server holds it, and stalls in the middle of its next head.
    pub fn stalled(&self) -> TcpStream {
        let mut socket = self.connect();
        socket.write_all(ASK).expect("sent");
        Answer::read(&mut BufReader::new(&socket)).expect("an answer");
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
        const LISTEN: &str = "0A";
        let port = format!(":{:04X}", self.address.port());
        let sockets = fs::read_to_string("/proc/net/tcp6").expect("a list of sockets");
        sockets.lines().any(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let local = fields.next().is_some_and(|local| local.ends_with(&port));
            local && fields.nth(1) == Some(LISTEN)
        })
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
        let path = format!("/proc/{0}/task/{0}/children", self.pid());
        let children = fs::read_to_string(path).expect("the process is there");
        children
            .split_whitespace()
            .map(|child| child.parse().expect("a process id"))
            .collect()
    }

    /// Connects a client with `connect`, and returns it with the child that holds it. No other client may connect
    /// meanwhile.
    pub fn held(&self, connect: impl Fn(&Self) -> TcpStream) -> (TcpStream, i32) {
        let before = self.sockets_of_children();
        let client = connect(self);
        let mut holder = None;
        eventually("a child holds the client", || {
            let now = self.sockets_of_children();
            let is_new =
                |(_, socket): &&(i32, PathBuf)| before.iter().all(|(_, old)| old != socket);
            holder = now.iter().find(is_new).map(|(child, _)| *child);
            holder.is_some()
        });
        (client, holder.expect("just found"))
    }

    /// Each child with each of its sockets.
    fn sockets_of_children(&self) -> Vec<(i32, PathBuf)> {
        let sockets = |child: i32| {
            // The child may have ended since.
            let descriptors = fs::read_dir(format!("/proc/{child}/fd"));
            let files = descriptors.into_iter().flatten().flatten();
            files
                .filter_map(|file| fs::read_link(file.path()).ok())
                .filter(|target| target.to_string_lossy().starts_with("socket:"))
                .map(move |socket| (child, socket))
        };
        self.child_ids().into_iter().flat_map(sockets).collect()
    }

    /// Its stderr so far.
    pub fn words(&self) -> String {
        self.words.lock().expect("no panic").clone()
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

    /// Waits for its end; returns its exit status and its stderr.
    pub fn wait(mut self) -> (ExitStatus, String) {
        let deadline = Instant::now() + TIMEOUT;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(Instant::now() < deadline, "the server does not end");
            thread::sleep(Duration::from_millis(2));
        };
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
                        let mut answer = Vec::new();
                        let request = format!(
                            "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
                        );
                        let _ = socket
                            .write_all(request.as_bytes())
                            .and_then(|()| socket.read_to_end(&mut answer).map(|_| ()));
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

/// `hola serve MODEL` on a free port.
pub fn serve(model: &str) -> Command {
    let mut command = Command::new(HOLA);
    command
        .args(["serve", model, "--bind", "127.0.0.1:0"])
        .args(["--workers", &WORKERS.to_string()]);
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

/// One answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub closes: bool,
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads the next answer of a connection, and no byte more.
    pub fn read(from: &mut impl BufRead) -> io::Result<Answer> {
        let mut line = String::new();
        let mut next_line = |line: &mut String| {
            line.clear();
            match from.read_line(line)? {
                0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                _ => Ok(()),
            }
        };
        next_line(&mut line)?;
        let mut answer = Answer {
            status: line[9..12].parse().expect("a status code"),
            closes: false,
            body: Vec::new(),
        };
        let mut length = 0;
        while line != "\r\n" {
            next_line(&mut line)?;
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().expect("a length");
            }
            answer.closes |= line == "Connection: close\r\n";
        }
        answer.body.resize(length, 0);
        from.read_exact(&mut answer.body)?;
        Ok(answer)
    }

    /// The body as a number.
    pub fn number(&self) -> u64 {
        let text = std::str::from_utf8(&self.body).expect("text");
        text.parse().unwrap_or_else(|_| panic!("no number: {text}"))
    }
}

/// Asks for `path`, as the last request of a connection.
pub fn ask(socket: &mut impl Write, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).expect("sent");
}

/// Completes the request that [`Server::stalled`] began; it must be answered.
pub fn end_stall(mut socket: TcpStream) {
    socket.write_all(&ASK_AND_CLOSE[20..]).expect("sent");
    let answer = Answer::read(&mut BufReader::new(socket))
        .expect("a client that stalls is served in the end");
    assert_eq!(answer.status, 200);
}

/// All bytes until the server closes or resets the connection.
pub fn rest(mut socket: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = socket.read_to_end(&mut bytes);
    bytes
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `holds` returns true; fails the test if that takes too long.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + TIMEOUT;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The value of `look` once it has been the same for a while: a server has started all its workers by then.
pub fn settled<T: PartialEq + std::fmt::Debug>(look: impl Fn() -> T) -> T {
    const LOOKS: u32 = 30;
    let deadline = Instant::now() + TIMEOUT;
    let (mut value, mut same) = (look(), 0);
    while same < LOOKS {
        assert!(Instant::now() < deadline, "never settles: {value:?}");
        thread::sleep(Duration::from_millis(5));
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
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status, text(output.stdout), text(output.stderr))
}

/// The only folder in `results`.
pub fn only_folder(results: &std::path::Path) -> PathBuf {
    let folders: Vec<_> = fs::read_dir(results)
        .expect("a folder")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    assert_eq!(folders.len(), 1, "{folders:?}");
    folders[0].clone()
}

/// A user without other processes. Limits on processes bind this user; they do not bind root.
pub struct OtherUser {
    _folder: tempfile::TempDir,
    program: PathBuf,
}

impl OtherUser {
    /// `None`, with the reason printed, where this process is not root.
    pub fn new() -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            println!("skipped: only root can give a server a user of its own");
            return None;
        }
        // If only root can read the source tree, that user cannot run the program in it.
        let folder = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o755))
            .tempdir()
            .expect("a folder");
        let program = folder.path().join("hola");
        fs::copy(HOLA, &program).expect("a copy");
        Some(OtherUser {
            _folder: folder,
            program,
        })
    }

    /// Runs the program as `user`, who may have that many processes and threads.
    pub fn command(&self, user: u32, processes: u32) -> Command {
        let mut command = as_user(user);
        command
            .args(["prlimit", &format!("--nproc={processes}:{processes}")])
            .arg(&self.program);
        command
    }

    /// Sets the limit on processes and threads of that user's `process`.
    pub fn limit(&self, user: u32, process: Pid, processes: u32) {
        let mut command = as_user(user);
        command.args(["prlimit", &format!("--pid={process}")]);
        // Only the soft limit can be raised again.
        let limited = command.arg(format!("--nproc={processes}:")).status();
        assert!(limited.expect("setpriv runs").success());
    }
}

fn as_user(user: u32) -> Command {
    let mut command = Command::new("setpriv");
    command
        .args([format!("--reuid={user}"), format!("--regid={user}")])
        .arg("--clear-groups");
    command
}

/// Runs the program with certain system calls refused, by strace's `inject=CALLS:error=…`. `None`, with the reason
/// printed, if strace is missing or may not trace.
pub fn with_refused(calls: &str, how: &str) -> Option<Command> {
    let inject = format!("inject={calls}:{how}");
    let strace = |program: &str| {
        let mut command = Command::new("strace");
        // With `-D` strace runs as a grandchild, and the program is this process's child.
        command.args(["-D", "-f", "-qq", "-o", "/dev/null", "-e"]);
        command
            .arg(format!("trace={calls}"))
            .args(["-e", &inject, program]);
        command
    };
    let traces = strace("true").output();
    if !traces.is_ok_and(|output| output.status.success()) {
        println!("skipped: strace is missing or may not trace");
        return None;
    }
    Some(strace(HOLA))
}

/// Runs `command`, which must not become a server, to its end. Returns its exit code, its stdout and its stderr.
pub fn ends(mut command: Command) -> (Option<i32>, String, String) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_remove("RUST_BACKTRACE")
        .spawn()
        .expect("the program runs");
    let deadline = Instant::now() + TIMEOUT;
    // Its output fits into a pipe.
    while child.try_wait().expect("a child").is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("{command:?} does not end");
        }
        thread::sleep(Duration::from_millis(2));
    }
    let output = child.wait_with_output().expect("a child");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Sets limits of a process with prlimit(1).
pub fn limit(process: Pid, limits: &str) {
    let limited = Command::new("prlimit")
        .args([&format!("--pid={process}"), limits])
        .status();
    assert!(limited.expect("prlimit runs").success(), "{limits}");
}
