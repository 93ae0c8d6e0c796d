//! What it takes to make one process, thread or task that has nothing to do, and to see it end: the price of attention
//! without a client. Each is made as the model that needs it makes it.

use std::hint::black_box;
use std::io;
use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::wait::waitpid;

use crate::children::check_single_threaded;
use crate::context::Context;
use crate::models::STACK_OCTETS;
use crate::runtime;
use crate::sys;

/// Touches that much memory and keeps it, as `hola serve --ballast` does: a fork copies the page tables of it.
///
/// # Errors
/// `OutOfMemory`, when there is not so much; it names the option.
pub fn ballast(octets: u64) -> io::Result<()> {
    let mut ballast: Vec<u8> = Vec::new();
    let size = usize::try_from(octets).ok();
    let Some(size) = size.filter(|&size| ballast.try_reserve_exact(size).is_ok()) else {
        return Err(io::Error::from(io::ErrorKind::OutOfMemory))
            .context(|| format!("--ballast {octets}"));
    };
    ballast.resize(size, 1);
    ballast.leak();
    Ok(())
}

/// Forks `count` children that end at once, one after another, and reaps each; how long each took.
///
/// # Errors
/// What fork(2) or waitpid(2) said, or that this process has a second thread.
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

/// Makes `count` threads that end at once, one after another, and waits for the end of each; how long each took.
///
/// # Errors
/// What pthread_create(3) said.
pub fn threads(count: u32) -> io::Result<Vec<Duration>> {
    timed(count, || {
        let ended = sys::spawn_and_join(STACK_OCTETS, || {
            black_box(());
        });
        ended.context(|| "cannot make a thread".into())
    })
}

/// Makes `count` tasks that end at once, one after another, on a work-stealing runtime, and awaits each; how long each
/// took. Who makes them is a task itself, as the model's acceptor is.
///
/// # Errors
/// What the runtime said when it could not start.
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

/// Has `work` done by a thread of its own, made as the model makes one for a client; it is not waited for.
///
/// # Errors
/// What pthread_create(3) said, such as `EAGAIN` at a limit on threads.
pub fn detached<W: FnOnce() + Send + 'static>(work: W) -> io::Result<()> {
    sys::spawn_detached(STACK_OCTETS, work)
}
