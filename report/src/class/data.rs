//! A class as JSON, and the schema that it keeps to.

use std::collections::BTreeMap;

use hola_base::Language;
use hola_lab::plan::Profile;
use hola_lab::record::StoredText;
use hola_verdict::claims::{Finding, Verdict};
use hola_verdict::class::{
    ClaimVotes, Class, Machine, MachineProperty, MachineValue, MachineVote, PropertyVotes,
    QuantitySummary,
};
use hola_verdict::{Estimate, RULES_VERSION, RandomEffects};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Serialize;
use serde_json::json;

use super::ClassView;
use crate::escape;

/// Version of the format.
const SCHEMA_VERSION: u32 = 1;

/// The two ends of an interval at 95 %; `null` for one that is too far away for a number.
type Ends = [Option<f64>; 2];

/// The verdicts of many machines on the claims: class.json.
#[derive(Serialize, JsonSchema)]
struct ClassDocument<'c> {
    /// Version of this format.
    schema_version: u32,
    /// Version of the rules by which all runs are judged here.
    rules_version: u32,
    /// Folders that were left out because they could not be read.
    folders_not_read: usize,
    /// By name.
    machines: Vec<MachineEntry<'c>>,
    /// Every claim, in the order of `hola claims`.
    claims: Vec<ClaimEntry<'c>>,
}

/// A machine, as its newest run recorded it.
#[derive(Serialize, JsonSchema)]
struct MachineEntry<'c> {
    /// Hash of its oldest run.
    id: &'c str,
    /// No other machine has this name.
    name: &'c str,
    /// Processor, as the kernel names it.
    cpu_model: &'c str,
    /// CPUs that a run may use.
    cpus: usize,
    /// Memory, in MiB.
    memory_mib: u64,
    /// Release of the kernel.
    kernel: &'c str,
    /// Whether a hypervisor announces itself.
    is_virtual: bool,
    /// The oldest first.
    runs: Vec<RunEntry<'c>>,
}

/// A run of a machine.
#[derive(Serialize, JsonSchema)]
struct RunEntry<'c> {
    /// Hash of its records.
    id: &'c str,
    /// What it is called.
    label: &'c str,
    /// How much it was to measure.
    profile: Profile,
    /// Version of the rules that applied when it was made.
    rules_version: u32,
}

/// A claim, and the machines' votes on it.
#[derive(Serialize, JsonSchema)]
struct ClaimEntry<'c> {
    /// Its name on the command line.
    claim: &'c str,
    /// The claim in one sentence.
    statement: StoredText,
    /// The verdict of the most machines; `null` if none measured the claim.
    leading: Option<Verdict>,
    /// A vote of each machine that measured the claim.
    votes: Vec<VoteEntry<'c>>,
    /// The quantity on which most votes rest, as an index of `quantities`.
    key_quantity: Option<usize>,
    /// What the claim tests, over all machines.
    quantities: Vec<QuantityEntry<'c>>,
    /// The votes by each property in which the machines differ.
    properties: Vec<PropertyEntry<'c>>,
}

/// A machine's vote.
#[derive(Serialize, JsonSchema)]
struct VoteEntry<'c> {
    /// `id` of the machine.
    machine: &'c str,
    /// `id` of the run by which it votes.
    run: &'c str,
    /// What that run decided.
    verdict: Verdict,
    /// The findings on which the verdict rests.
    rests_on: Vec<FindingEntry<'c>>,
}

/// A finding of a run.
#[derive(Serialize, JsonSchema)]
struct FindingEntry<'c> {
    /// What was tested.
    what: &'c str,
    /// The estimate.
    value: f64,
    /// Its interval, over blocks.
    interval: Ends,
    /// p-value after Holm's correction over all findings of the claim.
    p_holm: f64,
}

/// A quantity on every machine that measured it.
#[derive(Serialize, JsonSchema)]
struct QuantityEntry<'c> {
    /// What was tested.
    what: &'c str,
    /// What the claim expects of it.
    expected: String,
    /// Its value on each machine.
    values: Vec<ValueEntry<'c>>,
    /// The summary over machines; `null` for values with a unit, for differences, and with too few machines.
    random_effects: Option<EffectsEntry>,
}

/// A quantity on one machine.
#[derive(Serialize, JsonSchema)]
struct ValueEntry<'c> {
    /// `id` of the machine.
    machine: &'c str,
    /// The estimate.
    value: f64,
    /// Its interval, over blocks.
    interval: Ends,
}

/// Random effects: what machines have in common, and how they differ.
#[derive(Serialize, JsonSchema)]
struct EffectsEntry {
    /// Ratio of the mean machine.
    mean: f64,
    /// Its interval, over machines.
    interval: Ends,
    /// Standard deviation of the machines' true log ratios.
    tau: f64,
    /// The true ratio of one more machine lies between these two, with 95 % confidence.
    prediction: Ends,
    /// Number of machines.
    machines: u32,
}

/// The votes on a claim by a property of the machines.
#[derive(Serialize, JsonSchema)]
struct PropertyEntry<'c> {
    /// The property.
    property: MachineProperty,
    /// A group for each of its values.
    groups: Vec<GroupEntry<'c>>,
    /// p-value of no dependence, after Holm's correction over all properties of all claims.
    p_holm: f64,
    /// Whether the verdict depends on it.
    is_dependent: bool,
}

/// Machines with the same value of a property.
#[derive(Serialize, JsonSchema)]
struct GroupEntry<'c> {
    /// That value.
    value: &'c str,
    /// How many of them have which verdict.
    votes: &'c BTreeMap<Verdict, usize>,
}

/// Formats a class as JSON, with every vote and every quantity.
pub(super) fn json(view: ClassView<'_>) -> String {
    let class = view.class;
    let document = ClassDocument {
        schema_version: SCHEMA_VERSION,
        rules_version: RULES_VERSION,
        folders_not_read: view.unread,
        machines: class.machines.iter().map(machine).collect(),
        claims: class.claims.iter().map(|one| claim(class, one)).collect(),
    };
    escape::json(&format!("{:#}", json!(document))) + "\n"
}

/// The published JSON Schema of `class.json`.
pub fn schema() -> Schema {
    schema_for!(ClassDocument<'static>)
}

fn machine(machine: &Machine) -> MachineEntry<'_> {
    let environment = &machine.newest().environment;
    let runs = machine.runs.iter().map(|run| RunEntry {
        id: &run.identity.id,
        label: &run.identity.label,
        profile: run.profile,
        rules_version: run.rules_version,
    });
    MachineEntry {
        id: machine.id(),
        name: &machine.name,
        cpu_model: &environment.cpu_model,
        cpus: environment.cpus.len(),
        memory_mib: environment.memory_mib,
        kernel: &environment.kernel,
        is_virtual: environment.virtualised,
        runs: runs.collect(),
    }
}

fn claim<'c>(class: &'c Class, one: &'c ClaimVotes) -> ClaimEntry<'c> {
    let quantities = one.quantities.iter().map(|own| quantity(class, own));
    ClaimEntry {
        claim: one.claim.id,
        statement: one.claim.statement.into(),
        leading: one.leading(),
        votes: one.votes.iter().map(|own| vote(class, own)).collect(),
        key_quantity: one.key,
        quantities: quantities.collect(),
        properties: one.properties.iter().map(property).collect(),
    }
}

fn vote<'c>(class: &'c Class, vote: &'c MachineVote) -> VoteEntry<'c> {
    let findings = vote.decision.key_findings().into_iter();
    VoteEntry {
        machine: class.machines[vote.machine].id(),
        run: &class.run_of(vote).identity.id,
        verdict: vote.decision.verdict,
        rests_on: findings.filter_map(finding).collect(),
    }
}

fn finding(finding: &Finding) -> Option<FindingEntry<'_>> {
    let found = finding.estimate.as_ref().ok()?;
    Some(FindingEntry {
        what: &finding.what.en,
        value: found.value,
        interval: interval(found),
        p_holm: finding.p_value,
    })
}

fn quantity<'c>(class: &'c Class, quantity: &'c QuantitySummary) -> QuantityEntry<'c> {
    let values = quantity.values.iter().map(|own| value(class, own));
    QuantityEntry {
        what: &quantity.what.en,
        expected: quantity.threshold.text(Language::English),
        values: values.collect(),
        random_effects: quantity.effects.map(effects),
    }
}

fn value<'c>(class: &'c Class, value: &MachineValue) -> ValueEntry<'c> {
    ValueEntry {
        machine: class.machines[value.machine].id(),
        value: value.estimate.value,
        interval: interval(&value.estimate),
    }
}

fn effects(effects: RandomEffects) -> EffectsEntry {
    let (low, high) = effects.prediction;
    EffectsEntry {
        mean: effects.mean.value,
        interval: interval(&effects.mean),
        tau: effects.tau,
        prediction: ends(low, high),
        machines: effects.mean.blocks,
    }
}

fn property(votes: &PropertyVotes) -> PropertyEntry<'_> {
    let groups = votes.groups.iter();
    PropertyEntry {
        property: votes.property,
        groups: groups
            .map(|(value, votes)| GroupEntry { value, votes })
            .collect(),
        p_holm: votes.p_holm,
        is_dependent: votes.is_dependent(),
    }
}

fn interval(estimate: &Estimate) -> Ends {
    ends(estimate.low, estimate.high)
}

fn ends(low: f64, high: f64) -> Ends {
    [low, high].map(|end| Some(end).filter(|end| end.is_finite()))
}
