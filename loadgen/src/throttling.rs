//! How long the CPU quota of a control group kept this process from running, as the kernel counts it (`cpu.stat`, both
//! versions of control groups).

use std::fs;
use std::path::{Path, PathBuf};

use procfs::process::MountInfo;
use procfs::{FromBufRead, ProcessCGroups};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sys;

/// Time lost to the quota over a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    pub(crate) fn new() -> Self {
        let read =
            |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
        Self::with_groups(groups(&read("cgroup"), &read("mountinfo")))
    }

    fn with_groups(groups: Vec<PathBuf>) -> Self {
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
        let groups = self.groups.iter();
        groups
            .map(|group| throttled_ns(group).unwrap_or(0))
            .collect()
    }
}

/// Directories of the groups that may limit a process's CPU time and that count it, from its `cgroup` and `mountinfo`
/// in `/proc` (cgroups(7), proc_pid_mountinfo(5)).
fn groups(cgroup: &str, mountinfo: &str) -> Vec<PathBuf> {
    let Ok(own) = ProcessCGroups::from_buf_read(cgroup.as_bytes()) else {
        return Vec::new();
    };
    let mounts = mountinfo.lines().map(MountInfo::from_line);
    let mounts: Vec<MountInfo> = mounts.filter_map(Result::ok).collect();
    let mut groups = Vec::new();
    for group in own {
        let unified = group.controllers.is_empty();
        let holds_cpu = |mount: &&MountInfo| match unified {
            true => mount.fs_type == "cgroup2",
            false => mount.fs_type == "cgroup" && mount.super_options.contains_key("cpu"),
        };
        if unified || group.controllers.iter().any(|name| name == "cpu") {
            for mount in mounts.iter().filter(holds_cpu) {
                let folder = folder(mount, &group.pathname);
                let above = folder.ancestors();
                let above = above.take_while(|folder| folder.starts_with(&mount.mount_point));
                groups.extend(
                    above
                        .filter(|folder| throttled_ns(folder).is_some())
                        .map(Path::to_owned),
                );
            }
        }
    }
    groups
}

/// Directory of the group at `path` in a mounted hierarchy; the root of the mount if `path` lies outside it.
fn folder(mount: &MountInfo, path: &str) -> PathBuf {
    let below = Path::new(path).strip_prefix(&mount.root).ok();
    let below = below.filter(|below| !below.starts_with(".."));
    mount.mount_point.join(below.unwrap_or(Path::new("")))
}

/// The throttled time of a group; `None` if its `cpu.stat`, of either version, contains none.
fn throttled_ns(group: &Path) -> Option<u64> {
    let cpu_stat = fs::read_to_string(group.join("cpu.stat")).ok()?;
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
        let group = tempfile::tempdir().unwrap();
        for (cpu_stat, expected) in [
            (
                "nr_throttled 39\nthrottled_time 2800000000\n",
                Some(2_800_000_000),
            ),
            (
                "usage_usec 7\nthrottled_usec 2800000\n",
                Some(2_800_000_000),
            ),
            ("usage_usec 7\nuser_usec 5\n", None),
        ] {
            fs::write(group.path().join("cpu.stat"), cpu_stat).unwrap();
            assert_eq!(throttled_ns(group.path()), expected, "{cpu_stat}");
        }
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
        let meter =
            ThrottlingMeter::with_groups(vec![mount.path().join("a"), mount.path().to_owned()]);
        fs::write(mount.path().join("cpu.stat"), "throttled_usec 2005\n").unwrap();
        fs::write(mount.path().join("a/cpu.stat"), "throttled_usec 1005\n").unwrap();
        assert_eq!(meter.since_start().unwrap().throttled_ns, 2_000_000);
        assert_eq!(ThrottlingMeter::with_groups(Vec::new()).since_start(), None);
    }
}
