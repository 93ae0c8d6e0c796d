//! One fresh target: starts it, checks that it listens and greets, reads its cost, and stops it.

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hola_loadgen::workload::GREETING;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::supervisor::{STOP_MAX, SupervisorReport, SupervisorStarted};
use super::{Placeholders, TargetPaths, TargetSpec, free_port, write_files};
use crate::cgroup::{self, Cgroup};
use crate::child::ChildProcess;
use crate::owned_name::OwnedName;
use crate::pinned_program::PinnedProgram;
use crate::procedures::client::ask;
use crate::process_tree::ServerAccount;
use crate::{listening, process_tree};

/// Longest wait for a target to listen: a hundred processes take a while on a busy machine.
const START_MAX: Duration = Duration::from_secs(10);
/// Longest wait for its first greeting.
const GREET_MAX: Duration = Duration::from_secs(5);
/// Longest wait for the supervisor's report at the end: the target's own time to end, and 3 s.
const END_MAX: Duration = Duration::from_secs(STOP_MAX.as_secs() + 3);
/// Most attempts to end the processes that a killed supervisor has left.
const END_ROUNDS_MAX: u32 = 200;
/// Polling interval while a target starts or ends.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// The file of its output, in its folder.
const OUTPUT: &str = "said";
/// Most bytes of the end of its output that an error quotes.
const LAST_WORDS_MAX: usize = 400;

/// A running target. Dropping it ends it and all its descendants.
#[derive(Debug)]
pub struct Target {
    /// The target runs until this process's standard input is closed.
    supervisor: ChildProcess,
    lines: mpsc::Receiver<String>,
    /// Reads the supervisor's lines, and ends the processes that a killed supervisor has left.
    reader: Option<JoinHandle<()>>,
    address: SocketAddr,
    account: ServerAccount,
    folder: TempDir,
}

impl Target {
    /// Starts a target on `cpus` (none means any). Waits until the kernel shows that it listens, and until it greets.
    ///
    /// # Errors
    /// Returns the reason if the target does not start, for example because it is not installed
    /// ([`TargetSpec::program`] says that beforehand). No process is left running then.
    pub fn start(
        hola: &PinnedProgram,
        spec: &TargetSpec,
        places: &TargetPaths,
        cpus: &[usize],
    ) -> Result<Self, String> {
        let (name, program) = (&spec.name, spec.program(places)?);
        let folder = tempfile::Builder::new()
            .prefix(&OwnedName::prefix())
            // Workers drop root's rights, and must still read the greeting.
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .map_err(|error| format!("no folder for {name}: {error}"))?;
        let port = free_port()?;
        let placeholders = Placeholders::new(places, folder.path(), port)?;
        write_files(spec, places, folder.path(), &placeholders)?;
        let failed = |error: std::io::Error| format!("cannot start {name}: {error}");
        let output = File::create(folder.path().join(OUTPUT)).map_err(failed)?;
        let cgroup = Cgroup::new().ok();
        let mut command = hola.command("supervise", cpus);
        let group = cgroup.as_ref().map(Cgroup::folder);
        for (option, path) in [("--folder", Some(folder.path())), ("--cgroup", group)] {
            if let Some(name) = path.and_then(Path::file_name) {
                command.arg(option).arg(name);
            }
        }
        command.arg("--").arg(program);
        let fill = |argument: &String| placeholders.fill(argument);
        command.args(spec.arguments.iter().map(fill));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(output)
            // A process group of its own: Ctrl-C must reach only the lab, which stops its targets itself.
            .process_group(0);
        let mut supervisor = ChildProcess::spawn(name, &mut command).map_err(failed)?;
        let group = group.map(Path::to_owned);
        let (lines, reader) = read_lines(supervisor.child.stdout.take(), group);
        // From here on, dropping `target` ends all its processes.
        let mut target = Target {
            supervisor,
            lines,
            reader,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            account: ServerAccount::new(cgroup, 0),
            folder,
        };
        let line = target.lines.recv_timeout(START_MAX).unwrap_or_default();
        let started = serde_json::from_str::<SupervisorStarted>(&line);
        target.account.pid = started.map_err(|_| target.did_not("start"))?.pid;
        target.wait_until_listening()?;
        match ask(target.address, "/", Some(GREETING), GREET_MAX, || true) {
            Ok(200) => Ok(target),
            Ok(status) => Err(format!("{name} answers / with status {status}")),
            // A server that has died says why in its last words.
            Err(_) if !target.is_alive() => Err(target.did_not("answer /")),
            Err(error) => Err(format!(
                "{name} does not answer / with the greeting: {error}: {}",
                target.last_words()
            )),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Process id of its first process; the others are its descendants.
    pub fn pid(&self) -> i32 {
        self.account.pid
    }

    /// Its account.
    pub fn account(&self) -> &ServerAccount {
        &self.account
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.supervisor.is_alive()
    }

    /// Ends it and all its descendants.
    ///
    /// # Errors
    /// Returns the reason if it ended before it was told to.
    pub fn stop(mut self) -> Result<(), String> {
        drop(self.supervisor.child.stdin.take());
        let line = self.lines.recv_timeout(END_MAX).unwrap_or_default();
        let report = serde_json::from_str::<SupervisorReport>(&line);
        let report = report.map_err(|_| self.did_not("end"))?;
        if report.asked {
            return Ok(());
        }
        let (name, ending) = (&self.supervisor.name, report.ending);
        let last_words = self.last_words();
        Err(format!("{name} ended by itself: {ending}: {last_words}"))
    }

    /// Waits until the kernel shows that it listens at its address.
    fn wait_until_listening(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + START_MAX;
        while Instant::now() < deadline {
            // A line from the supervisor now means that the target has ended.
            if self.lines.try_recv() != Err(mpsc::TryRecvError::Empty) {
                break;
            }
            if listening::is_held_by(self.pid(), self.address) {
                return Ok(());
            }
            thread::sleep(POLL_INTERVAL);
        }
        Err(self.did_not("listen"))
    }

    fn did_not(&mut self, what: &str) -> String {
        // The supervisor's output ends a moment before its process does.
        let ended = self.supervisor.wait_at_most(POLL_INTERVAL * 10);
        let why = match ended.ok().and_then(|status| status.signal()) {
            Some(signal) => format!("hola supervise, which ran it, was killed (signal {signal})"),
            None => self.last_words(),
        };
        format!("{} did not {what}: {why}", self.supervisor.name)
    }

    /// The end of its output, in one line.
    fn last_words(&self) -> String {
        let said = fs::read(self.folder.path().join(OUTPUT)).unwrap_or_default();
        let said = String::from_utf8_lossy(&said[said.len().saturating_sub(LAST_WORDS_MAX)..]);
        let words: Vec<_> = said.split_whitespace().collect();
        match words[..] {
            [] => "it said nothing".into(),
            _ => words.join(" ").escape_debug().to_string(),
        }
    }
}

impl Drop for Target {
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
/// ends the target's processes at once: the caller reads the lines only after its load has ended.
fn read_lines(
    stdout: Option<ChildStdout>,
    cgroup: Option<PathBuf>,
) -> (mpsc::Receiver<String>, Option<JoinHandle<()>>) {
    let (sender, lines) = mpsc::channel();
    let reader = stdout.map(|stdout| {
        thread::spawn(move || {
            let (mut leader, mut is_over) = (None, false);
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                match serde_json::from_str::<SupervisorStarted>(&line) {
                    Ok(started) => leader = Some(Pid::from_raw(started.pid)),
                    Err(_) => is_over = serde_json::from_str::<SupervisorReport>(&line).is_ok(),
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

/// Kills all processes in the control group of a target, and in the process group that it leads, until both are empty.
///
/// Only the control group finds processes that moved to a session of their own.
fn end_leftovers(leader: Option<Pid>, cgroup: Option<&Path>) {
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
