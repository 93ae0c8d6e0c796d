//! The targets that may take part: those of the list, and those of the user.

use std::fs;
use std::path::Path;

use hola_servers::models;
use serde::Deserialize;

use super::{TargetPaths, TargetSpec};

/// The targets of a list, and the paths of their files.
#[derive(Clone, Debug, PartialEq)]
pub struct Targets {
    /// Paths of their files.
    pub places: TargetPaths,
    /// The targets, in the order of the list.
    pub specs: Vec<TargetSpec>,
    /// Those of the user, who asked for them: they take part wherever they can.
    pub own: Vec<TargetSpec>,
}

impl Targets {
    /// An empty list.
    pub fn with_no_targets(hola: &Path) -> Self {
        Targets {
            places: TargetPaths::with_source_tree(hola),
            specs: Vec::new(),
            own: Vec::new(),
        }
    }

    /// Reads the list at `places`.
    ///
    /// # Errors
    /// Returns the reason if it cannot be read or parsed.
    pub fn new(places: TargetPaths) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct List {
            target: Vec<TargetSpec>,
        }
        let path = places.scripts.join("targets.toml");
        let list = || -> anyhow::Result<List> { Ok(toml::from_str(&fs::read_to_string(&path)?)?) };
        let list = list().map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Targets {
            places,
            specs: list.target,
            own: Vec::new(),
        })
    }

    /// Adds a target of the user's.
    ///
    /// # Errors
    /// Returns the reason if its name is taken.
    pub fn add_own(&mut self, spec: TargetSpec) -> Result<(), String> {
        let name = &spec.name;
        if models::find(name).is_some() {
            return Err(format!("the name `{name}` is taken by a model"));
        }
        if self.named(name).is_some() {
            return Err(format!("the name `{name}` is taken by another target"));
        }
        self.own.push(spec);
        Ok(())
    }

    /// All targets: those of the list, then those of the user.
    pub fn all(&self) -> impl Iterator<Item = &TargetSpec> {
        self.specs.iter().chain(&self.own)
    }

    /// The target of that name.
    pub fn named(&self, name: &str) -> Option<&TargetSpec> {
        self.all().find(|spec| spec.name == name)
    }
}
