//! Where a test is made, what a figure is divided by there, and what comes of it.

use hola_servers::models;

use super::decide::Finding;
use super::effect::{Effect, TRIALS_MIN};
use super::evidence::{Cell, Evidence, Gap};
use super::rule::{At, Levels, Over, Test};
use crate::analysis::sample::{median, values};

/// The test at every place where it is to be made: models of the run, levels in order.
pub(super) fn at_each(test: &Test, evidence: &Evidence) -> Vec<Finding> {
    let models = models_asked(test, evidence);
    let mut found = Vec::new();
    for model in models {
        for level in levels_asked(test, evidence) {
            found.push(at(test, evidence, model, &level));
        }
    }
    found
}

/// The models of the test that the run has; all of them where it has none, so that each says why.
fn models_asked(test: &Test, evidence: &Evidence) -> Vec<&'static str> {
    let plan = evidence.plan_of(test.experiment.name).ok();
    let has = |model: &&str| plan.is_some_and(|plan| plan.models.iter().any(|one| one == model));
    let present: Vec<&str> = test.models.iter().copied().filter(has).collect();
    match present.is_empty() {
        true => test.models.to_vec(),
        false => present,
    }
}

fn levels_asked(test: &Test, evidence: &Evidence) -> Vec<String> {
    match test.levels {
        Levels::Only(levels) => levels
            .iter()
            .map(|&level| resolve(level, test, evidence))
            .collect(),
        Levels::All => {
            let base = match test.over {
                Over::Level(level) => Some(resolve(level, test, evidence)),
                _ => None,
            };
            let mut levels = planned_levels(test, evidence);
            levels.retain(|level| base.as_ref() != Some(level));
            levels
        }
    }
}

/// The levels of the run; without it, those that the experiment could have had.
fn planned_levels(test: &Test, evidence: &Evidence) -> Vec<String> {
    evidence.plan_of(test.experiment.name).map_or_else(
        |_| {
            test.experiment
                .levels
                .iter()
                .map(|&level| level.to_owned())
                .collect()
        },
        |plan| plan.levels.clone(),
    )
}

fn resolve(at: At, test: &Test, evidence: &Evidence) -> String {
    let levels = || planned_levels(test, evidence);
    let end = match at {
        At::Named(name) => Some(name.to_owned()),
        At::First => levels().into_iter().next(),
        At::Last => levels().into_iter().next_back(),
    };
    end.unwrap_or_default()
}

fn at(test: &Test, evidence: &Evidence, model: &str, level: &str) -> Finding {
    let over = divisor(test, evidence, model, level);
    let effect = over
        .clone()
        .and_then(|over| measure(test, evidence, model, level, &over));
    Finding {
        experiment: test.experiment.name.into(),
        figure: test.figure.name.into(),
        model: model.into(),
        level: level.into(),
        over: over.ok().and_then(|over| over.name()),
        expect: test.expect,
        outcome: effect.as_ref().ok().map(|found| found.outcome(test.expect)),
        effect,
    }
}

/// What a figure is divided by at one place.
#[derive(Clone, Debug)]
enum Divisor {
    Nothing,
    Cell(Cell, String),
    Added { whole: Cell, control: Cell },
}

impl Divisor {
    fn name(&self) -> Option<String> {
        match self {
            Divisor::Nothing => None,
            Divisor::Cell(_, name) => Some(name.clone()),
            Divisor::Added { whole, control } => {
                Some(format!("{} − {}", whole.model, control.model))
            }
        }
    }
}

fn divisor(test: &Test, evidence: &Evidence, model: &str, level: &str) -> Result<Divisor, Gap> {
    let cell = |level: &str, model: &str| Cell::new(test.experiment.name, level, model);
    Ok(match test.over {
        Over::Nothing => Divisor::Nothing,
        Over::Model(other) => Divisor::Cell(cell(level, other), other.into()),
        Over::Best => {
            let best = best(test, evidence, model, level)?;
            Divisor::Cell(cell(level, &best), best)
        }
        Over::Level(base) => {
            let base = resolve(base, test, evidence);
            Divisor::Cell(cell(&base, model), base)
        }
        Over::Added { model, beyond } => Divisor::Added {
            whole: cell(level, model),
            control: cell(level, beyond),
        },
    })
}

/// The other model with the best median at that level; a reference target beside them is no model.
fn best(test: &Test, evidence: &Evidence, model: &str, level: &str) -> Result<String, Gap> {
    let plan = evidence.plan_of(test.experiment.name)?;
    let is_other = |name: &&String| *name != model && models::find(name).is_some();
    let others = plan.models.iter().filter(is_other);
    let medians = others.filter_map(|other| {
        let cell = Cell::new(test.experiment.name, level, other);
        let sample = evidence.sample(&cell, test.figure.name, TRIALS_MIN).ok()?;
        Some((other, median(&values(&sample.observations))?))
    });
    let better = |a: f64, b: f64| match test.figure.smaller_is_better {
        true => a.total_cmp(&b),
        false => b.total_cmp(&a),
    };
    let best = medians.min_by(|(_, a), (_, b)| better(*a, *b));
    best.map(|(name, _)| name.clone()).ok_or(Gap::NoOtherModel)
}

fn measure(
    test: &Test,
    evidence: &Evidence,
    model: &str,
    level: &str,
    over: &Divisor,
) -> Result<Effect, Gap> {
    let figure = test.figure.name;
    let sample = |cell: &Cell| evidence.sample(cell, figure, TRIALS_MIN);
    let cell = Cell::new(test.experiment.name, level, model);
    let own = sample(&cell)?;
    let floor = |level: &str| evidence.floor_of(test.experiment.name, level, figure);
    match over {
        Divisor::Nothing => Effect::of_figure(own),
        Divisor::Cell(base, _) => {
            let floor = floor(level).into_iter().chain(floor(&base.level));
            Effect::of_ratio(own, sample(base)?, floor.reduce(f64::max), evidence.seed())
        }
        Divisor::Added { whole, control } => {
            Effect::of_additions([own, sample(whole)?, sample(control)?], floor(level))
        }
    }
}
