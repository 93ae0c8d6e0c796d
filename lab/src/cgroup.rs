//! A control group that accounts for a process and all its descendants, including those that have ended and been
//! reaped.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::owned_name::OwnedName;

/// Attempts to remove a group: its last process leaves it a moment after it has been reaped.
const REMOVALS: u32 = 100;
/// Pause between two attempts.
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// The hierarchy of a group. It decides which files can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hierarchy {
    /// Version 1, of the CPU accounting controller.
    Cpuacct,
    /// Version 1, of the memory controller.
    Memory,
    /// Version 2, of every controller.
    Unified,
}

/// A group that this process made. Dropping it removes the group, which must be empty.
#[derive(Debug)]
pub struct Cgroup {
    name: String,
    folder: PathBuf,
    hierarchy: Hierarchy,
}

impl Cgroup {
    /// Makes an empty group, below this process's own, that accounts for CPU time.
    ///
    /// # Errors
    /// Returns the reason if no group can be made.
    pub fn new() -> Result<Self, String> {
        // Version 1 first: on a system with both versions, it accounts for CPU time.
        Cgroup::below(&[Hierarchy::Cpuacct, Hierarchy::Unified])
    }

    /// Makes an empty group that accounts for memory in version 1. In version 2 one group accounts for CPU time and
    /// memory.
    ///
    /// # Errors
    /// As [`Cgroup::new`].
    pub fn new_for_memory() -> Result<Self, String> {
        Cgroup::below(&[Hierarchy::Memory])
    }

    fn below(hierarchies: &[Hierarchy]) -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}{number}", OwnedName::prefix());
        let mut why_not = "no control groups are mounted".to_owned();
        for &hierarchy in hierarchies {
            for (parent, _) in mounts(hierarchy.mount()) {
                sweep(&parent);
                let folder = parent.join(&name);
                match fs::create_dir(&folder) {
                    Ok(()) => {
                        return Ok(Cgroup {
                            name,
                            folder,
                            hierarchy,
                        });
                    }
                    Err(error) => why_not = format!("{}: {error}", parent.display()),
                }
            }
        }
        Err(format!("no control group can be made here ({why_not})"))
    }

    /// Its name, for [`named`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Moves a process with all its threads into the group. What it has used so far stays with its old group.
    ///
    /// # Errors
    /// The error of the write to `cgroup.procs`.
    pub fn add(&self, pid: i32) -> io::Result<()> {
        fs::write(self.folder.join("cgroup.procs"), pid.to_string())
    }

    /// CPU time of all processes that were ever in the group, in microseconds.
    ///
    /// # Errors
    /// Returns an error if it cannot be read, or for a version 1 memory group.
    pub fn cpu_us(&self) -> io::Result<f64> {
        let us = match self.hierarchy {
            Hierarchy::Cpuacct => self.number("cpuacct.usage")? / 1e3,
            Hierarchy::Unified => self.line("cpu.stat", "usage_usec ")?,
            Hierarchy::Memory => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(us)
    }

    /// Kernel memory of its processes, in bytes: page tables, stacks, files, sockets.
    ///
    /// # Errors
    /// Returns an error if it cannot be read; not every hierarchy accounts for it.
    pub fn kernel_memory_bytes(&self) -> io::Result<f64> {
        match self.hierarchy {
            Hierarchy::Cpuacct => Err(io::ErrorKind::Unsupported.into()),
            Hierarchy::Memory => self.number("memory.kmem.usage_in_bytes"),
            Hierarchy::Unified => {
                Ok(self.line("memory.stat", "kernel ")? + self.line("memory.stat", "sock ")?)
            }
        }
    }

    fn number(&self, file: &str) -> io::Result<f64> {
        self.line(file, "")
    }

    /// The number in the line of `file` that begins with `name`.
    fn line(&self, file: &str, name: &str) -> io::Result<f64> {
        let text = fs::read_to_string(self.folder.join(file))?;
        let number = text.lines().find_map(|line| line.strip_prefix(name));
        number
            .and_then(|number| number.trim().parse().ok())
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Ids of the processes in the group.
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
/// Returns an error if there is no such group.
pub fn named(name: &OwnedName) -> Result<PathBuf, String> {
    let hierarchies = [Hierarchy::Cpuacct, Hierarchy::Unified].into_iter();
    let parents = hierarchies.flat_map(|hierarchy| mounts(hierarchy.mount()));
    let mut folders = parents.map(|(parent, _)| parent.join(name.as_str()));
    let found = folders.find(|folder| folder.is_dir());
    found.ok_or_else(|| "there is no such control group below this process's own".to_owned())
}

/// Ids of the processes of the group with that folder; none if the group no longer exists.
pub fn members(folder: &Path) -> Vec<i32> {
    let list = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    list.lines().flat_map(str::parse).collect()
}

/// Moves this process into the group with that folder; its children start there.
///
/// # Errors
/// The error of the write to `cgroup.procs`.
pub fn enter(folder: &Path) -> io::Result<()> {
    // 0 means the writing process.
    fs::write(folder.join("cgroup.procs"), "0")
}

/// Removes an empty group. Tries again for a while if its last process is still leaving.
pub fn remove(folder: &Path) {
    for _ in 0..REMOVALS {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => thread::sleep(TRY_AGAIN),
            _ => return,
        }
    }
}

/// Removes empty groups of processes that were killed before they could remove them.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let maker = OwnedName::of(&entry.path()).map(|name| name.maker());
        if maker.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Folders of the groups that limit this process, in version 1 of `controller` and in version 2: its own and those
/// above it.
pub fn limiting_folders(controller: &str) -> Vec<PathBuf> {
    let of = [Mount::Version1(controller), Mount::Version2];
    let mut folders = Vec::new();
    for (folder, root) in of.into_iter().flat_map(mounts) {
        let ancestors = folder.ancestors();
        let within = ancestors.take_while(|each| each.starts_with(&root));
        folders.extend(within.map(Path::to_owned));
    }
    folders
}

/// A kind of mounted hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mount<'c> {
    /// The hierarchy of a version 1 controller.
    Version1(&'c str),
    Version2,
}

impl Hierarchy {
    fn mount(self) -> Mount<'static> {
        match self {
            Hierarchy::Cpuacct => Mount::Version1("cpuacct"),
            Hierarchy::Memory => Mount::Version1("memory"),
            Hierarchy::Unified => Mount::Version2,
        }
    }
}

/// This process's group in each mounted hierarchy of that kind: its folder, and where the hierarchy is mounted.
fn mounts(kind: Mount<'_>) -> Vec<(PathBuf, PathBuf)> {
    let (filesystem, controller) = match kind {
        Mount::Version1(controller) => ("cgroup", controller),
        Mount::Version2 => ("cgroup2", ""),
    };
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = own.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        let is_it = controllers.split(',').any(|each| each == controller);
        is_it.then_some(path)
    });
    let own = own.unwrap_or("/").trim_start_matches('/');
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let place = |mount: &str| {
        let fields: Vec<&str> = mount.split(' ').collect();
        let [_, mounted_at, mounted, options, ..] = fields[..] else {
            return None;
        };
        let has_it = controller.is_empty() || options.split(',').any(|each| each == controller);
        let root = PathBuf::from(mounted_at);
        (mounted == filesystem && has_it).then(|| (root.join(own), root))
    };
    mounts.lines().filter_map(place).collect()
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
        assert!(first.cpu_us().expect("read") < 1e-9);
        // No process has this id: it is larger than any id of the kernel.
        let left = first.folder().with_file_name("hola-4294967295-0");
        fs::create_dir(&left).expect("made");
        let second = Cgroup::new().expect("as before");
        assert!(!left.exists() && first.folder().exists());
        drop(first);
        assert!(second.folder().exists());
    }

    #[test]
    fn a_memory_group_tells_the_kernel_memory_of_its_processes() {
        let Ok(group) = Cgroup::new_for_memory() else {
            return println!("skipped: no memory control group of version 1 can be made here");
        };
        assert!(group.kernel_memory_bytes().expect("read") >= 0.0);
        assert!(group.cpu_us().is_err());
    }
}
