//! A process and all its descendants, looked at while they work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use procfs::process::Process;

/// Pause between two looks: reading memory maps takes the server's own lock, so it must stay rare.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// The most seen at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peak {
    /// Processes.
    pub processes: u32,
    /// Threads, over all processes.
    pub threads: u32,
    /// Proportional set size over all processes, in KiB: each shared page counts once, divided among its users.
    pub pss_kib: Option<u64>,
}

impl Peak {
    fn raise_to(&mut self, seen: Peak) {
        self.processes = self.processes.max(seen.processes);
        self.threads = self.threads.max(seen.threads);
        self.pss_kib = self.pss_kib.max(seen.pss_kib);
    }
}

/// Looks at a process tree from a thread of its own until it is asked for the peak.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Peak>,
}

impl Watch {
    /// Starts looking at `root` and its descendants, for no longer than `at_most`.
    pub fn start(root: i32, at_most: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let looks = at_most.as_millis() / LOOK_AGAIN.as_millis();
        let thread = thread::spawn(move || {
            let mut peak = look(root);
            for _ in 0..looks {
                if stopped.load(Ordering::Relaxed) {
                    break;
                }
                thread::sleep(LOOK_AGAIN);
                peak.raise_to(look(root));
            }
            peak
        });
        Watch { stop, thread }
    }

    /// The most that was seen.
    pub fn peak(self) -> Peak {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

/// The tree of `root` at this moment. Whoever ends meanwhile is not counted.
fn look(root: i32) -> Peak {
    let mut seen = Peak::default();
    // Models fork from their main thread; asking each thread of a thousand would take too long for a look under load.
    let children = |process: &Process| {
        let main_thread = process.task_main_thread();
        main_thread.and_then(|task| task.children())
    };
    walk(
        root,
        |process| children(process).unwrap_or_default(),
        |process| {
            let Ok(stat) = process.stat() else { return };
            seen.processes += 1;
            seen.threads += u32::try_from(stat.num_threads).unwrap_or(0);
            if let Some(pss_kib) = pss_kib(&process) {
                *seen.pss_kib.get_or_insert(0) += pss_kib;
            }
        },
    );
    seen
}

/// The living processes of the tree of `root`, itself first, whichever threads made them.
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

/// Reads the memory of the tree of `root`: slow, so for moments at which nothing is timed. `None` where the kernel does
/// not tell.
pub fn memory(root: i32) -> Option<Memory> {
    let mut memory = Memory::default();
    for process in processes(root) {
        // Whoever has ended meanwhile takes no memory.
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

/// CPU time of the tree of `root` so far, in microseconds: exact for threads that live; to a clock tick for those that
/// have ended, which only their process's books still hold, and for children that were reaped.
pub fn cpu_us(root: i32) -> u64 {
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
    processes(root).iter().map(us).sum()
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
    let pss_octets = rollup
        .memory_map_rollup
        .iter()
        .filter_map(|map| map.extension.map.get("Pss"))
        .sum::<u64>();
    Some(pss_octets / 1024)
}
