//! A process and all its descendants, read while they run.

use procfs::process::Process;

use crate::record::to_f64;

/// The living processes of the tree of `root`, itself first, including children of all threads.
pub fn processes(root: i32) -> Vec<Process> {
    let children = |process: &Process| {
        let tasks = process.tasks().into_iter().flatten().flatten();
        tasks
            .flat_map(|task| task.children().unwrap_or_default())
            .collect()
    };
    let mut found = Vec::new();
    walk(root, children, |process| found.push(process));
    found
}

/// Memory of a tree, in KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Proportional set size.
    pub pss_kib: u64,
    /// Page tables, which the proportional set size leaves out.
    pub page_tables_kib: u64,
}

/// Reads the memory of the tree of `root`. This is slow: call it only while nothing is timed. `None` if the kernel does
/// not report it.
pub fn memory(root: i32) -> Option<Memory> {
    let mut memory = Memory::default();
    for process in processes(root) {
        // A process that has ended takes no memory.
        let Ok(status) = process.status() else {
            continue;
        };
        match pss_kib(&process) {
            Some(pss_kib) => memory.pss_kib += pss_kib,
            None if process.pid() == root => return None,
            None => continue,
        }
        memory.page_tables_kib += status.vmpte.unwrap_or(0);
    }
    Some(memory)
}

/// CPU time of the tree of `root` so far, in microseconds. It is exact for living threads. It is accurate to a clock
/// tick for ended threads, which only the totals of their process still contain, and for reaped children.
pub fn cpu_us(root: i32) -> f64 {
    let ticks_us = |ticks: u64| ticks * 1_000_000 / procfs::ticks_per_second();
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
    to_f64(processes(root).iter().map(us).sum())
}

fn walk(root: i32, children: impl Fn(&Process) -> Vec<u32>, mut visit: impl FnMut(Process)) {
    let mut to_visit = vec![root];
    while let Some(pid) = to_visit.pop() {
        let Ok(process) = Process::new(pid) else {
            continue;
        };
        let children = children(&process).into_iter();
        to_visit.extend(children.filter_map(|child| i32::try_from(child).ok()));
        visit(process);
    }
}

fn pss_kib(process: &Process) -> Option<u64> {
    let rollup = process.smaps_rollup().ok()?;
    let pss_bytes = rollup
        .memory_map_rollup
        .iter()
        .filter_map(|map| map.extension.map.get("Pss"))
        .sum::<u64>();
    Some(pss_bytes / 1024)
}
