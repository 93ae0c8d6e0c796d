//! The estimates of one run, and the words for them.

use hola_lab::metric::Metric;
use hola_lab::plan::Design;
use hola_lab::record::{Block, Run, StoredText};

use crate::estimate::Estimate;

/// A place in a run: a level of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At<'a> {
    /// Experiment, by name.
    pub experiment: &'a str,
    /// Level, by name.
    pub level: &'a str,
}

/// The place that headlines every report: 2,000 new connections per second, which every model can serve.
pub const HEADLINE: At<'static> = At {
    experiment: "equal-load",
    level: "new, 2000/s",
};

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Word {
    /// Better than the other.
    Better,
    /// Worse than the other.
    Worse,
    /// The same within the margin: the whole interval lies inside it.
    Same {
        /// The margin: 0.05 is ±5 %.
        margin: f64,
    },
    /// Neither can be said.
    Undecided {
        /// Half-width of the interval: smaller differences than this were not to be seen.
        resolution: f64,
    },
}

/// Why there is no estimate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The run has no such experiment, level or participant.
    NotInRun,
    /// It was left out when the run was planned.
    LeftOut {
        /// Why, as the run recorded it.
        reason: String,
    },
    /// The server did not start, or died.
    ServerFailed {
        /// Why, as the run recorded it.
        reason: String,
    },
    /// More than half of its slices failed a check.
    ChecksFailed {
        /// The checks, by name, the one that failed most often first.
        checks: Vec<String>,
    },
    /// The server was full: the rate is more than it can do.
    MoreThanItCanDo,
    /// Fewer than three blocks have a value.
    TooFewBlocks {
        /// Blocks that have one.
        blocks: u32,
    },
    /// It is there, but the participant that it is compared with is not.
    Other {
        /// That participant.
        participant: String,
        /// Why.
        why: Box<Missing>,
    },
}

impl Missing {
    /// One clause for people, without a full stop.
    pub fn text(&self) -> StoredText {
        StoredText::default()
    }
}

/// The two controls of the method: no difference where there is none, and a known difference found again.
#[derive(Clone, Debug, Default)]
pub struct Controls {
    /// The control against itself, for each level with a second server of it.
    pub again: Vec<Again>,
    /// The planted difference, for each level with one.
    pub planted: Vec<Planted>,
}

/// The control against itself (A/A).
#[derive(Clone, Debug)]
pub struct Again {
    /// Experiment.
    pub experiment: String,
    /// Level.
    pub level: String,
    /// The second server.
    pub participant: String,
    /// Its ratio to the first.
    pub estimate: Estimate,
    /// Whether they do not differ.
    pub passes: bool,
}

/// A planted difference.
#[derive(Clone, Debug)]
pub struct Planted {
    /// Experiment.
    pub experiment: String,
    /// Level.
    pub level: String,
    /// The participant with more work.
    pub participant: String,
    /// Ratio to the control that the added work must give, mean over blocks.
    pub expected: f64,
    /// Ratio to the control that was measured.
    pub measured: Estimate,
    /// Measured over expected, block by block.
    pub error: Estimate,
    /// Whether it was recovered.
    pub recovered: bool,
}

impl Controls {
    /// Whether there is at least one control, and all of them passed.
    pub fn passed(&self) -> bool {
        !(self.again.is_empty() && self.planted.is_empty())
            && self.again.iter().all(|one| one.passes)
            && self.planted.iter().all(|one| one.recovered)
    }
}

/// The estimates of one run.
#[derive(Debug)]
pub struct Analysis<'r> {
    run: &'r Run,
    blocks: &'r [Block],
}

impl<'r> Analysis<'r> {
    /// Indexes the records of a run.
    pub fn new(run: &'r Run, blocks: &'r [Block]) -> Self {
        Analysis { run, blocks }
    }

    /// The run.
    pub fn run(&self) -> &'r Run {
        self.run
    }

    /// Its blocks.
    pub fn blocks(&self) -> &'r [Block] {
        self.blocks
    }

    /// What was measured of a participant, in the metric's unit.
    pub fn value(&self, _at: At<'_>, _participant: &str, _metric: Metric) -> Option<Estimate> {
        None
    }

    /// One participant compared with another in the same blocks and cycles: a ratio, or a difference on the plain scale.
    pub fn ratio(
        &self,
        _at: At<'_>,
        _participant: &str,
        _other: &str,
        _metric: Metric,
    ) -> Option<Estimate> {
        None
    }

    /// The same with the level's control, both servers of it pooled.
    pub fn to_control(&self, _at: At<'_>, _participant: &str, _metric: Metric) -> Option<Estimate> {
        None
    }

    /// One participant at the place `to` compared with itself at `from`, block by block.
    pub fn change(
        &self,
        _participant: &str,
        _metric: Metric,
        _from: At<'_>,
        _to: At<'_>,
    ) -> Option<Estimate> {
        None
    }

    /// Why there is no estimate; of no meaning where there is one.
    pub fn missing(&self, _at: At<'_>, _participant: &str, _metric: Metric) -> Missing {
        Missing::NotInRun
    }

    /// Every participant of a level that is compared, with its comparison with the control and the word for it.
    pub fn words(&self, _at: At<'_>, _metric: Metric) -> Vec<(String, Estimate, Word)> {
        Vec::new()
    }

    /// The two controls of the method.
    pub fn controls(&self) -> Controls {
        Controls::default()
    }

    /// Half-width of the comparison with the control that half of a level's participants have reached.
    pub fn resolution_at(&self, _at: At<'_>, _metric: Metric) -> Option<f64> {
        None
    }

    /// The same of the run's headline.
    pub fn resolution(&self) -> Option<f64> {
        self.resolution_at(HEADLINE, Metric::CpuPerRequest)
    }
}

/// Whether every interval is as narrow as the design asks: the lab's rule for stopping. It looks at widths and at nothing else.
pub fn precision_reached(_run: &Run, _blocks: &[Block], _design: &Design) -> bool {
    false
}
