//! Answers, rendered into room of the conversation's own.

/// An IMF-fixdate (RFC 9110 §5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub type Date = [u8; 29];

/// What a server with no attention to spare says, ready to send: it must cost nothing to say it.
pub const UNAVAILABLE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The outcome of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    BadRequest,
    NotFound,
    MethodNotAllowed,
    UriTooLong,
    HeadTooLarge,
    NotImplemented,
    VersionNotSupported,
}

impl Status {
    /// What follows the version in a status line.
    fn line(self) -> &'static [u8] {
        match self {
            Status::Ok => b"200 OK",
            Status::BadRequest => b"400 Bad Request",
            Status::NotFound => b"404 Not Found",
            Status::MethodNotAllowed => b"405 Method Not Allowed",
            Status::UriTooLong => b"414 URI Too Long",
            Status::HeadTooLarge => b"431 Request Header Fields Too Large",
            Status::NotImplemented => b"501 Not Implemented",
            Status::VersionNotSupported => b"505 HTTP Version Not Supported",
        }
    }

    /// The content of an answer that has nothing else to say. Nothing of the request is repeated.
    pub(super) fn explanation(self) -> Content<'static> {
        Content::Text(match self {
            Status::Ok => b"",
            Status::BadRequest => b"bad request\n",
            Status::NotFound => b"not found\n",
            Status::MethodNotAllowed => b"method not allowed\n",
            Status::UriTooLong => b"request line too long\n",
            Status::HeadTooLarge => b"request head too large\n",
            Status::NotImplemented => b"not implemented\n",
            Status::VersionNotSupported => b"HTTP version not supported\n",
        })
    }

    /// The field that RFC 9110 §15.5.6 demands of a 405.
    fn extra_field(self) -> &'static [u8] {
        match self {
            Status::MethodNotAllowed => b"Allow: GET, HEAD\r\n",
            _ => b"",
        }
    }
}

/// What an answer brings besides its head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content<'c> {
    /// A short text, which the answer has room for.
    Text(&'c [u8]),
    /// That many octets without a meaning.
    Filler(u32),
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

/// Room for the longest head with the longest text.
const ANSWER_OCTETS_MAX: usize = 320;

/// What long contents are made of, as much of it as is written at once. All conversations share it.
static FILLER: [u8; 64 * 1024] = [b'x'; 64 * 1024];

/// One answer: a head and a short content, kept within the conversation itself, then perhaps a filler.
#[derive(Debug)]
pub(super) struct Answer {
    octets: [u8; ANSWER_OCTETS_MAX],
    /// Still to be sent: `octets[sent..end]`, then `filler_left` octets of filler.
    sent: usize,
    end: usize,
    filler_left: usize,
}

impl Answer {
    pub(super) fn new() -> Self {
        Answer {
            octets: [0; ANSWER_OCTETS_MAX],
            sent: 0,
            end: 0,
            filler_left: 0,
        }
    }

    /// What is to be sent next, as much of it as lies together; empty once all is sent.
    pub(super) fn unsent(&self) -> &[u8] {
        if self.sent < self.end {
            &self.octets[self.sent..self.end]
        } else {
            &FILLER[..self.filler_left.min(FILLER.len())]
        }
    }

    /// The client's side took `count` of the unsent octets.
    pub(super) fn sent(&mut self, count: usize) {
        if self.sent < self.end {
            self.sent += count;
        } else {
            self.filler_left -= count;
        }
    }

    /// Becomes a whole answer; without its content where the request was HEAD.
    pub(super) fn render(
        &mut self,
        status: Status,
        content: Content,
        with_content: bool,
        persistence: Persistence,
        date: Date,
    ) {
        self.sent = 0;
        self.end = 0;
        self.append(b"HTTP/1.1 ");
        self.append(status.line());
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

    /// A short filler goes along with the head, in one write; a longer one follows it.
    fn append_filler(&mut self, count: usize) {
        if count <= ANSWER_OCTETS_MAX - self.end {
            self.append(&FILLER[..count]);
        } else {
            self.filler_left = count;
        }
    }

    fn append(&mut self, octets: &[u8]) {
        self.octets[self.end..][..octets.len()].copy_from_slice(octets);
        self.end += octets.len();
    }

    fn append_decimal(&mut self, number: usize) {
        if number >= 10 {
            self.append_decimal(number / 10);
        }
        self.append(&[b"0123456789"[number % 10]]);
    }
}
