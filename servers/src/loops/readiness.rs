//! An event loop for many clients: it asks a selector which sockets are ready, and advances the client of each.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use slab::Slab;

use super::acceptor::Acceptor;
use super::deadlines::Deadlines;
use super::resumable::Resumable;
use super::{judge_wait, until_first};
use crate::accept_policy::Backoff;
use crate::context::ErrorContext;
use crate::conversation::TimeoutKind;
use crate::counters::count;
use crate::drive::Budget;
use crate::drive::readiness::{Need, Wait};
use crate::helpers::HelperPool;
use crate::log::warn_rate_limited;
use crate::server::Server;
use crate::settings::{Accept, FirstRead};
use crate::stop;

/// What the loop waits for on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Bytes, a new client, or the end of the stream.
    Readable,
    /// The same, but not every loop that watches the socket has to be woken; selectors that cannot tell wake all.
    Exclusive,
    /// Room to write.
    Writable,
}

/// Tells a loop which sockets are ready. It is level-triggered: a socket that is not served now is reported again.
pub(crate) trait Selector {
    /// Reports `token` from now on whenever `socket` is ready for `interest`.
    fn watch(&mut self, socket: BorrowedFd, token: usize, interest: Interest) -> io::Result<()>;

    /// Changes the interest of a socket that is already watched.
    fn change_watch(
        &mut self,
        socket: BorrowedFd,
        token: usize,
        interest: Interest,
    ) -> io::Result<()> {
        self.watch(socket, token, interest)
    }

    /// Stops reporting `token`, though its socket stays open.
    fn unwatch(&mut self, _socket: BorrowedFd, token: usize) -> io::Result<()> {
        self.on_close(token);
        Ok(())
    }

    /// The socket of `token` is about to be closed.
    fn on_close(&mut self, token: usize);

    /// Waits until a socket is ready or the time is up (-1: for ever); adds the tokens of ready sockets to `ready`.
    fn wait(&mut self, timeout_ms: i32, ready: &mut Vec<usize>) -> io::Result<()>;
}

/// Most clients accepted in one turn, so that the others are served again soon.
const ACCEPTS_PER_TURN: u32 = 64;

/// Token of the listener.
const LISTENER: usize = 0;
/// Token of the pipe that tells the loop to stop.
const STOP: usize = 1;
/// Token of the signal that helpers have done work.
const HELPERS: usize = 2;
/// Tokens of clients start here.
const CLIENTS: usize = 3;

/// A client that is being served.
#[derive(Debug)]
struct ActiveClient<R> {
    /// Its conversation, except while a helper works for it.
    running: Option<R>,
    /// When the loop resumes it even if its socket is not ready; `None` is never.
    due: Option<Instant>,
    /// What the selector watches its socket for, if it does.
    interest: Option<Interest>,
    /// Its budget was used up: the loop resumes it in the next turn, not before.
    has_yielded: bool,
}

/// Serves with that selector until the server is told to stop and no client is left; helpers, if there are any, do what
/// keeps a thread for long. Fails with the error of the selector; an error of a socket ends only its own conversation.
pub(crate) fn run<R: Resumable>(
    server: &'static Server,
    selector: impl Selector,
    helpers: Option<HelperPool<R>>,
) -> io::Result<()> {
    let mut event_loop = EventLoop {
        server,
        acceptor: Acceptor::new(server)?,
        selector,
        helpers,
        active: Slab::new(),
        deadlines: Deadlines::default(),
        yielded: Vec::new(),
        now: Instant::now(),
    };
    event_loop.watch_signals()?;
    event_loop
        .update_watch()
        .context(|| "cannot watch the listener".into())?;
    server.acceptor_is_ready()?;
    event_loop.update_acceptor();
    let mut backoff = Backoff::new();
    let mut ready: Vec<usize> = Vec::new();
    while event_loop.is_running() {
        let timeout_ms = event_loop.timeout().map_or(-1, milliseconds_up);
        let waited = event_loop.selector.wait(timeout_ms, &mut ready);
        judge_wait(server, &mut backoff, waited)?;
        event_loop.now = Instant::now();
        let yielded = std::mem::take(&mut event_loop.yielded);
        for token in ready.drain(..) {
            match token {
                LISTENER => {
                    count(&server.counters().tally().wakeups);
                    event_loop.admit();
                }
                // The flag is set; `update_acceptor` reads it. If this fails, the selector reports the pipe again.
                STOP => drop(event_loop.selector.unwatch(server.stop_signal(), STOP)),
                HELPERS => event_loop.take_back(),
                token => event_loop.on_ready(token - CLIENTS),
            }
        }
        event_loop.resume_yielded(yielded);
        event_loop.check_deadlines();
        event_loop.update_acceptor();
    }
    Ok(())
}

struct EventLoop<S, R> {
    server: &'static Server,
    acceptor: Acceptor,
    selector: S,
    helpers: Option<HelperPool<R>>,
    active: Slab<ActiveClient<R>>,
    deadlines: Deadlines,
    /// Clients that used up their budget and continue in the next turn.
    yielded: Vec<usize>,
    /// Read once a turn: nothing here needs a more exact time.
    now: Instant,
}

impl<S: Selector, R: Resumable> EventLoop<S, R> {
    /// Watches what tells the loop to stop, and that helpers have done their work.
    fn watch_signals(&mut self) -> io::Result<()> {
        let stop = self.server.stop_signal();
        let watched = self.selector.watch(stop, STOP, Interest::Readable);
        watched.context(|| "cannot watch for the stop".into())?;
        let Some(helpers) = &self.helpers else {
            return Ok(());
        };
        let done = helpers.done_signal();
        let watched = self.selector.watch(done, HELPERS, Interest::Readable);
        watched.context(|| "cannot watch the helpers".into())
    }

    fn is_running(&self) -> bool {
        !self.acceptor.is_closed || !self.active.is_empty()
    }

    fn timeout(&self) -> Option<Duration> {
        if !self.yielded.is_empty() {
            return Some(Duration::ZERO);
        }
        let acceptor = self.acceptor.retry_at(self.now);
        until_first([self.deadlines.next(), acceptor], self.now)
    }

    fn budget(&self) -> Budget {
        Budget::new(self.now, self.helpers.is_none())
    }

    /// Accepts waiting clients. With [`FirstRead::AtOnce`], it advances each as far as possible: a short conversation
    /// ends before the selector has to watch its socket.
    fn admit(&mut self) {
        let settings = self.server.settings();
        let idle = settings.timeouts.limit(TimeoutKind::Idle);
        let first_wait = Wait {
            need: Need::Readable,
            until: idle.map(|limit| self.now + limit),
        };
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(client) = self.acceptor.next(self.now) else {
                break;
            };
            let mut running = match R::new(client, self.now) {
                Ok(running) => running,
                Err(error) => {
                    self.server.on_shortage("cannot serve a client", &error);
                    continue;
                }
            };
            let wait = match settings.first_read {
                Some(FirstRead::AtOnce) => running.resume(self.budget()),
                _ => Some(first_wait),
            };
            if let Some(wait) = wait {
                let key = self.active.insert(ActiveClient {
                    running: Some(running),
                    due: None,
                    interest: None,
                    has_yielded: false,
                });
                self.wait_for(key, wait);
            }
        }
    }

    /// Resumes a client whose socket is ready.
    fn on_ready(&mut self, key: usize) {
        // Since the selector reported it in this turn, it may have left, begun another wait, or yielded.
        let waits = |active: &ActiveClient<R>| active.interest.is_some() && !active.has_yielded;
        if self.active.get(key).is_some_and(waits) {
            self.resume(key);
        }
    }

    fn resume(&mut self, key: usize) {
        let budget = self.budget();
        let running = self.active[key].running.as_mut();
        match running.and_then(|running| running.resume(budget)) {
            Some(wait) => self.wait_for(key, wait),
            None => self.remove(key),
        }
    }

    /// Resumes the clients that yielded in the turn before.
    fn resume_yielded(&mut self, yielded: Vec<usize>) {
        for key in yielded {
            self.active[key].has_yielded = false;
            self.resume(key);
        }
    }

    /// Has the selector watch a client's socket for what it needs, or a helper work for it. Refuses it if that fails.
    fn wait_for(&mut self, key: usize, wait: Wait) {
        let active = &mut self.active[key];
        active.due = wait.until;
        let interest = match wait.need {
            Need::Readable => Some(Interest::Readable),
            Need::Writable => Some(Interest::Writable),
            Need::Time(_) | Need::Work | Need::Nothing => None,
            Need::Budget => {
                active.has_yielded = true;
                self.yielded.push(key);
                return;
            }
        };
        self.deadlines.set(key, active.due);
        let before = std::mem::replace(&mut active.interest, interest);
        let Some(running) = &active.running else {
            return;
        };
        let (socket, token) = (running.socket().as_fd(), key + CLIENTS);
        let watched = match (before, interest) {
            (None, Some(interest)) => self.selector.watch(socket, token, interest),
            (Some(before), Some(interest)) if before != interest => {
                self.selector.change_watch(socket, token, interest)
            }
            (Some(_), None) => self.selector.unwatch(socket, token),
            _ => Ok(()),
        };
        if let Err(error) = watched {
            self.refuse(key, wait.need, &error);
        } else if wait.need == Need::Work {
            self.hand_over(key);
        }
    }

    /// Drops a client that the selector cannot watch.
    fn refuse(&mut self, key: usize, need: Need, error: &io::Error) {
        warn_rate_limited(&format!("cannot watch a client: {error}"));
        match self.active[key].running.take() {
            // Half of an answer cannot become a refusal.
            Some(running) if need == Need::Writable => count(&running.client().tally().refused),
            Some(running) => running.refuse(),
            None => {}
        }
        self.remove(key);
    }

    fn hand_over(&mut self, key: usize) {
        let running = self.active[key].running.take();
        let (Some(helpers), Some(running)) = (&self.helpers, running) else {
            return;
        };
        if let Err(too_many) = helpers.hand_over(key, running) {
            too_many.refuse();
            self.remove(key);
        }
    }

    /// Continues with the clients for which helpers have done the work.
    fn take_back(&mut self) {
        while let Some((key, running)) = self.helpers.as_ref().and_then(HelperPool::next_done) {
            self.active[key].running = running;
            self.resume(key);
        }
    }

    fn remove(&mut self, key: usize) {
        if self.active[key].interest.is_some() {
            self.selector.on_close(key + CLIENTS);
        }
        self.active.remove(key);
    }

    /// Resumes the clients that are due: their time has passed, or they are too late. A client's bytes may have come in
    /// time without a report of the selector, so its conversation reads first, and then checks its deadline.
    fn check_deadlines(&mut self) {
        while let Some(key) = self.deadlines.due(self.now) {
            let Some(active) = self.active.get(key) else {
                continue;
            };
            match active.due {
                _ if active.has_yielded => {}
                Some(due) if due <= self.now => self.resume(key),
                due => self.deadlines.set(key, due),
            }
        }
    }

    fn update_acceptor(&mut self) {
        if stop::is_asked() {
            self.admit();
            self.acceptor.close_if_queue_is_empty();
        }
        if let Err(error) = self.update_watch() {
            self.acceptor.watch_refused(&error, self.now);
        }
    }

    /// Watches the listener exactly while clients may be accepted.
    fn update_watch(&mut self) -> io::Result<()> {
        let listener = self.server.listener().as_fd();
        let is_open = self.acceptor.is_open(self.now);
        let selector = &mut self.selector;
        match (self.acceptor.is_watched, is_open) {
            (false, true) => {
                let interest = match self.server.settings().accept {
                    Some(Accept::Exclusive) => Interest::Exclusive,
                    _ => Interest::Readable,
                };
                selector.watch(listener, LISTENER, interest)?;
            }
            (true, false) => selector.unwatch(listener, LISTENER)?,
            _ => {}
        }
        self.acceptor.is_watched = is_open;
        Ok(())
    }
}

/// Whole milliseconds, rounded up: a wake-up before the deadline would be useless.
fn milliseconds_up(time: Duration) -> i32 {
    i32::try_from(time.as_micros().div_ceil(1_000)).unwrap_or(i32::MAX)
}
