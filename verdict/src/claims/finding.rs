//! The findings of a claim's test, and its verdict.

use hola_base::{Language, Text, text};
use hola_lab::metric::Scale;
use hola_lab::record::StoredText;
use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::{EstimateResult, LevelKey};
use crate::estimate::Estimate;

/// The verdict of a run on a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The claim holds.
    Holds,
    /// The claim fails.
    Fails,
    /// One part of the claim holds and another fails, both decided.
    Depends,
    /// The intervals are too wide to decide.
    Undecided,
    /// This run has not measured the claim, or no run can.
    NotMeasured,
}

/// A verdict and its evidence.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// Every tested quantity; the verdict rests on those with [`Finding::decided`].
    pub findings: Vec<Finding>,
    /// One sentence: the most important finding, the conditions of *depends*, or why the claim was not measured.
    pub reason: StoredText,
}

/// One tested quantity.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was tested.
    pub what: StoredText,
    /// Experiment.
    pub experiment: &'static str,
    /// Level; the second one if two are compared.
    pub level: &'static str,
    /// Participant.
    pub participant: String,
    /// The estimate, or why there is none.
    pub estimate: EstimateResult,
    /// What the claim expects of the quantity.
    pub threshold: Expect,
    /// Outcome after Holm's correction over all findings of the claim.
    pub outcome: Outcome,
    /// The corrected p-value of the outcome; 1 without an estimate.
    pub p_value: f64,
    /// Whether the verdict rests on this finding.
    pub decided: bool,
    /// Whether the estimate is a ratio of two measured values. Other machines' ratios can be summarised with it; values
    /// with a unit cannot.
    pub is_ratio: bool,
}

/// What a claim expects of a quantity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expect {
    /// More than this.
    Above(f64),
    /// Less than this.
    Below(f64),
    /// Between these two: equality, which has to be shown.
    Within(f64, f64),
}

/// The outcome of testing a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As the claim expects.
    Holds,
    /// Not as the claim expects.
    Fails,
    /// The interval is too wide to decide.
    Undecided,
    /// There is no estimate.
    Missing,
}

impl Decision {
    /// The findings that tell the verdict in short: one, or one for each side if the claim depends; none if it was not
    /// measured.
    pub fn key_findings(&self) -> Vec<&Finding> {
        key_findings(self.verdict, self.findings.iter())
    }
}

/// The weakest of the findings if the claim holds, the clearest one against it if it fails, the clearest on each side
/// if it depends, and the least certain one if it is undecided.
pub(super) fn key_findings<'f>(
    verdict: Verdict,
    findings: impl Iterator<Item = &'f Finding> + Clone,
) -> Vec<&'f Finding> {
    let decided = findings.filter(|one| one.decided);
    let by_p = |left: &&Finding, right: &&Finding| left.p_value.total_cmp(&right.p_value);
    match verdict {
        Verdict::Holds | Verdict::Undecided => Vec::from_iter(decided.max_by(by_p)),
        Verdict::Fails => Vec::from_iter(decided.min_by(by_p)),
        Verdict::Depends => {
            let clearest = |side| {
                let those = decided.clone().filter(move |one| one.outcome == side);
                those.min_by(by_p)
            };
            let sides = [Outcome::Holds, Outcome::Fails];
            sides.into_iter().filter_map(clearest).collect()
        }
        Verdict::NotMeasured => Vec::new(),
    }
}

/// A value is near its threshold within this share of the threshold.
const NEAR_SHARE: f64 = 0.1;

impl Expect {
    /// The side of the threshold on which the value lies, and the p-value against the other side.
    pub(super) fn side(self, found: &Estimate) -> (Outcome, f64) {
        let (holds, p_value) = match self {
            Expect::Above(least) => (found.value > least, found.p_value(least)),
            Expect::Below(most) => (found.value < most, found.p_value(most)),
            Expect::Within(low, high) => match (low < found.value, found.value < high) {
                (true, true) => (true, found.p_value(low).max(found.p_value(high))),
                (false, _) => (false, found.p_value(low)),
                (_, false) => (false, found.p_value(high)),
            },
        };
        match holds {
            true => (Outcome::Holds, p_value),
            false => (Outcome::Fails, p_value),
        }
    }

    /// Whether the value lies within 10 % of the threshold. `false` for [`Expect::Within`]: equal values are always
    /// near.
    fn is_near(self, value: f64) -> bool {
        match self {
            Expect::Above(threshold) | Expect::Below(threshold) => {
                (value - threshold).abs() <= NEAR_SHARE * threshold.abs()
            }
            Expect::Within(..) => false,
        }
    }

    /// The expectation in words, such as `less than 0.95`.
    pub fn text(self, language: Language) -> String {
        let number = |value| number(language, value);
        let (words, value) = match self {
            Expect::Above(least) => (text("more than", "más de"), number(least)),
            Expect::Below(most) => (text("less than", "menos de"), number(most)),
            Expect::Within(low, high) => {
                let and = language.of(text("and", "y"));
                let both = format!("{} {and} {}", number(low), number(high));
                (text("between", "entre"), both)
            }
        };
        format!("{} {value}", language.of(words))
    }
}

impl Finding {
    /// A finding that is not judged yet.
    pub(super) fn new(
        what: StoredText,
        at: LevelKey<'static>,
        participant: &str,
        estimate: EstimateResult,
        threshold: Expect,
    ) -> Self {
        let is_ratio = |found: &Estimate| found.scale == Scale::Ratio;
        Finding {
            what,
            experiment: at.experiment,
            level: at.level,
            participant: participant.into(),
            is_ratio: estimate.as_ref().is_ok_and(is_ratio),
            estimate,
            threshold,
            outcome: Outcome::Missing,
            p_value: 1.0,
            decided: false,
        }
    }

    /// The finding as a clause: what was tested, what was found, what the claim needs.
    pub fn text(&self, language: Language) -> String {
        const NEEDS: Text = text("the claim needs", "la afirmación necesita");
        const NEAR: Text = text(
            "; the value is within 10 % of that threshold",
            "; el valor queda a menos del 10 % de ese umbral",
        );
        let what = self.what.in_language(language);
        match &self.estimate {
            Err(missing) => format!("{what}: {}", missing.text().in_language(language)),
            Ok(found) => {
                let [value, low, high] =
                    [found.value, found.low, found.high].map(|value| number(language, value));
                let between = language.between_numbers();
                let (needs, threshold) = (language.of(NEEDS), self.threshold.text(language));
                let near = if self.threshold.is_near(found.value) {
                    language.of(NEAR)
                } else {
                    ""
                };
                format!("{what}: {value} [{low}{between} {high}]; {needs} {threshold}{near}")
            }
        }
    }

    /// Half-width of the interval, such as `±4 %`.
    pub(super) fn resolution(&self, language: Language) -> Option<String> {
        let found = self.estimate.as_ref().ok()?;
        Some(match found.scale {
            Scale::Ratio => format!("±{} %", number(language, 100.0 * found.half_width())),
            Scale::Plain => format!("±{}", number(language, found.half_width())),
        })
    }
}

/// A number with about three digits.
fn number(language: Language, value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 || size == 0.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    text.replace('.', &language.decimal_mark().to_string())
}
