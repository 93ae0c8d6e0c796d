//! `hola experiments`: lists the questions, the participants (models, and reference targets that are installed), the
//! levels, and the time on this machine.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use hola_base::Text;
use hola_base::output::print;
use hola_lab::experiments::EXPERIMENTS;
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
    let [quick, full] = [ProfileName::Quick, ProfileName::Full].map(|profile| {
        let args = CompareArgs {
            profile,
            ..CompareArgs::quick(PathBuf::new())
        };
        args.designs(&targets).0
    });
    let of = |designs: &[Design], name: &str| {
        designs
            .iter()
            .find(|design| design.experiment == name)
            .cloned()
    };
    let entries: Vec<Entry> = EXPERIMENTS
        .iter()
        .map(|experiment| Entry {
            name: experiment.name,
            question: experiment.question,
            changes_mind: experiment.changes_mind,
            metrics: experiment.metrics,
            quick: of(&quick, experiment.name),
            full: of(&full, experiment.name),
        })
        .collect();
    print(if json {
        serde_json::to_string_pretty(&entries)? + "\n"
    } else {
        text(&entries)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn text(entries: &[Entry]) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    for entry in entries {
        let _ = writeln!(text, "{}\n  {}", entry.name, entry.question.en);
        for (profile, design) in [(Profile::Quick, &entry.quick), (Profile::Full, &entry.full)] {
            let Some(design) = design else { continue };
            let levels: Vec<&str> = design
                .levels()
                .map(|(_, level)| level.name.as_str())
                .collect();
            let participants = design.stages.iter().flat_map(|stage| &stage.participants);
            let mut names: Vec<&str> = participants.map(|one| one.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            let _ = writeln!(
                text,
                "  {:5}  at most {}\n         levels: {}\n         participants: {}",
                profile.name(),
                time(design.budget_s),
                levels.join(" · "),
                names.join(", "),
            );
        }
        text.push('\n');
    }
    for (profile, budget_s) in [
        (
            Profile::Quick,
            budget_s(entries.iter().map(|entry| &entry.quick)),
        ),
        (
            Profile::Full,
            budget_s(entries.iter().map(|entry| &entry.full)),
        ),
    ] {
        let _ = writeln!(text, "{}: at most {}", profile.name(), time(budget_s));
    }
    text
}

fn budget_s<'d>(designs: impl Iterator<Item = &'d Option<Design>>) -> f64 {
    designs.flatten().map(|design| design.budget_s).sum()
}
