//! The cost of sharing between two threads or two processes, without a client: a counter, or a message and its answer.

use std::hint::black_box;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use crate::children::check_single_threaded;
use crate::context::ErrorContext;
use crate::counters::count;
use crate::sys;

/// Two threads each add one to a counter, `times` times; returns the time of all additions.
///
/// # Errors
/// Returns the error of pthread_create(3), or an error if additions are missing.
pub fn counter_of_threads(times: u32) -> io::Result<Duration> {
    let counter = AtomicU64::new(0);
    let begun = Instant::now();
    thread::scope(|scope| {
        thread::Builder::new().spawn_scoped(scope, || add(&counter, times))?;
        add(&counter, times);
        io::Result::Ok(())
    })?;
    let took = begun.elapsed();
    all_counted(&counter, times).map(|()| took)
}

/// Two processes each add one to a counter in shared memory, `times` times; returns the time of all additions.
///
/// # Errors
/// Returns the error of mmap(2), fork(2) or waitpid(2), or an error if this process has a second thread or additions
/// are missing.
pub fn counter_of_processes(times: u32) -> io::Result<Duration> {
    let [counter] = &sys::shared::<[AtomicU64; 1]>(1)?[0];
    let begun = Instant::now();
    let child = in_child(|| {
        add(counter, times);
        Ok(())
    })?;
    add(counter, times);
    waitpid(child, None)?;
    let took = begun.elapsed();
    all_counted(counter, times).map(|()| took)
}

fn add(counter: &AtomicU64, times: u32) {
    for _ in 0..times {
        count(black_box(counter));
    }
}

fn all_counted(counter: &AtomicU64, times: u32) -> io::Result<()> {
    let (counted, all) = (counter.load(Ordering::Relaxed), 2 * u64::from(times));
    if counted == all {
        return Ok(());
    }
    Err(io::Error::other(format!("{counted} of {all} were counted")))
}

/// A thread sends a number over a channel to another, which sends it back, `times` times; returns the time of all.
///
/// # Errors
/// Returns the error of pthread_create(3), or an error if the other thread has ended.
pub fn messages_of_threads(times: u32) -> io::Result<Duration> {
    const GONE: io::ErrorKind = io::ErrorKind::BrokenPipe;
    let (there, from_here) = mpsc::channel::<u64>();
    let (back, from_there) = mpsc::channel();
    thread::Builder::new()
        .spawn(move || from_here.iter().try_for_each(|number| back.send(number)))?;
    let begun = Instant::now();
    for number in 0..u64::from(times) {
        there.send(number).map_err(|_| GONE)?;
        from_there.recv().map_err(|_| GONE)?;
    }
    Ok(begun.elapsed())
}

/// A process sends a number over a socket pair to another, which sends it back, `times` times; returns the time of all.
///
/// # Errors
/// Returns the error of socketpair(2), fork(2), read(2) or write(2), or an error if this process has a second thread.
pub fn messages_of_processes(times: u32) -> io::Result<Duration> {
    let (mut here, mut there) = UnixStream::pair()?;
    let mut number = [0; size_of::<u64>()];
    let child = in_child(|| {
        for _ in 0..times {
            there.read_exact(&mut number)?;
            there.write_all(&number)?;
        }
        Ok(())
    })?;
    // Closes the parent's copy of the child's end: as long as it is open, a read does not end when the child dies.
    drop(there);
    let begun = Instant::now();
    for sent in 0..u64::from(times) {
        here.write_all(&sent.to_ne_bytes())?;
        here.read_exact(&mut number)?;
    }
    let took = begun.elapsed();
    waitpid(child, None)?;
    Ok(took)
}

/// Runs `work` in a forked child, which then ends.
fn in_child(work: impl FnOnce() -> io::Result<()>) -> io::Result<Pid> {
    check_single_threaded()?;
    match sys::fork().context(|| "cannot fork".into())? {
        Some(child) => Ok(child),
        None => sys::exit_now(i32::from(work().is_err())),
    }
}
