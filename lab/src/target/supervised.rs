//! A server that `hola supervise` runs, whatever it is.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::supervisor::{STOP_MAX, SupervisorReport, SupervisorStarted};
use crate::child::ChildProcess;
use crate::{cgroup, process_tree};

/// Longest wait for a server to listen: a hundred processes take a while on a busy machine.
pub(super) const START_MAX: Duration = Duration::from_secs(10);
/// Longest wait for the supervisor's report at the end: the server's own time to end, and 3 s.
pub(super) const END_MAX: Duration = Duration::from_secs(STOP_MAX.as_secs() + 3);
/// Most attempts to end the processes that a killed supervisor has left.
const END_ROUNDS_MAX: u32 = 200;
/// Polling interval while a server starts or ends.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Most bytes of the end of a server's output that an error quotes.
const LAST_WORDS_MAX: usize = 400;

/// A running server. Dropping it ends it and all its descendants.
#[derive(Debug)]
pub(super) struct SupervisedServer {
    /// The server runs until this process's standard input is closed.
    supervisor: ChildProcess,
    lines: mpsc::Receiver<String>,
    /// How the server ended, once that was told.
    report: Option<SupervisorReport>,
    /// Reads the supervisor's lines, and ends the processes that a killed supervisor has left.
    reader: Option<JoinHandle<()>>,
}

impl SupervisedServer {
    /// Runs `command`, which is `hola supervise`, for the server of that name, in that control group.
    pub(super) fn spawn(
        name: &str,
        command: &mut Command,
        cgroup: Option<PathBuf>,
    ) -> io::Result<Self> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A process group of its own: Ctrl-C must reach only the caller, which stops its servers itself.
            .process_group(0);
        let mut supervisor = ChildProcess::spawn(name, command)?;
        let stdout = supervisor.child.stdout.take();
        let (lines, reader) = read_lines(stdout, supervisor.pid(), cgroup);
        Ok(SupervisedServer {
            supervisor,
            lines,
            report: None,
            reader,
        })
    }

    /// Waits for the process id of the server; `None` if it does not start.
    pub(super) fn wait_until_started(&self) -> Option<i32> {
        let line = self.lines.recv_timeout(START_MAX).unwrap_or_default();
        let started = serde_json::from_str(&line).ok()?;
        process_id(self.supervisor.pid(), started)
    }

    /// Waits until `is_listening`. Returns whether it is.
    pub(super) fn wait_until_listening(&mut self, is_listening: impl Fn() -> bool) -> bool {
        let deadline = Instant::now() + START_MAX;
        while Instant::now() < deadline {
            // A line from the supervisor now means that the server has ended.
            match self.lines.try_recv() {
                Err(mpsc::TryRecvError::Empty) => {}
                line => {
                    self.report = line.ok().and_then(|line| report(&line));
                    return false;
                }
            }
            if is_listening() {
                return true;
            }
            thread::sleep(POLL_INTERVAL);
        }
        false
    }

    /// The supervisor itself, for its pipes and its state.
    pub(super) fn supervisor(&mut self) -> &mut ChildProcess {
        &mut self.supervisor
    }

    /// Tells the supervisor to end the server.
    pub(super) fn request_stop(&mut self) {
        drop(self.supervisor.child.stdin.take());
    }

    /// Waits for the supervisor's report, which comes when all processes have ended.
    pub(super) fn wait_for_report(&mut self, longest: Duration) -> Option<&SupervisorReport> {
        if self.report.is_none() {
            let line = self.lines.recv_timeout(longest).ok()?;
            self.report = report(&line);
        }
        self.report.as_ref()
    }

    /// Why the server did not do `what`: the end of its output, and how it ended; or that its supervisor was killed.
    pub(super) fn did_not(&mut self, what: &str, output: &[u8]) -> String {
        // The supervisor's output ends a moment before its process does.
        let ended = self.supervisor.wait_at_most(POLL_INTERVAL * 10);
        let words = last_words(output);
        let why = match ended.ok().and_then(|status| status.signal()) {
            Some(signal) => format!("hola supervise, which ran it, was killed (signal {signal})"),
            None => match self.wait_for_report(Duration::ZERO) {
                None => words,
                Some(report) if report.killed == 0 => format!("{words} ({})", report.ending),
                Some(SupervisorReport { ending, killed, .. }) => {
                    format!(
                        "{words} ({ending}; processes that it left, and that were killed: {killed})"
                    )
                }
            },
        };
        format!("{} did not {what}: {why}", self.supervisor.name)
    }
}

impl Drop for SupervisedServer {
    fn drop(&mut self) {
        drop(self.supervisor.child.stdin.take());
        if self.supervisor.wait_at_most(END_MAX).is_err() {
            // This was never seen. Even then no process may be left.
            for process in process_tree::processes(self.supervisor.pid()) {
                let _ = kill(Pid::from_raw(process.pid()), Signal::SIGKILL);
            }
        }
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Passes on the supervisor's lines. If they end without a report, the supervisor was killed. Then the reader thread
/// ends the server's processes at once: the caller reads the lines only after its load has ended.
fn read_lines(
    stdout: Option<ChildStdout>,
    supervisor: i32,
    cgroup: Option<PathBuf>,
) -> (mpsc::Receiver<String>, Option<JoinHandle<()>>) {
    let (sender, lines) = mpsc::channel();
    let reader = stdout.map(|stdout| {
        thread::spawn(move || {
            let (mut leader, mut is_over) = (None, false);
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                match serde_json::from_str(&line) {
                    Ok(started) => leader = process_id(supervisor, started).map(Pid::from_raw),
                    Err(_) => is_over = report(&line).is_some(),
                }
                // The receiver may be gone.
                let _ = sender.send(line);
            }
            if !is_over {
                end_leftovers(leader, cgroup.as_deref());
            }
        })
    });
    (lines, reader)
}

fn report(line: &str) -> Option<SupervisorReport> {
    serde_json::from_str(line).ok()
}

/// The server's process id here; `None` if it has ended already.
fn process_id(supervisor: i32, started: SupervisorStarted) -> Option<i32> {
    match started.in_sandbox {
        true => process_tree::find_by_inner_id(supervisor, started.pid),
        false => Some(started.pid),
    }
}

/// Kills all processes in the control group of a server, and in the process group that it leads, until both are empty.
///
/// Only the control group finds processes that moved to a session of their own.
fn end_leftovers(leader: Option<Pid>, cgroup: Option<&Path>) {
    if let Some(cgroup) = cgroup {
        // Processes that start others faster than they are killed would never all be gone.
        cgroup::refuse_processes(cgroup);
    }
    for _ in 0..END_ROUNDS_MAX {
        // The kernel does not reuse this id while the process group has a member.
        let group = leader.map(|leader| killpg(leader, Signal::SIGKILL));
        let members = cgroup.map_or_else(Vec::new, cgroup::members);
        for &member in &members {
            // It may have ended since.
            let _ = kill(Pid::from_raw(member), Signal::SIGKILL);
        }
        if members.is_empty() && !matches!(group, Some(Ok(()))) {
            return;
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// The end of a server's output, in one line.
pub(super) fn last_words(output: &[u8]) -> String {
    let end = &output[output.len().saturating_sub(LAST_WORDS_MAX)..];
    let end = String::from_utf8_lossy(end);
    let words: Vec<_> = end.split_whitespace().collect();
    match words[..] {
        [] => "it said nothing".into(),
        _ => words.join(" ").escape_debug().to_string(),
    }
}
