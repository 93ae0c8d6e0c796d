//! From records to verdicts.
