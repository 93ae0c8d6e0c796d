//! What limits the number of clients of a server, including the limits of this system.

use std::cell::Cell;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use hola_loadgen::Observer;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use procfs::{Current, Meminfo};

use crate::cgroup;

/// A procedure stops when less than this share of the initially available memory is left.
const MEMORY_LEFT_MIN: f64 = 0.25;
/// From this share on, a limit counts as used up: the kernel keeps some process ids in reserve, for example.
const USED_UP: f64 = 0.97;
/// Descriptors of this process for other things than clients.
const OTHER_DESCRIPTORS: u32 = 100;
/// The longest accept queue that a server can be asked for; the kernel has its own limit below it.
pub(super) const BACKLOG_MAX: &str = "65535";
/// Memory maps of one thread: its stack, and the guard page below it.
const MAPS_PER_THREAD: u64 = 2;

/// Why no more clients were added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// No limit: no more were asked for.
    Asked(u32),
    /// Open files of one process (`RLIMIT_NOFILE`).
    Descriptors(u32),
    /// Memory of this machine; the procedure leaves some of it.
    Memory,
    /// A limit of the kernel on threads and processes, or on what they need, by its name.
    Kernel { name: &'static str, most: u64 },
    /// A fresh client was not served.
    NotServed(String),
    /// The server closed or refused clients.
    Closed(String),
    /// Goodput fell below half of its best.
    Goodput,
}

impl Limit {
    /// Its name in notes.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Limit::Asked(_) => "asked",
            Limit::Descriptors(_) => "descriptors",
            Limit::Memory => "memory",
            Limit::Kernel { name, .. } => name,
            Limit::NotServed(_) => "not_served",
            Limit::Closed(_) => "closed",
            Limit::Goodput => "goodput",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Asked(clients) => write!(formatter, "none: {clients} clients were asked for"),
            Limit::Descriptors(most) => {
                write!(formatter, "a process may have {most} open files here")
            }
            Limit::Memory => formatter.write_str("three quarters of the available memory are used"),
            Limit::Kernel { name, most } => write!(formatter, "the kernel's {name} is {most}"),
            Limit::NotServed(why) | Limit::Closed(why) => formatter.write_str(why),
            Limit::Goodput => formatter.write_str("goodput is below half of its best"),
        }
    }
}

/// Returns how many clients to try: `clients_max`, or fewer if this process has too few descriptors. Also returns the
/// limit to report if the server holds them all. Raises this process's soft limits, which servers inherit.
pub(super) fn most_clients(clients_max: u32) -> (u32, Limit) {
    raise(Resource::RLIMIT_NPROC);
    let descriptors = raise(Resource::RLIMIT_NOFILE);
    let most = descriptors.saturating_sub(OTHER_DESCRIPTORS);
    if clients_max <= most {
        (clients_max, Limit::Asked(clients_max))
    } else {
        (most, Limit::Descriptors(descriptors))
    }
}

/// Raises a soft limit to the hard one, and returns the resulting soft limit.
fn raise(resource: Resource) -> u32 {
    let Ok((soft, hard)) = getrlimit(resource) else {
        return 0;
    };
    let raised = setrlimit(resource, hard, hard);
    let limit = if raised.is_ok() { hard } else { soft };
    u32::try_from(limit).unwrap_or(u32::MAX)
}

/// Watches the limits of this system while clients are added. A check must come at once: soon after threads or
/// processes were refused, usage falls again.
#[derive(Debug)]
pub(super) struct LimitWatch<'w> {
    server_pid: i32,
    interrupted: &'w AtomicBool,
    memory_min_kib: f64,
    /// Folders with a limit on processes, and its current usage.
    groups: Vec<PathBuf>,
    seen: Cell<Option<(&'static str, u64)>>,
    memory_is_low: Cell<bool>,
}

impl<'w> LimitWatch<'w> {
    /// Starts to watch, with the memory that is available now.
    pub(super) fn new(server_pid: i32, interrupted: &'w AtomicBool) -> Self {
        LimitWatch {
            server_pid,
            interrupted,
            memory_min_kib: available_kib().unwrap_or(0.0) * MEMORY_LEFT_MIN,
            groups: cgroup::limiting_folders("pids"),
            seen: Cell::new(None),
            memory_is_low: Cell::new(false),
        }
    }

    /// Checks the limits once. Returns whether so little memory is left that the procedure has to stop.
    pub(super) fn look(&self) -> bool {
        if available_kib().is_some_and(|available| available < self.memory_min_kib) {
            self.memory_is_low.set(true);
        }
        if self.seen.get().is_none() {
            self.seen.set(self.used_up());
        }
        self.memory_is_low.get()
    }

    /// The limit that was reached so far, if any.
    pub(super) fn reached(&self) -> Option<Limit> {
        if self.memory_is_low.get() {
            return Some(Limit::Memory);
        }
        let (name, most) = self.seen.get()?;
        Some(Limit::Kernel { name, most })
    }

    fn used_up(&self) -> Option<(&'static str, u64)> {
        let tasks = tasks()?;
        let threads = threads_of(self.server_pid).unwrap_or(0);
        let system = [
            ("pid_max", tasks, number("/proc/sys/kernel/pid_max")),
            ("threads-max", tasks, number("/proc/sys/kernel/threads-max")),
            (
                "max_map_count",
                threads * MAPS_PER_THREAD,
                number("/proc/sys/vm/max_map_count"),
            ),
        ];
        let groups = self.groups.iter().filter_map(|folder| {
            let used = number(folder.join("pids.current"))?;
            Some(("pids.max", used, number(folder.join("pids.max"))))
        });
        let (name, _, most) = system
            .into_iter()
            .chain(groups)
            .find(|(_, used, most)| most.is_some_and(|most| is_used_up(*used, most)))?;
        Some((name, most?))
    }
}

/// Ends a load when memory is low or the user interrupts it.
impl Observer for LimitWatch<'_> {
    fn should_stop(&self) -> bool {
        self.look() || self.interrupted.load(Ordering::Relaxed)
    }
}

#[allow(clippy::cast_precision_loss, reason = "limits are far below 2^53")]
fn is_used_up(used: u64, most: u64) -> bool {
    used as f64 >= most as f64 * USED_UP
}

#[allow(clippy::cast_precision_loss, reason = "memory is far below 2^53 KiB")]
fn available_kib() -> Option<f64> {
    let bytes = Meminfo::current().ok()?.mem_available?;
    Some((bytes / 1024) as f64)
}

/// Threads of the whole system (proc_loadavg(5): `running/all`).
fn tasks() -> Option<u64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').nth(3)?.split_once('/')?.1.parse().ok()
}

fn threads_of(pid: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let threads = status
        .lines()
        .find_map(|line| line.strip_prefix("Threads:"))?;
    threads.trim().parse().ok()
}

/// The number that a file holds; `None` for `max` as well.
fn number(path: impl AsRef<Path>) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_no_limit_on_a_system_that_is_not_used_up_and_low_memory_where_there_is_none_left() {
        let own = i32::try_from(std::process::id()).expect("a process id");
        let going_on = AtomicBool::new(false);
        let mut watch = LimitWatch::new(own, &going_on);
        assert!(!watch.look());
        assert_eq!(watch.reached(), None);
        watch.memory_min_kib = f64::MAX;
        assert!(watch.look());
        assert_eq!(watch.reached(), Some(Limit::Memory));
    }

    #[test]
    fn a_limit_is_reached_a_little_before_its_number() {
        assert!(is_used_up(32_500, 32_768) && !is_used_up(31_000, 32_768));
    }

    #[test]
    fn counts_threads_of_the_system_and_of_a_process() {
        let own = i32::try_from(std::process::id()).expect("a process id");
        assert!(threads_of(own) >= Some(1) && tasks() >= threads_of(own));
    }
}
