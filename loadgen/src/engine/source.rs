//! Where connections come from: enough source addresses that no local port range ever runs out.
//!
//! A connection holds its port while it is open and, when this side closed first, for a minute more (TIME_WAIT). All of
//! 127/8 is local without any configuration, so a loopback target can be reached from the next address before one
//! address's ports are used up.

use std::net::{Ipv4Addr, SocketAddr};

/// Share of the port range used before moving on: other programs need ports too.
const USABLE_PERCENT: u32 = 70;

/// Last octets used: 127.0.0.1, where the kernel goes unasked, to 127.0.0.254.
const ADDRESSES: u32 = 254;

/// Linux's default range, assumed where it cannot be read.
const DEFAULT_RANGE: u32 = 28_232;

/// Source addresses of one worker thread.
#[derive(Debug)]
pub(super) struct Sources {
    spread: bool,
    /// Ports one address gives this thread.
    budget: u32,
    /// Ports of the current address in use.
    occupied: u32,
    /// Addresses begun; the current one follows from it.
    epoch: u32,
}

impl Sources {
    pub(super) fn new(target: SocketAddr, threads: u32) -> Self {
        let spread = matches!(target, SocketAddr::V4(address) if address.ip().is_loopback());
        let budget = port_range() / 100 * USABLE_PERCENT / threads.max(1);
        Self {
            spread,
            budget: budget.max(1),
            occupied: 0,
            epoch: 0,
        }
    }

    /// Charges a new connection to the current address and returns its epoch.
    pub(super) fn charge(&mut self) -> u32 {
        if self.spread && self.occupied >= self.budget {
            self.move_on();
        }
        self.occupied += 1;
        self.epoch
    }

    /// Gives a port back that is free at once, because the other side closed first or nothing was established.
    pub(super) fn release(&mut self, epoch: u32) {
        if epoch == self.epoch {
            self.occupied -= 1;
        }
    }

    /// Leaves the current address; true when there is another.
    pub(super) fn move_on(&mut self) -> bool {
        if self.spread {
            self.epoch += 1;
            self.occupied = 0;
        }
        self.spread
    }

    /// Address to bind to; `None` for the one the kernel takes unasked, which saves two system calls.
    pub(super) fn address(&self) -> Option<Ipv4Addr> {
        let octet = u8::try_from(self.epoch % ADDRESSES + 1).unwrap_or(1);
        (octet != 1).then(|| Ipv4Addr::new(127, 0, 0, octet))
    }
}

fn port_range() -> u32 {
    let text =
        std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut bounds = text
        .split_whitespace()
        .filter_map(|bound| bound.parse::<u32>().ok());
    match (bounds.next(), bounds.next()) {
        (Some(first), Some(last)) if last >= first => last - first + 1,
        _ => DEFAULT_RANGE,
    }
}

#[cfg(test)]
mod tests {
    use super::Sources;

    #[test]
    fn moves_to_the_next_address_before_the_ports_of_one_run_out() {
        let mut sources = Sources::new(([127, 0, 0, 1], 80).into(), 1);
        assert_eq!(sources.address(), None);
        let budget = sources.budget;
        for _ in 0..budget {
            sources.charge();
        }
        assert_eq!(sources.address(), None);
        sources.charge();
        assert_eq!(sources.address(), Some([127, 0, 0, 2].into()));
    }

    #[test]
    fn stays_when_the_other_side_closes_first() {
        let mut sources = Sources::new(([127, 0, 0, 1], 80).into(), 1);
        for _ in 0..200_000 {
            let epoch = sources.charge();
            sources.release(epoch);
        }
        assert_eq!(sources.address(), None);
    }

    #[test]
    fn leaves_the_source_of_a_remote_target_to_the_kernel() {
        let mut sources = Sources::new(([192, 0, 2, 1], 80).into(), 1);
        for _ in 0..200_000 {
            sources.charge();
        }
        assert_eq!(sources.address(), None);
    }
}
