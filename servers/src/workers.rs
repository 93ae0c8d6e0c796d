//! A fixed number of workers, as threads or as processes that are replaced when they die.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, SigmaskHow};

use crate::children::{Children, Fork};
use crate::context::ErrorContext;
use crate::counters::become_worker;
use crate::log::warn_rate_limited;
use crate::passing::Passer;
use crate::server::Server;
use crate::{stop, sys};

/// If so many workers die while starting, within [`BOOT_DEATHS_WITHIN`], the server gives up: the next would die too.
const BOOT_DEATHS_MAX: usize = 5;
/// See [`BOOT_DEATHS_MAX`].
const BOOT_DEATHS_WITHIN: Duration = Duration::from_secs(10);

/// The function that a worker runs until it ends.
pub(crate) type WorkerMain = fn(&'static Server) -> io::Result<()>;

/// Runs `work` in as many threads as the server has workers, until all have ended without error or one has failed. It
/// then returns at once, because nothing replaces a thread: clients of its own listener would wait for ever. Returns an
/// error if the system refuses a thread, or the first error of a worker. The other threads end with the process.
pub(crate) fn run_threads(server: &'static Server, work: WorkerMain) -> io::Result<()> {
    let (ending, endings) = mpsc::channel();
    let workers = server.settings().workers;
    for number in 0..workers {
        let ending = ending.clone();
        let made = thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || {
                become_worker(number);
                let ended = catch_unwind(AssertUnwindSafe(|| work(server)));
                let died = |_panic| Err(io::Error::other("a worker thread died"));
                // After the first error the receiver is gone, and the other results do not matter.
                let _ = ending.send(ended.unwrap_or_else(died));
            });
        made.context(|| format!("cannot make worker thread {} of {workers}", number + 1))?;
    }
    drop(ending);
    endings.into_iter().collect()
}

/// The worker processes of one server.
#[derive(Debug)]
pub(crate) struct Workers {
    server: &'static Server,
    children: Children,
    /// Whether each worker has been forked and its exit has not been handled yet.
    is_spawned: Vec<bool>,
    boot_deaths: Vec<Instant>,
    /// Passes clients to the workers, if they do not accept themselves.
    passer: Option<Passer>,
}

impl Workers {
    /// Prepares to fork. Returns an error if this process has a second thread.
    pub(crate) fn new(server: &'static Server) -> io::Result<Self> {
        Ok(Workers {
            server,
            children: Children::with_workers(server)?,
            is_spawned: vec![false; server.settings().workers],
            boot_deaths: Vec::new(),
            passer: Passer::new(server)?,
        })
    }

    /// Waits until a worker is missing and returns its number; `None` once the server is told to stop. Meanwhile it
    /// announces the server as soon as all workers are ready. Returns an error if workers die as fast as they are
    /// forked, or if the announcement cannot be written. The other workers have ended by then.
    pub(crate) fn next_missing_worker(&mut self) -> io::Result<Option<usize>> {
        // Signals are blocked except during the wait itself, so that none is missed between the check and the wait.
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let missing = loop {
            if stop::is_asked() {
                break None;
            }
            let is_free = |&worker: &usize| self.children.is_free(worker);
            if let Some(worker) = (0..self.is_spawned.len()).find(is_free) {
                break Some(worker);
            }
            if let Err(error) = self.server.announce_if_ready() {
                before.thread_set_mask()?;
                self.drain();
                return Err(error);
            }
            match &mut self.passer {
                Some(passer) => passer.take_turn(before)?,
                None => before.suspend()?,
            }
        };
        before.thread_set_mask()?;
        if let Some(worker) = missing {
            self.on_worker_exit(worker)?;
        }
        Ok(missing)
    }

    /// Forks that worker, which runs `work` and ends. Once the server is announced, a refused fork is retried later.
    /// Returns the error of a fork that is refused before that. The other workers have ended by then.
    pub(crate) fn spawn_worker(&mut self, worker: usize, work: WorkerMain) -> io::Result<()> {
        let become_worker_process = || {
            become_worker(worker);
            stop::IS_WORKER_PROCESS.store(true, Ordering::Relaxed);
            self.server.renew_wake_pipe();
        };
        match self.children.fork_into(worker, become_worker_process) {
            Ok(Fork::Parent) => self.is_spawned[worker] = true,
            Ok(Fork::Child) => run_worker_process(self.server, worker, work),
            Err(refused) if self.server.is_announced() => {
                if (0..self.is_spawned.len()).all(|worker| self.children.is_free(worker)) {
                    self.server.refuse_waiting_clients();
                }
                self.server.on_refused_spawn(&refused);
            }
            Err(refused) => {
                self.drain();
                let (number, workers) = (worker + 1, self.is_spawned.len());
                return Err(refused)
                    .context(|| format!("cannot fork worker process {number} of {workers}"));
            }
        }
        Ok(())
    }

    /// Tells all workers to stop and waits until none is left.
    pub(crate) fn drain(&mut self) {
        if let Some(passer) = &mut self.passer {
            passer.finish();
        }
        self.children.drain();
    }

    /// Cleans up after a worker that has ended, and counts it if it died before it could serve.
    fn on_worker_exit(&mut self, worker: usize) -> io::Result<()> {
        self.server.unlock_for(worker);
        if let Some(passer) = &mut self.passer {
            passer.on_worker_exit(worker);
        }
        let starts = &self.server.counters().tally_of(worker).starts;
        let had_started = starts.swap(0, Ordering::Relaxed) > 0;
        if !std::mem::take(&mut self.is_spawned[worker]) || had_started {
            return Ok(());
        }
        if !self.server.is_announced() {
            self.drain();
            let (number, workers) = (worker + 1, self.is_spawned.len());
            let died = format!("worker process {number} of {workers} died while starting");
            return Err(io::Error::other(died));
        }
        warn_rate_limited(&format!("worker {worker} died while starting"));
        let now = Instant::now();
        self.boot_deaths
            .retain(|&death| now - death < BOOT_DEATHS_WITHIN);
        self.boot_deaths.push(now);
        if self.boot_deaths.len() < BOOT_DEATHS_MAX {
            return Ok(());
        }
        self.drain();
        let seconds = BOOT_DEATHS_WITHIN.as_secs();
        let died = format!("{BOOT_DEATHS_MAX} workers died while starting within {seconds} s");
        Err(io::Error::other(format!("{died}; giving up")))
    }
}

/// Runs `work` in a worker process and exits. It never returns into the parent's code, not even after a panic.
fn run_worker_process(server: &'static Server, worker: usize, work: WorkerMain) -> ! {
    let ended = catch_unwind(AssertUnwindSafe(|| work(server)));
    sys::exit_now(match ended {
        Ok(Ok(())) => 0,
        Ok(Err(error)) => {
            warn_rate_limited(&format!("worker {worker}: {error}"));
            1
        }
        Err(_panic) => 1,
    })
}
