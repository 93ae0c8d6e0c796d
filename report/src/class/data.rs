//! A class as JSON.

use std::collections::BTreeMap;

use hola_verdict::claims::Verdict;
use hola_verdict::class::{
    ClaimVotes, Class, Machine, MachineVote, PropertyVotes, QuantitySummary,
};
use hola_verdict::{Estimate, RULES_VERSION};
use serde_json::{Value, json};

use super::ClassView;
use crate::{escape, labels};

/// Version of the format.
const SCHEMA_VERSION: u32 = 1;

/// Formats a class as JSON, with every vote and every quantity.
pub(super) fn json(view: ClassView<'_>) -> String {
    let class = view.class;
    let machines: Vec<Value> = class.machines.iter().map(machine).collect();
    let claims: Vec<Value> = class.claims.iter().map(|one| claim(class, one)).collect();
    let document = json!({
        "schema_version": SCHEMA_VERSION,
        "rules_version": RULES_VERSION,
        "folders_not_read": view.unread,
        "machines": machines,
        "claims": claims,
    });
    escape::json(&format!("{document:#}")) + "\n"
}

fn machine(machine: &Machine) -> Value {
    let environment = &machine.newest().environment;
    let runs = machine.runs.iter().map(|run| {
        json!({
            "id": run.identity.id,
            "label": run.identity.label,
            "profile": run.profile.name(),
            "rules_version": run.rules_version,
        })
    });
    json!({
        "id": machine.id(),
        "name": machine.name,
        "cpu_model": environment.cpu_model,
        "cpus": environment.cpus.len(),
        "memory_mib": environment.memory_mib,
        "kernel": environment.kernel,
        "is_virtual": environment.virtualised,
        "runs": runs.collect::<Vec<_>>(),
    })
}

fn claim(class: &Class, one: &ClaimVotes) -> Value {
    let votes = one.votes.iter().map(|own| vote(class, own));
    let quantities = one.quantities.iter().map(|own| quantity(class, own));
    let properties = one.properties.iter().map(property);
    json!({
        "claim": one.claim.id,
        "statement": one.claim.statement,
        "leading": one.leading().map(labels::verdict_name),
        "votes": votes.collect::<Vec<_>>(),
        "key_quantity": one.key,
        "quantities": quantities.collect::<Vec<_>>(),
        "properties": properties.collect::<Vec<_>>(),
    })
}

fn vote(class: &Class, vote: &MachineVote) -> Value {
    let findings = vote.decision.key_findings().into_iter();
    let findings = findings.filter_map(|finding| {
        let found = finding.estimate.as_ref().ok()?;
        Some(json!({
            "what": finding.what.en,
            "value": found.value,
            "interval": interval(found),
            "p_holm": finding.p_value,
        }))
    });
    json!({
        "machine": class.machines[vote.machine].id(),
        "run": class.run_of(vote).identity.id,
        "verdict": labels::verdict_name(vote.decision.verdict),
        "rests_on": findings.collect::<Vec<_>>(),
    })
}

fn quantity(class: &Class, quantity: &QuantitySummary) -> Value {
    let values = quantity.values.iter().map(|value| {
        json!({
            "machine": class.machines[value.machine].id(),
            "value": value.estimate.value,
            "interval": interval(&value.estimate),
        })
    });
    let effects = quantity.effects.map(|effects| {
        let (low, high) = effects.prediction;
        json!({
            "mean": effects.mean.value,
            "interval": interval(&effects.mean),
            "tau": effects.tau,
            "prediction": [low, high],
            "machines": effects.mean.blocks,
        })
    });
    json!({
        "what": quantity.what.en,
        "expected": quantity.threshold.text(hola_base::Language::English),
        "values": values.collect::<Vec<_>>(),
        "random_effects": effects,
    })
}

fn property(votes: &PropertyVotes) -> Value {
    let group = |(value, counts): (&String, &BTreeMap<Verdict, usize>)| {
        let counts = counts.iter();
        let counts = counts.map(|(verdict, count)| (labels::verdict_name(*verdict), *count));
        json!({ "value": value, "votes": counts.collect::<BTreeMap<_, _>>() })
    };
    json!({
        "property": votes.property.name(),
        "groups": votes.groups.iter().map(group).collect::<Vec<_>>(),
        "p_holm": votes.p_holm,
        "is_dependent": votes.is_dependent(),
    })
}

fn interval(estimate: &Estimate) -> [f64; 2] {
    [estimate.low, estimate.high]
}
