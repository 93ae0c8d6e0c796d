//! The bytes that a client has sent and the conversation has not used yet.

use memchr::memchr;

use super::response::StatusCode;

/// Size of the buffer inside the conversation, enough for a common head. An idle client must cost what its model costs,
/// not what its buffer costs; a short-lived client does not even cost an allocation.
const SPACE_BYTES_FIRST: usize = 1024;
/// Largest head, request line included.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Largest request line: at least the 8,000 bytes of RFC 9112 §3.
const LINE_BYTES_MAX: usize = 8 * 1024;

/// A buffer that starts small, grows to the largest head, and knows how far it has been searched.
#[derive(Debug)]
pub(super) struct Input {
    first: [u8; SPACE_BYTES_FIRST],
    /// Used instead of `first` once a head does not fit there.
    grown: Vec<u8>,
    /// Unused bytes are `bytes[start..end]`.
    start: usize,
    end: usize,
    /// No head ends before this offset; searching again from here keeps a slow sender's cost linear.
    searched: usize,
}

impl Input {
    pub(super) fn new() -> Self {
        Input {
            first: [0; SPACE_BYTES_FIRST],
            grown: Vec::new(),
            start: 0,
            end: 0,
            searched: 0,
        }
    }

    /// Room for at least one more byte.
    pub(super) fn space(&mut self) -> &mut [u8] {
        if self.end == self.bytes().len() {
            if self.start > 0 {
                let (start, end) = (self.start, self.end);
                self.all().copy_within(start..end, 0);
                self.end -= self.start;
                self.searched -= self.start;
                self.start = 0;
            } else {
                if self.grown.is_empty() {
                    self.grown.extend_from_slice(&self.first);
                }
                let larger = (2 * self.grown.len()).min(HEAD_BYTES_MAX);
                self.grown.resize(larger, 0);
            }
        }
        let end = self.end;
        &mut self.all()[end..]
    }

    /// The whole buffer: room for bytes that are read and discarded.
    pub(super) fn all(&mut self) -> &mut [u8] {
        match self.grown.is_empty() {
            true => &mut self.first,
            false => &mut self.grown,
        }
    }

    /// Marks `count` bytes of the space as filled, and returns them.
    pub(super) fn filled(&mut self, count: usize) -> &[u8] {
        self.end += count;
        &self.bytes()[self.end - count..self.end]
    }

    /// Bytes not used yet.
    pub(super) fn unread(&self) -> &[u8] {
        &self.bytes()[self.start..self.end]
    }

    /// Whether no request has begun. A part of an empty line does not begin one: otherwise a client could begin again
    /// and again, and its deadline would never expire.
    pub(super) fn awaits_request(&self) -> bool {
        matches!(self.unread(), [] | [b'\r'])
    }

    /// The head that the unread bytes start with, including its empty last line, once it is complete. Fails with 414 or
    /// 431 if the head cannot end within the limits.
    pub(super) fn head(&mut self) -> Result<Option<&[u8]>, StatusCode> {
        self.skip_empty_lines();
        while let Some(found) = memchr(b'\n', &self.bytes()[self.searched..self.end]) {
            let line_end = self.searched + found;
            let rest = &self.bytes()[line_end + 1..self.end];
            if rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
                let head_end = line_end + 1 + if rest[0] == b'\n' { 1 } else { 2 };
                return match self.line_is_too_long() {
                    true => Err(StatusCode::UriTooLong),
                    false => Ok(Some(&self.bytes()[self.start..head_end])),
                };
            }
            if rest.len() < 2 {
                // The end may be incomplete: look at this line feed again when more bytes arrive.
                self.searched = line_end;
                return self.within_limits();
            }
            self.searched = line_end + 1;
        }
        self.searched = self.end;
        self.within_limits()
    }

    /// Removes the first `count` unread bytes.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        self.searched = self.start;
    }

    fn bytes(&self) -> &[u8] {
        match self.grown.is_empty() {
            true => &self.first,
            false => &self.grown,
        }
    }

    /// RFC 9112 §2.2: empty lines before a request line are ignored.
    fn skip_empty_lines(&mut self) {
        loop {
            match self.unread() {
                [b'\n', ..] => self.consume(1),
                [b'\r', b'\n', ..] => self.consume(2),
                _ => return,
            }
        }
    }

    fn within_limits(&self) -> Result<Option<&[u8]>, StatusCode> {
        if self.line_is_too_long() {
            Err(StatusCode::UriTooLong)
        } else if self.unread().len() >= HEAD_BYTES_MAX {
            Err(StatusCode::HeadTooLarge)
        } else {
            Ok(None)
        }
    }

    fn line_is_too_long(&self) -> bool {
        let unread = self.unread();
        unread.len() > LINE_BYTES_MAX && !unread[..LINE_BYTES_MAX].contains(&b'\n')
    }
}
