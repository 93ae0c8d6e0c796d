//! The laboratory: trials, what they record, and where the records are kept.
pub mod record;
