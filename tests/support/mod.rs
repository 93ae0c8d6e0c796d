//! What the tests of the real programs share.
#![allow(dead_code, unused_imports, reason = "each test file uses its part")]

mod answer;
mod limits;
mod models;
mod program;
mod server;
mod waiting;

use std::time::Duration;

pub use answer::*;
pub use limits::*;
pub use models::*;
pub use program::*;
pub use server::*;
pub use waiting::*;

/// The program under test.
pub const HOLA: &str = env!("CARGO_BIN_EXE_hola");

/// Longest wait of a test: far longer than a working server needs, so that a broken one fails and does not hang.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// Workers of every server here that has a fixed number of them.
pub const WORKERS: usize = 3;

/// The answer to each message of the conversation `ack`.
pub const ACKNOWLEDGEMENT: &str = "Mensaje recibido";

/// A request after which the connection stays.
pub const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n";

/// A request after which the server closes.
pub const ASK_AND_CLOSE: &[u8] = b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
