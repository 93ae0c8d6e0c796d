//! The parts of HTTP that a user names: method and header fields of a request (RFC 9110).

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::str::FromStr;

/// Largest body of a request, in bytes: it stays in memory for the whole run.
pub const BODY_BYTES_MAX: usize = 64 << 20;

/// Header fields that the generator sets by itself, and what they follow from.
const RESERVED: [(&str, &str); 3] = [
    ("Connection", "the requests per connection"),
    ("Content-Length", "the body"),
    ("Transfer-Encoding", "the body"),
];

/// Method of a request (RFC 9110 §9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestMethod(Cow<'static, str>);

impl RequestMethod {
    /// Asks for a resource.
    pub const GET: Self = Self(Cow::Borrowed("GET"));
    /// Gives the server a body to process.
    pub const POST: Self = Self(Cow::Borrowed("POST"));

    /// Its name, as it is sent.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether the answer has no body, whatever its head says (RFC 9110 §9.3.2).
    pub fn is_head(&self) -> bool {
        self.name() == "HEAD"
    }

    /// Whether a second request has the same effect as the first alone (RFC 9110 §9.2.2).
    pub(crate) fn is_idempotent(&self) -> bool {
        ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"].contains(&self.name())
    }

    /// Whether a server expects a body, so that even an empty one has a length (RFC 9110 §8.6).
    pub(crate) fn expects_body(&self) -> bool {
        ["POST", "PUT", "PATCH"].contains(&self.name())
    }
}

impl FromStr for RequestMethod {
    type Err = InvalidRequest;

    fn from_str(text: &str) -> Result<Self, InvalidRequest> {
        match text {
            "CONNECT" => Err(InvalidRequest::Connect),
            _ if is_token(text) => Ok(Self(Cow::Owned(text.to_owned()))),
            _ => Err(InvalidRequest::Method(text.to_owned())),
        }
    }
}

/// A header field of a request, as `Name: value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderField {
    name: String,
    value: String,
}

impl HeaderField {
    /// The field `name` with this value, without the space around it.
    ///
    /// # Errors
    /// Returns [`InvalidRequest`] if a request cannot carry it, or if the generator sets it by itself.
    pub fn new(name: &str, value: &str) -> Result<Self, InvalidRequest> {
        let field = Self {
            name: name.to_owned(),
            value: value.trim_matches([' ', '\t']).to_owned(),
        };
        if !is_token(name) {
            return Err(InvalidRequest::Name(field.name));
        }
        // Control characters but for the tab would end the field, or cut it off (RFC 9110 §5.5).
        if field
            .value
            .bytes()
            .any(|byte| byte.is_ascii_control() && byte != b'\t')
        {
            return Err(InvalidRequest::Value(field.name));
        }
        match RESERVED.into_iter().find(|(name, _)| field.is(name)) {
            Some((name, source)) => Err(InvalidRequest::Reserved(name, source)),
            None => Ok(field),
        }
    }

    /// Whether it is the field called `name`, in any case (RFC 9110 §5.1).
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl FromStr for HeaderField {
    type Err = InvalidRequest;

    fn from_str(text: &str) -> Result<Self, InvalidRequest> {
        let (name, value) = text.split_once(':').ok_or(InvalidRequest::NoColon)?;
        Self::new(name, value)
    }
}

impl Display for HeaderField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name, self.value)
    }
}

/// Why a request cannot be sent as asked for. No message shows the value of a header field, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// The method has characters that do not belong in one, or none at all.
    #[error("{0:?} is not a method such as GET or POST")]
    Method(String),
    /// `CONNECT`, whose answer turns the connection into a tunnel.
    #[error("CONNECT opens a tunnel, and has no answer to measure")]
    Connect,
    /// A header field without a colon.
    #[error("a header field has the form `Name: value`")]
    NoColon,
    /// The name has characters that do not belong in one, or none at all.
    #[error("{0:?} is not the name of a header field")]
    Name(String),
    /// The value of the named field has a control character.
    #[error("the value of {0} has a control character")]
    Value(String),
    /// The field is set by the generator, and follows from something else.
    #[error("{0} cannot be set: it follows from {1}")]
    Reserved(&'static str, &'static str),
}

/// Whether `text` is a token (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}
