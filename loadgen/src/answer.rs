//! What counts as the answer to a request, in each conversation.

use crate::http::{RequestMethod, StatusCodes};
use crate::request::{Cause, Phase, RequestOutcome};
use crate::response::{InvalidResponse, ParseProgress, ResponseParser};
use crate::workload::{ClientProtocol, Workload};

/// The acknowledgement of the `ack` conversation.
const ACKNOWLEDGEMENT: &[u8] = b"Mensaje recibido";

/// What makes an answer right.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ExpectedAnswer {
    /// Its status, in HTTP.
    pub(crate) status: StatusCodes,
    /// Its body; `None` accepts any.
    pub(crate) body: Option<Vec<u8>>,
}

impl ExpectedAnswer {
    /// The right answer to the requests of `workload`: in HTTP what the user says, otherwise what the conversation does.
    pub(crate) fn new(workload: &Workload) -> Self {
        Self {
            status: workload.expected_status.clone(),
            body: match workload.conversation {
                ClientProtocol::Http => workload.expected_body.clone(),
                ClientProtocol::Ack => Some(ACKNOWLEDGEMENT.to_vec()),
                ClientProtocol::Echo => Some(workload.message.clone()),
            },
        }
    }
}

/// The answer that one slot is receiving.
#[derive(Debug)]
pub(crate) enum Answer {
    /// An HTTP response; its head determines its length.
    Http(ResponseParser),
    /// An `ack` or `echo` answer: it has no framing and ends after the expected number of bytes.
    Bytes {
        /// Bytes received.
        seen: usize,
        /// Whether any byte differs from the expected one.
        differs: bool,
    },
}

impl Answer {
    /// The parser for a conversation, and in HTTP for the answers to `method`.
    pub(crate) fn new(conversation: ClientProtocol, method: &RequestMethod) -> Self {
        match conversation {
            ClientProtocol::Http if method.is_head() => {
                Self::Http(ResponseParser::for_head_requests())
            }
            ClientProtocol::Http => Self::Http(ResponseParser::default()),
            ClientProtocol::Ack | ClientProtocol::Echo => Self::Bytes {
                seen: 0,
                differs: false,
            },
        }
    }

    /// Forgets the current answer and expects the next one.
    pub(crate) fn reset(&mut self) {
        match self {
            Self::Http(response) => response.reset(),
            Self::Bytes { seen, differs } => (*seen, *differs) = (0, false),
        }
    }

    /// Parses the next received bytes; see [`ResponseParser::feed`].
    pub(crate) fn feed(
        &mut self,
        input: &[u8],
        expected: &ExpectedAnswer,
    ) -> Result<ParseProgress, InvalidResponse> {
        let expected = expected.body.as_deref();
        match self {
            Self::Http(response) => response.feed(input, expected),
            Self::Bytes { seen, differs } => {
                let rest = expected.map_or(&[][..], |expected| &expected[*seen..]);
                let here = input.len().min(rest.len());
                *differs |= input[..here] != rest[..here];
                *seen += here;
                let excess = input.len() - here;
                Ok(match here == rest.len() {
                    true => ParseProgress::Done { excess },
                    false => ParseProgress::More,
                })
            }
        }
    }

    /// Reports that the server closed; true if that completes the answer; see [`ResponseParser::finish`].
    pub(crate) fn finish(&mut self) -> Result<bool, InvalidResponse> {
        match self {
            Self::Http(response) => response.finish(),
            Self::Bytes { .. } => Ok(false),
        }
    }

    /// Whether the server will accept another request on this connection; meaningful when the answer is complete.
    pub(crate) fn keep_alive(&self) -> bool {
        match self {
            Self::Http(response) => response.keep_alive(),
            Self::Bytes { .. } => true,
        }
    }

    /// Whether the head of the answer is still missing or incomplete.
    pub(crate) fn is_in_head(&self) -> bool {
        matches!(self, Self::Http(response) if response.status().is_none())
    }

    /// The unexpected status that makes this answer a failure; known once its head is complete.
    pub(crate) fn bad_status(&self, expected: &ExpectedAnswer) -> Option<u16> {
        match self {
            Self::Http(response) => {
                let status = response.status();
                status.filter(|status| !expected.status.contains(*status))
            }
            Self::Bytes { .. } => None,
        }
    }

    /// The outcome of a complete answer, which `excess` bytes followed that belong to none.
    pub(crate) fn outcome(&self, expected: &ExpectedAnswer, excess: usize) -> RequestOutcome {
        let is_right = match self {
            Self::Http(response) => {
                let body = expected.body.as_deref();
                body.is_none_or(|body| response.body_is(body))
            }
            Self::Bytes { differs, .. } => !differs,
        };
        match self.bad_status(expected) {
            Some(status) => RequestOutcome::Failed(Cause::Status(status), Phase::Head),
            None if is_right && excess == 0 => RequestOutcome::Ok,
            None => RequestOutcome::Failed(Cause::BadBody, Phase::MidBody),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use proptest::prelude::*;

    use super::*;

    /// The right answer of a conversation to `message`.
    fn expected_answer(conversation: ClientProtocol, message: &[u8]) -> ExpectedAnswer {
        ExpectedAnswer::new(&Workload {
            conversation,
            message: message.to_vec(),
            ..Workload::new(SocketAddr::from(([127, 0, 0, 1], 80)))
        })
    }

    proptest! {
        #[test]
        fn an_echo_is_complete_with_its_last_byte_however_it_is_cut(
            message in proptest::collection::vec(any::<u8>(), 1..200),
            piece in 1usize..40,
        ) {
            let expected = expected_answer(ClientProtocol::Echo, &message);
            let mut answer = Answer::new(ClientProtocol::Echo, &RequestMethod::GET);
            let mut left = message.len();
            for piece in message.chunks(piece) {
                left -= piece.len();
                let progress = answer.feed(piece, &expected).unwrap();
                prop_assert_eq!(progress == ParseProgress::Done { excess: 0 }, left == 0);
            }
            prop_assert_eq!(answer.outcome(&expected, 0), RequestOutcome::Ok);
        }
    }

    #[test]
    fn another_acknowledgement_is_wrong_and_surplus_bytes_are_told() {
        let expected = expected_answer(ClientProtocol::Ack, b"Hola");
        let mut answer = Answer::new(ClientProtocol::Ack, &RequestMethod::GET);
        let progress = answer.feed(b"Mensaje perdido!Mensaje", &expected);
        assert_eq!(progress, Ok(ParseProgress::Done { excess: 7 }));
        let wrong = RequestOutcome::Failed(Cause::BadBody, Phase::MidBody);
        assert_eq!(answer.outcome(&expected, 0), wrong);
        assert_eq!(answer.finish(), Ok(false));
    }
}
