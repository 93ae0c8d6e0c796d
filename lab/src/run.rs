//! A whole run: block after block of each experiment, until its precision is reached or its budget is used up.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use hola_base::output::say;
use hola_base::process::Cpus;
use hola_loadgen::Observer;
use indicatif::{ProgressBar, ProgressStyle};
use procfs::process::{Process, all_processes};

use crate::block::{self, Lab};
use crate::environment::{self, CpuTicks};
use crate::plan::{Design, Stage};
use crate::record::{Block, Run, RunStatus};
use crate::switches::Switches;

/// Whether the blocks of an experiment reach its precision. It may depend on interval widths only, never on the
/// results.
pub type IsPrecise<'p> = &'p dyn Fn(&Run, &[Block], &Design) -> bool;

/// Keeps a block that has just been made, such as in the folder of its run.
pub type KeepBlock<'k> = &'k mut dyn FnMut(&Block) -> Result<()>;

/// Makes every block of `run` that `blocks` does not hold yet. Each block is kept before the next one begins. Then marks
/// the run as complete or interrupted.
///
/// # Errors
/// Returns an error if a block cannot be kept, or if the lab cannot run on its CPUs. A server that fails is recorded and
/// is no error.
pub fn make(
    lab: &Lab<'_>,
    run: &mut Run,
    keep: KeepBlock<'_>,
    blocks: &mut Vec<Block>,
    is_precise: IsPrecise<'_>,
) -> Result<()> {
    let (ticks, throttled_ms) = (CpuTicks::with_all_cpus(), environment::throttled_ms());
    let mut progress = Progress::new(run);
    let cpus = environment::allowed_cpus();
    run.status = RunStatus::Complete;
    for design in run.designs.clone() {
        progress.begin(&design);
        if !experiment(lab, run, keep, blocks, &design, is_precise, &progress)? {
            run.status = RunStatus::Interrupted;
            break;
        }
    }
    progress.bar.finish_and_clear();
    // The lab has run on the generator's CPUs, and another run may follow.
    run_on(&cpus)?;
    run.finished_at = Some(block::now());
    let environment = &mut run.environment;
    environment.load_after = Some(environment::load_average());
    environment.steal_share = CpuTicks::with_all_cpus().steal_share_since(ticks);
    let throttled = environment::throttled_ms().zip(throttled_ms);
    environment.throttled_ms = throttled.map(|(after, before)| after - before);
    Ok(())
}

/// Makes the blocks of one experiment; false if the user interrupted it.
fn experiment(
    lab: &Lab<'_>,
    run: &mut Run,
    keep: KeepBlock<'_>,
    blocks: &mut Vec<Block>,
    design: &Design,
    is_precise: IsPrecise<'_>,
    progress: &Progress,
) -> Result<bool> {
    let own = |block: &&Block| block.experiment == design.experiment;
    let made = blocks.iter().filter(own);
    let made: BTreeSet<(String, u32)> = made
        .map(|block| (block.stage.clone(), block.index))
        .collect();
    for index in 0..design.blocks_max {
        let spent_s: f64 = blocks.iter().filter(own).map(|block| block.took_s).sum();
        let one_more_s = spent_s / f64::from(index.max(1));
        let is_enough = index >= design.blocks_min
            && (spent_s + one_more_s > design.budget_s || is_precise(run, blocks, design));
        // A round that was begun before an interruption is completed.
        let is_made = |stage: &Stage| made.contains(&(stage.name.clone(), index));
        if is_enough && !design.stages.iter().any(is_made) {
            break;
        }
        for stage in &design.stages {
            if is_made(stage) {
                continue;
            }
            progress.tell(design, stage, index);
            run_on(&stage.generator_cpus).context("cannot run on the load generator's CPUs")?;
            let Some(block) = block::make(lab, design, stage, index) else {
                return Ok(false);
            };
            keep(&block)?;
            progress.bar.inc(seconds(block.took_s));
            let most = &mut run.environment.other_comparisons;
            *most = other_comparisons().max(*most);
            blocks.push(block);
        }
    }
    progress.end(design);
    Ok(!lab.should_stop())
}

fn run_on(cpus: &[usize]) -> Result<()> {
    Cpus::from(cpus).run_on().map_err(anyhow::Error::msg)
}

/// Number of other `hola compare` processes on this machine.
fn other_comparisons() -> u32 {
    let own = i32::try_from(std::process::id());
    let is_other = |process: &Process| {
        let line = process.cmdline().unwrap_or_default();
        Ok(process.pid()) != own
            && matches!(&line[..], [program, command, ..] if program.ends_with("hola") && command == "compare")
    };
    let processes = all_processes().into_iter().flatten();
    let others = processes.flatten().filter(is_other).count();
    u32::try_from(others).unwrap_or(u32::MAX)
}

/// Why context switches are not counted on these CPUs; `None` when they are.
pub fn switches_not_counted(cpus: &[usize]) -> Option<String> {
    let refused = Switches::new(cpus).err()?;
    Some(format!("perf_event_open(2): {refused}"))
}

/// A progress bar over the budget, in seconds. It moves between blocks only: nothing is drawn while a block is made.
struct Progress {
    bar: ProgressBar,
    /// End of the current experiment's budget.
    end_s: f64,
}

impl Progress {
    fn new(run: &Run) -> Self {
        let bar = ProgressBar::new(seconds(run.budget_s()));
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} at most {eta} left\n{msg}") {
            bar.set_style(style);
        }
        Progress { bar, end_s: 0.0 }
    }

    fn begin(&mut self, design: &Design) {
        self.end_s += design.budget_s;
    }

    fn tell(&self, design: &Design, stage: &Stage, index: u32) {
        let (experiment, stage, number) = (&design.experiment, &stage.name, index + 1);
        self.bar
            .set_message(format!("{experiment} · {stage} · block {number}"));
        self.bar.tick();
    }

    /// Moves the bar to the end of this experiment's budget, which it may not have used up. If the bar is hidden,
    /// prints a line.
    fn end(&self, design: &Design) {
        self.bar.set_position(seconds(self.end_s));
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
