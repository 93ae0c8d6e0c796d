//! Checks of what a server's processes leave, and of how they end.

use std::io::Write;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::client::{ANSWER_MAX, ASK_AND_CLOSE, connect, exchange};
use super::connections::HALF_REQUEST;
use super::counts::{
    DESCRIPTOR_GROWTH_MAX, Growth, ProcessCounts, THREAD_GROWTH_MAX, ZOMBIES_MAX, processes_unseen,
};
use super::crowd::WAITS;
use super::examiner::Examiner;
use super::{Observation, both, observed};

/// Longest time from SIGTERM to the end.
const STOP_MAX: Duration = Duration::from_secs(5);

pub(super) fn zombies(examiner: &Examiner) -> Observation {
    let count = examiner.growth()?.after.zombies;
    let seen = both(format!("{count} zombies"), format!("{count} zombis"));
    observed(count <= ZOMBIES_MAX, seen)
}

pub(super) fn descriptors(examiner: &Examiner) -> Observation {
    let growth = examiner.growth()?;
    let (before, after) = (growth.before.descriptors, growth.after.descriptors);
    let seen = both(
        format!("{before} descriptors before, {after} after"),
        format!("{before} descriptores antes, {after} después"),
    );
    observed(after <= before + DESCRIPTOR_GROWTH_MAX, seen)
}

pub(super) fn threads(examiner: &Examiner) -> Observation {
    let Growth { before, after } = examiner.growth()?;
    let seen = both(
        format!(
            "{} threads in {} processes before, {} in {} after",
            before.threads, before.processes, after.threads, after.processes
        ),
        format!(
            "{} hilos en {} procesos antes, {} en {} después",
            before.threads, before.processes, after.threads, after.processes
        ),
    );
    let is_as_before = after.threads <= before.threads + THREAD_GROWTH_MAX
        && after.processes <= before.processes + THREAD_GROWTH_MAX;
    observed(is_as_before, seen)
}

pub(super) fn stop(examiner: &Examiner) -> Observation {
    let server = examiner.start()?;
    // A connection that the server closes first keeps the port for a minute, unless its listener has SO_REUSEADDR.
    exchange(server.address, ASK_AND_CLOSE, ANSWER_MAX, |_| false)?;
    let mut client = connect(server.address)?;
    let _ = client.write_all(HALF_REQUEST);
    // A client that came later is greeted, or waits, once this one is inside.
    let _ = server.greet(WAITS);
    // A process that only finishes the client before would count as one that is left.
    ProcessCounts::settled(&server);
    let Some(process) = &server.process else {
        return Err(processes_unseen());
    };
    let mut process = process.borrow_mut();
    let begun = Instant::now();
    process.terminate();
    let Some((ending, left)) = process.ending(STOP_MAX) else {
        return Err(both("it still runs after 5 s", "sigue en marcha tras 5 s"));
    };
    let took_ms = begun.elapsed().as_millis();
    let seen = both(
        format!("ended after {took_ms} ms: {ending}; processes left: {left}"),
        format!("terminó tras {took_ms} ms: {ending}; procesos restantes: {left}"),
    );
    if left > 0 {
        return Err(seen);
    }
    match TcpListener::bind(server.address) {
        Ok(_) => Ok(seen),
        Err(error) => Err(both(
            format!("{}; the port is not free: {error}", seen.en),
            format!("{}; el puerto no está libre: {error}", seen.es),
        )),
    }
}
