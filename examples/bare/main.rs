//! The minimal server of a model's kind: only the system calls that the model needs, and a fixed answer. It has no
//! HTTP, no deadlines, no cap and no counters. What a model costs more than this is the cost of all these
//! (`scripts/targets.toml`, the experiment `floor`). `bare MODEL PORT` listens on loopback until it is told to stop.
#![allow(unsafe_code, reason = "fork, and sockets by their number")]

mod processes;
mod readiness;
mod tasks;
mod threads;

use std::io;
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hola_servers::models;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, SockFlag, accept4, recv, send};
use nix::unistd::close;

/// Serves until it is told to stop.
type Serve = fn(&'static Bare) -> io::Result<()>;

/// The models that have a minimal server. Each other model does what one of these does, and adds its own main idea.
const KINDS: &[(&str, Serve)] = &[
    ("iterative", |bare| each_client(bare, answer)),
    ("fork-per-client", processes::per_client),
    ("pre-forked", processes::pre_forked),
    ("thread-per-client", threads::per_client),
    ("pre-threaded", threads::pre_threaded),
    ("poll", readiness::poll_all),
    ("epoll", readiness::epoll),
    ("tokio-current-thread", tasks::on_one_thread),
    ("tokio", tasks::on_workers),
];

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\nConnection: close\r\n\r\nHola, cliente!";

/// How often a waiting thread checks whether it must stop. A signal interrupts only the thread that receives it.
const STOP_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// What every kind needs.
#[derive(Debug)]
struct Bare {
    listener: TcpListener,
    stop: Arc<AtomicBool>,
}

impl Bare {
    fn should_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// For a thread that has nothing else to do.
    fn wait_for_stop(&self) {
        while !self.should_stop() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [option] if option == "--version" => {
            println!("bare {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        [model, port] => match (KINDS.iter().find(|(name, _)| name == model), port.parse()) {
            (Some((_, serve)), Ok(port)) => run(*serve, port),
            _ => Err(io::Error::other(format!(
                "there is no bare {model} on port {port}"
            ))),
        },
        _ => Err(io::Error::other("usage: bare MODEL PORT")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(serve: Serve, port: u16) -> io::Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&stop))?;
    serve(Box::leak(Box::new(Bare {
        listener: listen(port)?,
        stop,
    })))
}

/// A listener like that of the models; its timeout lets a waiting thread check for the stop.
fn listen(port: u16) -> io::Result<TcpListener> {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    socket.set_read_timeout(Some(STOP_CHECK_INTERVAL))?;
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], port)).into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}

/// The default number of workers of the model of that name.
fn workers(model: &str) -> io::Result<usize> {
    let cpus = std::thread::available_parallelism()?.get();
    Ok(cpus * models::find(model).map_or(1, |model| model.workers_per_cpu))
}

fn each_client(bare: &Bare, mut on_client: impl FnMut(i32)) -> io::Result<()> {
    while !bare.should_stop() {
        match accept4(bare.listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC) {
            Ok(client) => on_client(client),
            Err(Errno::EAGAIN | Errno::EINTR | Errno::ECONNABORTED) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Waits for the request of a client, answers it and closes.
fn answer(client: i32) {
    exchange(client);
    // Nothing could be done about a close that fails.
    let _ = close(client);
}

/// The result of an attempt to serve a client.
#[derive(PartialEq, Eq)]
enum Exchange {
    /// It has its answer, or has left.
    Over,
    /// Nothing has come yet.
    NotReady,
}

fn exchange(client: i32) -> Exchange {
    let mut request = [0; 1024];
    match recv(client, &mut request, MsgFlags::empty()) {
        Err(Errno::EAGAIN) => Exchange::NotReady,
        Ok(1..) => {
            // A client that has left needs no answer.
            let _ = send(client, ANSWER, MsgFlags::MSG_NOSIGNAL);
            Exchange::Over
        }
        _ => Exchange::Over,
    }
}
