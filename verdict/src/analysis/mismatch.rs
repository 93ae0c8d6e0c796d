//! What speaks against comparing two runs: other machines, other builds, other loads, trials that are missing.

use crate::lab::record::{Design, Environment, Level, Run, Status};

use super::difference::Side;

/// Something that two runs do not have in common, or that one of them lacks.
#[derive(Clone, Debug, PartialEq)]
pub enum Mismatch<'a> {
    /// A run did not come to its end.
    Incomplete(Side),
    /// A property of the machine or the build, in the base and in the candidate.
    Environment(Property, String, String),
    /// An experiment's trials last this many seconds in the base, and in the candidate.
    TrialS(&'a str, f64, f64),
    /// An experiment's servers had other settings or other CPUs.
    Servers(&'a str),
    /// An experiment's level of that name is not the same load.
    Level(&'a str, &'a str),
}

/// What can move a number, of a machine or of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Property {
    /// Processor.
    CpuModel,
    /// How many of it.
    Cpus,
    /// Kernel release.
    Kernel,
    /// Build profile.
    Build,
    /// Compiler.
    Rustc,
    /// Commit built, with a plus sign where there were uncommitted changes.
    Commit,
}

impl Property {
    const ALL: [Self; 6] = [
        Self::CpuModel,
        Self::Cpus,
        Self::Kernel,
        Self::Build,
        Self::Rustc,
        Self::Commit,
    ];

    fn of(self, environment: &Environment) -> String {
        match self {
            Self::CpuModel => environment.cpu_model.clone(),
            Self::Cpus => environment.cpus.to_string(),
            Self::Kernel => environment.kernel.clone(),
            Self::Build => environment.build.clone(),
            Self::Rustc => environment.rustc.clone(),
            Self::Commit => commit(environment),
        }
    }
}

/// Twelve digits name a commit in any repository of this size.
fn commit(environment: &Environment) -> String {
    let digits = environment.commit.iter().flat_map(|commit| commit.chars());
    let plus = (environment.dirty == Some(true)).then_some('+');
    digits.take(12).chain(plus).collect()
}

/// What speaks against comparing the runs as a whole.
pub fn of_runs<'a>(base: &Run, candidate: &Run) -> Vec<Mismatch<'a>> {
    let sides = [(Side::Base, base), (Side::Candidate, candidate)];
    let incomplete = sides
        .into_iter()
        .filter(|(_, run)| run.status != Status::Complete)
        .map(|(side, _)| Mismatch::Incomplete(side));
    let properties = Property::ALL.into_iter().filter_map(|property| {
        let [ours, theirs] = [base, candidate].map(|run| property.of(&run.environment));
        (ours != theirs).then_some(Mismatch::Environment(property, ours, theirs))
    });
    incomplete.chain(properties).collect()
}

/// What speaks against comparing an experiment that both runs have.
pub fn of_designs<'a>(base: &'a Design, candidate: &Design) -> Vec<Mismatch<'a>> {
    let experiment = base.experiment.as_str();
    let mut found = Vec::new();
    if base.trial_s != candidate.trial_s {
        found.push(Mismatch::TrialS(
            experiment,
            base.trial_s,
            candidate.trial_s,
        ));
    }
    let servers = |design: &Design| (design.server_cpus.clone(), design.server_settings.clone());
    if servers(base) != servers(candidate) {
        found.push(Mismatch::Servers(experiment));
    }
    for level in &base.levels {
        let other = candidate.level(&level.name);
        if other.is_some_and(|other| load(other) != load(level)) {
            found.push(Mismatch::Level(experiment, &level.name));
        }
    }
    found
}

/// The level, whoever is measured at it.
fn load(level: &Level) -> Level {
    Level {
        models: Vec::new(),
        ..level.clone()
    }
}
