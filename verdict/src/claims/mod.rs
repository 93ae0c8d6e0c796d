//! What people say about threads, processes and async, and the verdict of a run on each.

mod finding;

pub use self::finding::{Decision, Expect, Finding, Outcome, Verdict};

use hola_base::Text;

use crate::analysis::Analysis;

/// Where a claim comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The course material that the project grew from.
    Course,
    /// A common saying of the field.
    Field,
}

/// A claim, with the test that decides it.
#[derive(Clone, Copy)]
pub struct Claim {
    /// Name on the command line.
    pub id: &'static str,
    /// The claim in one sentence.
    pub statement: Text,
    /// Why it could be so or not, and what the test takes its words to mean.
    pub why: Text,
    /// Where it comes from.
    pub origin: Origin,
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
pub const CLAIMS: &[Claim] = &[];

/// The claim of that name.
pub fn find(id: &str) -> Option<&'static Claim> {
    CLAIMS.iter().find(|claim| claim.id == id)
}
