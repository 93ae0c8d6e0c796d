//! Whom `hola compare` can measure: models, and reference targets beside them.

use std::path::Path;

use hola_servers::models::{self, MODELS, Model};

use crate::experiments::plan::both;
use crate::lab::record::{Design, ModelCard, Skipped};
use crate::lab::target::{Places, Targets};
use crate::output::say;

/// The name of a model or of a reference target, as an argument.
///
/// # Errors
/// The names there are, when it is none of them.
pub(super) fn named(name: &str) -> Result<String, String> {
    if models::find(name).is_some() {
        return Ok(name.to_owned());
    }
    let hola = std::env::current_exe().map_err(|error| error.to_string())?;
    // Without a list there are only models.
    let targets = Places::beside_source(&hola).targets().unwrap_or_default();
    if targets.iter().any(|spec| spec.name == name) {
        return Ok(name.to_owned());
    }
    let models = MODELS.iter().map(|model| model.name);
    let targets = targets.iter().map(|spec| spec.name.as_str());
    let names: Vec<&str> = models.chain(targets).collect();
    Err(format!(
        "no such model or target; there are {}",
        names.join(", ")
    ))
}

/// The reference targets; where their list cannot be read none, and a line that says so.
pub(super) fn targets(hola: &Path) -> Targets {
    Targets::at(Places::beside_source(hola)).unwrap_or_else(|reason| {
        say(format_args!("no reference targets: {reason}"));
        Targets::none(hola)
    })
}

/// What a reader needs to know of everybody who takes part in any experiment: models in teaching order, then targets.
pub(super) fn cards(designs: &[Design], targets: &Targets) -> Vec<ModelCard> {
    let takes_part = |name: &str| {
        let mut taking_part = designs.iter().flat_map(|design| &design.models);
        taking_part.any(|one| one == name)
    };
    let models = MODELS.iter().filter(|model| takes_part(model.name));
    let specs = targets.specs.iter().filter(|spec| takes_part(&spec.name));
    models
        .map(card)
        .chain(specs.map(|spec| spec.card(&targets.places)))
        .collect()
}

/// The models that were asked for and that this system does not have, and why; of no names, of all of them.
pub(super) fn unavailable(names: &[String]) -> impl Iterator<Item = Skipped> {
    let is_asked = |model: &&Model| names.is_empty() || names.iter().any(|one| one == model.name);
    MODELS.iter().filter(is_asked).filter_map(|model| {
        Some(Skipped {
            model: model.name.into(),
            experiment: None,
            reason: (model.available)().err()?,
        })
    })
}

fn card(model: &Model) -> ModelCard {
    ModelCard {
        name: model.name.into(),
        title: both(model.title),
        summary: both(model.summary),
        attention: model.attention.to_string(),
    }
}
