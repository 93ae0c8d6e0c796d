//! The environment of a run: everything that can affect a number and that the program can read by itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hola_loadgen::Engine;
use nix::sched::{CpuSet, sched_getaffinity};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::utsname::uname;
use nix::unistd::Pid;
use procfs::{CpuInfo, Current, Meminfo};

use crate::cgroup::{self, Cgroup};
use crate::pinned_program;
use crate::record::{CpuAccounting, Environment, share};

/// Sysctls that limit connections, processes, threads and memory.
const SYSCTLS: &[&str] = &[
    "net.core.somaxconn",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_tw_reuse",
    "kernel.pid_max",
    "kernel.threads-max",
    "vm.overcommit_memory",
];

/// Facts that only the build knows. The top crate passes them in, so that a new commit does not rebuild the other
/// crates.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// Compiler.
    pub rustc: &'static str,
    /// Commit, where it is known.
    pub commit: Option<&'static str>,
    /// Whether there were uncommitted changes.
    pub dirty: Option<bool>,
}

/// Reads the environment at the start of a run.
pub fn read(build: Build) -> Environment {
    let cpu = CpuInfo::current().ok();
    let model = cpu.as_ref().and_then(|cpu| cpu.model_name(0));
    let flags = cpu.as_ref().and_then(|cpu| cpu.flags(0));
    let kernel = uname().map(|names| names.release().to_string_lossy().into_owned());
    let is_debug = cfg!(debug_assertions);
    Environment {
        cpu_model: model.unwrap_or("unknown").into(),
        cpus: allowed_cpus(),
        smt_siblings: smt_siblings(),
        cpu_quota: cpu_quota(),
        memory_mib: Meminfo::current().map_or(0, |memory| memory.mem_total >> 20),
        kernel: kernel.unwrap_or_else(|_| "unknown".into()),
        virtualised: flags.is_some_and(|flags| flags.contains(&"hypervisor")),
        clock_source: one_line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        governor: one_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        mitigations: mitigations(),
        limits: limits(),
        load_before: load_average(),
        server_environment: pinned_program::server_environment(),
        generator_engine: Engine::Auto.resolved().name().into(),
        rustc: build.rustc.into(),
        build: if is_debug { "debug" } else { "release" }.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        commit: build.commit.map(str::to_owned),
        dirty: build.dirty,
        accounted_by: Some(match Cgroup::new() {
            Ok(_) => CpuAccounting::Cgroup,
            Err(_) => CpuAccounting::Proc,
        }),
        // What only the whole run can tell.
        ..Environment::default()
    }
}

/// The CPUs this process may use, in order.
pub fn allowed_cpus() -> Vec<usize> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
    (0..CpuSet::count())
        .filter(|&cpu| allowed.is_set(cpu).unwrap_or(false))
        .collect()
}

/// Groups of the allowed CPUs that are threads of one core, such as `0-1`.
fn smt_siblings() -> Vec<String> {
    let siblings = allowed_cpus().into_iter().filter_map(|cpu| {
        let topology = format!("/sys/devices/system/cpu/cpu{cpu}/topology");
        one_line(format!("{topology}/thread_siblings_list"))
    });
    let groups: BTreeSet<String> = siblings
        .filter(|group| group.contains([',', '-']))
        .collect();
    groups.into_iter().collect()
}

/// CPU time that the control groups of this process allow, in CPUs; `None` where there is no limit.
fn cpu_quota() -> Option<f64> {
    let quota = |folder: PathBuf| {
        // Version 2: `QUOTA PERIOD` or `max PERIOD`; version 1: two files, -1 for no limit.
        let line = one_line(folder.join("cpu.max")).or_else(|| {
            let quota = one_line(folder.join("cpu.cfs_quota_us"))?;
            let period = one_line(folder.join("cpu.cfs_period_us"))?;
            Some(format!("{quota} {period}"))
        });
        let line = line?;
        let (quota, period) = line.split_once(' ')?;
        let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
        (quota > 0.0 && period > 0.0).then(|| quota / period)
    };
    let folders = cgroup::limiting_folders("cpu").into_iter();
    folders.filter_map(quota).reduce(f64::min)
}

/// Time that the control groups of this process have kept it off the CPU so far, in milliseconds.
pub fn throttled_ms() -> Option<f64> {
    let throttled = |folder: PathBuf| {
        let stat = fs::read_to_string(folder.join("cpu.stat")).ok()?;
        stat.lines().find_map(|line| {
            let (name, time) = line.split_once(' ')?;
            let per_ms = match name {
                "throttled_time" => 1e6,
                "throttled_usec" => 1e3,
                _ => return None,
            };
            Some(time.parse::<f64>().ok()? / per_ms)
        })
    };
    let folders = cgroup::limiting_folders("cpu").into_iter();
    folders.filter_map(throttled).reduce(f64::max)
}

/// The 1-minute load average; 0 if it cannot be read.
pub fn load_average() -> f64 {
    let load = one_line("/proc/loadavg").unwrap_or_default();
    let first = load.split(' ').next();
    first.and_then(|first| first.parse().ok()).unwrap_or(0.0)
}

/// CPU time since boot, in the kernel's ticks, by what each tick found running (`/proc/stat`, proc(5)).
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuTicks {
    busy: u64,
    stolen: u64,
    all: u64,
}

impl CpuTicks {
    /// Reads the ticks of these CPUs.
    pub fn new(cpus: &[usize]) -> Self {
        let names: Vec<String> = cpus.iter().map(|cpu| format!("cpu{cpu}")).collect();
        Self::with_lines(|name| names.iter().any(|one| one == name))
    }

    /// Reads the ticks of all CPUs together.
    pub fn with_all_cpus() -> Self {
        Self::with_lines(|name| name == "cpu")
    }

    /// Adds up the lines of these names.
    fn with_lines(is_wanted: impl Fn(&str) -> bool) -> Self {
        let mut ticks = CpuTicks::default();
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        for line in stat.lines() {
            let (name, fields) = line.split_once(' ').unwrap_or((line, ""));
            let fields: Vec<u64> = fields.split_whitespace().flat_map(str::parse).collect();
            // The fields after them, guest time, are already in user time.
            let [user, nice, system, idle, iowait, irq, softirq, steal, ..] = fields[..] else {
                continue;
            };
            if is_wanted(name) {
                let busy = user + nice + system + irq + softirq;
                ticks.busy += busy;
                ticks.stolen += steal;
                ticks.all += busy + idle + iowait + steal;
            }
        }
        ticks
    }

    /// Share of the time since `before` that the hypervisor gave to others, 0…1.
    pub fn steal_share_since(self, before: CpuTicks) -> Option<f64> {
        share(
            self.stolen.saturating_sub(before.stolen),
            self.all.saturating_sub(before.all),
        )
    }

    /// Whether the hypervisor has given any tick since `before` to others.
    pub(crate) fn was_stolen_since(self, before: CpuTicks) -> bool {
        self.stolen > before.stolen
    }

    /// Share of the demanded time since `before` that the hypervisor gave to others, 0…1. Idle time does not count: no
    /// process demanded it.
    pub fn stolen_share_since(self, before: CpuTicks) -> Option<f64> {
        let stolen = self.stolen.saturating_sub(before.stolen);
        share(stolen, stolen + self.busy.saturating_sub(before.busy))
    }
}

fn mitigations() -> Vec<String> {
    let files = fs::read_dir("/sys/devices/system/cpu/vulnerabilities");
    let states = files.into_iter().flatten().flatten().filter_map(|file| {
        let name = file.file_name();
        Some((name.to_string_lossy().into_owned(), one_line(file.path())?))
    });
    let mut lines: Vec<String> = states
        .filter(|(_, state)| state != "Not affected")
        .map(|(name, state)| format!("{name}: {state}"))
        .collect();
    lines.sort();
    lines
}

fn limits() -> Vec<String> {
    let resources = [
        ("open files", Resource::RLIMIT_NOFILE),
        ("processes", Resource::RLIMIT_NPROC),
    ];
    let limits = resources.into_iter().filter_map(|(name, resource)| {
        let (soft, hard) = getrlimit(resource).ok()?;
        Some(format!("{name} = {soft} (hard {hard})"))
    });
    let sysctls = SYSCTLS.iter().filter_map(|name| {
        let value = one_line(format!("/proc/sys/{}", name.replace('.', "/")))?;
        Some(format!("{name} = {}", value.replace('\t', " ")))
    });
    limits.chain(sysctls).collect()
}

fn one_line(path: impl AsRef<Path>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned())
}
