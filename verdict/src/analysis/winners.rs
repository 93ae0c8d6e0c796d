//! Which model costs least under which load: a map of every plain load that a run has measured.
//!
//! Cheapest is who spends the least server CPU on a request: of all figures it depends least on the machine's other users
//! and on the load generator. Who cannot be told apart from the cheapest, by its interval or by the noise floor, ties
//! with it. Reference targets are no models, and have no place on the map.

use hola_servers::models::find;

use crate::lab::record::Level;

use super::Analysis;
use super::cells::Cell;
use super::comparison::{self, Comparison, Verdict};
use super::metric::Metric;

/// A plain load: a closed loop of clients, with nothing beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Load {
    /// Requests per connection; `u64::MAX` is without limit.
    pub requests_per_connection: u64,
    /// Time that an answer waits without using a CPU, in milliseconds.
    pub wait_ms: u32,
    /// Concurrent clients.
    pub clients: u32,
}

/// A load on the map.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The load.
    pub load: Load,
    /// Models measured under it.
    pub models: usize,
    /// The cheapest, and after it those that tie with it, cheaper ones first.
    pub winners: Vec<&'a str>,
}

/// One model against another under one load.
#[derive(Clone, Debug)]
pub struct Duel<'a> {
    /// The load.
    pub load: Load,
    /// What it costs, over what the other does.
    pub comparison: Comparison<'a>,
}

impl Load {
    /// The load of a level; `None` where it is not a plain one.
    fn of(level: &Level) -> Option<Self> {
        let wait_ms = match level.path.strip_prefix("/wait/") {
            Some(ms) => ms.parse().ok()?,
            None if level.path == "/" => 0,
            None => return None,
        };
        let is_plain = level.is_closed()
            && level.disturbance.is_none()
            && level.server_options.is_empty()
            && level.placement.is_none();
        is_plain.then_some(Self {
            requests_per_connection: level.requests_per_connection.unwrap_or(u64::MAX),
            wait_ms,
            clients: level.clients,
        })
    }
}

/// Every load of the run at which two models or more can be compared, in order; of two experiments with the same load
/// the first has it.
pub fn map<'a>(analyses: &[Analysis<'a>]) -> Vec<Place<'a>> {
    let mut places: Vec<Place<'a>> = Vec::new();
    for (load, analysis, level) in loads(analyses) {
        let is_new = places.iter().all(|place| place.load != load);
        places.extend(is_new.then(|| place(load, analysis, level)).flatten());
    }
    places.sort_by_key(|place| place.load);
    places
}

/// What `model` costs over `other` under every load at which both were measured, in order.
pub fn duels<'a>(analyses: &[Analysis<'a>], model: &str, other: &str) -> Vec<Duel<'a>> {
    let mut duels: Vec<Duel<'a>> = Vec::new();
    for (load, analysis, level) in loads(analyses) {
        if duels.iter().any(|duel| duel.load == load) {
            continue;
        }
        let cells = contenders(analysis, level);
        let against = against(analysis, &cells, other);
        let found = against.into_iter().find(|one| one.model == model);
        duels.extend(found.map(|comparison| Duel { load, comparison }));
    }
    duels.sort_by_key(|duel| duel.load);
    duels
}

fn loads<'b, 'a>(
    analyses: &'b [Analysis<'a>],
) -> impl Iterator<Item = (Load, &'b Analysis<'a>, &'a Level)> {
    analyses.iter().flat_map(|analysis| {
        let levels = analysis.design.levels.iter();
        levels.filter_map(move |level| Some((Load::of(level)?, analysis, level)))
    })
}

fn place<'a>(load: Load, analysis: &Analysis<'a>, level: &Level) -> Option<Place<'a>> {
    let cells = contenders(analysis, level);
    let cost = |cell: &Cell<'_>| cell.median(Metric::CpuUsPerRequest);
    let best = cells.iter().min_by(|one, other| {
        let [one, other] = [one, other].map(|cell| cost(cell).unwrap_or(f64::INFINITY));
        one.total_cmp(&other)
    })?;
    let mut tied: Vec<Comparison<'a>> = against(analysis, &cells, best.model);
    tied.retain(|one| matches!(one.verdict, Verdict::Tie | Verdict::TooFew));
    tied.sort_by(|one, other| one.ratio.value.total_cmp(&other.ratio.value));
    let ties = tied.iter().map(|one| one.model);
    (cells.len() > 1).then(|| Place {
        load,
        models: cells.len(),
        winners: [best.model].into_iter().chain(ties).collect(),
    })
}

/// The models that have a cost at a level.
fn contenders<'a>(analysis: &Analysis<'a>, level: &Level) -> Vec<Cell<'a>> {
    let has_cost = |cell: &&Cell<'a>| {
        find(cell.model).is_some() && cell.median(Metric::CpuUsPerRequest).is_some()
    };
    let cells = analysis.level(&level.name);
    cells.filter(has_cost).cloned().collect()
}

/// The others against one of them.
fn against<'a>(analysis: &Analysis<'a>, cells: &[Cell<'a>], one: &str) -> Vec<Comparison<'a>> {
    let metrics = [Metric::CpuUsPerRequest];
    comparison::compare(cells, one, &metrics, &analysis.floors, analysis.seed)
}
