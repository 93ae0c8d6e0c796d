//! `hola experiments`: lists the questions, the participants (models, and reference targets that are installed), the
//! levels, and the time on this machine.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use hola_base::Text;
use hola_base::output::print;
use hola_lab::experiments::{EXPERIMENTS, Experiment};
use hola_lab::metric::Metric;
use hola_lab::plan::{Design, Profile};
use serde::Serialize;

use super::compare::{CompareArgs, ProfileName, targets, time};

/// An experiment, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Entry {
    name: &'static str,
    question: Text,
    changes_mind: Text,
    metrics: &'static [Metric],
    quick: Option<Design>,
    full: Option<Design>,
}

/// Lists the experiments.
pub(super) fn run(json: bool) -> Result<ExitCode> {
    let hola = std::env::current_exe().context("cannot find this program's own file")?;
    let targets = targets(&hola);
    let designs = |profile| {
        let quick = CompareArgs::quick(PathBuf::new());
        let (designs, _) = CompareArgs { profile, ..quick }.designs(&targets);
        designs
            .into_iter()
            .map(|design| (design.experiment.clone(), design))
            .collect::<HashMap<_, _>>()
    };
    let (mut quick, mut full) = (designs(ProfileName::Quick), designs(ProfileName::Full));
    let entry = |experiment: &Experiment| Entry {
        name: experiment.name,
        question: experiment.question,
        changes_mind: experiment.changes_mind,
        metrics: experiment.metrics,
        quick: quick.remove(experiment.name),
        full: full.remove(experiment.name),
    };
    let entries: Vec<Entry> = EXPERIMENTS.iter().map(entry).collect();
    print(if json {
        serde_json::to_string_pretty(&entries)? + "\n"
    } else {
        text(&entries)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn text(entries: &[Entry]) -> String {
    let mut text = String::new();
    let mut budgets_s = [(Profile::Quick, 0.0), (Profile::Full, 0.0)];
    // Writing to a string cannot fail.
    for entry in entries {
        let _ = writeln!(text, "{}\n  {}", entry.name, entry.question.en);
        for ((profile, budget_s), design) in budgets_s.iter_mut().zip([&entry.quick, &entry.full]) {
            let Some(design) = design else { continue };
            *budget_s += design.budget_s;
            let levels = design.levels().map(|(_, level)| level.name.as_str());
            let participants = design.stages.iter().flat_map(|stage| &stage.participants);
            let names: BTreeSet<&str> = participants.map(|one| one.name.as_str()).collect();
            let _ = writeln!(
                text,
                "  {:5}  at most {}\n         levels: {}\n         participants: {}",
                profile.name(),
                time(design.budget_s),
                Vec::from_iter(levels).join(" · "),
                Vec::from_iter(names).join(", "),
            );
        }
        text.push('\n');
    }
    for (profile, budget_s) in budgets_s {
        let _ = writeln!(text, "{}: at most {}", profile.name(), time(budget_s));
    }
    text
}
