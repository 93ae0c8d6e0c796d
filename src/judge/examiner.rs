//! What every check gets: fresh servers, and what several checks look at, measured once.

use std::cell::OnceCell;
use std::time::Duration;

use hola_lab::record::StoredText;

use super::cost::CostComparison;
use super::counts::Growth;
use super::crowd::Crowd;
use super::kind::ServerKind;
use super::server::{ExaminedServer, StartedServer, Starter};

/// Starts servers for the checks, and keeps what several of them look at.
#[derive(Debug)]
pub struct Examiner {
    pub(super) starter: Starter,
    pub(super) expected_kind: Option<ServerKind>,
    /// Whether its cost is compared with that of a model.
    pub(super) with_cost: bool,
    crowd: OnceCell<Result<Crowd, StoredText>>,
    growth: OnceCell<Result<Growth, StoredText>>,
}

impl Examiner {
    /// Examines `server` for `longest` at most.
    pub fn new(
        server: ExaminedServer,
        expected_kind: Option<ServerKind>,
        with_cost: bool,
        longest: Duration,
    ) -> Self {
        Examiner {
            starter: Starter::new(server, longest),
            expected_kind,
            with_cost,
            crowd: OnceCell::new(),
            growth: OnceCell::new(),
        }
    }

    /// As [`Starter::start`].
    pub(super) fn start(&self) -> Result<StartedServer, StoredText> {
        self.starter.start()
    }

    /// What many silent clients show.
    pub(super) fn crowd(&self) -> Result<&Crowd, StoredText> {
        let measured = self.crowd.get_or_init(|| Crowd::measure(&self.starter));
        measured.as_ref().map_err(Clone::clone)
    }

    /// What a request costs it, beside the model of its kind.
    pub(super) fn cost(&self, kind: Option<ServerKind>) -> Result<CostComparison, String> {
        let kind = kind.ok_or("its kind is not known")?;
        self.starter.cost(kind.model())
    }

    /// What many requests leave.
    pub(super) fn growth(&self) -> Result<&Growth, StoredText> {
        let measured = self.growth.get_or_init(|| Growth::measure(&self.starter));
        measured.as_ref().map_err(Clone::clone)
    }
}
