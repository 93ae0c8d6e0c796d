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
    /// The chunked coding: its state, its bytes so far with the whole of the current chunk, and those in the current
    /// line or trailer section.
    Chunked {
        state: ChunkState,
        bytes: u64,
        line: u32,
    },
    /// The client waits for `100 Continue` before it sends the body (`Expect: 100-continue`).
    HeldBack,
}

/// Position of the next byte in the chunked coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChunkState {
    /// In the hexadecimal digits of a size; `digits` tells whether there was one.
    Size { size: u64, digits: bool },
    /// In the white space after a size, which only an extension or the line's end may follow.
    SizeSpace { size: u64 },
    /// In a chunk extension.
    Extension { size: u64 },
    /// At the line feed after a size line.
    SizeLineFeed { size: u64 },
    /// In a chunk's data.
    Data { left: u64 },
    /// At the carriage return after a chunk's data.
    DataReturn,
    /// At the line feed after a chunk's data.
    DataLineFeed,
    /// In the trailer section; `line_is_empty` while the current line is.
    Trailer { line_is_empty: bool },
    /// At the line feed after a carriage return in the trailer section.
    TrailerLineFeed { line_is_empty: bool },
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
    pub(super) const CHUNKED: Body = Body::Chunked {
        state: ChunkState::Size {
            size: 0,
            digits: false,
        },
        bytes: 0,
        line: 0,
    };

    pub(super) fn is_empty(self) -> bool {
        self == Body::NONE
    }

    pub(super) fn is_drainable(self) -> bool {
        match self {
            Body::Length(bytes) => bytes <= DRAIN_BYTES_MAX,
            Body::Chunked { .. } => true,
            Body::HeldBack => false,
        }
    }

    /// Consumes the part of the body that is in `input`; returns the result, and the number of bytes consumed.
    pub(super) fn drain(&mut self, input: &[u8]) -> (Drained, usize) {
        match self {
            Body::Length(left) => {
                let used = input
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= used as u64;
                (
                    if *left == 0 {
                        Drained::Whole
                    } else {
                        Drained::Partly
                    },
                    used,
                )
            }
            Body::Chunked { state, bytes, line } => drain_chunks(state, bytes, line, input),
            Body::HeldBack => (Drained::Malformed, 0),
        }
    }
}

fn drain_chunks(
    state: &mut ChunkState,
    bytes: &mut u64,
    line: &mut u32,
    input: &[u8],
) -> (Drained, usize) {
    let mut used = 0;
    while let Some(&byte) = input.get(used) {
        if let ChunkState::Data { left } = *state {
            let taken = (input.len() - used).min(usize::try_from(left).unwrap_or(usize::MAX));
            used += taken;
            let left = left - taken as u64;
            *state = if left == 0 {
                ChunkState::DataReturn
            } else {
                ChunkState::Data { left }
            };
            continue;
        }
        used += 1;
        *bytes += 1;
        *line += 1;
        let next = if *line > CHUNK_LINE_BYTES_MAX {
            None
        } else {
            after(*state, byte)
        };
        *state = match next {
            None => return (Drained::Malformed, used),
            Some(Next::End) => return (Drained::Whole, used),
            Some(Next::State(next)) => next,
        };
        if let ChunkState::Data { left } = *state {
            *line = 0;
            *bytes = bytes.saturating_add(left);
        }
        if *bytes > DRAIN_BYTES_MAX {
            return (Drained::TooLong, used);
        }
    }
    (Drained::Partly, used)
}

enum Next {
    State(ChunkState),
    End,
}

/// The state after `byte`; `None` if `byte` is not allowed in `state`.
fn after(state: ChunkState, byte: u8) -> Option<Next> {
    let next = match (state, byte) {
        (ChunkState::Size { size, .. }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
            let digit = (byte as char).to_digit(16)?;
            ChunkState::Size {
                size: size.checked_mul(16)?.checked_add(digit.into())?,
                digits: true,
            }
        }
        (ChunkState::Size { size, digits: true } | ChunkState::SizeSpace { size }, b';') => {
            ChunkState::Extension { size }
        }
        (
            ChunkState::Size { size, digits: true } | ChunkState::SizeSpace { size },
            b' ' | b'\t',
        ) => ChunkState::SizeSpace { size },
        (
            ChunkState::Size { size, digits: true }
            | ChunkState::SizeSpace { size }
            | ChunkState::Extension { size },
            b'\r',
        ) => ChunkState::SizeLineFeed { size },
        (ChunkState::Extension { size }, b'\t' | b' '..=0x7e | 0x80..) => {
            ChunkState::Extension { size }
        }
        (ChunkState::SizeLineFeed { size: 0 }, b'\n') => ChunkState::Trailer {
            line_is_empty: true,
        },
        (ChunkState::SizeLineFeed { size }, b'\n') => ChunkState::Data { left: size },
        (ChunkState::DataReturn, b'\r') => ChunkState::DataLineFeed,
        (ChunkState::DataLineFeed, b'\n') => ChunkState::Size {
            size: 0,
            digits: false,
        },
        (ChunkState::Trailer { line_is_empty }, b'\r') => {
            ChunkState::TrailerLineFeed { line_is_empty }
        }
        (
            ChunkState::Trailer { line_is_empty } | ChunkState::TrailerLineFeed { line_is_empty },
            b'\n',
        ) => {
            if line_is_empty {
                return Some(Next::End);
            }
            ChunkState::Trailer {
                line_is_empty: true,
            }
        }
        (ChunkState::Trailer { .. }, b'\t' | b' '..=0x7e | 0x80..) => ChunkState::Trailer {
            line_is_empty: false,
        },
        _ => return None,
    };
    Some(Next::State(next))
}
