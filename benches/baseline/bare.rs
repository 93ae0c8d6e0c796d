//! The barest server of each kind: its model's system calls and canned octets.
//!
//! It takes the arguments of `hola serve` and reports as it does, so that the laboratory runs both alike.
#![allow(unsafe_code, reason = "one fork, in one function")]

use std::io::{self, Write};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::socket::{MsgFlags, SockFlag, accept4, recv, send};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{ForkResult, Pid, close};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\nConnection: close\r\n\r\nHola, cliente!";

/// As small as a thread that calls recv and send can be.
const STACK_OCTETS: usize = 64 * 1024;

static ANSWERS: AtomicU64 = AtomicU64::new(0);

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
    let stop = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&stop))?;
    let listener = listen()?;
    println!("{model} listening on {}", listener.local_addr()?);
    io::stdout().flush()?;
    match model {
        "iterative" => each_client(&listener, &stop, answer),
        "thread-per-client" => each_client(&listener, &stop, |client| {
            let thread = std::thread::Builder::new().stack_size(STACK_OCTETS);
            thread.spawn(move || answer(client)).map(drop)?;
            Ok(())
        }),
        "fork-per-client" => each_client(&listener, &stop, |client| {
            fork_and_answer(&listener, client)
        }),
        "tokio" => tasks(&listener, &stop),
        _ => Err(io::Error::other(format!("there is no bare {model}"))),
    }?;
    let answers = ANSWERS.load(Ordering::Relaxed);
    let counters = serde_json::json!({"accepted": answers, "closed": answers, "answers": answers,
        "refused": 0, "expired": 0, "broken": 0, "crashed": 0, "backed_off": 0});
    eprintln!(
        "{}",
        serde_json::json!({"settings": null, "counters": counters})
    );
    Ok(())
}

/// A listener whose accept looks up every second, to see whether it is to stop.
fn listen() -> io::Result<TcpListener> {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_read_timeout(Some(Duration::from_secs(1)))?;
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}

fn each_client(
    listener: &TcpListener,
    stop: &AtomicBool,
    mut attend: impl FnMut(i32) -> io::Result<()>,
) -> io::Result<()> {
    while !stop.load(Ordering::Relaxed) {
        match accept4(listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC) {
            Ok(client) => attend(client)?,
            Err(Errno::EAGAIN | Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

fn answer(client: i32) -> io::Result<()> {
    let mut request = [0; 1024];
    recv(client, &mut request, MsgFlags::empty())?;
    send(client, ANSWER, MsgFlags::MSG_NOSIGNAL)?;
    close(client)?;
    ANSWERS.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

fn fork_and_answer(listener: &TcpListener, client: i32) -> io::Result<()> {
    // SAFETY: this process has one thread.
    if let ForkResult::Child = unsafe { nix::unistd::fork()? } {
        let _ = close(listener.as_raw_fd());
        let failed = answer(client).is_err();
        // SAFETY: _exit(2) does not return; the parent's destructors are not the child's to run.
        unsafe { libc::_exit(failed.into()) }
    }
    ANSWERS.fetch_add(1, Ordering::Relaxed);
    close(client)?;
    while waitpid(None, Some(WaitPidFlag::WNOHANG)).is_ok_and(|status| status.pid().is_some()) {}
    Ok(())
}

fn tasks(listener: &TcpListener, stop: &AtomicBool) -> io::Result<()> {
    let workers = std::thread::available_parallelism()?.get();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()?;
    let listener = listener.try_clone()?;
    listener.set_nonblocking(true)?;
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        loop {
            let (mut client, _) = listener.accept().await?;
            tokio::spawn(async move {
                let mut request = [0; 1024];
                let _octets = client.read(&mut request).await?;
                client.write_all(ANSWER).await?;
                ANSWERS.fetch_add(1, Ordering::Relaxed);
                io::Result::Ok(())
            });
        }
        #[allow(unreachable_code, reason = "names the error type of the block")]
        io::Result::Ok(())
    });
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
