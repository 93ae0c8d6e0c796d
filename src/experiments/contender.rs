//! Who may take part in an experiment: models, and reference targets after them.

use hola_servers::models::{MODELS, Model};

use super::plan::Wishes;
use super::{Experiment, Held, Profile, TakesPart};
use crate::lab::recipe::Kind;
use crate::lab::record::{Level, Skipped};
use crate::lab::target::{Spec, Targets};

/// A model or a reference target.
#[derive(Clone, Copy, Debug)]
pub(super) enum Contender<'t> {
    /// One of Hola's models.
    Model(&'static Model),
    /// A server that is not Hola's.
    Target(&'t Spec),
}

impl Contender<'_> {
    /// Name on the command line and in reports.
    pub(super) fn name(&self) -> &str {
        match self {
            Contender::Model(model) => model.name,
            Contender::Target(spec) => &spec.name,
        }
    }

    /// Whether it takes part at a level; otherwise why not.
    pub(super) fn fits(&self, level: &Level) -> Result<(), String> {
        match self {
            Contender::Model(model) => held_at(level).admits(model, level.clients),
            Contender::Target(spec) => target_fits(spec, level),
        }
    }
}

/// Those that were asked for and take part, models in teaching order, targets in their list's; and those that do not.
pub(super) fn all<'t>(
    experiment: &Experiment,
    profile: &Profile,
    wishes: &Wishes,
    targets: &'t Targets,
) -> (Vec<Contender<'t>>, Vec<Skipped>) {
    let asked = |usual: &[&str], name: &str| match wishes.models.as_slice() {
        [] => usual.contains(&name),
        named => named.iter().any(|one| one == name),
    };
    let every_model = wishes.models.is_empty() && profile.models.is_empty();
    let (mut contenders, mut skipped) = (Vec::new(), Vec::new());
    for model in MODELS {
        if !(every_model || asked(profile.models, model.name)) || (model.available)().is_err() {
            continue;
        }
        match experiment.takes_part.admits(model) {
            Ok(()) => contenders.push(Contender::Model(model)),
            Err(why) => skipped.push(left_out(experiment, model.name, why)),
        }
    }
    for spec in &targets.specs {
        if !asked(profile.targets, &spec.name) {
            continue;
        }
        match (spec.program(&targets.places), experiment.kind) {
            // Of the whole run: it is nowhere to be measured.
            (Err(reason), _) => skipped.push(Skipped {
                model: spec.name.clone(),
                experiment: None,
                reason,
            }),
            (Ok(_), Kind::Procedure(_)) => {
                skipped.push(left_out(
                    experiment,
                    &spec.name,
                    "it takes part in loads alone",
                ));
            }
            (Ok(_), Kind::Load) => contenders.push(Contender::Target(spec)),
        }
    }
    (contenders, skipped)
}

/// A model or target that an experiment leaves out, and why.
pub(super) fn left_out(experiment: &Experiment, name: &str, why: &str) -> Skipped {
    Skipped {
        model: name.into(),
        experiment: Some(experiment.name.into()),
        reason: why.into(),
    }
}

impl TakesPart {
    fn admits(self, model: &Model) -> Result<(), &'static str> {
        match self {
            TakesPart::Those { which, why_not } if !which(model) => Err(why_not),
            TakesPart::All | TakesPart::Those { .. } => Ok(()),
        }
    }
}

/// What a level asks of capacity, by the plan's word for it: workers for every client.
fn held_at(level: &Level) -> Held {
    match level.pool_workers {
        Some(_) => Held::All,
        None => Held::Any,
    }
}

fn target_fits(spec: &Spec, level: &Level) -> Result<(), String> {
    let path = level.path_for(&spec.name);
    if !spec.answers(path) {
        return Err(format!("it has no answer to {path}"));
    }
    if level.requests_per_connection != Some(1) && !spec.keep_alive {
        return Err("it takes one request per connection".into());
    }
    if !level.server_options.is_empty() || level.disturbance.is_some() {
        return Err("what goes on there is asked of models alone".into());
    }
    match spec.serves_at_once() {
        Some(most) if held_at(level) == Held::All && most < level.clients => Err(format!(
            "it serves {most} clients at once, and {} stay",
            level.clients
        )),
        _ => Ok(()),
    }
}
