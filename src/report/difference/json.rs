//! Two runs side by side as data.

use serde::Serialize;

use crate::analysis::difference::shared::Shared;
use crate::analysis::difference::{Change, Shown, Side, Unmatched, Verdict, Why};
use crate::analysis::metric::Metric;
use crate::claims::decide::Verdict as ClaimVerdict;

use super::Page;
use crate::visible;

/// Version of the shapes in this file.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'p> {
    schema_version: u32,
    base: &'p str,
    candidate: &'p str,
    warnings: Vec<String>,
    is_regression: bool,
    shared: Vec<SharedRow<'p>>,
    cells: Counts,
    changes: Vec<Row<'p>>,
    unmatched: Vec<OneSided<'p>>,
    claims: Claims,
}

#[derive(Serialize)]
struct SharedRow<'p> {
    experiment: &'p str,
    figure: &'static str,
    factor: f64,
    noise_floor: Option<f64>,
    verdict: &'static str,
}

#[derive(Serialize)]
struct Counts {
    compared: usize,
    same: usize,
    better: usize,
    worse: usize,
    too_few: usize,
    different_share: Option<f64>,
}

#[derive(Serialize)]
struct Row<'p> {
    experiment: &'p str,
    level: &'p str,
    model: &'p str,
    figure: &'static str,
    base: Median,
    candidate: Median,
    ratio: Option<f64>,
    ratio_interval: Option<[f64; 2]>,
    shared_factor: f64,
    cliffs_delta: f64,
    p: f64,
    p_holm: f64,
    noise_floor: Option<f64>,
    verdict: &'static str,
}

#[derive(Serialize)]
struct Median {
    median: f64,
    trials: usize,
}

#[derive(Serialize)]
struct OneSided<'p> {
    only: &'static str,
    experiment: &'p str,
    model: Option<&'p str>,
    level: Option<&'p str>,
    figure: Option<&'static str>,
    other: &'static str,
    counts_as_worse: bool,
}

#[derive(Serialize)]
struct Claims {
    agreeing: usize,
    measured: usize,
    not_measured: usize,
    changed: Vec<ChangedClaim>,
}

#[derive(Serialize)]
struct ChangedClaim {
    claim: &'static str,
    before: ClaimVerdict,
    after: ClaimVerdict,
}

/// The whole of it; regressions first, then improvements.
pub(super) fn document(page: &Page<'_>) -> serde_json::Result<String> {
    let difference = page.difference;
    let order = [
        Verdict::Worse,
        Verdict::Better,
        Verdict::Same,
        Verdict::TooFew,
    ];
    let changes = order.into_iter().flat_map(|verdict| difference.of(verdict));
    let document = Document {
        schema_version: SCHEMA_VERSION,
        base: &difference.base.name,
        candidate: &difference.candidate.name,
        warnings: page.warnings(),
        is_regression: difference.is_regression(),
        shared: difference.shared.iter().map(shared).collect(),
        cells: Counts {
            compared: difference.changes.len(),
            same: difference.count(Verdict::Same),
            better: difference.count(Verdict::Better),
            worse: difference.count(Verdict::Worse),
            too_few: difference.count(Verdict::TooFew),
            different_share: difference.different_share(),
        },
        changes: changes.map(row).collect(),
        unmatched: difference.unmatched.iter().map(one_sided).collect(),
        claims: claims(page),
    };
    Ok(visible::json(&serde_json::to_string_pretty(&document)?).into_owned() + "\n")
}

fn row<'p>(change: &Change<'p>) -> Row<'p> {
    let interval = change.ratio.and_then(|ratio| ratio.interval);
    Row {
        experiment: change.experiment,
        level: change.level,
        model: change.model,
        figure: change.metric.name(),
        base: median(change.base),
        candidate: median(change.candidate),
        ratio: change.ratio.map(|ratio| ratio.value),
        ratio_interval: interval.map(|bounds| [bounds.low, bounds.high]),
        shared_factor: change.shared,
        cliffs_delta: change.delta,
        p: change.p,
        p_holm: change.p_holm,
        noise_floor: change.floor,
        verdict: name(change.verdict),
    }
}

fn shared<'p>(shared: &Shared<'p>) -> SharedRow<'p> {
    SharedRow {
        experiment: shared.experiment,
        figure: shared.metric.name(),
        factor: shared.factor,
        noise_floor: shared.floor,
        verdict: name(shared.verdict),
    }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Same => "same",
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::TooFew => "too_few",
    }
}

fn median(shown: Shown) -> Median {
    Median {
        median: shown.median,
        trials: shown.trials,
    }
}

fn one_sided<'p>(unmatched: &Unmatched<'p>) -> OneSided<'p> {
    OneSided {
        only: match unmatched.only {
            Side::Base => "base",
            Side::Candidate => "candidate",
        },
        experiment: unmatched.experiment,
        model: unmatched.cell.map(|(model, _)| model),
        level: unmatched.cell.map(|(_, level)| level),
        figure: unmatched.metric.map(Metric::name),
        other: match unmatched.why {
            Why::NotMade => "not_made",
            Why::NotRanked => "not_ranked",
        },
        counts_as_worse: unmatched.is_lost(),
    }
}

fn claims(page: &Page<'_>) -> Claims {
    let changed = page.claims.changed.iter().map(|change| ChangedClaim {
        claim: change.claim,
        before: change.before,
        after: change.after,
    });
    Claims {
        agreeing: page.claims.agreeing,
        measured: page.claims.measured(),
        not_measured: page.claims.not_measured,
        changed: changed.collect(),
    }
}
