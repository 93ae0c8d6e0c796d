//! A whole run: block after block of each experiment, until its precision is reached or its budget is used up.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use hola_base::output::say;
use hola_base::process::Cpus;
use indicatif::{ProgressBar, ProgressStyle};

use crate::block::{self, Lab};
use crate::environment::{self, CpuTicks};
use crate::plan::{Design, Stage};
use crate::record::{Block, Run, RunStatus};
use crate::store::RunFolder;
use crate::switches::Switches;

/// Whether the blocks of an experiment reach its precision. It may depend on interval widths only, never on the
/// results.
pub type IsPrecise<'p> = &'p dyn Fn(&Run, &[Block], &Design) -> bool;

/// Makes every block of `run` that `blocks` does not hold yet. Each block is on disk before the next one begins. Then
/// marks the run as complete or interrupted.
///
/// # Errors
/// Returns an error if the folder cannot be written, or if the lab cannot run on its CPUs. A server that fails is
/// recorded and is no error.
pub fn make(
    lab: &Lab<'_>,
    run: &mut Run,
    folder: &mut RunFolder,
    blocks: &mut Vec<Block>,
    is_precise: IsPrecise<'_>,
) -> Result<()> {
    let (ticks, throttled_ms) = (CpuTicks::of_machine(), environment::throttled_ms());
    let progress = Progress::new(run);
    run.status = RunStatus::Complete;
    for design in run.designs.clone() {
        if !experiment(lab, run, folder, blocks, &design, is_precise, &progress)? {
            run.status = RunStatus::Interrupted;
            break;
        }
    }
    progress.bar.finish_and_clear();
    run.finished_at = Some(block::now());
    let environment = &mut run.environment;
    environment.load_after = Some(environment::load_average());
    environment.steal_share = CpuTicks::of_machine().steal_share_since(ticks);
    let throttled = environment::throttled_ms().zip(throttled_ms);
    environment.throttled_ms = throttled.map(|(after, before)| after - before);
    folder.write_run(run)
}

/// Makes the blocks of one experiment; false if the user interrupted it.
fn experiment(
    lab: &Lab<'_>,
    run: &mut Run,
    folder: &mut RunFolder,
    blocks: &mut Vec<Block>,
    design: &Design,
    is_precise: IsPrecise<'_>,
    progress: &Progress,
) -> Result<bool> {
    let own = |block: &&Block| block.experiment == design.experiment;
    let made: BTreeSet<(String, u32)> = blocks
        .iter()
        .filter(own)
        .map(|block| (block.stage.clone(), block.index))
        .collect();
    for index in 0..design.blocks_max {
        let spent_s: f64 = blocks.iter().filter(own).map(|block| block.took_s).sum();
        let one_more_s = if index == 0 {
            0.0
        } else {
            spent_s / f64::from(index)
        };
        let is_enough = index >= design.blocks_min
            && (spent_s + one_more_s > design.budget_s || is_precise(run, blocks, design));
        // A round that was begun before an interruption is completed.
        let is_begun = design
            .stages
            .iter()
            .any(|stage| made.contains(&(stage.name.clone(), index)));
        if is_enough && !is_begun {
            break;
        }
        for stage in &design.stages {
            if made.contains(&(stage.name.clone(), index)) {
                continue;
            }
            progress.tell(design, stage, index);
            run_on(&stage.generator_cpus)?;
            let Some(block) = block::make(lab, design, stage, index) else {
                return Ok(false);
            };
            folder.add_block(&block)?;
            progress.advance(&block);
            record_other_comparisons(run);
            blocks.push(block);
        }
    }
    progress.end_of(design);
    Ok(!lab.interrupted.load(Ordering::Relaxed))
}

/// Pins the lab to the load generator's CPUs.
fn run_on(cpus: &[usize]) -> Result<()> {
    Cpus::from(cpus)
        .run_on()
        .map_err(anyhow::Error::msg)
        .context("cannot run on the load generator's CPUs")
}

/// Records other comparisons on this machine.
fn record_other_comparisons(run: &mut Run) {
    let others = other_comparisons();
    let most = &mut run.environment.other_comparisons;
    *most = (*most).max(others);
}

/// Number of other `hola compare` processes on this machine.
pub fn other_comparisons() -> u32 {
    let own = std::process::id().to_string();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_other = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        let is_process = name
            .to_str()
            .is_some_and(|name| name != own && name.parse::<u32>().is_ok());
        is_process
            && fs::read(entry.path().join("cmdline")).is_ok_and(|line| {
                let mut words = line.split(|&byte| byte == 0);
                let is_hola = words
                    .next()
                    .is_some_and(|program| program.ends_with(b"hola"));
                is_hola && words.next() == Some(b"compare")
            })
    };
    u32::try_from(processes.filter(is_other).count()).unwrap_or(u32::MAX)
}

/// Why context switches are not counted on these CPUs; `None` when they are.
pub fn switches_not_counted(cpus: &[usize]) -> Option<String> {
    let refused = Switches::on(cpus).err()?;
    Some(format!("perf_event_open(2): {refused}"))
}

/// A progress bar over the budget, in seconds. It moves between blocks only: nothing is drawn while a block is made.
struct Progress {
    bar: ProgressBar,
    budgets_s: Vec<(String, f64)>,
}

impl Progress {
    fn new(run: &Run) -> Self {
        let budgets_s: Vec<(String, f64)> = run
            .designs
            .iter()
            .map(|design| (design.experiment.clone(), design.budget_s))
            .collect();
        let bar = ProgressBar::new(0);
        bar.set_length(seconds(
            budgets_s.iter().map(|(_, budget_s)| budget_s).sum(),
        ));
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} at most {eta} left\n{msg}") {
            bar.set_style(style);
        }
        Progress { bar, budgets_s }
    }

    fn tell(&self, design: &Design, stage: &Stage, index: u32) {
        self.bar.set_message(format!(
            "{} · {} · block {}",
            design.experiment,
            stage.name,
            index + 1
        ));
        self.bar.tick();
    }

    fn advance(&self, block: &Block) {
        self.bar.inc(seconds(block.took_s));
    }

    /// Moves the bar to the end of this experiment's budget, which it may not have used up. If the bar is hidden,
    /// prints a line.
    fn end_of(&self, design: &Design) {
        let until_here = self
            .budgets_s
            .iter()
            .take_while(|(name, _)| *name != design.experiment);
        let spent_s: f64 = until_here.map(|(_, budget_s)| budget_s).sum::<f64>() + design.budget_s;
        self.bar.set_position(seconds(spent_s));
        if self.bar.is_hidden() {
            say(format_args!("{}: done", design.experiment));
        }
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time to be shown"
)]
fn seconds(time: f64) -> u64 {
    time.max(0.0).round() as u64
}
