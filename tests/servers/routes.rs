//! The routes that experiments use must behave the same under every model: waits, work, long answers, and a count.

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hola_servers::models::Attention;
use socket2::{Domain, Socket, Type};

use crate::models_without_limit;
use crate::support::{
    ASK, Answer, Server, TIMEOUT, answer, ask, eventually, for_each, for_each_model, models,
    serves_at_once, stop_with,
};

/// Time that a busy machine may add; a wrong order of service would add more.
const SLACK: Duration = Duration::from_secs(2);

#[test]
fn a_wait_lasts_as_asked_and_delays_only_the_clients_that_the_model_must() {
    const CLIENTS: usize = 12;
    const WAIT: Duration = Duration::from_millis(300);
    for_each_model(|model| {
        let server = Server::start(model);
        let started = Instant::now();
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    let asked = Instant::now();
                    let answer = server.get("/wait/300");
                    assert!(asked.elapsed() >= WAIT, "{model} is early");
                    assert_eq!(answer.body, b"waited 300 ms\n", "{model}");
                });
            }
        });
        let lasted = started.elapsed();
        let rounds = CLIENTS.div_ceil(serves_at_once(model).unwrap_or(CLIENTS));
        let least = WAIT * u32::try_from(rounds).expect("few");
        assert!(
            (least..least + SLACK).contains(&lasted),
            "{model}: {rounds} rounds of {WAIT:?} took {lasted:?}"
        );
        server.stop();
    });
}

#[test]
fn long_answers_have_their_length_however_slowly_they_are_read() {
    for_each_model(|model| {
        let server = Server::start(model);
        for count in [0, 1, 300, 70_000, 1_000_000] {
            let at_once = server.get(&format!("/bytes/{count}"));
            let seen = (at_once.body.len(), at_once.closes);
            assert_eq!(seen, (count, true), "{model}");
            // Such a small receive window fills again and again, and the server has to wait for it.
            let mut slow = connect_with_small_window(&server);
            ask(&mut slow, &format!("/bytes/{count}"));
            let (mut bytes, mut piece) = (Vec::new(), [0; 1_000]);
            while let some @ 1.. = slow.read(&mut piece).expect("more, or the end") {
                bytes.extend_from_slice(&piece[..some]);
            }
            let read = answer(bytes.as_slice());
            assert!(read == at_once, "{model}: {count}: {}", read.body.len());
            let head = bytes.len() - count;
            assert!(bytes[..head].ends_with(b"\r\n\r\n"), "{model}: {count}");
        }
        let expected = [("answers", 10), ("broken", 0), ("expired", 0)];
        stop_with(server, model, &expected);
    });
}

fn connect_with_small_window(server: &Server) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("an option");
    socket.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
    socket
        .connect(&server.address.into())
        .expect("the server accepts");
    socket.into()
}

#[test]
fn a_client_that_asks_for_much_at_once_lets_others_have_their_turn() {
    const REQUESTS: u32 = 40;
    for model in models_without_limit() {
        if !matches!(model.attention, Attention::Nothing | Attention::Task) {
            continue;
        }
        let server = Server::start(model.name);
        // One of them takes long enough to be measured, and all together far longer than one greeting.
        let mut requests = Vec::new();
        (0..REQUESTS).for_each(|_| ask_and_stay(&mut requests, "/compute/1000000"));
        let mut greedy = server.connect();
        greedy.write_all(&requests).expect("sent");
        let answered = AtomicU32::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut answers = BufReader::new(&greedy);
                for _ in 0..REQUESTS {
                    Answer::read(&mut answers).expect("an answer");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
            eventually("the first answer", || answered.load(Ordering::Relaxed) > 0);
            let begun = answered.load(Ordering::Relaxed);
            server.greets();
            let meanwhile = answered.load(Ordering::Relaxed) - begun;
            let few = meanwhile < REQUESTS / 2;
            assert!(few, "{}: {meanwhile} answers before another's", model.name);
        });
        let all = REQUESTS as usize + 1;
        stop_with(server, model.name, &[("answers", all)]);
    }
}

#[test]
fn a_loop_with_helpers_serves_others_while_many_block_and_refuses_more_than_can_wait() {
    // More than all helpers and their queue take, by far.
    const BLOCKING: usize = 300;
    let server = Server::start("loop-and-pool");
    let mut blocking: Vec<_> = (0..BLOCKING).map(|_| server.connect()).collect();
    for client in &mut blocking {
        ask(client, "/block/1000");
    }
    server.greets();
    let first = &mut blocking[0];
    first.set_nonblocking(true).expect("a flag");
    let early = first.read(&mut [0]).expect_err("the helper still sleeps");
    assert_eq!(early.kind(), ErrorKind::WouldBlock);
    for client in blocking.split_off(BLOCKING - 10) {
        assert_eq!(answer(client).status, 503);
    }
}

#[test]
fn a_hundred_thousand_increments_give_every_number_once() {
    const CLIENTS: u64 = 16;
    const BATCHES: u64 = 125;
    const BATCH: u64 = 50;
    const TOTAL: u64 = CLIENTS * BATCHES * BATCH;
    assert_eq!(TOTAL, 100_000);
    let mut batch = Vec::new();
    (0..BATCH).for_each(|_| ask_and_stay(&mut batch, "/count"));
    // Two models at a time: if all ran at once, the last clients of slow models would exceed the timeout.
    for pair in models().collect::<Vec<_>>().chunks(2) {
        for_each(pair, |model| {
            let server = Server::start(model);
            let seen = Mutex::new(Vec::new());
            thread::scope(|scope| {
                for _ in 0..CLIENTS {
                    scope.spawn(|| {
                        let mut socket = server.connect();
                        let mut answers = BufReader::new(socket.try_clone().expect("a descriptor"));
                        let mut numbers = Vec::new();
                        for _ in 0..BATCHES {
                            socket.write_all(&batch).expect("sent");
                            let mut next = || Ok(Answer::read(&mut answers)?.number());
                            let batch: io::Result<Vec<_>> = (0..BATCH).map(|_| next()).collect();
                            let batch = batch.expect("answers");
                            assert!(batch.is_sorted(), "{model} answers out of order: {batch:?}");
                            numbers.extend(batch);
                        }
                        seen.lock().expect("no panic").extend(numbers);
                    });
                }
            });
            let mut seen = seen.into_inner().expect("no panic");
            seen.sort_unstable();
            let once_each = seen.into_iter().eq(1..=TOTAL);
            assert!(once_each, "{model} lost or repeated numbers");
            assert_eq!(server.get("/count").number(), TOTAL + 1, "{model}");
            assert_eq!(server.stop()["answers"], TOTAL + 1, "{model}");
        });
    }
}

/// Requests `path` and keeps the connection.
fn ask_and_stay(socket: &mut impl Write, path: &str) {
    let request = String::from_utf8_lossy(ASK).replacen("/ ", &format!("{path} "), 1);
    socket.write_all(request.as_bytes()).expect("sent");
}
