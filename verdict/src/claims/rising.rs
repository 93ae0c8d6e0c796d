//! The levels of an experiment as steps of rising load, with what was recorded beside them, so that turning points are found.

use hola_servers::models::find;

use crate::analysis::Analysis;
use crate::analysis::cells::{Cell, Taken};
use crate::analysis::metric::Metric;
use crate::analysis::sample::median;
use crate::lab::record::{Design, Level, ModelCard, ServerCost};

use super::turning::{Signs, Step, TurningPoint, turning_point};

/// A model of an experiment whose load rises, and where it stops gaining; `None` where it gains to the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn<'a> {
    /// Model, by name.
    pub model: &'a str,
    /// Where it stops gaining.
    pub point: Option<TurningPoint>,
}

/// Where each model stops gaining, in the order of the plan; none where the experiment's load does not rise by level.
pub fn turns<'a>(analysis: &Analysis<'a>, models: &[ModelCard]) -> Vec<Turn<'a>> {
    if !rises(analysis.design) {
        return Vec::new();
    }
    let levels = &analysis.design.levels;
    let floors = levels
        .iter()
        .filter_map(|level| analysis.floor(&level.name, Metric::GoodPerS));
    let floor = floors.fold(1.0, f64::max);
    let turn = |model: &'a String| Turn {
        model,
        point: turning_point(&steps(analysis, model, models), floor),
    };
    // A reference target tells nobody whom it sent away, and its bill is the window's alone.
    let is_model = |name: &&String| find(name).is_some();
    let measured = analysis.design.models.iter();
    measured.filter(is_model).map(turn).collect()
}

/// Whether every level asks for more than the one before, and in nothing but that differs from it.
fn rises(design: &Design) -> bool {
    let more = |(here, next): (&Level, &Level)| {
        let asked = |level: &Level| level.rate_of_capacity.unwrap_or(0.0);
        let same = Level {
            name: here.name.clone(),
            clients: here.clients,
            rate_of_capacity: here.rate_of_capacity,
            models: here.models.clone(),
            ..next.clone()
        };
        same == *here && (next.clients > here.clients || asked(next) > asked(here))
    };
    let pairs = design.levels.iter().zip(design.levels.iter().skip(1));
    design.levels.len() > 1 && pairs.into_iter().all(more)
}

fn steps(analysis: &Analysis<'_>, model: &str, models: &[ModelCard]) -> Vec<Step> {
    let design = analysis.design;
    let card = models.iter().find(|card| card.name == model);
    let attention = card.map_or_else(String::new, |card| card.attention.clone());
    let of_level = |level: &Level| {
        let mut cells = analysis.level(&level.name);
        let cell = cells.find(|cell| cell.model == model)?;
        let good_per_s = cell
            .median(Metric::GoodPerS)
            .or_else(|| cell.struck_median(Metric::GoodPerS))?;
        Some(Step {
            level: level.name.clone(),
            good_per_s,
            response_p99_us: cell.median(Metric::ResponseP99Us),
            signs: Signs {
                attention: attention.clone(),
                ..signs(design, level, cell)
            },
        })
    };
    design.levels.iter().filter_map(of_level).collect()
}

/// What was recorded beside a cell's figures. Of descriptors and of the machine's memory nothing is recorded.
fn signs(design: &Design, level: &Level, cell: &Cell<'_>) -> Signs {
    let ranked = || cell.valid.iter().chain(&cell.bound);
    let bills = || ranked().filter_map(|taken: &Taken<'_>| taken.measured.server.as_ref());
    let cpus = match &level.placement {
        Some(placement) => placement.server_cpus.len(),
        None => design.server_cpus.len(),
    };
    let available_us = (design.trial_s + design.warmup_s) * 1e6 * cpus.max(1) as f64;
    let share = |bill: &ServerCost| (bill.cpu_user_us + bill.cpu_system_us) as f64 / available_us;
    let shares: Vec<f64> = bills().map(share).collect();
    Signs {
        generator_bound: cell.is_generator_bound(),
        listen_overflows: ranked()
            .map(|taken| taken.measured.kernel.listen_overflows)
            .sum(),
        refused: bills().filter_map(|bill| bill.refused).sum(),
        backed_off: bills().filter_map(|bill| bill.backed_off).sum(),
        cpu_share: median(&shares).unwrap_or(0.0),
        ..Signs::default()
    }
}
