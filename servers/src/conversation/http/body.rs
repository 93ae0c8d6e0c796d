//! Request bodies, read only to know where the next request starts (RFC 9112 §6, §7).

/// Longest body that is read and thrown away, its framing included, or else chunks of one octet would come to many times
/// as much. Behind a longer one the next request is not looked for: the answer closes the connection.
const DRAIN_OCTETS_MAX: u64 = 64 * 1024;
/// Longest chunk-size line, extensions included, and longest trailer section.
const CHUNK_LINE_OCTETS_MAX: u32 = 1024;

/// How much of a request's body is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// `Content-Length` octets, 0 for a request without a body.
    Length(u64),
    /// The chunked coding: where in it, how many octets of it so far with the whole of the present chunk, and how many
    /// of them in the present line or trailer section.
    Chunked {
        place: Place,
        octets: u64,
        line: u32,
    },
    /// The client waits for our word before it sends (`Expect: 100-continue`).
    HeldBack,
}

/// Where in the chunked coding the next octet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Among the hexadecimal digits of a size; whether there was one.
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
    /// In the trailer section; whether the current line is still empty.
    Trailer { line_is_empty: bool },
    /// At the line feed after a carriage return in the trailer section.
    TrailerLineFeed { line_is_empty: bool },
}

/// How far a drain came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drained {
    /// More octets are needed.
    Partly,
    /// The body has ended.
    Whole,
    /// The chunked coding goes on for longer than anybody may make us read.
    TooLong,
    /// The chunked coding is broken, or has a line that is too long.
    Malformed,
}

impl Body {
    pub(super) const NONE: Body = Body::Length(0);
    pub(super) const CHUNKED: Body = Body::Chunked {
        place: Place::Size {
            size: 0,
            digits: false,
        },
        octets: 0,
        line: 0,
    };

    pub(super) fn is_empty(self) -> bool {
        self == Body::NONE
    }

    pub(super) fn is_drainable(self) -> bool {
        match self {
            Body::Length(octets) => octets <= DRAIN_OCTETS_MAX,
            Body::Chunked { .. } => true,
            Body::HeldBack => false,
        }
    }

    /// Uses up what `input` holds of the body: how far it came, and how many octets that took.
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
            Body::Chunked {
                place,
                octets,
                line,
            } => drain_chunks(place, octets, line, input),
            Body::HeldBack => (Drained::Malformed, 0),
        }
    }
}

fn drain_chunks(
    place: &mut Place,
    octets: &mut u64,
    line: &mut u32,
    input: &[u8],
) -> (Drained, usize) {
    let mut used = 0;
    while let Some(&octet) = input.get(used) {
        if let Place::Data { left } = *place {
            let taken = (input.len() - used).min(usize::try_from(left).unwrap_or(usize::MAX));
            used += taken;
            let left = left - taken as u64;
            *place = if left == 0 {
                Place::DataReturn
            } else {
                Place::Data { left }
            };
            continue;
        }
        used += 1;
        *octets += 1;
        *line += 1;
        let next = if *line > CHUNK_LINE_OCTETS_MAX {
            None
        } else {
            after(*place, octet)
        };
        *place = match next {
            None => return (Drained::Malformed, used),
            Some(Next::End) => return (Drained::Whole, used),
            Some(Next::Place(next)) => next,
        };
        if let Place::Data { left } = *place {
            *line = 0;
            *octets = octets.saturating_add(left);
        }
        if *octets > DRAIN_OCTETS_MAX {
            return (Drained::TooLong, used);
        }
    }
    (Drained::Partly, used)
}

enum Next {
    Place(Place),
    End,
}

/// Where `octet` leads from `place`; `None` where it may not stand.
fn after(place: Place, octet: u8) -> Option<Next> {
    let next = match (place, octet) {
        (Place::Size { size, .. }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
            let digit = (octet as char).to_digit(16)?;
            Place::Size {
                size: size.checked_mul(16)?.checked_add(digit.into())?,
                digits: true,
            }
        }
        (Place::Size { size, digits: true } | Place::SizeSpace { size }, b';') => {
            Place::Extension { size }
        }
        (Place::Size { size, digits: true } | Place::SizeSpace { size }, b' ' | b'\t') => {
            Place::SizeSpace { size }
        }
        (
            Place::Size { size, digits: true }
            | Place::SizeSpace { size }
            | Place::Extension { size },
            b'\r',
        ) => Place::SizeLineFeed { size },
        (Place::Extension { size }, b'\t' | b' '..=0x7e | 0x80..) => Place::Extension { size },
        (Place::SizeLineFeed { size: 0 }, b'\n') => Place::Trailer {
            line_is_empty: true,
        },
        (Place::SizeLineFeed { size }, b'\n') => Place::Data { left: size },
        (Place::DataReturn, b'\r') => Place::DataLineFeed,
        (Place::DataLineFeed, b'\n') => Place::Size {
            size: 0,
            digits: false,
        },
        (Place::Trailer { line_is_empty }, b'\r') => Place::TrailerLineFeed { line_is_empty },
        (Place::Trailer { line_is_empty } | Place::TrailerLineFeed { line_is_empty }, b'\n') => {
            if line_is_empty {
                return Some(Next::End);
            }
            Place::Trailer {
                line_is_empty: true,
            }
        }
        (Place::Trailer { .. }, b'\t' | b' '..=0x7e | 0x80..) => Place::Trailer {
            line_is_empty: false,
        },
        _ => return None,
    };
    Some(Next::Place(next))
}
