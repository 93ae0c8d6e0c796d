//! One experiment of both runs: what both have, and what only one has.

use crate::analysis::bootstrap::{Estimate, quotient, unpaired_ratio_interval};
use crate::analysis::cells::{self, Cell, SetAside};
use crate::analysis::comparison::{self, NoiseFloor};
use crate::analysis::metric::Metric;
use crate::analysis::rank;
use crate::analysis::sample::{median, values};
use crate::lab::record::{Arm, Design, Trial};

use super::shared::Shared;
use super::{Change, Recorded, Shown, Side, Unmatched, Verdict, Why, verdict};

/// One experiment of one run, as far as it is needed here: comparisons with the control are not.
pub(super) struct Measured<'a> {
    experiment: &'a str,
    cells: Vec<Cell<'a>>,
    aside: Vec<SetAside<'a>>,
    floors: Vec<NoiseFloor<'a>>,
}

impl<'a> Measured<'a> {
    pub(super) fn new(recorded: Recorded<'a>, design: &'a Design, metrics: &[Metric]) -> Self {
        let of_it = |trial: &&Trial| trial.experiment == design.experiment;
        let trials = recorded.trials.iter().filter(of_it);
        let (cells, aside) = cells::sort(design, &recorded.run.models, trials);
        Self {
            experiment: &design.experiment,
            floors: comparison::noise_floors(&cells, metrics, recorded.run.seed),
            cells,
            aside,
        }
    }

    /// Cells of the models, second copies not included.
    fn models(&self) -> impl Iterator<Item = &Cell<'a>> {
        self.cells.iter().filter(|cell| cell.arm == Arm::Model)
    }

    /// The same cell as another run's, whether it has trials or not.
    fn like(&self, cell: &Cell<'_>) -> Option<&Cell<'a>> {
        self.models()
            .find(|one| one.model == cell.model && one.level == cell.level)
    }

    /// The same cell as another run's, if it has ranked trials; and why not.
    fn ranked_like(&self, cell: &Cell<'_>) -> Result<&Cell<'a>, Why> {
        let is_of_it = |aside: &SetAside<'_>| {
            let trial = aside.trial;
            trial.arm == Arm::Model && trial.model == cell.model && trial.level == cell.level
        };
        match self.like(cell) {
            Some(like) if like.ranked() > 0 => Ok(like),
            // Trials that could not be made are nowhere but among those set aside.
            _ if self.aside.iter().any(is_of_it) => Err(Why::NotRanked),
            _ => Err(Why::NotMade),
        }
    }
}

/// The ranked trials' values of one figure, of one cell in both runs.
pub(super) struct Both<'a> {
    level: &'a str,
    pub(super) model: &'a str,
    base: Vec<f64>,
    candidate: Vec<f64>,
    /// The larger noise floor of the two runs.
    pub(super) floor: Option<f64>,
}

impl Both<'_> {
    /// Candidate's median over the base's.
    pub(super) fn ratio(&self) -> Option<f64> {
        quotient(median(&self.candidate)?, median(&self.base)?)
    }
}

/// One experiment of both runs.
pub(super) struct Pair<'a> {
    pub(super) base: Measured<'a>,
    pub(super) candidate: Measured<'a>,
    /// Seed of every bootstrap.
    pub(super) seed: u64,
}

impl<'a> Pair<'a> {
    /// A figure of every model at every level that both have, judged; and what all of them share.
    pub(super) fn changes(&self, metric: Metric) -> (Option<Shared<'a>>, Vec<Change<'a>>) {
        let cells = self.base.models();
        let both: Vec<Both<'a>> = cells.filter_map(|cell| self.both(cell, metric)).collect();
        let shared = Shared::of(self.base.experiment, metric, &both);
        let factor = shared.map_or(1.0, |shared| shared.factor);
        let changes = both
            .iter()
            .filter_map(|both| self.change(both, metric, factor));
        (shared, verdict::on_family(changes.collect()))
    }

    fn both(&self, cell: &Cell<'a>, metric: Metric) -> Option<Both<'a>> {
        let other = self.candidate.like(cell)?;
        let floor = |side: &Measured<'_>| comparison::floor(&side.floors, cell.level, metric);
        let floors = [floor(&self.base), floor(&self.candidate)];
        Some(Both {
            level: cell.level,
            model: cell.model,
            base: values(&cell.observations(metric)),
            candidate: values(&other.observations(metric)),
            floor: floors.into_iter().flatten().reduce(f64::max),
        })
    }

    fn change(&self, both: &Both<'a>, metric: Metric, shared: f64) -> Option<Change<'a>> {
        let Both {
            base, candidate, ..
        } = both;
        let own: Vec<f64> = candidate.iter().map(|value| value / shared).collect();
        let p = rank::mann_whitney_p(&own, base)?;
        Some(Change {
            experiment: self.base.experiment,
            level: both.level,
            model: both.model,
            metric,
            base: shown(base)?,
            candidate: shown(candidate)?,
            ratio: ratio(candidate, base, self.seed),
            shared,
            delta: rank::cliffs_delta(&own, base)?,
            p,
            p_holm: p,
            floor: both.floor,
            verdict: Verdict::Same,
        })
    }

    /// What only one of them has.
    pub(super) fn unmatched(&self, metrics: &[Metric]) -> Vec<Unmatched<'a>> {
        let of_base = only(Side::Base, &self.base, &self.candidate, metrics);
        let of_candidate = only(Side::Candidate, &self.candidate, &self.base, metrics);
        [of_base, of_candidate].concat()
    }
}

/// What one run has and the other has not.
fn only<'a>(
    side: Side,
    one: &Measured<'a>,
    other: &Measured<'a>,
    metrics: &[Metric],
) -> Vec<Unmatched<'a>> {
    let mut unmatched = Vec::new();
    for cell in one.models().filter(|cell| cell.ranked() > 0) {
        let mut push = |metric, why| {
            unmatched.push(Unmatched {
                only: side,
                experiment: one.experiment,
                cell: Some((cell.model, cell.level)),
                metric,
                why,
            });
        };
        match other.ranked_like(cell) {
            Err(why) => push(None, why),
            Ok(like) => {
                for &metric in metrics {
                    if cell.median(metric).is_some() && like.median(metric).is_none() {
                        push(Some(metric), Why::NotRanked);
                    }
                }
            }
        }
    }
    unmatched
}

pub(super) fn shown(values: &[f64]) -> Option<Shown> {
    Some(Shown {
        median: median(values)?,
        trials: values.len(),
    })
}

pub(super) fn ratio(candidate: &[f64], base: &[f64], seed: u64) -> Option<Estimate> {
    Some(Estimate {
        value: quotient(median(candidate)?, median(base)?)?,
        interval: unpaired_ratio_interval(candidate, base, seed),
    })
}
