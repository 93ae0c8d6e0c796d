//! An incremental HTTP/1.1 response parser: bytes in, verdict out, no socket and no clock (RFC 9112).
//!
//! The outcome does not depend on how the bytes are cut. Memory is bounded by [`MAX_HEAD`] whatever a server sends: the
//! body is compared as it passes and never stored.

mod chunked;

use chunked::Chunked;

/// Longest response head, in bytes; servers in the wild stay below 8 KiB.
pub const MAX_HEAD: usize = 16 * 1024;

/// Head size that a connection keeps memory for between responses; a longer one is served, then forgotten.
const ORDINARY_HEAD: usize = 1024;

/// Most header fields in one head.
pub const MAX_FIELDS: usize = 100;

/// Most interim (1xx) responses before the final one.
const MAX_INTERIM: u8 = 8;

/// How far a response has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More bytes are needed.
    More,
    /// The response is complete; this many bytes of the last input belong to nothing that was asked for.
    Done {
        /// Surplus bytes.
        excess: usize,
    },
}

/// Why bytes are not a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Malformed {
    /// The status line or a field is not HTTP/1.
    #[error("the head is not HTTP/1")]
    Head,
    /// No end of the head within [`MAX_HEAD`] bytes or [`MAX_FIELDS`] fields.
    #[error("the head is too long")]
    HeadTooLong,
    /// Content-Length or Transfer-Encoding invalid, repeated with another value, or both present.
    #[error("the body has no clear length")]
    Framing,
    /// Chunked coding broken or beyond its bounds.
    #[error("the chunked body is broken")]
    Chunk,
    /// More than a few interim responses, or a protocol switch nobody asked for.
    #[error("too many interim responses")]
    Interim,
}

/// Parser of one response after another on one connection slot.
#[derive(Debug, Default)]
pub struct Response {
    state: State,
    /// Bytes of a head that came in pieces.
    partial: Vec<u8>,
    /// The last complete head and what it meant: a server repeats itself, and equal bytes mean the same.
    known: Vec<u8>,
    head: Head,
    interim: u8,
    body_len: u64,
    body_differs: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Head,
    Length(u64),
    Chunks(Chunked),
    UntilClose,
    Done,
}

#[derive(Clone, Copy, Debug, Default)]
struct Head {
    status: u16,
    keep_alive: bool,
    framing: Framing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Framing {
    Length(u64),
    Chunked,
    #[default]
    UntilClose,
    /// Where the body ends cannot be known.
    Unclear,
}

impl Response {
    /// Forgets the current response and expects the next one.
    pub fn reset(&mut self) {
        self.state = State::Head;
        self.partial.clear();
        self.partial.shrink_to(ORDINARY_HEAD);
        self.interim = 0;
        self.body_len = 0;
        self.body_differs = false;
    }

    /// Status code, once the head is complete.
    pub fn status(&self) -> Option<u16> {
        (!matches!(self.state, State::Head)).then_some(self.head.status)
    }

    /// Whether the server will take another request on this connection; meaningful when the response is done.
    pub fn keep_alive(&self) -> bool {
        self.head.keep_alive
    }

    /// Whether the body was exactly `expected`; meaningful when the response is done.
    pub fn body_is(&self, expected: &[u8]) -> bool {
        !self.body_differs && usize::try_from(self.body_len) == Ok(expected.len())
    }

    /// Takes the next bytes from the wire and compares body bytes with `expected` as they pass.
    ///
    /// # Errors
    /// [`Malformed`] when no continuation could make this a response.
    pub fn feed(
        &mut self,
        mut input: &[u8],
        expected: Option<&[u8]>,
    ) -> Result<Progress, Malformed> {
        while matches!(self.state, State::Head) {
            let Some(rest) = self.feed_head(input)? else {
                return Ok(Progress::More);
            };
            input = rest;
        }
        self.feed_body(input, expected)
    }

    /// Says that the server closed: true when that completes the response.
    ///
    /// # Errors
    /// [`Malformed`] when what came before is already not HTTP, however it would have gone on.
    pub fn finish(&mut self) -> Result<bool, Malformed> {
        match self.state {
            State::UntilClose => {
                self.state = State::Done;
                Ok(true)
            }
            State::Done => Ok(true),
            State::Head if !self.partial.is_empty() => parse_head(&self.partial).map(|_| false),
            _ => Ok(false),
        }
    }

    /// Returns what follows the head, or `None` while it is incomplete.
    fn feed_head<'i>(&mut self, input: &'i [u8]) -> Result<Option<&'i [u8]>, Malformed> {
        // Fast path: the same head as last time. Saves a third of the generator's user time on kept connections.
        if self.partial.is_empty() && !self.known.is_empty() && input.starts_with(&self.known) {
            self.begin_body(self.head)?;
            return Ok(Some(&input[self.known.len()..]));
        }
        // A terminator may begin up to three bytes before the new input.
        let before = self.partial.len();
        let taken = input.len().min(MAX_HEAD - before);
        let end = if before == 0 {
            end_of_head(&input[..taken], 0)
        } else {
            self.partial.extend_from_slice(&input[..taken]);
            end_of_head(&self.partial, before.saturating_sub(3))
        };
        let Some(end) = end else {
            if before + taken == MAX_HEAD {
                return Err(Malformed::HeadTooLong);
            }
            if before == 0 {
                self.partial.extend_from_slice(input);
            }
            return Ok(None);
        };
        let bytes = if before == 0 {
            &input[..end]
        } else {
            &self.partial[..end]
        };
        let head = parse_head(bytes)?.ok_or(Malformed::Head)?;
        self.known.clear();
        if bytes.len() <= ORDINARY_HEAD {
            self.known.extend_from_slice(bytes);
        }
        self.partial.clear();
        self.begin_body(head)?;
        Ok(Some(&input[end - before..]))
    }

    /// Goes on to the body. What the head says of the status is known from here on, even where no body can be found.
    fn begin_body(&mut self, head: Head) -> Result<(), Malformed> {
        self.head = head;
        if (100..200).contains(&head.status) {
            self.interim += 1;
            let switched = head.status == 101;
            return if switched || self.interim > MAX_INTERIM {
                Err(Malformed::Interim)
            } else {
                Ok(())
            };
        }
        self.state = match head.framing {
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Chunks(Chunked::default()),
            Framing::UntilClose => State::UntilClose,
            Framing::Unclear => {
                self.state = State::UntilClose;
                return Err(Malformed::Framing);
            }
        };
        Ok(())
    }

    fn feed_body(
        &mut self,
        mut input: &[u8],
        expected: Option<&[u8]>,
    ) -> Result<Progress, Malformed> {
        match &mut self.state {
            State::Head | State::Done => {}
            State::UntilClose => {
                self.body(input, expected);
                return Ok(Progress::More);
            }
            State::Length(left) => {
                let here = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(input.len());
                *left -= here as u64;
                let more = *left > 0;
                self.body(&input[..here], expected);
                input = &input[here..];
                if more {
                    return Ok(Progress::More);
                }
            }
            State::Chunks(chunked) => {
                let mut chunked = *chunked;
                loop {
                    let step = chunked.feed(input)?;
                    self.body(&input[step.data], expected);
                    input = &input[step.consumed..];
                    if step.done {
                        break;
                    }
                    if input.is_empty() {
                        self.state = State::Chunks(chunked);
                        return Ok(Progress::More);
                    }
                }
            }
        }
        self.state = State::Done;
        Ok(Progress::Done {
            excess: input.len(),
        })
    }

    fn body(&mut self, bytes: &[u8], expected: Option<&[u8]>) {
        if let Some(expected) = expected {
            let start = usize::try_from(self.body_len).unwrap_or(usize::MAX);
            let here = expected.get(start..start.saturating_add(bytes.len()));
            self.body_differs |= here != Some(bytes);
        }
        self.body_len = self.body_len.saturating_add(bytes.len() as u64);
    }
}

/// Position after the empty line that ends a head, looking at bytes from `from` on.
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'\n') {
        at += found + 1;
        match bytes[at..] {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
    None
}

/// Reads a whole head; `None` when it is a good beginning of one.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Malformed::HeadTooLong),
        Err(_) => return Err(Malformed::Head),
    }
    let (Some(status @ 100..), Some(minor)) = (response.code, response.version) else {
        return Err(Malformed::Head);
    };
    let mut length = None;
    let mut lengths_agree = true;
    let (mut coded, mut codings, mut chunked) = (false, 0_u32, false);
    let (mut close, mut keep) = (false, false);
    for field in response.headers.iter() {
        let is = |name: &str| field.name.eq_ignore_ascii_case(name);
        if is("content-length") {
            // No list in the grammar, so an empty item is no length (RFC 9110 §8.6).
            for item in field.value.split(|byte| *byte == b',') {
                let value = decimal(item.trim_ascii());
                lengths_agree &= value.is_some() && (length.is_none() || length == value);
                length = length.or(value);
            }
        } else if is("transfer-encoding") {
            coded = true;
            for coding in list(field.value) {
                codings += 1;
                chunked = coding.eq_ignore_ascii_case(b"chunked");
            }
        } else if is("connection") {
            close |= list(field.value).any(|token| token.eq_ignore_ascii_case(b"close"));
            keep |= list(field.value).any(|token| token.eq_ignore_ascii_case(b"keep-alive"));
        }
    }
    let framing = match (coded, length) {
        // Without a body, whatever the fields say (RFC 9112 §6.3).
        _ if matches!(status, 100..200 | 204 | 304) => Framing::Length(0),
        _ if !lengths_agree => Framing::Unclear,
        (true, None) if chunked && codings == 1 => Framing::Chunked,
        (true, _) => Framing::Unclear,
        (false, Some(length)) => Framing::Length(length),
        (false, None) => Framing::UntilClose,
    };
    let has_end = matches!(framing, Framing::Length(_) | Framing::Chunked);
    Ok(Some(Head {
        status,
        keep_alive: !close && (minor >= 1 || keep) && has_end,
        framing,
    }))
}

/// Items of a comma-separated field value; empty ones are none (RFC 9110 §5.6.1).
fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let items = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    items.filter(|item| !item.is_empty())
}

/// `1*DIGIT`, checked: `str::parse` would take a sign.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}
