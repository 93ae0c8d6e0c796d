//! The parts of HTTP that a user names: method and header fields of a request, status codes of an answer (RFC 9110).

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

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
            // Its answer turns the connection into a tunnel.
            "CONNECT" => Err(InvalidRequest(
                "CONNECT opens a tunnel, and has no answer to measure".to_owned(),
            )),
            _ if is_token(text) => Ok(Self(Cow::Owned(text.to_owned()))),
            _ => Err(InvalidRequest(format!(
                "{text:?} is not a method such as GET or POST"
            ))),
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
            let reason = format!("{name:?} is not the name of a header field");
            return Err(InvalidRequest(reason));
        }
        // Control characters but for the tab would end the field, or cut it off (RFC 9110 §5.5).
        let mut bytes = field.value.bytes();
        if bytes.any(|byte| byte.is_ascii_control() && byte != b'\t') {
            let reason = format!("the value of {name} has a control character");
            return Err(InvalidRequest(reason));
        }
        match RESERVED.into_iter().find(|(name, _)| field.is(name)) {
            Some((name, source)) => Err(InvalidRequest(format!(
                "{name} cannot be set: it follows from {source}"
            ))),
            None => Ok(field),
        }
    }

    /// The field that says who asks, of a text `NAME:PASSWORD` (Basic, RFC 7617 §2).
    ///
    /// # Errors
    /// Returns [`InvalidRequest`] if there is no colon, or a control character.
    pub fn basic_authorization(credentials: &str) -> Result<Self, InvalidRequest> {
        if !credentials.contains(':') {
            let reason = "credentials have the form NAME:PASSWORD";
            return Err(InvalidRequest(reason.to_owned()));
        }
        if credentials.contains(|character: char| character.is_control()) {
            let reason = "credentials have no control characters";
            return Err(InvalidRequest(reason.to_owned()));
        }
        Self::new(
            "Authorization",
            &format!("Basic {}", STANDARD.encode(credentials)),
        )
    }

    /// Whether it is the field called `name`, in any case (RFC 9110 §5.1).
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl FromStr for HeaderField {
    type Err = InvalidRequest;

    fn from_str(text: &str) -> Result<Self, InvalidRequest> {
        let no_colon = || InvalidRequest("a header field has the form `Name: value`".to_owned());
        let (name, value) = text.split_once(':').ok_or_else(no_colon)?;
        Self::new(name, value)
    }
}

impl Display for HeaderField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name, self.value)
    }
}

/// Status codes of right answers, such as `200-299,404` (RFC 9110 §15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusCodes(Vec<RangeInclusive<u16>>);

impl StatusCodes {
    /// Whether `status` is one of them.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|codes| codes.contains(&status))
    }
}

impl Default for StatusCodes {
    /// Those of success: 200 to 299.
    fn default() -> Self {
        Self(vec![200..=299])
    }
}

impl FromStr for StatusCodes {
    type Err = InvalidStatus;

    /// Codes, ranges and classes, separated by commas: `200`, `200-299`, `2xx`.
    fn from_str(text: &str) -> Result<Self, InvalidStatus> {
        let codes = text.split(',').map(status_range);
        let codes: Option<Vec<_>> = codes.collect();
        codes
            .map(Self)
            .ok_or_else(|| InvalidStatus(text.to_owned()))
    }
}

impl Display for StatusCodes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ranges = self
            .0
            .iter()
            .map(|codes| match (codes.start(), codes.end()) {
                (first, last) if first == last => first.to_string(),
                (first, last) => format!("{first}-{last}"),
            });
        formatter.write_str(&ranges.collect::<Vec<_>>().join(","))
    }
}

/// A code, a range or a class. The codes of interim answers, 1xx, are none: a final answer follows them.
fn status_range(text: &str) -> Option<RangeInclusive<u16>> {
    let code = |text: &str| {
        let is_number = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_number)
    };
    let (first, last) = match text.strip_suffix("xx") {
        Some(class) => (format!("{class}00"), format!("{class}99")),
        None => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            (first.to_owned(), last.to_owned())
        }
    };
    let (first, last) = (code(&first)?, code(&last)?);
    (200 <= first && first <= last && last <= 599).then_some(first..=last)
}

/// A text that does not name status codes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not name status codes from 200 to 599, such as 200, 200-299 or 2xx,404")]
pub struct InvalidStatus(String);

/// Why a request cannot be sent as asked for. It shows the value of no header field, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidRequest(String);

/// Whether `text` is a token (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_part)
}
