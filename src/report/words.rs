//! Every English sentence of a report, whatever its format. A second language is a second file of this shape.

use crate::analysis::metric::{FIGURES, Metric, Unit};
use crate::lab::record::{Level, ModelCard, Run, Status};

use super::numbers;

// Headings.
pub(super) const HEADLINE: &str = "The models side by side";
pub(super) const LEVELS: &str = "Every level";
pub(super) const VALIDITY: &str = "Can these numbers be believed?";
pub(super) const READING: &str = "How to read this report";
pub(super) const METHOD: &str = "How and where it was measured";
pub(super) const ANSWER: &str = "The answer";
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
    let mut text = match level.requests_per_connection {
        None => "Connections kept open".to_owned(),
        Some(1) => "One request per connection".to_owned(),
        Some(some) => format!("{some} requests per connection"),
    };
    if level.path != "/" {
        text.push_str(&format!(", {}", level.path));
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

// Validity.

pub(super) const GENERATOR_BOUND: &str = "the load generator was at its limit";

pub(super) fn generator_bound(trials_bound: usize) -> String {
    format!(
        "GENERATOR-BOUND: in {} the load generator’s CPU, not the server, set the pace. Their rates and response times say \
         nothing of the server and are struck through; what the server spent on each request is its own, and counts.",
        trials(trials_bound)
    )
}

pub(super) fn trials_made(ranked: usize, invalid: usize, failed: usize, foreign: usize) -> String {
    let mut text = format!("{} can be ranked", trials(ranked));
    for (count, what) in [
        (invalid, "failed a check"),
        (failed, "could not be made"),
        (foreign, "outside the plan"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text.push('.');
    text
}

pub(super) fn coverage(trials_fewest: usize, bound: &str, has_interval: bool) -> String {
    let fewest = trials(trials_fewest);
    if has_interval {
        format!(
            "The cell with the fewest valid trials has {fewest}. With so many, no interval between the trials’ own values \
             holds the true median in more than {bound} of experiments, whatever the method."
        )
    } else {
        format!(
            "Too few trials: the cell with the fewest valid ones has {fewest}, and an interval needs three. Such cells \
             are shown without an interval and without a verdict."
        )
    }
}

pub(super) fn p_out_of_reach(out_of_reach: usize, comparisons: usize) -> String {
    format!(
        "Too few trials for p-values: in {out_of_reach} of {comparisons} comparisons with the control none could fall \
         below 0.05 after Holm’s correction, whatever the trials had shown. Intervals and effect sizes have to speak."
    )
}

pub(super) const FLOOR_CAPTION: &str = "Noise floor: one model measured twice as if it were two. The bound of that \
     ratio farthest from 1 is the floor of its level; a smaller difference is a tie, whatever its interval.";

pub(super) fn no_floor(experiments: &[&str]) -> String {
    format!(
        "No model was measured twice in {}, so there is no noise floor there: a tie rests on the interval alone, and small \
         differences deserve doubt.",
        experiments.join(", ")
    )
}

/// A remark about one experiment of several.
pub(super) fn about(experiment: &str, remark: &str) -> String {
    format!("{experiment}: {remark}")
}

pub(super) const ASIDE_CAPTION: &str = "Trials that are not ranked.";
pub(super) const NOTHING_ANSWERED: &str = "no request was answered";
pub(super) const NOT_PLANNED: &str = "its experiment, model or level is not in the plan";

pub(super) fn failed(why: &str) -> String {
    format!("could not be made: {why}")
}

pub(super) fn failed_check(check: &str, detail: &str) -> String {
    format!("{check}: {detail}")
}

pub(super) fn second_copy(title: &str) -> String {
    format!("{title} (second copy)")
}

pub(super) fn skipped(title: &str, experiment: Option<&str>, reason: &str) -> String {
    match experiment {
        None => format!("{title} was skipped: {reason}"),
        Some(experiment) => format!("{title} was left out of {experiment}: {reason}"),
    }
}

pub(super) fn steal(share: &str) -> String {
    format!("The hypervisor took {share} of the CPU time during the run.")
}

pub(super) const NO_STEAL: &str = "CPU time taken by a hypervisor was not recorded.";

pub(super) fn kernel(overflows: &str, drops: &str, retransmissions: &str) -> String {
    format!(
        "During ranked trials the kernel counted {overflows} connections that found the accept queue full, {drops} \
         dropped for that or another reason, and {retransmissions} repeated connection attempts, each of which delays \
         its request by a second or more."
    )
}

pub(super) fn unreadable(title: &str, trials: usize) -> String {
    format!(
        "{title}: response-time histograms that could not be read, and are missing from the curve: {trials}."
    )
}

// Reading.

pub(super) const READING_TERMS: [(&str, &str); 13] = [
    (
        "Trial",
        "One fresh server process under one load. It is the unit of everything here: intervals are over trials, never over requests.",
    ),
    (
        CPU,
        "CPU time the server spent on a request, user and system, its threads and children included; starting and stopping the server is not. It depends least on who else uses the machine, so where costs are asked for, the verdict rests on it.",
    ),
    (
        TIMES_CONTROL,
        "The model’s median over the control’s. 2.00× means twice the control.",
    ),
    (
        GOOD,
        "Requests answered with the right status and the right body, per second.",
    ),
    (
        "Response p50, p99",
        "Time from the instant a request was due to the last byte of its answer: half of the requests, or 99 in 100, took no longer. “≥” means that failed requests reach into the percentile, so the true value is at least this. The table shows the median of the trials’ percentiles; the chart adds up all requests.",
    ),
    (
        MEMORY,
        "Proportional set size summed over the server’s processes: a page shared by n processes counts 1/n in each.",
    ),
    (PEAKS, "The most that existed at once."),
    (
        "[low, high]",
        "A 95 % bootstrap interval: 10,000 times the trials are drawn again at random, with replacement (for a ratio whole rounds are, so that both models keep sharing a moment), and the middle 95 % of the results kept. Were the run repeated many times, about that share of such intervals would hold the true figure; with few trials fewer do, as the section before this one says.",
    ),
    (
        "Tie",
        "The interval of the ratio holds 1, or the difference is smaller than the noise floor, that is, than what one model differed from itself by. It means “not told apart here”, not “equal”.",
    ),
    (
        "Cheaper, dearer; faster, slower; shorter, longer",
        "The difference from the control is larger than both.",
    ),
    (
        "Over control",
        "Median of all differences between a trial of the model and one of the control (Hodges–Lehmann): what the model adds, to a request where it is about costs.",
    ),
    (
        DELTA,
        "Effect size from −1 to +1: +1 when every trial of the model lies above every one of the control, 0 when they are mixed evenly.",
    ),
    (
        P_HOLM,
        "Exact two-sided Mann–Whitney p-value of the figure that headlines, corrected by Holm for all models and levels of the experiment. It supports the verdict, it does not make it.",
    ),
];

pub(super) const CLOSED_LOOP: &str = "The load is a closed loop: a client sends its next request only when it has the \
     answer to the last. Clients = rate × response time then holds by Little’s law, so throughput and mean response time \
     are one figure seen from two sides. A slow server is also asked less, which hides how long its queue would grow \
     under independent clients.";
pub(super) const OPEN_LOOP: &str = "The load is an open loop: requests are due at planned instants, whatever the server \
     does. Response time counts from the planned instant, so waiting caused by a stall is not lost.";

// Method.
pub(super) const RUN_CAPTION: &str = "The run";
pub(super) const ENVIRONMENT_CAPTION: &str = "The machine and the build";
pub(super) const LIMITS_CAPTION: &str = "Limits";
pub(super) const MITIGATIONS_CAPTION: &str = "Processor vulnerabilities and mitigations";
pub(super) const RERUN: &str = "This command runs it again:";
pub(super) const UNKNOWN: &str = "not known";
pub(super) const YES: &str = "yes";
pub(super) const NO: &str = "no";
pub(super) const NOTHING: &str = "nothing";
pub(super) const ALL_MODELS: &str = "all of the experiment";

pub(super) fn plan_caption(experiment: &str) -> String {
    format!("The plan of {experiment}")
}

pub(super) fn levels_of(experiment: &str) -> String {
    format!("The levels of {experiment}")
}

pub(super) fn settings_caption(experiment: &str) -> String {
    format!("Settings every server of {experiment} ran with")
}

pub(super) fn pool_workers(workers: u32) -> String {
    format!("{workers} workers where each holds one client")
}

pub(super) fn placement(server: &str, generator: &str) -> String {
    format!("on CPU {server}, generator on {generator}")
}

pub(super) fn run_names() -> [&'static str; 4] {
    ["Profile", "Seed", "Started", "Finished"]
}

pub(super) fn plan_names() -> [&'static str; 9] {
    [
        "Question",
        "Models",
        "Control",
        "Trials per model and level",
        "Measured window",
        "Warm-up",
        "CPUs of the server",
        "CPUs of the generator",
        "Failed checks that count as findings",
    ]
}

pub(super) fn environment_names() -> [&'static str; 13] {
    [
        "Processor",
        "CPUs",
        "Memory",
        "Kernel",
        "Virtual machine",
        "Clock source",
        "Frequency governor",
        "Load before",
        "Load after",
        "CPU time stolen",
        "Compiler",
        "Build",
        "Hola",
    ]
}

pub(super) fn seconds(value: &str) -> String {
    format!("{value} s")
}

pub(super) fn version(version: &str, commit: Option<&str>, dirty: Option<bool>) -> String {
    let dirty = if dirty == Some(true) {
        ", with uncommitted changes"
    } else {
        ""
    };
    match commit {
        Some(commit) => format!("{version}, commit {commit}{dirty}"),
        None => format!("{version}, commit not known{dirty}"),
    }
}

pub(super) fn where_data(run: &str) -> String {
    format!(
        "The raw data are in results/{run}: run.json holds the plan and the machine, trials.jsonl a line for each trial \
         with its histogram. “hola report results/{run}” builds this report from them again."
    )
}

/// Line under the answer table of README.
pub(super) fn readme_source(run: &str, version: &str) -> String {
    format!("From results/{run} (Hola {version}); medians over trials, 95 % intervals in brackets.")
}

fn trials(count: usize) -> String {
    match count {
        1 => "1 trial".to_owned(),
        _ => format!("{count} trials"),
    }
}
