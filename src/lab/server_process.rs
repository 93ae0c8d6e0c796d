//! One fresh server process: started, proved to be ours, stopped, and its bill read.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hola_servers::counters::Snapshot;
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::sys::time::TimeValLike;
use nix::unistd::Pid;
use procfs::process::{FDTarget, Process};
use thiserror::Error;

use super::cgroup::{Account, Cgroup};
use super::{listening, tree};

/// Longest wait for a server to say that it listens.
const START_MAX: Duration = Duration::from_secs(5);
/// Longest wait for a server to end: its own drain deadline and a little.
const STOP_MAX: Duration = Duration::from_secs(7);
/// How often a stopping server is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Why a server could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The program itself could not be run.
    #[error("cannot run {program}: {error}")]
    NotRun {
        /// What was to be run.
        program: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// It ended, or closed its output, without listening.
    #[error("{model} did not start: {reason}")]
    NotListening {
        /// The model.
        model: String,
        /// Its last words, or what was seen instead.
        reason: String,
    },
    /// Something else answers at the address it gave.
    #[error("{address} does not belong to the server that was started")]
    NotOurs {
        /// The address it gave.
        address: SocketAddr,
    },
}

/// What a server reported and cost, from listening to ended.
#[derive(Clone, Debug)]
pub struct Bill {
    /// CPU time since it listened, children included, in microseconds.
    pub cpu_us: u64,
    /// Who counted that.
    pub accounted_by: Account,
    /// The same by getrusage(2), which loses some of each thread that ends: see [`Account`].
    pub cpu_by_getrusage_us: u64,
    /// Share of its whole CPU time that the kernel calls user time, 0…1. Wrong for processes that live less than a
    /// clock tick: a child that no tick ever hit is booked as all user time (`cputime_adjust` in the kernel).
    pub user_share: f64,
    /// Voluntary context switches of its whole life, reaped children included.
    pub switches_voluntary: u64,
    /// Involuntary context switches of its whole life, reaped children included.
    pub switches_involuntary: u64,
    /// Page faults without disk of its whole life, reaped children included.
    pub faults_minor: u64,
    /// What it counted.
    pub counters: Snapshot,
    /// What it was told, as it reported it.
    pub settings: serde_json::Value,
}

/// A running server that is a child of this process. Dropping it ends it.
#[derive(Debug)]
pub struct ServerProcess {
    model: String,
    child: Child,
    address: SocketAddr,
    cgroup: Option<Cgroup>,
    cpu_at_start_us: u64,
    cgroup_at_start_us: u64,
}

impl ServerProcess {
    /// Runs `hola serve MODEL`, with further `options`, on a free loopback port and waits until it listens there, provably.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub fn start(
        hola: &Path,
        model: &str,
        cpus: &[usize],
        options: &[&str],
    ) -> Result<Self, StartError> {
        let mut command = Command::new(hola);
        command.args(["serve", model, "--bind", "127.0.0.1:0", "--stats", "json"]);
        command.args(["--parent", &std::process::id().to_string()]);
        command.args(options);
        if !cpus.is_empty() {
            command.args([
                "--cpus",
                &cpus
                    .iter()
                    .map(usize::to_string)
                    .collect::<Vec<_>>()
                    .join(","),
            ]);
        }
        // A group of its own: Ctrl-C is for us, and we stop our servers ourselves.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let child = command.spawn().map_err(|error| StartError::NotRun {
            program: hola.display().to_string(),
            error,
        })?;
        let unbound = SocketAddr::from(([127, 0, 0, 1], 0));
        // From here on, dropping `server` ends the child.
        let mut server = ServerProcess {
            model: model.into(),
            child,
            address: unbound,
            cgroup: Cgroup::new().ok(),
            cpu_at_start_us: 0,
            cgroup_at_start_us: 0,
        };
        server.join_cgroup();
        server.address = server.wait_until_listening()?;
        if !server.owns(server.address) {
            return Err(StartError::NotOurs {
                address: server.address,
            });
        }
        // Those whom it made before it joined; from then on they are born there.
        server.join_cgroup();
        server.cpu_at_start_us = server.cpu_so_far_us();
        server.cgroup_at_start_us = server.cpu_by_cgroup_us().unwrap_or(0);
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

    /// Asks it to stop, waits for it, and reads its bill.
    ///
    /// # Errors
    /// One plain sentence, when it did not end well by itself.
    pub fn stop(mut self) -> Result<Bill, String> {
        let before = children_usage()?;
        // Gone already: then its exit status says so below.
        let _ = kill(Pid::from_raw(self.pid()), Signal::SIGTERM);
        let status = self.wait_at_most(STOP_MAX)?;
        let after = children_usage()?;
        let by_cgroup_us = self.cpu_by_cgroup_us();
        let last_words = self.last_words();
        if !status.success() {
            return Err(format!(
                "{} ended badly ({status}): {last_words}",
                self.model
            ));
        }
        let report = last_words.lines().last().unwrap_or_default();
        let report: serde_json::Value = serde_json::from_str(report)
            .map_err(|error| format!("{} gave no readable report: {error}", self.model))?;
        let counters = serde_json::from_value(report["counters"].clone())
            .map_err(|error| format!("{} gave no readable counters: {error}", self.model))?;
        let count = |of: fn(&Usage) -> i64| u64::try_from(of(&after) - of(&before)).unwrap_or(0);
        let user_us = count(|usage| usage.user_time().num_microseconds());
        let all_us = user_us + count(|usage| usage.system_time().num_microseconds());
        let cpu_by_getrusage_us = all_us.saturating_sub(self.cpu_at_start_us);
        let by_cgroup_us = by_cgroup_us.map(|us| us.saturating_sub(self.cgroup_at_start_us));
        Ok(Bill {
            cpu_us: by_cgroup_us.unwrap_or(cpu_by_getrusage_us),
            accounted_by: by_cgroup_us.map_or(Account::Getrusage, |_| Account::Cgroup),
            cpu_by_getrusage_us,
            user_share: share(user_us, all_us).unwrap_or(0.0),
            switches_voluntary: count(Usage::voluntary_context_switches),
            switches_involuntary: count(Usage::involuntary_context_switches),
            faults_minor: count(Usage::minor_page_faults),
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
        let read = move || {
            let mut line = String::new();
            // An error reads as an empty line, and nobody listens any more after a timeout.
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = sender.send(line);
        };
        thread::Builder::new()
            .spawn(read)
            .map_err(|error| not_listening(format!("no thread to read what it says: {error}")))?;
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

    /// Whether the kernel says that the listener at `address` is one of this process's descriptors: a stranger on the
    /// same port would otherwise be measured under the model's name.
    fn owns(&self, address: SocketAddr) -> bool {
        // Not by way of all sockets there are: those in TIME_WAIT alone take longer to list than a server to start.
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

    /// Has its tree accounted for by a control group, where there is one and it takes them all.
    fn join_cgroup(&mut self) {
        let everybody = tree::processes(self.pid());
        let join = |cgroup: &Cgroup| everybody.iter().all(|each| cgroup.add(each.pid()).is_ok());
        self.cgroup = self.cgroup.take().filter(join);
    }

    fn cpu_by_cgroup_us(&self) -> Option<u64> {
        self.cgroup.as_ref()?.cpu_us().ok()
    }

    /// CPU time of its threads so far, in microseconds; 0 where the kernel does not tell.
    fn cpu_so_far_us(&self) -> u64 {
        let Ok(tasks) = Process::new(self.pid()).and_then(|process| process.tasks()) else {
            return 0;
        };
        tasks
            .flatten()
            .filter_map(|task| task.schedstat().ok())
            .map(|stat| stat.sum_exec_runtime / 1_000)
            .sum()
    }

    fn wait_at_most(&mut self, longest: Duration) -> Result<ExitStatus, String> {
        let deadline = Instant::now() + longest;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if Instant::now() < deadline => thread::sleep(LOOK_AGAIN),
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

    /// Everything it wrote on stderr, once it has ended.
    fn last_words(&mut self) -> String {
        let mut words = String::new();
        if let Some(stderr) = &mut self.child.stderr {
            // What cannot be read was not said.
            let _ = stderr.read_to_string(&mut words);
        }
        words
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Both fail harmlessly when it has ended and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `part` of `whole`, 0…1; `None` of nothing.
#[allow(
    clippy::cast_precision_loss,
    reason = "a share needs no more than 53 bits"
)]
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn children_usage() -> Result<Usage, String> {
    getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|errno| format!("getrusage: {}", errno.desc()))
}
