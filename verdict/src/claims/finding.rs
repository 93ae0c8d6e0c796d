//! What a claim's test found, and what it comes to.

use hola_lab::record::StoredText;

use crate::analysis::Missing;
use crate::estimate::Estimate;

/// What a run says to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is so.
    Holds,
    /// It is not so.
    Fails,
    /// It is so at one place and not so at another, both shown.
    Depends,
    /// The intervals are too wide to say.
    Undecided,
    /// This run has not measured it, or no run can.
    NotMeasured,
}

/// A verdict with what it rests on.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// Every quantity that was tested.
    pub findings: Vec<Finding>,
    /// One sentence: of what it rests on, on what it depends, what the resolution is, or why it was not measured.
    pub reason: StoredText,
}

/// One tested quantity.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was tested.
    pub what: StoredText,
    /// What was found; `None` where it is missing.
    pub estimate: Option<Estimate>,
    /// What the claim expects of it.
    pub threshold: Expect,
    /// What it comes to.
    pub outcome: Outcome,
    /// Why there is no estimate.
    pub missing: Option<Missing>,
    /// Whether the verdict rests on it.
    pub decided: bool,
}

/// What a claim expects of a quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expect {
    /// More than this.
    Above(f64),
    /// Less than this.
    Below(f64),
    /// Between these two.
    Within(f64, f64),
}

/// What a tested quantity comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As the claim expects.
    Holds,
    /// Not as the claim expects.
    Fails,
    /// The interval is too wide to say.
    Undecided,
    /// There is no estimate.
    Missing,
}
