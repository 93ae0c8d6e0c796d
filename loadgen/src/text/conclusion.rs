//! Plain sentences on a result: what limits it, what its failures mean, and what helps.

use super::time;
use crate::response::{MAX_FIELDS, MAX_HEAD};
use crate::summary::{Check, CheckName, LoopKind, PlannedStart, Summary};

/// What to say when a check fails; the first one that applies explains the others.
#[rustfmt::skip] // a table
const CAUSES: [(CheckName, &str); 12] = [
    (CheckName::TimeAway, "the generator itself did not run for part of the window (see time_away), and nothing of that is the server's."),
    (CheckName::Throttling, "a CPU quota held the generator up (see throttling): raise it, or measure outside of that control group."),
    (CheckName::Generator, "the generator set the limit, not the server."),
    (CheckName::Failures, "failures set the limit, and their causes must go first."),
    (CheckName::BackOff, "the clients spent part of their time waiting to try again after failures (see back_off), so this is not the pace of a server that answers."),
    (CheckName::Body, "wrong answers set the limit: what was fast was not what was asked for."),
    (CheckName::KernelEvidence, "the kernel's queues set the limit (see kernel_evidence): part of these times is spent before the server sees a client."),
    (CheckName::Modes, "SYNs were lost and sent again (see modes): part of these times is spent before the server sees a client."),
    (CheckName::Offered, "the server fell behind the rate: part of the planned requests was never sent."),
    (CheckName::Throughput, "the answers broke off for part of the window (see throughput), so no rate describes the whole of it."),
    (CheckName::LittlesLaw, "rate and response time do not account for the clients."),
    (CheckName::SteadyState, "the server was still changing while it was measured: a longer warm-up, or a longer window, is needed."),
];

/// Why there is nothing to judge; `None` if any request ended in the window.
pub(crate) fn nothing_measured(summary: &Summary) -> Option<String> {
    let counts = &summary.counts;
    match counts {
        _ if counts.ended() > 0 => None,
        _ if counts.planned == 0 => Some(
            "nothing was measured: no request was due in the window (use a longer --duration, or a higher --rate)"
                .to_owned(),
        ),
        _ if counts.sent == 0 => Some("nothing was measured: no request was sent".to_owned()),
        _ => Some(format!(
            "nothing was measured: {} requests were sent and none of them ended in the window (use a longer --duration, or less load)",
            counts.sent
        )),
    }
}

/// What limits the result.
pub(crate) fn sentence(summary: &Summary) -> String {
    if let Some(reason) = nothing_measured(summary) {
        return format!("INVALID: {reason}.");
    }
    let failed: Vec<&Check> = summary.validity.iter().filter(|check| !check.ok).collect();
    let cause = CAUSES
        .iter()
        .find(|(name, _)| failed.iter().any(|check| check.check == *name));
    if let Some((_, sentence)) = cause {
        return format!("INVALID: {sentence} This figure must not be ranked.");
    }
    if !failed.is_empty() {
        let names: Vec<String> = failed
            .iter()
            .map(|check| format!("{} ({})", check.check, check.check.asks()))
            .collect();
        return format!(
            "INVALID: {} did not hold. This figure must not be ranked.",
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

/// Sentences on the failures of a load, and on events that look like failures but are none.
pub(super) fn notes(summary: &Summary) -> Vec<String> {
    let counts = &summary.counts;
    let mut notes = Vec::new();
    if counts.closed_between_requests > 0 {
        notes.push(format!(
            "no failures: the server closed {} kept connections between requests",
            counts.closed_between_requests
        ));
    }
    notes.extend(summary.start.as_ref().map(start));
    for cause in counts.failed.keys() {
        notes.extend(remedy(cause));
    }
    notes
}

/// How exactly a planned start was kept.
#[allow(clippy::cast_precision_loss)] // microseconds of a clock's error
fn start(start: &PlannedStart) -> String {
    let clock = match start.clock_error_us {
        Some(error_us) => format!("within {} of the true time", time(error_us as f64)),
        None => "that nothing keeps right, as far as the kernel knows".to_owned(),
    };
    format!(
        "started at {}, {} late, by a clock {clock}",
        start.at,
        time(start.late_us)
    )
}

fn remedy(cause: &str) -> Option<String> {
    Some(match cause {
        "local_EADDRNOTAVAIL" => {
            "local_EADDRNOTAVAIL: the local ports ran out, since a closed connection holds its port for a minute; keep \
             connections (--requests-per-connection), connect from more addresses (--source) or ports (--local-ports), or \
             close with --close reset"
                .to_owned()
        }
        "local_EMFILE" | "local_ENFILE" => {
            format!("{cause}: the open files ran out; raise the limit (ulimit -n, fs.file-max) or ask for fewer clients")
        }
        "local_EAGAIN" => {
            "local_EAGAIN: the accept queue of a Unix domain socket was full, which a client learns at once: ask for fewer \
             clients, or give the server a longer backlog"
                .to_owned()
        }
        "head_too_long" => format!(
            "head_too_long: no more than {MAX_HEAD} bytes and {MAX_FIELDS} fields of a head are read"
        ),
        "bad_body" => "bad_body: --expect-body says which body is right, or that any is".to_owned(),
        "status_301" | "status_302" | "status_303" | "status_307" | "status_308" => format!(
            "{cause}: redirections are not followed; load the URL that they name, or expect them with --expect-status 3xx"
        ),
        _ => return None,
    })
}
