//! Child processes: forked from a single thread, reaped without fail, told to stop with their parent.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use crate::counters::{Counters, count};
use crate::server::Server;
use crate::{date, sys};

/// Most children at once. The cap on clients is what stops a server from forking; this only has to be larger.
const CHILDREN_MAX: usize = 4096;

/// Process ids of the living children, 0 where a place is free. A static table of atomics, because the handler that
/// reaps may neither lock nor allocate.
pub(crate) static LIVING: [AtomicI32; CHILDREN_MAX] = [const { AtomicI32::new(0) }; CHILDREN_MAX];

/// Whether a child's place is its worker number, and its clients are those of that worker's tally.
static ARE_WORKERS: AtomicBool = AtomicBool::new(false);

/// How often a full table or a drain looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// The children of one server. Reaping happens in a SIGCHLD handler, so no child is ever left a zombie, and their CPU
/// time reaches the parent's `RUSAGE_CHILDREN`.
#[derive(Debug)]
pub struct Children {
    server: &'static Server,
}

/// Which of the two processes is running.
#[derive(Debug, PartialEq, Eq)]
pub enum Fork {
    /// The new process: do the work, then [`Children::end`].
    Child,
    /// The old one.
    Parent,
}

impl Children {
    /// Prepares to fork a child for each client.
    ///
    /// # Errors
    /// When this process has a second thread.
    pub fn of(server: &'static Server) -> io::Result<Self> {
        check_single_threaded()?;
        sys::reap_children(server.counters())?;
        server.rehearse();
        Ok(Children { server })
    }

    /// The same for children that are a server's workers.
    pub(crate) fn for_workers(server: &'static Server) -> io::Result<Self> {
        ARE_WORKERS.store(true, Ordering::Relaxed);
        Children::of(server)
    }

    /// Splits this process in two. The child has no listener, only its client.
    ///
    /// # Errors
    /// What fork(2) said, such as `EAGAIN` at a limit on processes.
    pub fn fork(&self) -> io::Result<Fork> {
        // Formatted once a second here and inherited, not formatted again by every child.
        date::http_date();
        fork_into(free_place(), || {
            sys::close_listeners(self.server.listeners());
        })
    }

    /// Ends a child, without running what its parent registered for its own end.
    pub fn end(&self) -> ! {
        sys::exit_now(0)
    }

    /// Passes the stop on and waits until no child is left. The drain's alarm bounds the wait.
    pub fn drain(&self) {
        for place in &LIVING {
            if let Some(pid) = Some(place.load(Ordering::Relaxed)).filter(|&pid| pid != 0) {
                // It may have ended a moment ago: then there is nobody to tell.
                let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
            }
        }
        while LIVING
            .iter()
            .any(|place| place.load(Ordering::Relaxed) != 0)
        {
            thread::sleep(LOOK_AGAIN);
        }
    }
}

/// Splits this process in two; the child's id goes to `place`, and the child begins with `become_child`.
pub(crate) fn fork_into(
    place: &'static AtomicI32,
    become_child: impl FnOnce(),
) -> io::Result<Fork> {
    // Blocked: a child that ends at once must find its process id in the table, and a SIGTERM must not find the
    // child while it still looks like its parent.
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let forked = sys::fork();
    match &forked {
        Ok(Some(child)) => place.store(child.as_raw(), Ordering::Relaxed),
        Ok(None) => become_child(),
        Err(_) => {}
    }
    before.thread_set_mask()?;
    forked.map(|child| match child {
        Some(_) => Fork::Parent,
        None => Fork::Child,
    })
}

/// Frees the place of a child that has ended, and closes the books on clients that died with it. Runs in a signal
/// handler: it touches nothing but atomics.
pub(crate) fn bury(counters: &Counters, pid: i32, ended_well: bool) {
    let Some(place) = LIVING
        .iter()
        .position(|place| place.load(Ordering::Relaxed) == pid)
    else {
        return;
    };
    if ARE_WORKERS.load(Ordering::Relaxed) {
        let tally = counters.tally_of(place);
        if !ended_well {
            count(&tally.crashed);
        }
        tally
            .closed
            .store(tally.accepted.load(Ordering::Acquire), Ordering::Release);
    } else if !ended_well {
        count(&counters.tally_of(0).crashed);
        count(&counters.tally_of(0).closed);
    }
    LIVING[place].store(0, Ordering::Relaxed);
}

fn free_place() -> &'static AtomicI32 {
    loop {
        if let Some(place) = LIVING
            .iter()
            .find(|place| place.load(Ordering::Relaxed) == 0)
        {
            return place;
        }
        thread::sleep(LOOK_AGAIN);
    }
}

/// Makes `count` children that end at once, one after another, and reaps each: the price of a process, for benches.
///
/// # Errors
/// What fork(2) or waitpid(2) said, or that this process has a second thread.
pub fn fork_and_reap(count: u64) -> io::Result<()> {
    check_single_threaded()?;
    for _ in 0..count {
        match sys::fork()? {
            Some(child) => waitpid(child, None)?,
            None => sys::exit_now(0),
        };
    }
    Ok(())
}

/// A lock held by another thread would stay locked in a forked child for ever.
fn check_single_threaded() -> io::Result<()> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads == 1 {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "cannot fork safely: this process has {threads} threads"
    )))
}
