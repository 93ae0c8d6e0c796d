//! An event loop for many clients: it asks a selector which sockets are ready, and advances the client of each.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use slab::Slab;

use super::acceptor::Acceptor;
use super::deadlines::Deadlines;
use super::{judge_wait, until_first};
use crate::accept_policy::Backoff;
use crate::client::Client;
use crate::context::ErrorContext;
use crate::conversation::{AnyConversation, Conversation};
use crate::counters::count;
use crate::drive::readiness::{Need, advance};
use crate::drive::{Budget, Deadline};
use crate::log::warn_rate_limited;
use crate::server::{Server, count_outcome};
use crate::stop;

/// What the loop waits for on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Bytes, a new client, or the end of the stream.
    Readable,
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
/// Tokens of clients start here.
const CLIENTS: usize = 2;

/// A client that is being served.
#[derive(Debug)]
struct ActiveClient {
    client: Client,
    conversation: AnyConversation<'static>,
    deadline: Deadline,
    /// What the selector watches its socket for, if it does.
    interest: Option<Interest>,
    /// When its wait ends, if it waits for time to pass.
    wakes_at: Option<Instant>,
    /// Its budget was used up: the loop resumes it in the next turn, not before.
    has_yielded: bool,
}

/// Serves with that selector until the server is told to stop and no client is left. Fails with the error of the
/// selector; an error of a socket ends only its own conversation.
pub(crate) fn run(server: &'static Server, selector: impl Selector) -> io::Result<()> {
    let mut event_loop = EventLoop {
        server,
        acceptor: Acceptor::new(server)?,
        selector,
        active: Slab::new(),
        deadlines: Deadlines::default(),
        yielded: Vec::new(),
        now: Instant::now(),
    };
    event_loop
        .selector
        .watch(server.stop_signal(), STOP, Interest::Readable)
        .context(|| "cannot watch for the stop".into())?;
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
                token => event_loop.resume(token - CLIENTS),
            }
        }
        event_loop.resume_yielded(yielded);
        event_loop.check_deadlines();
        event_loop.update_acceptor();
    }
    Ok(())
}

struct EventLoop<S> {
    server: &'static Server,
    acceptor: Acceptor,
    selector: S,
    active: Slab<ActiveClient>,
    deadlines: Deadlines,
    /// Clients that used up their budget and continue in the next turn.
    yielded: Vec<usize>,
    /// Read once a turn: nothing here needs a more exact time.
    now: Instant,
}

impl<S: Selector> EventLoop<S> {
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

    /// Accepts waiting clients, and advances each as far as possible at once: a short conversation ends before the
    /// selector has to watch its socket.
    fn admit(&mut self) {
        let timeouts = &self.server.settings().timeouts;
        for _ in 0..ACCEPTS_PER_TURN {
            let Some(mut client) = self.acceptor.next(self.now) else {
                break;
            };
            let mut conversation = self.server.new_conversation();
            let budget = Budget::new(self.now);
            if let Some(need) = advance_client(&mut client, &mut conversation, budget) {
                let key = self.active.insert(ActiveClient {
                    deadline: Deadline::new(&conversation, timeouts, self.now),
                    client,
                    conversation,
                    interest: None,
                    wakes_at: None,
                    has_yielded: false,
                });
                self.wait_for(key, need);
            }
        }
    }

    fn resume(&mut self, key: usize) {
        // The selector reported this client in this turn, but since then it has left, begun to wait, or yielded.
        let awake = |active: &&mut ActiveClient| active.wakes_at.is_none() && !active.has_yielded;
        let Some(active) = self.active.get_mut(key).filter(awake) else {
            return;
        };
        let budget = Budget::new(self.now);
        match advance_client(&mut active.client, &mut active.conversation, budget) {
            Some(need) => self.wait_for(key, need),
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

    /// Has the selector watch a client's socket for what it needs, and sets its deadline. Refuses it if that fails.
    fn wait_for(&mut self, key: usize, need: Need) {
        let active = &mut self.active[key];
        let timeouts = &self.server.settings().timeouts;
        let deadline = &mut active.deadline;
        deadline.follow(&active.conversation, timeouts, self.now);
        let (interest, wakes_at) = match need {
            Need::Readable => (Some(Interest::Readable), None),
            Need::Writable => (Some(Interest::Writable), None),
            Need::Time(time) => (None, Some(self.now + time)),
            Need::Nothing => (None, None),
            Need::Budget => {
                active.has_yielded = true;
                self.yielded.push(key);
                return;
            }
        };
        active.wakes_at = wakes_at;
        self.deadlines.set(key, active.due());
        let before = std::mem::replace(&mut active.interest, interest);
        let (client, token) = (active.client.serve(), key + CLIENTS);
        let socket = client.as_fd();
        let watched = match (before, interest) {
            (None, Some(interest)) => self.selector.watch(socket, token, interest),
            (Some(before), Some(interest)) if before != interest => {
                self.selector.change_watch(socket, token, interest)
            }
            (Some(_), None) => self.selector.unwatch(socket, token),
            _ => Ok(()),
        };
        if let Err(error) = watched {
            self.refuse(key, &error);
        }
    }

    /// Drops a client that the selector cannot watch.
    fn refuse(&mut self, key: usize, error: &io::Error) {
        warn_rate_limited(&format!("cannot watch a client: {error}"));
        count(&self.active[key].client.tally().refused);
        self.end(key, &Ok(()));
    }

    /// Counts how a conversation ended, and drops the client.
    fn end(&mut self, key: usize, outcome: &io::Result<()>) {
        let active = &self.active[key];
        let answers = active.conversation.answers();
        count_outcome(active.client.tally(), outcome, answers);
        self.remove(key);
    }

    fn remove(&mut self, key: usize) {
        if self.active[key].interest.is_some() {
            self.selector.on_close(key + CLIENTS);
        }
        self.active.remove(key);
    }

    fn check_deadlines(&mut self) {
        while let Some(key) = self.deadlines.due(self.now) {
            let Some(active) = self.active.get_mut(key) else {
                continue;
            };
            if active.due().is_none_or(|due| due > self.now) {
                self.deadlines.set(key, active.due());
            } else if active.wakes_at.take().is_some() {
                active.conversation.waited();
                self.resume(key);
            } else {
                // The client's bytes may have come in time without a report of the selector: so the loop reads first.
                self.resume(key);
                let active = self.active.get(key);
                if active.is_some_and(|active| active.due().is_some_and(|due| due <= self.now)) {
                    self.end(key, &Err(io::ErrorKind::TimedOut.into()));
                }
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
            (false, true) => selector.watch(listener, LISTENER, Interest::Readable)?,
            (true, false) => selector.unwatch(listener, LISTENER)?,
            _ => {}
        }
        self.acceptor.is_watched = is_open;
        Ok(())
    }
}

impl ActiveClient {
    /// When the loop must handle this client although its socket is not ready; `None` is never.
    fn due(&self) -> Option<Instant> {
        match self.has_yielded {
            true => None,
            false => self.wakes_at.or(self.deadline.at()),
        }
    }
}

/// Whole milliseconds, rounded up: a wake-up before the deadline would be useless.
fn milliseconds_up(time: Duration) -> i32 {
    i32::try_from(time.as_micros().div_ceil(1_000)).unwrap_or(i32::MAX)
}

/// Advances a client as far as possible at once. Returns what it needs next, or `None` if its conversation has ended.
fn advance_client(
    client: &mut Client,
    conversation: &mut AnyConversation<'static>,
    budget: Budget,
) -> Option<Need> {
    let socket = client.serve();
    // A panic ends one conversation, not the loop and its other clients.
    let advanced = catch_unwind(AssertUnwindSafe(|| advance(conversation, socket, budget)));
    let outcome = match advanced {
        Ok(Ok(Need::Nothing)) => Ok(()),
        Ok(Ok(need)) => return Some(need),
        Ok(Err(error)) => Err(error),
        Err(_panic) => {
            count(&client.tally().crashed);
            return None;
        }
    };
    count_outcome(client.tally(), &outcome, conversation.answers());
    None
}
