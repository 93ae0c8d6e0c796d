//! System calls of a server per request, counted from outside by strace(1). Counts do not change with the machine's
//! speed, so they check the costs, which do.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hola_loadgen::{Pace, Stop, Workload};
use nix::sys::signal::Signal;
use procfs::process::Process;

use super::{FreshServer, ProcedureResult};
use crate::child::ChildProcess;
use crate::metric::Metric;
use crate::process_tree;

/// Clients at once: as under load, a request has arrived when its client is accepted.
const CLIENTS: u32 = 16;
/// Longest wait for strace to attach, and to write what it has counted.
const STRACE_MAX: Duration = Duration::from_secs(5);
/// Polling interval until it has attached.
const POLL_INTERVAL: Duration = Duration::from_millis(2);
/// Calls that are named, the most frequent first.
const NAMED_MAX: usize = 6;

/// Why system calls cannot be counted here; `None` when they can.
pub(crate) fn unavailable() -> Option<String> {
    let version = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let is_there = version.is_ok_and(|status| status.success());
    (!is_there).then(|| "strace is not installed: apt-get install strace".to_owned())
}

/// Sends `requests` requests to a fresh server while strace counts.
pub(super) fn measure(fresh: &FreshServer<'_>, requests: u32) -> Result<ProcedureResult, String> {
    let server = fresh.start(&[])?;
    let folder = tempfile::tempdir().map_err(|error| format!("no folder for strace: {error}"))?;
    let counted = folder.path().join("counted");
    let processes = process_tree::processes(server.pid());
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-o"]).arg(&counted);
    for process in &processes {
        command.args(["-p", &process.pid().to_string()]);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Killing it detaches it from the server.
    let mut strace = ChildProcess::spawn("strace", &mut command)
        .map_err(|error| format!("cannot run strace: {error}"))?;
    wait_until_traced(&processes)?;
    let workload = Workload {
        pace: Pace::Closed { clients: CLIENTS },
        stop: Stop::Requests(requests.into()),
        ..fresh.workload(server.address())
    };
    let measured = fresh.load(&workload, fresh.lab);
    // It writes its table and detaches. It may have ended with the server.
    strace.signal(Signal::SIGINT);
    strace.wait_at_most(STRACE_MAX)?;
    let counts = measured?.summary.counts;
    let table = fs::read_to_string(&counted).map_err(|error| format!("strace: {error}"))?;

    let mut found = ProcedureResult::default();
    let calls = calls(&table);
    let per_request = |count: u32| f64::from(count) / f64::from(requests);
    found.figure(Metric::SystemCalls, per_request(calls.values().sum()));
    found.note("calls", named(&calls, per_request));
    let why = format!("{} of {requests} requests were answered", counts.ok);
    found.check("all_answered", counts.ok == u64::from(requests), why);
    found.note_end(server.stop());
    Ok(found)
}

/// Waits until another process traces each of them (proc(5), `TracerPid`).
fn wait_until_traced(processes: &[Process]) -> Result<(), String> {
    let is_traced = |process: &Process| process.status().is_ok_and(|status| status.tracerpid != 0);
    let deadline = Instant::now() + STRACE_MAX;
    while !processes.iter().all(is_traced) {
        if Instant::now() > deadline {
            return Err("strace does not attach".into());
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}

/// Calls by name, from strace's table: share of time, seconds, time of a call, calls, errors if there were any, name.
fn calls(table: &str) -> BTreeMap<String, u32> {
    let rows = table.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, _, _, calls, .., name] = fields[..] else {
            return None;
        };
        let calls = calls.parse().ok()?;
        (name != "total").then(|| (name.to_owned(), calls))
    });
    rows.collect()
}

/// The most frequent calls in words: `2.0 × close, accept4`.
fn named(calls: &BTreeMap<String, u32>, per_request: impl Fn(u32) -> f64) -> String {
    let calls = calls
        .iter()
        .map(|(name, count)| (name, per_request(*count)));
    let mut calls: Vec<(&String, f64)> = calls.collect();
    calls.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let frequent = calls.into_iter().take(NAMED_MAX);
    let frequent = frequent.filter(|(_, count)| *count >= 0.05);
    let words = frequent.map(|(name, count)| match (0.95..1.05).contains(&count) {
        true => name.to_owned(),
        false => format!("{count:.1} × {name}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_straces_table_with_and_without_errors() {
        let table = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000600           3       200           close
 30.00    0.000300           3       100        20 recvfrom
------ ----------- ----------- --------- --------- ----------------
100.00    0.000900           3       300        20 total
";
        let calls = calls(table);
        assert_eq!(
            calls,
            BTreeMap::from([("close".into(), 200), ("recvfrom".into(), 100)])
        );
        assert_eq!(
            named(&calls, |count| f64::from(count) / 100.0),
            "2.0 × close, recvfrom"
        );
    }
}
