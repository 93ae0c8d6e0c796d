//! Whether the votes on a claim depend on a property of the machine.

use std::collections::BTreeMap;

use hola_lab::record::Environment;
use schemars::JsonSchema;
use serde::Serialize;

use crate::claims::Verdict;
use crate::statistics::{SIGNIFICANCE, count, fishers_exact, holm};

/// A property of a machine that a verdict may depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MachineProperty {
    /// How many CPUs a run may use.
    Cpus,
    /// The kernel, by the first two numbers of its release.
    Kernel,
    /// Whether a hypervisor announces itself.
    Virtual,
}

/// The votes on a claim by a property, if machines differ in it.
#[derive(Clone, Debug)]
pub struct PropertyVotes {
    /// The property.
    pub property: MachineProperty,
    /// Each of its values, and how many machines with it have which verdict. [`MachineProperty::Virtual`] is `yes` or
    /// `no`.
    pub groups: BTreeMap<String, BTreeMap<Verdict, usize>>,
    /// p-value of no dependence, after Holm's correction over all properties of all claims.
    pub p_holm: f64,
}

impl MachineProperty {
    /// Every property.
    pub const ALL: [MachineProperty; 3] = [
        MachineProperty::Cpus,
        MachineProperty::Kernel,
        MachineProperty::Virtual,
    ];

    fn value(self, environment: &Environment) -> String {
        match self {
            MachineProperty::Cpus => environment.cpus.len().to_string(),
            MachineProperty::Kernel => {
                let numbers: Vec<&str> = environment.kernel.split('.').take(2).collect();
                numbers.join(".")
            }
            MachineProperty::Virtual if environment.virtualised => "yes".into(),
            MachineProperty::Virtual => "no".into(),
        }
    }
}

impl PropertyVotes {
    /// Whether more machines with one value of the property than with the others say that the claim holds.
    pub fn is_dependent(&self) -> bool {
        self.p_holm < SIGNIFICANCE
    }

    /// Fisher's test of each group against all others, corrected for their number (Bonferroni). Two groups are one
    /// test. Machines that did not decide say nothing for or against.
    fn p_value(&self) -> f64 {
        let decided = |counts: &BTreeMap<Verdict, usize>| {
            [Verdict::Holds, Verdict::Fails]
                .map(|verdict| counts.get(&verdict).map_or(0, |count| *count as u64))
        };
        let groups: Vec<[u64; 2]> = self.groups.values().map(decided).collect();
        let [holds, fails] = [0, 1].map(|side| groups.iter().map(|group| group[side]).sum::<u64>());
        let p_values = groups.iter().map(|group| {
            let rest = [holds - group[0], fails - group[1]];
            fishers_exact(*group, rest)
        });
        let least = p_values.fold(1.0, f64::min);
        let tests = if groups.len() == 2 { 1 } else { groups.len() };
        (least * count(tests)).min(1.0)
    }
}

/// The votes by each property that has more than one value; p-values are not yet corrected over the claims.
pub(super) fn by_property(votes: &[(&Environment, Verdict)]) -> Vec<PropertyVotes> {
    let of = |property: MachineProperty| {
        let mut groups: BTreeMap<String, BTreeMap<Verdict, usize>> = BTreeMap::new();
        for (environment, verdict) in votes {
            let group = groups.entry(property.value(environment)).or_default();
            *group.entry(*verdict).or_default() += 1;
        }
        let mut found = PropertyVotes {
            property,
            groups,
            p_holm: 1.0,
        };
        found.p_holm = found.p_value();
        (found.groups.len() > 1).then_some(found)
    };
    MachineProperty::ALL.into_iter().filter_map(of).collect()
}

/// Corrects the p-values of all claims' properties together, because a reader looks at all of them.
pub(super) fn correct<'v>(votes: impl Iterator<Item = &'v mut PropertyVotes>) {
    let mut votes: Vec<&mut PropertyVotes> = votes.collect();
    let corrected = holm(&votes.iter().map(|one| one.p_holm).collect::<Vec<_>>());
    for (one, p_value) in votes.iter_mut().zip(corrected) {
        one.p_holm = p_value;
    }
}
