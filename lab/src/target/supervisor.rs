//! `hola supervise`: runs a server that is not Hola's while its own standard input is open, and ends all processes of
//! that server.
//!
//! A parent alone cannot do this. When the measuring process dies, the kernel closes the pipe, and the supervisor ends
//! the server. Orphaned descendants of the server become children of the supervisor (`PR_SET_CHILD_SUBREAPER`), which
//! ends them as well. When the supervisor itself is killed, the kernel kills the server (`PR_SET_PDEATHSIG`), and the
//! measuring process kills the server's descendants.
//!
//! In a sandbox the supervisor runs as well, as its first process: the kernel kills all others when that one ends.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hola_base::output::print;
use hola_base::process::Cpus;
use nix::sys::prctl::{set_child_subreaper, set_dumpable};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, wait, waitpid};
use nix::unistd::{Pid, getppid};
use serde::{Deserialize, Serialize};

use super::sandbox;
use crate::owned_name::OwnedName;
use crate::{cgroup, process_tree, sys};

/// Longest wait for a server to end by itself; then the supervisor kills it.
pub(super) const STOP_MAX: Duration = Duration::from_secs(7);

/// Longest wait for processes that a server has told to end, once it has ended itself.
const LEAVE_MAX: Duration = Duration::from_millis(500);
/// Polling interval of that wait.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// What the supervisor runs, and where.
#[derive(Clone, Debug)]
pub struct Supervised {
    /// Program and arguments.
    pub command: Vec<String>,
    /// CPUs to run on; `None` means those of the supervisor.
    pub cpus: Option<Cpus>,
    /// Control groups that account for it or limit it, made by the process that started the supervisor.
    pub cgroups: Vec<OwnedName>,
    /// Temporary folder of the server, made by the same process; removed if that process is gone.
    pub folder: Option<OwnedName>,
    /// Limits of each of its processes.
    pub limits: ResourceLimits,
}

/// Limits of each process of a server (setrlimit(2)), and its sandbox. `None` leaves a limit as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResourceLimits {
    /// Address space, in bytes (`RLIMIT_AS`).
    pub memory_bytes: Option<u64>,
    /// Descriptors (`RLIMIT_NOFILE`).
    pub descriptors: Option<u64>,
    /// CPU time, in seconds (`RLIMIT_CPU`).
    pub cpu_s: Option<u64>,
    /// A file that it writes, in bytes (`RLIMIT_FSIZE`).
    pub file_bytes: Option<u64>,
    /// Whether it runs in a [`sandbox`].
    pub sandbox: bool,
}

impl ResourceLimits {
    /// The options of `hola supervise` that ask for them.
    pub(super) fn options(self) -> impl Iterator<Item = String> {
        let limits = [
            ("--memory", self.memory_bytes),
            ("--descriptors", self.descriptors),
            ("--cpu-seconds", self.cpu_s),
            ("--file-size", self.file_bytes),
        ];
        let given = limits.into_iter();
        let given = given.filter_map(|(option, limit)| Some(format!("{option}={}", limit?)));
        given.chain(self.sandbox.then(|| "--sandbox".to_owned()))
    }

    /// Sets them for this process; its children inherit them.
    fn apply(self) -> Result<(), String> {
        for (name, resource, limit) in [
            ("memory", Resource::RLIMIT_AS, self.memory_bytes),
            ("descriptors", Resource::RLIMIT_NOFILE, self.descriptors),
            ("CPU time", Resource::RLIMIT_CPU, self.cpu_s),
            ("file size", Resource::RLIMIT_FSIZE, self.file_bytes),
        ] {
            let Some(limit) = limit else { continue };
            let set = getrlimit(resource).and_then(|(_, hard)| {
                let limit = limit.min(hard);
                setrlimit(resource, limit, limit)
            });
            set.map_err(|errno| format!("limit on {name}: {}", errno.desc()))?;
        }
        Ok(())
    }
}

/// The first line of the supervisor, as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SupervisorStarted {
    /// Process id of the server.
    pub(super) pid: i32,
    /// Whether that is its id in a sandbox.
    pub(super) in_sandbox: bool,
}

/// Its last line, as JSON, when all processes have ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SupervisorReport {
    /// Whether the server was told to end.
    pub(super) asked: bool,
    /// How it ended, for people.
    pub(super) ending: String,
    /// Processes that had to be killed.
    pub(super) killed: usize,
}

impl SupervisorReport {
    /// What a supervisor that was killed, by its server perhaps, could not say.
    pub(super) fn of_killed_supervisor() -> Self {
        SupervisorReport {
            asked: false,
            ending: "hola supervise, which ran it, was killed".into(),
            killed: 0,
        }
    }
}

/// Runs a server until standard input ends.
///
/// # Errors
/// Returns the reason if the server cannot be started; no process is left running then.
pub fn supervise(supervised: &Supervised) -> Result<(), String> {
    let starter = getppid();
    let find = |name| owned_path("--cgroup", name, starter, cgroup::named);
    let cgroups: Vec<PathBuf> = supervised
        .cgroups
        .iter()
        .map(find)
        .collect::<Result<_, _>>()?;
    let find = |name| owned_path("--folder", name, starter, OwnedName::temporary_folder);
    let folder = supervised.folder.as_ref().map(find).transpose()?;
    if supervised.limits.sandbox {
        confine(supervised, &cgroups)?;
        // This process becomes the sandbox, and another one supervises the server in there.
        return Err(sandbox::enter(&supervised.command));
    }
    let server = start(supervised, &cgroups)?;
    let kept = print_line(&SupervisorStarted {
        pid: server.as_raw(),
        in_sandbox: is_first_process(),
    });
    thread::spawn(move || end_when_told(server));
    let ended = wait_for(server);
    // A killed server has told its processes nothing.
    if !matches!(ended, Ok(WaitStatus::Signaled(_, Signal::SIGKILL, _))) {
        let_descendants_end();
    }
    // Processes that start others faster than they are killed would never all be gone.
    cgroups
        .iter()
        .for_each(|group| cgroup::refuse_processes(group));
    let killed = end_descendants();
    let told = kept.and_then(|()| {
        print_line(&SupervisorReport {
            asked: STOP_REQUESTED.load(Ordering::SeqCst),
            ending: ending(ended),
            killed,
        })
    });
    if getppid() != starter {
        // The starter is gone and cannot do it. Links in the folder, or in place of it, are removed and not followed.
        if let Some(folder) = folder {
            let _ = std::fs::remove_dir_all(folder);
        }
        cgroups.iter().for_each(|group| cgroup::remove(group));
    }
    told
}

/// Whether this is the first process of a pid namespace, and so that of a sandbox.
fn is_first_process() -> bool {
    std::process::id() == 1
}

/// The path of the named folder or control group. The supervisor changes and removes only what its own starter has
/// made: a folder in the folder for temporary files, and a control group below its own.
fn owned_path(
    option: &str,
    name: &OwnedName,
    starter: Pid,
    find: fn(&OwnedName) -> Result<PathBuf, String>,
) -> Result<PathBuf, String> {
    if i64::from(name.maker()) != i64::from(starter.as_raw()) {
        return Err(format!(
            "{option} {name}: process {starter}, which started this, has not made it"
        ));
    }
    find(name).map_err(|why_not| format!("{option} {name}: {why_not}"))
}

/// Moves this process to the server's CPUs, into its control groups and below its limits, for its children to start
/// there. The supervisor keeps to the limits itself: it needs little.
fn confine(supervised: &Supervised, cgroups: &[PathBuf]) -> Result<(), String> {
    if let Some(cpus) = &supervised.cpus {
        cpus.run_on()
            .map_err(|why_not| format!("--cpus {why_not}"))?;
    }
    for folder in cgroups {
        cgroup::enter(folder).map_err(|error| cannot_enter(&error))?;
    }
    supervised.limits.apply()
}

fn cannot_enter(error: &io::Error) -> String {
    format!("control group: {error}")
}

/// Starts the server in these control groups.
fn start(supervised: &Supervised, cgroups: &[PathBuf]) -> Result<Pid, String> {
    let prctl = set_child_subreaper(true).and_then(|()| match is_first_process() {
        // Neither its memory nor its pipes are open to a server of the same user.
        true => set_dumpable(false),
        false => Ok(()),
    });
    prctl.map_err(|errno| format!("prctl: {}", errno.desc()))?;
    let [program, arguments @ ..] = &supervised.command[..] else {
        return Err("there is no program to run".into());
    };
    confine(supervised, cgroups)?;
    // The supervisor's own lines are on stdout, so the server's output goes to stderr.
    let words = io::stderr().as_fd().try_clone_to_owned();
    let words = words.map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(words)
        // A process group of its own: a signal from the server to its group does not reach the supervisor.
        .process_group(0);
    // A killed supervisor cannot end its server itself.
    sys::end_with_starter(&mut command);
    let child = command.spawn();
    // The server has started in the groups. The supervisor leaves them, so that its own CPU time is not counted.
    for parent in cgroups.iter().filter_map(|folder| folder.parent()) {
        cgroup::enter(parent).map_err(|error| cannot_enter(&error))?;
    }
    let child = child.map_err(|error| format!("cannot run {program}: {error}"))?;
    Ok(Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX)))
}

/// Prints a line of JSON. It is no error if the starter is gone and does not read it.
fn print_line(words: &impl Serialize) -> Result<(), String> {
    let line = serde_json::to_string(words).map_err(|error| error.to_string())?;
    let printed = print(format!("{line}\n"));
    printed.map(|_| ()).map_err(|error| format!("{error:#}"))
}

/// Whether standard input has ended.
static STOP_REQUESTED: AtomicBool = AtomicBool::new(false);

/// Sends SIGTERM to the server when standard input ends, and SIGKILL if the server does not end in time.
fn end_when_told(server: Pid) {
    // An error is an end as well.
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    STOP_REQUESTED.store(true, Ordering::SeqCst);
    // The server may have ended already.
    let _ = kill(server, Signal::SIGTERM);
    thread::sleep(STOP_MAX);
    let _ = kill(server, Signal::SIGKILL);
}

/// Waits for the server. Also reaps orphaned descendants that end meanwhile.
fn wait_for(server: Pid) -> nix::Result<WaitStatus> {
    loop {
        match wait() {
            Ok(status) if status.pid() == Some(server) => return Ok(status),
            Ok(_) | Err(nix::Error::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// How a server ended, for people.
fn ending(ended: nix::Result<WaitStatus>) -> String {
    match ended {
        Ok(WaitStatus::Exited(_, code)) => format!("exit code {code}"),
        Ok(WaitStatus::Signaled(_, signal, _)) => format!("signal {signal}{}", reason_for(signal)),
        Ok(other) => format!("{other:?}"),
        Err(errno) => errno.desc().to_owned(),
    }
}

/// Reaps descendants until none is left, or until the time is up.
fn let_descendants_end() {
    let deadline = Instant::now() + LEAVE_MAX;
    loop {
        match waitpid(Pid::from_raw(-1), Some(WaitPidFlag::WNOHANG)) {
            Err(nix::Error::ECHILD) => return,
            Ok(WaitStatus::StillAlive) if Instant::now() > deadline => return,
            Ok(WaitStatus::StillAlive) => thread::sleep(POLL_INTERVAL),
            Ok(_) | Err(_) => {}
        }
    }
}

/// What a process did that the kernel ended by a signal of its limits; empty for other signals.
fn reason_for(signal: Signal) -> &'static str {
    match signal {
        Signal::SIGXCPU => ": it used up its CPU time",
        Signal::SIGXFSZ => ": it wrote a longer file than it may",
        _ => "",
    }
}

/// Kills and reaps all remaining descendants. Returns how many it killed.
fn end_descendants() -> usize {
    let own = i32::try_from(std::process::id()).unwrap_or(i32::MAX);
    // A process that has been killed is there for a moment, and is found again.
    let mut killed = BTreeSet::new();
    loop {
        for process in process_tree::processes(own) {
            let is_alive = process.stat().is_ok_and(|stat| stat.state != 'Z');
            if process.pid() != own && is_alive {
                let told = kill(Pid::from_raw(process.pid()), Signal::SIGKILL);
                killed.extend(told.is_ok().then(|| process.pid()));
            }
        }
        // Before a process can be reaped, its children have become the supervisor's. So no child left means no process
        // left.
        // In a sandbox one round counts them, and the kernel kills them all when this process ends.
        if is_first_process() || wait() == Err(nix::Error::ECHILD) {
            return killed.len();
        }
    }
}
