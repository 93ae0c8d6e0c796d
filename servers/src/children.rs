//! Child processes: forked from a single thread, always reaped, told to stop with their parent, killed when it dies.

use std::io;
use std::sync::atomic::Ordering;
use std::thread;

use hola_base::process::end_with;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::unistd::{Pid, getpid};

use crate::child_table::{CHILDREN_MAX, ChildTable};
use crate::client::Client;
use crate::context::ErrorContext;
use crate::server::{RECHECK_INTERVAL, Server};
use crate::{date, one_client, signals, sys};

/// The children of one server. Reaping happens in a SIGCHLD handler, so no child is ever left a zombie, and their CPU
/// time reaches the parent's `RUSAGE_CHILDREN`.
#[derive(Debug)]
pub struct Children {
    server: &'static Server,
    table: &'static ChildTable,
}

/// Which of the two processes is running.
#[derive(Debug, PartialEq, Eq)]
pub enum Fork {
    /// The new process: do the work, then [`Children::end`].
    Child,
    /// The old process.
    Parent,
}

impl Children {
    /// Prepares to fork a child for each client. Returns an error if this process has a second thread, or the error of
    /// mmap(2) or sigaction(2).
    pub fn new(server: &'static Server) -> io::Result<Self> {
        Children::prepare(server, false)
    }

    /// Prepares to start a program for each client. Returns such an error, or one if the program could not share the
    /// server's counters.
    pub fn with_programs(server: &'static Server) -> io::Result<Self> {
        server
            .counters()
            .memory()
            .context(|| server.model().into())?;
        Children::prepare(server, false)
    }

    /// The same for children that are a server's workers.
    pub(crate) fn with_workers(server: &'static Server) -> io::Result<Self> {
        Children::prepare(server, true)
    }

    fn prepare(server: &'static Server, are_workers: bool) -> io::Result<Self> {
        check_single_threaded()?;
        let table = Box::leak(Box::new(ChildTable {
            parent: getpid(),
            pids: sys::shared(CHILDREN_MAX)
                .context(|| "cannot share memory with child processes".into())?,
            are_workers,
            counters: server.counters(),
        }));
        signals::reap_children(table).context(|| "cannot answer SIGCHLD".into())?;
        server.warm_up();
        Ok(Children { server, table })
    }

    /// Forks this process. The child has no listener, only its client. Fails with the error of fork(2), such as
    /// `EAGAIN` at a limit on processes.
    pub fn fork(&self) -> io::Result<Fork> {
        // The parent formats the date once a second, and every child inherits it instead of formatting it again.
        date::http_date();
        self.fork_into(self.free_slot(), || {
            date::ask_kernel_from_here_on();
            sys::close_listeners(self.server.listeners());
        })
    }

    /// Starts this program again, in a new process, for one client. That process has no listener, only the client's
    /// connection, and the memory of the counters. Fails with the error of posix_spawn(3).
    pub fn spawn_program(&self, client: &Client) -> io::Result<()> {
        let socket = client.socket().ok_or(io::ErrorKind::NotConnected)?;
        let slot = self.free_slot();
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let spawned = one_client::spawn(self.server, socket, self.table.parent);
        if let Ok(child) = &spawned {
            self.table.pids[slot].store(child.as_raw(), Ordering::Relaxed);
        }
        before.thread_set_mask()?;
        spawned.map(drop)
    }

    /// Forks into the slot that the caller chooses; the child begins with `become_child`.
    pub(crate) fn fork_into(&self, slot: usize, become_child: impl FnOnce()) -> io::Result<Fork> {
        // Signals are blocked: the SIGCHLD of a child that ends at once must find its process id in the table, and a
        // SIGTERM must not reach a child that still looks like its parent.
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let forked = sys::fork();
        match &forked {
            Ok(Some(child)) => self.table.pids[slot].store(child.as_raw(), Ordering::Relaxed),
            Ok(None) => {
                // fork(2) has cleared this. The parent may have ended before this call.
                if end_with(self.table.parent.as_raw()).is_err() {
                    sys::exit_now(1);
                }
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

    /// Ends a child, without running what its parent registered for its own exit.
    pub fn end(&self) -> ! {
        sys::exit_now(0)
    }

    /// Whether no child has that slot.
    pub(crate) fn is_free(&self, slot: usize) -> bool {
        self.table.pids[slot].load(Ordering::Relaxed) == 0
    }

    fn free_slot(&self) -> usize {
        loop {
            if let Some(slot) = (0..CHILDREN_MAX).find(|&slot| self.is_free(slot)) {
                return slot;
            }
            thread::sleep(RECHECK_INTERVAL);
        }
    }

    /// Tells all children to stop and waits until none is left. The alarm of the drain limits the wait.
    pub fn drain(&self) {
        let parent = self.table.parent.as_raw();
        self.table.for_each_child_of(parent, |pid| {
            // The child may have ended a moment ago; then there is nothing to tell.
            let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        });
        while (0..CHILDREN_MAX).any(|slot| !self.is_free(slot)) {
            self.server.close_empty_listeners();
            thread::sleep(RECHECK_INTERVAL);
        }
    }
}

/// Returns an error if there is a second thread: a lock that it holds would stay locked in a forked child for ever.
pub(crate) fn check_single_threaded() -> io::Result<()> {
    let threads = std::fs::read_dir("/proc/self/task")
        .context(|| "cannot tell from /proc/self/task whether forking is safe".into())?
        .count();
    if threads == 1 {
        return Ok(());
    }
    let why = format!("cannot fork safely: this process has {threads} threads");
    Err(io::Error::other(why))
}
