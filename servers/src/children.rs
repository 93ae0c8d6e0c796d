//! Child processes: forked from a single thread, reaped without fail, told to stop with their parent, ended when it dies.

use std::io;
use std::sync::atomic::{AtomicI32, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::unistd::{Pid, getpid, getppid};

use crate::context::Context;
use crate::counters::{Counters, count};
use crate::server::Server;
use crate::{date, sys};

/// Most children at once. The cap on clients is what stops a server from forking; this only has to be larger.
const CHILDREN_MAX: usize = 4096;

/// How often a full table or a drain looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// The children of one server. Reaping happens in a SIGCHLD handler, so no child is ever left a zombie, and their CPU
/// time reaches the parent's `RUSAGE_CHILDREN`.
#[derive(Debug)]
pub struct Children {
    server: &'static Server,
    family: &'static Family,
}

/// Who lives, in a form that a signal handler can read and write: it may neither lock nor allocate.
#[derive(Debug)]
pub(crate) struct Family {
    parent: Pid,
    /// Process ids of the living children, 0 where a place is free. In shared memory, not because the children need
    /// it: the parent writes it for every child, and a private page would have to be copied each time.
    living: &'static [AtomicI32],
    /// A child's place is its worker number, and its clients are those of that worker's tally.
    are_workers: bool,
    counters: &'static Counters,
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
    /// When this process has a second thread, or what mmap(2) or sigaction(2) said.
    pub fn of(server: &'static Server) -> io::Result<Self> {
        Children::prepare(server, false)
    }

    /// The same for children that are a server's workers.
    pub(crate) fn for_workers(server: &'static Server) -> io::Result<Self> {
        Children::prepare(server, true)
    }

    fn prepare(server: &'static Server, are_workers: bool) -> io::Result<Self> {
        check_single_threaded()?;
        let family = Box::leak(Box::new(Family {
            parent: getpid(),
            living: sys::shared_ids(CHILDREN_MAX)
                .context(|| "cannot share memory with child processes".into())?,
            are_workers,
            counters: server.counters(),
        }));
        sys::reap_children(family).context(|| "cannot answer SIGCHLD".into())?;
        server.rehearse();
        Ok(Children { server, family })
    }

    /// Splits this process in two. The child has no listener, only its client.
    ///
    /// # Errors
    /// What fork(2) said, such as `EAGAIN` at a limit on processes.
    pub fn fork(&self) -> io::Result<Fork> {
        // Formatted once a second here and inherited, not formatted again by every child.
        date::http_date();
        self.fork_into(self.family.free_place(), || {
            date::ask_kernel_from_here_on();
            sys::close_listeners(self.server.listeners());
        })
    }

    /// The same with a place of the caller's choice; the child begins with `become_child`.
    pub(crate) fn fork_into(&self, place: usize, become_child: impl FnOnce()) -> io::Result<Fork> {
        // Blocked: a child that ends at once must find its process id in the table, and a SIGTERM must not find the
        // child while it still looks like its parent.
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let forked = sys::fork();
        match &forked {
            Ok(Some(child)) => self.family.living[place].store(child.as_raw(), Ordering::Relaxed),
            Ok(None) => {
                end_with(self.family.parent);
                become_child();
            }
            Err(_) => {}
        }
        before.thread_set_mask()?;
        forked.map(|child| match child {
            Some(_) => Fork::Parent,
            None => Fork::Child,
        })
    }

    /// Ends a child, without running what its parent registered for its own end.
    pub fn end(&self) -> ! {
        sys::exit_now(0)
    }

    /// Whether nobody lives in that place.
    pub(crate) fn is_free(&self, place: usize) -> bool {
        self.family.living[place].load(Ordering::Relaxed) == 0
    }

    /// Passes the stop on and waits until no child is left. The drain's alarm bounds the wait.
    pub fn drain(&self) {
        self.family
            .each_child_of(self.family.parent.as_raw(), |pid| {
                // It may have ended a moment ago: then there is nobody to tell.
                let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
            });
        while (0..CHILDREN_MAX).any(|place| !self.is_free(place)) {
            self.server.close_doors_if_nobody_waits();
            thread::sleep(LOOK_AGAIN);
        }
    }
}

impl Family {
    /// Does `work` with the id of each living child, if `process` is their parent.
    pub(crate) fn each_child_of(&self, process: i32, work: impl Fn(i32)) {
        let living = self
            .living
            .iter()
            .map(|place| place.load(Ordering::Relaxed));
        if process == self.parent.as_raw() {
            living.filter(|&pid| pid != 0).for_each(work);
        }
    }

    /// Frees the place of a child that has ended, and closes the books on clients that died with it.
    pub(crate) fn bury(&self, pid: i32, ended_well: bool) {
        let is_its = |place: &AtomicI32| place.load(Ordering::Relaxed) == pid;
        let Some(place) = self.living.iter().position(is_its) else {
            return;
        };
        if self.are_workers {
            let tally = self.counters.tally_of(place);
            if !ended_well {
                count(&tally.crashed);
            }
            let accepted = tally.accepted.load(Ordering::Acquire);
            tally.closed.store(accepted, Ordering::Release);
        } else if !ended_well {
            count(&self.counters.tally_of(0).crashed);
            count(&self.counters.tally_of(0).closed);
        }
        self.living[place].store(0, Ordering::Relaxed);
    }

    fn free_place(&self) -> usize {
        let is_free = |place: &AtomicI32| place.load(Ordering::Relaxed) == 0;
        loop {
            if let Some(place) = self.living.iter().position(is_free) {
                return place;
            }
            thread::sleep(LOOK_AGAIN);
        }
    }
}

/// Has the kernel end this new process when its parent ends, in whatever way. It is told by each child, because fork(2)
/// clears it; and the parent, which forks from its only thread, may have ended before.
fn end_with(parent: Pid) {
    let is_told = set_pdeathsig(Signal::SIGKILL).is_ok();
    if !is_told || getppid() != parent {
        sys::exit_now(1);
    }
}

/// A lock held by another thread would stay locked in a forked child for ever.
pub(crate) fn check_single_threaded() -> io::Result<()> {
    let threads = std::fs::read_dir("/proc/self/task")
        .context(|| "cannot tell from /proc/self/task whether forking is safe".into())?
        .count();
    if threads == 1 {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "cannot fork safely: this process has {threads} threads"
    )))
}
