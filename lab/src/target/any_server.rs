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
    address: SocketAddr,
    output: DrainedOutput,
    /// How it ended, once it has.
    report: Option<SupervisorReport>,
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
    ) -> Result<Self, String> {
        let port = free_port()?;
        let mut supervise = hola.command("supervise", &[]);
        supervise.args(limits.options());
        let fill = |argument: &String| argument.replace(PORT, &port.to_string());
        supervise.arg("--").args(command.iter().map(fill));
        supervise.stderr(Stdio::piped());
        let name = "the server";
        let server = SupervisedServer::spawn(name, &mut supervise, None);
        let mut server = server.map_err(|error| format!("cannot start {name}: {error}"))?;
        let output = DrainedOutput::new(server.supervisor().child.stderr.take());
        let pid = server.wait_until_started();
        let pid = pid.ok_or_else(|| server.did_not("start", &output.last()))?;
        if !server.wait_until_listening(|| listening::is_port_held_by(pid, port)) {
            let what = format!("listen on port {port}");
            return Err(server.did_not(&what, &output.last()));
        }
        Ok(AnyServer {
            server,
            pid,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            output,
            report: None,
        })
    }

    /// Where it is asked.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its processes, zombies included, also those that have lost their parent.
    pub fn processes(&mut self) -> Vec<Process> {
        let mut processes = process_tree::processes(self.server.supervisor().pid());
        // The supervisor itself.
        processes.remove(0);
        processes
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
            self.report = self.server.wait_for_report(longest);
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
