//! The kernel's own count of what went wrong on the way to a server (`/proc/net/netstat`, proc_pid_net(5)).

use std::fs;

use crate::summary::KernelEvidence;

/// Reads the current counters of the whole network namespace; `None` if the kernel does not provide them.
pub fn read() -> Option<KernelEvidence> {
    parse(&fs::read_to_string("/proc/net/netstat").ok()?)
}

/// Names the network namespace that the counters are of, among all machines; `None` if the kernel does not tell
/// (network_namespaces(7), random(4)).
pub(crate) fn namespace() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/net").ok()?;
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

/// The increase since an earlier reading.
pub fn since(before: Option<KernelEvidence>) -> Option<KernelEvidence> {
    Some(read()?.less(before?))
}

impl KernelEvidence {
    /// The increase since `earlier`, a reading of the same counters.
    fn less(self, earlier: Self) -> Self {
        self.with(earlier, u64::saturating_sub)
    }

    /// The sum of the increases over two spans of time.
    pub(crate) fn plus(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }

    /// The larger of each two increases, which two programs have seen of the same counters.
    pub(crate) fn larger(self, other: Self) -> Self {
        self.with(other, u64::max)
    }

    fn with(self, other: Self, combine: fn(u64, u64) -> u64) -> Self {
        Self {
            listen_overflows: combine(self.listen_overflows, other.listen_overflows),
            listen_drops: combine(self.listen_drops, other.listen_drops),
            syn_retransmissions: combine(self.syn_retransmissions, other.syn_retransmissions),
            timeouts: combine(self.timeouts, other.timeouts),
            delayed_acks: combine(self.delayed_acks, other.delayed_acks),
        }
    }
}

/// The file has pairs of lines: names, then values, each after the same prefix.
fn parse(netstat: &str) -> Option<KernelEvidence> {
    let mut lines = netstat
        .lines()
        .filter_map(|line| line.strip_prefix("TcpExt: "));
    let (names, values) = (lines.next()?, lines.next()?);
    let value = |name: &str| {
        let place = names.split(' ').position(|each| each == name)?;
        values.split(' ').nth(place)?.parse().ok()
    };
    Some(KernelEvidence {
        listen_overflows: value("ListenOverflows")?,
        listen_drops: value("ListenDrops")?,
        syn_retransmissions: value("TCPSynRetrans")?,
        timeouts: value("TCPTimeouts").unwrap_or(0),
        delayed_acks: value("DelayedACKs").unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_counters_by_name_and_does_not_take_silence_for_zeros() {
        let netstat = "TcpExt: SyncookiesSent ListenOverflows X ListenDrops TCPSynRetrans TCPTimeouts DelayedACKs\n\
                       TcpExt: 1 2 3 4 5 6 7\nIpExt: InNoRoutes\nIpExt: 9\n";
        let expected = KernelEvidence {
            listen_overflows: 2,
            listen_drops: 4,
            syn_retransmissions: 5,
            timeouts: 6,
            delayed_acks: 7,
        };
        assert_eq!(parse(netstat), Some(expected));
        assert_eq!(parse(""), None);
        assert_eq!(parse("TcpExt: ListenDrops\nTcpExt: 4\n"), None);
    }

    #[test]
    fn this_kernel_counts_and_says_for_whom() {
        assert!(since(read()).is_some());
        assert!(namespace().is_some_and(|name| name.contains("net:[")));
    }
}
