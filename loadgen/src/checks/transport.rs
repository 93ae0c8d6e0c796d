//! What TCP itself did to the requests: the kernel's counters, and delays that only TCP's timers cause.

use hdrhistogram::Histogram;

use super::check;
use crate::histograms::Histograms;
use crate::summary::{Check, CheckName, KernelEvidence, Summary};

const NS_PER_MS: u64 = 1_000_000;

/// How long a connection takes, in milliseconds, when its first SYN was lost and a repeated one got through, with the
/// name of each delay.
///
/// RFC 6298 starts at 1 s and doubles: 1, 3, 7 s. Since Linux 6.5 the first four repetitions are a second apart
/// (`tcp_syn_linear_timeouts`): 1, 2, 3, 4, 5, 7 s. The ranges leave room for the granularity of the timer wheel.
const REPEATED_SYN_MS: [(&str, u64, u64); 6] = [
    ("1 s", 950, 1_300),
    ("2 s", 1_950, 2_300),
    ("3 s", 2_900, 3_500),
    ("4 s", 3_900, 4_400),
    ("5 s", 4_900, 5_500),
    ("7 s", 6_900, 7_700),
];

/// Delay of a delayed acknowledgement, in milliseconds: Linux's `TCP_DELACK_MIN` is 40 ms, and its timer expires at the
/// next tick, up to 10 ms later.
const DELAYED_ACK_MS: (u64, u64) = (38, 50);

/// The ranges on either side that a mode at the delayed acknowledgement is compared with.
const BESIDE_MS: [(u64, u64); 2] = [(26, 38), (50, 62)];

/// Minimum number of requests in a mode.
const MODE_MIN: u64 = 10;

/// Minimum density of a mode, relative to the ranges beside it.
const MODE_TIMES: u64 = 4;

/// Whether the kernel lost connections before they were in an accept queue.
pub(super) fn kernel_evidence(summary: &Summary) -> Check {
    let Some(kernel) = &summary.kernel else {
        let silent = "the kernel does not tell (/proc/net/netstat)".to_owned();
        return check(CheckName::KernelEvidence, true, silent);
    };
    check(
        CheckName::KernelEvidence,
        kernel.listen_overflows == 0 && kernel.syn_retransmissions == 0,
        format!(
            "{} accept-queue overflows, {} SYNs dropped by listeners, {} repeated, {} timeouts of TCP (whole host, warm-up \
             included)",
            kernel.listen_overflows,
            kernel.listen_drops,
            kernel.syn_retransmissions,
            kernel.timeouts
        ),
    )
}

/// Whether requests show the delays of TCP's timers. A repeated SYN invalidates the measurement, since the connection
/// did not even reach the server. A delayed acknowledgement is only reported, since the server could have avoided it.
pub(super) fn modes(histograms: &Histograms, kernel: Option<&KernelEvidence>) -> Check {
    let repeated = repeated_syns(&histograms.connect);
    let late = delayed_acknowledgements(histograms, kernel);
    let found = [&repeated, &late].map(Option::as_deref);
    let detail = match found.into_iter().flatten().collect::<Vec<_>>().as_slice() {
        [] => "no request shows the delay of a repeated SYN or of a delayed acknowledgement".into(),
        found => found.join("; "),
    };
    check(CheckName::Modes, repeated.is_none(), detail)
}

/// The connections that took as long as a repeated SYN, counted by delay; `None` without any.
fn repeated_syns(connect: &Histogram<u64>) -> Option<String> {
    let counted: Vec<(u64, &str)> = REPEATED_SYN_MS
        .iter()
        .map(|&(name, low, high)| (between(connect, (low, high)), name))
        .filter(|(count, _)| *count > 0)
        .collect();
    let total: u64 = counted.iter().map(|(count, _)| count).sum();
    let by_delay: Vec<String> = counted
        .iter()
        .map(|(count, name)| format!("{count} took about {name}"))
        .collect();
    (total > 0).then(|| {
        format!(
            "{total} of {} connections were delayed by SYN retransmission: {}",
            connect.len(),
            by_delay.join(", ")
        )
    })
}

/// The answers that came as late as a delayed acknowledgement; `None` if no such mode stands out.
///
/// With Nagle's algorithm, a server that writes head and body separately sends the body only when the client has
/// acknowledged the head: the *last* byte is late. If the *first* byte is late, a server that takes 40 ms looks the
/// same. So the kernel must also have delayed at least half as many acknowledgements.
fn delayed_acknowledgements(
    histograms: &Histograms,
    kernel: Option<&KernelEvidence>,
) -> Option<String> {
    let first = mode(&histograms.first_byte);
    let (count, byte) = match (first, mode(&histograms.service)) {
        (None, None) => return None,
        (Some(first), whole) if 2 * first >= whole.unwrap_or(0) => (first, "first"),
        (_, whole) => (whole?, "last"),
    };
    if byte == "first" && kernel.is_some_and(|kernel| 2 * kernel.delayed_acks < count) {
        return None;
    }
    let answers = histograms.service.len();
    Some(format!(
        "{} of the answers came 40 ms late with their {byte} byte: delayed acknowledgements (Nagle)",
        percent(count, answers)
    ))
}

/// Samples at the delay of a delayed acknowledgement, if they stand out from the ranges beside it.
fn mode(histogram: &Histogram<u64>) -> Option<u64> {
    let width = |(low, high): (u64, u64)| high - low;
    let count = between(histogram, DELAYED_ACK_MS);
    let beside: u64 = BESIDE_MS
        .iter()
        .map(|range| between(histogram, *range))
        .sum();
    let beside_width: u64 = BESIDE_MS.iter().copied().map(width).sum();
    // Compares densities, count / width with beside / beside_width, without a division.
    let stands_out =
        count * beside_width >= MODE_TIMES * beside * width(DELAYED_ACK_MS) && count >= MODE_MIN;
    stands_out.then_some(count)
}

/// Samples in a range of milliseconds, its upper end not included.
fn between(histogram: &Histogram<u64>, (low_ms, high_ms): (u64, u64)) -> u64 {
    histogram.count_between(low_ms * NS_PER_MS, high_ms * NS_PER_MS - 1)
}

#[allow(clippy::cast_precision_loss)] // counts are far below 2^53
fn percent(part: u64, whole: u64) -> String {
    let share = 100.0 * part as f64 / whole.max(1) as f64;
    if share >= 1.0 {
        format!("{share:.0} %")
    } else {
        format!("{share:.2} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times in milliseconds, each with its count.
    type Times<'t> = &'t [(f64, u64)];

    fn enter(histogram: &mut Histogram<u64>, times: Times) {
        for &(ms, count) in times {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            // small and positive
            histogram.record_n((ms * 1e6) as u64, count).unwrap();
        }
    }

    /// Judges these times to connect, to the first byte and in all; the kernel has delayed `delayed_acks`.
    fn assert_modes(
        delayed_acks: u64,
        [connect, first_byte, service]: [Times; 3],
        ok: bool,
        detail: &str,
    ) {
        let mut histograms = Histograms::new();
        enter(&mut histograms.connect, connect);
        enter(&mut histograms.first_byte, first_byte);
        enter(&mut histograms.service, service);
        let kernel = KernelEvidence {
            delayed_acks,
            ..KernelEvidence::default()
        };
        let check = modes(&histograms, Some(&kernel));
        assert_eq!((check.ok, check.detail.as_str()), (ok, detail));
    }

    const NONE: &str =
        "no request shows the delay of a repeated SYN or of a delayed acknowledgement";

    #[test]
    fn repeated_syns_are_counted_by_delay_and_spoil_the_measurement() {
        let repeated = [
            (0.05, 900),
            (1.02, 3),
            (1_004.0, 5),
            (3_010.0, 2),
            (7_020.0, 1),
        ];
        let detail = "8 of 911 connections were delayed by SYN retransmission: 5 took about 1 s, 2 took about 3 s, 1 \
                      took about 7 s";
        assert_modes(1_000, [&repeated, &[], &[]], false, detail);
        let slow_between = [(0.05, 900), (600.0, 3), (1_500.0, 2)];
        assert_modes(1_000, [&slow_between, &[], &[]], true, NONE);
    }

    #[test]
    fn delayed_acknowledgements_are_named_with_their_share_and_spoil_nothing() {
        let late_end = [(0.2, 750), (35.0, 1), (40.3, 200), (43.9, 49)];
        let detail = "25 % of the answers came 40 ms late with their last byte: delayed acknowledgements (Nagle)";
        assert_modes(1_000, [&[], &[(0.1, 1_000)], &late_end], true, detail);
        // A server that takes 40 ms looks the same, but the kernel has not delayed as many acknowledgements.
        let slow = [(40.2, 1_000)];
        let detail = "100 % of the answers came 40 ms late with their first byte: delayed acknowledgements (Nagle)";
        assert_modes(1_000, [&[], &slow, &slow], true, detail);
        assert_modes(0, [&[], &slow, &slow], true, NONE);
    }

    #[test]
    fn a_broad_distribution_and_a_handful_of_answers_have_no_mode() {
        let broad: Vec<(f64, u64)> = (20..70).map(|ms| (f64::from(ms) + 0.5, 100)).collect();
        assert_modes(1_000, [&[], &broad, &broad], true, NONE);
        assert_modes(1_000, [&[], &[], &[(0.2, 10_000), (40.5, 9)]], true, NONE);
    }
}
