//! What a server has used: CPU time of its whole process tree, those that have ended included.

use crate::cgroup::Cgroup;
use crate::record::CpuAccounting;
use crate::tree;

/// The account of one server.
#[derive(Debug)]
pub struct CpuAccount {
    cgroup: Option<Cgroup>,
    pub(crate) pid: i32,
}

impl CpuAccount {
    /// The account of the process `pid`, in `cgroup` where there is one.
    pub(crate) fn new(cgroup: Option<Cgroup>, pid: i32) -> Self {
        CpuAccount { cgroup, pid }
    }

    /// CPU time so far, in microseconds. Without a control group it is exact for threads that live, and to a clock tick for
    /// those that have ended.
    pub fn cpu_us(&self) -> f64 {
        let by_cgroup = self.cgroup.as_ref().and_then(|cgroup| cgroup.cpu_us().ok());
        by_cgroup.unwrap_or_else(|| tree::cpu_us(self.pid))
    }

    /// What counts it.
    pub fn counted_by(&self) -> CpuAccounting {
        match self.cgroup {
            Some(_) => CpuAccounting::Cgroup,
            None => CpuAccounting::Proc,
        }
    }

    /// Memory that the kernel holds for them, in bytes, where the same control group accounts for that.
    pub(crate) fn kernel_memory_bytes(&self) -> Option<f64> {
        self.cgroup.as_ref()?.kernel_memory_bytes().ok()
    }

    /// Moves the process and all that it has made into the control group; those made later are born there. A group that
    /// does not take them all is of no use.
    pub(crate) fn enrol(&mut self) {
        let tree = tree::processes(self.pid);
        let takes_all = |cgroup: &Cgroup| tree.iter().all(|each| cgroup.add(each.pid()).is_ok());
        self.cgroup = self.cgroup.take().filter(takes_all);
    }
}
