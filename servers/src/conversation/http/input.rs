//! The octets a client has sent and nobody has used yet.

use memchr::memchr;

use super::response::Status;

/// Room within the conversation itself, enough for a common head: an idle client must cost what its model costs, not
/// what its buffer costs, and a short-lived one not even an allocation.
const SPACE_OCTETS_FIRST: usize = 1024;
/// Largest head, request line included.
const HEAD_OCTETS_MAX: usize = 16 * 1024;
/// Largest request line: at least the 8,000 octets of RFC 9112 §3.
const LINE_OCTETS_MAX: usize = 8 * 1024;

/// A buffer that starts small, grows to the largest head, and knows how far it has been searched.
#[derive(Debug)]
pub(super) struct Input {
    first: [u8; SPACE_OCTETS_FIRST],
    /// Used instead of `first` from the first head that does not fit there.
    grown: Vec<u8>,
    /// Unused octets are `octets[start..end]`.
    start: usize,
    end: usize,
    /// No head ends before this offset; searching again from here keeps a slow sender's cost linear.
    searched: usize,
    /// One past the current head, once it is whole.
    head_end: usize,
}

impl Input {
    pub(super) fn new() -> Self {
        Input {
            first: [0; SPACE_OCTETS_FIRST],
            grown: Vec::new(),
            start: 0,
            end: 0,
            searched: 0,
            head_end: 0,
        }
    }

    /// Room for at least one more octet.
    pub(super) fn space(&mut self) -> &mut [u8] {
        if self.end == self.octets().len() {
            if self.start > 0 {
                let (start, end) = (self.start, self.end);
                self.octets_mut().copy_within(start..end, 0);
                self.end -= self.start;
                self.searched -= self.start;
                self.start = 0;
            } else {
                self.grow();
            }
        }
        let end = self.end;
        &mut self.octets_mut()[end..]
    }

    /// The whole buffer, to read into what will be thrown away.
    pub(super) fn scratch(&mut self) -> &mut [u8] {
        self.octets_mut()
    }

    /// `count` octets were put into the space: these.
    pub(super) fn filled(&mut self, count: usize) -> &[u8] {
        self.end += count;
        &self.octets()[self.end - count..self.end]
    }

    /// Octets not used yet.
    pub(super) fn unread(&self) -> &[u8] {
        &self.octets()[self.start..self.end]
    }

    /// Whether no request has begun: what may be half an empty line is not the beginning of one, or else a client could
    /// begin and not begin for ever, and never be late.
    pub(super) fn awaits_request(&self) -> bool {
        matches!(self.unread(), [] | [b'\r'])
    }

    /// The head that the unread octets start with, its empty last line included, once it is whole.
    ///
    /// # Errors
    /// 414 or 431 when no end can come within the limits.
    pub(super) fn head(&mut self) -> Result<Option<&[u8]>, Status> {
        self.skip_empty_lines();
        while let Some(found) = memchr(b'\n', &self.octets()[self.searched..self.end]) {
            let line_end = self.searched + found;
            let rest = &self.octets()[line_end + 1..self.end];
            if rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
                self.head_end = line_end + 1 + if rest[0] == b'\n' { 1 } else { 2 };
                return match self.line_is_too_long() {
                    true => Err(Status::UriTooLong),
                    false => Ok(Some(&self.octets()[self.start..self.head_end])),
                };
            }
            if rest.len() < 2 {
                // The end may be cut: look at this line feed again when more has come.
                self.searched = line_end;
                return self.within_limits();
            }
            self.searched = line_end + 1;
        }
        self.searched = self.end;
        self.within_limits()
    }

    /// The head last found has been used.
    pub(super) fn consume_head(&mut self) {
        self.consume(self.head_end - self.start);
    }

    /// The first `count` unread octets have been used.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        self.searched = self.start;
    }

    fn octets(&self) -> &[u8] {
        if self.grown.is_empty() {
            &self.first
        } else {
            &self.grown
        }
    }

    fn octets_mut(&mut self) -> &mut [u8] {
        if self.grown.is_empty() {
            &mut self.first
        } else {
            &mut self.grown
        }
    }

    fn grow(&mut self) {
        if self.grown.is_empty() {
            self.grown.extend_from_slice(&self.first);
        }
        let larger = (2 * self.grown.len()).min(HEAD_OCTETS_MAX);
        self.grown.resize(larger, 0);
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

    fn within_limits(&self) -> Result<Option<&[u8]>, Status> {
        if self.line_is_too_long() {
            Err(Status::UriTooLong)
        } else if self.unread().len() >= HEAD_OCTETS_MAX {
            Err(Status::HeadTooLarge)
        } else {
            Ok(None)
        }
    }

    fn line_is_too_long(&self) -> bool {
        let unread = self.unread();
        unread.len() > LINE_OCTETS_MAX && !unread[..LINE_OCTETS_MAX].contains(&b'\n')
    }
}
