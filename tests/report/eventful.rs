//! A run that met with everything that can go wrong.

use std::collections::BTreeMap;

use hola::lab::record::{Arm, Outcome, Run, Status, Trial};
use hola_loadgen::summary::{Counts, Latencies};

use crate::fixture::{Scene, check, level_name, load, measured};
use crate::noise::histogram_of;

/// A run that has met with everything: a failed check, a failed trial, a cell without any trial, one with invalid ones
/// only, an unknown model, an interruption.
pub(crate) fn eventful() -> (Run, Vec<Trial>) {
    let (mut run, mut trials) = Scene {
        rounds: 6,
        ..Scene::default()
    }
    .play();
    run.status = Status::Interrupted;
    trials.retain(|trial| !(trial.model == "fork-per-client" && trial.level == level_name(64)));
    for trial in &mut trials {
        let cell = (trial.model.as_str(), trial.level.as_str());
        match (cell, trial.round) {
            (("tokio", "16 clients"), 2) => {
                let detail = "rate times response time makes 0.9312 of the clients";
                load(trial)
                    .validity
                    .push(check("littles_law", false, detail));
            }
            (("thread-per-client", "64 clients"), _) => {
                let detail = "GENERATOR-BOUND: its busiest thread used 97 % of a CPU";
                load(trial).validity.push(check("generator", false, detail));
            }
            (("tokio", "1 client"), _) => {
                measured(trial).validity.push(check(
                    "steady_state",
                    false,
                    "medians rise by 12 % | p = 0.01",
                ));
            }
            (("thread-per-client", "16 clients"), 4) if trial.arm == Arm::Model => {
                trial.outcome = Outcome::Failed("the server did not start: EAGAIN".to_owned());
            }
            (("iterative", "16 clients"), 3) => {
                let measured = measured(trial);
                let load = measured.load.as_mut().expect("a load");
                load.counts = Counts {
                    failed: BTreeMap::new(),
                    ..Counts::default()
                };
                load.latency_us = Latencies::default();
                let server = measured.server.as_mut().expect("a server");
                server.requests = 0;
                server.cpu_us_per_request = None;
                measured.response_histogram = Some(histogram_of(&[]));
            }
            (("fork-per-client", "16 clients"), 1) => {
                load(trial).latency_us.response.censored = vec!["p99".to_owned()];
                measured(trial).response_histogram = Some("not base64".to_owned());
            }
            _ => {}
        }
    }
    let mut foreign = trials[0].clone();
    foreign.model = "coroutines".to_owned();
    foreign.position = 9_999;
    trials.push(foreign);
    (run, trials)
}
