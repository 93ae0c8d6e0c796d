//! Trials sorted into cells: one model, one arm of the A/A control, one level.

use crate::lab::record::{Arm, Design, Measured, ModelCard, Outcome, Trial};

use super::bootstrap::{Estimate, median_interval};
use super::metric::Metric;
use super::sample::{Observation, median, values};

/// Largest share of trials with a generator at its limit in a cell whose rates and times still count. Where it is at its
/// limit more often, it was close to it in the other trials too: those that passed are survivors, not a sample.
const BOUND_SHARE_MOST: f64 = 0.2;

/// The generator's check of itself.
const GENERATOR_CHECK: &str = "generator";

/// Name by which an experiment tolerates that a server answers nothing at all.
pub const NOTHING_ANSWERED: &str = "nothing_answered";

/// All trials of one model, arm and level.
#[derive(Clone, Debug)]
pub struct Cell<'a> {
    /// Model, by its command-line name.
    pub model: &'a str,
    /// Which copy of the model.
    pub arm: Arm,
    /// Level, by its name.
    pub level: &'a str,
    /// Whether requests were due at planned instants, whatever became of them.
    pub is_open: bool,
    /// Trials that passed every check: ranked in everything.
    pub valid: Vec<Taken<'a>>,
    /// Trials in which only the generator came to its limit: what the server cost is ranked, how fast it was is not.
    pub bound: Vec<Taken<'a>>,
    /// Trials that were made but may not be ranked; their reasons are in [`SetAside`].
    pub invalid: Vec<Taken<'a>>,
}

/// A trial that was made.
#[derive(Clone, Copy, Debug)]
pub struct Taken<'a> {
    /// Round of the trial.
    pub round: u32,
    /// When it was begun: UTC, RFC 3339.
    pub started_at: &'a str,
    /// Its figures.
    pub measured: &'a Measured,
}

/// A trial that is not ranked, and why.
#[derive(Clone, Debug)]
pub struct SetAside<'a> {
    /// The trial.
    pub trial: &'a Trial,
    /// What speaks against ranking it.
    pub reason: Reason<'a>,
}

/// Why a trial is not ranked.
#[derive(Clone, Debug)]
pub enum Reason<'a> {
    /// It could not be made: the recorded sentence.
    Failed(&'a str),
    /// It failed these checks: name and detail.
    FailedChecks(Vec<(&'a str, &'a str)>),
    /// The generator came to its limit, and nothing else is wrong.
    GeneratorBound,
    /// No request was answered, so there is nothing to divide by.
    NothingAnswered,
    /// Its experiment, model or level is not part of the run's plan.
    NotPlanned,
}

impl Cell<'_> {
    /// Trials made, ranked or not.
    pub fn made(&self) -> usize {
        self.ranked() + self.invalid.len()
    }

    /// Trials ranked in what the server cost.
    pub fn ranked(&self) -> usize {
        self.valid.len() + self.bound.len()
    }

    /// Every ranked trial's value of a metric.
    pub fn observations(&self, metric: Metric) -> Vec<Observation> {
        if self.is_paced(metric) {
            let counted = match self.is_generator_bound() {
                true => &[],
                false => self.valid.as_slice(),
            };
            return observations(counted, metric);
        }
        let mut all = observations(&self.valid, metric);
        all.extend(observations(&self.bound, metric));
        all.sort_by_key(|observation| observation.round);
        all
    }

    /// Whether a generator at its limit would set the cell's value. Requests that it sent late, but sent (or the check
    /// `offered` would speak), are late answers; how many of them were good is the server's doing.
    pub fn is_paced(&self, metric: Metric) -> bool {
        metric.is_paced_by_generator() && !(self.is_open && metric == Metric::GoodPerS)
    }

    /// Whether the generator was at its limit too often for the cell's rates and response times to be ranked.
    pub fn is_generator_bound(&self) -> bool {
        self.bound.len() as f64 > BOUND_SHARE_MOST * self.ranked() as f64
    }

    /// Median of the ranked trials and its interval; `None` where no ranked trial has the figure.
    pub fn estimate(&self, metric: Metric, seed: u64) -> Option<Estimate> {
        let sample = values(&self.observations(metric));
        Some(Estimate {
            value: median(&sample)?,
            interval: median_interval(&sample, seed),
        })
    }

    /// Median of the ranked trials alone; `None` where no ranked trial has the figure.
    pub fn median(&self, metric: Metric) -> Option<f64> {
        median(&values(&self.observations(metric)))
    }

    /// Median of the trials that may not be ranked in this metric, to be shown struck through.
    pub fn struck_median(&self, metric: Metric) -> Option<f64> {
        let struck = match self.ranked() {
            0 => observations(&self.invalid, metric),
            _ => [
                observations(&self.valid, metric),
                observations(&self.bound, metric),
            ]
            .concat(),
        };
        median(&values(&struck))
    }

    /// Whether failures reach into a percentile of any valid trial, so that the median reads "at least".
    pub fn is_censored(&self, metric: Metric) -> bool {
        self.valid
            .iter()
            .any(|taken| metric.is_censored(taken.measured))
    }

    /// Median share of user time in the server's CPU time over the ranked trials, 0…1.
    pub fn user_share(&self) -> Option<f64> {
        let shares: Vec<f64> = self
            .valid
            .iter()
            .chain(&self.bound)
            .filter_map(|taken| {
                let server = taken.measured.server.as_ref()?;
                let user = server.cpu_user_us as f64;
                let system = server.cpu_system_us as f64;
                (user + system > 0.0).then(|| user / (user + system))
            })
            .collect();
        median(&shares)
    }
}

fn observations(taken: &[Taken<'_>], metric: Metric) -> Vec<Observation> {
    taken
        .iter()
        .filter_map(|taken| {
            let value = metric.of(taken.measured)?;
            Some(Observation {
                round: taken.round,
                value,
            })
        })
        .collect()
}

/// Sorts trials into the cells of an experiment's plan, models in teaching order, levels in the plan's; and those that
/// may not be ranked, in the order they were made.
///
/// Every model has a cell at every level it takes part in, empty if need be; of second copies only those with a trial.
pub fn sort<'a>(
    design: &'a Design,
    models: &'a [ModelCard],
    trials: impl IntoIterator<Item = &'a Trial>,
) -> (Vec<Cell<'a>>, Vec<SetAside<'a>>) {
    let mut cells = planned(design, models);
    let mut aside = Vec::new();
    for trial in in_order(trials) {
        let place = cells.iter().position(|cell| {
            trial.experiment == design.experiment
                && cell.model == trial.model
                && cell.arm == trial.arm
                && cell.level == trial.level
        });
        let Some(place) = place else {
            aside.push(SetAside {
                trial,
                reason: Reason::NotPlanned,
            });
            continue;
        };
        match &trial.outcome {
            Outcome::Failed(why) => aside.push(SetAside {
                trial,
                reason: Reason::Failed(why),
            }),
            Outcome::Measured(measured) => {
                let taken = Taken {
                    round: trial.round,
                    started_at: &trial.started_at,
                    measured,
                };
                match objection(measured, &design.tolerates) {
                    None => cells[place].valid.push(taken),
                    Some(Reason::GeneratorBound) => cells[place].bound.push(taken),
                    Some(reason) => {
                        cells[place].invalid.push(taken);
                        aside.push(SetAside { trial, reason });
                    }
                }
            }
        }
    }
    cells.retain(|cell| cell.arm == Arm::Model || cell.made() > 0);
    (cells, aside)
}

/// Trials in the order they were made, whatever the order of the lines of the file.
fn in_order<'a>(trials: impl IntoIterator<Item = &'a Trial>) -> Vec<&'a Trial> {
    let mut ordered: Vec<&Trial> = trials.into_iter().collect();
    ordered.sort_by_key(|trial| trial.position);
    ordered
}

fn planned<'a>(design: &'a Design, models: &'a [ModelCard]) -> Vec<Cell<'a>> {
    let mut cells = Vec::new();
    for level in &design.levels {
        // A model without a card has no title to be shown by.
        let known = |model: &&str| models.iter().any(|card| card.name == *model);
        for model in design.models_at(level).filter(known) {
            for arm in [Arm::Model, Arm::Again] {
                cells.push(Cell {
                    model,
                    arm,
                    level: &level.name,
                    is_open: level.is_open(),
                    valid: Vec::new(),
                    bound: Vec::new(),
                    invalid: Vec::new(),
                });
            }
        }
    }
    cells
}

/// What the trial's own figures say against ranking it; `None` when it is valid.
///
/// `tolerated` names checks whose failure the experiment looks for, [`NOTHING_ANSWERED`] among them.
pub fn objection<'m>(measured: &'m Measured, tolerated: &[String]) -> Option<Reason<'m>> {
    let is_tolerated = |name: &str| tolerated.iter().any(|one| one == name);
    let failed: Vec<(&str, &str)> = measured
        .failed_checks()
        .map(|check| (check.check.as_str(), check.detail.as_str()))
        .filter(|(check, _)| !is_tolerated(check))
        .collect();
    // A generator that saw nothing has nothing to object to either: every check may have passed.
    let nothing = measured
        .load
        .as_ref()
        .is_some_and(|load| load.counts.ok == 0);
    if nothing && failed.is_empty() && !is_tolerated(NOTHING_ANSWERED) {
        return Some(Reason::NothingAnswered);
    }
    match failed.as_slice() {
        [] => None,
        [(check, _)] if *check == GENERATOR_CHECK => Some(Reason::GeneratorBound),
        _ => Some(Reason::FailedChecks(failed)),
    }
}
