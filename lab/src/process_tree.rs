//! The processes of a server, and what they use: a process and all its descendants, while they run; their CPU time also
//! after they have ended.

use std::sync::OnceLock;

use procfs::process::Process;

use crate::cgroup::Cgroup;
use crate::record::{CpuAccounting, to_f64};

/// The account of one server: CPU time and kernel memory of all its processes.
#[derive(Debug)]
pub struct ServerAccount {
    cgroup: Option<Cgroup>,
    /// Accounts for memory in version 1, once it is asked for.
    memory_cgroup: OnceLock<Option<Cgroup>>,
    pub(crate) pid: i32,
}

impl ServerAccount {
    /// The account of the process `pid`, measured by `cgroup` if there is one.
    pub(crate) fn new(cgroup: Option<Cgroup>, pid: i32) -> Self {
        ServerAccount {
            cgroup,
            memory_cgroup: OnceLock::new(),
            pid,
        }
    }

    /// CPU time so far, in microseconds. Without a control group it is exact for living threads, and accurate to a
    /// clock tick for ended ones.
    pub fn cpu_us(&self) -> f64 {
        let by_cgroup = self.cgroup.as_ref().and_then(|cgroup| cgroup.cpu_us().ok());
        by_cgroup.unwrap_or_else(|| cpu_us(self.pid))
    }

    /// What measures the CPU time.
    pub fn counted_by(&self) -> CpuAccounting {
        match self.cgroup {
            Some(_) => CpuAccounting::Cgroup,
            None => CpuAccounting::Proc,
        }
    }

    /// Kernel memory of the server's processes, in bytes, if a control group accounts for it: that of CPU time, or one
    /// that is made at the first call.
    pub(crate) fn kernel_memory_bytes(&self) -> Option<f64> {
        let bytes = |cgroup: &Cgroup| cgroup.kernel_memory_bytes().ok();
        let new = || {
            let cgroup = Cgroup::with_memory().ok();
            cgroup.filter(|cgroup| add_all(self.pid, cgroup))
        };
        let by_cgroup = self.cgroup.as_ref().and_then(bytes);
        by_cgroup.or_else(|| self.memory_cgroup.get_or_init(new).as_ref().and_then(bytes))
    }

    /// Moves the process and its descendants into the control group; later ones start there. Drops a group that does
    /// not take all of them.
    pub(crate) fn enrol(&mut self) {
        let cgroup = self.cgroup.take();
        self.cgroup = cgroup.filter(|cgroup| add_all(self.pid, cgroup));
    }
}

/// Moves the tree of `root` into a control group. Returns whether the group takes all of its processes.
fn add_all(root: i32, cgroup: &Cgroup) -> bool {
    let processes = processes(root);
    let mut added = processes.iter().map(|each| cgroup.add(each.pid()));
    added.all(|added| added.is_ok())
}

/// The living processes of the tree of `root`, itself first, including children of all threads.
pub fn processes(root: i32) -> Vec<Process> {
    let mut found = Vec::new();
    let mut to_visit = vec![root];
    while let Some(pid) = to_visit.pop() {
        let Ok(process) = Process::new(pid) else {
            continue;
        };
        let tasks = process.tasks().into_iter().flatten().flatten();
        let children = tasks.flat_map(|task| task.children().unwrap_or_default());
        to_visit.extend(children.filter_map(|child| i32::try_from(child).ok()));
        found.push(process);
    }
    found
}

/// The process id here of the process in the tree of `root` that has the id `inner` in the namespace in which it runs
/// (pid_namespaces(7)).
pub(crate) fn find_by_inner_id(root: i32, inner: i32) -> Option<i32> {
    let is_it = |process: &Process| {
        let ids = process.status().ok().and_then(|status| status.nspid);
        ids.is_some_and(|ids| ids.last() == Some(&inner))
    };
    let found = processes(root).into_iter().find(is_it);
    found.map(|process| process.pid())
}

/// The parent of a process.
pub(crate) fn parent(pid: i32) -> Option<i32> {
    let stat = Process::new(pid).and_then(|process| process.stat());
    stat.ok().map(|stat| stat.ppid)
}

/// What a tree of processes uses, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TreeUsage {
    /// Processes that run.
    pub processes: u64,
    /// Their threads.
    pub threads: u64,
    /// CPU time so far, in microseconds, accurate to a clock tick for each process.
    pub cpu_us: f64,
    /// Proportional set size, in KiB; `None` if it was not asked for, or if the kernel does not report it.
    pub memory_kib: Option<u64>,
}

impl TreeUsage {
    /// Reads the tree of `root` once. Its memory is read only if it has at most `measured_max` processes: each of them takes
    /// the kernel a walk over its pages.
    pub fn of(root: i32, measured_max: usize) -> Self {
        let processes = processes(root);
        let stats: Vec<_> = processes.iter().filter_map(|one| one.stat().ok()).collect();
        let alive = stats.iter().filter(|stat| stat.state != 'Z');
        let threads = alive.clone().map(|stat| stat.num_threads);
        let ticks = stats.iter().map(|stat| {
            let reaped = u64::try_from(stat.cutime + stat.cstime).unwrap_or(0);
            stat.utime + stat.stime + reaped
        });
        let is_measured = processes.len() <= measured_max;
        let measured = processes.iter().filter(|_| is_measured);
        let pss_kib: Vec<u64> = measured.filter_map(pss_kib).collect();
        TreeUsage {
            processes: alive.count() as u64,
            threads: u64::try_from(threads.sum::<i64>()).unwrap_or(0),
            cpu_us: to_f64(ticks_us(ticks.sum())),
            memory_kib: (!pss_kib.is_empty()).then(|| pss_kib.iter().sum()),
        }
    }
}

/// Memory of the tree of `root`, in KiB: the proportional set size, and the page tables, which that leaves out. This is
/// slow: call it only while nothing is timed. `None` if the kernel does not report it.
pub fn memory_kib(root: i32) -> Option<u64> {
    let mut memory_kib = 0;
    for process in processes(root) {
        // A process that has ended takes no memory.
        let Ok(status) = process.status() else {
            continue;
        };
        match pss_kib(&process) {
            Some(pss_kib) => memory_kib += pss_kib + status.vmpte.unwrap_or(0),
            None if process.pid() == root => return None,
            None => {}
        }
    }
    Some(memory_kib)
}

/// CPU time of the tree of `root` so far, in microseconds. It is exact for living threads. It is accurate to a clock
/// tick for ended threads, which only the totals of their process still contain, and for reaped children.
fn cpu_us(root: i32) -> f64 {
    let us = |process: &Process| {
        let tasks = process.tasks().into_iter().flatten().flatten();
        let ns: u64 = tasks
            .filter_map(|task| task.schedstat().ok())
            .map(|stat| stat.sum_exec_runtime)
            .sum();
        let (own, reaped) = process.stat().map_or((0, 0), |stat| {
            (stat.utime + stat.stime, stat.cutime + stat.cstime)
        });
        let reaped = u64::try_from(reaped).unwrap_or(0);
        (ns / 1_000).max(ticks_us(own)) + ticks_us(reaped)
    };
    to_f64(processes(root).iter().map(us).sum::<u64>())
}

fn ticks_us(ticks: u64) -> u64 {
    ticks * 1_000_000 / procfs::ticks_per_second()
}

fn pss_kib(process: &Process) -> Option<u64> {
    let rollup = process.smaps_rollup().ok()?.memory_map_rollup;
    let pss_bytes = rollup.iter().filter_map(|map| map.extension.map.get("Pss"));
    Some(pss_bytes.sum::<u64>() / 1024)
}
