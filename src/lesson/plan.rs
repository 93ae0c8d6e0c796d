//! What a lesson measures: designs of the lab's experiments, cut down to what the lesson asks.

use std::cell::RefCell;

use anyhow::{Context, Result, ensure};
use hola_lab::experiments::{self, Setting};
use hola_lab::plan::{Design, LoadPace, Stage, Task};
use hola_lab::record::Skipped;
use hola_lab::target::Targets;
use hola_lab::{block, environment};

use super::{Lesson, LessonPart};

/// The designs of a lesson, with that many blocks of each or its own number of them, and the servers that are left out.
///
/// # Errors
/// Names what the lesson asks for that no experiment has.
pub fn designs(
    lesson: &Lesson,
    targets: &Targets,
    blocks: Option<u32>,
) -> Result<(Vec<Design>, Vec<Skipped>)> {
    let mut skipped = Vec::new();
    let mut designs = Vec::new();
    for part in &lesson.parts {
        let (mut design, left_out) = design(part, targets)
            .with_context(|| format!("lesson {}: {}", lesson.name, part.experiment))?;
        block::fix_blocks(&mut design, blocks.unwrap_or(part.blocks));
        designs.push(design);
        skipped.extend(left_out);
    }
    Ok((designs, skipped))
}

fn design(part: &LessonPart, targets: &Targets) -> Result<(Design, Vec<Skipped>)> {
    let experiment = experiments::find(&part.experiment).context("no such experiment")?;
    let setting = Setting {
        profile: part.profile,
        cpus: environment::allowed_cpus(),
        targets,
        asked: servers(&part.participants),
        skipped: RefCell::default(),
    };
    let design = (experiment.design)(&setting).context("it is not in that profile")?;
    let mut design = Design {
        precision: None,
        ..design
    };
    for stage in &mut design.stages {
        cut_down(stage, part);
    }
    design.stages.retain(|stage| !stage.levels.is_empty());
    for name in &part.levels {
        ensure!(design.level(name).is_some(), "no level {name}");
    }
    Ok((design, setting.skipped.into_inner()))
}

/// The models of these participants: the name of another one of the same model has a suffix.
fn servers(participants: &[String]) -> Vec<String> {
    let server = |name: &String| name.split(", ").next().unwrap_or(name).to_owned();
    participants.iter().map(server).collect()
}

/// Leaves the levels and participants that the lesson asks for.
fn cut_down(stage: &mut Stage, part: &LessonPart) {
    stage
        .participants
        .retain(|one| part.participants.contains(&one.name));
    stage
        .levels
        .retain(|level| part.levels.contains(&level.name));
    let has = |name: &&String| stage.participants.iter().any(|one| one.name == **name);
    let names: Vec<String> = part.participants.iter().filter(has).cloned().collect();
    for level in &mut stage.levels {
        level.control.clone_from(&part.participants[0]);
        level.participants.clone_from(&names);
        level.cycles = part.cycles.unwrap_or(level.cycles);
    }
    if let Some(clients) = part.closed_loop_clients {
        repeat_in_closed_loop(stage, clients);
    }
}

/// Adds each level of load once more, with clients that ask again when they are answered.
fn repeat_in_closed_loop(stage: &mut Stage, clients: u32) {
    for mut level in stage.levels.clone() {
        if let Task::Load(load) = &mut level.task {
            load.pace = LoadPace::Closed { clients };
            level.name += ", closed loop";
            stage.levels.push(level);
        }
    }
}
