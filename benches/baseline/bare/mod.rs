//! The barest server of each kind: its model's system calls and canned octets.
//!
//! It takes the arguments of `hola serve` and reports as it does, so that the laboratory runs both alike.
#![allow(unsafe_code, reason = "fork, mmap and poll, each in one function")]

mod processes;
mod readiness;
mod tasks;
mod threads;

use std::io::{self, Write};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hola_servers::counters::Snapshot;
use hola_servers::models;
use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::socket::{MsgFlags, SockFlag, accept4, recv, send};
use nix::unistd::{Pid, close};

type Kind = (&'static str, fn(&'static Bare) -> io::Result<()>);

/// What there is a floor for. The others do what one of these does, and something more that is the very idea of them.
const KINDS: &[Kind] = &[
    ("iterative", |bare| {
        each_client(bare, |client| answer(bare, client))
    }),
    ("fork-per-client", processes::per_client),
    ("pre-forked", processes::beforehand),
    ("thread-per-client", threads::per_client),
    ("pre-threaded", threads::beforehand),
    ("poll", readiness::poll_all),
    ("epoll", readiness::epoll),
    ("tokio-current-thread", tasks::on_one_thread),
    ("tokio", tasks::on_workers),
];

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\nConnection: close\r\n\r\nHola, cliente!";

/// How often whoever waits looks up, to see whether it is to stop. A signal cuts short the wait of the thread it meets.
const LOOK_UP: Duration = Duration::from_secs(1);

/// What every kind needs.
#[derive(Debug)]
struct Bare {
    listener: TcpListener,
    stop: Arc<AtomicBool>,
    /// In memory that forked children share.
    answers: &'static AtomicU64,
}

impl Bare {
    fn should_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn count_answers(&self, count: u64) {
        self.answers.fetch_add(count, Ordering::Relaxed);
    }

    /// For a thread that has nothing else to do.
    fn wait_for_stop(&self) {
        while !self.should_stop() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Whether a model has a bare server of its kind.
pub fn has(model: &str) -> bool {
    KINDS.iter().any(|(name, _)| *name == model)
}

/// `serve MODEL --cpus N …`
pub fn serve(arguments: &[String]) -> ExitCode {
    let cpu = arguments
        .iter()
        .position(|argument| argument == "--cpus")
        .and_then(|place| arguments.get(place + 1));
    let outcome = pin(cpu).and_then(|()| run(&arguments[0]));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn pin(cpu: Option<&String>) -> io::Result<()> {
    let Some(cpu) = cpu.and_then(|cpu| cpu.parse().ok()) else {
        return Ok(());
    };
    let mut set = CpuSet::new();
    set.set(cpu)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

fn run(model: &str) -> io::Result<()> {
    let Some((_, attend_all)) = KINDS.iter().find(|(name, _)| *name == model) else {
        return Err(io::Error::other(format!("there is no bare {model}")));
    };
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&stop))?;
    let bare: &Bare = Box::leak(Box::new(Bare {
        listener: listen()?,
        stop,
        answers: processes::shared_counter()?,
    }));
    println!("{model} listening on {}", bare.listener.local_addr()?);
    io::stdout().flush()?;
    attend_all(bare)?;
    let answers = bare.answers.load(Ordering::Relaxed);
    let counters = Snapshot {
        accepted: answers,
        closed: answers,
        answers,
        ..Snapshot::default()
    };
    eprintln!(
        "{}",
        serde_json::json!({"settings": null, "counters": counters})
    );
    Ok(())
}

/// A listener as the models have it; its timeout is for looking up.
fn listen() -> io::Result<TcpListener> {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_read_timeout(Some(LOOK_UP))?;
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}

/// As many as the model of that name has by itself.
fn workers(model: &str) -> io::Result<usize> {
    let cpus = std::thread::available_parallelism()?.get();
    Ok(cpus * models::find(model).map_or(1, |model| model.workers_per_cpu))
}

fn each_client(bare: &Bare, mut attend: impl FnMut(i32)) -> io::Result<()> {
    while !bare.should_stop() {
        match accept4(bare.listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC) {
            Ok(client) => attend(client),
            Err(Errno::EAGAIN | Errno::EINTR | Errno::ECONNABORTED) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Waits for the request of a client, answers it and closes.
fn answer(bare: &Bare, client: i32) {
    if exchange(client) == Exchange::Answered {
        bare.count_answers(1);
    }
    // Nothing could be done about a close that fails.
    let _ = close(client);
}

/// How it went with a client.
#[derive(PartialEq, Eq)]
enum Exchange {
    Answered,
    /// It left, or broke.
    Over,
    /// Nothing has come yet.
    TooEarly,
}

fn exchange(client: i32) -> Exchange {
    let mut request = [0; 1024];
    match recv(client, &mut request, MsgFlags::empty()) {
        Err(Errno::EAGAIN) => Exchange::TooEarly,
        Ok(1..) if send(client, ANSWER, MsgFlags::MSG_NOSIGNAL).is_ok() => Exchange::Answered,
        _ => Exchange::Over,
    }
}
