//! CPU time of a server: of its whole process tree, including processes that have ended.

use crate::cgroup::Cgroup;
use crate::record::CpuAccounting;
use crate::tree;

/// The CPU account of one server.
#[derive(Debug)]
pub struct CpuAccount {
    cgroup: Option<Cgroup>,
    pub(crate) pid: i32,
}

impl CpuAccount {
    /// The account of the process `pid`, measured by `cgroup` if there is one.
    pub(crate) fn new(cgroup: Option<Cgroup>, pid: i32) -> Self {
        CpuAccount { cgroup, pid }
    }

    /// CPU time so far, in microseconds. Without a control group it is exact for living threads, and accurate to a
    /// clock tick for ended ones.
    pub fn cpu_us(&self) -> f64 {
        let by_cgroup = self.cgroup.as_ref().and_then(|cgroup| cgroup.cpu_us().ok());
        by_cgroup.unwrap_or_else(|| tree::cpu_us(self.pid))
    }

    /// What measures the CPU time.
    pub fn counted_by(&self) -> CpuAccounting {
        match self.cgroup {
            Some(_) => CpuAccounting::Cgroup,
            None => CpuAccounting::Proc,
        }
    }

    /// Kernel memory of the server's processes, in bytes, if the same control group accounts for it.
    pub(crate) fn kernel_memory_bytes(&self) -> Option<f64> {
        self.cgroup.as_ref()?.kernel_memory_bytes().ok()
    }

    /// Moves the process and its descendants into the control group; later ones start there. Drops a group that does
    /// not take all of them.
    pub(crate) fn enrol(&mut self) {
        let tree = tree::processes(self.pid);
        let takes_all = |cgroup: &Cgroup| tree.iter().all(|each| cgroup.add(each.pid()).is_ok());
        self.cgroup = self.cgroup.take().filter(takes_all);
    }
}
