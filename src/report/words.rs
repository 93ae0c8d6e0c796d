//! Every English sentence of a report, whatever its format. A second language is a second file of this shape.

use crate::analysis::metric::{FIGURES, Metric, Unit};
use crate::lab::record::{Level, ModelCard, Run, Status};

use super::numbers;

mod evidence;

pub(super) use evidence::*;

// Headings.
pub(super) const HEADLINE: &str = "The models side by side";
pub(super) const LEVELS: &str = "Every level";
pub(super) const VALIDITY: &str = "Can these numbers be believed?";
pub(super) const READING: &str = "How to read this report";
pub(super) const METHOD: &str = "How and where it was measured";
pub(super) const ANSWER: &str = "The answer";
pub(super) const FINDINGS: &str = "Place by place";
pub(super) const NUMBERS_BEHIND: &str = "The numbers behind the chart";

// Columns.
pub(super) const MODEL: &str = "Model";
pub(super) const EXPERIMENT: &str = "Experiment";
pub(super) const LEVEL: &str = "Level";
pub(super) const CPU: &str = "Server CPU, µs/request";
pub(super) const TIMES_CONTROL: &str = "× control";
pub(super) const GOOD: &str = "Good requests/s";
pub(super) const P50: &str = "Response p50";
pub(super) const P99: &str = "Response p99";
pub(super) const MEMORY: &str = "Peak memory (PSS)";
pub(super) const PEAKS: &str = "Threads / processes";
pub(super) const SWITCHES: &str = "Switches/request";
pub(super) const LOAD: &str = "Load";
pub(super) const SERVER_OPTIONS: &str = "Server";
pub(super) const MEASURED_MODELS: &str = "Models";
pub(super) const TRIALS: &str = "Ranked trials";
pub(super) const DELTA: &str = "Cliff’s δ";
pub(super) const P_HOLM: &str = "p (Holm)";
pub(super) const ROUND: &str = "Round";
pub(super) const REASON: &str = "Why it is not ranked";
pub(super) const METRIC: &str = "Figure";
pub(super) const AGAIN: &str = "Second copy ÷ first";
pub(super) const FLOOR: &str = "A tie up to";
pub(super) const TERM: &str = "Term";
pub(super) const MEANING: &str = "What it means";
pub(super) const NAME: &str = "Name";
pub(super) const VALUE: &str = "Value";
pub(super) const USER: &str = "User, µs";
pub(super) const SYSTEM: &str = "System, µs";
pub(super) const EACH_TRIAL: &str = "Each trial, µs";
pub(super) const SAMPLES: &str = "Requests";

// Verdicts.
pub(super) const CONTROL: &str = "control";
pub(super) const TIE: &str = "tie";
pub(super) const CHEAPER: &str = "cheaper";
pub(super) const DEARER: &str = "dearer";
pub(super) const FASTER: &str = "faster";
pub(super) const SLOWER: &str = "slower";
pub(super) const SHORTER: &str = "shorter";
pub(super) const LONGER: &str = "longer";
pub(super) const SMALLER: &str = "smaller";
pub(super) const LARGER: &str = "larger";
pub(super) const FEWER: &str = "less";
pub(super) const MORE: &str = "more";
pub(super) const TOO_FEW: &str = "too few trials";
pub(super) const NO_CONTROL: &str = "no control";
pub(super) const NO_RATIO: &str = "no ratio";
pub(super) const NO_FIGURE: &str = "no figure";
pub(super) const NOT_RANKED: &str = "not ranked";
pub(super) const NOT_MEASURED: &str = "not measured";

// Answer.
pub(super) const NOTHING_RANKED: &str = "No trial of this run can be ranked, so it has no answer; what speaks against \
     each trial stands under the validity of the numbers.";

pub(super) fn title(run: &Run) -> String {
    match run.experiments.as_slice() {
        [design] => format!("{}: {}", design.experiment, run.name),
        _ => format!("Comparison: {}", run.name),
    }
}

pub(super) fn question(run: &Run) -> String {
    match run.experiments.as_slice() {
        [design] => design.question.en.clone(),
        designs => format!(
            "{} experiments: what does it cost to give each client an iteration, a thread, a process or a task of its own?",
            designs.len()
        ),
    }
}

pub(super) fn changes_mind(text: &str) -> String {
    format!("What would change our mind: {text}")
}

pub(super) fn title_of(card: &ModelCard) -> &str {
    &card.title.en
}

/// Heading of a metric's column, with the unit where the figures do not carry it.
pub(super) fn metric(metric: Metric) -> String {
    match metric {
        Metric::CpuUsPerRequest => CPU,
        Metric::GoodPerS => GOOD,
        Metric::ResponseP50Us => P50,
        Metric::ResponseP99Us => P99,
        Metric::PssPeakKib => MEMORY,
        Metric::SwitchesPerRequest => SWITCHES,
        Metric::WakeupsPerRequest => "Wake-ups per request",
        Metric::ThreadsPeak => "Threads at most",
        Metric::ProcessesPeak => "Processes at most",
        Metric::Figure(place) => FIGURES[place].title.en,
    }
    .to_owned()
}

/// Heading of the column of verdicts in a metric.
pub(super) fn verdict_on(metric: Metric) -> String {
    match metric {
        Metric::CpuUsPerRequest => "Verdict on cost".to_owned(),
        Metric::GoodPerS => "Verdict on rate".to_owned(),
        Metric::ResponseP50Us => "Verdict on p50".to_owned(),
        Metric::ResponseP99Us => "Verdict on p99".to_owned(),
        Metric::PssPeakKib => "Verdict on memory".to_owned(),
        _ => "Verdict".to_owned(),
    }
}

/// Heading of the column of differences from the control in a metric.
pub(super) fn shift(metric: Metric) -> String {
    match metric {
        Metric::CpuUsPerRequest => "Over control, µs".to_owned(),
        _ => "Over control".to_owned(),
    }
}

/// The words for a smaller and a larger value of a metric.
pub(super) fn directions(metric: Metric) -> (&'static str, &'static str) {
    match (metric, metric.unit()) {
        (Metric::CpuUsPerRequest, _) => (CHEAPER, DEARER),
        (Metric::GoodPerS, _) => (SLOWER, FASTER),
        (_, Unit::Us | Unit::Ms) => (SHORTER, LONGER),
        (_, Unit::Kib) => (SMALLER, LARGER),
        _ => (FEWER, MORE),
    }
}

/// What clients do at a level: `One request per connection, 64 clients`.
pub(super) fn load(level: &Level) -> String {
    if level.path.is_empty() {
        return level.name.clone();
    }
    let mut text = match level.requests_per_connection {
        None => "Connections kept open".to_owned(),
        Some(1) => "One request per connection".to_owned(),
        Some(some) => format!("{some} requests per connection"),
    };
    if level.path != "/" {
        text.push_str(&format!(", {}", level.path));
    }
    for (name, path) in &level.paths {
        text.push_str(&format!(" ({name}: {path})"));
    }
    match (level.rate_per_s, level.rate_of_capacity) {
        (Some(rate), _) => text.push_str(&format!(", {} requests/s", numbers::tick(rate))),
        (None, Some(share)) => {
            text.push_str(&format!(", {}× its own capacity", numbers::tick(share)));
        }
        (None, None) => text.push_str(&format!(", {}", clients(level.clients))),
    }
    if let Some(disturbance) = &level.disturbance {
        text.push_str(&format!(", beside {disturbance}"));
    }
    text
}

pub(super) fn clients(clients: u32) -> String {
    match clients {
        1 => "1 client".to_owned(),
        _ => format!("{clients} clients"),
    }
}

/// What was found in one metric, in a sentence.
pub(super) fn answer(load: &str, control: &str, metric: Metric, parts: &Parts) -> String {
    let (phrase, verb) = match metric {
        Metric::CpuUsPerRequest => ("server CPU per request".to_owned(), "costs"),
        Metric::GoodPerS => ("good requests per second".to_owned(), "reaches"),
        Metric::ResponseP50Us => ("the median response time".to_owned(), "takes"),
        Metric::ResponseP99Us => ("the 99th percentile of response times".to_owned(), "takes"),
        other => (format!("“{}”", self::metric(other)), "has"),
    };
    let clauses = clauses(parts, verb);
    format!("{load}: in {phrase} against {control}, {clauses}.")
}

pub(super) fn no_control_answer(workload: &str, control: &str) -> String {
    format!(
        "{workload}: the control, {control}, has no valid trial here, so there is nothing to compare the models with."
    )
}

pub(super) fn missing_answer(titles: &[&str]) -> String {
    format!(
        "Without a valid trial at this level, and so not compared: {}.",
        titles.join(", ")
    )
}

/// Models sorted by what was concluded of them, each a title and its ratio written out.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// Models that differ from the control, largest ratio first; of many those at both ends.
    pub(super) differ: Vec<(String, String)>,
    /// Models that differ and lie between those ends.
    pub(super) between: usize,
    /// Models that tie with it.
    pub(super) tie: Vec<(String, String)>,
    /// Models with too few trials to conclude anything.
    pub(super) open: Vec<(String, String)>,
}

fn clauses(parts: &Parts, verb: &str) -> String {
    let mut clauses = Vec::new();
    if let Some(((title, ratio), rest)) = parts.differ.split_first() {
        let rest = rest
            .iter()
            .map(|(title, ratio)| format!(", {title} {ratio}"));
        let between = match parts.between {
            0 => String::new(),
            1 => ", one other in between".to_owned(),
            some => format!(", {some} others in between"),
        };
        clauses.push(format!(
            "{title} {verb} {ratio}{}{between}",
            rest.collect::<String>()
        ));
    }
    let mut bracketed = |models: &[(String, String)], singular: &str, plural: &str| {
        let listed: Vec<String> = models
            .iter()
            .map(|(title, ratio)| format!("{title} ({ratio})"))
            .collect();
        match listed.len() {
            0 => {}
            1 => clauses.push(format!("{} {singular}", listed[0])),
            _ => clauses.push(format!("{} {plural}", listed.join(", "))),
        }
    };
    bracketed(&parts.tie, "ties", "tie");
    bracketed(
        &parts.open,
        "has too few trials to tell",
        "have too few trials to tell",
    );
    if clauses.is_empty() {
        return "no other model was compared".to_owned();
    }
    clauses.join("; ")
}

// Warnings.

pub(super) fn status_warning(status: Status, made: usize) -> Option<String> {
    let trials = trials(made);
    match status {
        Status::Complete => None,
        Status::Interrupted => Some(format!(
            "This run was interrupted after {trials}: later rounds are missing, and intervals are wider for it."
        )),
        Status::Running => Some(format!(
            "This run has no end on record: it is still going on or was killed. The report covers the {trials} so far."
        )),
    }
}

pub(super) const DEBUG_BUILD: &str =
    "Built without optimisation: the figures say nothing about the models. Build with --release.";
pub(super) const DIRTY_BUILD: &str =
    "Built from a source tree with uncommitted changes: the commit alone does not reproduce it.";

pub(super) fn newer_schema(found: u32, known: u32) -> String {
    format!(
        "The records are of schema {found}, this report knows schema {known}: figures may be missing or misread."
    )
}

// Tables of models.

pub(super) fn headline_caption(workload: &str, trials_per_cell: u32, every_model: bool) -> String {
    let choice = if every_model {
        "the highest level at which every model has a ranked trial"
    } else {
        "the level at which most models have a ranked trial"
    };
    format!(
        "{workload}: {choice}. Medians of up to {} per model, with a 95 % interval in brackets. A figure struck through \
         was set by the load generator at its own limit, and is not ranked.",
        trials(trials_per_cell as usize)
    )
}

pub(super) const LEVELS_CAPTION: &str = "Medians over ranked trials, with a 95 % interval in brackets. A row struck \
     through has no such trial, and a figure struck through was set by the load generator at its own limit: both are \
     shown but never ranked.";

pub(super) fn trials_of(valid: usize, made: usize) -> String {
    format!("{valid} of {made}")
}

pub(super) fn at_least(figure: &str) -> String {
    format!("≥ {figure}")
}

// Charts.
pub(super) const COST_CHART: &str = "What a request costs the server";
pub(super) const COST_USER: &str = "user";
pub(super) const COST_SYSTEM: &str = "system";
pub(super) const COST_TRIAL: &str = "one trial";
pub(super) const COST_INTERVAL: &str = "95 % interval";
pub(super) const COST_AXIS: &str = "server CPU per request, µs";

pub(super) fn cost_caption(workload: &str) -> String {
    format!(
        "{workload}. A bar is the median over trials, split into user and system time by their median shares; shorter \
         is cheaper."
    )
}

pub(super) const CURVE_CHART: &str = "How long the slowest requests take";
pub(super) const CURVE_AXIS: &str = "share of requests answered within the time";

pub(super) fn curve_caption(workload: &str) -> String {
    format!(
        "{workload}. Every step to the right is a ten times rarer request; lower is better. All valid trials of a model \
         are added up, and a line ends where fewer than ten requests lie beyond it."
    )
}

pub(super) fn chart_description(caption: &str, summary: &[String]) -> String {
    format!("{caption} {}.", summary.join("; "))
}

fn trials(count: usize) -> String {
    match count {
        1 => "1 trial".to_owned(),
        _ => format!("{count} trials"),
    }
}
