//! A running server, or a running comparison, live in the terminal.
//!
//! What is shown is read from outside: a server by [`crate::live`], a run by its files. A view takes in what is new, and its
//! drawing is a function of what it has taken in.

mod charted_series;
mod look;
mod progress;
mod run_screen;
mod run_view;
mod server_history;
mod server_screen;
mod server_view;
mod terminal;
mod view;
mod worker_bars;

pub(crate) use look::ViewLook;
pub(crate) use run_view::RunView;
pub(crate) use server_view::ServerView;
pub(crate) use terminal::{ViewExit, show};
pub(crate) use view::LiveView;
