//! A server on hyper and Tokio, as a developer who wants HTTP and no framework writes it today: a reference for the
//! models (`scripts/targets.toml`). `hyper PORT` listens on loopback until it is told to stop.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Limit of the accept queue, as in the models.
const BACKLOG: i32 = 1_024;
/// Deadline for a head, as the models have it.
const HEAD_MAX: Duration = Duration::from_secs(5);
/// Bounds of the routes, as the models have them.
const WAIT_MS_MAX: u64 = 10_000;
const COMPUTE_ROUNDS_MAX: u64 = 100_000_000;

fn main() -> ExitCode {
    let argument = std::env::args().nth(1).unwrap_or_default();
    if argument == "--version" {
        println!("hyper {}", version().unwrap_or("of unknown version"));
        return ExitCode::SUCCESS;
    }
    let Ok(port) = argument.parse() else {
        eprintln!("usage: hyper PORT");
        return ExitCode::from(2);
    };
    match run(port) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hyper: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The version of the hyper library in this build's lock file.
fn version() -> Option<&'static str> {
    let locked = include_str!("../Cargo.lock");
    let entry = locked.split("name = \"hyper\"\nversion = \"").nth(1)?;
    entry.split('"').next()
}

fn run(port: u16) -> std::io::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        // The acceptor is a task too: if it ran on the main thread, each client would have to change threads.
        tokio::spawn(serve(port)).await?
    })
}

async fn serve(port: u16) -> std::io::Result<()> {
    let listener = listen(port)?;
    loop {
        let Ok((client, _)) = listener.accept().await else {
            // Probably out of descriptors: clients that leave free them.
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        tokio::spawn(async move {
            let _ = client.set_nodelay(true);
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_MAX);
            // An error of one client (it leaves, or does not send HTTP) affects no other client.
            let _ = http
                .serve_connection(TokioIo::new(client), service_fn(answer))
                .await;
        });
    }
}

fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let content = match *request.method() {
        Method::GET => content(request.uri().path()).await,
        _ => None,
    };
    let (status, body) = match content {
        Some(body) => (StatusCode::OK, body),
        None => (StatusCode::NOT_FOUND, Bytes::from_static(b"not found\n")),
    };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    Ok(response)
}

/// The answer for a path; `None` if there is none.
async fn content(path: &str) -> Option<Bytes> {
    if path == "/" {
        return Some(Bytes::from_static(b"Hola, cliente!"));
    }
    let (name, argument) = path.strip_prefix('/')?.split_once('/')?;
    let number: u64 = argument.parse().ok()?;
    match name {
        "wait" if number <= WAIT_MS_MAX => {
            tokio::time::sleep(Duration::from_millis(number)).await;
            Some(format!("waited {number} ms\n").into())
        }
        "compute" if number <= COMPUTE_ROUNDS_MAX => Some(compute(number).to_string().into()),
        _ => None,
    }
}

/// Computes `rounds` rounds of xorshift64*, as Hola's `/compute` does.
fn compute(rounds: u64) -> u64 {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..rounds {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
    }
    state.wrapping_mul(0x2545_f491_4f6c_dd1d)
}
