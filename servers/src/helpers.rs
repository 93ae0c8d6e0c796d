//! Threads that do long work for an event loop, and the bounded queue before them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::context::ErrorContext;
use crate::settings::Settings;

/// A client that needs a helper, and the key by which its loop knows it.
type Job<R> = (usize, R);

/// A client whose work is done; without its conversation if that did not survive the work.
type Done<R> = (usize, Option<R>);

/// The loop's side: a queue of jobs and a list of done ones. The helpers end with the process.
pub(crate) struct HelperPool<R> {
    queue: SyncSender<Job<R>>,
    done: Receiver<Done<R>>,
    done_signal: Arc<EventFd>,
}

/// One helper's side of it.
pub(crate) struct Helper<R> {
    jobs: Arc<Mutex<Receiver<Job<R>>>>,
    done: Sender<Done<R>>,
    done_signal: Arc<EventFd>,
}

impl<R: Send + 'static> HelperPool<R> {
    /// As many threads as the server has workers, each of which runs `help`. Fails with the error of eventfd(2) or
    /// pthread_create(3).
    pub(crate) fn start(settings: &Settings, help: fn(&Helper<R>)) -> io::Result<Self> {
        let (queue, jobs) = sync_channel(settings.queue as usize);
        let (finished, done) = channel();
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let done_signal = EventFd::from_flags(flags);
        let done_signal = Arc::new(done_signal.context(|| "cannot make an eventfd".into())?);
        let jobs = Arc::new(Mutex::new(jobs));
        for number in 0..settings.workers {
            let helper = Helper {
                jobs: Arc::clone(&jobs),
                done: finished.clone(),
                done_signal: Arc::clone(&done_signal),
            };
            let thread = thread::Builder::new().name(format!("helper-{number}"));
            let made = thread.spawn(move || help(&helper));
            made.context(|| {
                let (number, workers) = (number + 1, settings.workers);
                format!("cannot make helper thread {number} of {workers}")
            })?;
        }
        Ok(HelperPool {
            queue,
            done,
            done_signal,
        })
    }
}

impl<R> Helper<R> {
    /// Waits for the next job; `None` once the loop has ended.
    pub(crate) fn next_job(&self) -> Option<Job<R>> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.recv().ok()
    }

    /// Gives a client back to the loop, and wakes it.
    pub(crate) fn finish(&self, key: usize, client: Option<R>) {
        // If either fails, the loop has ended.
        let _ = self.done.send((key, client));
        let _ = self.done_signal.write(1);
    }
}

impl<R> HelperPool<R> {
    /// Becomes readable when work is done.
    pub(crate) fn done_signal(&self) -> BorrowedFd<'_> {
        self.done_signal.as_fd()
    }

    /// Has a helper do the work that the client with that key needs. Gives the client back if too many wait for one.
    pub(crate) fn hand_over(&self, key: usize, client: R) -> Result<(), R> {
        self.queue.try_send((key, client)).map_err(|refused| {
            let (TrySendError::Full((_, client)) | TrySendError::Disconnected((_, client))) =
                refused;
            client
        })
    }

    /// The next client whose work is done.
    pub(crate) fn next_done(&self) -> Option<Done<R>> {
        // Read before the look: work that is done later signals again.
        let _ = self.done_signal.read();
        self.done.try_recv().ok()
    }
}
