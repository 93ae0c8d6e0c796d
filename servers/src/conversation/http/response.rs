//! Answers, rendered into a buffer inside the conversation.

/// An IMF-fixdate (RFC 9110 §5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub type Date = [u8; 29];

/// The refusal of an overloaded server, ready to send: a refusal must cost nothing.
pub const UNAVAILABLE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StatusCode {
    Ok,
    BadRequest,
    NotFound,
    MethodNotAllowed,
    UriTooLong,
    HeadTooLarge,
    NotImplemented,
    VersionNotSupported,
}

impl StatusCode {
    /// What follows the version in a status line, and the content of an answer that has no other content. It repeats
    /// nothing of the request.
    fn texts(self) -> (&'static str, &'static str) {
        match self {
            StatusCode::Ok => ("200 OK", ""),
            StatusCode::BadRequest => ("400 Bad Request", "bad request\n"),
            StatusCode::NotFound => ("404 Not Found", "not found\n"),
            StatusCode::MethodNotAllowed => ("405 Method Not Allowed", "method not allowed\n"),
            StatusCode::UriTooLong => ("414 URI Too Long", "request line too long\n"),
            StatusCode::HeadTooLarge => (
                "431 Request Header Fields Too Large",
                "request head too large\n",
            ),
            StatusCode::NotImplemented => ("501 Not Implemented", "not implemented\n"),
            StatusCode::VersionNotSupported => (
                "505 HTTP Version Not Supported",
                "HTTP version not supported\n",
            ),
        }
    }

    /// The content of an answer that has no other content.
    pub(super) fn explanation(self) -> Content<'static> {
        Content::Text(self.texts().1.as_bytes())
    }

    /// The field that RFC 9110 §15.5.6 demands of a 405.
    fn extra_field(self) -> &'static [u8] {
        match self {
            StatusCode::MethodNotAllowed => b"Allow: GET, HEAD\r\n",
            _ => b"",
        }
    }
}

/// The content of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content<'c> {
    /// A short text, which fits into the answer's buffer.
    Text(&'c [u8]),
    /// This many bytes without a meaning.
    Filler(u32),
}

/// Whether the connection stays open after the answer, and whether the answer has to announce that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Persistence {
    /// `Connection: close`.
    Close,
    /// HTTP/1.1's default: nothing to announce.
    KeepAlive,
    /// HTTP/1.0's exception: `Connection: keep-alive`.
    AnnouncedKeepAlive,
}

/// Room for the longest head with the longest text.
const ANSWER_BYTES_MAX: usize = 320;

/// The bytes of long contents, as many as are written at once. All conversations share them.
static FILLER: [u8; 64 * 1024] = [b'x'; 64 * 1024];

/// One answer: a head and a short content, kept within the conversation itself, then perhaps a filler.
#[derive(Debug)]
pub(super) struct Response {
    bytes: [u8; ANSWER_BYTES_MAX],
    /// Still to be sent: `bytes[sent..end]`, then `filler_left` bytes of filler.
    sent: usize,
    end: usize,
    filler_left: usize,
}

impl Response {
    pub(super) fn new() -> Self {
        Response {
            bytes: [0; ANSWER_BYTES_MAX],
            sent: 0,
            end: 0,
            filler_left: 0,
        }
    }

    /// The next bytes to send, as many as are contiguous; empty once all are sent.
    pub(super) fn unsent(&self) -> &[u8] {
        if self.sent < self.end {
            &self.bytes[self.sent..self.end]
        } else {
            &FILLER[..self.filler_left.min(FILLER.len())]
        }
    }

    /// Marks `count` of the unsent bytes as sent.
    pub(super) fn sent(&mut self, count: usize) {
        if self.sent < self.end {
            self.sent += count;
        } else {
            self.filler_left -= count;
        }
    }

    /// Renders a whole answer, without its content if the request was HEAD.
    pub(super) fn render(
        &mut self,
        status: StatusCode,
        content: Content,
        with_content: bool,
        persistence: Persistence,
        date: Date,
    ) {
        self.sent = 0;
        self.end = 0;
        self.append(b"HTTP/1.1 ");
        self.append(status.texts().0.as_bytes());
        self.append(b"\r\nDate: ");
        self.append(&date);
        self.append(b"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ");
        self.append_decimal(match content {
            Content::Text(text) => text.len(),
            Content::Filler(count) => count as usize,
        });
        self.append(b"\r\n");
        self.append(status.extra_field());
        self.append(match persistence {
            Persistence::Close => b"Connection: close\r\n\r\n".as_slice(),
            Persistence::KeepAlive => b"\r\n",
            Persistence::AnnouncedKeepAlive => b"Connection: keep-alive\r\n\r\n",
        });
        match content {
            _ if !with_content => {}
            Content::Text(text) => self.append(text),
            Content::Filler(count) => self.append_filler(count as usize),
        }
    }

    /// A short filler is sent with the head in one write; a longer one follows it.
    fn append_filler(&mut self, count: usize) {
        if count <= ANSWER_BYTES_MAX - self.end {
            self.append(&FILLER[..count]);
        } else {
            self.filler_left = count;
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        self.bytes[self.end..][..bytes.len()].copy_from_slice(bytes);
        self.end += bytes.len();
    }

    fn append_decimal(&mut self, number: usize) {
        if number >= 10 {
            self.append_decimal(number / 10);
        }
        self.append(&[b"0123456789"[number % 10]]);
    }
}
