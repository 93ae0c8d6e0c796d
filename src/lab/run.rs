//! A whole run: every planned trial that has not been made yet, one after another, each on disk before the next begins.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use hola_loadgen::schedule::splitmix64;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::Value;

use super::environment::{self, CpuTicks};
use super::order::{self, Planned};
use super::recipe::Recipe;
use super::record::{Design, Level, Outcome, Run, SCHEMA_VERSION, Status, Trial};
use super::repeat::{Allowance, Attempt};
use super::store::RunFolder;
use super::target::Targets;
use super::trial::{self, Setting};
use crate::output::say;
use crate::visible;

/// Makes every trial of `run` that `folder` does not hold yet, and closes the run as complete or interrupted.
///
/// `recipe` says how the trials of a level are made.
///
/// # Errors
/// When the folder cannot be written; a trial that fails is a record, not an error.
pub fn make(
    hola: &Path,
    targets: &Targets,
    run: &mut Run,
    folder: &mut RunFolder,
    recipe: impl Fn(&Design, &Level) -> Recipe,
    interrupted: &AtomicBool,
) -> Result<()> {
    let made: BTreeSet<u32> = folder.positions().clone();
    let plan = run.clone();
    let order = order::of(&plan);
    let ticks = CpuTicks::of_machine();
    let progress = progress_bar(order.len());
    let mut allowances: Vec<Allowance> = plan.experiments.iter().map(Allowance::of).collect();
    run.status = Status::Complete;
    for planned in &order {
        if !made.contains(&planned.position) {
            let design = &plan.experiments[planned.experiment];
            progress.set_message(message(design, planned));
            let setting = Setting {
                hola,
                targets,
                design,
                level: planned.level,
                model: planned.model,
                seed: splitmix64(plan.seed, u64::from(planned.position)),
                interrupted,
            };
            let is_over = || interrupted.load(Ordering::Relaxed);
            let attempt = allowances[planned.experiment].make(
                || trial::make(&setting, recipe(design, planned.level)),
                is_over,
            );
            if is_over() {
                run.status = Status::Interrupted;
                break;
            }
            if let Err(reason) = &attempt.outcome {
                // Not by the bar's own way: where no bar is seen, that prints nothing.
                progress.suspend(|| {
                    say(format_args!("hola: {}: {reason}", message(design, planned)));
                });
            }
            let settings = &mut run.experiments[planned.experiment].server_settings;
            folder.add_trial(&record(design, planned, attempt, settings))?;
        }
        progress.inc(1);
        if progress.is_hidden() {
            report_round(&order, planned, &plan);
        }
    }
    progress.finish_and_clear();
    run.finished_at = Some(now());
    run.environment.load_after = Some(environment::load_average());
    run.environment.steal_share = CpuTicks::of_machine().steal_share_since(ticks);
    folder.write_run(run)
}

fn record(design: &Design, planned: &Planned<'_>, attempt: Attempt, settings: &mut Value) -> Trial {
    let Attempt {
        started_at,
        outcome,
        attempts,
        stolen_share,
    } = attempt;
    if let Some(server) = outcome.iter().find_map(|measured| measured.server.as_ref()) {
        keep_common(settings, &server.settings);
    }
    Trial {
        schema_version: SCHEMA_VERSION,
        experiment: design.experiment.clone(),
        model: planned.model.to_owned(),
        arm: planned.arm,
        level: planned.level.name.clone(),
        round: planned.round,
        position: planned.position,
        started_at,
        attempts,
        stolen_share,
        outcome: outcome.map_or_else(Outcome::Failed, Outcome::Measured),
    }
}

/// The names are those of the records, which a run that is resumed has from anywhere.
fn message(design: &Design, planned: &Planned<'_>) -> String {
    visible::one_line(&format!(
        "{} · {} · {} · round {}",
        design.experiment,
        planned.model,
        planned.level.name,
        planned.round + 1
    ))
}

/// Where no bar is seen, a line tells the end of each round.
fn report_round(order: &[Planned<'_>], planned: &Planned<'_>, run: &Run) {
    let place = |planned: &Planned<'_>| (planned.experiment, planned.round);
    let next = order.get(planned.position as usize + 1);
    if next.is_none_or(|next| place(next) > place(planned)) {
        let design = &run.experiments[planned.experiment];
        say(format_args!(
            "{}: round {} of {} done",
            design.experiment,
            planned.round + 1,
            design.trials_per_cell
        ));
    }
}

/// Keeps of the settings so far only what this server had as well.
fn keep_common(settings: &mut Value, others: &Value) {
    match (settings, others) {
        (settings @ Value::Null, others) => *settings = others.clone(),
        (Value::Object(settings), Value::Object(others)) => {
            settings.retain(|name, value| others.get(name) == Some(value));
        }
        _ => {}
    }
}

/// The present, UTC, to the second.
pub fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A bar that moves between trials only: while one is measured, nothing is drawn.
fn progress_bar(trials: usize) -> ProgressBar {
    let bar = ProgressBar::new(trials as u64);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} trials, {eta} left\n{msg}");
    style.map_or(bar.clone(), |style| bar.with_style(style))
}
