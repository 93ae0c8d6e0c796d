//! The sentences of the sections that say what speaks for the numbers, how to read them, and how they were made.

use super::{CPU, DELTA, GOOD, MEMORY, P_HOLM, PEAKS, TIMES_CONTROL, trials};

pub(in crate::report) const GENERATOR_BOUND: &str = "the load generator was at its limit";

pub(in crate::report) fn generator_bound(trials_bound: usize) -> String {
    format!(
        "GENERATOR-BOUND: in {} the load generator’s CPU, not the server, set the pace. Their rates and response times say \
         nothing of the server and are struck through; what the server spent on each request is its own, and counts.",
        trials(trials_bound)
    )
}

pub(in crate::report) fn trials_made(
    ranked: usize,
    invalid: usize,
    failed: usize,
    foreign: usize,
) -> String {
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

pub(in crate::report) fn coverage(trials_fewest: usize, bound: &str, has_interval: bool) -> String {
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

pub(in crate::report) fn p_out_of_reach(out_of_reach: usize, comparisons: usize) -> String {
    format!(
        "Too few trials for p-values: in {out_of_reach} of {comparisons} comparisons with the control none could fall \
         below 0.05 after Holm’s correction, whatever the trials had shown. Intervals and effect sizes have to speak."
    )
}

pub(in crate::report) const FLOOR_CAPTION: &str = "Noise floor: one model measured twice as if it were two. The bound of that \
     ratio farthest from 1 is the floor of its level; a smaller difference is a tie, whatever its interval.";

pub(in crate::report) fn no_floor(experiments: &[&str]) -> String {
    format!(
        "No model was measured twice in {}, so there is no noise floor there: a tie rests on the interval alone, and small \
         differences deserve doubt.",
        experiments.join(", ")
    )
}

/// A remark about some of several experiments.
pub(in crate::report) fn about(experiments: &str, remark: &str) -> String {
    format!("{experiments}: {remark}")
}

pub(in crate::report) const ASIDE_CAPTION: &str = "Trials that are not ranked.";
pub(in crate::report) const NOTHING_ANSWERED: &str = "no request was answered";
pub(in crate::report) const NOT_PLANNED: &str = "its experiment, model or level is not in the plan";

pub(in crate::report) fn failed(why: &str) -> String {
    format!("could not be made: {why}")
}

pub(in crate::report) fn failed_check(check: &str, detail: &str) -> String {
    format!("{check}: {detail}")
}

pub(in crate::report) fn second_copy(title: &str) -> String {
    format!("{title} (second copy)")
}

pub(in crate::report) fn skipped(title: &str, experiment: Option<&str>, reason: &str) -> String {
    match experiment {
        None => format!("{title} was skipped: {reason}"),
        Some(experiment) => format!("{title} was left out of {experiment}: {reason}"),
    }
}

pub(in crate::report) fn steal(share: &str) -> String {
    format!("The hypervisor took {share} of the CPU time during the run.")
}

pub(in crate::report) const NO_STEAL: &str = "CPU time taken by a hypervisor was not recorded.";

pub(in crate::report) fn kernel(overflows: &str, drops: &str, retransmissions: &str) -> String {
    format!(
        "During ranked trials the kernel counted {overflows} connections that found the accept queue full, {drops} \
         dropped for that or another reason, and {retransmissions} repeated connection attempts, each of which delays \
         its request by a second or more."
    )
}

pub(in crate::report) fn accounts(by_cgroup: usize, by_getrusage: usize) -> String {
    let loses = "which loses some of each thread that ends: whoever makes a thread for a client looks cheaper than it is.";
    match (by_cgroup, by_getrusage) {
        (_, 0) => "CPU time of every server was counted by a control group of its own.".to_owned(),
        (0, _) => format!("CPU time of every server was counted by getrusage, {loses}"),
        _ => format!(
            "CPU time was counted by a control group in {}, and in {} by getrusage, {loses}",
            trials(by_cgroup),
            trials(by_getrusage)
        ),
    }
}

pub(in crate::report) fn unreadable(title: &str, trials: usize) -> String {
    format!(
        "{title}: response-time histograms that could not be read, and are missing from the curve: {trials}."
    )
}

// Reading.

pub(in crate::report) const READING_TERMS: [(&str, &str); 13] = [
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

pub(in crate::report) const CLOSED_LOOP: &str = "The load is a closed loop: a client sends its next request only when it has the \
     answer to the last. Clients = rate × response time then holds by Little’s law, so throughput and mean response time \
     are one figure seen from two sides. A slow server is also asked less, which hides how long its queue would grow \
     under independent clients.";
pub(in crate::report) const OPEN_LOOP: &str = "The load is an open loop: requests are due at planned instants, whatever the server \
     does. Response time counts from the planned instant, so waiting caused by a stall is not lost.";

// Method.
pub(in crate::report) const RUN_CAPTION: &str = "The run";
pub(in crate::report) const ENVIRONMENT_CAPTION: &str = "The machine and the build";
pub(in crate::report) const LIMITS_CAPTION: &str = "Limits";
pub(in crate::report) const MITIGATIONS_CAPTION: &str = "Processor vulnerabilities and mitigations";
pub(in crate::report) const RERUN: &str = "This command runs it again:";
pub(in crate::report) const UNKNOWN: &str = "not known";
pub(in crate::report) const YES: &str = "yes";
pub(in crate::report) const NO: &str = "no";
pub(in crate::report) const NOTHING: &str = "nothing";
pub(in crate::report) const ALL_MODELS: &str = "all of the experiment";

pub(in crate::report) fn plan_caption(experiment: &str) -> String {
    format!("The plan of {experiment}")
}

pub(in crate::report) fn levels_of(experiment: &str) -> String {
    format!("The levels of {experiment}")
}

pub(in crate::report) fn settings_caption(experiment: &str) -> String {
    format!("Settings every server of {experiment} ran with")
}

pub(in crate::report) fn pool_workers(workers: u32) -> String {
    format!("{workers} workers where each holds one client")
}

pub(in crate::report) fn placement(server: &str, generator: &str) -> String {
    format!("on CPU {server}, generator on {generator}")
}

pub(in crate::report) fn run_names() -> [&'static str; 4] {
    ["Profile", "Seed", "Started", "Finished"]
}

pub(in crate::report) fn plan_names() -> [&'static str; 9] {
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

pub(in crate::report) fn environment_names() -> [&'static str; 13] {
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

pub(in crate::report) fn seconds(value: &str) -> String {
    format!("{value} s")
}

pub(in crate::report) fn version(
    version: &str,
    commit: Option<&str>,
    dirty: Option<bool>,
) -> String {
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

pub(in crate::report) fn where_data(run: &str) -> String {
    format!(
        "The raw data are in results/{run}: run.json holds the plan and the machine, trials.jsonl a line for each trial \
         with its histogram. “hola report results/{run}” builds this report from them again."
    )
}

/// Line under the answer table of README.
pub(in crate::report) fn readme_source(run: &str, version: &str) -> String {
    format!("From results/{run} (Hola {version}); medians over trials, 95 % intervals in brackets.")
}
