//! The kinds of quantities that claims test.

use std::collections::BTreeMap;

use hola_base::{Language, Text};
use hola_lab::metric::{Metric, Scale};
use hola_lab::record::StoredText;

use super::finding::{Expect, Finding, Outcome, in_both};
use crate::analysis::{Analysis, At, Missing, over_blocks};
use crate::estimate::Estimate;

/// A finding that is not judged yet.
pub(super) fn finding(
    what: StoredText,
    at: At<'static>,
    participant: &str,
    metric: Option<Metric>,
    estimate: Result<Estimate, Missing>,
    threshold: Expect,
) -> Finding {
    Finding {
        what,
        experiment: at.experiment,
        level: at.level,
        participant: participant.into(),
        metric,
        estimate,
        threshold,
        outcome: Outcome::Missing,
        p_value: 1.0,
        decided: false,
    }
}

/// A participant compared with another in the same blocks and cycles.
pub(super) fn against(
    analysis: &Analysis<'_>,
    at: At<'static>,
    participant: &str,
    other: &str,
    metric: Metric,
    threshold: Expect,
) -> Finding {
    let what = against_text(metric.definition().title, participant, other, at);
    let found = analysis.compare(at, participant, other, metric);
    finding(what, at, participant, Some(metric), found, threshold)
}

fn against_text(title: Text, participant: &str, other: &str, at: At<'_>) -> StoredText {
    let At { experiment, level } = at;
    in_both(|language| {
        let title = language.of(title);
        language.choose(
            || format!("{title}, {participant} against {other} ({experiment}, {level})"),
            || format!("{title}, {participant} frente a {other} ({experiment}, {level})"),
        )
    })
}

/// A participant's own value, without a comparison.
pub(super) fn own(
    analysis: &Analysis<'_>,
    at: At<'static>,
    participant: &str,
    metric: Metric,
    threshold: Expect,
) -> Finding {
    let At { experiment, level } = at;
    let what = in_both(|language| {
        let title = language.of(metric.definition().title);
        format!("{title}, {participant} ({experiment}, {level})")
    });
    let found = analysis.value(at, participant, metric);
    let found = found.ok_or_else(|| analysis.missing(at, participant, metric));
    finding(what, at, participant, Some(metric), found, threshold)
}

/// A participant at `to` compared with itself at `from`, another level of the same experiment.
pub(super) fn changed(
    analysis: &Analysis<'_>,
    participant: &str,
    metric: Metric,
    from: At<'static>,
    to: At<'static>,
    threshold: Expect,
) -> Finding {
    let what = changed_text(metric.definition().title, participant, from, to);
    let found = analysis
        .change(participant, metric, from, to)
        .ok_or_else(|| {
            let why = |at| match analysis.value(at, participant, metric) {
                Some(_) => None,
                None => Some(analysis.missing(at, participant, metric)),
            };
            let missing = why(to).or_else(|| why(from));
            missing.unwrap_or(Missing::TooFewBlocks { blocks: 0 })
        });
    finding(what, to, participant, Some(metric), found, threshold)
}

fn changed_text(title: Text, participant: &str, from: At<'_>, to: At<'_>) -> StoredText {
    in_both(|language| {
        let (title, from, to, experiment) =
            (language.of(title), from.level, to.level, to.experiment);
        language.choose(
            || format!("{title}, {participant} at {to} against {from} ({experiment})"),
            || format!("{title}, {participant} en {to} frente a {from} ({experiment})"),
        )
    })
}

/// A participant's goodput at `to` as a share of its goodput at `from`; 0 for a server that answers no request.
pub(super) fn goodput_kept(
    analysis: &Analysis<'_>,
    participant: &str,
    from: At<'static>,
    to: At<'static>,
    threshold: Expect,
) -> Finding {
    let what = changed_text(Metric::GoodPerS.definition().title, participant, from, to);
    let found = analysis
        .served_by_block(from, participant)
        .and_then(|before| {
            let after = analysis.served_by_block(to, participant)?;
            over_blocks(&before, &after, Scale::Plain, |before, after| {
                after / before
            })
        });
    finding(what, to, participant, None, found, threshold)
}

/// The CPU that `participant` adds to `control`, as a share of the CPU that `other` adds.
pub(super) fn added(
    analysis: &Analysis<'_>,
    at: At<'static>,
    [participant, other, control]: [&str; 3],
    threshold: Expect,
) -> Finding {
    /// If `other` adds less than this share, there is no cost to cut.
    const ADDED_MIN: f64 = 0.05;
    let what = in_both(|language| {
        let At { experiment, level } = at;
        language.choose(
            || format!("CPU that {participant} adds to {control}, of what {other} adds ({experiment}, {level})"),
            || format!("CPU que {participant} añade a {control}, de lo que añade {other} ({experiment}, {level})"),
        )
    });
    let metric = Metric::CpuPerRequest;
    let found = analysis
        .block_ratios(at, participant, control, metric)
        .and_then(|own| {
            let other = analysis.block_ratios(at, other, control, metric)?;
            over_blocks(&own, &other, Scale::Plain, |own, other| {
                if other > 1.0 + ADDED_MIN {
                    (own - 1.0) / (other - 1.0)
                } else {
                    f64::NAN
                }
            })
        });
    finding(what, at, participant, None, found, threshold)
}

/// Memory of an idle client: process plus kernel (`true`) if both were measured, otherwise the process alone (`false`).
pub(super) fn memory(
    analysis: &Analysis<'_>,
    at: At<'static>,
    participant: &str,
) -> Result<(BTreeMap<u32, f64>, bool), Missing> {
    let own = analysis.block_values(at, participant, Metric::MemoryPerClient)?;
    let Ok(kernel) = analysis.block_values(at, participant, Metric::KernelMemoryPerClient) else {
        return Ok((own, false));
    };
    let sum = |(index, own): (&u32, &f64)| Some((*index, own + kernel.get(index)?));
    Ok((own.iter().filter_map(sum).collect(), true))
}

/// Memory of an idle client compared with that of another model.
pub(super) fn memory_against(
    analysis: &Analysis<'_>,
    participant: &str,
    other: &str,
    threshold: Expect,
) -> Finding {
    const WHOLE: Text = Text {
        en: "Memory per idle client, the kernel's included",
        es: "Memoria por cliente inactivo, con la del núcleo",
    };
    let at = idle(analysis);
    let title = Metric::MemoryPerClient.definition().title;
    let found = memory(analysis, at, participant).and_then(|(own, has_kernel)| {
        let (others, other_has_kernel) =
            memory(analysis, at, other).map_err(|why| Missing::Other {
                participant: other.into(),
                why: Box::new(why),
            })?;
        // Compare two sums or two process values, never one of each.
        if has_kernel && other_has_kernel {
            let found = over_blocks(&own, &others, Scale::Ratio, |own, other| (own / other).ln());
            Ok((WHOLE, found?))
        } else {
            let found = analysis.compare(at, participant, other, Metric::MemoryPerClient);
            Ok((title, found?))
        }
    });
    let (title, found) = match found {
        Ok((title, found)) => (title, Ok(found)),
        Err(missing) => (title, Err(missing)),
    };
    let what = against_text(title, participant, other, at);
    finding(what, at, participant, None, found, threshold)
}

/// The level of idle clients: as many as possible, or fewer in a quick run.
pub(super) fn idle(analysis: &Analysis<'_>) -> At<'static> {
    let limit = super::at("idle", "to the limit");
    match analysis.has(limit) {
        true => limit,
        false => super::at("idle", "up to 1100"),
    }
}

/// What ended a participant's procedure, as the procedure noted it.
pub(super) fn limit(
    analysis: &Analysis<'_>,
    at: At<'static>,
    participant: &str,
) -> Option<StoredText> {
    let limit = *analysis.notes(at, participant, "limit").first()?;
    let sentence = |language: Language| {
        let ended = language.choose(|| "What ended it with", || "Lo que acabó la serie de");
        format!("{ended} {participant}: {limit}.")
    };
    Some(in_both(sentence))
}
