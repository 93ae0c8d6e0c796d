//! From an experiment and a profile to the plan that a run records.

use std::time::Duration;

use hola_servers::models::{Bilingual as Text, MODELS, Model};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use serde_json::Value;

use crate::lab::record::{Bilingual, Design, Level, Placement, Skipped};

use super::{Experiment, Held, LevelPlan, Levels, Profile, TakesPart};

/// What a user may want otherwise than the profile has it.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Models, by name; empty means the profile's.
    pub models: Vec<&'static str>,
    /// Numbers of clients, where they are the levels; empty means the profile's.
    pub clients: Vec<u32>,
    /// Trials of each cell.
    pub rounds: Option<u32>,
    /// Measured window of a trial.
    pub duration: Option<Duration>,
}

/// The plan of one experiment, and the models it leaves out of what was asked.
pub fn of(experiment: &Experiment, profile: &Profile, wishes: &Wishes) -> (Design, Vec<Skipped>) {
    let cpus = allowed_cpus();
    let usual = apart(&cpus);
    let mut skipped = Vec::new();
    let asked = |model: &&Model| match wishes.models.as_slice() {
        [] => profile.models.is_empty() || profile.models.contains(&model.name),
        named => named.contains(&model.name),
    };
    let mut models: Vec<&'static Model> = Vec::new();
    for model in MODELS
        .iter()
        .filter(asked)
        .filter(|model| (model.available)().is_ok())
    {
        match experiment.takes_part.admits(model) {
            Ok(()) => models.push(model),
            Err(why) => skipped.push(leave_out(experiment, model, why)),
        }
    }
    let mut levels = levels(profile.levels, wishes, &cpus);
    let mut somewhere = vec![false; models.len()];
    let mut empty = Vec::new();
    for (level, held) in &mut levels {
        let workers = level
            .placement
            .as_ref()
            .map_or(usual.server_cpus.len(), |placement| {
                placement.server_cpus.len()
            });
        let (mut takes_part, mut why_not) = (Vec::new(), Vec::new());
        for (model, somewhere) in models.iter().zip(&mut somewhere) {
            match held.admits(model, level.clients, workers) {
                Ok(()) => {
                    takes_part.push(model.name.to_owned());
                    *somewhere = true;
                }
                Err(why) => why_not.push((model, why)),
            }
        }
        if why_not.is_empty() {
            continue;
        }
        // Nobody would mean everybody; such levels go below.
        empty.push(takes_part.is_empty().then(|| level.name.clone()));
        level.models = takes_part;
        if *held != Held::PoolOnly {
            let at = |why: &str| format!("at {}: {why}", level.name);
            let left_out = why_not
                .iter()
                .map(|(model, why)| leave_out(experiment, model, &at(why)));
            skipped.extend(left_out);
        }
    }
    let models = models
        .iter()
        .zip(somewhere)
        .filter(|(_, somewhere)| *somewhere);
    let design = Design {
        experiment: experiment.name.into(),
        question: both(experiment.question),
        changes_mind: both(experiment.changes_mind),
        models: models.map(|(model, _)| model.name.to_owned()).collect(),
        levels: levels
            .into_iter()
            .map(|(level, _)| level)
            .filter(|level| !empty.contains(&Some(level.name.clone())))
            .collect(),
        control: experiment.control.into(),
        figures: owned(experiment.figures),
        tolerates: owned(experiment.tolerates),
        trials_per_cell: wishes.rounds.unwrap_or(profile.rounds),
        trial_s: wishes
            .duration
            .unwrap_or(Duration::from_millis(profile.trial_ms))
            .as_secs_f64(),
        warmup_s: Duration::from_millis(profile.warmup_ms).as_secs_f64(),
        server_cpus: usual.server_cpus,
        generator_cpus: usual.generator_cpus,
        server_settings: Value::Null,
    };
    (design, skipped)
}

impl TakesPart {
    fn admits(self, model: &Model) -> Result<(), &'static str> {
        match self {
            TakesPart::Those { which, why_not } if !which(model) => Err(why_not),
            TakesPart::All | TakesPart::Those { .. } => Ok(()),
        }
    }
}

fn leave_out(experiment: &Experiment, model: &Model, why: &str) -> Skipped {
    Skipped {
        model: model.name.into(),
        experiment: Some(experiment.name.into()),
        reason: why.into(),
    }
}

/// The levels as they are recorded, each with what it asks of a model's capacity.
fn levels(levels: Levels, wishes: &Wishes, cpus: &[usize]) -> Vec<(Level, Held)> {
    match levels {
        Levels::Clients(clients) => {
            let clients = match wishes.clients.as_slice() {
                [] => clients,
                asked => asked,
            };
            clients
                .iter()
                .map(|&clients| (of_clients(clients), Held::Any))
                .collect()
        }
        Levels::Named(plans) => plans.iter().map(|plan| (level(plan), plan.held)).collect(),
        Levels::Cpus(plan) => {
            let counts = (0..)
                .map(|power| 1 << power)
                .take_while(|&count| count <= cpus.len());
            counts
                .map(|count| (of_cpus(&plan, cpus, count), plan.held))
                .collect()
        }
    }
}

fn of_clients(clients: u32) -> Level {
    let name = match clients {
        1 => "1 client".to_owned(),
        _ => format!("{clients} clients"),
    };
    Level {
        name,
        clients,
        ..Level::default()
    }
}

fn level(plan: &LevelPlan) -> Level {
    let pool = matches!(plan.held, Held::AllWithPool | Held::PoolOnly);
    Level {
        name: plan.name.into(),
        clients: plan.clients,
        requests_per_connection: plan.requests_per_connection,
        path: plan.path.into(),
        rate_per_s: plan.rate_per_s,
        rate_of_capacity: plan.rate_of_capacity,
        timeout_s: Duration::from_millis(plan.timeout_ms).as_secs_f64(),
        server_options: owned(plan.server_options),
        pool_workers: pool.then_some(plan.clients),
        ..Level::default()
    }
}

/// The first CPUs for the server, the others for the generator; the last for both when none is left.
fn of_cpus(plan: &LevelPlan, cpus: &[usize], count: usize) -> Level {
    let (server, rest) = cpus.split_at(count);
    let generator = match rest {
        [] => cpus.last().into_iter().copied().collect(),
        rest => rest.to_vec(),
    };
    let shared = if rest.is_empty() { ", one shared" } else { "" };
    let plural = if count == 1 { "" } else { "s" };
    Level {
        name: format!("{count} CPU{plural}{shared}"),
        placement: Some(Placement {
            server_cpus: server.to_vec(),
            generator_cpus: generator,
        }),
        ..level(plan)
    }
}

/// One CPU each, whatever there is: more would compare how many cores a model takes, not what a client costs.
fn apart(cpus: &[usize]) -> Placement {
    let (server_cpus, generator_cpus) = match cpus {
        [first, .., last] => (vec![*first], vec![*last]),
        _ => (cpus.to_vec(), cpus.to_vec()),
    };
    Placement {
        server_cpus,
        generator_cpus,
    }
}

/// The CPUs this process may use, in order.
fn allowed_cpus() -> Vec<usize> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
    (0..CpuSet::count())
        .filter(|&cpu| allowed.is_set(cpu).unwrap_or(false))
        .collect()
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// A text of the program, as records keep it.
pub fn both(text: Text) -> Bilingual {
    Bilingual {
        en: text.en.into(),
        es: text.es.into(),
    }
}
