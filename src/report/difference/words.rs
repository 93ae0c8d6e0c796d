//! Every English sentence about two runs side by side. A second language is a second file of this shape.

use crate::analysis::difference::{Side, Unmatched, Verdict, Why};
use crate::analysis::mismatch::{Mismatch, Property};
use crate::claims::changes::Changes;
use crate::claims::decide::Verdict as ClaimVerdict;
use crate::claims::words::{self as claims, Language};
use crate::report::{numbers, words as report};

pub(super) const SIDES: [&str; 2] = ["Base", "Candidate"];
pub(super) const SUM: &str = "In all";
pub(super) const UNMATCHED: &str = "In one of the runs only";
pub(super) const CLAIMS: &str = "Claims";
pub(super) const RUNS: &str = "The runs";
pub(super) const READING: &str = "How to read this";
pub(super) const CHANGE_COLUMNS: [&str; 10] = [
    report::EXPERIMENT,
    report::LEVEL,
    report::MODEL,
    report::METRIC,
    SIDES[0],
    SIDES[1],
    "Candidate ÷ base",
    report::P_HOLM,
    report::FLOOR,
    "Verdict",
];
pub(super) const CLAIM_COLUMNS: [&str; 3] = ["Claim", "Before", "After"];
pub(super) const RUN_COLUMNS: [&str; 4] = ["", "Run", "Started", "Hola"];
pub(super) const METHOD: &str = "A cell here is one figure of one model at one level: medians over ranked trials, and \
     their ratio with a 95 % interval, each run resampled by itself. It differs if the interval leaves out 1, the ratio is \
     beyond the larger noise floor of the two runs, and an exact Mann–Whitney test agrees after Holm’s correction. Where \
     trials are too few for any p-value to survive that, the first two decide; of three trials against three, all of the \
     interval has to be beyond the floor.";

pub(super) fn title(base: &str, candidate: &str) -> String {
    format!("{base} → {candidate}")
}

/// Heading of the changes of one kind.
pub(super) fn heading(verdict: Verdict, count: usize) -> String {
    match (verdict, count) {
        (Verdict::Worse, 0) => "Nothing became worse".to_owned(),
        (Verdict::Better, 0) => "Nothing became better".to_owned(),
        (Verdict::Worse, _) => format!("Worse: {count}"),
        (Verdict::Better, _) => format!("Better: {count}"),
        (Verdict::Same, _) => format!("The same: {count}"),
        (Verdict::TooFew, _) => format!("Too few trials: {count}"),
    }
}

pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Worse => "worse",
        Verdict::Better => "better",
        Verdict::Same => "same",
        Verdict::TooFew => report::TOO_FEW,
    }
}

pub(super) fn same(same: usize, judged: usize, too_few: usize) -> String {
    let rest = match too_few {
        0 => String::new(),
        _ => format!(" {too_few} more have too few trials to tell."),
    };
    format!("{same} of {} are the same.{rest}", cells(judged))
}

pub(super) fn different(different: usize, judged: usize, share: &str) -> String {
    format!(
        "{different} of {} differ: {share}. Between two runs of one build on one machine, that is the share of false alarms.",
        cells(judged)
    )
}

fn cells(count: usize) -> String {
    match count {
        1 => "1 cell".to_owned(),
        _ => format!("{count} cells"),
    }
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Base => "the base",
        Side::Candidate => "the candidate",
    }
}

/// What speaks against the comparison, in a sentence.
pub(super) fn warning(mismatch: &Mismatch<'_>) -> String {
    match mismatch {
        Mismatch::Incomplete(one) => {
            format!("Not every planned trial of {} was made.", side(*one))
        }
        Mismatch::Environment(property, base, candidate) => {
            let known = |value: &str| match value {
                "" => "not known".to_owned(),
                _ => value.to_owned(),
            };
            format!(
                "{} of the base: {}; of the candidate: {}.",
                self::property(*property),
                known(base),
                known(candidate)
            )
        }
        Mismatch::TrialS(experiment, base, candidate) => format!(
            "{experiment}: a trial of the base lasts {} s, of the candidate {} s.",
            numbers::tick(*base),
            numbers::tick(*candidate)
        ),
        Mismatch::Servers(experiment) => {
            format!("{experiment}: the servers had other settings or other CPUs.")
        }
        Mismatch::Level(experiment, level) => {
            format!("{experiment}, {level}: the load is not the same in both runs.")
        }
    }
}

fn property(property: Property) -> &'static str {
    match property {
        Property::CpuModel => "Processor",
        Property::Cpus => "CPUs",
        Property::Kernel => "Kernel",
        Property::Build => "Build profile",
        Property::Rustc => "Compiler",
        Property::Commit => "Commit",
    }
}

/// What only one run has ranked trials of: one thing at several levels.
pub(super) fn unmatched(alike: &[Unmatched<'_>]) -> String {
    let Some(first) = alike.first() else {
        return String::new();
    };
    let mut what = first.experiment.to_owned();
    if let Some((model, _)) = first.cell {
        let levels: Vec<&str> = alike.iter().filter_map(|one| Some(one.cell?.1)).collect();
        what.push_str(&format!(", {model}, {}", levels.join(" · ")));
    }
    if let Some(metric) = first.metric {
        what.push_str(&format!(", {}", report::metric(metric)));
    }
    let (has, other) = match first.only {
        Side::Base => (Side::Base, Side::Candidate),
        Side::Candidate => (Side::Candidate, Side::Base),
    };
    let why = match first.why {
        Why::NotMade => "made no trial",
        Why::NotRanked => "has none that may be ranked",
    };
    let lost = if first.is_lost() {
        " This counts as worse."
    } else {
        ""
    };
    format!(
        "{what}: only {} has it; {} {why}.{lost}",
        side(has),
        side(other)
    )
}

/// How many verdicts on claims agree.
pub(super) fn agreement(claims: &Changes) -> String {
    let not_measured = match claims.not_measured {
        0 => String::new(),
        1 => " 1 claim was measured by neither run.".to_owned(),
        count => format!(" {count} claims were measured by neither run."),
    };
    format!(
        "{} of {} verdicts agree.{not_measured}",
        claims.agreeing,
        claims.measured()
    )
}

pub(super) fn claim_verdict(verdict: ClaimVerdict) -> &'static str {
    claims::verdict(verdict, Language::English)
}
