//! Reference targets: common servers, measured beside the models. The list of targets, and how each one starts, is data
//! (`scripts/targets.toml`). A server that is not installed is skipped with a reason.

mod any_server;
mod files;
mod list;
mod own;
mod paths;
mod probe;
mod program;
pub mod sandbox;
mod server;
mod spec;
mod supervised;
pub mod supervisor;

pub use self::any_server::AnyServer;
pub use self::list::Targets;
pub use self::paths::TargetPaths;
pub use self::server::Target;
pub use self::spec::{FixedOrPerClient, ForEach, TargetSpec};
pub use crate::cgroup::{GroupLimits, ReachedLimit};
