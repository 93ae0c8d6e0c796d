//! System calls of a server per request, counted from outside by strace(1). Counts do not change with the machine's
//! speed, so they check the costs, which do.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hola_loadgen::{Pace, Stop, Workload};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{FreshServer, ProcedureResult};
use crate::metric::Metric;
use crate::slice::StopFlag;
use crate::tree;

/// Clients at once: as under load, a request has arrived when its client is accepted.
const CLIENTS: u32 = 16;
/// Longest wait for strace to attach, and to write what it has counted.
const STRACE_MAX: Duration = Duration::from_secs(5);
/// Polling interval of these waits.
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
///
/// # Errors
/// Returns the reason if there is nothing to record.
pub(super) fn measure(fresh: &FreshServer<'_>, requests: u32) -> Result<ProcedureResult, String> {
    let server = fresh.start(&[])?;
    let folder = tempfile::tempdir().map_err(|error| format!("no folder for strace: {error}"))?;
    let counted = folder.path().join("counted");
    let pids: Vec<i32> = tree::processes(server.pid())
        .iter()
        .map(procfs::process::Process::pid)
        .collect();
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-o"]).arg(&counted);
    for pid in &pids {
        command.args(["-p", &pid.to_string()]);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut strace = Strace(
        command
            .spawn()
            .map_err(|error| format!("cannot run strace: {error}"))?,
    );
    wait_until("strace does not attach", || {
        pids.iter().all(|&pid| is_traced(pid))
    })?;
    let workload = Workload {
        pace: Pace::Closed { clients: CLIENTS },
        stop: Stop::Requests(requests.into()),
        warmup: Duration::ZERO,
        cpus: fresh.generator_cpus.to_vec(),
        seed: fresh.seed,
        ..Workload::new(server.address())
    };
    let measured = hola_loadgen::run(&workload, &StopFlag(fresh.interrupted));
    strace.end()?;
    fresh.stop_if_interrupted()?;
    let counts = measured.map_err(|error| error.to_string())?.summary.counts;
    let table = fs::read_to_string(&counted).map_err(|error| format!("strace: {error}"))?;

    let mut found = ProcedureResult::default();
    let calls = calls(&table);
    let per_request = |count: u32| f64::from(count) / f64::from(requests);
    found.figure(Metric::SystemCalls, per_request(calls.values().sum()));
    found.note("calls", named(&calls, per_request));
    found.check(
        "all_answered",
        counts.ok == u64::from(requests),
        format_args!("{} of {requests} requests were answered", counts.ok),
    );
    found.note_end(server.stop());
    Ok(found)
}

/// Whether another process traces this one (proc(5), `TracerPid`).
fn is_traced(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let tracer = status
        .lines()
        .find_map(|line| line.strip_prefix("TracerPid:"));
    tracer.is_some_and(|tracer| tracer.trim() != "0")
}

fn wait_until(complaint: &str, mut is_so: impl FnMut() -> bool) -> Result<(), String> {
    let deadline = Instant::now() + STRACE_MAX;
    while !is_so() {
        if Instant::now() > deadline {
            return Err(complaint.into());
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}

/// A running strace. Dropping it kills it, which detaches it from the server.
struct Strace(Child);

impl Strace {
    /// Makes it write its table and detach.
    fn end(&mut self) -> Result<(), String> {
        let pid = i32::try_from(self.0.id()).unwrap_or(i32::MAX);
        // strace may have ended with the server.
        let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
        wait_until("strace does not end", || {
            !matches!(self.0.try_wait(), Ok(None))
        })
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        // Both fail harmlessly when it has ended and been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
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
    let mut calls: Vec<(&str, f64)> = calls
        .iter()
        .map(|(name, count)| (name.as_str(), per_request(*count)))
        .collect();
    calls.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let words = calls
        .into_iter()
        .take(NAMED_MAX)
        .filter(|(_, count)| *count >= 0.05);
    let words = words.map(|(name, count)| match (0.95..1.05).contains(&count) {
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
