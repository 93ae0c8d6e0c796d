//! A control group that accounts for a process and all its descendants, those that have ended and been reaped included.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

/// Tries to remove a group whose last process leaves a moment after it has been reaped.
const REMOVALS: u32 = 100;
/// Pause between two of them.
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// How a group's CPU time is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Usage {
    /// Version 1: nanoseconds.
    Cpuacct,
    /// Version 2: microseconds.
    CpuStat,
}

/// A group of this process's own making; dropped, it is removed, which needs it to be empty.
#[derive(Debug)]
pub struct Cgroup {
    folder: PathBuf,
    usage: Usage,
}

impl Cgroup {
    /// A new, empty group below this process's own.
    ///
    /// # Errors
    /// One plain sentence: why there is none to be had here.
    pub fn new() -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("hola-{}-{number}", std::process::id());
        let mut why_not = "no control groups are mounted".to_owned();
        for (parent, usage) in places() {
            sweep(&parent);
            let folder = parent.join(&name);
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(Cgroup { folder, usage }),
                Err(error) => why_not = format!("{}: {error}", parent.display()),
            }
        }
        Err(format!("no control group can be made here ({why_not})"))
    }

    /// Its folder, for [`enter`].
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Moves a process into it, with all its threads; what it has used so far stays where it was.
    ///
    /// # Errors
    /// What writing said.
    pub fn add(&self, pid: i32) -> io::Result<()> {
        fs::write(self.folder.join("cgroup.procs"), pid.to_string())
    }

    /// CPU time of everybody who was ever in it, in microseconds.
    ///
    /// # Errors
    /// What reading said.
    pub fn cpu_us(&self) -> io::Result<f64> {
        let us = match self.usage {
            Usage::Cpuacct => {
                let text = fs::read_to_string(self.folder.join("cpuacct.usage"))?;
                text.trim().parse().ok().map(|ns: f64| ns / 1e3)
            }
            Usage::CpuStat => {
                let text = fs::read_to_string(self.folder.join("cpu.stat"))?;
                let line = text
                    .lines()
                    .find_map(|line| line.strip_prefix("usage_usec "));
                line.and_then(|us| us.trim().parse().ok())
            }
        };
        us.ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Process ids of those in it.
    ///
    /// # Errors
    /// What reading said.
    pub fn processes(&self) -> io::Result<Vec<i32>> {
        let list = fs::read_to_string(self.folder.join("cgroup.procs"))?;
        Ok(list.lines().flat_map(str::parse).collect())
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

/// Moves this process into the group with that folder; its children are born there.
///
/// # Errors
/// What writing said.
pub fn enter(folder: &Path) -> io::Result<()> {
    // 0 is whoever writes it.
    fs::write(folder.join("cgroup.procs"), "0")
}

/// Removes an empty group, in a while if its last process is still leaving.
pub fn remove(folder: &Path) {
    for _ in 0..REMOVALS {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => thread::sleep(TRY_AGAIN),
            _ => return,
        }
    }
}

/// Removes what processes left that were killed before they could tidy up. A group that is not empty stays.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let maker = name.to_str().and_then(|name| {
            let (pid, _) = name.strip_prefix("hola-")?.split_once('-')?;
            pid.parse::<u32>().ok()
        });
        if maker.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Folders of the groups that limit this process's CPU time, its own and those above it.
pub fn cpu_controllers() -> Vec<PathBuf> {
    let of = mounts("cpu");
    let climb = |(folder, root): (PathBuf, PathBuf)| {
        let ancestors: Vec<PathBuf> = folder
            .ancestors()
            .take_while(|each| each.starts_with(&root))
            .map(Path::to_owned)
            .collect();
        ancestors
    };
    of.into_iter()
        .flat_map(|(folder, root, _)| climb((folder, root)))
        .collect()
}

/// Where groups of this process could be made, version 1 first: a system with both accounts CPU time there.
fn places() -> Vec<(PathBuf, Usage)> {
    let places = mounts("cpuacct").into_iter();
    places.map(|(folder, _, usage)| (folder, usage)).collect()
}

/// This process's group in the hierarchy of a version 1 `controller` and in that of version 2: its folder, where the hierarchy
/// is mounted, and how CPU time is read there.
fn mounts(controller: &str) -> Vec<(PathBuf, PathBuf, Usage)> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = |controller: &str| {
        let path = own.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            let is_it = controllers.split(',').any(|each| each == controller);
            is_it.then_some(path)
        });
        path.unwrap_or("/").trim_start_matches('/').to_owned()
    };
    let mut places = Vec::new();
    for (kind, controller, usage) in [
        ("cgroup", controller, Usage::Cpuacct),
        ("cgroup2", "", Usage::CpuStat),
    ] {
        for mount in mounts.lines() {
            let fields: Vec<&str> = mount.split(' ').collect();
            let [_, mounted_at, mounted_kind, options, ..] = fields[..] else {
                continue;
            };
            let has_it = controller.is_empty() || options.split(',').any(|each| each == controller);
            if mounted_kind == kind && has_it {
                let root = PathBuf::from(mounted_at);
                places.push((root.join(own(controller)), root, usage));
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_group_is_empty_and_clears_away_what_the_dead_have_left() {
        let Ok(first) = Cgroup::new() else {
            return println!("skipped: no control group can be made here");
        };
        assert!(first.processes().expect("read").is_empty());
        assert!(first.cpu_us().expect("read") < 1e-9);
        // No process has this id: it is beyond the largest that the kernel gives.
        let left = first.folder().with_file_name("hola-4294967295-0");
        fs::create_dir(&left).expect("made");
        let second = Cgroup::new().expect("as before");
        assert!(!left.exists() && first.folder().exists());
        drop(first);
        assert!(second.folder().exists());
    }
}
