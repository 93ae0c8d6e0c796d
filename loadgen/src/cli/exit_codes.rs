//! Exit codes of a load.

/// Exit code of a run that failed or in which nothing succeeded.
pub(super) const EXIT_ERROR: u8 = 1;
/// Exit code of arguments that make no sense.
pub(super) const EXIT_USAGE: u8 = 2;
/// Exit code of a measurement with a failed check, if that is an error, or of one too small for a gate.
pub(super) const EXIT_INVALID: u8 = 4;
/// Exit code of a broken gate, or of objectives that no rate met. It takes precedence over [`EXIT_INVALID`].
pub(super) const EXIT_BROKEN: u8 = 99;
