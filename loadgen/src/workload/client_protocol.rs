//! What clients say on a connection, and what they expect to hear.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is said on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ClientProtocol {
    /// HTTP/1.1: `GET`, and an answer that says how long it is.
    #[default]
    Http,
    /// A message, answered with `Mensaje recibido`.
    Ack,
    /// A message, answered with itself (RFC 862).
    Echo,
}

/// Body that the greeting at `/` must have.
pub const GREETING: &[u8] = b"Hola, cliente!";

/// Default message of a client in the `ack` and `echo` conversations.
pub const MESSAGE: &[u8] = b"Hola, servidor!";

/// Longest such message, in bytes: a server that reads this much at once treats it as one message.
pub const MESSAGE_BYTES_MAX: usize = 1024;
