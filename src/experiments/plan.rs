//! From an experiment and a profile to the plan that a run records.

use std::time::Duration;

use hola_servers::models::Bilingual as Text;
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;
use serde_json::Value;

use crate::lab::record::{Bilingual, Design, Level, Placement, Skipped};
use crate::lab::target::Targets;

use super::contender::{self, Contender, left_out};
use super::{Experiment, Held, LevelPlan, Levels, Profile};

/// What a user may want otherwise than the profile has it.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Models and reference targets, by name; empty means the profile's.
    pub models: Vec<String>,
    /// Numbers of clients, where they are the levels; empty means the profile's.
    pub clients: Vec<u32>,
    /// Trials of each cell.
    pub rounds: Option<u32>,
    /// Measured window of a trial.
    pub duration: Option<Duration>,
}

/// The plan of one experiment, and the models and targets it leaves out of what was asked.
pub fn of(
    experiment: &Experiment,
    profile: &Profile,
    wishes: &Wishes,
    targets: &Targets,
) -> (Design, Vec<Skipped>) {
    let cpus = allowed_cpus();
    let usual = apart(&cpus);
    let (contenders, mut skipped) = contender::all(experiment, profile, wishes, targets);
    let mut levels = levels(profile.levels, wishes, &cpus);
    skipped.extend(narrow(experiment, &mut levels, &contenders));
    let is_measured = |name: &&str| {
        levels
            .iter()
            .any(|level| level.models.is_empty() || level.models.iter().any(|one| one == name))
    };
    let design = Design {
        experiment: experiment.name.into(),
        question: both(experiment.question),
        changes_mind: both(experiment.changes_mind),
        models: contenders
            .iter()
            .map(Contender::name)
            .filter(is_measured)
            .map(str::to_owned)
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
        extra_s: Duration::from_millis(profile.extra_ms).as_secs_f64(),
        server_cpus: usual.server_cpus,
        generator_cpus: usual.generator_cpus,
        server_settings: Value::Null,
        levels,
    };
    (design, skipped)
}

/// Leaves models and targets out of levels that ask more than they can, and levels out that nobody can do.
fn narrow(
    experiment: &Experiment,
    levels: &mut Vec<Level>,
    contenders: &[Contender<'_>],
) -> Vec<Skipped> {
    let mut out: Vec<Skipped> = Vec::new();
    levels.retain_mut(|level| {
        let (mut takes_part, mut anybody_not) = (Vec::new(), false);
        for contender in contenders {
            let name = contender.name();
            match contender.fits(level) {
                Ok(()) => takes_part.push(name.to_owned()),
                Err(why) => {
                    anybody_not = true;
                    let why = format!("{}: {why}", level.name);
                    match out.iter_mut().find(|skipped| skipped.model == name) {
                        Some(skipped) => skipped.reason = format!("{}; {why}", skipped.reason),
                        None => out.push(left_out(experiment, name, &why)),
                    }
                }
            }
        }
        let somebody = !takes_part.is_empty();
        if anybody_not {
            level.models = takes_part;
        }
        somebody
    });
    out
}

/// The levels as they are recorded.
fn levels(levels: Levels, wishes: &Wishes, cpus: &[usize]) -> Vec<Level> {
    match levels {
        Levels::Clients(clients) => {
            let clients = match wishes.clients.as_slice() {
                [] => clients,
                asked => asked,
            };
            clients.iter().copied().map(of_clients).collect()
        }
        Levels::Named(plans) => plans.iter().map(level).collect(),
        Levels::Cpus(plan) => {
            let counts = (0..).map(|power| 1 << power);
            counts
                .take_while(|&count| count <= cpus.len())
                .map(|count| of_cpus(&plan, cpus, count))
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
    Level {
        name: plan.name.into(),
        clients: plan.clients,
        requests_per_connection: plan.requests_per_connection,
        path: plan.path.into(),
        paths: plan
            .instead
            .iter()
            .map(|&(name, path)| (name.into(), path.into()))
            .collect(),
        rate_per_s: plan.rate_per_s,
        rate_of_capacity: plan.rate_of_capacity,
        timeout_s: Duration::from_millis(plan.timeout_ms).as_secs_f64(),
        server_options: owned(plan.server_options),
        pool_workers: (plan.held == Held::All).then_some(plan.clients),
        disturbance: plan.beside.map(|beside| beside.to_string()),
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
