//! `hola experiments`: the questions, who is asked (models, and reference targets that are installed), at which levels, and how long it takes on this machine.

use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;

use super::compare::time;
use super::contenders;
use crate::experiments::plan::{self, Wishes, both};
use crate::experiments::{EXPERIMENTS, Experiment, Profile};
use crate::lab::estimate;
use crate::lab::record::{Bilingual, Level, Skipped};
use crate::lab::target::Targets;
use crate::output::print;

/// An experiment, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Card {
    name: &'static str,
    question: Bilingual,
    changes_mind: Bilingual,
    control: &'static str,
    figures: &'static [&'static str],
    tolerates: &'static [&'static str],
    profiles: Vec<Extent>,
}

/// How much of it a profile does here.
#[derive(Debug, Serialize)]
struct Extent {
    profile: &'static str,
    models: Vec<String>,
    left_out: Vec<Skipped>,
    levels: Vec<Level>,
    rounds: u32,
    trials: usize,
    time_s: f64,
}

/// Lists them.
pub(super) fn run(json: bool) -> Result<ExitCode> {
    let hola = std::env::current_exe().context("cannot find this program's own file")?;
    let targets = contenders::targets(&hola);
    let cards: Vec<Card> = EXPERIMENTS.iter().map(|one| card(one, &targets)).collect();
    print(&if json {
        serde_json::to_string_pretty(&cards)? + "\n"
    } else {
        text(&cards)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn card(experiment: &Experiment, targets: &Targets) -> Card {
    Card {
        name: experiment.name,
        question: both(experiment.question),
        changes_mind: both(experiment.changes_mind),
        control: experiment.control,
        figures: experiment.figures,
        tolerates: experiment.tolerates,
        profiles: experiment
            .profiles
            .iter()
            .map(|profile| extent(experiment, profile, targets))
            .collect(),
    }
}

fn extent(experiment: &Experiment, profile: &Profile, targets: &Targets) -> Extent {
    let (design, left_out) = plan::of(experiment, profile, &Wishes::default(), targets);
    Extent {
        profile: profile.name,
        rounds: design.trials_per_cell,
        trials: estimate::trials(&design),
        time_s: estimate::experiment_s(&design),
        models: design.models,
        left_out,
        levels: design.levels,
    }
}

fn text(cards: &[Card]) -> String {
    let mut lines = Vec::new();
    for card in cards {
        lines.push(format!("{}\n  {}", card.name, card.question.en));
        for extent in &card.profiles {
            let levels: Vec<&str> = extent
                .levels
                .iter()
                .map(|level| level.name.as_str())
                .collect();
            lines.push(format!(
                "  {:5}  {} trials, {}\n         levels: {}\n         models: {}",
                extent.profile,
                extent.trials,
                time(extent.time_s),
                levels.join(" · "),
                extent.models.join(", "),
            ));
        }
        lines.push(String::new());
    }
    for profile in ["quick", "full"] {
        let of_it = |card: &Card| -> f64 {
            let extents = card.profiles.iter();
            extents
                .filter(|extent| extent.profile == profile)
                .map(|extent| extent.time_s)
                .sum()
        };
        let all: f64 = cards.iter().map(of_it).sum();
        lines.push(format!("{profile}: {} in all", time(all)));
    }
    lines.join("\n") + "\n"
}
