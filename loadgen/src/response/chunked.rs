//! Chunked transfer coding (RFC 9112 §7.1), as a state machine over the bytes that have arrived.

use std::ops::Range;

use super::InvalidResponse;

/// Longest chunk-size line with its extensions, in bytes.
const MAX_LINE: u16 = 1024;

/// Most trailer bytes.
const MAX_TRAILER: u16 = 8 * 1024;

/// Position of the next byte in the coding.
#[derive(Clone, Copy, Debug)]
pub(super) enum Chunked {
    /// In the size; `None` before its first digit.
    Size { size: Option<u64>, line: u16 },
    /// In an extension, ignored.
    Extension { size: u64, line: u16 },
    /// After the CR of a size line.
    SizeEnd { size: u64 },
    /// In the data, with this many bytes left.
    Data(u64),
    /// After the data.
    DataCr,
    /// After the CR that follows the data.
    DataLf,
    /// In the trailer; `empty` while the current line is empty.
    Trailer { seen: u16, empty: bool },
    /// After a CR in the trailer.
    TrailerLf { seen: u16, empty: bool },
}

impl Default for Chunked {
    fn default() -> Self {
        Self::Size {
            size: None,
            line: 0,
        }
    }
}

/// What a call of [`Chunked::feed`] found.
#[derive(Debug)]
pub(super) struct ChunkStep {
    /// Part of the input that is body.
    pub(super) data: Range<usize>,
    /// Bytes used up.
    pub(super) consumed: usize,
    /// Whether the body is complete.
    pub(super) done: bool,
}

impl Chunked {
    /// Parses until it finds data, the body ends, or the input ends.
    pub(super) fn feed(&mut self, input: &[u8]) -> Result<ChunkStep, InvalidResponse> {
        let (mut at, mut done) = (0, false);
        while at < input.len() && !done {
            if let Self::Data(left) = *self {
                let here = usize::try_from(left).unwrap_or(usize::MAX);
                let data = at..at + here.min(input.len() - at);
                *self = match left - data.len() as u64 {
                    0 => Self::DataCr,
                    left => Self::Data(left),
                };
                return Ok(ChunkStep {
                    consumed: data.end,
                    data,
                    done,
                });
            }
            done = self.byte(input[at])?;
            at += 1;
        }
        Ok(ChunkStep {
            data: 0..0,
            consumed: at,
            done,
        })
    }

    /// Parses one byte outside the data; true if it was the last byte of the body.
    fn byte(&mut self, byte: u8) -> Result<bool, InvalidResponse> {
        *self = match (*self, byte) {
            (Self::Size { size, line }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = u64::from(char::from(byte).to_digit(16).unwrap_or(0));
                let size = size.unwrap_or(0).checked_mul(16);
                let size = size.ok_or(InvalidResponse::Chunk)?;
                Self::Size {
                    size: Some(size | digit),
                    line: longer(line, MAX_LINE)?,
                }
            }
            (
                Self::Size {
                    size: Some(size), ..
                }
                | Self::Extension { size, .. },
                b'\r',
            ) => Self::SizeEnd { size },
            (
                Self::Size {
                    size: Some(size),
                    line,
                },
                b';' | b' ' | b'\t',
            ) => Self::Extension {
                size,
                line: longer(line, MAX_LINE)?,
            },
            (Self::Extension { size, line }, byte) if byte != b'\n' => Self::Extension {
                size,
                line: longer(line, MAX_LINE)?,
            },
            (Self::SizeEnd { size: 0 }, b'\n') => Self::Trailer {
                seen: 0,
                empty: true,
            },
            (Self::SizeEnd { size }, b'\n') => Self::Data(size),
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::default(),
            (Self::Trailer { seen, empty }, b'\r') => Self::TrailerLf { seen, empty },
            (Self::Trailer { seen, .. }, byte) if byte != b'\n' => Self::Trailer {
                seen: longer(seen, MAX_TRAILER)?,
                empty: false,
            },
            (Self::TrailerLf { empty: true, .. }, b'\n') => return Ok(true),
            (Self::TrailerLf { seen, .. }, b'\n') => Self::Trailer {
                seen: longer(seen, MAX_TRAILER)?,
                empty: true,
            },
            _ => return Err(InvalidResponse::Chunk),
        };
        Ok(false)
    }
}

fn longer(length: u16, most: u16) -> Result<u16, InvalidResponse> {
    let longer = (length < most).then_some(length + 1);
    longer.ok_or(InvalidResponse::Chunk)
}
