//! The parts of a client's cost, one at a time, measured with criterion.
//!
//! - `attention`: handing one client to a turn of the loop, a task, a thread or a process, and waiting for its end.
//! - `conversation`: what is said, without a socket: parsing the request and rendering the answer.
//! - `round_trip`: one client at a time against the real program, connection included.
//! - `generator`: what the load generator does for each request, without the kernel.

mod generator;

use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use hola_lab::model_server::ModelServer;
use hola_lab::pinned_program::PinnedProgram;
use hola_servers::conversation::http::Http;
use hola_servers::conversation::{Conversation, Protocol, ServerContext, Step};
use hola_servers::models::MODELS;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nConnection: close\r\n\r\n";

/// First argument of the helper process that forks.
const FORKER: &str = "fork-on-request";

fn main() {
    if std::env::args().nth(1).as_deref() == Some(FORKER) {
        return fork_on_request();
    }
    attention();
    conversation();
    round_trips();
    generator::all();
    Criterion::default().configure_from_args().final_summary();
}

criterion_group! {
    name = attention;
    config = configuration();
    targets = loop_turn, task, thread, process
}
criterion_group! {
    name = conversation;
    config = configuration();
    targets = http_whole, http_byte_by_byte
}
criterion_group! {
    name = round_trips;
    config = configuration();
    targets = round_trip
}

/// Short, because the comparison that follows is the main job.
fn configuration() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(40)
}

fn loop_turn(criterion: &mut Criterion) {
    let attend: fn(u64) -> u64 = black_box(|client| client + 1);
    criterion.bench_function("attention/loop turn", |bencher| {
        bencher.iter(|| attend(black_box(1)));
    });
}

fn task(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("a runtime");
    criterion.bench_function("attention/task", |bencher| {
        bencher.iter_custom(|count| {
            // A worker spawns the tasks, as the accept task of the model does.
            let spawning = async move {
                let started = Instant::now();
                for client in 0..count {
                    tokio::spawn(async move { black_box(client) })
                        .await
                        .expect("a task");
                }
                started.elapsed()
            };
            runtime.block_on(async { tokio::spawn(spawning).await.expect("a task") })
        });
    });
}

fn thread(criterion: &mut Criterion) {
    criterion.bench_function("attention/thread", |bencher| {
        bencher.iter(|| {
            std::thread::spawn(|| black_box(1))
                .join()
                .expect("a thread")
        });
    });
}

fn process(criterion: &mut Criterion) {
    let mut forker = Forker::start();
    criterion.bench_function("attention/process", |bencher| {
        bencher.iter_custom(|count| forker.fork(count));
    });
}

/// A helper process that may fork, because it has one thread; this one has criterion's and the runtime's threads too.
struct Forker(Child);

impl Forker {
    fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command
            .arg(FORKER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        Forker(command.spawn().expect("this program again"))
    }

    /// Has the helper fork and reap `count` children, one after another; returns the time of all.
    fn fork(&mut self, count: u64) -> Duration {
        writeln!(self.0.stdin.as_mut().expect("piped"), "{count}").expect("it listens");
        let mut line = String::new();
        BufReader::with_capacity(32, self.0.stdout.as_mut().expect("piped"))
            .read_line(&mut line)
            .expect("it answers");
        Duration::from_nanos(line.trim().parse().expect("nanoseconds"))
    }
}

impl Drop for Forker {
    fn drop(&mut self) {
        // The helper ends when its input ends.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn fork_on_request() {
    for line in std::io::stdin().lock().lines() {
        let count = line.expect("text").parse().expect("a number");
        let times = hola_servers::spawning::processes(count).expect("children");
        println!("{}", times.iter().sum::<Duration>().as_nanos());
    }
}

static GOING_ON: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicU64 = AtomicU64::new(0);

fn context() -> ServerContext {
    ServerContext {
        protocol: Protocol::Http,
        date: || *b"Sun, 06 Nov 1994 08:49:37 GMT",
        stopping: &GOING_ON,
        count: &COUNT,
        crash: None,
        extra_work: None,
        block: std::thread::sleep,
        on_message: None,
        on_chat: None,
    }
}

/// Plays one request in pieces of `piece` bytes to a new conversation; returns the length of its answer.
fn play(context: &ServerContext, piece: usize) -> usize {
    let mut conversation = Http::new(context);
    let mut pieces = REQUEST.chunks(piece);
    loop {
        match conversation.step() {
            Step::Read(space) => {
                let bytes = pieces.next().unwrap_or_default();
                space[..bytes.len()].copy_from_slice(bytes);
                conversation.received(bytes.len());
            }
            Step::Write(bytes) => {
                let count = bytes.len();
                conversation.sent(count);
                return count;
            }
            Step::Wait(_) => conversation.waited(),
            Step::Work => conversation.work(),
            Step::EndWrite | Step::Close => return 0,
        }
    }
}

fn http_whole(criterion: &mut Criterion) {
    let context = context();
    criterion.bench_function("conversation/http, request whole", |bencher| {
        bencher.iter(|| play(black_box(&context), REQUEST.len()));
    });
}

fn http_byte_by_byte(criterion: &mut Criterion) {
    let context = context();
    criterion.bench_function("conversation/http, request byte by byte", |bencher| {
        bencher.iter(|| play(black_box(&context), 1));
    });
}

fn round_trip(criterion: &mut Criterion) {
    for model in MODELS {
        let program =
            PinnedProgram::open(Path::new(env!("CARGO_BIN_EXE_hola"))).expect("the program");
        let server = ModelServer::start(&program, model.name, &[], &[]).expect("the server starts");
        criterion.bench_function(&format!("round_trip/{}", model.name), |bencher| {
            bencher.iter(|| exchange(server.address()));
        });
        server.stop().expect("the server stops");
    }
}

fn exchange(address: SocketAddr) {
    let mut socket = TcpStream::connect(address).expect("the server accepts");
    socket.write_all(REQUEST).expect("the server reads");
    let mut answer = [0; 512];
    let mut bytes = 0;
    loop {
        match socket
            .read(&mut answer[bytes..])
            .expect("the server answers")
        {
            0 => break,
            count => bytes += count,
        }
    }
    assert!(answer[..bytes].ends_with(b"Hola, cliente!"));
}
