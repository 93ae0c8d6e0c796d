//! What all loads of a task share: outputs, gates and exit codes.

use hdrhistogram::serialization::V2DeflateSerializer;
use hola_base::output::say;

use super::Output;
use super::histogram_log::HistogramLog;
use super::outputs::Outputs;
use super::watch::Watch;
use crate::condition::{Condition, ConditionResult};
use crate::engine::{LoadError, run};
use crate::measurement::Measurement;
use crate::summary::Summary;
use crate::sys;
use crate::workload::Workload;

/// Exit code of a run that failed or in which nothing succeeded.
pub(super) const EXIT_ERROR: u8 = 1;
/// Exit code of arguments that make no sense.
pub(super) const EXIT_USAGE: u8 = 2;
/// Exit code of a measurement with a failed check, if that is an error, or of one too small for a gate.
pub(super) const EXIT_INVALID: u8 = 4;
/// Exit code of a broken gate, or of objectives that no rate met.
pub(super) const EXIT_BROKEN: u8 = 99;
/// Exit code of a run ended by SIGINT; where the signal is known, its own code is used.
pub(super) const EXIT_INTERRUPTED: u8 = 130;

/// Exit code of a run that was ended early: 130 by SIGINT, 143 by SIGTERM.
pub(super) fn interrupted_code() -> u8 {
    sys::interrupted().unwrap_or(EXIT_INTERRUPTED)
}

/// What all loads of a task have in common.
pub(super) struct Session<'a> {
    pub(super) output: &'a Output,
    pub(super) outputs: Outputs,
    pub(super) model: Option<String>,
}

impl Session<'_> {
    /// Whether the result is only for standard output, and its reader is gone.
    pub(super) fn is_unread(&self) -> bool {
        self.outputs.reader_has_gone() && self.output.is_for_stdout_alone()
    }

    /// Runs one load; `None` if it ended before its window, or if the result has no reader any more.
    pub(super) fn measure(&self, workload: &Workload) -> Result<Option<Measurement>, String> {
        if self.is_unread() {
            return Ok(None);
        }
        let mut serializer = V2DeflateSerializer::new();
        let mut log = self.outputs.hlog();
        let log = log
            .as_deref_mut()
            .map(|file| HistogramLog::new(file, &mut serializer, &workload.url()));
        let watch = Watch::new(workload, self.output, &self.outputs, log);
        let result = run(workload, &watch);
        let watched = watch.close();
        let mut measurement = match result {
            Ok(measurement) => measurement,
            Err(error @ LoadError::StoppedInWarmup) => {
                watched?;
                say(error);
                return Ok(None);
            }
            Err(error) => return Err(error.to_string()),
        };
        watched?;
        measurement.summary.model.clone_from(&self.model);
        Ok(Some(measurement))
    }
}

/// Number of broken gates, and of gates for which the sample was too small.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Gates {
    broken: usize,
    unsupported: usize,
}

impl Gates {
    /// Zero if every gate is decided and not broken. A broken gate takes precedence over an undecided one.
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self { broken: 1.., .. } => EXIT_BROKEN,
            Self {
                unsupported: 1.., ..
            } => EXIT_INVALID,
            _ => 0,
        }
    }

    /// Adds the gates of another load.
    pub(super) fn add(&mut self, other: Self) {
        self.broken += other.broken;
        self.unsupported += other.unsupported;
    }
}

/// Tests `summary` against the gates, and reports broken ones on standard error; `level` names the load.
pub(super) fn judge(fail_if: &[Condition], summary: &Summary, level: &str) -> Gates {
    let mut gates = Gates::default();
    for gate in fail_if {
        match gate.holds(summary) {
            ConditionResult::Fails(_) => {}
            ConditionResult::Holds(figure) => {
                gates.broken += 1;
                say(format_args!("gate broken: {level}{gate}: {figure}"));
            }
            ConditionResult::Undecided(figure) => {
                gates.broken += 1;
                say(format_args!(
                    "gate broken: {level}{gate} cannot be ruled out: {figure}"
                ));
            }
            ConditionResult::Unsupported(figure) => {
                gates.unsupported += 1;
                say(format_args!("gate not decided: {level}{gate}: {figure}"));
            }
        }
    }
    gates
}
