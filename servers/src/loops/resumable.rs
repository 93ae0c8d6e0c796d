//! What an event loop runs for one client: something that it resumes whenever a wait of its conversation ends.

use std::io;
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::client::Client;
use crate::conversation::{AnyConversation, Conversation, Step};
use crate::counters::count;
use crate::drive::readiness::{Need, Wait, advance};
use crate::drive::{Budget, Deadline};
use crate::server::count_outcome;

/// The conversation of one client, held in parts.
pub(crate) trait Resumable: Sized {
    /// A conversation that has not begun. Fails with the error of the system if it is short of something.
    fn new(client: Client, now: Instant) -> io::Result<Self>;

    /// The connection.
    fn socket(&self) -> &TcpStream;

    /// The client.
    fn client(&self) -> &Client;

    /// Continues until the conversation has to wait; `None` once it has ended, which is counted by then. A call after
    /// the time of the last [`Wait`] ends that wait, or the conversation if a deadline has passed.
    fn resume(&mut self, budget: Budget) -> Option<Wait>;

    /// Refuses a client to which no answer is under way, because the system is short of something for it.
    fn refuse(self);
}

/// A conversation as the state machine that it is: nothing is kept of a call of [`Resumable::resume`] but the state.
#[derive(Debug)]
pub(crate) struct StateMachine {
    socket: TcpStream,
    client: Client,
    conversation: AnyConversation<'static>,
    deadline: Deadline,
}

impl StateMachine {
    /// Does the long work that the conversation needs. Returns whether the conversation survived; if not, that is counted.
    pub(crate) fn work(&mut self) -> bool {
        let worked = catch_unwind(AssertUnwindSafe(|| self.conversation.work()));
        if worked.is_err() {
            count(&self.client.tally().crashed);
        }
        worked.is_ok()
    }

    fn count_end(&self, outcome: &io::Result<()>) {
        let (tally, number) = (self.client.tally(), self.client.number());
        count_outcome(tally, number, outcome, self.conversation.answers());
    }

    fn advance(&mut self, budget: Budget) -> io::Result<Wait> {
        if let Step::Wait(time) = self.conversation.step()
            && !time.is_zero()
        {
            self.conversation.waited();
        }
        let need = advance(&mut self.conversation, &self.socket, budget)?;
        let timeouts = &self.client.server().settings().timeouts;
        self.deadline
            .wait(need, &self.conversation, timeouts, budget.began())
    }
}

impl Resumable for StateMachine {
    fn new(mut client: Client, now: Instant) -> io::Result<Self> {
        let socket = client.serve();
        let conversation = client.conversation();
        let timeouts = &client.server().settings().timeouts;
        Ok(StateMachine {
            socket,
            deadline: Deadline::new(&conversation, timeouts, now),
            conversation,
            client,
        })
    }

    fn socket(&self) -> &TcpStream {
        &self.socket
    }

    fn client(&self) -> &Client {
        &self.client
    }

    fn resume(&mut self, budget: Budget) -> Option<Wait> {
        // A panic ends one conversation, not the loop and its other clients.
        let advanced = catch_unwind(AssertUnwindSafe(|| self.advance(budget)));
        let outcome = match advanced {
            Ok(Ok(wait)) if wait.need != Need::Nothing => return Some(wait),
            Ok(outcome) => outcome.map(drop),
            Err(_panic) => {
                count(&self.client.tally().crashed);
                return None;
            }
        };
        self.count_end(&outcome);
        None
    }

    fn refuse(self) {
        self.count_end(&Ok(()));
        self.client.refuse_served(self.socket);
    }
}
