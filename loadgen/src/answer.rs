//! What counts as the answer to a request, in each conversation.

use crate::response::{Malformed, Progress, Response};
use crate::workload::Conversation;

/// The acknowledgement of the `ack` conversation.
const ACKNOWLEDGEMENT: &[u8] = b"Mensaje recibido";

/// The answer that is coming in on one slot.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A response with a head that says how long it is.
    Http(Response),
    /// As many octets as are expected: `ack` and `echo` have no marks of their own.
    Octets {
        /// Octets received.
        seen: usize,
        /// Whether one was not as expected.
        differs: bool,
    },
}

/// How a complete answer is to be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// What was asked for.
    Right,
    /// A status outside 200…299.
    Status(u16),
    /// Another body.
    Differs,
}

impl Answer {
    /// The parser for a conversation.
    pub(crate) fn to(conversation: Conversation) -> Self {
        match conversation {
            Conversation::Http => Self::Http(Response::default()),
            Conversation::Ack | Conversation::Echo => Self::Octets {
                seen: 0,
                differs: false,
            },
        }
    }

    /// Forgets the current answer and expects the next one.
    pub(crate) fn reset(&mut self) {
        match self {
            Self::Http(response) => response.reset(),
            Self::Octets { seen, differs } => (*seen, *differs) = (0, false),
        }
    }

    /// Takes the next octets from the wire; see [`Response::feed`].
    pub(crate) fn feed(
        &mut self,
        input: &[u8],
        expected: Option<&[u8]>,
    ) -> Result<Progress, Malformed> {
        match self {
            Self::Http(response) => response.feed(input, expected),
            Self::Octets { seen, differs } => {
                let rest = expected.map_or(&[][..], |expected| &expected[*seen..]);
                let here = input.len().min(rest.len());
                *differs |= input[..here] != rest[..here];
                *seen += here;
                Ok(if here == rest.len() {
                    Progress::Done {
                        excess: input.len() - here,
                    }
                } else {
                    Progress::More
                })
            }
        }
    }

    /// Says that the server closed: true when that completes the answer; see [`Response::finish`].
    pub(crate) fn finish(&mut self) -> Result<bool, Malformed> {
        match self {
            Self::Http(response) => response.finish(),
            Self::Octets { .. } => Ok(false),
        }
    }

    /// Whether the server will take another request on this connection; meaningful when the answer is complete.
    pub(crate) fn keep_alive(&self) -> bool {
        match self {
            Self::Http(response) => response.keep_alive(),
            Self::Octets { .. } => true,
        }
    }

    /// Whether the head of the answer is still to come, or to be completed.
    pub(crate) fn is_in_head(&self) -> bool {
        matches!(self, Self::Http(response) if response.status().is_none())
    }

    /// The status of an answer that has failed by it, known once its head is complete.
    pub(crate) fn bad_status(&self) -> Option<u16> {
        match self {
            Self::Http(response) => response.status().filter(|code| !(200..300).contains(code)),
            Self::Octets { .. } => None,
        }
    }

    /// Judges a complete answer.
    pub(crate) fn judge(&self, expected: Option<&[u8]>) -> Judgement {
        match self {
            Self::Http(response) => match (self.bad_status(), expected) {
                (Some(status), _) => Judgement::Status(status),
                (None, Some(body)) if !response.body_is(body) => Judgement::Differs,
                (None, _) => Judgement::Right,
            },
            Self::Octets { differs: true, .. } => Judgement::Differs,
            Self::Octets { .. } => Judgement::Right,
        }
    }
}

/// What a conversation must answer to `message`; `None` for HTTP, where the user says.
pub(crate) fn owed(conversation: Conversation, message: &[u8]) -> Option<Vec<u8>> {
    match conversation {
        Conversation::Http => None,
        Conversation::Ack => Some(ACKNOWLEDGEMENT.to_vec()),
        Conversation::Echo => Some(message.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Answer, Judgement, owed};
    use crate::response::Progress;
    use crate::workload::Conversation;

    proptest! {
        #[test]
        fn an_echo_is_complete_with_its_last_octet_however_it_is_cut(
            message in proptest::collection::vec(any::<u8>(), 1..200),
            piece in 1usize..40,
        ) {
            let expected = owed(Conversation::Echo, &message);
            let mut answer = Answer::to(Conversation::Echo);
            let mut left = message.len();
            for piece in message.chunks(piece) {
                left -= piece.len();
                let progress = answer.feed(piece, expected.as_deref()).unwrap();
                prop_assert_eq!(progress == Progress::Done { excess: 0 }, left == 0);
            }
            prop_assert_eq!(answer.judge(expected.as_deref()), Judgement::Right);
        }
    }

    #[test]
    fn another_acknowledgement_is_wrong_and_surplus_octets_are_told() {
        let expected = owed(Conversation::Ack, b"Hola");
        let mut answer = Answer::to(Conversation::Ack);
        let progress = answer.feed(b"Mensaje perdido!Mensaje", expected.as_deref());
        assert_eq!(progress, Ok(Progress::Done { excess: 7 }));
        assert_eq!(answer.judge(expected.as_deref()), Judgement::Differs);
        assert_eq!(answer.finish(), Ok(false));
    }
}
