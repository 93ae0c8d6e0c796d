//! A running server of either kind.

use std::net::SocketAddr;

use crate::lab::Lab;
use crate::model_server::{Ended, ModelServer};
use crate::namespace::NetworkNamespace;
use crate::plan::{Network, Participant};
use crate::process_tree::ServerAccount;
use crate::target::Target;

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub enum RunningServer {
    /// One of Hola's models.
    Model(ModelServer),
    /// A reference target.
    Target(Target),
}

impl RunningServer {
    /// Starts a fresh server of a participant on `cpus`; a model also gets `options`.
    pub fn start(
        lab: &Lab<'_>,
        participant: &Participant,
        cpus: &[usize],
        options: &[String],
    ) -> Result<Self, String> {
        if let Some(spec) = lab.targets.named(&participant.server) {
            let target = Target::start(lab.program, spec, &lab.targets.places, cpus)?;
            return Ok(RunningServer::Target(target));
        }
        let options = [participant.options.as_slice(), options].concat();
        let namespace = match participant.network {
            Network::Loopback => None,
            Network::Veth => Some(NetworkNamespace::new()?),
        };
        let (program, model) = (lab.program, &participant.server);
        let started = ModelServer::start_in(namespace, program, model, cpus, &options);
        started
            .map(RunningServer::Model)
            .map_err(|error| error.to_string())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        match self {
            RunningServer::Model(server) => server.address(),
            RunningServer::Target(target) => target.address(),
        }
    }

    /// Process id of its first process.
    pub fn pid(&self) -> i32 {
        self.account().pid
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        match self {
            RunningServer::Model(server) => server.is_alive(),
            RunningServer::Target(target) => target.is_alive(),
        }
    }

    /// Its account.
    pub fn account(&self) -> &ServerAccount {
        match self {
            RunningServer::Model(server) => server.account(),
            RunningServer::Target(target) => target.account(),
        }
    }

    /// Stops it; a model returns its report.
    pub fn stop(self) -> Result<Option<Ended>, String> {
        match self {
            RunningServer::Model(server) => server.stop().map(Some),
            RunningServer::Target(target) => target.stop().map(|()| None),
        }
    }
}
