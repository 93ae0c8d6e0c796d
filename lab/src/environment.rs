//! The environment of a run: everything that can affect a number and that the program can read by itself.

use std::fs;

use hola_loadgen::Engine;
use nix::sched::{CpuSet, sched_getaffinity};
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::utsname::uname;
use nix::unistd::Pid;

use crate::record::{Environment, share};
use crate::{cgroup, image};

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
    let cpuinfo = read_text("/proc/cpuinfo");
    let cpu_field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
        line.split_once(':')
            .map(|(_, value)| value.trim().to_owned())
    };
    Environment {
        cpu_model: cpu_field("model name").unwrap_or_else(|| "unknown".into()),
        cpus: allowed_cpus(),
        smt_siblings: smt_siblings(),
        cpu_quota: cpu_quota(),
        memory_mib: memory_mib(),
        kernel: uname().map_or_else(
            |_| "unknown".into(),
            |names| names.release().to_string_lossy().into_owned(),
        ),
        virtualised: cpu_field("flags")
            .is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
        clock_source: one_line("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        governor: one_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        mitigations: mitigations(),
        limits: limits(),
        load_before: load_average(),
        load_after: None,
        steal_share: None,
        throttled_ms: None,
        server_environment: image::server_environment(),
        generator_engine: Engine::Auto.resolved().name().into(),
        accounted_by: None,
        switches_not_counted: None,
        other_comparisons: 0,
        rustc: build.rustc.into(),
        build: if cfg!(debug_assertions) {
            "debug"
        } else {
            "release"
        }
        .into(),
        version: env!("CARGO_PKG_VERSION").into(),
        commit: build.commit.map(str::to_owned),
        dirty: build.dirty,
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
    let mut groups: Vec<String> = allowed_cpus()
        .iter()
        .filter_map(|cpu| {
            one_line(&format!(
                "/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list"
            ))
        })
        .filter(|group| group.contains([',', '-']))
        .collect();
    groups.sort();
    groups.dedup();
    groups
}

/// CPU time that the control groups of this process allow, in CPUs; `None` where there is no limit.
fn cpu_quota() -> Option<f64> {
    let quotas = cgroup::limiting_folders("cpu")
        .into_iter()
        .filter_map(|folder| {
            // Version 2: `QUOTA PERIOD` or `max PERIOD`; version 1: two files, -1 for no limit.
            let (quota, period) = match one_line(&folder.join("cpu.max").to_string_lossy()) {
                Some(line) => line
                    .split_once(' ')
                    .map(|(quota, period)| (quota.to_owned(), period.to_owned()))?,
                None => (
                    one_line(&folder.join("cpu.cfs_quota_us").to_string_lossy())?,
                    one_line(&folder.join("cpu.cfs_period_us").to_string_lossy())?,
                ),
            };
            let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
            (quota > 0.0 && period > 0.0).then(|| quota / period)
        });
    quotas.reduce(f64::min)
}

/// Time that the control groups of this process have kept it off the CPU so far, in milliseconds.
pub fn throttled_ms() -> Option<f64> {
    let throttled = cgroup::limiting_folders("cpu")
        .into_iter()
        .filter_map(|folder| {
            let stat = fs::read_to_string(folder.join("cpu.stat")).ok()?;
            stat.lines().find_map(|line| {
                let ns = line
                    .strip_prefix("throttled_time ")
                    .and_then(|ns| ns.parse().ok());
                let us = line
                    .strip_prefix("throttled_usec ")
                    .and_then(|us| us.parse().ok());
                ns.map(|ns: f64| ns / 1e6).or(us.map(|us: f64| us / 1e3))
            })
        });
    throttled.reduce(f64::max)
}

/// The 1-minute load average; 0 if it cannot be read.
pub fn load_average() -> f64 {
    let load = read_text("/proc/loadavg");
    load.split(' ')
        .next()
        .and_then(|first| first.parse().ok())
        .unwrap_or(0.0)
}

/// CPU time since boot, in the kernel's ticks, by what each tick found running (`/proc/stat`, proc(5)).
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuTicks {
    user: u64,
    system: u64,
    stolen: u64,
    all: u64,
}

impl CpuTicks {
    /// Reads the ticks of all CPUs together.
    pub fn of_machine() -> Self {
        let stat = read_text("/proc/stat");
        Self::parse(stat.lines().next().unwrap_or_default())
    }

    /// Reads the ticks of these CPUs.
    pub fn of(cpus: &[usize]) -> Self {
        let stat = read_text("/proc/stat");
        let lines = cpus.iter().filter_map(|cpu| {
            let name = format!("cpu{cpu} ");
            stat.lines().find(|line| line.starts_with(&name))
        });
        lines
            .map(Self::parse)
            .fold(Self::default(), |sum, cpu| CpuTicks {
                user: sum.user + cpu.user,
                system: sum.system + cpu.system,
                stolen: sum.stolen + cpu.stolen,
                all: sum.all + cpu.all,
            })
    }

    /// Share of the time since `before` that the hypervisor gave to others, 0…1.
    pub fn steal_share_since(self, before: CpuTicks) -> Option<f64> {
        share(
            self.stolen.saturating_sub(before.stolen),
            self.all.saturating_sub(before.all),
        )
    }

    /// Share of the demanded time since `before` that the hypervisor gave to others, 0…1. Idle time does not count: no
    /// process demanded it.
    pub fn stolen_share_since(self, before: CpuTicks) -> Option<f64> {
        let stolen = self.stolen.saturating_sub(before.stolen);
        let (now, then) = (self.user + self.system, before.user + before.system);
        share(stolen, stolen + now.saturating_sub(then))
    }

    /// Share of the busy time since `before` that was user time, 0…1. Each tick is a sample of what was running, so
    /// short and long processes count alike.
    pub fn user_share_since(self, before: CpuTicks) -> Option<f64> {
        let user = self.user.saturating_sub(before.user);
        share(user, user + self.system.saturating_sub(before.system))
    }

    pub(super) fn parse(line: &str) -> Self {
        let fields: Vec<u64> = line
            .split_whitespace()
            .skip(1)
            .flat_map(str::parse)
            .collect();
        let sum = |places: &[usize]| places.iter().filter_map(|&place| fields.get(place)).sum();
        // user nice system idle iowait irq softirq steal; guest time is already in user time.
        CpuTicks {
            user: sum(&[0, 1]),
            system: sum(&[2, 5, 6]),
            stolen: sum(&[7]),
            all: sum(&[0, 1, 2, 3, 4, 5, 6, 7]),
        }
    }
}

fn memory_mib() -> u64 {
    let meminfo = read_text("/proc/meminfo");
    let total = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|value| value.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

fn mitigations() -> Vec<String> {
    let Ok(files) = fs::read_dir("/sys/devices/system/cpu/vulnerabilities") else {
        return Vec::new();
    };
    let mut lines: Vec<String> = files
        .flatten()
        .filter_map(|file| {
            let state = fs::read_to_string(file.path()).ok()?;
            let state = state.trim();
            (state != "Not affected")
                .then(|| format!("{}: {state}", file.file_name().to_string_lossy()))
        })
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
        let value = one_line(&format!("/proc/sys/{}", name.replace('.', "/")))?;
        Some(format!("{name} = {}", value.replace('\t', " ")))
    });
    limits.chain(sysctls).collect()
}

fn one_line(path: &str) -> Option<String> {
    fs::read_to_string(path)
        .ok()
        .map(|text| text.trim().to_owned())
}

fn read_text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
