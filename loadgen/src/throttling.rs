//! How long the CPU quota of a control group kept this process from running, as the kernel counts it (`cpu.stat`, both
//! versions of control groups).

use std::fs;
use std::path::{Path, PathBuf};

use crate::sys;

/// Time lost to the quota over a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Throttling {
    /// Throttled time of the group that lost most, summed over CPUs.
    pub(crate) throttled_ns: u64,
    /// Length of the span.
    pub(crate) over_ns: u64,
}

/// Reads the throttled time of this process's control groups.
#[derive(Debug)]
pub(crate) struct ThrottlingMeter {
    /// The process's own group and its ancestors: each may have a quota, and each counts only its own.
    groups: Vec<PathBuf>,
    began_ns: u64,
    before: Vec<u64>,
}

impl ThrottlingMeter {
    pub(crate) fn start() -> Self {
        let read =
            |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        Self::of(groups(&read("cgroup"), &read("mountinfo")))
    }

    fn of(groups: Vec<PathBuf>) -> Self {
        let mut meter = Self {
            groups,
            began_ns: 0,
            before: Vec::new(),
        };
        meter.restart();
        meter
    }

    pub(crate) fn restart(&mut self) {
        self.began_ns = sys::now_ns();
        self.before = self.read();
    }

    /// Time lost since the start; `None` if no group counts it.
    pub(crate) fn since_start(&self) -> Option<Throttling> {
        let now = self.read();
        let lost = now.iter().zip(&self.before);
        Some(Throttling {
            throttled_ns: lost
                .map(|(now, before)| now.saturating_sub(*before))
                .max()?,
            over_ns: sys::now_ns().saturating_sub(self.began_ns),
        })
    }

    fn read(&self) -> Vec<u64> {
        let read = |group: &PathBuf| fs::read_to_string(group.join("cpu.stat")).unwrap_or_default();
        self.groups
            .iter()
            .map(|group| throttled_ns(&read(group)).unwrap_or(0))
            .collect()
    }
}

/// Directories of the groups that may limit a process's CPU time and that count it, from its `cgroup` and `mountinfo`
/// in `/proc` (cgroups(7), proc_pid_mountinfo(5)).
fn groups(cgroup: &str, mountinfo: &str) -> Vec<PathBuf> {
    let mut groups = Vec::new();
    for line in cgroup.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else {
            continue;
        };
        let unified = controllers.is_empty();
        if !unified && !controllers.split(',').any(|name| name == "cpu") {
            continue;
        }
        let mounts = mountinfo.lines().filter_map(Mount::of);
        for mount in mounts.filter(|mount| mount.holds_cpu(unified)) {
            let own = mount.folder(path);
            let above = own
                .ancestors()
                .take_while(|folder| folder.starts_with(mount.at));
            groups.extend(above.filter(|folder| accounts(folder)).map(Path::to_owned));
        }
    }
    groups
}

/// Whether the `cpu.stat` of a group contains a throttled time.
fn accounts(group: &Path) -> bool {
    fs::read_to_string(group.join("cpu.stat")).is_ok_and(|text| throttled_ns(&text).is_some())
}

/// Where a hierarchy of groups is mounted.
struct Mount<'m> {
    /// The group at the root of the mount.
    root: &'m str,
    at: &'m str,
    kind: &'m str,
    options: &'m str,
}

impl<'m> Mount<'m> {
    fn of(line: &'m str) -> Option<Self> {
        let (mount, system) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let mut system = system.split(' ');
        Some(Self {
            root: mount.next()?,
            at: mount.next()?,
            kind: system.next()?,
            options: system.nth(1)?,
        })
    }

    fn holds_cpu(&self, unified: bool) -> bool {
        if unified {
            self.kind == "cgroup2"
        } else {
            self.kind == "cgroup" && self.options.split(',').any(|option| option == "cpu")
        }
    }

    /// Directory of the group at `path` in the hierarchy; the root of the mount if `path` lies outside it.
    fn folder(&self, path: &str) -> PathBuf {
        let below = Path::new(path).strip_prefix(self.root).ok();
        let below = below.filter(|below| !below.starts_with(".."));
        Path::new(self.at).join(below.unwrap_or(Path::new("")))
    }
}

/// Reads the throttled time from a `cpu.stat` of either version.
fn throttled_ns(cpu_stat: &str) -> Option<u64> {
    cpu_stat.lines().find_map(|line| {
        let (name, value) = line.split_once(' ')?;
        let value: u64 = value.trim().parse().ok()?;
        match name {
            "throttled_time" => Some(value),
            "throttled_usec" => Some(value.saturating_mul(1_000)),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_account_of_both_versions() {
        let first = "nr_periods 40\nnr_throttled 39\nthrottled_time 2800000000\n";
        let second = "usage_usec 7\nnr_periods 40\nnr_throttled 39\nthrottled_usec 2800000\n";
        for cpu_stat in [first, second] {
            assert_eq!(throttled_ns(cpu_stat), Some(2_800_000_000));
        }
        assert_eq!(throttled_ns("usage_usec 7\nuser_usec 5\n"), None);
    }

    /// A directory that stands for a mount, with these groups; each has a `cpu.stat` from the start.
    fn mounted(groups: &[&str]) -> tempfile::TempDir {
        let mount = tempfile::tempdir().unwrap();
        for group in groups {
            let folder = mount.path().join(group);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("cpu.stat"), "throttled_usec 5\n").unwrap();
        }
        mount
    }

    #[test]
    fn finds_its_own_group_and_those_above_it_in_both_versions() {
        let mount = mounted(&["", "a", "a/b", "other"]);
        let at = mount.path().to_str().unwrap();
        let first = format!("33 31 0:30 / {at} rw - cgroup cgroup rw,cpu,cpuacct\n");
        let second = format!("41 31 0:38 / {at} rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n");
        let expected: Vec<PathBuf> = ["a/b", "a", ""].map(|name| mount.path().join(name)).into();
        assert_eq!(groups("8:pids:/x\n3:cpu,cpuacct:/a/b\n", &first), expected);
        assert_eq!(groups("0::/a/b\n", &second), expected);
        assert!(groups("0::/a/b\n", &first).is_empty());
        // In a container, only a part of the hierarchy is mounted.
        let part = format!("41 31 0:38 /pods {at} rw - cgroup2 cgroup2 rw\n");
        assert_eq!(groups("0::/pods/a\n", &part), expected[1..]);
        assert_eq!(groups("0::/../elsewhere\n", &second), expected[2..]);
    }

    #[test]
    fn counts_what_the_group_lost_that_lost_most() {
        let mount = mounted(&["", "a"]);
        let meter = ThrottlingMeter::of(vec![mount.path().join("a"), mount.path().to_owned()]);
        fs::write(mount.path().join("cpu.stat"), "throttled_usec 2005\n").unwrap();
        fs::write(mount.path().join("a/cpu.stat"), "throttled_usec 1005\n").unwrap();
        assert_eq!(meter.since_start().unwrap().throttled_ns, 2_000_000);
        assert_eq!(ThrottlingMeter::of(Vec::new()).since_start(), None);
    }
}
