//! One loop that serves many clients: it asks a selector who can go on, and takes each as far as it can.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use slab::Slab;

use super::deadlines::Deadlines;
use super::door::{Door, Turned};
use super::{Waits, until_first};
use crate::client::Client;
use crate::context::Context;
use crate::conversation::{Conversation, Talk};
use crate::counters::count;
use crate::drive::readiness::{Need, advance};
use crate::drive::{Deadline, Turn};
use crate::log::complain;
use crate::server::{Server, note};
use crate::stop;

/// What a socket is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Octets, a client, or an end.
    Readable,
    /// Room to write.
    Writable,
}

/// How a loop learns who can go on. Readiness is level-triggered: whoever is not served now is named again.
pub(crate) trait Selector {
    /// Names `place` from now on whenever `socket` is ready for that.
    fn watch(&mut self, socket: BorrowedFd, place: usize, interest: Interest) -> io::Result<()>;

    /// The same for a socket that is watched already, for something else.
    fn watch_instead(
        &mut self,
        socket: BorrowedFd,
        place: usize,
        interest: Interest,
    ) -> io::Result<()> {
        self.watch(socket, place, interest)
    }

    /// Names `place` no more, though its socket stays open.
    fn forget(&mut self, _socket: BorrowedFd, place: usize) -> io::Result<()> {
        self.closing(place);
        Ok(())
    }

    /// The socket of `place` is about to be closed.
    fn closing(&mut self, place: usize);

    /// Waits until somebody is ready or the time is up (-1: for ever); adds the places of those who are to `ready`.
    fn wait(&mut self, timeout_ms: i32, ready: &mut Vec<usize>) -> io::Result<()>;
}

/// Most clients let in before those inside are looked after again.
const CLIENTS_A_TURN: u32 = 64;

/// Place of the listener.
const DOOR: usize = 0;
/// Place of the pipe that says when to stop.
const STOP: usize = 1;
/// Places of clients start here.
const CLIENTS: usize = 2;

/// A client that is being served.
#[derive(Debug)]
struct Attended {
    client: Client,
    talk: Talk<'static>,
    deadline: Deadline,
    /// What its socket is watched for, if it is.
    interest: Option<Interest>,
    /// When the time it waits for has passed.
    wakes_at: Option<Instant>,
    /// It goes on in the next turn of the loop, and is left alone until then.
    has_yielded: bool,
}

/// Serves with that selector until the server is told to stop and nobody is left.
///
/// # Errors
/// What the selector said; the sockets' own errors end their conversations only.
pub(crate) fn run(server: &'static Server, selector: impl Selector) -> io::Result<()> {
    let mut event_loop = EventLoop {
        server,
        door: Door::of(server)?,
        selector,
        attended: Slab::new(),
        deadlines: Deadlines::default(),
        yielded: Vec::new(),
        now: Instant::now(),
    };
    event_loop
        .selector
        .watch(server.stop_signal(), STOP, Interest::Readable)
        .context(|| "cannot watch for the stop".into())?;
    event_loop
        .turn_door()
        .context(|| "cannot watch the listener".into())?;
    server.acceptor_is_ready()?;
    event_loop.look_after_door();
    let mut waits = Waits::new(server);
    let mut ready: Vec<usize> = Vec::new();
    while event_loop.goes_on() {
        let timeout_ms = event_loop.timeout().map_or(-1, milliseconds_up);
        waits.judge(event_loop.selector.wait(timeout_ms, &mut ready))?;
        event_loop.now = Instant::now();
        let yielded = std::mem::take(&mut event_loop.yielded);
        for place in ready.drain(..) {
            match place {
                DOOR => {
                    event_loop.door.knocked();
                    event_loop.admit();
                }
                // The flag is up; look_after_door sees it. Were this refused, it would be said again.
                STOP => drop(event_loop.selector.forget(server.stop_signal(), STOP)),
                place => event_loop.go_on(place - CLIENTS),
            }
        }
        event_loop.go_on_with_yielded(yielded);
        event_loop.look_after_deadlines();
        event_loop.look_after_door();
    }
    Ok(())
}

struct EventLoop<S> {
    server: &'static Server,
    door: Door,
    selector: S,
    attended: Slab<Attended>,
    deadlines: Deadlines,
    /// Clients that could go on, but let others have their turn first.
    yielded: Vec<usize>,
    /// Read once a turn: nothing here needs to know better.
    now: Instant,
}

impl<S: Selector> EventLoop<S> {
    fn goes_on(&self) -> bool {
        !self.door.is_closed() || !self.attended.is_empty()
    }

    fn timeout(&self) -> Option<Duration> {
        if !self.yielded.is_empty() {
            return Some(Duration::ZERO);
        }
        let door = self.door.looks_again_at(self.now);
        until_first([self.deadlines.next(), door], self.now)
    }

    /// Lets in who waits at the door, and takes each as far as it can go at once: a short conversation is over before
    /// the selector ever hears of it.
    fn admit(&mut self) {
        for _ in 0..CLIENTS_A_TURN {
            let Some(client) = self.door.next(self.now) else {
                break;
            };
            let (mut client, mut talk) = (client, self.server.talk());
            let turn = Turn::new(self.now);
            if let Some(need) = take_further(&mut client, &mut talk, turn) {
                let key = self.attended.insert(Attended {
                    deadline: Deadline::new(&talk, &self.server.settings().limits, self.now),
                    client,
                    talk,
                    interest: None,
                    wakes_at: None,
                    has_yielded: false,
                });
                self.wait_for(key, need);
            }
        }
    }

    fn go_on(&mut self, key: usize) {
        // Named by the selector within this turn, and gone or put to sleep since.
        let awake = |attended: &&mut Attended| attended.wakes_at.is_none() && !attended.has_yielded;
        let Some(attended) = self.attended.get_mut(key).filter(awake) else {
            return;
        };
        let turn = Turn::new(self.now);
        match take_further(&mut attended.client, &mut attended.talk, turn) {
            Some(need) => self.wait_for(key, need),
            None => self.let_go(key),
        }
    }

    /// Gives those who let others go first the turn after.
    fn go_on_with_yielded(&mut self, yielded: Vec<usize>) {
        for key in yielded {
            self.attended[key].has_yielded = false;
            self.go_on(key);
        }
    }

    /// Watches a client's socket for what it needs, and the clock for its deadline. A client that cannot be watched is let
    /// go of.
    fn wait_for(&mut self, key: usize, need: Need) {
        let attended = &mut self.attended[key];
        let limits = &self.server.settings().limits;
        attended.deadline.follow(&attended.talk, limits, self.now);
        let (interest, wakes_at) = match need {
            Need::Readable => (Some(Interest::Readable), None),
            Need::Writable => (Some(Interest::Writable), None),
            Need::Time(time) => (None, Some(self.now + time)),
            Need::Nothing => (None, None),
            Need::Turn => {
                attended.has_yielded = true;
                self.yielded.push(key);
                return;
            }
        };
        attended.wakes_at = wakes_at;
        self.deadlines.set(key, attended.due());
        let before = std::mem::replace(&mut attended.interest, interest);
        let (client, place) = (attended.client.serve(), key + CLIENTS);
        let socket = client.as_fd();
        let watched = match (before, interest) {
            (None, Some(interest)) => self.selector.watch(socket, place, interest),
            (Some(before), Some(interest)) if before != interest => {
                self.selector.watch_instead(socket, place, interest)
            }
            (Some(_), None) => self.selector.forget(socket, place),
            _ => Ok(()),
        };
        if let Err(error) = watched {
            self.refuse(key, &error);
        }
    }

    /// Lets go of a client for want of a place in the selector.
    fn refuse(&mut self, key: usize, error: &io::Error) {
        complain(&format!("cannot watch a client: {error}"));
        let attended = &self.attended[key];
        let (tally, answers) = (attended.client.tally(), attended.talk.answers());
        count(&tally.refused);
        note(tally, &Ok(()), answers);
        self.let_go(key);
    }

    fn let_go(&mut self, key: usize) {
        if self.attended[key].interest.is_some() {
            self.selector.closing(key + CLIENTS);
        }
        self.attended.remove(key);
    }

    fn look_after_deadlines(&mut self) {
        while let Some(key) = self.deadlines.due(self.now) {
            let Some(attended) = self.attended.get_mut(key) else {
                continue;
            };
            if attended.due().is_none_or(|due| due > self.now) {
                self.deadlines.set(key, attended.due());
            } else if attended.wakes_at.take().is_some() {
                attended.talk.waited();
                self.go_on(key);
            } else {
                // The selector may not have named a client whose octets came in time.
                self.go_on(key);
                self.let_go_if_expired(key);
            }
        }
    }

    fn let_go_if_expired(&mut self, key: usize) {
        let Some(attended) = self.attended.get(key) else {
            return;
        };
        if attended.due().is_some_and(|due| due <= self.now) {
            let expired = Err(io::ErrorKind::TimedOut.into());
            note(attended.client.tally(), &expired, attended.talk.answers());
            self.let_go(key);
        }
    }

    fn look_after_door(&mut self) {
        if stop::is_asked() {
            self.admit();
            self.door.close_if_nobody_waits();
        }
        if let Err(error) = self.turn_door() {
            self.door.watch_refused(&error, self.now);
        }
    }

    /// Watches the listener exactly while somebody may come in.
    fn turn_door(&mut self) -> io::Result<()> {
        let listener = self.server.listener().as_fd();
        let Some(turned) = self.door.turned(self.now) else {
            return Ok(());
        };
        match turned {
            Turned::Open => self.selector.watch(listener, DOOR, Interest::Readable)?,
            Turned::Shut => self.selector.forget(listener, DOOR)?,
        }
        self.door.watched(turned == Turned::Open);
        Ok(())
    }
}

impl Attended {
    /// When this client is to be looked after although its socket is silent; `None` is never.
    fn due(&self) -> Option<Instant> {
        match self.has_yielded {
            true => None,
            false => self.wakes_at.or(self.deadline.at()),
        }
    }
}

/// Whole milliseconds, never fewer than asked: waking too early would be waking for nothing.
fn milliseconds_up(time: Duration) -> i32 {
    i32::try_from(time.as_micros().div_ceil(1_000)).unwrap_or(i32::MAX)
}

/// Takes a client as far as it can go at once: what it needs next, `None` once it is done with.
fn take_further(client: &mut Client, talk: &mut Talk<'static>, turn: Turn) -> Option<Need> {
    let socket = client.serve();
    // A panic ends one conversation, not the loop with everybody in it.
    let advanced = catch_unwind(AssertUnwindSafe(|| advance(talk, socket, turn)));
    let outcome = match advanced {
        Ok(Ok(Need::Nothing)) => Ok(()),
        Ok(Ok(need)) => return Some(need),
        Ok(Err(error)) => Err(error),
        Err(_panic) => {
            count(&client.tally().crashed);
            return None;
        }
    };
    note(client.tally(), &outcome, talk.answers());
    None
}
