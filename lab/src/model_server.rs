//! A running server of one of Hola's models: starts it, checks that it owns its listener, and stops it.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::process::{ChildStderr, ChildStdout, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hola_servers::counters::Snapshot;
use nix::sys::signal::Signal;
use serde::Deserialize;
use thiserror::Error;

use crate::cgroup::Cgroup;
use crate::child::ChildProcess;
use crate::listening;
use crate::namespace::NetworkNamespace;
use crate::pinned_program::PinnedProgram;
use crate::process_tree::ServerAccount;

/// Longest wait for a server to report that it listens.
const START_MAX: Duration = Duration::from_secs(5);
/// Longest wait for a server to end: its own drain deadline and a margin.
const STOP_MAX: Duration = Duration::from_secs(7);
/// The kept end of a server's stderr is cut to this length. Its output is read at once: a full pipe would block the
/// server.
const LAST_WORDS_MAX: usize = 64 * 1024;

/// Why a server could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The program itself could not be run.
    #[error("cannot run {program}: {error}")]
    NotRun {
        /// The program.
        program: String,
        /// The error of starting it.
        error: std::io::Error,
    },
    /// It ended, or closed its output, without listening; or another process listens at the reported address.
    #[error("{model} did not start: {reason}")]
    NotListening {
        /// The model.
        model: String,
        /// The end of its stderr, or what happened instead.
        reason: String,
    },
}

/// What a server reported when it ended.
#[derive(Clone, Debug, Deserialize)]
pub struct Ended {
    /// Its counters.
    pub counters: Snapshot,
    /// Its settings, as it reported them.
    pub settings: serde_json::Value,
}

/// A running server that is a child of this process. Dropping it ends it.
#[derive(Debug)]
pub struct ModelServer {
    process: ChildProcess,
    address: SocketAddr,
    account: ServerAccount,
    last_words: Option<JoinHandle<String>>,
    /// Dropped last: a namespace lives as long as a process is in it.
    _namespace: Option<NetworkNamespace>,
}

impl ModelServer {
    /// Runs `hola serve MODEL`, with further `options`, on a free loopback port. Waits until the kernel shows that it
    /// listens there.
    ///
    /// # Errors
    /// Returns a [`StartError`] if it does not start; no process is left running then.
    pub fn start(
        program: &PinnedProgram,
        model: &str,
        cpus: &[usize],
        options: &[String],
    ) -> Result<Self, StartError> {
        Self::start_in(None, program, model, cpus, options)
    }

    /// As [`ModelServer::start`]; if there is a network namespace, in it. The namespace is removed after the server.
    pub(crate) fn start_in(
        namespace: Option<NetworkNamespace>,
        program: &PinnedProgram,
        model: &str,
        cpus: &[usize],
        options: &[String],
    ) -> Result<Self, StartError> {
        let (address, mut command) = match &namespace {
            Some(namespace) => {
                let command = program.command_in(namespace, "serve", cpus);
                (namespace.address(), command)
            }
            None => (Ipv4Addr::LOCALHOST, program.command("serve", cpus)),
        };
        command.args([model, "--bind", &format!("{address}:0"), "--stats", "json"]);
        command.args(["--parent", &std::process::id().to_string()]);
        // A process group of its own: Ctrl-C must reach only the lab, which stops its servers itself.
        command
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let process = ChildProcess::spawn(model, &mut command);
        let mut process = process.map_err(|error| StartError::NotRun {
            program: program.path().display().to_string(),
            error,
        })?;
        let mut server = ModelServer {
            last_words: process.child.stderr.take().map(drain),
            address: SocketAddr::from((address, 0)),
            account: ServerAccount::new(Cgroup::new().ok(), process.pid()),
            process,
            _namespace: namespace,
        };
        server.account.enrol();
        server.address = server.wait_until_listening()?;
        // Adds the children that it made before it joined the group; later ones start there.
        server.account.enrol();
        Ok(server)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.process.is_alive()
    }

    /// Its account.
    pub fn account(&self) -> &ServerAccount {
        &self.account
    }

    /// Asks it to stop, waits for it, and reads its report.
    ///
    /// # Errors
    /// Returns the reason if it did not end normally, or if its report cannot be read.
    pub fn stop(mut self) -> Result<Ended, String> {
        // If it has already ended, its exit status says so below.
        self.process.signal(Signal::SIGTERM);
        let status = self.process.wait_at_most(STOP_MAX)?;
        let last_words = self.last_words();
        let model = &self.process.name;
        if !status.success() {
            let last_words = last_words.trim_end();
            return Err(format!("{model} ended badly ({status}): {last_words}"));
        }
        let report = last_words.lines().last().unwrap_or_default();
        serde_json::from_str(report)
            .map_err(|error| format!("{model} gave no readable report: {error}"))
    }

    fn wait_until_listening(&mut self) -> Result<SocketAddr, StartError> {
        let start = format!("{} listening on ", self.process.name);
        let line = first_line(self.process.child.stdout.take());
        let address = line
            .as_ref()
            .map(|line| line.trim_end().strip_prefix(&start)?.parse().ok());
        let reason = match address {
            Err(_) => format!("it said nothing within {} s", START_MAX.as_secs()),
            Ok(Some(address)) if listening::is_held_by(self.pid(), address) => return Ok(address),
            Ok(Some(address)) => {
                format!("{address} does not belong to the server that was started")
            }
            Ok(None) => match self.process.wait_at_most(START_MAX) {
                Ok(status) => format!("{} ({status})", self.last_words().trim_end()),
                Err(alive) => alive,
            },
        };
        let model = self.process.name.clone();
        Err(StartError::NotListening { model, reason })
    }

    /// The end of its stderr, once it has ended.
    fn last_words(&mut self) -> String {
        let reader = self.last_words.take();
        reader
            .and_then(|reader| reader.join().ok())
            .unwrap_or_default()
    }
}

/// Reads all output, so that the writer never blocks, and returns its first line. After a read error the line is empty.
fn first_line(stdout: Option<ChildStdout>) -> Result<String, RecvTimeoutError> {
    let (sender, line) = mpsc::channel();
    if let Some(stdout) = stdout {
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = String::new();
            let _ = stdout.read_line(&mut line);
            // After a timeout the receiver is gone.
            let _ = sender.send(line);
            let _ = std::io::copy(&mut stdout, &mut std::io::sink());
        });
    }
    line.recv_timeout(START_MAX)
}

/// Reads all output, so that the writer never blocks, and keeps the end of it.
fn drain(mut stderr: ChildStderr) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut kept = Vec::new();
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = stderr.read(&mut piece) {
            kept.extend_from_slice(&piece[..count]);
            if kept.len() > 2 * LAST_WORDS_MAX {
                kept.drain(..kept.len() - LAST_WORDS_MAX);
            }
        }
        String::from_utf8_lossy(&kept).into_owned()
    })
}
