//! The start of a run in two phases: every thread is made and set up, then all begin at the same instant. If one of them
//! cannot be made or set up, none begins.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle, Thread};

use crate::sys;

/// Makes the threads of a run.
pub(super) trait Spawn {
    /// Runs `body` on a new thread called `name`.
    ///
    /// # Errors
    /// What the system reports when it refuses the thread.
    fn spawn<'scope, R: Send + 'scope>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        name: String,
        body: impl FnOnce() -> R + Send + 'scope,
    ) -> io::Result<ScopedJoinHandle<'scope, R>>;
}

/// Makes threads by the system's own means.
#[derive(Clone, Copy, Debug)]
pub(super) struct SystemThreads;

impl Spawn for SystemThreads {
    fn spawn<'scope, R: Send + 'scope>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        name: String,
        body: impl FnOnce() -> R + Send + 'scope,
    ) -> io::Result<ScopedJoinHandle<'scope, R>> {
        thread::Builder::new().name(name).spawn_scoped(scope, body)
    }
}

/// Why a thread could not be set up.
#[derive(Debug)]
pub(super) struct SetupError {
    /// What was refused, as "cannot run on CPU 99".
    pub(super) refused: String,
    pub(super) source: io::Error,
}

/// What the threads that are ready are told.
#[derive(Clone, Copy, Debug)]
enum Decision {
    /// Begin; the start of the run on the monotonic clock.
    Begin(u64),
    /// End without having begun.
    GiveUp,
}

/// Where threads wait for the decision.
#[derive(Debug, Default)]
pub(super) struct StartGate {
    decision: Mutex<Option<Decision>>,
    decided: Condvar,
}

impl StartGate {
    /// Waits for the decision: the start of the run, or `None` when there is no run.
    pub(super) fn wait(&self) -> Option<u64> {
        let decision = self.decision.lock().unwrap_or_else(PoisonError::into_inner);
        let decision = self
            .decided
            .wait_while(decision, |decision| decision.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        match *decision {
            Some(Decision::Begin(started)) => Some(started),
            Some(Decision::GiveUp) | None => None,
        }
    }

    fn decide(&self, decision: Decision) {
        let mut decided = self.decision.lock().unwrap_or_else(PoisonError::into_inner);
        decided.get_or_insert(decision);
        drop(decided);
        self.decided.notify_all();
    }
}

/// The right to open a gate. Dropped without that, it releases the waiting threads: no error on the way leaves them behind.
#[derive(Debug)]
pub(super) struct GateKey<'g>(pub(super) &'g StartGate);

impl GateKey<'_> {
    /// Lets all threads begin, and returns the start of the run.
    pub(super) fn open(self) -> u64 {
        let started = sys::now_ns();
        self.0.decide(Decision::Begin(started));
        started
    }
}

impl Drop for GateKey<'_> {
    fn drop(&mut self) {
        self.0.decide(Decision::GiveUp);
    }
}

/// A thread that counts as running; dropped, also by a panic, it does not any more, and the caller is woken.
#[derive(Debug)]
pub(super) struct Running<'r> {
    count: &'r AtomicUsize,
    caller: &'r Thread,
}

impl<'r> Running<'r> {
    /// Counts one thread more.
    pub(super) fn new(count: &'r AtomicUsize, caller: &'r Thread) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self { count, caller }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Release);
        self.caller.unpark();
    }
}
