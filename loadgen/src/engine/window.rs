//! Which requests belong to the measurement.

/// The measured window in absolute time; [`crate::run`] says which requests belong to it.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) open: u64,
    pub(super) close: u64,
    pub(super) phase: WindowPhase,
    /// Next instant at which the phase changes.
    pub(super) boundary: u64,
    pub(super) grace_ns: u64,
    pub(super) cpu_at_open: u64,
    pub(super) opened_at: u64,
    /// When the last request of the window ended.
    pub(super) last_end: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WindowPhase {
    WarmingUp,
    Measuring,
    Grace,
}

impl Window {
    /// A window that opens at `open`, closes at `close`, and then leaves `grace_ns` for late answers (open loop).
    pub(super) fn new(open: u64, close: u64, grace_ns: u64) -> Self {
        Self {
            open,
            close,
            phase: WindowPhase::WarmingUp,
            boundary: open,
            grace_ns,
            cpu_at_open: 0,
            opened_at: 0,
            last_end: 0,
        }
    }

    /// Whether the worker has opened the window; that its instant has passed is not enough.
    pub(super) fn opened(&self) -> bool {
        self.phase != WindowPhase::WarmingUp
    }
}
