//! A fixed number of workers, as threads or as processes that are replaced when they die.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, SigmaskHow};

use crate::children::{Children, Fork};
use crate::context::Context;
use crate::counters::become_worker;
use crate::log::complain;
use crate::server::Server;
use crate::{stop, sys};

/// So many workers dead before they served, within [`BOOT_DEATHS_WITHIN`], and the server gives up: the next would die too.
const BOOT_DEATHS_MAX: usize = 5;
/// See [`BOOT_DEATHS_MAX`].
const BOOT_DEATHS_WITHIN: Duration = Duration::from_secs(10);

/// What a worker does for as long as it lives.
pub(crate) type Work = fn(&'static Server) -> io::Result<()>;

/// Runs `work` in as many threads as the server has workers, until all have ended well or one has not: nobody replaces a
/// thread, and the clients of a listener of its own would wait for ever.
///
/// # Errors
/// A thread that the system refused, or the first error of a worker. The other threads end with the process.
pub(crate) fn run_threads(server: &'static Server, work: Work) -> io::Result<()> {
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
                // Once the first has ended badly, nobody wants to know about the others.
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
    /// Workers that have been forked and not been missed yet.
    hired: Vec<bool>,
    boot_deaths: Vec<Instant>,
}

impl Workers {
    /// Prepares to fork.
    ///
    /// # Errors
    /// When this process has a second thread.
    pub(crate) fn of(server: &'static Server) -> io::Result<Self> {
        Ok(Workers {
            server,
            children: Children::for_workers(server)?,
            hired: vec![false; server.settings().workers],
            boot_deaths: Vec::new(),
        })
    }

    /// Waits until a worker is missing and says which; `None` once the server is told to stop. The server is announced as
    /// soon as all workers are ready.
    ///
    /// # Errors
    /// When workers die as fast as they are made, or the announcement cannot be written. The others have ended then.
    pub(crate) fn next_vacancy(&mut self) -> io::Result<Option<usize>> {
        // Blocked but for the wait itself, so that no death and no stop falls between looking and waiting.
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let vacancy = loop {
            if stop::is_asked() {
                break None;
            }
            let is_free = |&worker: &usize| self.children.is_free(worker);
            if let Some(worker) = (0..self.hired.len()).find(is_free) {
                break Some(worker);
            }
            if let Err(error) = self.server.announce_if_ready() {
                before.thread_set_mask()?;
                self.drain();
                return Err(error);
            }
            before.suspend()?;
        };
        before.thread_set_mask()?;
        if let Some(worker) = vacancy {
            self.mourn(worker)?;
        }
        Ok(vacancy)
    }

    /// Forks that worker, which does `work` and ends. A refused fork is tried again later, once the server is announced.
    ///
    /// # Errors
    /// A fork that was refused before that. The other workers have ended then.
    pub(crate) fn hire(&mut self, worker: usize, work: Work) -> io::Result<()> {
        let become_worker_process = || {
            become_worker(worker);
            stop::IS_WORKER_PROCESS.store(true, Ordering::Relaxed);
            self.server.renew_wake_pipe();
        };
        match self.children.fork_into(worker, become_worker_process) {
            Ok(Fork::Parent) => self.hired[worker] = true,
            Ok(Fork::Child) => work_and_exit(self.server, worker, work),
            Err(refused) if self.server.is_announced() => {
                if (0..self.hired.len()).all(|worker| self.children.is_free(worker)) {
                    self.server.send_away_who_waits();
                }
                self.server.could_not_attend(&refused);
            }
            Err(refused) => {
                self.drain();
                let (number, workers) = (worker + 1, self.hired.len());
                return Err(refused)
                    .context(|| format!("cannot fork worker process {number} of {workers}"));
            }
        }
        Ok(())
    }

    /// Passes the stop on and waits until no worker is left.
    pub(crate) fn drain(&self) {
        self.children.drain();
    }

    /// Settles what a dead worker left, and counts it if it died before it came to serve.
    fn mourn(&mut self, worker: usize) -> io::Result<()> {
        self.server.unlock_for(worker);
        let had_started = self
            .server
            .counters()
            .tally_of(worker)
            .starts
            .swap(0, Ordering::Relaxed)
            > 0;
        if !std::mem::take(&mut self.hired[worker]) || had_started {
            return Ok(());
        }
        if !self.server.is_announced() {
            self.drain();
            return Err(io::Error::other(format!(
                "worker process {} of {} died while starting",
                worker + 1,
                self.hired.len()
            )));
        }
        complain(&format!("worker {worker} died while starting"));
        let now = Instant::now();
        self.boot_deaths
            .retain(|&death| now - death < BOOT_DEATHS_WITHIN);
        self.boot_deaths.push(now);
        if self.boot_deaths.len() < BOOT_DEATHS_MAX {
            return Ok(());
        }
        self.drain();
        Err(io::Error::other(format!(
            "{BOOT_DEATHS_MAX} workers died while starting within {} s; giving up",
            BOOT_DEATHS_WITHIN.as_secs()
        )))
    }
}

/// The whole life of a worker process. It never returns to what its parent was doing, not even by panicking.
fn work_and_exit(server: &'static Server, worker: usize, work: Work) -> ! {
    let ended = catch_unwind(AssertUnwindSafe(|| work(server)));
    sys::exit_now(match ended {
        Ok(Ok(())) => 0,
        Ok(Err(error)) => {
            complain(&format!("worker {worker}: {error}"));
            1
        }
        Err(_panic) => 1,
    })
}
