//! The kinds of quantities that claims test, each as a [`Finding`] that is not judged yet.

use std::collections::BTreeMap;

use hola_base::Text;
use hola_lab::metric::{Metric, Scale};
use hola_lab::record::StoredText;

use super::finding::{Expect, Finding};
use super::{ONE_CPU, TWO_CPUS};
use crate::analysis::{Analysis, LevelKey, Missing, over_blocks};

impl Analysis<'_> {
    /// A participant compared with another in the same blocks and cycles.
    pub(super) fn against(
        &self,
        at: LevelKey<'static>,
        participant: &str,
        other: &str,
        metric: Metric,
        threshold: Expect,
    ) -> Finding {
        let what = against_text(metric.definition().title, participant, other, at);
        let found = self.ratio(at, participant, other, metric);
        Finding::new(what, at, participant, found, threshold)
    }

    /// A participant's own value, without a comparison.
    pub(super) fn own(
        &self,
        at: LevelKey<'static>,
        participant: &str,
        metric: Metric,
        threshold: Expect,
    ) -> Finding {
        let LevelKey { experiment, level } = at;
        let what = StoredText::from_each(|language| {
            let title = language.of(metric.definition().title);
            format!("{title}, {participant} ({experiment}, {level})")
        });
        let found = self.value(at, participant, metric);
        Finding {
            is_ratio: false,
            ..Finding::new(what, at, participant, found, threshold)
        }
    }

    /// A participant at `to` compared with itself at `from`, another level of the same experiment.
    pub(super) fn changed(
        &self,
        participant: &str,
        metric: Metric,
        from: LevelKey<'static>,
        to: LevelKey<'static>,
        threshold: Expect,
    ) -> Finding {
        let what = changed_text(metric.definition().title, participant, from, to);
        let found = self.change(participant, metric, from, to);
        Finding::new(what, to, participant, found, threshold)
    }

    /// A participant's goodput with two CPUs compared with its goodput with one.
    pub(super) fn second_cpu(&self, participant: &str, threshold: Expect) -> Finding {
        self.changed(participant, Metric::GoodPerS, ONE_CPU, TWO_CPUS, threshold)
    }

    /// A participant's goodput at `to` as a share of its goodput at `from`; 0 for a server that answers no request.
    pub(super) fn goodput_kept(
        &self,
        participant: &str,
        from: LevelKey<'static>,
        to: LevelKey<'static>,
        threshold: Expect,
    ) -> Finding {
        let what = changed_text(Metric::GoodPerS.definition().title, participant, from, to);
        let share = |before: f64, after: f64| after / before;
        let found = self.served_by_block(from, participant).and_then(|before| {
            let after = self.served_by_block(to, participant)?;
            over_blocks(&before, &after, Scale::Plain, share)
        });
        Finding::new(what, to, participant, found, threshold)
    }

    /// The CPU that `participant` adds to `control`, as a share of the CPU that `other` adds.
    pub(super) fn added(
        &self,
        at: LevelKey<'static>,
        [participant, other, control]: [&str; 3],
        threshold: Expect,
    ) -> Finding {
        /// If `other` adds less than this share, there is no cost to cut.
        const ADDED_MIN: f64 = 0.05;
        let LevelKey { experiment, level } = at;
        let what = StoredText::from_each(|language| {
            language.choose(
                || format!("CPU that {participant} adds to {control}, of what {other} adds ({experiment}, {level})"),
                || format!("CPU que {participant} añade a {control}, de lo que añade {other} ({experiment}, {level})"),
            )
        });
        let share = |own: f64, other: f64| {
            if other > 1.0 + ADDED_MIN {
                (own - 1.0) / (other - 1.0)
            } else {
                f64::NAN
            }
        };
        let metric = Metric::CpuPerRequest;
        let own = self.block_ratios(at, participant, control, metric);
        let found = own.and_then(|own| {
            let other = self.block_ratios(at, other, control, metric)?;
            over_blocks(&own, &other, Scale::Plain, share)
        });
        Finding::new(what, at, participant, found, threshold)
    }

    /// Memory of an idle client by block: process plus kernel (`true`) if both were measured, otherwise the process
    /// alone (`false`).
    pub(super) fn memory(
        &self,
        at: LevelKey<'static>,
        participant: &str,
    ) -> Result<(BTreeMap<u32, f64>, bool), Missing> {
        let own = self.block_values(at, participant, Metric::MemoryPerClient)?;
        let Ok(kernel) = self.block_values(at, participant, Metric::KernelMemoryPerClient) else {
            return Ok((own, false));
        };
        let sum = |(index, own): (&u32, &f64)| Some((*index, own + kernel.get(index)?));
        Ok((own.iter().filter_map(sum).collect(), true))
    }

    /// Memory of an idle client compared with that of another model.
    pub(super) fn memory_against(
        &self,
        participant: &str,
        other: &str,
        threshold: Expect,
    ) -> Finding {
        const WHOLE: Text = Text {
            en: "Memory per idle client, the kernel's included",
            es: "Memoria por cliente inactivo, con la del núcleo",
        };
        let at = self.idle_level();
        let of_other = || {
            let found = self.memory(at, other);
            found.map_err(|why| Missing::from_other(other, why))
        };
        let both = self
            .memory(at, participant)
            .and_then(|own| Ok((own, of_other()?)));
        let ratio = |own: f64, other: f64| (own / other).ln();
        let (title, found) = match both {
            // Compare two sums or two process values, never one of each.
            Ok(((own, true), (other, true))) => {
                (WHOLE, over_blocks(&own, &other, Scale::Ratio, ratio))
            }
            both => {
                let metric = Metric::MemoryPerClient;
                let found = both.and_then(|_| self.ratio(at, participant, other, metric));
                (metric.definition().title, found)
            }
        };
        let what = against_text(title, participant, other, at);
        Finding::new(what, at, participant, found, threshold)
    }

    /// The level of idle clients: as many as possible, or fewer in a quick run.
    pub(super) fn idle_level(&self) -> LevelKey<'static> {
        let [limit, fewer] =
            ["to the limit", "up to 1100"].map(|level| LevelKey::new("idle", level));
        if self.has(limit) { limit } else { fewer }
    }

    /// What ended a participant's procedure, as the procedure noted it.
    pub(super) fn limit(&self, at: LevelKey<'static>, participant: &str) -> Option<StoredText> {
        let limit = *self.notes(at, participant, "limit").first()?;
        Some(StoredText::from_each(|language| {
            let ended = language.choose(|| "What ended it with", || "Lo que acabó la serie de");
            format!("{ended} {participant}: {limit}.")
        }))
    }
}

fn against_text(title: Text, participant: &str, other: &str, at: LevelKey<'_>) -> StoredText {
    let LevelKey { experiment, level } = at;
    StoredText::from_each(|language| {
        let title = language.of(title);
        let against = language.choose(|| "against", || "frente a");
        format!("{title}, {participant} {against} {other} ({experiment}, {level})")
    })
}

fn changed_text(
    title: Text,
    participant: &str,
    from: LevelKey<'_>,
    to: LevelKey<'_>,
) -> StoredText {
    let (from, LevelKey { experiment, level }) = (from.level, to);
    StoredText::from_each(|language| {
        let title = language.of(title);
        language.choose(
            || format!("{title}, {participant} at {level} against {from} ({experiment})"),
            || format!("{title}, {participant} en {level} frente a {from} ({experiment})"),
        )
    })
}
