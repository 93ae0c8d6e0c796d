//! An event loop that submits operations to the kernel and is told when they are done.

use std::collections::VecDeque;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use nix::sys::socket::SockFlag;
use slab::Slab;

use super::deadlines::Deadlines;
use super::{judge_wait, until_first};
use crate::accept_policy::{AcceptError, AcceptPolicy, Backoff};
use crate::client::Client;
use crate::conversation::{AnyConversation, Conversation, Step};
use crate::counters::count;
use crate::drive::Deadline;
use crate::server::{RECHECK_INTERVAL, Server, count_outcome};
use crate::stop;
use crate::sys;
use crate::sys::ring::{Completion, Received, Ring};

/// Serves through that ring until the server is told to stop and no client is left. Fails with the error of the ring;
/// an error of a socket ends only its own conversation.
pub(crate) fn run(server: &'static Server, ring: Ring) -> io::Result<()> {
    let mut event_loop = Loop {
        server,
        ring,
        accept_policy: AcceptPolicy::new(),
        accepting: Vec::new(),
        accept_state: AcceptState::Open,
        arrived: VecDeque::new(),
        active: Slab::new(),
        deadlines: Deadlines::default(),
        now: Instant::now(),
    };
    event_loop.ring.watch_stop(server.stop_signal());
    server.acceptor_is_ready()?;
    event_loop.update_acceptor();
    let mut backoff = Backoff::new();
    let mut completions = Vec::new();
    while event_loop.is_running() {
        let timeout = event_loop.timeout();
        let asked_at = event_loop.now;
        let waited = event_loop.ring.wait(timeout, &mut completions);
        let has_shown_all = waited.is_ok();
        // An error that persists comes again; the completions that came with it are handled first.
        if completions.is_empty() {
            judge_wait(server, &mut backoff, waited)?;
        }
        event_loop.now = Instant::now();
        for completion in completions.drain(..) {
            event_loop.handle(completion);
        }
        event_loop.admit_arrived();
        event_loop.check_deadlines(has_shown_all.then_some(asked_at));
        event_loop.update_acceptor();
    }
    Ok(())
}

struct Loop {
    server: &'static Server,
    ring: Ring,
    accept_policy: AcceptPolicy,
    /// Numbers of the accepts under way.
    accepting: Vec<u32>,
    accept_state: AcceptState,
    /// Accepted sockets that wait until there is room for them.
    arrived: VecDeque<TcpStream>,
    active: Slab<ActiveClient>,
    deadlines: Deadlines,
    /// Read once a turn: nothing here needs a more exact time.
    now: Instant,
}

/// Whether the loop asks the kernel for new clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AcceptState {
    /// As long as there is room for them.
    Open,
    /// Not before that moment: the system was short of a resource.
    Paused { until: Instant },
    /// No more: the accepts under way have been cancelled.
    Closing,
    /// No more, and none is under way.
    Closed,
}

/// A client that is being served. It keeps its slot until no operation is under way for it.
struct ActiveClient {
    socket: TcpStream,
    client: Client,
    conversation: AnyConversation<'static>,
    deadline: Deadline,
    /// No operation is under way: the conversation waits for time to pass.
    only_waits: bool,
    /// Its socket is shut down, and the operation under way will fail.
    is_expired: bool,
}

impl Loop {
    fn is_running(&self) -> bool {
        let is_idle = self.active.is_empty() && self.arrived.is_empty();
        !is_idle || self.accept_state != AcceptState::Closed
    }

    fn timeout(&self) -> Option<Duration> {
        let soon = self.now + RECHECK_INTERVAL;
        let acceptor = match self.accept_state {
            AcceptState::Paused { until } => Some(until),
            _ if !self.arrived.is_empty() => Some(soon),
            // There is no room.
            AcceptState::Open if self.idle_accept().is_some() => Some(soon),
            AcceptState::Open | AcceptState::Closing | AcceptState::Closed => None,
        };
        until_first([self.deadlines.next(), acceptor], self.now)
    }

    fn handle(&mut self, completion: Completion) {
        match completion {
            Completion::Accepted { number, outcome } => {
                self.accepting.retain(|one| *one != number);
                self.on_accept(outcome);
            }
            // The flag is set; `update_acceptor` reads it.
            Completion::Stop => {}
            Completion::Received { slot, outcome } => self.received(slot, outcome),
            Completion::Sent { slot, outcome } => match outcome {
                Ok(count) => self.report(slot, |conversation| conversation.sent(count)),
                Err(error) => self.end(slot, Err(error)),
            },
        }
    }

    fn on_accept(&mut self, outcome: io::Result<TcpStream>) {
        count(&self.server.counters().tally().wakeups);
        match outcome {
            Ok(socket) => {
                self.accept_policy.succeeded();
                self.arrived.push_back(socket);
            }
            // This is how a cancelled accept ends.
            Err(error) if error.raw_os_error() == Some(libc::ECANCELED) => {}
            // The accepts under way fail together.
            Err(_like_the_first) if matches!(self.accept_state, AcceptState::Paused { .. }) => {}
            Err(error) => match self.accept_policy.failed(&error) {
                AcceptError::Retry | AcceptError::Empty => {}
                AcceptError::Closed => self.accept_state = AcceptState::Closed,
                AcceptError::Pause(pause) => {
                    self.server.on_shortage("cannot accept", &error);
                    let until = self.now + pause;
                    self.accept_state = AcceptState::Paused { until };
                }
            },
        }
    }

    fn admit_arrived(&mut self) {
        while self.server.has_room()
            && let Some(socket) = self.arrived.pop_front()
        {
            let mut client = self.server.admit(socket);
            let socket = client.serve();
            let conversation = client.conversation();
            let slot = self.active.insert(ActiveClient {
                socket,
                client,
                deadline: Deadline::new(&conversation, &self.server.settings().timeouts, self.now),
                conversation,
                only_waits: false,
                is_expired: false,
            });
            self.ask(slot);
        }
    }

    fn received(&mut self, slot: usize, outcome: io::Result<Received>) {
        match outcome {
            Ok(bytes) => {
                let arrived = self.ring.bytes(&bytes);
                let survived = report(&mut self.active[slot], |conversation| {
                    if let Step::Read(space) = conversation.step() {
                        space[..arrived.len()].copy_from_slice(arrived);
                        conversation.received(arrived.len());
                    }
                });
                self.ring.give_back(&bytes);
                self.resume(slot, survived);
            }
            // All buffers are in use; this turn returns those that it has.
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => self.ask(slot),
            Err(error) => self.end(slot, Err(error)),
        }
    }

    /// Tells a client's conversation what has been done, and continues with the client.
    fn report(&mut self, slot: usize, what: impl FnOnce(&mut AnyConversation<'static>)) {
        let survived = report(&mut self.active[slot], what);
        self.resume(slot, survived);
    }

    /// Continues with a client after its conversation was told something; removes the client if that panicked.
    fn resume(&mut self, slot: usize, survived: bool) {
        if survived {
            return self.ask(slot);
        }
        let active = self.active.remove(slot);
        count(&active.client.tally().crashed);
    }

    /// Submits what a client needs next.
    fn ask(&mut self, slot: usize) {
        let active = &mut self.active[slot];
        if active.is_expired {
            return self.end(slot, Err(io::ErrorKind::TimedOut.into()));
        }
        let socket = &active.socket;
        let wait = loop {
            match active.conversation.step() {
                Step::Read(space) => {
                    self.ring.receive(slot, socket, space.len());
                    break None;
                }
                Step::Write(bytes) => {
                    self.ring.send(slot, socket, bytes);
                    break None;
                }
                // No yield is needed: other clients have their turn while the kernel does an operation.
                Step::Wait(Duration::ZERO) => return self.report(slot, AnyConversation::waited),
                Step::Wait(time) => break Some(time),
                Step::Work => return self.report(slot, AnyConversation::work),
                Step::EndWrite => {
                    // If the client has gone, the next read reports it.
                    let _ = socket.shutdown(Shutdown::Write);
                    active.conversation.write_ended();
                }
                Step::Close => return self.end(slot, Ok(())),
            }
        };
        active.only_waits = wait.is_some();
        let timeouts = &self.server.settings().timeouts;
        let deadline = &mut active.deadline;
        deadline.follow(&active.conversation, timeouts, self.now);
        if let Some(time) = wait {
            deadline.postpone_to(self.now + time);
        }
        self.deadlines.set(slot, deadline.at());
    }

    fn end(&mut self, slot: usize, outcome: io::Result<()>) {
        let active = self.active.remove(slot);
        let outcome = match active.is_expired {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => outcome,
        };
        let answers = active.conversation.answers();
        let client = &active.client;
        count_outcome(client.tally(), client.number(), &outcome, answers);
    }

    /// Handles all slots that are due. A client expires only if its deadline is not after `known_until`: the loop has
    /// seen every completion up to that moment.
    fn check_deadlines(&mut self, known_until: Option<Instant>) {
        let mut not_known_yet = Vec::new();
        while let Some(slot) = self.deadlines.due(self.now) {
            let Some(active) = self.active.get_mut(slot) else {
                continue;
            };
            if active.deadline.at().is_none_or(|at| at > self.now) {
                self.deadlines.set(slot, active.deadline.at());
            } else if active.only_waits {
                self.report(slot, AnyConversation::waited);
            } else if active.deadline.at() > known_until {
                not_known_yet.push(slot);
            } else {
                // The operation under way fails at once, and its completion ends the conversation.
                active.is_expired = true;
                let _ = active.socket.shutdown(Shutdown::Both);
            }
        }
        for slot in not_known_yet {
            self.deadlines.set(slot, Some(self.now));
        }
    }

    /// Has the kernel accept clients while there is room for them. The accepts that are under way when there is no more
    /// room stay: each may bring one client, which then waits.
    fn update_acceptor(&mut self) {
        match self.accept_state {
            AcceptState::Closed => {}
            _ if stop::is_asked() && self.accepting.is_empty() => self.accept_queued(),
            AcceptState::Closing => {}
            _ if stop::is_asked() => {
                for &number in &self.accepting {
                    self.ring.cancel_accept(number);
                }
                self.accept_state = AcceptState::Closing;
            }
            AcceptState::Paused { until } if until > self.now => {}
            AcceptState::Open | AcceptState::Paused { .. } => {
                self.accept_state = AcceptState::Open;
                if self.arrived.is_empty() && self.server.has_room() {
                    while let Some(number) = self.idle_accept() {
                        self.ring.accept(number, self.server.listener());
                        self.accepting.push(number);
                    }
                }
            }
        }
    }

    /// The number of an accept that is not under way.
    fn idle_accept(&self) -> Option<u32> {
        (0..Ring::ACCEPTS).find(|number| !self.accepting.contains(number))
    }

    /// After a stop: accepts only clients that are already in the accept queue. The listener is non-blocking by then.
    fn accept_queued(&mut self) {
        while stop::may_accept() {
            match sys::accept(self.server.listener(), SockFlag::empty()) {
                Ok(socket) => {
                    self.accept_policy.succeeded();
                    self.arrived.push_back(socket);
                }
                Err(error) if self.accept_policy.failed(&error) == AcceptError::Retry => {}
                Err(_nobody) => break,
            }
        }
        self.accept_state = AcceptState::Closed;
        self.server.close_listener();
    }
}

/// Tells a client's conversation what has been done, and returns whether the conversation survived. All of its work
/// happens in here, even on a request that waited behind the last answer. So a panic ends that conversation, not the
/// loop and its other clients.
fn report(active: &mut ActiveClient, what: impl FnOnce(&mut AnyConversation<'static>)) -> bool {
    catch_unwind(AssertUnwindSafe(|| what(&mut active.conversation))).is_ok()
}
