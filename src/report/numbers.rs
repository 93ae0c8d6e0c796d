//! How numbers are written: the only place where a report turns one into text.

use crate::analysis::bootstrap::{Estimate, Interval};
use crate::analysis::metric::{Metric, Unit};
use crate::language::Language;

/// What stands where there is no figure.
pub const NONE: &str = "—";

/// Between groups of three digits: narrow and unbreakable. A comma would blur into the one between an interval's ends.
const GROUP: char = '\u{202f}';

/// Three significant digits, whole digits always in full: `0.0312`, `5.10`, `39.2`, `12 345`.
pub fn plain(value: f64, language: Language) -> String {
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
    group(&format!("{value:.decimals$}"), language)
}

/// A whole number.
pub fn count(value: impl Into<u128>) -> String {
    group_whole(&value.into().to_string())
}

/// A ratio, without its sign: two decimals, one from ten on, three below a tenth.
fn ratio(value: f64, language: Language) -> String {
    let decimals = match value {
        _ if value >= 9.995 => 1,
        _ if value >= 0.0995 => 2,
        _ => 3,
    };
    group(&format!("{value:.decimals$}"), language)
}

/// `5.12×`.
pub fn times(value: f64, language: Language) -> String {
    format!("{}×", ratio(value, language))
}

/// `5.12× [4.90, 5.33]`, or the figure alone.
pub fn times_with_interval(estimate: &Estimate, language: Language) -> String {
    let write = |value| ratio(value, language);
    let value = times(estimate.value, language);
    with_interval(value, estimate.interval, write, language)
}

/// A metric's median: `39.2 [38.8, 40.1]`, or the figure alone.
pub fn estimate(metric: Metric, estimate: &Estimate, language: Language) -> String {
    let write = |value| figure(metric, value, language);
    with_interval(write(estimate.value), estimate.interval, write, language)
}

fn with_interval(
    value: String,
    interval: Option<Interval>,
    write: impl Fn(f64) -> String,
    language: Language,
) -> String {
    match interval {
        None => value,
        // Unbreakable spaces: an interval cut in two by the end of a line is hard to read.
        Some(Interval { low, high }) => {
            let between = language.between_numbers();
            format!(
                "{value}\u{a0}[{}{between}\u{a0}{}]",
                write(low),
                write(high)
            )
        }
    }
}

/// A metric's figure with the unit a reader wants: times in µs, ms or s, memory in KiB, MiB or GiB.
pub fn figure(metric: Metric, value: f64, language: Language) -> String {
    match metric.unit() {
        Unit::Us => duration_us(value, language),
        Unit::Ms => duration_us(value * 1e3, language),
        Unit::Kib => memory_kib(value, language),
        Unit::Share => percent(value, language),
        Unit::Count => group(&format!("{value:.0}"), language),
        Unit::Plain => plain(value, language),
    }
}

/// `312 µs`, `4.10 ms`, `1.20 s`.
pub fn duration_us(value: f64, language: Language) -> String {
    match value {
        _ if value >= 999_500.0 => format!("{} s", plain(value / 1e6, language)),
        _ if value >= 999.5 => format!("{} ms", plain(value / 1e3, language)),
        _ => format!("{} µs", plain(value, language)),
    }
}

/// A round number on an axis, without needless decimals: `0`, `0.5`, `20`, `5000`.
pub fn tick(value: f64, language: Language) -> String {
    group(&trimmed(value), language)
}

/// A round time on an axis: `200 µs`, `1 ms`, `2 s`.
pub fn tick_us(value: f64, language: Language) -> String {
    match value {
        _ if value >= 1e6 => format!("{} s", tick(value / 1e6, language)),
        _ if value >= 1e3 => format!("{} ms", tick(value / 1e3, language)),
        _ => format!("{} µs", tick(value, language)),
    }
}

/// A round figure on an axis, with its unit where it needs one.
pub fn axis(metric: Metric, value: f64, language: Language) -> String {
    const STEP: f64 = 1024.0;
    match metric.unit() {
        Unit::Us => tick_us(value, language),
        Unit::Ms => tick_us(value * 1e3, language),
        Unit::Share => format!("{} %", tick(value * 100.0, language)),
        Unit::Kib if value >= STEP => format!("{} MiB", plain(value / STEP, language)),
        Unit::Kib => format!("{} KiB", tick(value, language)),
        Unit::Count | Unit::Plain => tick(value, language),
    }
}

/// The percentile that one request in so many exceeds: `50 %` of 2, `99.9 %` of 1000.
pub fn tail(one_in: f64, language: Language) -> String {
    format!("{} %", group(&trimmed(100.0 - 100.0 / one_in), language))
}

fn trimmed(value: f64) -> String {
    let written = format!("{value:.6}");
    written
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// `640 KiB`, `12.4 MiB`, `1.02 GiB`.
pub fn memory_kib(value: f64, language: Language) -> String {
    const STEP: f64 = 1024.0;
    match value {
        _ if value >= STEP * STEP => format!("{} GiB", plain(value / STEP / STEP, language)),
        _ if value >= STEP => format!("{} MiB", plain(value / STEP, language)),
        _ => format!("{} KiB", plain(value, language)),
    }
}

/// A difference in a metric with its sign: `+49.1`, `−2.30 ms`.
pub fn signed(metric: Metric, value: f64, language: Language) -> String {
    let sign = match value {
        _ if value > 0.0 => "+",
        _ if value < 0.0 => "−",
        _ => "",
    };
    format!("{sign}{}", figure(metric, value.abs(), language))
}

/// Cliff's delta: two decimals and a sign.
pub fn delta(value: f64, language: Language) -> String {
    let sign = if value < 0.0 { "−" } else { "+" };
    format!(
        "{sign}{}",
        decimal(&format!("{:.2}", value.abs()), language)
    )
}

/// A p-value: three decimals, or that it is smaller.
pub fn p(value: f64, language: Language) -> String {
    if value < 0.001 {
        decimal("< 0.001", language)
    } else {
        decimal(&format!("{value:.3}"), language)
    }
}

/// A load average, with the two decimals the kernel gives.
pub fn load(value: f64, language: Language) -> String {
    decimal(&format!("{value:.2}"), language)
}

/// A share of one, as a percentage: `2.1 %`.
pub fn percent(share: f64, language: Language) -> String {
    let decimals = usize::from(share < 0.0995) + usize::from(share > 0.0 && share < 0.000_995);
    decimal(&format!("{:.decimals$} %", share * 100.0), language)
}

/// Digits of a whole number, in groups.
fn group_whole(digits: &str) -> String {
    group(digits, Language::default())
}

/// A short number with the decimal mark of the language.
fn decimal(number: &str, language: Language) -> String {
    number.replace('.', &language.decimal_mark().to_string())
}

fn group(digits: &str, language: Language) -> String {
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
        text.push(language.decimal_mark());
        text.push_str(fraction);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: Language = Language::English;

    #[test]
    fn figures_have_three_significant_digits_and_whole_numbers_all_of_theirs() {
        let written: Vec<String> = [0.031_24, 0.1969, 5.1, 39.16, 249.4, 3379.2, 12_345.6, 0.0]
            .map(|value| plain(value, EN))
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
        assert_eq!(plain(f64::NAN, EN), NONE);
    }

    #[test]
    fn rounding_up_does_not_add_a_digit() {
        assert_eq!(plain(9.996, EN), "10.0");
        assert_eq!(plain(99.96, EN), "100");
        assert_eq!(duration_us(999.7, EN), "1.00 ms");
    }

    #[test]
    fn times_and_memory_take_a_readable_unit() {
        assert_eq!(duration_us(312.4, EN), "312 µs");
        assert_eq!(duration_us(4100.0, EN), "4.10 ms");
        assert_eq!(duration_us(1_200_000.0, EN), "1.20 s");
        assert_eq!(memory_kib(640.0, EN), "640 KiB");
        assert_eq!(memory_kib(12_698.0, EN), "12.4 MiB");
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
        assert_eq!(
            times_with_interval(&near, EN),
            "1.02×\u{a0}[0.99,\u{a0}1.05]"
        );
        assert_eq!(times(86.43, EN), "86.4×");
        assert_eq!(times(0.0312, EN), "0.031×");
    }

    #[test]
    fn signs_and_shares() {
        assert_eq!(signed(Metric::CpuUsPerRequest, -2.3, EN), "−2.30");
        assert_eq!(signed(Metric::CpuUsPerRequest, 49.1, EN), "+49.1");
        assert_eq!(delta(-1.0, EN), "−1.00");
        assert_eq!(p(0.0002, EN), "< 0.001");
        assert_eq!(percent(0.021, EN), "2.1 %");
        assert_eq!(percent(0.000_31, EN), "0.03 %");
    }

    #[test]
    fn spanish_has_a_decimal_comma_and_the_same_groups() {
        let es = Language::Spanish;
        assert_eq!(plain(39.16, es), "39,2");
        assert_eq!(plain(12_345.6, es), "12\u{202f}346");
        let ratio = Estimate {
            value: 1.5,
            interval: Some(Interval {
                low: 1.25,
                high: 2.0,
            }),
        };
        let written = times_with_interval(&ratio, es);
        assert_eq!(written, "1,50×\u{a0}[1,25;\u{a0}2,00]");
        assert_eq!(tick(0.5, es), "0,5");
        assert_eq!(tail(1000.0, es), "99,9 %");
        assert_eq!(percent(0.021, es), "2,1 %");
        assert_eq!(p(0.0002, es), "< 0,001");
        assert_eq!(delta(-0.5, es), "−0,50");
    }
}
