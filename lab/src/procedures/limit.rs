//! What limits the number of clients of a server, including the limits of this system.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use hola_base::process::descriptor_limit;
use hola_loadgen::Observer;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use procfs::process::Process;
use procfs::{Current, LoadAverage, Meminfo};

use crate::cgroup;
use crate::record::to_f64;

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
    /// Its name and its explanation, for notes.
    pub(super) fn name_and_detail(&self) -> (&'static str, String) {
        match self {
            Limit::Asked(most) => ("asked", format!("none: {most} clients were asked for")),
            Limit::Descriptors(most) => {
                let why = format!("a process may have {most} open files here");
                ("descriptors", why)
            }
            Limit::Memory => {
                let why = "three quarters of the available memory are used";
                ("memory", why.into())
            }
            Limit::Kernel { name, most } => (name, format!("the kernel's {name} is {most}")),
            Limit::NotServed(why) => ("not_served", why.clone()),
            Limit::Closed(why) => ("closed", why.clone()),
            Limit::Goodput => ("goodput", "goodput is below half of its best".into()),
        }
    }
}

/// Returns how many clients to try: `clients_max`, or fewer if this process has too few descriptors. Also returns the
/// limit to report if the server holds them all. Raises this process's soft limits, which servers inherit.
pub(super) fn most_clients(clients_max: u32) -> (u32, Limit) {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NPROC) {
        // With the old limit, the procedure finds that one.
        let _ = setrlimit(Resource::RLIMIT_NPROC, hard, hard);
    }
    let descriptors = u32::try_from(descriptor_limit()).unwrap_or(u32::MAX);
    let most = descriptors.saturating_sub(OTHER_DESCRIPTORS);
    if clients_max <= most {
        (clients_max, Limit::Asked(clients_max))
    } else {
        (most, Limit::Descriptors(descriptors))
    }
}

/// Watches the limits of this system while clients are added. A check must come at once: soon after threads or
/// processes were refused, usage falls again.
#[derive(Debug)]
pub(super) struct LimitWatch<'w> {
    server_pid: i32,
    interrupted: &'w AtomicBool,
    memory_min_bytes: f64,
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
            memory_min_bytes: to_f64(available_bytes().unwrap_or(0)) * MEMORY_LEFT_MIN,
            groups: cgroup::limiting_folders("pids"),
            seen: Cell::new(None),
            memory_is_low: Cell::new(false),
        }
    }

    /// Checks the limits once. Returns whether so little memory is left that the procedure has to stop.
    pub(super) fn check(&self) -> bool {
        if available_bytes().is_some_and(|available| to_f64(available) < self.memory_min_bytes) {
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
            ("pid_max", tasks, "kernel/pid_max"),
            ("threads-max", tasks, "kernel/threads-max"),
            (
                "max_map_count",
                threads * MAPS_PER_THREAD,
                "vm/max_map_count",
            ),
        ];
        let system = system.into_iter().filter_map(|(name, used, file)| {
            Some((name, used, number(Path::new("/proc/sys").join(file))?))
        });
        let groups = self.groups.iter().filter_map(|folder| {
            let used = number(folder.join("pids.current"))?;
            Some(("pids.max", used, number(folder.join("pids.max"))?))
        });
        let mut limits = system.chain(groups);
        let (name, _, most) = limits.find(|(_, used, most)| is_used_up(*used, *most))?;
        Some((name, most))
    }
}

/// Ends a load when memory is low or the user interrupts it.
impl Observer for LimitWatch<'_> {
    fn should_stop(&self) -> bool {
        self.check() || self.interrupted.load(Ordering::Relaxed)
    }
}

fn is_used_up(used: u64, most: u64) -> bool {
    to_f64(used) >= to_f64(most) * USED_UP
}

fn available_bytes() -> Option<u64> {
    Meminfo::current().ok()?.mem_available
}

/// Threads of the whole system.
fn tasks() -> Option<u64> {
    Some(LoadAverage::current().ok()?.max.into())
}

fn threads_of(pid: i32) -> Option<u64> {
    let stat = Process::new(pid).and_then(|process| process.stat()).ok()?;
    u64::try_from(stat.num_threads).ok()
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
        assert!(!watch.check());
        assert_eq!(watch.reached(), None);
        watch.memory_min_bytes = f64::MAX;
        assert!(watch.check());
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
