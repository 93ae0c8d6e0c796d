//! Plays a client's octets to a conversation, without a socket: what the tests of all conversations are made of.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::http::Date;
use super::{Conversation, Patience, Site, Spoken, Step, Talk};

/// The date of every answer.
pub(super) const DATE: Date = *b"Sun, 06 Nov 1994 08:49:37 GMT";

/// What one write takes at most, in turn: a socket may take less than it is offered.
const WRITES_OCTETS_MAX: [usize; 3] = [1, 100, 50_000];

/// Steps after which a conversation that never ends must fail, not hang: no test needs more.
const STEPS_MAX: usize = 500_000;

thread_local! {
    static HEARD: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A site of its own for each test: it goes on, and nobody may crash it, until the test says otherwise.
pub(crate) fn site(spoken: Spoken) -> Site {
    Site {
        spoken,
        date: || DATE,
        stopping: Box::leak(Box::new(AtomicBool::new(false))),
        count: Box::leak(Box::new(AtomicU64::new(0))),
        crash: None,
        heard: Some(|octets| HEARD.with_borrow_mut(|heard| heard.extend_from_slice(octets))),
    }
}

/// What a client gets for what it sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Played {
    pub(super) output: Vec<u8>,
    pub(super) answers: u64,
    /// What the conversation waited of its own accord.
    pub(super) waited: Duration,
    /// The conversation was over before the client said that it had no more.
    pub(super) closed_first: bool,
    /// It closed its sending half first and waited for the client.
    pub(super) lingered: bool,
}

/// Plays the client's octets in the given pieces, then its end of stream. `/count` starts afresh.
pub(super) fn play(site: &Site, pieces: &[&[u8]]) -> Played {
    site.count.store(0, Ordering::Relaxed);
    HEARD.with_borrow_mut(Vec::clear);
    let mut conversation = Talk::new(site);
    let mut played = Played::default();
    let mut said = 0;
    let mut pieces = pieces.iter().filter(|piece| !piece.is_empty());
    let mut piece: &[u8] = &[];
    for turn in 0..STEPS_MAX {
        let patience = conversation.patience();
        match conversation.step() {
            Step::Read(space) => {
                assert!(
                    !space.is_empty(),
                    "a read of nothing would look like the end of the stream"
                );
                assert!(
                    !matches!(
                        patience,
                        Patience::Write | Patience::Wait | Patience::Nothing
                    ),
                    "{patience:?}"
                );
                if piece.is_empty() {
                    piece = pieces.next().copied().unwrap_or_default();
                }
                let count = piece.len().min(space.len());
                space[..count].copy_from_slice(&piece[..count]);
                conversation.received(count);
                HEARD.with_borrow(|heard| {
                    assert_eq!(heard[said..], piece[..count], "all is heard as it arrives");
                });
                said += count;
                piece = &piece[count..];
                if count == 0 {
                    assert_eq!(
                        conversation.step(),
                        Step::Close,
                        "after the client's end of stream"
                    );
                    played.answers = conversation.answers();
                    return played;
                }
            }
            Step::Write(octets) => {
                assert_eq!(patience, Patience::Write);
                assert!(!octets.is_empty(), "a write of nothing would not progress");
                let most = WRITES_OCTETS_MAX[turn % WRITES_OCTETS_MAX.len()];
                let count = octets.len().min(most);
                played.output.extend_from_slice(&octets[..count]);
                conversation.sent(count);
            }
            Step::Wait(time) => {
                assert_eq!(patience, Patience::Wait);
                played.waited += time;
                conversation.waited();
            }
            Step::EndWrite => {
                assert_eq!(patience, Patience::Linger);
                played.lingered = true;
                conversation.write_ended();
            }
            Step::Close => {
                assert_eq!(patience, Patience::Nothing);
                played.closed_first = true;
                played.answers = conversation.answers();
                return played;
            }
        }
    }
    panic!("the conversation does not end");
}

/// `input` whole, octet by octet, and in two pieces at every place. Long inputs are long in one place only, where every
/// cut says the same, so that some are enough.
pub(super) fn every_cut(input: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    let cuts = (1..input.len()).filter(|cut| input.len() < 2_000 || cut % 997 == 0 || *cut < 100);
    let in_two = cuts.map(|cut| vec![&input[..cut], &input[cut..]]);
    [vec![input], input.chunks(1).collect()]
        .into_iter()
        .filter(|pieces| !pieces.concat().is_empty())
        .chain(in_two)
}
