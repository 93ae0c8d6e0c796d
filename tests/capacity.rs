//! Tests the column of the table that says how many clients a model serves at once. Alone in its process, because other
//! tests would use up its descriptors, and delay the answers that it expects within a moment.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use self::support::{
    ASK_AND_CLOSE, Server, TIMEOUT, WORKERS, answer, end_stall, for_each_model, models,
    serves_at_once,
};

/// Long enough for an answer that does not wait for another client.
const MOMENT: Duration = Duration::from_millis(300);

/// Stalled clients of a model without a limit.
const MANY: usize = 64;

#[test]
fn a_model_serves_as_many_stalled_clients_as_its_capacity_less_one_and_somebody_else() {
    // One model after another: all together need more sockets than a process may have.
    for model in models() {
        let server = Server::start(model);
        let stalled: Vec<_> = (1..serves_at_once(model).unwrap_or(MANY + 1))
            .map(|_| server.stalled())
            .collect();
        server.greets();
        // They are still connected: none of them made room by leaving at its deadline.
        stalled.into_iter().for_each(end_stall);
        let counters = server.stop();
        assert_eq!(counters["expired"], 0, "{model}: {counters}");
    }
}

#[test]
fn beyond_its_capacity_a_client_waits_until_one_leaves_and_no_longer() {
    for_each_model(|model| {
        let Some(capacity) = serves_at_once(model) else {
            return;
        };
        let server = Server::start(model);
        let mut stalled: Vec<_> = (0..capacity).map(|_| server.stalled()).collect();
        let mut next = server.connect();
        next.write_all(ASK_AND_CLOSE).expect("sent");
        assert_silent(&next, model);
        // A served client leaves; how it leaves does not matter.
        end_stall(stalled.pop().expect("at least one"));
        assert_eq!(answer(next).status, 200, "{model}");
        stalled.into_iter().for_each(end_stall);
        assert_counts(server, capacity * 2 + 1, 0);
    });
}

/// Stops the server, which must have given so many answers, refused so many clients, and closed none at a deadline.
fn assert_counts(server: Server, answers: usize, refused: usize) {
    let counters = server.stop();
    let counts = ["answers", "refused", "expired"].map(|name| counters[name].as_u64());
    let expected = [answers, refused, 0].map(|count| u64::try_from(count).ok());
    assert_eq!(counts, expected, "{counters}");
    assert_eq!(counters["accepted"], counters["closed"], "{counters}");
}

fn assert_silent(mut socket: &TcpStream, model: &str) {
    socket.set_read_timeout(Some(MOMENT)).expect("a timeout");
    let read = socket.read(&mut [0; 1]);
    let silent = matches!(&read, Err(error) if error.kind() == ErrorKind::WouldBlock);
    assert!(silent, "{model} serves one more than it can: {read:?}");
    socket.set_read_timeout(Some(TIMEOUT)).expect("a timeout");
}

#[test]
fn a_pool_refuses_clients_that_its_queue_cannot_hold_and_serves_all_others() {
    const QUEUE: usize = 256;
    const TOO_MANY: usize = 5;
    let server = Server::start("thread-pool");
    let stalled: Vec<_> = (0..WORKERS).map(|_| server.stalled()).collect();
    let queued: Vec<_> = (0..QUEUE).map(|_| server.connect()).collect();
    // One acceptor accepts clients in order, so all of these come when the queue is full.
    for _ in 0..TOO_MANY {
        let refused = answer(server.connect());
        assert_eq!((refused.status, refused.closes), (503, true));
    }
    assert_silent(&queued[0], "thread-pool");
    stalled.into_iter().for_each(end_stall);
    for mut client in queued {
        client.write_all(ASK_AND_CLOSE).expect("sent");
        assert_eq!(answer(client).status, 200);
    }
    server.greets();
    assert_counts(server, 2 * WORKERS + QUEUE + 1, TOO_MANY);
}
