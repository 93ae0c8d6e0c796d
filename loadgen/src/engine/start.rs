//! The start of a run has two phases: all threads are spawned and set up, then all begin at the same instant. If one of
//! them cannot be spawned or set up, none begins.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle, Thread};

use crate::sys;

/// Spawns the threads of a run.
pub(super) trait Spawn {
    /// Runs `body` on a new thread called `name`.
    ///
    /// # Errors
    /// The system's error if it refuses the thread.
    fn spawn<'scope, R: Send + 'scope>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        name: String,
        body: impl FnOnce() -> R + Send + 'scope,
    ) -> io::Result<ScopedJoinHandle<'scope, R>>;
}

/// Spawns operating system threads.
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

/// The decision that the waiting threads receive.
#[derive(Clone, Copy, Debug)]
enum Decision {
    /// Begin; the start of the run on the monotonic clock.
    Begin(u64),
    /// End without a run.
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

/// Opens a gate once. If it is dropped unopened, it releases the waiting threads: an error before the start does not
/// leave them waiting.
#[derive(Debug)]
pub(super) struct GateOpener<'g>(pub(super) &'g StartGate);

impl GateOpener<'_> {
    /// Lets all threads begin, and returns the start of the run.
    pub(super) fn open(self) -> u64 {
        let started = sys::now_ns();
        self.0.decide(Decision::Begin(started));
        started
    }
}

impl Drop for GateOpener<'_> {
    fn drop(&mut self) {
        self.0.decide(Decision::GiveUp);
    }
}

/// Counts a thread as running until it is dropped, also by a panic; then the caller is woken.
#[derive(Debug)]
pub(super) struct Running<'r> {
    count: &'r AtomicUsize,
    caller: &'r Thread,
}

impl<'r> Running<'r> {
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
