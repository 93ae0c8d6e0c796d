//! The time to create one process, thread or task that does nothing, and to see it end: its cost without a client. Each
//! is created as its model creates it.

use std::hint::black_box;
use std::io;
use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::wait::waitpid;

use crate::children::check_single_threaded;
use crate::context::ErrorContext;
use crate::models::STACK_BYTES;
use crate::runtime;
use crate::sys;

/// Forks `count` children that end at once, one after another, and reaps each; returns how long each took.
///
/// # Errors
/// Returns the error of fork(2) or waitpid(2), or an error if this process has a second thread.
pub fn processes(count: u32) -> io::Result<Vec<Duration>> {
    check_single_threaded()?;
    timed(count, || {
        match sys::fork().context(|| "cannot fork".into())? {
            Some(child) => waitpid(child, None)?,
            None => sys::exit_now(0),
        };
        Ok(())
    })
}

/// Creates `count` threads that end at once, one after another, and joins each; returns how long each took.
///
/// # Errors
/// Returns the error of pthread_create(3).
pub fn threads(count: u32) -> io::Result<Vec<Duration>> {
    timed(count, || {
        let ended = sys::spawn_and_join(STACK_BYTES, || {
            black_box(());
        });
        ended.context(|| "cannot make a thread".into())
    })
}

/// Spawns `count` tasks that end at once, one after another, on a work-stealing runtime, and awaits each; returns how
/// long each took. A task spawns them, as the model's acceptor does.
///
/// # Errors
/// Returns the error of the runtime if it cannot start.
pub fn tasks(count: u32) -> io::Result<Vec<Duration>> {
    let cpus = thread::available_parallelism().map_or(1, NonZero::get);
    let runtime = runtime::work_stealing(cpus)?;
    runtime.block_on(async { tokio::spawn(make_tasks(count)).await? })
}

async fn make_tasks(count: u32) -> io::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let begun = Instant::now();
        tokio::spawn(async { black_box(()) }).await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

fn timed(count: u32, mut make: impl FnMut() -> io::Result<()>) -> io::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let begun = Instant::now();
        make()?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// Runs `work` in a detached thread, created as the model creates one for a client.
///
/// # Errors
/// Returns the error of pthread_create(3), such as `EAGAIN` at a limit on threads.
pub fn detached<W: FnOnce() + Send + 'static>(work: W) -> io::Result<()> {
    sys::spawn_detached(STACK_BYTES, work)
}
