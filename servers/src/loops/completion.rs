//! A loop that asks the kernel to do things and is told when they are done.

use std::collections::VecDeque;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use nix::sys::socket::SockFlag;
use slab::Slab;

use super::deadlines::Deadlines;
use super::{Waits, until_first};
use crate::accepting::{Accepting, Verdict};
use crate::client::Client;
use crate::conversation::{Conversation, Talk};
use crate::counters::count;
use crate::drive::Deadline;
use crate::drive::completion::{Asked, ask, received};
use crate::server::{LOOK_AGAIN, Server, note};
use crate::stop;
use crate::sys;
use crate::sys::ring::{Completion, Received, Ring};

/// Serves through that ring until the server is told to stop and nobody is left.
///
/// # Errors
/// What the ring said; the sockets' own errors end their conversations only.
pub(crate) fn run(server: &'static Server, ring: Ring) -> io::Result<()> {
    let mut the_loop = Loop {
        server,
        ring,
        accepting: Accepting::new(),
        door: Door::Shut { until: None },
        arrived: VecDeque::new(),
        attended: Slab::new(),
        deadlines: Deadlines::default(),
        now: Instant::now(),
    };
    the_loop.ring.watch_stop(server.stop_signal());
    server.acceptor_is_ready()?;
    the_loop.look_after_door();
    let mut waits = Waits::new(server);
    let mut completions = Vec::new();
    while the_loop.goes_on() {
        let timeout = the_loop.timeout();
        let asked_at = the_loop.now;
        let waited = the_loop.ring.wait(timeout, &mut completions);
        let has_shown_all = waited.is_ok();
        // What was refused comes again if it stays; first comes what was done all the same.
        if completions.is_empty() {
            waits.judge(waited)?;
        }
        the_loop.now = Instant::now();
        for completion in completions.drain(..) {
            the_loop.take(completion);
        }
        the_loop.let_in_who_arrived();
        the_loop.look_after_deadlines(has_shown_all.then_some(asked_at));
        the_loop.look_after_door();
    }
    Ok(())
}

struct Loop {
    server: &'static Server,
    ring: Ring,
    accepting: Accepting,
    door: Door,
    /// Accepted while there was no room.
    arrived: VecDeque<TcpStream>,
    attended: Slab<Attended>,
    deadlines: Deadlines,
    /// Read once a turn: nothing here needs to know better.
    now: Instant,
}

/// What has been asked about new clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    /// The kernel lets them in.
    Open,
    /// It has been asked to cease.
    Closing,
    /// It lets in nobody, for a while where the system was short of something.
    Shut { until: Option<Instant> },
    /// Nor ever again.
    Closed,
}

/// A client that is being served. It stays until nothing is under way for it.
struct Attended {
    client: Client,
    talk: Talk<'static>,
    deadline: Deadline,
    asked: Asked,
    /// Its socket is shut down, and the operation under way about to fail.
    is_expired: bool,
}

impl Loop {
    fn goes_on(&self) -> bool {
        self.door != Door::Closed || !self.attended.is_empty() || !self.arrived.is_empty()
    }

    fn timeout(&self) -> Option<Duration> {
        let soon = self.now + LOOK_AGAIN;
        let door = match self.door {
            // Still shut although its time is up: there is no room.
            Door::Shut { until } => Some(until.filter(|&until| until > self.now).unwrap_or(soon)),
            Door::Closed if !self.arrived.is_empty() => Some(soon),
            Door::Open | Door::Closing | Door::Closed => None,
        };
        until_first([self.deadlines.next(), door], self.now)
    }

    fn take(&mut self, completion: Completion) {
        match completion {
            Completion::Accepted { outcome, goes_on } => self.somebody_came(outcome, goes_on),
            // The flag is up; look_after_door sees it.
            Completion::Stop => {}
            Completion::Received { place, outcome } => self.received(place, outcome),
            Completion::Sent { place, outcome } => match outcome {
                Ok(count) => {
                    let attended = &mut self.attended[place];
                    let survived = tell(attended, |talk| talk.sent(count));
                    self.go_on(place, survived);
                }
                Err(error) => self.end(place, Err(error)),
            },
        }
    }

    fn somebody_came(&mut self, outcome: io::Result<TcpStream>, goes_on: bool) {
        count(&self.server.counters().tally().wakeups);
        if !goes_on {
            self.door = Door::Shut { until: None };
        }
        match outcome {
            Ok(socket) => {
                self.accepting.succeeded();
                self.arrived.push_back(socket);
            }
            // This is how a cancelled accept ends.
            Err(error) if error.raw_os_error() == Some(libc::ECANCELED) => {}
            // The kernel let in more than there is room for, until it ran out of descriptors: they are a part of the cap.
            Err(_at_the_cap) if !self.arrived.is_empty() || !self.server.has_room() => {}
            Err(error) => match self.accepting.failed(&error) {
                Verdict::Retry | Verdict::Empty => {}
                Verdict::Closed => self.door = Door::Closed,
                Verdict::Pause(pause) => {
                    self.server.note_shortage(&error);
                    self.door = Door::Shut {
                        until: Some(self.now + pause),
                    };
                }
            },
        }
    }

    fn let_in_who_arrived(&mut self) {
        while self.server.has_room()
            && let Some(socket) = self.arrived.pop_front()
        {
            let talk = self.server.talk();
            let place = self.attended.insert(Attended {
                client: self.server.admit(socket),
                deadline: Deadline::new(&talk, &self.server.settings().limits, self.now),
                talk,
                asked: Asked::Nothing,
                is_expired: false,
            });
            self.ask(place);
        }
    }

    fn received(&mut self, place: usize, outcome: io::Result<Received>) {
        match outcome {
            Ok(octets) => {
                let heard = self.ring.octets(&octets);
                let attended = &mut self.attended[place];
                let survived = tell(attended, |talk| received(talk, heard));
                self.ring.give_back(octets);
                self.go_on(place, survived);
            }
            // All buffers are in use: those of this turn come back within it.
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => self.ask(place),
            Err(error) => self.end(place, Err(error)),
        }
    }

    /// Goes on with a client after it has been told something.
    fn go_on(&mut self, place: usize, survived: bool) {
        if survived {
            return self.ask(place);
        }
        let attended = self.attended.remove(place);
        count(&attended.client.tally().crashed);
    }

    /// Asks for what a client needs next.
    fn ask(&mut self, place: usize) {
        let attended = &mut self.attended[place];
        if attended.is_expired {
            self.end(place, Err(io::ErrorKind::TimedOut.into()));
            return;
        }
        let socket = attended.client.serve();
        match ask(&mut self.ring, place, socket, &mut attended.talk) {
            Asked::Nothing => self.end(place, Ok(())),
            // Others have their turn while the kernel does what was asked last.
            Asked::Wait(Duration::ZERO) => {
                let survived = tell(attended, Talk::waited);
                self.go_on(place, survived);
            }
            asked => {
                attended.asked = asked;
                let limits = &self.server.settings().limits;
                attended.deadline.follow(&attended.talk, limits, self.now);
                if let Asked::Wait(time) = asked {
                    attended.deadline.put_off(self.now + time);
                }
                self.deadlines.set(place, attended.deadline.at());
            }
        }
    }

    fn end(&mut self, place: usize, outcome: io::Result<()>) {
        let attended = self.attended.remove(place);
        let outcome = match attended.is_expired {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => outcome,
        };
        note(attended.client.tally(), &outcome, attended.talk.answers());
    }

    /// Looks after all who are due. A deadline is judged by the last moment of which is known what had come by then.
    fn look_after_deadlines(&mut self, known_until: Option<Instant>) {
        let mut not_known_yet = Vec::new();
        while let Some(place) = self.deadlines.due(self.now) {
            let Some(attended) = self.attended.get_mut(place) else {
                continue;
            };
            if attended.deadline.at().is_none_or(|at| at > self.now) {
                self.deadlines.set(place, attended.deadline.at());
            } else if let Asked::Wait(_) = attended.asked {
                let survived = tell(attended, Talk::waited);
                self.go_on(place, survived);
            } else if attended.deadline.at() > known_until {
                not_known_yet.push(place);
            } else {
                // What is under way fails at once, and its completion ends the conversation.
                attended.is_expired = true;
                let _ = attended.client.serve().shutdown(Shutdown::Both);
            }
        }
        for place in not_known_yet {
            self.deadlines.set(place, Some(self.now));
        }
    }

    /// Lets the kernel let in clients exactly while there is room for them.
    fn look_after_door(&mut self) {
        let may_come = !stop::is_asked() && self.arrived.is_empty() && self.server.has_room();
        match self.door {
            Door::Open if !may_come => {
                self.ring.stop_accepting();
                self.door = Door::Closing;
            }
            Door::Shut { .. } if stop::is_asked() => self.last_calls(),
            Door::Shut { until } if may_come && until.is_none_or(|until| until <= self.now) => {
                self.ring.accept(self.server.listener());
                self.door = Door::Open;
            }
            _ => {}
        }
    }

    /// From here on only those are let in who are waiting already. The listener does not block any more.
    fn last_calls(&mut self) {
        while stop::lets_in() {
            match sys::accept(self.server.listener(), SockFlag::empty()) {
                Ok(socket) => {
                    self.accepting.succeeded();
                    self.arrived.push_back(socket);
                }
                Err(error) if self.accepting.failed(&error) == Verdict::Retry => {}
                Err(_nobody) => break,
            }
        }
        self.door = Door::Closed;
        self.server.close_door();
    }
}

/// Tells a client's conversation what has been done; whether it survived that. Whatever it does about it, a request that
/// waited behind the last answer included, happens in here: a panic ends that conversation, not the loop with everybody
/// in it.
fn tell(attended: &mut Attended, what: impl FnOnce(&mut Talk<'static>)) -> bool {
    catch_unwind(AssertUnwindSafe(|| what(&mut attended.talk))).is_ok()
}
