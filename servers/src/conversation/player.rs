//! Plays a client's bytes to a conversation, without a socket: the tests of all conversations use it.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::http::Date;
use super::{AnyConversation, Conversation, Protocol, ServerContext, Step, TimeoutKind};

/// The date of every answer.
pub(super) const DATE: Date = *b"Sun, 06 Nov 1994 08:49:37 GMT";

/// Most bytes of a write, one limit after the other: a socket may take less than it is offered.
const WRITES_BYTES_MAX: [usize; 3] = [1, 100, 50_000];

/// Most steps of a conversation: after them a test fails instead of hanging. No test needs more.
const STEPS_MAX: usize = 500_000;

thread_local! {
    static RECEIVED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A context for one test: not stopping, and without crashes, until the test says otherwise.
pub(crate) fn context(protocol: Protocol) -> ServerContext {
    ServerContext {
        protocol,
        date: || DATE,
        stopping: Box::leak(Box::new(AtomicBool::new(false))),
        count: Box::leak(Box::new(AtomicU64::new(0))),
        crash: None,
        extra_work: None,
        block: |_| {},
        on_chat: None,
        on_message: Some(|bytes| {
            RECEIVED.with_borrow_mut(|received| received.extend_from_slice(bytes));
        }),
    }
}

/// What a client gets for what it sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Played {
    pub(super) output: Vec<u8>,
    pub(super) answers: u64,
    /// How long the conversation asked to wait.
    pub(super) waited: Duration,
    /// The conversation was over before the client's end of stream.
    pub(super) closed_first: bool,
    /// It closed its sending half first and waited for the client.
    pub(super) lingered: bool,
}

/// Plays the client's bytes in the given pieces, then its end of stream. `/count` starts at 0.
pub(super) fn play(context: &ServerContext, pieces: &[&[u8]]) -> Played {
    context.count.store(0, Ordering::Relaxed);
    RECEIVED.with_borrow_mut(Vec::clear);
    let mut conversation = AnyConversation::new(context, 0);
    let mut played = Played::default();
    let mut said = 0;
    let mut pieces = pieces.iter().filter(|piece| !piece.is_empty());
    let mut piece: &[u8] = &[];
    for turn in 0..STEPS_MAX {
        let timeout_kind = conversation.timeout_kind();
        match conversation.step() {
            Step::Read(space) => {
                use TimeoutKind::{Nothing, Wait, Write};
                let reads = !matches!(timeout_kind, Write | Wait | Nothing);
                assert!(reads, "{timeout_kind:?}");
                // It would look like the end of the stream.
                assert!(!space.is_empty(), "a read of nothing");
                if piece.is_empty() {
                    piece = pieces.next().copied().unwrap_or_default();
                }
                let count = piece.len().min(space.len());
                space[..count].copy_from_slice(&piece[..count]);
                conversation.received(count);
                RECEIVED.with_borrow(|received| {
                    // All is reported as it arrives.
                    assert_eq!(received[said..], piece[..count]);
                });
                said += count;
                piece = &piece[count..];
                if count == 0 {
                    assert_eq!(conversation.step(), Step::Close, "after the end of stream");
                    played.answers = conversation.answers();
                    return played;
                }
            }
            Step::Write(bytes) => {
                assert_eq!(timeout_kind, TimeoutKind::Write);
                assert!(!bytes.is_empty(), "a write of nothing would not progress");
                let most = WRITES_BYTES_MAX[turn % WRITES_BYTES_MAX.len()];
                let count = bytes.len().min(most);
                played.output.extend_from_slice(&bytes[..count]);
                conversation.sent(count);
            }
            Step::Wait(time) => {
                assert_eq!(timeout_kind, TimeoutKind::Wait);
                played.waited += time;
                conversation.waited();
            }
            Step::Work => {
                assert_eq!(timeout_kind, TimeoutKind::Wait);
                conversation.work();
            }
            Step::EndWrite => {
                assert_eq!(timeout_kind, TimeoutKind::Linger);
                played.lingered = true;
                conversation.write_ended();
            }
            Step::Close => {
                assert_eq!(timeout_kind, TimeoutKind::Nothing);
                played.closed_first = true;
                played.answers = conversation.answers();
                return played;
            }
        }
    }
    panic!("the conversation does not end");
}

/// `input` whole, byte by byte, and in two pieces at every position. A long input is long in one part only, where every
/// cut tests the same, so a few cuts there are enough.
pub(super) fn every_cut(input: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let cuts = (1..input.len()).filter(|cut| input.len() < 2_000 || cut % 997 == 0 || *cut < 100);
    let in_two = cuts.map(|cut| vec![&input[..cut], &input[cut..]]);
    [vec![input], input.chunks(1).collect()]
        .into_iter()
        .filter(|pieces| !pieces.concat().is_empty())
        .chain(in_two)
}
