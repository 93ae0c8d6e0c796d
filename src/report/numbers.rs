//! How numbers are written: the only place where a report turns one into text.

use crate::analysis::bootstrap::{Estimate, Interval};
use crate::analysis::metric::{Metric, Unit};

/// What stands where there is no figure.
pub const NONE: &str = "—";

/// Between groups of three digits: narrow and unbreakable. A comma would blur into the one between an interval's ends.
const GROUP: char = '\u{202f}';

/// Three significant digits, whole digits always in full: `0.0312`, `5.10`, `39.2`, `12 345`.
pub fn plain(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let size = value.abs();
    let decimals = match size {
        _ if size == 0.0 || size >= 99.95 => 0,
        _ if size >= 9.995 => 1,
        _ if size >= 0.9995 => 2,
        _ if size >= 0.099_95 => 3,
        _ => 4,
    };
    group(&format!("{value:.decimals$}"))
}

/// A whole number.
pub fn count(value: impl Into<u128>) -> String {
    group(&value.into().to_string())
}

/// A ratio, without its sign: two decimals, one from ten on, three below a tenth.
fn ratio(value: f64) -> String {
    let decimals = match value {
        _ if value >= 9.995 => 1,
        _ if value >= 0.0995 => 2,
        _ => 3,
    };
    group(&format!("{value:.decimals$}"))
}

/// `5.12×`.
pub fn times(value: f64) -> String {
    format!("{}×", ratio(value))
}

/// `5.12× [4.90, 5.33]`, or the figure alone.
pub fn times_with_interval(estimate: &Estimate) -> String {
    with_interval(times(estimate.value), estimate.interval, ratio)
}

/// A metric's median: `39.2 [38.8, 40.1]`, or the figure alone.
pub fn estimate(metric: Metric, estimate: &Estimate) -> String {
    let write = |value| figure(metric, value);
    with_interval(write(estimate.value), estimate.interval, write)
}

fn with_interval(
    value: String,
    interval: Option<Interval>,
    write: impl Fn(f64) -> String,
) -> String {
    match interval {
        None => value,
        // Unbreakable spaces: an interval cut in two by the end of a line is hard to read.
        Some(Interval { low, high }) => {
            format!("{value}\u{a0}[{},\u{a0}{}]", write(low), write(high))
        }
    }
}

/// A metric's figure with the unit a reader wants: times in µs, ms or s, memory in KiB, MiB or GiB.
pub fn figure(metric: Metric, value: f64) -> String {
    match metric.unit() {
        Unit::Us => duration_us(value),
        Unit::Ms => duration_us(value * 1e3),
        Unit::Kib => memory_kib(value),
        Unit::Share => percent(value),
        Unit::Count => group(&format!("{value:.0}")),
        Unit::Plain => plain(value),
    }
}

/// `312 µs`, `4.10 ms`, `1.20 s`.
pub fn duration_us(value: f64) -> String {
    match value {
        _ if value >= 999_500.0 => format!("{} s", plain(value / 1e6)),
        _ if value >= 999.5 => format!("{} ms", plain(value / 1e3)),
        _ => format!("{} µs", plain(value)),
    }
}

/// A round number on an axis, without needless decimals: `0`, `0.5`, `20`, `5000`.
pub fn tick(value: f64) -> String {
    group(&trimmed(value))
}

/// A round time on an axis: `200 µs`, `1 ms`, `2 s`.
pub fn tick_us(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{} s", tick(value / 1e6)),
        _ if value >= 1e3 => format!("{} ms", tick(value / 1e3)),
        _ => format!("{} µs", tick(value)),
    }
}

/// The percentile that one request in so many exceeds: `50 %` of 2, `99.9 %` of 1000.
pub fn tail(one_in: f64) -> String {
    format!("{} %", trimmed(100.0 - 100.0 / one_in))
}

fn trimmed(value: f64) -> String {
    let written = format!("{value:.6}");
    written
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// `640 KiB`, `12.4 MiB`, `1.02 GiB`.
pub fn memory_kib(value: f64) -> String {
    const STEP: f64 = 1024.0;
    match value {
        _ if value >= STEP * STEP => format!("{} GiB", plain(value / STEP / STEP)),
        _ if value >= STEP => format!("{} MiB", plain(value / STEP)),
        _ => format!("{} KiB", plain(value)),
    }
}

/// A difference in a metric with its sign: `+49.1`, `−2.30 ms`.
pub fn signed(metric: Metric, value: f64) -> String {
    let sign = match value {
        _ if value > 0.0 => "+",
        _ if value < 0.0 => "−",
        _ => "",
    };
    format!("{sign}{}", figure(metric, value.abs()))
}

/// Cliff's delta: two decimals and a sign.
pub fn delta(value: f64) -> String {
    let sign = if value < 0.0 { "−" } else { "+" };
    format!("{sign}{:.2}", value.abs())
}

/// A p-value: three decimals, or that it is smaller.
pub fn p(value: f64) -> String {
    if value < 0.001 {
        "< 0.001".to_owned()
    } else {
        format!("{value:.3}")
    }
}

/// A load average, with the two decimals the kernel gives.
pub fn load(value: f64) -> String {
    format!("{value:.2}")
}

/// A share of one, as a percentage: `2.1 %`.
pub fn percent(share: f64) -> String {
    let decimals = usize::from(share < 0.0995) + usize::from(share > 0.0 && share < 0.000_995);
    format!("{:.decimals$} %", share * 100.0)
}

fn group(digits: &str) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (sign, whole) = whole
        .strip_prefix('-')
        .map_or(("", whole), |rest| ("−", rest));
    let mut text = sign.to_owned();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 && whole.len() > 4 {
            text.push(GROUP);
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_significant_digits_and_whole_numbers_all_of_theirs() {
        let written: Vec<String> = [0.031_24, 0.1969, 5.1, 39.16, 249.4, 3379.2, 12_345.6, 0.0]
            .map(plain)
            .into();
        let golden = [
            "0.0312",
            "0.197",
            "5.10",
            "39.2",
            "249",
            "3379",
            "12\u{202f}346",
            "0",
        ];
        assert_eq!(written, golden);
        assert_eq!(plain(f64::NAN), NONE);
    }

    #[test]
    fn rounding_up_does_not_add_a_digit() {
        assert_eq!(plain(9.996), "10.0");
        assert_eq!(plain(99.96), "100");
        assert_eq!(duration_us(999.7), "1.00 ms");
    }

    #[test]
    fn times_and_memory_take_a_readable_unit() {
        assert_eq!(duration_us(312.4), "312 µs");
        assert_eq!(duration_us(4100.0), "4.10 ms");
        assert_eq!(duration_us(1_200_000.0), "1.20 s");
        assert_eq!(memory_kib(640.0), "640 KiB");
        assert_eq!(memory_kib(12_698.0), "12.4 MiB");
    }

    #[test]
    fn ratios_near_one_keep_two_decimals() {
        let near = Estimate {
            value: 1.017,
            interval: Some(Interval {
                low: 0.988,
                high: 1.051,
            }),
        };
        assert_eq!(times_with_interval(&near), "1.02×\u{a0}[0.99,\u{a0}1.05]");
        assert_eq!(times(86.43), "86.4×");
        assert_eq!(times(0.0312), "0.031×");
    }

    #[test]
    fn signs_and_shares() {
        assert_eq!(signed(Metric::CpuUsPerRequest, -2.3), "−2.30");
        assert_eq!(signed(Metric::CpuUsPerRequest, 49.1), "+49.1");
        assert_eq!(delta(-1.0), "−1.00");
        assert_eq!(p(0.0002), "< 0.001");
        assert_eq!(percent(0.021), "2.1 %");
        assert_eq!(percent(0.000_31), "0.03 %");
    }
}
