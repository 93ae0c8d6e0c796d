//! A control group that accounts for a process and all its descendants, including those that have ended and been
//! reaped. Errors are those of the files of the control groups, and what a hierarchy does not account for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use procfs::process::Process;
use procfs::{Current, Meminfo, MountEntry};
use schemars::JsonSchema;
use serde::Serialize;

use crate::owned_name::OwnedName;

/// Attempts to remove a group: its last process leaves it a moment after it has been reaped.
const REMOVALS: u32 = 100;
/// Pause between two attempts.
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// The version 1 hierarchies that a group can be made in, by the name of their controller.
const CPU_ACCOUNTING: &str = "cpuacct";
const MEMORY: &str = "memory";
const PROCESSES: &str = "pids";
/// The file of the limit on processes, in both versions.
const PROCESSES_FILE: &str = "pids.max";
/// The version 2 hierarchy, which has all controllers.
const VERSION_2: &str = "";

/// Limits of all processes of a server together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupLimits {
    /// Processes and threads at once.
    pub processes: u32,
    /// Memory, in bytes; never more than half of the machine's.
    pub memory_bytes: u64,
}

/// A limit of [`GroupLimits`] that a server has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReachedLimit {
    /// It was refused another process or thread.
    Processes,
    /// One of its processes was killed for want of memory.
    Memory,
}

/// A group that this process made. Dropping it removes the group, which must be empty.
#[derive(Debug)]
pub struct Cgroup {
    folder: PathBuf,
    hierarchy: &'static str,
}

impl Cgroup {
    /// Makes an empty group, below this process's own, that accounts for CPU time.
    pub fn new() -> Result<Self, String> {
        // Version 1 first: on a system with both versions, it accounts for CPU time.
        Cgroup::below(&[CPU_ACCOUNTING, VERSION_2])
    }

    /// Makes an empty group that accounts for memory in version 1. In version 2 one group accounts for CPU time and
    /// memory.
    pub fn with_memory() -> Result<Self, String> {
        Cgroup::below(&[MEMORY])
    }

    /// Makes empty groups for the same processes, which limit them: one for each limit in version 1, one for all in
    /// version 2. A limit that cannot be set here is left out.
    pub fn with_limits(limits: GroupLimits) -> Vec<Self> {
        let new = |hierarchy| Cgroup::below(&[hierarchy]).ok();
        let processes = new(PROCESSES).filter(|group| group.limit_processes(limits).is_ok());
        let memory = new(MEMORY).filter(|group| group.limit_memory(limits).is_ok());
        let mut groups: Vec<Cgroup> = processes.into_iter().chain(memory).collect();
        if groups.len() < 2
            && let Some(group) = new(VERSION_2)
        {
            // Without a limit it still tells which processes there are.
            let _ = group.limit_processes(limits);
            let _ = group.limit_memory(limits);
            groups.push(group);
        }
        groups
    }

    fn limit_processes(&self, limits: GroupLimits) -> io::Result<()> {
        let most = limits.processes.to_string();
        fs::write(self.folder.join(PROCESSES_FILE), most)
    }

    fn limit_memory(&self, limits: GroupLimits) -> io::Result<()> {
        let file = match self.hierarchy {
            MEMORY => "memory.limit_in_bytes",
            _ => "memory.max",
        };
        // The other half is for the programs of the machine.
        let half = Meminfo::current().map_or(u64::MAX, |memory| memory.mem_total / 2);
        let most = limits.memory_bytes.min(half).to_string();
        fs::write(self.folder.join(file), most)
    }

    /// The limits that its processes have reached.
    pub fn reached_limits(&self) -> impl Iterator<Item = ReachedLimit> {
        let memory = match self.hierarchy {
            MEMORY => "memory.oom_control",
            _ => "memory.events",
        };
        let events = [
            (ReachedLimit::Processes, "pids.events", "max "),
            (ReachedLimit::Memory, memory, "oom_kill "),
        ];
        let has_happened = |file, name| self.line(file, name).is_ok_and(|count| count > 0.0);
        let reached = events.into_iter();
        reached.filter_map(move |(limit, file, name)| has_happened(file, name).then_some(limit))
    }

    fn below(hierarchies: &[&'static str]) -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}{number}", OwnedName::prefix());
        let mut why_not = "no control groups are mounted".to_owned();
        for &hierarchy in hierarchies {
            for (parent, _) in mounts(hierarchy) {
                sweep(&parent);
                let folder = parent.join(&name);
                match fs::create_dir(&folder) {
                    Ok(()) => return Ok(Cgroup { folder, hierarchy }),
                    Err(error) => why_not = format!("{}: {error}", parent.display()),
                }
            }
        }
        Err(format!("no control group can be made here ({why_not})"))
    }

    /// Its folder; the last part of the path is its name, for [`named`].
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Moves a process with all its threads into the group. What it has used so far stays with its old group.
    pub fn add(&self, pid: i32) -> io::Result<()> {
        fs::write(self.folder.join("cgroup.procs"), pid.to_string())
    }

    /// CPU time of all processes that were ever in the group, in microseconds.
    pub fn cpu_us(&self) -> io::Result<f64> {
        match self.hierarchy {
            CPU_ACCOUNTING => Ok(self.line("cpuacct.usage", "")? / 1e3),
            VERSION_2 => self.line("cpu.stat", "usage_usec "),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Kernel memory of its processes, in bytes: page tables, stacks, files, sockets.
    pub fn kernel_memory_bytes(&self) -> io::Result<f64> {
        match self.hierarchy {
            MEMORY => self.line("memory.kmem.usage_in_bytes", ""),
            VERSION_2 => {
                Ok(self.line("memory.stat", "kernel ")? + self.line("memory.stat", "sock ")?)
            }
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The number in the line of `file` that begins with `name`.
    fn line(&self, file: &str, name: &str) -> io::Result<f64> {
        let text = fs::read_to_string(self.folder.join(file))?;
        let number = text.lines().find_map(|line| line.strip_prefix(name));
        number
            .and_then(|number| number.trim().parse().ok())
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

/// The folder of the group of that name below this process's own group.
pub fn named(name: &OwnedName) -> Result<PathBuf, String> {
    let hierarchies = [CPU_ACCOUNTING, PROCESSES, MEMORY, VERSION_2];
    let parents = hierarchies.into_iter().flat_map(mounts);
    let mut folders = parents.map(|(parent, _)| parent.join(name.as_str()));
    let found = folders.find(|folder| folder.is_dir());
    found.ok_or_else(|| "there is no such control group below this process's own".to_owned())
}

/// Ids of the processes of the group with that folder; none if the group no longer exists.
pub fn members(folder: &Path) -> Vec<i32> {
    let list = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    list.lines().flat_map(str::parse).collect()
}

/// Lets the processes of the group with that folder start no more, where a limit on them can be set.
pub fn refuse_processes(folder: &Path) {
    let _ = fs::write(folder.join(PROCESSES_FILE), "0");
}

/// Moves this process into the group with that folder; its children start there.
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
        let maker = OwnedName::from_path(&entry.path()).map(|name| name.maker());
        if maker.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// Folders of the groups that limit this process, in version 1 of `controller` and in version 2: its own and those
/// above it.
pub fn limiting_folders(controller: &str) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for (folder, root) in [controller, VERSION_2].into_iter().flat_map(mounts) {
        let ancestors = folder.ancestors();
        let within = ancestors.take_while(|each| each.starts_with(&root));
        folders.extend(within.map(Path::to_owned));
    }
    folders
}

/// This process's group in each mount of a hierarchy: its folder, and where the hierarchy is mounted.
fn mounts(controller: &str) -> Vec<(PathBuf, PathBuf)> {
    let filesystem = match controller {
        VERSION_2 => "cgroup2",
        _ => "cgroup",
    };
    let groups = Process::myself().and_then(|own| own.cgroups());
    let own = groups.into_iter().flatten().find(|group| match controller {
        VERSION_2 => group.controllers.is_empty(),
        _ => group.controllers.iter().any(|each| each == controller),
    });
    let own = own.map_or_else(String::new, |group| group.pathname);
    let place = |mount: MountEntry| {
        let has_it = controller == VERSION_2 || mount.fs_mntops.contains_key(controller);
        let root = PathBuf::from(mount.fs_file);
        let is_it = mount.fs_vfstype == filesystem && has_it;
        is_it.then(|| (root.join(own.trim_start_matches('/')), root))
    };
    let mounts = procfs::mounts().unwrap_or_default();
    mounts.into_iter().filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_group_is_empty_and_clears_away_what_the_dead_have_left() {
        let Ok(first) = Cgroup::new() else {
            return println!("skipped: no control group can be made here");
        };
        assert!(members(first.folder()).is_empty());
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
    fn limits_that_no_process_has_reached_are_not_told() {
        let groups = Cgroup::with_limits(GroupLimits {
            processes: 2,
            memory_bytes: 1 << 20,
        });
        if groups.is_empty() {
            return println!("skipped: no control group can be made here");
        }
        let reached = groups.iter().flat_map(Cgroup::reached_limits);
        assert_eq!(reached.count(), 0);
        for group in &groups {
            let name = OwnedName::from_path(group.folder()).expect("a name");
            assert_eq!(named(&name).as_deref(), Ok(group.folder()));
        }
    }

    #[test]
    fn a_memory_group_tells_the_kernel_memory_of_its_processes() {
        let Ok(group) = Cgroup::with_memory() else {
            return println!("skipped: no memory control group of version 1 can be made here");
        };
        assert!(group.kernel_memory_bytes().expect("read") >= 0.0);
        assert!(group.cpu_us().is_err());
    }
}
