//! Costs in the shape of hyperfine's JSON export (version 1), so that its scripts draw them: a "command" is a model at a
//! level, a "time" the server's CPU time per request in one trial, in seconds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::analysis::Analysis;
use crate::analysis::cells::{Cell, Taken};
use crate::analysis::sample::{mean, median, standard_deviation};

use super::{COST, costs, place, pretty};

const S_PER_US: f64 = 1e-6;

#[derive(Serialize)]
struct Document<'a> {
    results: Vec<Benchmark<'a>>,
}

#[derive(Serialize)]
struct Benchmark<'a> {
    command: String,
    mean: f64,
    /// `null` with one trial.
    stddev: Option<f64>,
    median: f64,
    /// Part of the mean; `null` where nobody knows how it splits.
    user: Option<f64>,
    system: Option<f64>,
    min: f64,
    max: f64,
    times: Vec<f64>,
    /// Zero for a model: a server that ends badly has a failed trial and no time. Of a reference target it is not known.
    exit_codes: Vec<Option<i32>>,
    parameters: BTreeMap<&'static str, &'a str>,
}

/// Every cell with a cost.
pub(super) fn json(analyses: &[Analysis<'_>]) -> String {
    let results = costs(analyses).filter_map(|(analysis, cell)| benchmark(analysis, cell));
    pretty(&Document {
        results: results.collect(),
    })
}

fn benchmark<'a>(analysis: &Analysis<'a>, cell: &Cell<'a>) -> Option<Benchmark<'a>> {
    let mut ranked: Vec<&Taken<'_>> = cell.valid.iter().chain(&cell.bound).collect();
    ranked.sort_by_key(|taken| taken.round);
    let timed = ranked.iter().filter_map(|taken| {
        let cost_us = COST.of(taken.measured)?;
        Some((cost_us * S_PER_US, exit_code(taken)))
    });
    let (times, exit_codes): (Vec<f64>, Vec<Option<i32>>) = timed.unzip();
    let mean = mean(&times)?;
    let user_share = cell.user_share();
    let place = place(analysis, cell);
    Some(Benchmark {
        command: place.join("/"),
        mean,
        stddev: standard_deviation(&times),
        median: median(&times)?,
        user: user_share.map(|share| mean * share),
        system: user_share.map(|share| mean * (1.0 - share)),
        min: times.iter().copied().fold(f64::INFINITY, f64::min),
        max: times.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        times,
        exit_codes,
        parameters: ["experiment", "level", "model"]
            .into_iter()
            .zip(place)
            .collect(),
    })
}

/// Only models count their conversations, and only those that ended well could tell.
fn exit_code(taken: &Taken<'_>) -> Option<i32> {
    let server = taken.measured.server.as_ref()?;
    server.conversations.map(|_| 0)
}
