//! A control group that accounts for a process and all its descendants, those that have ended and been reaped included.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::made::MadeName;

/// Tries to remove a group whose last process leaves a moment after it has been reaped.
const REMOVALS: u32 = 100;
/// Pause between two of them.
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// Who counted CPU time.
///
/// A thread that ends closes its process's books on itself before it is done: what it uses from its last turn on the CPU to
/// the end is in no later `getrusage` (`__exit_signal` in the kernel takes the time as of the last update). For a thread
/// that lives for one request that is several microseconds of some forty. A process is reaped by its parent after its end,
/// so nothing of it is lost, and a control group loses nothing of either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Account {
    /// A control group.
    Cgroup,
    /// getrusage(2), where no control group can be made; of a server that still runs the same books in `/proc`.
    Getrusage,
}

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
    name: String,
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
        let name = format!("{}{number}", MadeName::prefix());
        let mut why_not = "no control groups are mounted".to_owned();
        for (parent, usage) in places() {
            sweep(&parent);
            let folder = parent.join(&name);
            match fs::create_dir(&folder) {
                Ok(()) => {
                    return Ok(Cgroup {
                        name,
                        folder,
                        usage,
                    });
                }
                Err(error) => why_not = format!("{}: {error}", parent.display()),
            }
        }
        Err(format!("no control group can be made here ({why_not})"))
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its name, for [`named`].
    pub fn name(&self) -> &str {
        &self.name
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
    pub fn cpu_us(&self) -> io::Result<u64> {
        let (file, field) = match self.usage {
            Usage::Cpuacct => ("cpuacct.usage", None),
            Usage::CpuStat => ("cpu.stat", Some("usage_usec ")),
        };
        let text = fs::read_to_string(self.folder.join(file))?;
        let number = match field {
            None => text.trim().parse::<u64>().ok().map(|ns| ns / 1_000),
            Some(field) => {
                let line = text.lines().find_map(|line| line.strip_prefix(field));
                line.and_then(|us| us.trim().parse().ok())
            }
        };
        number.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, text))
    }

    /// Process ids of those in it.
    pub fn processes(&self) -> Vec<i32> {
        members(&self.folder)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

/// The folder of the group of that name below this process's own group.
///
/// # Errors
/// That there is none, in one plain clause.
pub fn named(name: &MadeName) -> Result<PathBuf, String> {
    let folders = places().into_iter();
    let found = folders
        .map(|(parent, _)| parent.join(name.as_str()))
        .find(|folder| folder.is_dir());
    found.ok_or_else(|| "there is no such control group below this process's own".to_owned())
}

/// Processes of the group with that folder; none if there is no such group any more.
pub fn members(folder: &Path) -> Vec<i32> {
    let list = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    list.lines().flat_map(str::parse).collect()
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
        let maker = MadeName::of(&entry.path()).map(|name| name.maker());
        if maker.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Where groups of this process could be made, version 1 first: a system with both accounts CPU time there.
fn places() -> Vec<(PathBuf, Usage)> {
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
        ("cgroup", "cpuacct", Usage::Cpuacct),
        ("cgroup2", "", Usage::CpuStat),
    ] {
        for mount in mounts.lines() {
            let fields: Vec<&str> = mount.split(' ').collect();
            let [_, mounted_at, mounted_kind, options, ..] = fields[..] else {
                continue;
            };
            let has_it = controller.is_empty() || options.split(',').any(|each| each == controller);
            if mounted_kind == kind && has_it {
                places.push((Path::new(mounted_at).join(own(controller)), usage));
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
        assert!(first.processes().is_empty());
        assert_eq!(first.cpu_us().expect("read"), 0);
        // No process has this id: it is beyond the largest that the kernel gives.
        let left = first.folder().with_file_name("hola-4294967295-0");
        fs::create_dir(&left).expect("made");
        let second = Cgroup::new().expect("as before");
        assert!(!left.exists() && first.folder().exists());
        drop(first);
        assert!(second.folder().exists());
    }
}
