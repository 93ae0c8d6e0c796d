//! Formats numbers: the only module of the report that converts them to text.

use hola_base::Language;
use hola_lab::metric::{Metric, Scale};
use hola_verdict::Estimate;

/// The text for a missing figure.
pub(crate) const NONE: &str = "—";

/// Separates groups of three digits: a narrow no-break space. A comma could be taken for the one between an interval's
/// ends.
const GROUP: char = '\u{202f}';

/// No-break space: an interval that is split over two lines is hard to read.
const SPACE: char = '\u{a0}';

/// Three significant digits, but every digit before the decimal mark, and no decimals for whole numbers: `0.0312`,
/// `5.10`, `12 345`, `6`.
pub(crate) fn plain(value: f64, language: Language) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let decimals = match value.abs() {
        // Mainly counts.
        size if size == size.round() || size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        size if size >= 0.099_95 => 3,
        _ => 4,
    };
    grouped(&format!("{value:.decimals$}"), language)
}

/// `5.12×`: two decimals; one from 10 on, three below 0.1.
pub(crate) fn times(value: f64, language: Language) -> String {
    format!("{}×", ratio(value, language))
}

fn ratio(value: f64, language: Language) -> String {
    let decimals = match value {
        _ if !value.is_finite() => return NONE.to_owned(),
        _ if value >= 9.995 => 1,
        _ if value >= 0.0995 => 2,
        _ => 3,
    };
    grouped(&format!("{value:.decimals$}"), language)
}

/// A comparison: `5.12× [4.90, 5.33]`, or on the plain scale a difference with its sign.
pub fn comparison(metric: Metric, estimate: &Estimate, language: Language) -> String {
    let signed = |value, language| signed(metric, value, language);
    match estimate.scale {
        Scale::Ratio => interval(estimate, ratio, "×", language),
        Scale::Plain => interval(estimate, signed, &points(metric, language), language),
    }
}

/// The same without an interval.
pub(crate) fn change(metric: Metric, change: f64, language: Language) -> String {
    match metric.definition().scale {
        Scale::Ratio => times(change, language),
        Scale::Plain => signed(metric, change, language) + &points(metric, language),
    }
}

/// A metric's value with its interval, without the unit: `39.2 [38.8, 40.1]`.
pub fn value(metric: Metric, estimate: &Estimate, language: Language) -> String {
    let figure = |value, language| figure(metric, value, language);
    interval(estimate, figure, "", language)
}

/// Any quantity with its interval, as a plain number.
pub(crate) fn estimate(estimate: &Estimate, language: Language) -> String {
    interval(estimate, plain, "", language)
}

/// The interval alone: `[4.90, 5.33]`.
pub(crate) fn ends((low, high): (f64, f64), language: Language) -> String {
    let [low, high] = [low, high].map(|end| plain(end, language));
    format!("[{low}{}{SPACE}{high}]", language.between_numbers())
}

/// A value with its unit, and its interval without.
fn interval(
    estimate: &Estimate,
    write: impl Fn(f64, Language) -> String,
    unit: &str,
    language: Language,
) -> String {
    let ends = [estimate.value, estimate.low, estimate.high];
    let [value, low, high] = ends.map(|end| write(end, language));
    if estimate.low >= estimate.high {
        // Every block has the same value, such as no failures.
        return format!("{value}{unit}");
    }
    let between = language.between_numbers();
    format!("{value}{unit}{SPACE}[{low}{between}{SPACE}{high}]")
}

/// A metric's figure without its unit; a share as a percentage.
pub(crate) fn figure(metric: Metric, value: f64, language: Language) -> String {
    match metric.definition().is_share() {
        true => percent(value, language),
        false => plain(value, language),
    }
}

/// A metric's figure with a suitable unit: `312 µs`, `4.10 ms`, `2.1 %`, `10.4 KiB`.
pub(crate) fn with_unit(metric: Metric, value: f64, language: Language) -> String {
    let definition = metric.definition();
    let unit = language.of(definition.unit);
    if definition.is_time() {
        duration_us(value, language)
    } else if definition.is_share() || unit.is_empty() {
        figure(metric, value, language)
    } else {
        format!("{}{SPACE}{unit}", plain(value, language))
    }
}

/// The unit of a difference of shares: points, because it is not a percentage of anything.
fn points(metric: Metric, language: Language) -> String {
    match metric.definition().is_share() {
        true => format!("{SPACE}{}", language.choose(|| "points", || "puntos")),
        false => String::new(),
    }
}

/// A difference with its sign; for shares, in points.
fn signed(metric: Metric, value: f64, language: Language) -> String {
    let sign = match value {
        _ if value > 0.0 => "+",
        _ if value < 0.0 => "−",
        _ => "",
    };
    let size = value.abs();
    let written = match metric.definition().is_share() {
        true => round((size * 1e3).round() / 10.0, language),
        false => plain(size, language),
    };
    format!("{sign}{written}")
}

/// `5.52 ns`, `312 µs`, `4.10 ms`, `1.20 s`.
pub(crate) fn duration_us(value: f64, language: Language) -> String {
    let (value, unit) = match value {
        _ if value >= 999_500.0 => (value / 1e6, "s"),
        _ if value >= 999.5 => (value / 1e3, "ms"),
        _ if value >= 0.9995 || value <= 0.0 => (value, "µs"),
        _ => (value * 1e3, "ns"),
    };
    format!("{}{SPACE}{unit}", plain(value, language))
}

/// A round number on an axis, without needless decimals: `0.5`, `20`, `5000`.
pub(crate) fn tick(metric: Metric, value: f64, language: Language) -> String {
    let definition = metric.definition();
    let (value, unit) = match value {
        _ if definition.is_share() => (value * 100.0, "%"),
        _ if !definition.is_time() => return round(value, language),
        _ if value >= 1e6 => (value / 1e6, "s"),
        _ if value >= 1e3 => (value / 1e3, "ms"),
        _ if 0.0 < value && value < 1.0 => (value * 1e3, "ns"),
        _ => (value, "µs"),
    };
    format!("{}{SPACE}{unit}", round(value, language))
}

/// A number with no more decimals than it needs.
pub(crate) fn round(value: f64, language: Language) -> String {
    let written = format!("{value:.6}");
    let digits = written.trim_end_matches('0').trim_end_matches('.');
    grouped(digits, language)
}

/// A share of one, as a percentage: `2.1 %`.
pub(crate) fn percent(share: f64, language: Language) -> String {
    if !share.is_finite() {
        return NONE.to_owned();
    }
    let size = share.abs();
    let decimals = match size {
        0.0 => 0,
        _ if size >= 0.0995 => 0,
        _ if size >= 0.000_995 => 1,
        _ => 2,
    };
    grouped(&format!("{:.decimals$}{SPACE}%", share * 100.0), language)
}

/// A margin or a resolution: `5 %` on the ratio scale; in points, or in the metric's unit, on the plain one.
pub(crate) fn width(metric: Metric, width: f64, language: Language) -> String {
    let definition = metric.definition();
    let hundredths = round((width * 1e3).round() / 10.0, language);
    match definition.scale {
        Scale::Ratio => format!("{hundredths}{SPACE}%"),
        Scale::Plain if definition.is_share() => hundredths + &points(metric, language),
        Scale::Plain => with_unit(metric, width, language),
    }
}

/// A duration in minutes and seconds: `4 min 10 s`, `38 s`.
pub(crate) fn minutes(seconds: f64) -> String {
    let whole = seconds.max(0.0).round();
    let minutes = (whole / 60.0).floor();
    let rest = whole - minutes * 60.0;
    match minutes {
        0.0 => format!("{whole:.0}{SPACE}s"),
        _ => format!("{minutes:.0}{SPACE}min{SPACE}{rest:.0}{SPACE}s"),
    }
}

/// The digits in groups, with the decimal mark of the language and a true minus sign.
fn grouped(number: &str, language: Language) -> String {
    let (digits, unit) = number.split_at(number.find(SPACE).unwrap_or(number.len()));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (sign, whole) = match whole.strip_prefix('-') {
        Some(whole) => ("−", whole),
        None => ("", whole),
    };
    let mut text = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && whole.len() > 4 {
            text.push(GROUP);
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push(language.decimal_mark());
        text.push_str(fraction);
    }
    text + unit
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: Language = Language::English;
    const ES: Language = Language::Spanish;

    fn estimate(value: f64, low: f64, high: f64, scale: Scale) -> Estimate {
        Estimate {
            value,
            low,
            high,
            blocks: 5,
            between_sd: 0.0,
            within_sd: None,
            scale,
            standard_error: 0.0,
            freedom: 4.0,
        }
    }

    #[test]
    fn figures_have_three_significant_digits_and_whole_numbers_all_of_theirs() {
        for (value, written) in [
            (0.031_24, "0.0312"),
            (0.1969, "0.197"),
            (5.1, "5.10"),
            (39.16, "39.2"),
            (249.4, "249"),
            (3379.2, "3379"),
            (12_345.6, "12\u{202f}346"),
            (0.0, "0"),
            (6.0, "6"),
            (9.996, "10.0"),
            (-39.16, "−39.2"),
        ] {
            assert_eq!(plain(value, EN), written);
        }
        assert_eq!(plain(f64::NAN, EN), NONE);
        assert_eq!(plain(12_345.6, ES), "12\u{202f}346");
        assert_eq!(plain(39.16, ES), "39,2");
    }

    #[test]
    fn intervals_do_not_break_and_follow_the_language() {
        let near = estimate(1.017, 0.988, 1.051, Scale::Ratio);
        let cpu = Metric::CpuPerRequest;
        assert_eq!(comparison(cpu, &near, EN), "1.02×\u{a0}[0.99,\u{a0}1.05]");
        assert_eq!(comparison(cpu, &near, ES), "1,02×\u{a0}[0,99;\u{a0}1,05]");
        let more = estimate(0.25, 0.125, 0.5, Scale::Plain);
        let more = comparison(Metric::FailedShare, &more, EN);
        assert_eq!(more, "+25\u{a0}points\u{a0}[+12.5,\u{a0}+50]");
    }

    #[test]
    fn units_are_those_a_reader_wants() {
        assert_eq!(with_unit(Metric::ResponseP99, 4100.0, EN), "4.10\u{a0}ms");
        assert_eq!(with_unit(Metric::FailedShare, 0.021, ES), "2,1\u{a0}%");
        let memory = with_unit(Metric::MemoryPerClient, 10.44, EN);
        assert_eq!(memory, "10.4\u{a0}KiB");
        assert_eq!(tick(Metric::ResponseP50, 2000.0, EN), "2\u{a0}ms");
        assert_eq!(minutes(250.4), "4\u{a0}min\u{a0}10\u{a0}s");
        assert_eq!(minutes(38.0), "38\u{a0}s");
    }
}
