//! Common claims about threads, processes and async, and the verdict of a run on each.
//!
//! A claim is one record with one function from the analysis to a [`Decision`]. Its thresholds are constants with
//! reasons, fixed before anything is measured. A change of a threshold raises [`crate::RULES_VERSION`].

mod accepting;
mod decide;
mod events;
mod evidence;
mod finding;
mod languages;
mod load;
mod processes;
mod threads;

use hola_base::Text;

pub use self::finding::{Decision, Expect, Finding, Outcome, Verdict};
use crate::analysis::{Analysis, LevelKey};

/// A claim, with the test that decides it.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Name on the command line.
    pub id: &'static str,
    /// The claim in one sentence.
    pub statement: Text,
    /// Why the claim may hold or fail, and how the test defines its words.
    pub why: Text,
    /// Experiments that its test needs.
    pub experiments: &'static [&'static str],
    /// Models and targets that its test needs.
    pub servers: &'static [&'static str],
    /// The test.
    pub decide: fn(&Analysis<'_>) -> Decision,
    /// What the test leaves out.
    pub left_out: Text,
}

impl Claim {
    /// The command that measures what its test needs.
    pub fn rerun(&self) -> String {
        format!("hola compare --profile full --claims {}", self.id)
    }
}

/// Every claim.
pub const CLAIMS: &[Claim] = &[
    threads::NO_WAIT,
    threads::LIGHT,
    threads::COST,
    threads::COLLAPSE,
    events::SCALES,
    processes::PARALLEL,
    processes::SCALES,
    processes::HEAVY,
    processes::SATURATES,
    processes::ISOLATION,
    processes::SHARING,
    threads::SELECTORS,
    accepting::BACKLOG,
    accepting::ITERATIVE,
    threads::SIMPLE,
    threads::DEBUG,
    processes::FORK_VS_THREAD,
    accepting::POOL,
    events::FASTER,
    events::WHEN_WAITING,
    events::BLOCKING,
    load::OVERLOAD,
    events::URING,
    accepting::HERD,
    events::FIRST_READ,
    events::DEADLINES,
    languages::GOROUTINES,
    languages::VIRTUAL_THREADS,
    languages::NO_GIL,
    languages::NODE,
    load::LOW,
];

/// The claim of that name.
pub fn find(id: &str) -> Option<&'static Claim> {
    CLAIMS.iter().find(|claim| claim.id == id)
}

// Participants, levels and thresholds that several claims share.

const FORK: &str = "fork-per-client";
const THREADS: &str = "thread-per-client";
const TOKIO: &str = "tokio";

const NEW: LevelKey<'static> = crate::analysis::HEADLINE;
const KEPT: LevelKey<'static> = LevelKey::new("equal-load", "kept, 2000/s");
const ONE_CPU: LevelKey<'static> = LevelKey::new("scaling", "1 CPU");
const TWO_CPUS: LevelKey<'static> = LevelKey::new("scaling", "2 CPUs");
const CROWD: LevelKey<'static> = LevelKey::new("crowd", "up to 10000");
const NONE_SLOW: LevelKey<'static> = LevelKey::new("slow-client", "no slow client");
const ONE_SLOW: LevelKey<'static> = LevelKey::new("slow-client", "1 slow client");
const EIGHT_SLOW: LevelKey<'static> = LevelKey::new("slow-client", "8 slow clients");

/// Costs less, by more than the margin of 5 % within which costs are called the same.
const CHEAPER: Expect = Expect::Below(0.95);

/// More, by more than the same margin.
const MORE: Expect = Expect::Above(1.05);

/// More, by more than the tenth within which times are called the same.
const TENTH_MORE: Expect = Expect::Above(1.1);

/// At least half as much again: an obvious difference, and much larger than that between two builds of one program.
const HALF_MORE: Expect = Expect::Above(1.5);

/// Keeps nine tenths of the goodput: sharing the CPU with eight slow clients, which hardly use it, costs less than a
/// tenth.
const KEEPS_GOODPUT: Expect = Expect::Above(0.9);
