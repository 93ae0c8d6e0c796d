//! Any command that serves on a port, written by anybody, with limits: the server that `hola judge` examines.

use std::io::Read;
use std::net::SocketAddr;
use std::process::{ChildStderr, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procfs::process::Process;

use super::files::{PORT, free_port};
use super::supervised::{SupervisedServer, last_words};
use super::supervisor::{ResourceLimits, SupervisorReport};
use crate::cgroup::{Cgroup, GroupLimits, ReachedLimit};
use crate::pinned_program::PinnedProgram;
use crate::{listening, process_tree};

/// Bytes of the end of its output that are kept.
const OUTPUT_MAX: usize = 4096;
/// Longest wait for the end of the output of a server that has ended.
const OUTPUT_END_MAX: Duration = Duration::from_millis(500);
/// Polling interval of that wait.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A running server. Dropping it kills it and all its descendants.
#[derive(Debug)]
pub struct AnyServer {
    server: SupervisedServer,
    pid: i32,
    /// The process that runs it: `hola supervise`, perhaps in a sandbox.
    parent: i32,
    address: SocketAddr,
    output: DrainedOutput,
    /// How it ended, once it has.
    report: Option<SupervisorReport>,
    /// What limits its processes together. Dropped last, when they are empty.
    groups: Vec<Cgroup>,
}

impl AnyServer {
    /// Starts `command`, in which `{port}` stands for a free port, and waits until one of its processes listens there.
    ///
    /// # Errors
    /// Returns the reason, with the end of the server's output, if it does not listen. No process is left running then.
    pub fn start(
        hola: &PinnedProgram,
        command: &[String],
        limits: ResourceLimits,
        together: GroupLimits,
    ) -> Result<Self, String> {
        let port = free_port()?;
        let groups = Cgroup::with_limits(together);
        let mut supervise = hola.command("supervise", &[]);
        supervise.args(limits.options());
        for name in groups.iter().filter_map(|group| group.folder().file_name()) {
            supervise.arg("--cgroup").arg(name);
        }
        let fill = |argument: &String| argument.replace(PORT, &port.to_string());
        supervise.arg("--").args(command.iter().map(fill));
        supervise.stderr(Stdio::piped());
        let name = "the server";
        let group = groups.first().map(|group| group.folder().to_owned());
        let server = SupervisedServer::spawn(name, &mut supervise, group);
        let mut server = server.map_err(|error| format!("cannot start {name}: {error}"))?;
        let output = DrainedOutput::new(server.supervisor().child.stderr.take());
        let failed = |server: &mut SupervisedServer, what: &str| {
            server.did_not(what, &output.last()) + &limits_told(&groups)
        };
        let pid = server.wait_until_started();
        let pid = pid.ok_or_else(|| failed(&mut server, "start"))?;
        // A server that has ended already has none, and does not listen.
        let parent = process_tree::parent(pid).unwrap_or(pid);
        if !server.wait_until_listening(|| listening::is_port_held_by(pid, port)) {
            let mut what = format!("listen on port {port}");
            for other in listening::ports_held_by(parent) {
                what += &format!(", but on {other}");
            }
            return Err(failed(&mut server, &what));
        }
        Ok(AnyServer {
            server,
            pid,
            parent,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            output,
            report: None,
            groups,
        })
    }

    /// Where it is asked.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its processes, zombies included, also those that have lost their parent.
    pub fn processes(&self) -> Vec<Process> {
        let processes = process_tree::processes(self.parent).into_iter();
        // The parent itself is none of them.
        processes.skip(1).collect()
    }

    /// The limits that it has reached.
    pub fn reached_limits(&self) -> impl Iterator<Item = ReachedLimit> {
        self.groups.iter().flat_map(Cgroup::reached_limits)
    }

    /// Sends SIGTERM to its first process.
    pub fn terminate(&self) {
        // It may have ended already.
        let _ = kill(Pid::from_raw(self.pid), Signal::SIGTERM);
    }

    /// How it ended, such as `exit code 1`, and how many of its processes were left then and had to be killed. Waits
    /// `longest` for that; `None` if it runs.
    pub fn ending(&mut self, longest: Duration) -> Option<(&str, usize)> {
        if self.report.is_none() {
            self.report = self.server.wait_for_report(longest).cloned();
        }
        if self.report.is_none() && !self.server.supervisor().is_alive() {
            // Its report, if there is one, may still be on its way.
            let report = self.server.wait_for_report(OUTPUT_END_MAX).cloned();
            self.report = Some(report.unwrap_or_else(SupervisorReport::of_killed_supervisor));
        }
        let report = self.report.as_ref()?;
        Some((&report.ending, report.killed))
    }

    /// The end of its output, in one line.
    pub fn last_words(&self) -> String {
        last_words(&self.output.last())
    }
}

impl Drop for AnyServer {
    fn drop(&mut self) {
        // A supervisor waits for seconds until it kills a server that ignores SIGTERM.
        if self.ending(Duration::ZERO).is_none() {
            let _ = kill(Pid::from_raw(self.pid), Signal::SIGKILL);
        }
    }
}

/// The limits that a server has reached, to be added to the reason why it failed.
fn limits_told(groups: &[Cgroup]) -> String {
    let told = |limit| match limit {
        ReachedLimit::Processes => "; it was refused more processes or threads (--processes)",
        ReachedLimit::Memory => "; a process was killed for want of memory (--memory)",
    };
    let reached = groups.iter().flat_map(Cgroup::reached_limits);
    reached.map(told).collect()
}

/// The end of a server's output. A thread reads all of it, so that the server never waits to write.
#[derive(Debug)]
struct DrainedOutput {
    kept: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl DrainedOutput {
    fn new(output: Option<ChildStderr>) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&kept);
        let reader = output.map(|output| thread::spawn(move || drain(output, &shared)));
        DrainedOutput { kept, reader }
    }

    /// The last bytes of the output. Waits a moment for its end, which follows that of the server.
    fn last(&self) -> Vec<u8> {
        let deadline = Instant::now() + OUTPUT_END_MAX;
        let is_over = || self.reader.as_ref().is_none_or(JoinHandle::is_finished);
        while !is_over() && Instant::now() < deadline {
            thread::sleep(POLL_INTERVAL);
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone()
    }
}

fn drain(mut output: ChildStderr, kept: &Mutex<Vec<u8>>) {
    let mut buffer = [0; OUTPUT_MAX];
    while let Ok(count @ 1..) = output.read(&mut buffer) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&buffer[..count]);
        let surplus = kept.len().saturating_sub(OUTPUT_MAX);
        kept.drain(..surplus);
    }
}
