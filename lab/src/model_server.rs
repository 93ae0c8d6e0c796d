//! A running server of one of Hola's models: starts it, checks that it owns its listener, and stops it.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hola_servers::counters::Snapshot;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use procfs::process::{FDTarget, Process};
use thiserror::Error;

use crate::account::CpuAccount;
use crate::cgroup::Cgroup;
use crate::image::Image;
use crate::listening;

/// Longest wait for a server to report that it listens.
const START_MAX: Duration = Duration::from_secs(5);
/// Longest wait for a server to end: its own drain deadline and a margin.
const STOP_MAX: Duration = Duration::from_secs(7);
/// Polling interval while a server stops.
const POLL_INTERVAL: Duration = Duration::from_millis(1);
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
    /// It ended, or closed its output, without listening.
    #[error("{model} did not start: {reason}")]
    NotListening {
        /// The model.
        model: String,
        /// The end of its stderr, or what happened instead.
        reason: String,
    },
    /// Another process listens at the reported address.
    #[error("{address} does not belong to the server that was started")]
    NotOurs {
        /// The reported address.
        address: SocketAddr,
    },
}

/// What a server reported when it ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its counters.
    pub counters: Snapshot,
    /// Its settings, as it reported them.
    pub settings: serde_json::Value,
}

/// A running server that is a child of this process. Dropping it ends it.
#[derive(Debug)]
pub struct ModelServer {
    model: String,
    child: Child,
    address: SocketAddr,
    account: CpuAccount,
    last_words: Option<JoinHandle<String>>,
}

impl ModelServer {
    /// Runs `hola serve MODEL`, with further `options`, on a free loopback port. Waits until the kernel shows that it
    /// listens there.
    ///
    /// # Errors
    /// Returns a [`StartError`] if it does not start; no process is left running then.
    pub fn start(
        image: &Image,
        model: &str,
        cpus: &[usize],
        options: &[String],
    ) -> Result<Self, StartError> {
        let mut command = image.command();
        command.args(["serve", model, "--bind", "127.0.0.1:0", "--stats", "json"]);
        command.args(["--parent", &std::process::id().to_string()]);
        command.args(options);
        if !cpus.is_empty() {
            command.args(["--cpus", &cpu_list(cpus)]);
        }
        // A process group of its own: Ctrl-C must reach only the lab, which stops its servers itself.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn().map_err(|error| StartError::NotRun {
            program: image.path().display().to_string(),
            error,
        })?;
        let last_words = child.stderr.take().map(drain);
        let pid = i32::try_from(child.id()).unwrap_or(i32::MAX);
        // From here on, dropping `server` ends the child.
        let mut server = ModelServer {
            model: model.into(),
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            account: CpuAccount::new(Cgroup::new().ok(), pid),
            last_words,
        };
        server.account.enrol();
        server.address = server.wait_until_listening()?;
        if !server.owns(server.address) {
            return Err(StartError::NotOurs {
                address: server.address,
            });
        }
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
        i32::try_from(self.child.id()).unwrap_or(i32::MAX)
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Its CPU account.
    pub fn account(&self) -> &CpuAccount {
        &self.account
    }

    /// Asks it to stop, waits for it, and reads its report.
    ///
    /// # Errors
    /// Returns the reason if it did not end normally, or if its report cannot be read.
    pub fn stop(mut self) -> Result<Ended, String> {
        // If it has already ended, its exit status says so below.
        let _ = kill(Pid::from_raw(self.pid()), Signal::SIGTERM);
        let status = self.wait_at_most(STOP_MAX)?;
        let last_words = self.last_words();
        if !status.success() {
            return Err(format!(
                "{} ended badly ({status}): {}",
                self.model,
                last_words.trim_end()
            ));
        }
        let report = last_words.lines().last().unwrap_or_default();
        let report: serde_json::Value = serde_json::from_str(report)
            .map_err(|error| format!("{} gave no readable report: {error}", self.model))?;
        let counters = serde_json::from_value(report["counters"].clone())
            .map_err(|error| format!("{} gave no readable counters: {error}", self.model))?;
        Ok(Ended {
            counters,
            settings: report["settings"].clone(),
        })
    }

    fn wait_until_listening(&mut self) -> Result<SocketAddr, StartError> {
        let not_listening = |reason| StartError::NotListening {
            model: self.model.clone(),
            reason,
        };
        let Some(stdout) = self.child.stdout.take() else {
            return Err(not_listening("its output is not ours to read".into()));
        };
        let (sender, line) = mpsc::channel();
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = String::new();
            // After a read error the line is empty. After a timeout the receiver is gone.
            let _ = stdout.read_line(&mut line);
            let _ = sender.send(line);
            let _ = std::io::copy(&mut stdout, &mut std::io::sink());
        });
        let line = line.recv_timeout(START_MAX);
        let line = line.map_err(|_| {
            not_listening(format!("it said nothing within {} s", START_MAX.as_secs()))
        })?;
        let address = line
            .trim_end()
            .strip_prefix(&format!("{} listening on ", self.model));
        match address.and_then(|address| address.parse().ok()) {
            Some(address) => Ok(address),
            None => {
                let reason = match self.wait_at_most(START_MAX) {
                    Ok(status) => format!("{} ({status})", self.last_words().trim_end()),
                    Err(alive) => alive,
                };
                Err(StartError::NotListening {
                    model: self.model.clone(),
                    reason,
                })
            }
        }
    }

    /// Whether the kernel shows that this process owns the listener at `address`. Otherwise another program on the same
    /// port could be measured under the model's name.
    fn owns(&self, address: SocketAddr) -> bool {
        // A list of all sockets would be too slow: listing those in TIME_WAIT alone takes longer than a server's start.
        let Ok(listeners) = listening::at(address) else {
            return false;
        };
        let Ok(mut descriptors) = Process::new(self.pid()).and_then(|process| process.fd()) else {
            return false;
        };
        descriptors.any(|fd| {
            fd.is_ok_and(
                |fd| matches!(fd.target, FDTarget::Socket(inode) if listeners.iter().any(|one| one.inode == inode)),
            )
        })
    }

    fn wait_at_most(&mut self, longest: Duration) -> Result<ExitStatus, String> {
        let deadline = Instant::now() + longest;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if Instant::now() < deadline => thread::sleep(POLL_INTERVAL),
                Ok(None) => {
                    return Err(format!(
                        "{} did not end within {} s",
                        self.model,
                        longest.as_secs()
                    ));
                }
                Err(error) => return Err(format!("{}: {error}", self.model)),
            }
        }
    }

    /// The end of its stderr, once it has ended.
    fn last_words(&mut self) -> String {
        let reader = self.last_words.take();
        reader
            .and_then(|reader| reader.join().ok())
            .unwrap_or_default()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        // Both calls fail harmlessly if the process has already been reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// CPUs in the format of the command line.
pub(crate) fn cpu_list(cpus: &[usize]) -> String {
    let list: Vec<String> = cpus.iter().map(usize::to_string).collect();
    list.join(",")
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
