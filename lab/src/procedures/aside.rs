//! A thread that works beside a load until it is told to end.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hola_servers::cli::Cpus;

/// How the thread learns that it is over.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    pub(super) fn has_rung(&self) -> bool {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for so long, or until it rings; whether it has rung.
    pub(super) fn rings_within(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if *rung || left.is_zero() {
                return *rung;
            }
            let woken = self.changed.wait_timeout(rung, left);
            rung = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// Such a thread; dropped, it is told to end and waited for.
#[derive(Debug)]
pub(super) struct Aside<C> {
    bell: Arc<Bell>,
    thread: Option<JoinHandle<C>>,
}

impl<C: Default + Send + 'static> Aside<C> {
    /// Starts `work` in a thread of its own on these CPUs; none means wherever the caller may run.
    ///
    /// # Errors
    /// One plain sentence, when there is no thread to be had.
    pub(super) fn start(
        cpus: &[usize],
        work: impl FnOnce(&Bell) -> C + Send + 'static,
    ) -> Result<Self, String> {
        let bell = Arc::new(Bell::default());
        let heard = Arc::clone(&bell);
        let cpus = (!cpus.is_empty()).then(|| Cpus::from(cpus));
        let thread = thread::Builder::new().name("aside".into()).spawn(move || {
            if let Some(cpus) = cpus {
                // Elsewhere it works as well; only the server might notice.
                let _ = cpus.run_on();
            }
            work(&heard)
        });
        let thread = thread.map_err(|error| format!("cannot start a thread: {error}"))?;
        Ok(Aside {
            bell,
            thread: Some(thread),
        })
    }

    /// Tells it to end, waits for it, and gives what it counted.
    pub(super) fn finish(mut self) -> C {
        self.bell.ring();
        // A panic has been reported by the thread itself.
        let counts = self.thread.take().and_then(|thread| thread.join().ok());
        counts.unwrap_or_default()
    }
}

impl<C> Aside<C> {
    /// Whether it has ended by itself.
    pub(super) fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl<C> Drop for Aside<C> {
    fn drop(&mut self) {
        self.bell.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
