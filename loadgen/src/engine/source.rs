//! Source addresses of connections: enough of them that no local port range runs out.
//!
//! A connection holds its port while it is open and, if this side closed first, for a minute more (TIME_WAIT). All of
//! 127/8 is local without configuration. So for a loopback target, a worker moves to the next source address before the
//! ports of one address are used up.

use std::net::Ipv4Addr;

use super::job::Job;
use crate::sys;

/// Share of the port range used before the move to the next address: other programs need ports too.
const USABLE_PERCENT: u32 = 70;

/// Source addresses of one worker thread.
#[derive(Debug)]
pub(super) struct SourceAddresses {
    /// The first address; `None` leaves the choice to the kernel.
    first: Option<Ipv4Addr>,
    /// Number of consecutive addresses from `first` on.
    addresses: u32,
    /// Whether the kernel chooses the first address by itself.
    first_is_default: bool,
    /// Ports of one address that this thread may use.
    budget: u32,
    /// Ports of the current address in use.
    occupied: u32,
    /// Number of address changes; it determines the current address.
    epoch: u32,
}

impl SourceAddresses {
    pub(super) fn new(job: &Job) -> Self {
        let (first, addresses) = job.workload.source_addresses();
        let count = |(first, last): (u16, u16)| u32::from(last.saturating_sub(first)) + 1;
        let usable = match job.workload.local_ports {
            // The user named these ports, so all of them are usable.
            Some(ports) => count(ports),
            None => count(sys::local_port_range()) / 100 * USABLE_PERCENT,
        };
        Self {
            first,
            addresses,
            first_is_default: job.workload.sources.is_none(),
            budget: (usable / job.threads.max(1)).max(1),
            occupied: 0,
            epoch: 0,
        }
    }

    /// Charges a new connection to the current address and returns its epoch.
    pub(super) fn charge(&mut self) -> u32 {
        if self.occupied >= self.budget {
            self.move_on();
        }
        self.occupied += 1;
        self.epoch
    }

    /// Returns a port that is free at once: the other side closed first, or no connection was established.
    pub(super) fn release(&mut self, epoch: u32) {
        if epoch == self.epoch {
            self.occupied -= 1;
        }
    }

    /// Moves to the next address; false if there is no other.
    pub(super) fn move_on(&mut self) -> bool {
        if self.addresses == 1 {
            return false;
        }
        self.epoch += 1;
        self.occupied = 0;
        true
    }

    /// Address to bind to; `None` if the kernel chooses it by itself, which saves two system calls.
    pub(super) fn address(&self) -> Option<Ipv4Addr> {
        let first = self.first?;
        let further = self.epoch % self.addresses;
        (further > 0 || !self.first_is_default).then(|| Ipv4Addr::from(u32::from(first) + further))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::SourceAddresses;
    use crate::engine::job::ThreadPlan;
    use crate::workload::Workload;

    fn sources(target: [u8; 4], range: Option<(Ipv4Addr, Ipv4Addr)>) -> SourceAddresses {
        let mut workload = Workload::new(SocketAddr::from((target, 80)));
        workload.sources = range;
        SourceAddresses::new(&ThreadPlan::new(&workload, 1024).jobs[0])
    }

    #[test]
    fn moves_to_the_next_address_before_the_ports_of_one_run_out() {
        let mut sources = sources([127, 0, 0, 1], None);
        for _ in 0..sources.budget {
            sources.charge();
        }
        assert_eq!(sources.address(), None);
        sources.charge();
        assert_eq!(sources.address(), Some([127, 0, 0, 2].into()));
    }

    #[test]
    fn stays_when_the_other_side_closes_first_and_for_a_remote_target() {
        let mut local = sources([127, 0, 0, 1], None);
        let mut remote = sources([192, 0, 2, 1], None);
        for _ in 0..200_000 {
            let epoch = local.charge();
            local.release(epoch);
            remote.charge();
        }
        assert_eq!((local.address(), remote.address()), (None, None));
    }

    #[test]
    fn keeps_to_the_addresses_asked_for() {
        let (first, last) = ([127, 0, 1, 255].into(), [127, 0, 2, 0].into());
        let mut sources = sources([127, 0, 0, 1], Some((first, last)));
        for expected in [first, last, first] {
            assert_eq!(sources.address(), Some(expected));
            sources.move_on();
        }
    }
}
