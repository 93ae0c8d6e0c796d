//! The kernel's own count of what went wrong on the way to a server.

use std::fs;

use super::record::KernelEvidence;

/// Reads the counters as they stand, for the whole network namespace; zeros where the kernel does not tell.
pub fn read() -> KernelEvidence {
    parse(&fs::read_to_string("/proc/net/netstat").unwrap_or_default())
}

/// What was added between two readings.
pub fn difference(before: &KernelEvidence, after: &KernelEvidence) -> KernelEvidence {
    KernelEvidence {
        listen_overflows: after
            .listen_overflows
            .saturating_sub(before.listen_overflows),
        listen_drops: after.listen_drops.saturating_sub(before.listen_drops),
        syn_retransmissions: after
            .syn_retransmissions
            .saturating_sub(before.syn_retransmissions),
    }
}

/// The file has pairs of lines: names, then values, each after the same prefix.
fn parse(netstat: &str) -> KernelEvidence {
    let mut lines = netstat
        .lines()
        .filter_map(|line| line.strip_prefix("TcpExt: "));
    let (names, values) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    let value = |name: &str| {
        let place = names.split(' ').position(|each| each == name)?;
        values.split(' ').nth(place)?.parse().ok()
    };
    KernelEvidence {
        listen_overflows: value("ListenOverflows").unwrap_or(0),
        listen_drops: value("ListenDrops").unwrap_or(0),
        syn_retransmissions: value("TCPSynRetrans").unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_counters_by_name_whatever_stands_between() {
        let netstat = "TcpExt: SyncookiesSent ListenOverflows X ListenDrops TCPSynRetrans\n\
                       TcpExt: 1 2 3 4 5\nIpExt: InNoRoutes\nIpExt: 9\n";
        let expected = KernelEvidence {
            listen_overflows: 2,
            listen_drops: 4,
            syn_retransmissions: 5,
        };
        assert_eq!(parse(netstat), expected);
        assert_eq!(parse(""), KernelEvidence::default());
    }
}
