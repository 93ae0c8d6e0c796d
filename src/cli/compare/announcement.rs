//! What the user is told before a comparison starts.

use std::collections::BTreeSet;

use hola_lab::plan::{Design, Stage};
use hola_lab::record::{Block, Run, Skipped};
use hola_lab::target::TargetSpec;

/// What will be measured, how long it takes at most, and what will limit the results, a line each.
pub(super) fn announcement(run: &Run, made: &[Block], own: &[TargetSpec]) -> String {
    let mut lines: Vec<String> = run.designs.iter().map(design_line).collect();
    // The report has the others: who asks for a server of their own wants to know at once.
    let is_own = |skipped: &&Skipped| own.iter().any(|spec| spec.name == skipped.server);
    for Skipped {
        server,
        experiment,
        reason,
    } in run.skipped.iter().filter(is_own)
    {
        let experiment = experiment.as_deref().unwrap_or("all experiments");
        lines.push(format!("{server} is left out of {experiment}: {reason}"));
    }
    let mut stages = run.designs.iter().flat_map(|design| &design.stages);
    if stages.all(Stage::has_no_cpu_apart) {
        lines.push(
            "servers and load generator share a CPU: rates and times would be the generator's as much as a server's, \
             so only CPU time is compared"
                .into(),
        );
    }
    if let Some(quota) = run.environment.cpu_quota {
        lines.push(format!(
            "a control group allows this process {quota:.2} CPUs: throttled slices do not count"
        ));
    }
    if !made.is_empty() {
        lines.push(format!("{} blocks are there already", made.len()));
    }
    let spent_s: f64 = made.iter().map(|block| block.took_s).sum();
    let left = time((run.budget_s() - spent_s).max(0.0));
    lines.push(format!(
        "seed {}; at most about {left}; Ctrl-C keeps what is done",
        run.seed
    ));
    lines.join("\n")
}

fn design_line(design: &Design) -> String {
    let participants = design.stages.iter().flat_map(|stage| &stage.participants);
    let names: BTreeSet<&str> = participants.map(|one| one.name.as_str()).collect();
    format!(
        "{:12} {} participants, {} levels, {} to {} blocks: at most {}",
        design.experiment,
        names.len(),
        design.levels().count(),
        design.blocks_min,
        design.blocks_max,
        time(design.budget_s),
    )
}

/// A duration for people to read.
pub(in crate::cli) fn time(seconds: f64) -> String {
    if seconds < 100.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{:.1} min", seconds / 60.0)
    }
}
