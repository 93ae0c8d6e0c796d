//! Request bodies, read only to know where the next request starts (RFC 9112 §6, §7).

/// Longest body that is read and discarded. Its framing counts, too: chunks of one byte come to many times their data.
/// After a longer body, the next request is not searched for: the answer closes the connection.
const DRAIN_BYTES_MAX: u64 = 64 * 1024;
/// Longest chunk-size line, extensions included, and longest trailer section.
const CHUNK_LINE_BYTES_MAX: u32 = 1024;

/// How much of a request's body is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// `Content-Length` bytes, 0 for a request without a body.
    Length(u64),
    /// The chunked coding.
    Chunked(Chunks),
    /// The body, or the rest of it, that the server does not read: it is too long or malformed, or the client waits for
    /// `100 Continue` before it sends the body (`Expect: 100-continue`).
    Unread,
}

/// How far the chunked coding has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    next: ChunkByte,
    /// The size of the current chunk as far as it has been read; within its data, what is left of them.
    size: u64,
    /// Bytes of the coding so far, with the whole of the current chunk.
    bytes: u64,
    /// Bytes of the current line or trailer section.
    line: u32,
}

/// Position of the next byte in the chunked coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChunkByte {
    /// The first hexadecimal digit of a size.
    FirstDigit,
    /// In a size, after its first digit.
    Size,
    /// In the white space after a size, which only an extension or the line's end may follow.
    SizeSpace,
    /// In a chunk extension.
    Extension,
    /// The line feed after a size line.
    SizeLineFeed,
    /// In a chunk's data.
    Data,
    /// The carriage return after a chunk's data.
    DataReturn,
    /// The line feed after a chunk's data.
    DataLineFeed,
    /// At the start of a line in the trailer section.
    TrailerStart,
    /// In such a line.
    Trailer,
    /// The line feed after such a line.
    TrailerLineFeed,
    /// The line feed of the empty line that ends the trailer section.
    LastLineFeed,
    /// After the end of the body.
    End,
}

/// The result of a drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drained {
    /// More bytes are needed.
    Partly,
    /// The body has ended.
    Whole,
    /// The chunked body is longer than the server reads.
    TooLong,
    /// The chunked coding is broken, or has a line that is too long.
    Malformed,
}

impl Body {
    pub(super) const NONE: Body = Body::Length(0);
    pub(super) const CHUNKED: Body = Body::Chunked(Chunks {
        next: ChunkByte::FirstDigit,
        size: 0,
        bytes: 0,
        line: 0,
    });

    pub(super) fn is_empty(self) -> bool {
        self == Body::NONE
    }

    pub(super) fn is_drainable(self) -> bool {
        match self {
            Body::Length(bytes) => bytes <= DRAIN_BYTES_MAX,
            Body::Chunked(_) => true,
            Body::Unread => false,
        }
    }

    /// Consumes the part of the body that is in `input`; returns the result, and the number of bytes consumed.
    pub(super) fn drain(&mut self, input: &[u8]) -> (Drained, usize) {
        match self {
            Body::Length(left) => {
                let used = take(left, input.len());
                match left {
                    0 => (Drained::Whole, used),
                    _ => (Drained::Partly, used),
                }
            }
            Body::Chunked(chunks) => chunks.drain(input),
            Body::Unread => (Drained::Malformed, 0),
        }
    }
}

/// Takes as many bytes as there are from what is left; returns their number.
fn take(left: &mut u64, available: usize) -> usize {
    let taken = available.min(usize::try_from(*left).unwrap_or(usize::MAX));
    *left -= taken as u64;
    taken
}

impl Chunks {
    fn drain(&mut self, input: &[u8]) -> (Drained, usize) {
        let mut used = 0;
        while let Some(&byte) = input.get(used) {
            if self.next == ChunkByte::Data {
                used += take(&mut self.size, input.len() - used);
                if self.size == 0 {
                    self.next = ChunkByte::DataReturn;
                }
                continue;
            }
            used += 1;
            self.bytes += 1;
            self.line += 1;
            match self.after(byte) {
                Some(next) if self.line <= CHUNK_LINE_BYTES_MAX => self.next = next,
                _ => return (Drained::Malformed, used),
            }
            if self.next == ChunkByte::End {
                return (Drained::Whole, used);
            }
            if self.next == ChunkByte::Data {
                self.line = 0;
                self.bytes = self.bytes.saturating_add(self.size);
            }
            if self.bytes > DRAIN_BYTES_MAX {
                return (Drained::TooLong, used);
            }
        }
        (Drained::Partly, used)
    }

    /// The position after `byte`, which is added to the size if it is a digit of it; `None` if it is not allowed here.
    fn after(&mut self, byte: u8) -> Option<ChunkByte> {
        use ChunkByte as At;
        Some(match (self.next, byte) {
            (At::FirstDigit | At::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16)?;
                self.size = self.size.checked_mul(16)?.checked_add(digit.into())?;
                At::Size
            }
            (At::Size | At::SizeSpace, b' ' | b'\t') => At::SizeSpace,
            (At::Size | At::SizeSpace, b';') => At::Extension,
            (At::Size | At::SizeSpace | At::Extension, b'\r') => At::SizeLineFeed,
            (At::Extension, b'\t' | b' '..=0x7e | 0x80..) => At::Extension,
            (At::SizeLineFeed, b'\n') if self.size == 0 => At::TrailerStart,
            (At::SizeLineFeed, b'\n') => At::Data,
            (At::DataReturn, b'\r') => At::DataLineFeed,
            (At::DataLineFeed, b'\n') => At::FirstDigit,
            (At::TrailerStart, b'\r') => At::LastLineFeed,
            (At::TrailerStart | At::LastLineFeed, b'\n') => At::End,
            (At::Trailer, b'\r') => At::TrailerLineFeed,
            (At::Trailer | At::TrailerLineFeed, b'\n') => At::TrailerStart,
            (At::TrailerStart | At::Trailer, b'\t' | b' '..=0x7e | 0x80..) => At::Trailer,
            _ => return None,
        })
    }
}
