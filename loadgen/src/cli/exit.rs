//! Exit codes, and the reason when there is no result.

use hola_base::output::say;

use crate::engine::LoadError;
use crate::sys;

/// Exit code of a run that failed or in which nothing succeeded.
pub(super) const EXIT_ERROR: u8 = 1;
/// Exit code of arguments that make no sense.
pub(super) const EXIT_USAGE: u8 = 2;
/// Exit code of a measurement with a failed check, if that is an error, of one too small for a gate, or of one of which a
/// part is missing.
pub(super) const EXIT_INVALID: u8 = 4;
/// Exit code of a load that was ready only after its planned start.
pub(super) const EXIT_LATE: u8 = 5;
/// Exit code of a broken gate, or of objectives that no rate met. It takes precedence over [`EXIT_INVALID`].
pub(super) const EXIT_BROKEN: u8 = 99;

/// Why the program ends without a result.
#[derive(Debug)]
pub(super) struct LoadFailure {
    code: u8,
    reason: String,
}

impl LoadFailure {
    /// Arguments that make no sense.
    pub(super) fn usage(reason: String) -> Self {
        Self {
            code: EXIT_USAGE,
            reason,
        }
    }

    /// Prints the reason, and returns the exit code.
    pub(super) fn report(self) -> u8 {
        say(format_args!("error: {}", self.reason));
        self.code
    }
}

impl From<String> for LoadFailure {
    fn from(reason: String) -> Self {
        Self {
            code: EXIT_ERROR,
            reason,
        }
    }
}

impl From<LoadError> for LoadFailure {
    fn from(error: LoadError) -> Self {
        Self {
            code: match error {
                LoadError::Late { .. } => EXIT_LATE,
                LoadError::Invalid(_) | LoadError::Thread(_) | LoadError::StoppedInWarmup => {
                    EXIT_ERROR
                }
            },
            reason: error.to_string(),
        }
    }
}

/// Exit code of a run that was ended early. If no signal came, the reader of the result ended it by closing the pipe: it
/// has read enough.
pub(super) fn interrupt_code() -> u8 {
    sys::interrupted().unwrap_or(0)
}
