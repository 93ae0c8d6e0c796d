//! Answers, rendered whole into room of the conversation's own.

use super::GREETING;

/// An IMF-fixdate (RFC 9110 §5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub type Date = [u8; 29];

/// A status, as the line that says it and the content that explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status {
    line: &'static [u8],
    content: &'static [u8],
    extra_field: &'static [u8],
}

pub(super) const OK: Status = Status::new(b"200 OK", GREETING);
pub(super) const BAD_REQUEST: Status = Status::new(b"400 Bad Request", b"bad request\n");
pub(super) const NOT_FOUND: Status = Status::new(b"404 Not Found", b"not found\n");
pub(super) const METHOD_NOT_ALLOWED: Status = Status {
    extra_field: b"Allow: GET, HEAD\r\n",
    ..Status::new(b"405 Method Not Allowed", b"method not allowed\n")
};
pub(super) const URI_TOO_LONG: Status =
    Status::new(b"414 URI Too Long", b"request line too long\n");
pub(super) const HEAD_TOO_LARGE: Status = Status::new(
    b"431 Request Header Fields Too Large",
    b"request head too large\n",
);
pub(super) const NOT_IMPLEMENTED: Status =
    Status::new(b"501 Not Implemented", b"not implemented\n");
pub(super) const VERSION_NOT_SUPPORTED: Status = Status::new(
    b"505 HTTP Version Not Supported",
    b"HTTP version not supported\n",
);

/// What a server with no attention to spare says, ready to send: it must cost nothing to say it.
pub const UNAVAILABLE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

impl Status {
    const fn new(line: &'static [u8], content: &'static [u8]) -> Self {
        Status {
            line,
            content,
            extra_field: b"",
        }
    }
}

/// Whether the connection outlives the answer, and whether the answer has to say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persistence {
    /// `Connection: close`.
    Close,
    /// HTTP/1.1's default: nothing to say.
    KeepAlive,
    /// HTTP/1.0's exception: `Connection: keep-alive`.
    AnnouncedKeepAlive,
}

/// Room for the longest answer, head and content.
const ANSWER_OCTETS_MAX: usize = 320;

/// One answer, kept within the conversation itself.
#[derive(Debug)]
pub(super) struct Answer {
    octets: [u8; ANSWER_OCTETS_MAX],
    length: usize,
}

impl Answer {
    pub(super) fn new() -> Self {
        Answer {
            octets: [0; ANSWER_OCTETS_MAX],
            length: 0,
        }
    }

    /// The answer, ready to send.
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets[..self.length]
    }

    /// Becomes a whole answer; without its content where the request was HEAD.
    pub(super) fn render(
        &mut self,
        status: Status,
        with_content: bool,
        persistence: Persistence,
        date: Date,
    ) {
        self.length = 0;
        self.append(b"HTTP/1.1 ");
        self.append(status.line);
        self.append(b"\r\nDate: ");
        self.append(&date);
        self.append(b"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ");
        self.append_decimal(status.content.len());
        self.append(b"\r\n");
        self.append(status.extra_field);
        self.append(match persistence {
            Persistence::Close => b"Connection: close\r\n\r\n".as_slice(),
            Persistence::KeepAlive => b"\r\n",
            Persistence::AnnouncedKeepAlive => b"Connection: keep-alive\r\n\r\n",
        });
        if with_content {
            self.append(status.content);
        }
    }

    fn append(&mut self, octets: &[u8]) {
        self.octets[self.length..][..octets.len()].copy_from_slice(octets);
        self.length += octets.len();
    }

    fn append_decimal(&mut self, number: usize) {
        if number >= 10 {
            self.append_decimal(number / 10);
        }
        self.append(&[b"0123456789"[number % 10]]);
    }
}
