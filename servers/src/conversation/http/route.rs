//! The paths that the server answers: the greeting, and bounded work for experiments.

use std::fmt;
use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::GREETING;
use super::response::{Content, StatusCode};
use crate::conversation::{Crash, ServerContext};

/// Longest wait: experiments wait for a second at most, and no client may hold a thread for longer than a few.
const WAIT_MS_MAX: u64 = 10_000;
/// Longest sleep of a thread that other clients may depend on.
const BLOCK_MS_MAX: u64 = 1_000;
/// Longest computation, a fifth of a second or so.
const COMPUTE_ROUNDS_MAX: u64 = 100_000_000;
/// Longest answer.
const BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Bytes of a [`TextBuffer`].
const TEXT_BYTES_MAX: usize = 24;

/// Room for a text made for one answer, the longest of which is a number of 20 digits.
pub(super) type TextBuffer = [u8; TEXT_BYTES_MAX];

/// What a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/`: the greeting.
    Greeting,
    /// `/wait/{ms}`: a wait that uses no CPU, then a text.
    Wait(u32),
    /// `/block/{ms}`: the same, but the thread that answers sleeps, and serves no other client meanwhile.
    Block(u32),
    /// `/compute/{rounds}`: the result of a fixed loop, in decimal.
    Compute(u32),
    /// `/bytes/{n}`: that many bytes.
    Bytes(u32),
    /// `/count`: how often all clients of this server have asked for this, in decimal.
    Count,
    /// `/crash/{panic|abort|segv}`: the end of the thread or process that answers, if the server allows it.
    Crash(Crash),
}

impl Route {
    /// The route of `path`; `None` if there is none, or if its number is out of bounds.
    pub(super) fn from_path(path: &str) -> Option<Route> {
        // Tested first, because every other path may take longer.
        if path == "/" {
            return Some(Route::Greeting);
        }
        let mut segments = path.strip_prefix('/')?.splitn(2, '/');
        let (name, argument) = (segments.next()?, segments.next());
        let number = |most| {
            let number = decimal(argument?.as_bytes()).filter(|number| *number <= most)?;
            u32::try_from(number).ok()
        };
        Some(match (name, argument) {
            ("wait", _) => Route::Wait(number(WAIT_MS_MAX)?),
            ("block", _) => Route::Block(number(BLOCK_MS_MAX)?),
            ("compute", _) => Route::Compute(number(COMPUTE_ROUNDS_MAX)?),
            ("bytes", _) => Route::Bytes(number(BYTES_MAX)?),
            ("count", None) => Route::Count,
            ("crash", Some("panic")) => Route::Crash(Crash::Panic),
            ("crash", Some("abort")) => Route::Crash(Crash::Abort),
            ("crash", Some("segv")) => Route::Crash(Crash::Segv),
            _ => return None,
        })
    }

    /// Carries the route out, and writes its text into `room`. If the server survives a crash, it answers as usual, so
    /// that the client learns of that.
    pub(super) fn carry_out<'r>(
        self,
        context: &ServerContext,
        room: &'r mut TextBuffer,
    ) -> (StatusCode, Content<'r>) {
        if let Some(work) = context.extra_work {
            work();
        }
        let content = match self {
            Route::Greeting => Content::Text(GREETING),
            Route::Wait(ms) => text(room, format_args!("waited {ms} ms\n")),
            Route::Block(ms) => {
                (context.block)(Duration::from_millis(ms.into()));
                text(room, format_args!("blocked {ms} ms\n"))
            }
            Route::Compute(rounds) => text(room, format_args!("{}", compute(rounds))),
            Route::Bytes(count) => Content::Filler(count),
            Route::Count => {
                let before = context.count.fetch_add(1, Ordering::Relaxed);
                text(room, format_args!("{}", before.wrapping_add(1)))
            }
            Route::Crash(how) => {
                let Some(crash) = context.crash else {
                    return (StatusCode::NotFound, StatusCode::NotFound.explanation());
                };
                crash(how);
                Content::Text(b"survived\n")
            }
        };
        (StatusCode::Ok, content)
    }
}

/// Where the computation starts: any number but 0, which the shifts would leave at 0. This one is 2⁶⁴ divided by the
/// golden ratio.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// `rounds` rounds of xorshift64* (Vigna, *An experimental exploration of Marsaglia's xorshift generators, scrambled*,
/// 2016), multiplied once at the end.
///
/// It uses no memory beyond a register, and has no branch to mispredict. Each round depends on the one before, so that
/// neither a wide CPU nor a compiler can shorten the computation. A round is six dependent instructions, 1.5 to 2 ns on
/// a machine of some 3 to 4 GHz.
fn compute(rounds: u32) -> u64 {
    let mut state = SEED;
    for _ in 0..rounds {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
    }
    state.wrapping_mul(0x2545_f491_4f6c_dd1d)
}

fn text<'r>(room: &'r mut TextBuffer, words: fmt::Arguments) -> Content<'r> {
    let mut free = room.as_mut_slice();
    // `room` fits the longest text, so nothing is cut off.
    let _ = free.write_fmt(words);
    let bytes = TEXT_BYTES_MAX - free.len();
    Content::Text(&room[..bytes])
}

/// `1*DIGIT` and nothing else: `str::parse` alone would accept a sign.
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    let is_plain = digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(digits).ok()?;
    text.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::{Route, compute};
    use crate::conversation::Crash;

    #[test]
    fn leads_every_path_to_its_route_up_to_its_bound() {
        for (path, route) in [
            ("/", Route::Greeting),
            ("/wait/0", Route::Wait(0)),
            ("/wait/10000", Route::Wait(10_000)),
            ("/block/1000", Route::Block(1_000)),
            ("/compute/0", Route::Compute(0)),
            ("/compute/100000000", Route::Compute(100_000_000)),
            ("/bytes/0", Route::Bytes(0)),
            ("/bytes/16777216", Route::Bytes(16_777_216)),
            ("/bytes/007", Route::Bytes(7)),
            ("/count", Route::Count),
            ("/crash/panic", Route::Crash(Crash::Panic)),
            ("/crash/abort", Route::Crash(Crash::Abort)),
            ("/crash/segv", Route::Crash(Crash::Segv)),
        ] {
            assert_eq!(Route::from_path(path), Some(route), "{path}");
        }
    }

    #[test]
    fn leads_nowhere_out_of_bounds_or_shape() {
        // Separated by commas; the first one is empty.
        const NO_NUMBERS: &str = ",/,/+1,/-1,/ 1,/1 ,/0x1,/1.0,/1/,/1/1,//1,/%31,/\u{661},/100000001,/4294967297,\
            /18446744073709551616,/99999999999999999999999999";
        const NO_PATHS: &str = "/wait/10001,/block/1001,/bytes/16777217,/count/,/count/1,/crash,/crash/,/crash/PANIC,\
            /crash/panic/,/Count,//,//count,/other";
        for no_number in NO_NUMBERS.split(',') {
            for name in ["wait", "compute", "bytes"] {
                let path = format!("/{name}{no_number}");
                assert_eq!(Route::from_path(&path), None, "{path}");
            }
        }
        for path in NO_PATHS.split(',') {
            assert_eq!(Route::from_path(path), None, "{path}");
        }
    }

    #[test]
    fn gives_what_another_program_gave() {
        for (rounds, result) in [
            (0, 18_087_837_650_825_916_257),
            (1, 973_819_730_272_012_410),
            (10, 15_201_191_104_202_127_773),
            (1_000, 14_777_236_588_817_839_069),
            (100_000, 10_275_795_919_007_234_014),
        ] {
            assert_eq!(compute(rounds), result, "{rounds} rounds");
        }
    }
}
