//! The server under examination: a fresh one for each check, so that no check depends on another.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;
use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::{Duration, Instant};

use hola_lab::pinned_program::PinnedProgram;
use hola_lab::record::StoredText;
use hola_lab::target::supervisor::ResourceLimits;
use hola_lab::target::{AnyServer, GroupLimits, ReachedLimit};

use super::client::{
    ANSWER_MAX, ASK_AND_CLOSE, GREETING, connect, exchange, find, greet, read_answer,
};
use super::cost::{self, CostComparison};
use super::sandbox::UsedSandbox;
use super::{Observation, both};

/// The server to examine.
#[derive(Debug)]
pub enum ExaminedServer {
    /// A command to run, `{port}` in it standing for the port.
    Command {
        /// This program, which supervises the command.
        hola: PinnedProgram,
        /// Program and arguments.
        command: Vec<String>,
        /// Limits of each of its processes.
        limits: ResourceLimits,
        /// Limits of all of them together.
        together: GroupLimits,
        /// What keeps it from the rest of the machine.
        sandbox: UsedSandbox,
    },
    /// A server that runs already.
    Address(SocketAddr),
}

impl fmt::Display for ExaminedServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExaminedServer::Command { command, .. } => formatter.write_str(&command.join(" ")),
            ExaminedServer::Address(address) => write!(formatter, "http://{address}/"),
        }
    }
}

/// Starts the server for each check, until the time is up.
#[derive(Debug)]
pub(super) struct Starter {
    server: ExaminedServer,
    deadline: Instant,
    /// The body that the server gives for `/`. Only the check of the greeting asks whether it is the right one: with
    /// one wrong letter there, all others must still pass.
    body: OnceCell<Vec<u8>>,
    reached_limits: Rc<RefCell<BTreeSet<ReachedLimit>>>,
}

impl Starter {
    /// Starts `server` for `longest` at most.
    pub(super) fn new(server: ExaminedServer, longest: Duration) -> Self {
        Starter {
            server,
            deadline: Instant::now() + longest,
            body: OnceCell::new(),
            reached_limits: Rc::default(),
        }
    }

    /// The limits that one of the servers has reached.
    pub(super) fn reached_limits(&self) -> Vec<ReachedLimit> {
        self.reached_limits.borrow().iter().copied().collect()
    }

    /// What keeps the server from the rest of the machine; `None` if it was not started here.
    pub(super) fn sandbox(&self) -> Option<&UsedSandbox> {
        match &self.server {
            ExaminedServer::Command { sandbox, .. } => Some(sandbox),
            ExaminedServer::Address(_) => None,
        }
    }

    pub(super) fn server(&self) -> &ExaminedServer {
        &self.server
    }

    /// Whether the server's processes can be seen.
    pub(super) fn has_processes(&self) -> bool {
        matches!(self.server, ExaminedServer::Command { .. })
    }

    /// The port in commands for people: a server that is started gets another one each time.
    pub(super) fn shown_port(&self) -> String {
        match &self.server {
            ExaminedServer::Command { .. } => "PORT".into(),
            ExaminedServer::Address(address) => address.port().to_string(),
        }
    }

    /// Whether the server can be examined at all.
    pub(super) fn first_start(&self) -> Result<(), String> {
        let started = self.start_server(|_, _| {}, Rc::clone(&self.reached_limits))?;
        connect(started.address).map_err(|seen| seen.en)?;
        let has_greeting = |bytes: &[u8]| find(bytes, GREETING).is_some();
        let answer = exchange(started.address, ASK_AND_CLOSE, ANSWER_MAX, has_greeting);
        let other_body = answer.ok().and_then(|answer| {
            let (_, body) = answer.parts()?;
            let is_other = answer.status() == Some(200) && !body.is_empty();
            (is_other && !answer.is_answer(GREETING)).then(|| body.to_vec())
        });
        self.body
            .get_or_init(|| other_body.unwrap_or_else(|| GREETING.to_vec()));
        Ok(())
    }

    /// What a request costs the server, beside that model.
    pub(super) fn cost(&self, model: &str) -> Result<CostComparison, String> {
        match &self.server {
            ExaminedServer::Command {
                hola,
                command,
                limits,
                ..
            } => cost::compare(hola, command, *limits, model, self.deadline),
            ExaminedServer::Address(_) => Err("the server was not started here".into()),
        }
    }

    /// Fails once the time is up.
    pub(super) fn check_time(&self) -> Result<(), StoredText> {
        if Instant::now() < self.deadline {
            return Ok(());
        }
        Err(both(
            "no time was left (--deadline)",
            "no quedaba tiempo (--deadline)",
        ))
    }

    /// A fresh server, or the one that runs; the error says why there is none.
    pub(super) fn start(&self) -> Result<StartedServer, StoredText> {
        self.check_time()?;
        self.start_server(|_, _| {}, Rc::clone(&self.reached_limits))
            .map_err(|reason| both(&*reason, &*reason))
    }

    /// As [`Starter::start`], with other limits. That these are reached is no news.
    pub(super) fn start_limited(
        &self,
        limit: impl FnOnce(&mut ResourceLimits, &mut GroupLimits),
    ) -> Result<StartedServer, StoredText> {
        self.check_time()?;
        self.start_server(limit, Rc::default())
            .map_err(|reason| both(&*reason, &*reason))
    }

    fn start_server(
        &self,
        limit: impl FnOnce(&mut ResourceLimits, &mut GroupLimits),
        reached_limits: Rc<RefCell<BTreeSet<ReachedLimit>>>,
    ) -> Result<StartedServer, String> {
        let (address, process) = match &self.server {
            ExaminedServer::Command {
                hola,
                command,
                limits,
                together,
                ..
            } => {
                let (mut limits, mut together) = (*limits, *together);
                limit(&mut limits, &mut together);
                let start = || AnyServer::start(hola, command, limits, together);
                // Another process may have taken the port that was free.
                let server = start().or_else(|_| start())?;
                (server.address(), Some(RefCell::new(server)))
            }
            ExaminedServer::Address(address) => (*address, None),
        };
        Ok(StartedServer {
            address,
            process,
            body: self.body.get().cloned().unwrap_or_default(),
            reached_limits,
        })
    }
}

/// A server that runs for one check.
#[derive(Debug)]
pub(super) struct StartedServer {
    pub(super) address: SocketAddr,
    /// `None` if it was not started here.
    pub(super) process: Option<RefCell<AnyServer>>,
    /// The body of its answer.
    pub(super) body: Vec<u8>,
    /// Those of every server of the examination.
    reached_limits: Rc<RefCell<BTreeSet<ReachedLimit>>>,
}

impl Drop for StartedServer {
    fn drop(&mut self) {
        if let Some(process) = &self.process {
            let reached = process.borrow().reached_limits().collect::<Vec<_>>();
            self.reached_limits.borrow_mut().extend(reached);
        }
    }
}

impl StartedServer {
    /// Reads the answer to a request on `socket`; the error is what came instead.
    pub(super) fn answer_on(&self, socket: &TcpStream, longest: Duration) -> Observation {
        read_answer(socket, &self.body, longest)
    }

    /// Asks on a new connection; the error is what came instead of the answer.
    pub(super) fn greet(&self, longest: Duration) -> Observation {
        greet(self.address, &self.body, longest)
    }

    /// Passes if the server still greets; otherwise says how it ended, and its last words.
    pub(super) fn lives_on(&self, seen: StoredText) -> Observation {
        let Err(instead) = self.greet(ANSWER_MAX) else {
            return Ok(seen);
        };
        let not_greeted = || {
            both(
                format!("then another client is not greeted: {}", instead.en),
                format!("después no se saluda a otro cliente: {}", instead.es),
            )
        };
        let then = self.death().unwrap_or_else(not_greeted);
        Err(both(
            format!("{}; {}", seen.en, then.en),
            format!("{}; {}", seen.es, then.es),
        ))
    }

    /// How the server ended, with its last words; `None` if it still runs after a moment.
    pub(super) fn death(&self) -> Option<StoredText> {
        /// A process ends a moment after its connections.
        const MOMENT: Duration = Duration::from_millis(500);
        let mut process = self.process.as_ref()?.borrow_mut();
        let ending = process.ending(MOMENT)?.0.to_owned();
        let words = process.last_words();
        Some(both(
            format!("the server ended: {ending}: {words}"),
            format!("el servidor terminó: {ending}: {words}"),
        ))
    }
}
