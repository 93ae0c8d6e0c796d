//! Many runs put together: how many machines a claim holds on, by how much, and what that depends on.
//!
//! **A machine has one vote on each claim**, however many runs it made: they share the machine, so they are not
//! independent. It votes by the run that measured the claim with the most blocks to be expected: a full run before a
//! quick one, a complete run before an incomplete one, and then the newest. The verdict of a run does not matter for
//! that choice.

mod properties;
mod quantities;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use hola_lab::plan::Profile;
use hola_lab::record::{Block, Environment, Run, RunStatus};

pub use self::properties::{MachineProperty, PropertyVotes};
pub use self::quantities::{MachineValue, QuantitySummary};
use crate::analysis::Analysis;
use crate::claims::{CLAIMS, Claim, Decision, Verdict};

/// A run as a class needs it: its verdicts, without its blocks.
#[derive(Clone, Debug)]
pub struct JudgedRun {
    /// Which run it is.
    pub identity: RunIdentity,
    /// UTC, RFC 3339.
    pub started_at: String,
    /// How much was to be measured.
    pub profile: Profile,
    /// How far it came.
    pub status: RunStatus,
    /// Version of the rules that applied when it was made.
    pub rules_version: u32,
    /// Where it was measured.
    pub environment: Environment,
    /// The decision on each of [`CLAIMS`], in that order.
    pub decisions: Vec<Decision>,
}

/// Which run it is, and of which machine.
#[derive(Clone, Debug)]
pub struct RunIdentity {
    /// Hash of its records, as hexadecimal digits.
    pub id: String,
    /// What it is called.
    pub label: String,
    /// Runs with the same text are of one machine.
    pub machine: String,
    /// What its machine is called.
    pub machine_name: String,
}

/// The machines, and their votes on every claim.
#[derive(Clone, Debug)]
pub struct Class {
    /// By name.
    pub machines: Vec<Machine>,
    /// The votes on each of [`CLAIMS`], in that order.
    pub claims: Vec<ClaimVotes>,
}

/// A machine and its runs.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What it is called; no other machine of the class has this name.
    pub name: String,
    /// Its runs, the oldest first; at least one.
    pub runs: Vec<JudgedRun>,
}

/// All votes on a claim.
#[derive(Clone, Debug)]
pub struct ClaimVotes {
    /// The claim.
    pub claim: &'static Claim,
    /// A vote of each machine that measured the claim, in the order of the machines.
    pub votes: Vec<MachineVote>,
    /// What the claim tests, over all machines that measured it.
    pub quantities: Vec<QuantitySummary>,
    /// The quantity on which most votes rest, as an index of `quantities`.
    pub key: Option<usize>,
    /// The votes by the properties in which the machines differ.
    pub properties: Vec<PropertyVotes>,
}

/// A machine's vote on a claim.
#[derive(Clone, Debug)]
pub struct MachineVote {
    /// The machine, as an index of [`Class::machines`].
    pub machine: usize,
    /// The run by which it votes, as an index of [`Machine::runs`].
    pub run: usize,
    /// What that run decided.
    pub decision: Decision,
}

/// What tells machines apart in their records: the processor, how many of its CPUs may be used and for how long, the
/// memory, and whether the machine is virtual. The kernel is left out, because an update changes it. Two machines of
/// the same make are one.
pub fn hardware(environment: &Environment) -> String {
    // In GiB, rounded: kernels differ in how much memory they keep for themselves.
    let memory_gib = (environment.memory_mib + 512) / 1024;
    let (model, cpus) = (&environment.cpu_model, environment.cpus.len());
    let (quota, is_virtual) = (environment.cpu_quota, environment.virtualised);
    format!("{model}, {cpus} CPUs, quota {quota:?}, {memory_gib} GiB, virtual: {is_virtual}")
}

impl JudgedRun {
    /// Decides every claim from the records of a run.
    pub fn new(run: &Run, blocks: &[Block], identity: RunIdentity) -> Self {
        let analysis = Analysis::new(run, blocks);
        let decisions = CLAIMS.iter().map(|claim| (claim.decide)(&analysis));
        JudgedRun {
            identity,
            started_at: run.started_at.clone(),
            profile: run.profile,
            status: run.status,
            rules_version: run.rules_version,
            environment: run.environment.clone(),
            decisions: decisions.collect(),
        }
    }
}

impl Class {
    /// Puts runs together. Their order does not matter, and a run that is there twice counts once.
    pub fn new(mut runs: Vec<JudgedRun>) -> Self {
        // A time of foreign records is compared as text; the hash decides between runs of one second.
        runs.sort_by_cached_key(|run| {
            let RunIdentity { id, label, .. } = run.identity.clone();
            (run.started_at.clone(), id, label)
        });
        runs.dedup_by(|left, right| left.identity.id == right.identity.id);
        let mut by_machine: BTreeMap<String, Vec<JudgedRun>> = BTreeMap::new();
        for run in runs {
            let runs = by_machine.entry(run.identity.machine.clone());
            runs.or_default().push(run);
        }
        let mut machines: Vec<Machine> = by_machine.into_values().map(Machine::new).collect();
        make_names_unique(&mut machines);
        machines.sort_by(|left, right| left.name.cmp(&right.name));
        let claims = CLAIMS.iter().enumerate();
        let claims = claims.map(|(index, claim)| ClaimVotes::new(claim, index, &machines));
        let mut claims: Vec<ClaimVotes> = claims.collect();
        properties::correct(claims.iter_mut().flat_map(|one| &mut one.properties));
        Class { machines, claims }
    }

    /// The run by which a machine votes.
    pub fn run_of(&self, vote: &MachineVote) -> &JudgedRun {
        &self.machines[vote.machine].runs[vote.run]
    }

    /// All runs.
    pub fn runs(&self) -> impl Iterator<Item = &JudgedRun> {
        self.machines.iter().flat_map(|machine| &machine.runs)
    }
}

impl Machine {
    fn new(runs: Vec<JudgedRun>) -> Self {
        Machine {
            name: runs[0].identity.machine_name.clone(),
            runs,
        }
    }

    /// What it is called in addresses: the hash of its oldest run, which newer runs and other names do not change.
    pub fn id(&self) -> &str {
        &self.runs[0].identity.id
    }

    /// Its newest run.
    pub fn newest(&self) -> &JudgedRun {
        &self.runs[self.runs.len() - 1]
    }

    fn vote(&self, machine: usize, claim: usize) -> Option<MachineVote> {
        let runs = self.runs.iter().enumerate();
        let measured = runs.filter(|(_, run)| {
            let verdict = run.decisions[claim].verdict;
            verdict != Verdict::NotMeasured
        });
        let (run, best) = measured.max_by_key(|(index, run)| {
            let is_full = run.profile == Profile::Full;
            let is_complete = run.status == RunStatus::Complete;
            (is_full, is_complete, *index)
        })?;
        Some(MachineVote {
            machine,
            run,
            decision: best.decisions[claim].clone(),
        })
    }
}

/// Gives machines whose names are the same those of their oldest runs, and the hash if those are the same, too.
fn make_names_unique(machines: &mut [Machine]) {
    let label = |machine: &Machine| machine.runs[0].identity.label.clone();
    let with_id = |machine: &Machine| format!("{} {:.8}", label(machine), machine.id());
    for rename in [&label as &dyn Fn(&Machine) -> String, &with_id] {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for machine in machines.iter() {
            *counts.entry(machine.name.clone()).or_default() += 1;
        }
        for machine in machines.iter_mut() {
            if counts[&machine.name] > 1 {
                machine.name = rename(machine);
            }
        }
    }
}

impl ClaimVotes {
    fn new(claim: &'static Claim, index: usize, machines: &[Machine]) -> Self {
        let votes = machines.iter().enumerate();
        let votes = votes.filter_map(|(machine, own)| own.vote(machine, index));
        let votes: Vec<MachineVote> = votes.collect();
        let quantities = quantities::summarise(&votes);
        let environment = |vote: &MachineVote| {
            let run = &machines[vote.machine].runs[vote.run];
            (&run.environment, vote.decision.verdict)
        };
        let verdicts: Vec<(&Environment, Verdict)> = votes.iter().map(environment).collect();
        ClaimVotes {
            claim,
            key: quantities::key(&quantities, &votes),
            properties: properties::by_property(&verdicts),
            votes,
            quantities,
        }
    }

    /// Number of machines with that verdict, of those that measured the claim.
    pub fn count(&self, verdict: Verdict) -> usize {
        let votes = self.votes.iter();
        votes
            .filter(|vote| vote.decision.verdict == verdict)
            .count()
    }

    /// The verdict of the most machines; of verdicts that as many have, the one that says less. `None` if no machine
    /// measured the claim.
    pub fn leading(&self) -> Option<Verdict> {
        let verdicts = [
            Verdict::Undecided,
            Verdict::Depends,
            Verdict::Fails,
            Verdict::Holds,
        ];
        let found = verdicts.into_iter().filter(|one| self.count(*one) > 0);
        // Of equal ones, `min_by_key` takes the first.
        found.min_by_key(|one| Reverse(self.count(*one)))
    }

    /// Whether the claim holds on some machines and fails on others.
    pub fn is_disputed(&self) -> bool {
        self.count(Verdict::Holds) > 0 && self.count(Verdict::Fails) > 0
    }

    /// The quantity on which most votes rest.
    pub fn key_quantity(&self) -> Option<&QuantitySummary> {
        self.key.map(|index| &self.quantities[index])
    }
}
