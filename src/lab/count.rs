//! Whether a counter that all clients share lost anything: `/count` against the server's own books.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use hola_loadgen::summary::Check;

use super::server_process::Bill;

/// Where the counter is.
pub(super) const PATH: &str = "/count";
/// Longest wait for the answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Asks for the count once more, on a connection of its own.
///
/// # Errors
/// What the system said, or `InvalidData` for an answer that is no number.
pub(super) fn ask(target: SocketAddr) -> io::Result<u64> {
    let mut socket = TcpStream::connect_timeout(&target, ANSWER_MAX)?;
    socket.set_read_timeout(Some(ANSWER_MAX))?;
    let request = format!("GET {PATH} HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes())?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let body = answer.rsplit("\r\n\r\n").next();
    body.and_then(|body| body.trim().parse().ok())
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Compares the count with the bill: every request answered has been counted, and of the others only those that were
/// broken off may have been.
pub(super) fn judge(
    count: io::Result<u64>,
    bill: &Bill,
    figures: &mut BTreeMap<String, f64>,
    checks: &mut Vec<Check>,
) {
    let counters = &bill.counters;
    let broken_off = counters.broken + counters.expired + counters.crashed;
    let (ok, detail) = match count {
        Err(error) => (false, format!("the count could not be asked for: {error}")),
        Ok(count) => {
            let missing = counters.answers.saturating_sub(count);
            #[allow(clippy::cast_precision_loss, reason = "requests of a trial are few")]
            figures.insert("count_missing".into(), missing as f64);
            (
                (counters.answers..=counters.answers + broken_off).contains(&count),
                format!(
                    "counted {count}, answered {}, broken off {broken_off}",
                    counters.answers
                ),
            )
        }
    };
    checks.push(Check {
        check: "count".into(),
        ok,
        detail,
    });
}
