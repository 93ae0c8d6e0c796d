//! What a server's processes have, from `/proc`, and what many requests leave.

use std::thread;
use std::time::{Duration, Instant};

use hola_lab::record::StoredText;

use super::both;
use super::client::ANSWER_MAX;
use super::server::{StartedServer, Starter};

/// Requests before the first count: a pool may make a worker for each of its first clients.
const WARM_UP: usize = 300;
/// Requests between the counts.
const REQUESTS: usize = 2_000;
/// Growth of descriptors that is no leak: far less than one for each request, and enough for a file that a runtime opens
/// late.
pub(super) const DESCRIPTOR_GROWTH_MAX: usize = 8;
/// Growth of threads and processes that is no leak: a runtime starts some of its own late, and more of them where it has
/// more processors.
pub(super) const THREAD_GROWTH_MAX: usize = 64;
/// A server that reaps its children at its next client leaves the last ones.
pub(super) const ZOMBIES_MAX: usize = 8;
/// Longest wait until a server has released what its clients used.
pub(super) const SETTLE_MAX: Duration = Duration::from_secs(3);
/// Polling interval of `/proc`.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(30);

/// What a server's processes have, all together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ProcessCounts {
    /// Processes that run.
    pub(super) processes: usize,
    /// Their threads.
    pub(super) threads: usize,
    /// Their descriptors.
    pub(super) descriptors: usize,
    /// Processes that have ended and that their parent has not waited for.
    pub(super) zombies: usize,
}

impl ProcessCounts {
    /// Counts now; `None` if the server was not started here.
    pub(super) fn of(server: &StartedServer) -> Option<Self> {
        let mut counts = ProcessCounts::default();
        for process in server.process.as_ref()?.borrow().processes() {
            let Ok(stat) = process.stat() else { continue };
            if stat.state == 'Z' {
                counts.zombies += 1;
                continue;
            }
            counts.processes += 1;
            counts.threads += usize::try_from(stat.num_threads).unwrap_or(0);
            counts.descriptors += process.fd_count().unwrap_or(0);
        }
        Some(counts)
    }

    /// Counts until two in a row are equal.
    pub(super) fn settled(server: &StartedServer) -> Option<Self> {
        let deadline = Instant::now() + SETTLE_MAX;
        let mut counts = Self::of(server)?;
        loop {
            thread::sleep(POLL_INTERVAL);
            let next = Self::of(server)?;
            if next == counts || Instant::now() > deadline {
                return Some(next);
            }
            counts = next;
        }
    }

    fn exceeds(self, before: Self) -> bool {
        self.zombies > ZOMBIES_MAX
            || self.descriptors > before.descriptors + DESCRIPTOR_GROWTH_MAX
            || self.threads > before.threads + THREAD_GROWTH_MAX
            || self.processes > before.processes + THREAD_GROWTH_MAX
    }
}

/// What is said of a server whose processes cannot be counted.
pub(super) fn processes_unseen() -> StoredText {
    both("its processes cannot be seen", "no se ven sus procesos")
}

/// What many requests have left.
#[derive(Debug)]
pub(super) struct Growth {
    pub(super) before: ProcessCounts,
    pub(super) after: ProcessCounts,
}

impl Growth {
    /// Counts before and after many requests.
    pub(super) fn measure(starter: &Starter) -> Result<Self, StoredText> {
        let server = starter.start()?;
        let ask_once = || {
            starter.check_time()?;
            server.greet(ANSWER_MAX).map(drop)
        };
        let ask = |times: usize| (0..times).try_for_each(|_| ask_once());
        ask(WARM_UP)?;
        let before = ProcessCounts::settled(&server).ok_or_else(processes_unseen)?;
        ask(REQUESTS)?;
        let deadline = Instant::now() + SETTLE_MAX;
        let mut after = ProcessCounts::of(&server).ok_or_else(processes_unseen)?;
        while after.exceeds(before) && Instant::now() < deadline {
            thread::sleep(POLL_INTERVAL);
            after = ProcessCounts::of(&server).ok_or_else(processes_unseen)?;
        }
        Ok(Growth { before, after })
    }
}
