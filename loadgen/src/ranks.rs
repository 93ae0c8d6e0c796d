//! Several processes that make one load together: each makes its share of the one schedule and keeps its result, and the
//! results are added up afterwards.
//!
//! What is added are counts and histograms, as with the threads of a process. So the sum is what one process would have
//! measured, and the same checks judge it.
//!
//! | step | file |
//! | --- | --- |
//! | what a rank keeps | `record` |
//! | names and reads the files | `folder` |
//! | finds what is missing or does not belong together, and adds up the rest | `merge` |

mod folder;
mod merge;
mod record;

pub(crate) use folder::file_name;
pub(crate) use merge::{MergeError, MergedRun, merge};
pub use record::RankRecord;
