//! Kernel memory of connections and of who serves them, by two accounts: control groups, one for each end, and that of
//! the whole system, which must be about their sum.
//!
//! A group is charged for what its processes allocate: stacks, page tables, files, and sockets once they are accepted
//! (memcg, Documentation/admin-guide/cgroup-v1/memory.rst). The system's account knows no owner.

use procfs::{Current, Meminfo};

use crate::cgroup::{self, Cgroup};
use crate::process_tree::ServerAccount;
use crate::record::to_f64;

/// Kernel memory at one moment, in KiB; `None` where there is no such account.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KernelMemory {
    /// Of the server's control group.
    pub(super) server_kib: Option<f64>,
    /// Of this process's control group, which holds the clients' ends.
    pub(super) client_kib: Option<f64>,
    /// Slab, stacks and page tables of the whole system.
    pub(super) system_kib: Option<f64>,
}

/// The accounts, while one server is measured.
#[derive(Debug)]
pub(super) struct KernelAccounts {
    own: Option<OwnGroup>,
}

impl KernelAccounts {
    /// Moves this process into a control group of its own, if it can. Children that it starts from now on are in it,
    /// too.
    pub(super) fn open(server: &ServerAccount) -> Self {
        // Reading it makes the server's group. Made later, it would be a part of this process's, and counted in both.
        let _ = server.kernel_memory_bytes();
        KernelAccounts {
            own: OwnGroup::enter(),
        }
    }

    /// Reads them.
    pub(super) fn read(&self, server: &ServerAccount) -> KernelMemory {
        let own = self.own.as_ref();
        let client_bytes = own.and_then(|group| group.0.kernel_memory_bytes().ok());
        KernelMemory {
            server_kib: server.kernel_memory_bytes().map(kib),
            client_kib: client_bytes.map(kib),
            system_kib: system_kib(),
        }
    }
}

fn kib(bytes: f64) -> f64 {
    bytes / 1024.0
}

fn system_kib() -> Option<f64> {
    let system = Meminfo::current().ok()?;
    let (stacks, tables) = (system.kernel_stack?, system.page_tables?);
    Some(kib(to_f64(system.slab + stacks + tables)))
}

/// A control group that this process is in. Dropping it moves the process back to where it was.
#[derive(Debug)]
struct OwnGroup(Cgroup);

impl OwnGroup {
    fn enter() -> Option<Self> {
        let group = Cgroup::with_memory().ok()?;
        cgroup::enter(group.folder()).ok()?;
        Some(OwnGroup(group))
    }
}

impl Drop for OwnGroup {
    fn drop(&mut self) {
        // Where that fails, the group is swept away after the end of this process.
        let _ = self.0.folder().parent().map(cgroup::enter);
    }
}
