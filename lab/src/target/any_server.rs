//! Any command that serves on a port, written by anybody, with limits: the server that `hola judge` examines.

use std::io::Read;
use std::net::SocketAddr;
use std::process::{ChildStderr, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procfs::process::Process;

use super::free_port;
use super::supervised::{SupervisedServer, last_words};
use super::supervisor::{ResourceLimits, SupervisorReport};
use crate::pinned_program::PinnedProgram;
use crate::{listening, process_tree};

/// Stands for the port in a command.
const PORT: &str = "{port}";
/// Bytes of the end of its output that are kept.
const OUTPUT_MAX: usize = 4096;

/// A running server. Dropping it kills it and all its descendants.
#[derive(Debug)]
pub struct AnyServer {
    server: SupervisedServer,
    pid: i32,
    address: SocketAddr,
    output: Arc<Mutex<Vec<u8>>>,
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
        for (option, limit) in [
            ("--memory", limits.memory_bytes),
            ("--descriptors", limits.descriptors),
            ("--cpu-seconds", limits.cpu_s),
        ] {
            if let Some(limit) = limit {
                supervise.args([option, &limit.to_string()]);
            }
        }
        let fill = |argument: &String| argument.replace(PORT, &port.to_string());
        supervise.arg("--").args(command.iter().map(fill));
        supervise.stderr(Stdio::piped());
        let name = "the server";
        let server = SupervisedServer::spawn(name, &mut supervise, None);
        let mut server = server.map_err(|error| format!("cannot start {name}: {error}"))?;
        let output = drain(server.supervisor().child.stderr.take());
        let pid = server.wait_until_started();
        let pid = pid.ok_or_else(|| server.did_not("start", &kept(&output)))?;
        if !server.wait_until_listening(|| listening::is_port_held_by(pid, port)) {
            let what = format!("listen on port {port}");
            return Err(server.did_not(&what, &kept(&output)));
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
        last_words(&kept(&self.output))
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

fn kept(output: &Mutex<Vec<u8>>) -> Vec<u8> {
    let kept = output.lock().unwrap_or_else(PoisonError::into_inner);
    kept.clone()
}

/// Reads a server's output until it ends, so that the server never waits to write, and keeps the end of it.
fn drain(output: Option<ChildStderr>) -> Arc<Mutex<Vec<u8>>> {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let Some(mut output) = output else {
        return kept;
    };
    let shared = Arc::clone(&kept);
    thread::spawn(move || {
        let mut buffer = [0; OUTPUT_MAX];
        while let Ok(count @ 1..) = output.read(&mut buffer) {
            let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend_from_slice(&buffer[..count]);
            let surplus = kept.len().saturating_sub(OUTPUT_MAX);
            kept.drain(..surplus);
        }
    });
    kept
}
