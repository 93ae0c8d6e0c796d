//! Why there is no estimate.

use hola_base::{Text, text};
use hola_lab::metric::Metric;
use hola_lab::record::{CheckName, Run, Skipped, Slice, StoredText};

use super::{LevelKey, by_frequency};
use crate::estimate::Estimate;
use crate::statistics::BLOCKS_MIN;

/// An estimate, or why there is none.
pub type EstimateResult = Result<Estimate, Missing>;

/// Why there is no estimate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The run has no such experiment, level or participant.
    NotInRun,
    /// The participant was left out when the run was planned.
    LeftOut {
        /// Why, as the run recorded it.
        reason: String,
    },
    /// The server did not start, or died.
    ServerFailed {
        /// Why, as the run recorded it.
        reason: String,
    },
    /// More than half of its slices failed a check.
    ChecksFailed {
        /// The checks, the one that failed most often first.
        checks: Vec<CheckName>,
    },
    /// The server's CPU was full: the rate exceeds its capacity.
    MoreThanItCanDo,
    /// Server and generator shared one CPU: rates and times depend on the generator as much as on the server.
    SharedCpu,
    /// Fewer than three blocks were made, or have a value of both participants.
    TooFewBlocks {
        /// Number of these blocks.
        blocks: u32,
    },
    /// The readings give no value of that metric.
    NoValue(Metric),
    /// The participant has a value, but the one that it is compared with has none.
    Other {
        /// The participant without a value.
        participant: String,
        /// Why it has none.
        why: Box<Missing>,
    },
}

impl Missing {
    pub(super) fn too_few(blocks: usize) -> Self {
        Missing::TooFewBlocks {
            blocks: u32::try_from(blocks).unwrap_or(u32::MAX),
        }
    }

    pub(crate) fn from_other(participant: &str, why: Missing) -> Self {
        Missing::Other {
            participant: participant.into(),
            why: Box::new(why),
        }
    }

    /// Why a level does not have a participant, as far as the run recorded it.
    pub(super) fn left_out(run: &Run, at: LevelKey<'_>, participant: &str) -> Self {
        let is_it = |one: &&Skipped| {
            let experiment = one.experiment.as_deref();
            one.server == participant && experiment.is_none_or(|name| name == at.experiment)
        };
        let skipped = run.skipped.iter().find(is_it);
        skipped.map_or(Missing::NotInRun, |one| Missing::LeftOut {
            reason: one.reason.clone(),
        })
    }

    /// The checks that these slices failed; `None` if they passed all.
    pub(super) fn failed_checks<'s>(slices: impl Iterator<Item = &'s Slice>) -> Option<Self> {
        let checks = by_frequency(slices.flat_map(|slice| &slice.failed_checks).copied());
        (!checks.is_empty()).then_some(Missing::ChecksFailed { checks })
    }

    /// The reason as one clause, without a full stop. Reasons that the run recorded are not translated.
    pub fn text(&self) -> StoredText {
        const SHARED: Text = text(
            "server and load generator shared one CPU, so rates and times are not the server's",
            "el servidor y el generador de carga compartían una CPU, así que ritmos y tiempos no son del servidor",
        );
        match self {
            Missing::NotInRun => text(
                "this run did not measure it",
                "esta comparación no lo midió",
            )
            .into(),
            Missing::MoreThanItCanDo => text(
                "the rate is more than it can do: its CPU was full",
                "el ritmo es más de lo que puede: su CPU estaba llena",
            )
            .into(),
            Missing::SharedCpu => SHARED.into(),
            Missing::NoValue(metric) => no_value(*metric).into(),
            Missing::LeftOut { reason } => {
                both(format!("left out: {reason}"), format!("excluido: {reason}"))
            }
            Missing::ServerFailed { reason } => both(
                format!("its server failed: {reason}"),
                format!("su servidor falló: {reason}"),
            ),
            Missing::ChecksFailed { checks } => {
                let checks = CheckName::join(checks, ", ");
                both(
                    format!("fewer than half of its slices count; they failed: {checks}"),
                    format!("cuentan menos de la mitad de sus turnos; no superaron: {checks}"),
                )
            }
            Missing::TooFewBlocks { blocks } => both(
                format!("an interval needs at least {BLOCKS_MIN} blocks, and there are {blocks}"),
                format!("un intervalo necesita al menos {BLOCKS_MIN} bloques, y hay {blocks}"),
            ),
            Missing::Other { participant, why } => {
                let why = why.text();
                both(
                    format!("no value of {participant} to compare with: {}", why.en),
                    format!("no hay valor de {participant} con que comparar: {}", why.es),
                )
            }
        }
    }
}

fn both(en: String, es: String) -> StoredText {
    StoredText { en, es }
}

fn no_value(metric: Metric) -> Text {
    match metric {
        Metric::CapacityPerS => text(
            "its CPU was not full, so it showed no capacity",
            "su CPU no estaba llena, así que no mostró su capacidad",
        ),
        _ if metric.is_response_time() => text(
            "too few undisturbed requests for this percentile, or failures reach into it",
            "demasiado pocas peticiones sin perturbar para este percentil, o los fallos llegan hasta él",
        ),
        Metric::SwitchesPerRequest => text(
            "context switches were not counted",
            "no se contaron los cambios de contexto",
        ),
        Metric::GoodPerS => text(
            "it answered no request rightly in most slices",
            "no respondió bien a ninguna petición en la mayoría de los turnos",
        ),
        _ => text(
            "nothing of that was measured there",
            "nada de eso se midió ahí",
        ),
    }
}
