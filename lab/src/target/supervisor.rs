//! `hola supervise`: runs a server that is not Hola's while its own standard input is open, and ends all processes of
//! that server.
//!
//! A parent alone cannot do this. When the measuring process dies, the kernel closes the pipe, and the supervisor ends
//! the server. Orphaned descendants of the server become children of the supervisor (`PR_SET_CHILD_SUBREAPER`), which
//! ends them as well. When the supervisor itself is killed, the kernel kills the server (`PR_SET_PDEATHSIG`), and the
//! measuring process kills the server's descendants.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hola_base::output::print;
use hola_base::process::Cpus;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, wait, waitpid};
use nix::unistd::{Pid, getppid};
use serde::{Deserialize, Serialize};

use crate::cgroup::Cgroup;
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
    /// Control group that accounts for it, made by the process that started the supervisor.
    pub cgroup: Option<OwnedName>,
    /// Temporary folder of the server, made by the same process; removed if that process is gone.
    pub folder: Option<OwnedName>,
    /// Limits of each of its processes.
    pub limits: ResourceLimits,
}

/// Limits of each process of a server (setrlimit(2)). `None` leaves a limit as it is.
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
    /// Processes and threads of the whole server at once, where a control group can be made.
    pub processes: Option<u32>,
}

impl ResourceLimits {
    /// The options of `hola supervise` that ask for them.
    pub(super) fn options(self) -> impl Iterator<Item = String> {
        let limits = [
            ("--memory", self.memory_bytes),
            ("--descriptors", self.descriptors),
            ("--cpu-seconds", self.cpu_s),
            ("--file-size", self.file_bytes),
            ("--processes", self.processes.map(u64::from)),
        ];
        let given = limits.into_iter();
        given.filter_map(|(option, limit)| Some(format!("{option}={}", limit?)))
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

/// Runs a server until standard input ends.
///
/// # Errors
/// Returns the reason if the server cannot be started; no process is left running then.
pub fn supervise(supervised: &Supervised) -> Result<(), String> {
    let starter = getppid();
    let cgroup = ("--cgroup", supervised.cgroup.as_ref());
    let cgroup = owned_path(cgroup, starter, cgroup::named)?;
    let folder = ("--folder", supervised.folder.as_ref());
    let folder = owned_path(folder, starter, OwnedName::temporary_folder)?;
    // Without such a group, a server is as free as any other process of its user.
    let processes = supervised.limits.processes;
    let processes = processes.and_then(|most| Cgroup::with_processes(most).ok());
    let groups = [cgroup.as_deref(), processes.as_ref().map(Cgroup::folder)];
    let server = start(supervised, groups)?;
    let kept = print_line(&SupervisorStarted {
        pid: server.as_raw(),
    });
    thread::spawn(move || end_when_told(server));
    let ended = wait_for(server);
    // A killed server has told its processes nothing.
    if !matches!(ended, Ok(WaitStatus::Signaled(_, Signal::SIGKILL, _))) {
        let_descendants_end();
    }
    // Processes that start others faster than they are killed would never all be gone.
    let _ = processes.as_ref().map(|group| group.limit_processes(0));
    let killed = end_descendants();
    drop(processes);
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
        if let Some(folder) = cgroup {
            cgroup::remove(&folder);
        }
    }
    told
}

/// The path of the named folder or control group. The supervisor changes and removes only what its own starter has
/// made: a folder in the folder for temporary files, and a control group below its own.
fn owned_path(
    (option, name): (&str, Option<&OwnedName>),
    starter: Pid,
    find: fn(&OwnedName) -> Result<PathBuf, String>,
) -> Result<Option<PathBuf>, String> {
    let Some(name) = name else { return Ok(None) };
    if i64::from(name.maker()) != i64::from(starter.as_raw()) {
        return Err(format!(
            "{option} {name}: process {starter}, which started this, has not made it"
        ));
    }
    let found = find(name).map_err(|why_not| format!("{option} {name}: {why_not}"))?;
    Ok(Some(found))
}

/// Starts the server in these control groups.
fn start(supervised: &Supervised, cgroups: [Option<&Path>; 2]) -> Result<Pid, String> {
    set_child_subreaper(true).map_err(|errno| format!("prctl: {}", errno.desc()))?;
    if let Some(cpus) = &supervised.cpus {
        cpus.run_on()
            .map_err(|why_not| format!("--cpus {why_not}"))?;
    }
    let [program, arguments @ ..] = &supervised.command[..] else {
        return Err("there is no program to run".into());
    };
    let cannot_enter = |error| format!("control group: {error}");
    for folder in cgroups.into_iter().flatten() {
        cgroup::enter(folder).map_err(cannot_enter)?;
    }
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
    // The supervisor keeps to them itself: it needs little.
    supervised.limits.apply()?;
    let child = command.spawn();
    // The server has started in the groups. The supervisor leaves them, so that its own CPU time is not counted.
    for parent in cgroups.into_iter().flatten().filter_map(Path::parent) {
        cgroup::enter(parent).map_err(cannot_enter)?;
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
        Ok(WaitStatus::Signaled(_, signal, _)) => format!("signal {signal}"),
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
        if let Err(nix::Error::ECHILD) = wait() {
            return killed.len();
        }
    }
}
