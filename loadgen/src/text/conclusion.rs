//! One plain sentence on what limits a result.

use crate::summary::{Check, LoopKind, Summary};

/// What to say when a check fails, by the name of the check; the first one that applies explains the others.
const CAUSES: [(&str, &str); 6] = [
    (
        "generator",
        "The generator set the limit, not the server: do not rank this figure.",
    ),
    (
        "failures",
        "Failures set the limit: do not rank this figure before their causes are gone.",
    ),
    (
        "body",
        "Wrong answers set the limit: what was fast was not what was asked for.",
    ),
    (
        "kernel_evidence",
        "The kernel's queues set the limit (see kernel_evidence): part of these times is spent before the server sees a \
         client.",
    ),
    (
        "offered",
        "The server fell behind the rate: part of the planned requests was never sent, so do not rank this figure.",
    ),
    (
        "littles_law",
        "Rate and response time do not account for the clients: do not rank this figure.",
    ),
];

/// What limits the result.
pub(crate) fn sentence(summary: &Summary) -> String {
    let failed: Vec<&Check> = summary.validity.iter().filter(|check| !check.ok).collect();
    let cause = CAUSES
        .iter()
        .find(|(name, _)| failed.iter().any(|check| check.check == *name));
    if let Some((_, sentence)) = cause {
        return (*sentence).to_owned();
    }
    if !failed.is_empty() {
        let names: Vec<&str> = failed.iter().map(|check| check.check.as_str()).collect();
        return format!(
            "Do not rank this figure: {} did not hold.",
            names.join(", ")
        );
    }
    let plan = &summary.plan;
    match plan.loop_kind {
        LoopKind::Closed => format!(
            "Every check held: {} clients waited for the server, so this is its pace with that many. A closed loop hides \
             stalls; use --rate to see them.",
            plan.clients.unwrap_or(0)
        ),
        LoopKind::Open => format!(
            "Every check held: requests were sent as planned, so these are the response times a client would see. The rate \
             of {}/s was the limit, not the server.",
            plan.rate_per_s.unwrap_or(0.0)
        ),
    }
}
