//! A whole run: every cell once per round, in an order shuffled anew in each, so that drift favours no model.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use hola_loadgen::schedule::splitmix64;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::Value;

use super::environment::{self, CpuTicks};
use super::record::{Arm, Outcome, Run, SCHEMA_VERSION, Status, Trial};
use super::store::RunFolder;
use super::trial;

/// One cell of the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cell {
    model: String,
    arm: Arm,
    clients: u32,
}

/// Makes every trial of `run`'s design into `folder`, and closes the run as complete or interrupted.
///
/// # Errors
/// When the folder cannot be written; a trial that fails is a record, not an error.
pub fn make(
    hola: &Path,
    run: &mut Run,
    folder: &mut RunFolder,
    interrupted: &AtomicBool,
) -> Result<()> {
    let order = order(run);
    let ticks = CpuTicks::of_machine();
    let progress = progress_bar(order.len());
    run.status = Status::Complete;
    for (position, (round, cell)) in (0u32..).zip(&order) {
        progress.set_message(format!(
            "{} · {} clients · round {}",
            cell.model,
            cell.clients,
            round + 1
        ));
        let started_at = now();
        let seed = splitmix64(run.seed, u64::from(position));
        let made = trial::make(
            hola,
            &run.design,
            &cell.model,
            cell.clients,
            seed,
            interrupted,
        );
        if interrupted.load(Ordering::Relaxed) {
            run.status = Status::Interrupted;
            break;
        }
        let outcome = match made {
            Ok(measured) => {
                keep_common(&mut run.design.server_settings, &measured.server.settings);
                Outcome::Measured(measured)
            }
            Err(reason) => {
                progress.println(format!(
                    "hola: {} with {} clients: {reason}",
                    cell.model, cell.clients
                ));
                Outcome::Failed(reason)
            }
        };
        folder.add_trial(&Trial {
            schema_version: SCHEMA_VERSION,
            experiment: run.design.experiment.clone(),
            model: cell.model.clone(),
            arm: cell.arm,
            clients: cell.clients,
            round: *round,
            position,
            started_at,
            outcome,
        })?;
        progress.inc(1);
        if progress.is_hidden()
            && order
                .get(position as usize + 1)
                .is_none_or(|(next, _)| next > round)
        {
            eprintln!("round {} of {} done", round + 1, run.design.trials_per_cell);
        }
    }
    progress.finish_and_clear();
    run.finished_at = Some(now());
    run.environment.load_after = Some(environment::load_average());
    run.environment.steal_share = CpuTicks::of_machine().steal_share_since(ticks);
    folder.write_run(run)
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

/// Every cell once per round; the control also as its own rival (A/A).
fn order(run: &Run) -> Vec<(u32, Cell)> {
    let design = &run.design;
    let mut order = Vec::new();
    for round in 0..design.trials_per_cell {
        let mut cells: Vec<Cell> = Vec::new();
        for &clients in &design.levels {
            let cell = |model: &str, arm| Cell {
                model: model.to_owned(),
                arm,
                clients,
            };
            cells.extend(run.models.iter().map(|model| cell(&model.name, Arm::Model)));
            if run.models.iter().any(|model| model.name == design.control) {
                cells.push(cell(&design.control, Arm::Again));
            }
        }
        shuffle(
            &mut cells,
            splitmix64(run.seed, u64::MAX - u64::from(round)),
        );
        order.extend(cells.into_iter().map(|cell| (round, cell)));
    }
    order
}

/// Fisher and Yates' shuffle, as Durstenfeld wrote it (Algorithm 235, CACM 1964).
fn shuffle<T>(items: &mut [T], seed: u64) {
    for last in (1..items.len()).rev() {
        // The bias of a remainder is below 2^-50 for so few items.
        let choices = last as u64 + 1;
        let chosen = splitmix64(seed, choices) % choices;
        items.swap(last, usize::try_from(chosen).unwrap_or(last));
    }
}

/// A bar that moves between trials only: while one is measured, nothing is drawn.
fn progress_bar(trials: usize) -> ProgressBar {
    let bar = ProgressBar::new(trials as u64);
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} trials, {eta} left\n{msg}");
    style.map_or(bar.clone(), |style| bar.with_style(style))
}

#[cfg(test)]
mod tests {
    use super::shuffle;

    #[test]
    fn shuffles_every_item_to_every_place_about_equally_often() {
        const SHUFFLES: u64 = 6_000;
        let mut seen = [[0u32; 6]; 6];
        for seed in 0..SHUFFLES {
            let mut items = [0, 1, 2, 3, 4, 5];
            shuffle(&mut items, seed);
            for (place, item) in items.into_iter().enumerate() {
                seen[place][item] += 1;
            }
        }
        // 1,000 expected, standard deviation 29: six of those are never reached by chance.
        assert!(
            seen.iter()
                .flatten()
                .all(|count| (825..1_175).contains(count)),
            "{seen:?}"
        );
    }

    #[test]
    fn shuffles_the_same_way_for_the_same_seed() {
        let shuffled = |seed| {
            let mut items: Vec<u32> = (0..20).collect();
            shuffle(&mut items, seed);
            items
        };
        assert_eq!(shuffled(7), shuffled(7));
        assert_ne!(shuffled(7), shuffled(8));
    }
}
