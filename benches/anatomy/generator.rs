//! The generator's own work for each request, without the kernel: the next instant, the parsing of the answer, the
//! record.
//!
//! A request on a connection of its own costs tens of microseconds, nearly all of them in the kernel; the rest is the
//! code measured here.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group};
use hola_loadgen::hot_path::Recording;
use hola_loadgen::response::{ParseProgress, ResponseParser};
use hola_loadgen::schedule::{Schedule, splitmix64};
use hola_loadgen::summary::Arrivals;

const BODY: &[u8] = b"Hola, cliente!";
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 14\r\n\
      Date: Sat, 21 Nov 2026 08:00:00 GMT\r\n\r\nHola, cliente!";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
      6\r\nHola, \r\n8\r\ncliente!\r\n0\r\n\r\n";

criterion_group! {
    name = all;
    config = configuration();
    targets = schedule, response, recording
}

/// Short: measurements of nanoseconds converge quickly.
fn configuration() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(40)
}

/// The next instant of an open loop.
fn schedule(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("generator/schedule");
    for (name, arrivals) in [
        ("poisson", Arrivals::Poisson),
        ("constant", Arrivals::Constant),
    ] {
        let mut instants = Schedule::new(arrivals, 10_000.0, 1).instants();
        group.bench_function(name, |bencher| bencher.iter(|| black_box(instants.next())));
    }
    group.finish();
}

/// One answer: with the same head as before, with a new head, in pieces, and in chunks.
fn response(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("generator/response");
    let mut same = ResponseParser::default();
    group.bench_function("same_head", |bencher| {
        bencher.iter(|| parse(&mut same, &[black_box(ANSWER)]));
    });
    // Two heads in turn, so that no head equals the one before it.
    let later = later(ANSWER);
    let mut fresh = ResponseParser::default();
    group.bench_function("two_new_heads", |bencher| {
        bencher.iter(|| {
            parse(&mut fresh, &[black_box(ANSWER)]);
            parse(&mut fresh, &[black_box(&later)]);
        });
    });
    let (head, body) = ANSWER.split_at(ANSWER.len() - BODY.len());
    let (first, rest) = head.split_at(20);
    let mut cut = ResponseParser::default();
    group.bench_function("in_three_pieces", |bencher| {
        bencher.iter(|| parse(&mut cut, &[first, rest, body].map(black_box)));
    });
    let mut chunked = ResponseParser::default();
    group.bench_function("chunked", |bencher| {
        bencher.iter(|| parse(&mut chunked, &[black_box(CHUNKED)]));
    });
    group.finish();
}

/// The same answer a second later, as its date says.
fn later(answer: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(answer)
        .replace("08:00:00", "08:00:01")
        .into_bytes()
}

fn parse(response: &mut ResponseParser, pieces: &[&[u8]]) {
    response.reset();
    let mut progress = ParseProgress::More;
    for piece in pieces {
        progress = response.feed(piece, Some(BODY)).expect("it is an answer");
    }
    assert_eq!(progress, ParseProgress::Done { excess: 0 });
    assert!(response.body_is(BODY));
}

/// Records one finished request in its distributions and in its time slice.
fn recording(criterion: &mut Criterion) {
    let mut recording = Recording::new();
    let mut count = 0;
    criterion.bench_function("generator/recording", |bencher| {
        bencher.iter(|| {
            count += 1;
            // ResponseParser times spread around 100 µs; a request every 10 µs, again and again over the window.
            let response_ns = 50_000 + splitmix64(1, count) % 100_000;
            recording.record(count * 10_000 % 9_000_000_000, response_ns);
        });
    });
}
