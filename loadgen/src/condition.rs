//! Conditions on a result, such as `p99>10ms`: gates and objectives consist of them.

use std::fmt;
use std::str::FromStr;

use crate::summary::{Distribution, Latencies, Summary};
use crate::units::{parse_duration, parse_number};

/// A figure of a summary compared with a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    text: String,
    metric: Metric,
    comparison: Comparison,
    limit: f64,
}

/// Whether a condition holds, as far as the measurement can tell.
#[derive(Clone, Debug, PartialEq)]
pub enum ConditionResult {
    /// It holds; with the figure as text.
    Holds(String),
    /// It does not hold; with the figure as text.
    Fails(String),
    /// Failures affect the figure, so only a lower bound is known, and this does not decide the condition.
    Undecided(String),
    /// There are too few samples for the figure.
    Unsupported(String),
}

/// The text is not a condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a condition such as p99>10ms, service.p99.9>=1s, max>2s, failed>0.1%, failed>5 or rate<1000"
)]
pub struct InvalidCondition(String);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Metric {
    /// A figure of one distribution, by its name in [`Distribution::censored`]; limits are in microseconds.
    Latency(Interval, &'static str),
    /// Good requests per second.
    Rate,
    /// Failed requests.
    Failed,
    /// Failed requests among those that ended, in percent.
    FailedShare,
}

/// The interval between two timestamps that a distribution describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interval {
    Response,
    Service,
    Connect,
    FirstByte,
    Lag,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// A figure, as far as it is known.
enum Figure {
    Exact(f64),
    AtLeast(f64),
    Unsupported,
}

impl FromStr for Condition {
    type Err = InvalidCondition;

    fn from_str(text: &str) -> Result<Self, InvalidCondition> {
        Self::parse(text).ok_or_else(|| InvalidCondition(text.to_owned()))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Condition {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let at = text.find(['<', '>'])?;
        let (comparison, length) = match &text[at..] {
            rest if rest.starts_with(">=") => (Comparison::AtLeast, 2),
            rest if rest.starts_with("<=") => (Comparison::AtMost, 2),
            rest if rest.starts_with('>') => (Comparison::Above, 1),
            _ => (Comparison::Below, 1),
        };
        let (name, limit) = (text[..at].trim(), text[at + length..].trim());
        let (metric, limit) = match name {
            "rate" => (Metric::Rate, parse_number(limit)?),
            "failed" => match limit.strip_suffix('%') {
                Some(percent) => (Metric::FailedShare, parse_number(percent.trim_end())?),
                None => (Metric::Failed, parse_number(limit)?),
            },
            _ => {
                let (interval, figure) = parse_latency(name)?;
                let limit = parse_duration(limit).ok()?;
                (Metric::Latency(interval, figure), limit.as_secs_f64() * 1e6)
            }
        };
        Some(Self {
            text: text.to_owned(),
            metric,
            comparison,
            limit,
        })
    }

    /// Whether it holds in `summary`.
    pub fn holds(&self, summary: &Summary) -> ConditionResult {
        let figure = self.figure(summary);
        let said = self.written(&figure);
        let (value, exact) = match figure {
            Figure::Unsupported => return ConditionResult::Unsupported(said),
            Figure::Exact(value) => (value, true),
            Figure::AtLeast(value) => (value, false),
        };
        let holds = match self.comparison {
            Comparison::Above => value > self.limit,
            Comparison::AtLeast => value >= self.limit,
            Comparison::Below => value < self.limit,
            Comparison::AtMost => value <= self.limit,
        };
        // A lower bound decides only what a larger value cannot change.
        let upwards = matches!(self.comparison, Comparison::Above | Comparison::AtLeast);
        match (exact || holds == upwards, holds) {
            (false, _) => ConditionResult::Undecided(said),
            (true, true) => ConditionResult::Holds(said),
            (true, false) => ConditionResult::Fails(said),
        }
    }

    #[allow(clippy::cast_precision_loss)] // counts stay far below 2^53
    fn figure(&self, summary: &Summary) -> Figure {
        let failed = summary.counts.failed_total();
        let ended = summary.counts.ok + failed;
        match self.metric {
            Metric::Rate => Figure::Exact(summary.rates.good_per_s),
            Metric::Failed => Figure::Exact(failed as f64),
            Metric::FailedShare if ended == 0 => Figure::Unsupported,
            Metric::FailedShare => Figure::Exact(failed as f64 / ended as f64 * 100.0),
            Metric::Latency(interval, name) => {
                let distribution = interval.of(&summary.latency_us);
                match (distribution.figure(name), distribution.is_censored(name)) {
                    (None, _) => Figure::Unsupported,
                    (Some(value), false) => Figure::Exact(value),
                    (Some(value), true) => Figure::AtLeast(value),
                }
            }
        }
    }

    /// The figure in words, such as `p99 is at least 12.00 ms`.
    fn written(&self, figure: &Figure) -> String {
        let end = self.text.find(['<', '>']).unwrap_or(self.text.len());
        let name = self.text[..end].trim();
        let (value, bound) = match figure {
            Figure::Unsupported => {
                return format!("{name} is unknown: the sample is too small for it");
            }
            Figure::Exact(value) => (*value, ""),
            Figure::AtLeast(value) => (*value, "at least "),
        };
        let value = match self.metric {
            Metric::Latency(..) => crate::text::time(value),
            Metric::Rate => format!("{value:.1}/s"),
            Metric::Failed => format!("{value}"),
            Metric::FailedShare => format!("{value:.3} %"),
        };
        format!("{name} is {bound}{value}")
    }
}

impl Interval {
    fn of(self, latencies: &Latencies) -> &Distribution {
        match self {
            Self::Response => &latencies.response,
            Self::Service => &latencies.service,
            Self::Connect => &latencies.connect,
            Self::FirstByte => &latencies.first_byte,
            Self::Lag => &latencies.lag,
        }
    }
}

fn parse_latency(name: &str) -> Option<(Interval, &'static str)> {
    let intervals = [
        ("response.", Interval::Response),
        ("service.", Interval::Service),
        ("connect.", Interval::Connect),
        ("first_byte.", Interval::FirstByte),
        ("lag.", Interval::Lag),
    ];
    let (interval, figure) = intervals
        .iter()
        .find_map(|(prefix, interval)| Some((*interval, name.strip_prefix(prefix)?)))
        .unwrap_or((Interval::Response, name));
    let figure = match figure {
        "p50" => "p50",
        "p90" => "p90",
        "p99" => "p99",
        "p99.9" | "p99_9" => "p99_9",
        "max" => "max",
        _ => return None,
    };
    Some((interval, figure))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Workload;

    fn summary(p99_us: Option<f64>, censored: bool) -> Summary {
        let mut summary: Summary = serde_json::from_value(serde_json::json!({
            "schema_version": 1, "model": null, "url": "",
            "plan": Workload::new(([127, 0, 0, 1], 1).into()).plan(),
            "rates": {"offered_per_s": 1000.0, "completed_per_s": 1000.0, "good_per_s": 999.0},
            "counts": {
                "planned": 1000, "sent": 1000, "ok": 999, "not_sent": 0, "in_flight_at_end": 0,
                "failed": {"timeout": {"connect": 1}},
            },
            "latency_us": Latencies::default(),
            "generator": {"threads": 1, "cpu_us_per_request": null, "cpu_share": 0.1},
            "validity": [],
        }))
        .unwrap();
        summary.latency_us.response.p99 = p99_us;
        summary.latency_us.service.p99 = Some(1.0);
        if censored {
            summary.latency_us.response.censored.push("p99".to_owned());
        }
        summary
    }

    /// The result of `condition`, as a letter.
    fn truth(condition: &str, summary: &Summary) -> char {
        match condition.parse::<Condition>().unwrap().holds(summary) {
            ConditionResult::Holds(_) => 'h',
            ConditionResult::Fails(_) => 'f',
            ConditionResult::Undecided(_) => 'u',
            ConditionResult::Unsupported(_) => '?',
        }
    }

    #[test]
    fn a_known_figure_decides_every_comparison() {
        let summary = summary(Some(10_000.0), false);
        for (condition, expected) in [
            ("p99>10ms", 'f'),
            ("p99>=10ms", 'h'),
            ("p99<10ms", 'f'),
            ("p99<=10ms", 'h'),
            (" p99 > 9.9ms ", 'h'),
            ("response.p99<1s", 'h'),
            ("service.p99<2us", 'h'),
            ("rate<1000", 'h'),
            ("rate<0.9k", 'f'),
            ("failed>0", 'h'),
            ("failed>1", 'f'),
            ("failed>0.1%", 'f'),
            ("failed>=0.1 %", 'h'),
            ("failed<0.2%", 'h'),
        ] {
            assert_eq!(truth(condition, &summary), expected, "{condition}");
        }
    }

    #[test]
    fn a_lower_bound_decides_only_what_a_larger_value_cannot_change() {
        let summary = summary(Some(10_000.0), true);
        for (condition, expected) in [
            ("p99>9ms", 'h'),
            ("p99>10ms", 'u'),
            ("p99>=10ms", 'h'),
            ("p99>11ms", 'u'),
            ("p99<9ms", 'f'),
            ("p99<10ms", 'f'),
            ("p99<=10ms", 'u'),
            ("p99<11ms", 'u'),
        ] {
            assert_eq!(truth(condition, &summary), expected, "{condition}");
        }
    }

    #[test]
    fn a_figure_that_the_sample_cannot_support_decides_nothing() {
        assert_eq!(truth("p99>1us", &summary(None, false)), '?');
        let mut empty = summary(None, false);
        empty.counts.ok = 0;
        empty.counts.failed.clear();
        assert_eq!(truth("failed>0.1%", &empty), '?');
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "p99",
            "p99=1ms",
            "p99>",
            "p99>10",
            "p98>10ms",
            "p99>-1ms",
            "rate<fast",
            "rate<1e3",
            "failed>1ms",
            "other.p99>1ms",
            "p99>>1ms",
            "rate<inf",
        ] {
            assert!(text.parse::<Condition>().is_err(), "{text}");
        }
    }
}
