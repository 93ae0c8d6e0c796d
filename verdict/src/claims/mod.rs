//! Claims: sentences that people say about threads, processes and async, each with the rule that decides it.
//!
//! A claim is data: what is said, why it would be so, and a [`rule::Rule`] over figures of experiments. [`decide::decide`] puts the
//! rule to the [`evidence::Evidence`] and comes to a [`decide::Verdict`]; [`words`] says it all in both languages.

pub mod changes;
pub mod decide;
pub mod effect;
pub mod evidence;
pub mod names;
pub mod of_run;
pub mod rising;
pub mod rule;
pub mod source;
pub mod turning;
pub mod words;

mod accepting;
mod events;
mod load;
mod places;
mod processes;
mod threads;

use hola_servers::models::Bilingual;
use serde::Serialize;

use rule::Rule;

/// A sentence that people say, and what decides it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Claim {
    /// Name on the command line and in reports.
    pub id: &'static str,
    /// What is said.
    pub statement: Bilingual,
    /// Why it would be so, and how it is looked at.
    pub why: Bilingual,
    /// Who says it.
    pub source: Source,
    /// What decides it.
    pub rule: Rule,
    /// What the rule leaves out.
    pub not_measured: Bilingual,
}

/// Who says a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Course material on client/server programming.
    Course,
    /// A common saying in the field.
    Field,
}

const LISTS: [&[Claim]; 5] = [
    threads::CLAIMS,
    processes::CLAIMS,
    accepting::CLAIMS,
    events::CLAIMS,
    load::CLAIMS,
];

/// Every claim, by subject.
pub fn all() -> impl Iterator<Item = &'static Claim> {
    LISTS.into_iter().flatten()
}

/// The claim of that name.
pub fn find(id: &str) -> Option<&'static Claim> {
    all().find(|claim| claim.id == id)
}
