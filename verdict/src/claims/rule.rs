//! Decision rules as data, fixed before anything is measured: a rule that is written down first cannot be bent to what
//! was found.

use std::collections::BTreeSet;

use hola_servers::models::{Bilingual, MODELS};
use serde::Serialize;

use super::names::{Experiment, Figure};

/// What decides a claim.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The test holds at every place it is made. Where places disagree, the claim depends on them.
    Test(Test),
    /// Every part belongs to the claim: one that fails refutes it.
    All(&'static [Rule]),
    /// One part is enough.
    Any(&'static [Rule]),
    /// The same thing said of several cases: where they disagree, the claim depends on them.
    Each(&'static [Rule]),
    /// The test fails at the first level and holds from some level on up to the last.
    Crossover(Test),
    /// The source of one model is smaller than another's.
    Source(SourceTest),
    /// No experiment settles it: why.
    NotMeasured(Bilingual),
}

/// One question to the figures, asked of each model at each level.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Test {
    /// Experiment whose trials are looked at.
    pub experiment: &'static Experiment,
    /// Levels at which the test is made.
    pub levels: Levels,
    /// The figure that is looked at.
    pub figure: &'static Figure,
    /// Models of which the test is made, by name. Those that a run leaves out are not asked, as long as it has one.
    pub models: &'static [&'static str],
    /// What the figure is divided by.
    pub over: Over,
    /// What the claim says of the quotient.
    pub expect: Expect,
}

/// Levels of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Levels {
    /// Every level of the run, but for the one that a figure is divided by.
    All,
    /// These.
    Only(&'static [At]),
}

/// One level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// The run's first.
    First,
    /// The run's last.
    Last,
    /// The one of that name.
    Named(&'static str),
}

/// What a figure is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// Nothing: the figure speaks for itself.
    Nothing,
    /// Another model's, at the same level.
    Model(&'static str),
    /// That of the model that is best at the same level, the model itself left aside. The best of several is chosen by
    /// luck, too, which makes the comparison stricter than one with a model named beforehand.
    Best,
    /// The same model's, at another level.
    Level(At),
    /// What `model` adds to the figure of `beyond`; of the model itself, too, only what it adds counts.
    Added {
        /// Model whose addition is the measure.
        model: &'static str,
        /// Model that adds nothing.
        beyond: &'static str,
    },
}

/// What a claim says of a quotient, or of a figure by itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// It is larger.
    MoreThan(f64),
    /// It is smaller.
    LessThan(f64),
    /// It is between the two, ends left out: shown to be equal, which is more than not shown to differ.
    Between(f64, f64),
}

/// A question to the source of two models.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SourceTest {
    /// Model said to be simple.
    pub model: &'static str,
    /// Model said not to be.
    pub over: &'static str,
    /// Expected quotient of lines, and of branches.
    pub expect: Expect,
}

impl Rule {
    /// Every test of the rule, in the order written.
    pub fn tests(&self) -> Vec<&Test> {
        match self {
            Rule::Test(test) | Rule::Crossover(test) => vec![test],
            Rule::All(parts) | Rule::Any(parts) | Rule::Each(parts) => {
                parts.iter().flat_map(Rule::tests).collect()
            }
            Rule::Source(_) | Rule::NotMeasured(_) => Vec::new(),
        }
    }

    /// The experiments it rests on, each once, in the order written.
    pub fn experiments(&self) -> Vec<&'static Experiment> {
        let mut all: Vec<&Experiment> = Vec::new();
        for test in self.tests() {
            if all.iter().all(|known| known.name != test.experiment.name) {
                all.push(test.experiment);
            }
        }
        all
    }

    /// The models it names, in teaching order, and then reference targets; none where it takes every model.
    pub fn models(&self) -> Vec<&'static str> {
        let tests = self.tests();
        if tests.iter().any(|test| test.over == Over::Best) {
            return Vec::new();
        }
        let named: BTreeSet<&str> = tests.into_iter().flat_map(Test::models).collect();
        let models = MODELS.iter().map(|model| model.name);
        let is_target = |name: &&str| MODELS.iter().all(|model| model.name != *name);
        let targets = named.iter().copied().filter(is_target);
        let in_order = models.filter(|name| named.contains(name));
        in_order.chain(targets).collect()
    }

    /// The command that measures what it rests on, and nothing else; `None` where nothing is measured.
    pub fn rerun(&self) -> Option<String> {
        let experiments = self.experiments();
        if experiments.is_empty() {
            return None;
        }
        let names: Vec<&str> = experiments.iter().map(|one| one.name).collect();
        let mut command = format!(
            "hola compare --profile full --experiments {}",
            names.join(",")
        );
        let models = self.models();
        if !models.is_empty() {
            command.push_str(&format!(" --models {}", models.join(",")));
        }
        Some(command)
    }
}

impl Test {
    /// Every model it names.
    pub fn models(&self) -> Vec<&'static str> {
        let mut named = self.models.to_vec();
        match self.over {
            Over::Model(other) => named.push(other),
            Over::Added { model, beyond } => named.extend([model, beyond]),
            Over::Nothing | Over::Best | Over::Level(_) => {}
        }
        named
    }
}
