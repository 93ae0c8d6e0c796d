//! The laboratory: fresh server processes, what they cost, and where the records are kept.

pub mod beside;
mod bill;
mod capacity;
pub mod cgroup;
mod count;
pub mod environment;
pub mod estimate;
pub mod listening;
pub mod made;
pub mod order;
pub mod procedures;
pub mod recipe;
pub mod record;
pub mod repeat;
pub mod run;
pub mod served;
pub mod server_process;
pub mod store;
pub mod target;
pub mod tree;
pub mod trial;
