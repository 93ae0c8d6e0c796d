//! A conversation with a stack of its own, for a loop to resume.

use std::cell::RefCell;
use std::io;
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Instant;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult};

use super::resumable::Resumable;
use crate::client::Client;
use crate::counters::count;
use crate::drive::Budget;
use crate::drive::readiness::Wait;
use crate::server::Server;
use crate::settings::COROUTINE_STACK_BYTES;

/// A client whose conversation is held on a stack of its own.
pub(crate) struct Stackful {
    /// Suspended; `None` once it has ended.
    coroutine: Option<Coroutine<Budget, Wait, (), DefaultStack>>,
    socket: Rc<TcpStream>,
    client: Client,
}

impl Resumable for Stackful {
    fn new(mut client: Client, now: Instant) -> io::Result<Self> {
        let (server, tally) = (client.server(), client.tally());
        let stack = take_stack(server)?;
        let socket = Rc::new(client.serve());
        let number = client.number();
        let own = Rc::clone(&socket);
        let coroutine = Coroutine::with_stack(stack, move |suspender, budget| {
            let suspend = |wait| suspender.suspend(wait);
            server.converse_suspended(&own, number, tally, now, budget, suspend);
        });
        Ok(Stackful {
            coroutine: Some(coroutine),
            socket,
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
        let coroutine = self.coroutine.as_mut()?;
        // A panic ends one conversation, not the loop and its other clients.
        match catch_unwind(AssertUnwindSafe(|| coroutine.resume(budget))) {
            Ok(CoroutineResult::Yield(wait)) => return Some(wait),
            Ok(CoroutineResult::Return(())) => keep_stack(self.coroutine.take()?.into_stack()),
            Err(_panic) => count(&self.client.tally().crashed),
        }
        None
    }

    fn refuse(self) {
        drop(self.coroutine);
        if let Some(socket) = Rc::into_inner(self.socket) {
            self.client.refuse_served(socket);
        }
    }
}

thread_local! {
    /// Stacks of conversations that have ended: mapping a new one would cost several system calls and page faults.
    static FREE_STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

/// Most stacks that are kept.
const FREE_STACKS_MAX: usize = 64;

fn take_stack(server: &Server) -> io::Result<DefaultStack> {
    let bytes = server
        .settings()
        .stack_bytes
        .unwrap_or(COROUTINE_STACK_BYTES);
    let new = || DefaultStack::new(usize::try_from(bytes).unwrap_or(usize::MAX));
    FREE_STACKS.with_borrow_mut(Vec::pop).map_or_else(new, Ok)
}

fn keep_stack(stack: DefaultStack) {
    FREE_STACKS.with_borrow_mut(|free| {
        if free.len() < FREE_STACKS_MAX {
            free.push(stack);
        }
    });
}
