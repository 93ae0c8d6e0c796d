//! One fresh target: starts it, checks that it listens and greets, reads its cost, and stops it.

use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use procfs::process::FDTarget;
use tempfile::TempDir;

use super::supervisor::{STOP_MAX, SupervisorReport, SupervisorStarted};
use super::{TargetPaths, TargetSpec, Words, free_port, write_files};
use crate::account::CpuAccount;
use crate::cgroup::{self, Cgroup};
use crate::image::Image;
use crate::owned_name::OwnedName;
use crate::procedures::client::is_greeted;
use crate::{listening, tree};

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
/// Most bytes of the end of its output that an error quotes.
const LAST_WORDS_MAX: usize = 400;

/// A running target. Dropping it ends it and all its descendants.
#[derive(Debug)]
pub struct Target {
    name: String,
    /// The target runs until this process's standard input is closed.
    supervisor: Child,
    words: mpsc::Receiver<String>,
    /// Reads the supervisor's lines, and ends the processes that a killed supervisor has left.
    reader: Option<JoinHandle<()>>,
    pid: i32,
    address: SocketAddr,
    account: CpuAccount,
    folder: TempDir,
}

impl Target {
    /// Starts a target on `cpus` (none means any). Waits until the kernel shows that it listens, and until it greets.
    ///
    /// # Errors
    /// Returns the reason if the target does not start, for example because it is not installed
    /// ([`TargetSpec::program`] says that beforehand). No process is left running then.
    pub fn start(
        image: &Image,
        spec: &TargetSpec,
        places: &TargetPaths,
        cpus: &[usize],
    ) -> Result<Self, String> {
        let program = spec.program(places)?;
        let folder = tempfile::Builder::new()
            .prefix(&OwnedName::prefix())
            // Workers drop root's rights, and must still read the greeting.
            .permissions(Permissions::from_mode(0o755))
            .tempdir()
            .map_err(|error| format!("no folder for {}: {error}", spec.name))?;
        let port = free_port()?;
        let words = Words::new(places, folder.path(), port)?;
        write_files(spec, places, folder.path(), &words)?;
        let cgroup = Cgroup::new().ok();
        let mut command = image.command();
        command.arg("supervise");
        command.args([
            "--folder".as_ref(),
            folder.path().file_name().unwrap_or_default(),
        ]);
        if let Some(cgroup) = &cgroup {
            command.args(["--cgroup", cgroup.name()]);
        }
        if !cpus.is_empty() {
            let list: Vec<_> = cpus.iter().map(usize::to_string).collect();
            command.args(["--cpus", &list.join(",")]);
        }
        command.arg("--").arg(program);
        command.args(spec.arguments.iter().map(|argument| words.fill(argument)));
        let mut target = Target::run(command, spec, folder, cgroup)?;
        target.address = SocketAddr::from(([127, 0, 0, 1], port));
        target.wait_until_listening()?;
        if !is_greeted(target.address, GREET_MAX) {
            return Err(format!("{} does not give the greeting", target.name));
        }
        Ok(target)
    }

    fn run(
        mut command: Command,
        spec: &TargetSpec,
        folder: TempDir,
        cgroup: Option<Cgroup>,
    ) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot start {}: {error}", spec.name);
        let said = File::create(folder.path().join("said")).map_err(failed)?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(said)
            // A process group of its own: Ctrl-C must reach only the lab, which stops its targets itself.
            .process_group(0);
        let mut supervisor = command.spawn().map_err(failed)?;
        let group = cgroup.as_ref().map(|cgroup| cgroup.folder().to_owned());
        let (words, reader) = listen(supervisor.stdout.take(), group);
        // From here on, dropping `target` ends all its processes.
        let mut target = Target {
            name: spec.name.clone(),
            supervisor,
            words,
            reader,
            pid: 0,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            account: CpuAccount::new(cgroup, 0),
            folder,
        };
        let word = target.words.recv_timeout(START_MAX);
        let kept = word
            .ok()
            .and_then(|line| serde_json::from_str::<SupervisorStarted>(&line).ok());
        target.pid = kept.ok_or_else(|| target.did_not("start"))?.pid;
        target.account.pid = target.pid;
        Ok(target)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Process id of its first process; the others are its descendants.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Its CPU account.
    pub fn account(&self) -> &CpuAccount {
        &self.account
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.supervisor.try_wait(), Ok(None))
    }

    /// Ends it and all its descendants.
    ///
    /// # Errors
    /// Returns the reason if it ended before it was told to.
    pub fn stop(mut self) -> Result<(), String> {
        drop(self.supervisor.stdin.take());
        let word = self.words.recv_timeout(END_MAX);
        let report = word
            .ok()
            .and_then(|line| serde_json::from_str::<SupervisorReport>(&line).ok());
        let report = report.ok_or_else(|| self.did_not("end"))?;
        if report.asked {
            return Ok(());
        }
        let ending = report.ending;
        Err(format!(
            "{} ended by itself: {ending}: {}",
            self.name,
            self.last_words()
        ))
    }

    /// Waits until the kernel shows that one of its processes owns the listener at its address. Otherwise another
    /// program on the same port could be measured under its name.
    fn wait_until_listening(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + START_MAX;
        while Instant::now() < deadline {
            // A line from the supervisor now means that the target has ended.
            if self.words.try_recv() != Err(mpsc::TryRecvError::Empty) {
                break;
            }
            if self.holds_listener() {
                return Ok(());
            }
            thread::sleep(POLL_INTERVAL);
        }
        Err(self.did_not("listen"))
    }

    fn holds_listener(&self) -> bool {
        let listeners = listening::at(self.address).unwrap_or_default();
        let is_one = |target: &FDTarget| matches!(target, FDTarget::Socket(inode) if listeners.iter().any(|each| each.inode == *inode));
        !listeners.is_empty()
            && tree::processes(self.pid).iter().any(|process| {
                let descriptors = process.fd().into_iter().flatten().flatten();
                descriptors.into_iter().any(|fd| is_one(&fd.target))
            })
    }

    fn did_not(&mut self, what: &str) -> String {
        // The supervisor's output ends a moment before its process does.
        let deadline = Instant::now() + POLL_INTERVAL * 10;
        let ended = loop {
            match self.supervisor.try_wait() {
                Ok(None) if Instant::now() < deadline => thread::sleep(POLL_INTERVAL),
                status => break status.ok().flatten(),
            }
        };
        let why = match ended.and_then(|status| status.signal()) {
            Some(signal) => format!("hola supervise, which ran it, was killed (signal {signal})"),
            None => self.last_words(),
        };
        format!("{} did not {what}: {why}", self.name)
    }

    /// The end of its output, in one line.
    fn last_words(&self) -> String {
        last_words(&self.folder.path().join("said"))
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        let deadline = Instant::now() + END_MAX;
        while matches!(self.supervisor.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                // This was never seen. Even then no process may be left.
                for process in tree::processes(i32::try_from(self.supervisor.id()).unwrap_or(0)) {
                    let _ = kill(Pid::from_raw(process.pid()), Signal::SIGKILL);
                }
                let _ = self.supervisor.wait();
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Passes on the supervisor's lines. If they end without a report, the supervisor was killed. Then the reader thread
/// ends the target's processes at once: the caller reads the lines only after its load has ended.
fn listen(
    stdout: Option<ChildStdout>,
    cgroup: Option<PathBuf>,
) -> (mpsc::Receiver<String>, Option<JoinHandle<()>>) {
    let (sender, words) = mpsc::channel();
    let reader = stdout.map(|stdout| {
        thread::spawn(move || {
            let (mut leader, mut is_over) = (None, false);
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                match serde_json::from_str::<SupervisorStarted>(&line) {
                    Ok(kept) => leader = Some(Pid::from_raw(kept.pid)),
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
    (words, reader)
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

fn last_words(file: &Path) -> String {
    let said = std::fs::read(file).unwrap_or_default();
    let said = String::from_utf8_lossy(&said[said.len().saturating_sub(LAST_WORDS_MAX)..]);
    let words: Vec<_> = said.split_whitespace().collect();
    match words[..] {
        [] => "it said nothing".into(),
        _ => words.join(" ").escape_debug().to_string(),
    }
}
