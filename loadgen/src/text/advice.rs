//! Advice that the counts do not give: what a cause means, and what helps.

use crate::response::{MAX_FIELDS, MAX_HEAD};
use crate::summary::Summary;

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
    for cause in counts.failed.keys() {
        notes.extend(remedy(cause));
    }
    notes
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
        "head_too_long" => format!(
            "head_too_long: no more than {MAX_HEAD} bytes and {MAX_FIELDS} fields of a head are read"
        ),
        _ => return None,
    })
}
