//! Conditions on a result, such as `p99>10ms`: gates and objectives consist of them.

use std::fmt;
use std::str::FromStr;

use crate::summary::{Latencies, Summary};
use crate::text::{distributions, time};
use crate::units::{parse_duration, parse_number};

/// A figure of a summary compared with a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    text: String,
    /// What is left of the comparison.
    name: String,
    metric: Metric,
    /// Whether it compares with `>` or `>=`, not with `<` or `<=`.
    is_upwards: bool,
    /// Whether the limit itself meets it, as with `>=` and `<=`.
    is_inclusive: bool,
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
    /// A figure of one of [`distributions`], by its index and its name in the summary; limits are in microseconds.
    Latency(usize, &'static str),
    /// Good requests per second.
    Rate,
    /// Failed requests.
    Failed,
    /// Failed requests among those that ended, in percent.
    FailedShare,
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
        let (name, rest) = text.split_at(text.find(['<', '>'])?);
        let limit = rest[1..].strip_prefix('=');
        let (is_upwards, is_inclusive) = (rest.starts_with('>'), limit.is_some());
        let (name, limit) = (name.trim(), limit.unwrap_or(&rest[1..]).trim());
        let (metric, limit) = match name {
            "rate" => (Metric::Rate, parse_number(limit)?),
            "failed" => match limit.strip_suffix('%') {
                Some(percent) => (Metric::FailedShare, parse_number(percent.trim_end())?),
                None => (Metric::Failed, parse_number(limit)?),
            },
            _ => {
                let limit = parse_duration(limit).ok()?;
                (parse_latency(name)?, limit.as_secs_f64() * 1e6)
            }
        };
        Some(Self {
            text: text.to_owned(),
            name: name.to_owned(),
            metric,
            is_upwards,
            is_inclusive,
            limit,
        })
    }

    /// Whether it holds in `summary`.
    pub fn holds(&self, summary: &Summary) -> ConditionResult {
        let (figure, is_lower_bound) = self.figure(summary);
        let name = &self.name;
        let Some(value) = figure else {
            return ConditionResult::Unsupported(format!(
                "{name} is unknown: the sample is too small for it"
            ));
        };
        let bound = if is_lower_bound { "at least " } else { "" };
        let said = match self.metric {
            Metric::Latency(..) => format!("{name} is {bound}{}", time(value)),
            Metric::Rate => format!("{name} is {value:.1}/s"),
            Metric::Failed => format!("{name} is {value}"),
            Metric::FailedShare => format!("{name} is {value:.3} %"),
        };
        let is_beyond = match self.is_upwards {
            true => value > self.limit,
            false => value < self.limit,
        };
        #[allow(clippy::float_cmp)] // the limit as it was written
        let holds = is_beyond || (self.is_inclusive && value == self.limit);
        // A lower bound decides only what a larger value cannot change.
        match holds {
            _ if is_lower_bound && holds != self.is_upwards => ConditionResult::Undecided(said),
            true => ConditionResult::Holds(said),
            false => ConditionResult::Fails(said),
        }
    }

    /// The figure, if the sample supports it, and whether it is only a lower bound.
    #[allow(clippy::cast_precision_loss)] // counts stay far below 2^53
    fn figure(&self, summary: &Summary) -> (Option<f64>, bool) {
        let failed = summary.counts.failed_total() as f64;
        let ended = summary.counts.ended();
        match self.metric {
            Metric::Rate => (Some(summary.rates.good_per_s), false),
            Metric::Failed => (Some(failed), false),
            Metric::FailedShare => {
                let share = (ended > 0).then(|| failed / ended as f64 * 100.0);
                (share, false)
            }
            Metric::Latency(index, name) => {
                let (_, distribution) = distributions(&summary.latency_us)[index];
                (distribution.figure(name), distribution.is_censored(name))
            }
        }
    }
}

/// A figure such as `service.p99.9`, or `p99.9` of the response time, which is the first distribution.
fn parse_latency(text: &str) -> Option<Metric> {
    let (index, name) = distributions(&Latencies::default())
        .iter()
        .enumerate()
        .find_map(|(index, (known, _))| Some((index, text.strip_prefix(known)?.strip_prefix('.')?)))
        .unwrap_or((0, text));
    let mut names = ["p50", "p90", "p99", "p99_9", "max"].into_iter();
    let name = names.find(|known| *known == name.replace('.', "_"))?;
    Some(Metric::Latency(index, name))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::workload::Workload;

    fn summary(p99_us: Option<f64>, censored: bool) -> Summary {
        let mut summary: Summary = serde_json::from_value(serde_json::json!({
            "schema_version": 1, "model": null, "url": "",
            "plan": Workload::new(SocketAddr::from(([127, 0, 0, 1], 1))).plan(),
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
