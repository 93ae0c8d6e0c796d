//! A load generator whose numbers can be checked.
#![allow(missing_docs)]
pub mod summary;
