//! What a server counts, in memory that its processes share.

use std::cell::Cell;
use std::fs::{self, DirEntry, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicU64, Ordering};

use nix::sys::memfd::{MFdFlags, memfd_create};
use serde::{Deserialize, Serialize};

use crate::sys;
pub use crate::sys::tally::Tally;

/// Name of the memory file, which `/proc/PID/fd` shows.
const MEMORY_NAME: &str = "hola-counters";
/// Page of that file at which the workers' tallies begin.
const TALLIES_PAGE: u16 = 1;

thread_local! {
    static WORKER: Cell<usize> = const { Cell::new(0) };
}

/// Makes the calling thread worker `number`, from 0. It then counts in its own tally and accepts at its own listener,
/// if each worker has one. A forked child keeps the number of its parent's thread until it calls this.
pub(crate) fn become_worker(number: usize) {
    WORKER.set(number);
}

/// The calling thread's worker number; 0 for a thread that never became a worker.
pub(crate) fn worker() -> usize {
    WORKER.get()
}

/// All counts of one server.
#[derive(Debug)]
pub struct Counters {
    /// One for each worker, so that no two of them write to the same cache line.
    tallies: &'static [Tally],
    /// What the clients themselves count, at `/count`.
    pub count: &'static AtomicU64,
    /// Acceptors that have been ready for clients, including those that were replaced.
    pub(crate) acceptors_ready: &'static AtomicU64,
    /// Clients that have been served so far; each gets a number.
    pub(crate) served: &'static AtomicU64,
    /// The file of this memory, for a process that does not inherit the mapping; `None` if the system forbids such files.
    memory: Option<OwnedFd>,
}

/// The device and the inode of a process's program, by the process's folder in `/proc`.
fn program_of(process: &str) -> Option<(u64, u64)> {
    let program = fs::metadata(format!("{process}/exe")).ok()?;
    Some((program.dev(), program.ino()))
}

/// Counts `event` once more. Relaxed is enough: nothing is published through a counter.
pub(crate) fn count(event: &AtomicU64) {
    event.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    /// Counters for that many workers, all zero. Fails with the error of mmap(2).
    pub(crate) fn new(workers: usize) -> io::Result<Self> {
        if let Ok(memory) = memfd_create(MEMORY_NAME, MFdFlags::MFD_CLOEXEC) {
            return Counters::from_memory(memory, workers);
        }
        let [count, acceptors_ready, served] = &sys::shared::<[AtomicU64; 3]>(1)?[0];
        Ok(Counters {
            tallies: sys::shared(workers)?,
            count,
            acceptors_ready,
            served,
            memory: None,
        })
    }

    /// The counters of another process, of which this one has the memory file.
    ///
    /// # Errors
    /// Returns the error of ftruncate(2) or mmap(2).
    pub fn from_memory(memory: OwnedFd, workers: usize) -> io::Result<Self> {
        let [count, acceptors_ready, served] =
            &sys::shared_in_file::<[AtomicU64; 3]>(&memory, 0, 1)?[0];
        Ok(Counters {
            tallies: sys::shared_in_file(&memory, TALLIES_PAGE, workers)?,
            count,
            acceptors_ready,
            served,
            memory: Some(memory),
        })
    }

    /// The counters of a server that runs, one of whose processes has this id. `None` if it is a server of another program,
    /// also of another version of this one, or if this process may not open the memory of its counters.
    pub fn of_process(id: i32) -> Option<Self> {
        let of_server = format!("/proc/{id}");
        // Another version may count other things in the same places.
        if program_of(&of_server)? != program_of("/proc/self")? {
            return None;
        }
        let mut descriptors = fs::read_dir(format!("{of_server}/fd")).ok()?.flatten();
        let name = format!("/memfd:{MEMORY_NAME} ");
        let is_memory = |one: &DirEntry| {
            let link = fs::read_link(one.path());
            link.is_ok_and(|link| link.to_string_lossy().starts_with(&name))
        };
        let path = descriptors.find(is_memory)?.path();
        let memory = File::options().read(true).write(true).open(path).ok()?;
        let memory = OwnedFd::from(memory);
        let workers = sys::count_in_file::<Tally>(&memory, TALLIES_PAGE).ok()?;
        Counters::from_memory(memory, workers).ok()
    }

    /// The file of this memory. Fails if the system forbids memory files.
    pub(crate) fn memory(&self) -> io::Result<BorrowedFd<'_>> {
        let memory = self.memory.as_ref().map(AsFd::as_fd);
        memory.ok_or_else(|| io::Error::other("needs a memory file (memfd_create)"))
    }

    /// The calling worker's tally.
    pub(crate) fn tally(&self) -> &'static Tally {
        self.tally_of(worker())
    }

    /// What each worker counts.
    pub fn tallies(&self) -> &'static [Tally] {
        self.tallies
    }

    pub(crate) fn tally_of(&self, worker: usize) -> &'static Tally {
        &self.tallies[worker]
    }

    /// Clients held at this moment.
    pub fn active(&self) -> u64 {
        self.tallies.iter().map(Tally::active).sum()
    }

    /// All counts, as plain numbers.
    pub fn snapshot(&self) -> Snapshot {
        let by_worker = |counter: fn(&Tally) -> &AtomicU64| -> Vec<u64> {
            let each = self.tallies.iter().map(counter);
            each.map(|count| count.load(Ordering::Acquire)).collect()
        };
        let sum = |counter| by_worker(counter).iter().sum();
        Snapshot {
            accepted: sum(|tally| &tally.accepted),
            wakeups: sum(|tally| &tally.wakeups),
            closed: sum(|tally| &tally.closed),
            refused: sum(|tally| &tally.refused),
            answers: sum(|tally| &tally.answers),
            expired: sum(|tally| &tally.expired),
            broken: sum(|tally| &tally.broken),
            crashed: sum(|tally| &tally.crashed),
            backed_off: sum(|tally| &tally.backed_off),
            accepted_by_worker: by_worker(|tally| &tally.accepted),
            wakeups_by_worker: by_worker(|tally| &tally.wakeups),
        }
    }
}

impl Tally {
    /// Clients this worker holds at this moment.
    pub fn active(&self) -> u64 {
        // Read in this order the difference can be too large for an instant, never negative.
        let closed = self.closed.load(Ordering::Acquire);
        self.accepted.load(Ordering::Acquire).saturating_sub(closed)
    }
}

/// [`Counters`] at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is its namesake's value")]
pub struct Snapshot {
    pub accepted: u64,
    pub wakeups: u64,
    pub closed: u64,
    pub refused: u64,
    pub answers: u64,
    pub expired: u64,
    pub broken: u64,
    pub crashed: u64,
    pub backed_off: u64,
    pub accepted_by_worker: Vec<u64>,
    pub wakeups_by_worker: Vec<u64>,
}
