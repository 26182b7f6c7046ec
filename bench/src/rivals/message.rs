//! The message of every round trip: 64 bytes there, 64 bytes back, and a number that proves both were read.

use crate::error::BenchError;

/// Bytes of a message, one cache line; ours carries the same.
pub const MESSAGE_BYTES: usize = 64;

/// A message as bytes.
pub type Message = [u8; MESSAGE_BYTES];

/// The number of the request that is not answered: it ends the answering side.
///
/// Closing a pipe would not do: forked processes have copies of its ends.
pub(super) const LAST_REQUEST: u64 = u64::MAX;

/// The request with this number.
#[inline]
pub(super) fn request(number: u64) -> Message {
    let mut message = [0x5A; MESSAGE_BYTES];
    message[..8].copy_from_slice(&number.to_le_bytes());
    message
}

/// What every answering side does: the number plus one, the rest copied.
#[inline]
pub(super) fn answer(request: &Message) -> Message {
    let mut message = *request;
    message[..8].copy_from_slice(&(number_of(request).wrapping_add(1)).to_le_bytes());
    message
}

/// Whether this request wants no answer.
#[inline]
pub(super) fn is_last(request: &Message) -> bool {
    number_of(request) == LAST_REQUEST
}

/// Checks an answer.
#[inline]
pub(super) fn check(number: u64, answer: &Message) -> Result<(), BenchError> {
    if number_of(answer) == number.wrapping_add(1) {
        return Ok(());
    }
    Err(wrong_answer(number, number_of(answer)))
}

#[inline]
fn number_of(message: &Message) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *message;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Out of line, so that the timed loop stays small.
#[cold]
fn wrong_answer(asked: u64, answered: u64) -> BenchError {
    BenchError::Wrong(format!("request {asked} was answered with {answered}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_answer_passes() {
        assert!(check(7, &answer(&request(7))).is_ok());
        assert!(check(7, &request(7)).is_err());
        assert!(is_last(&request(LAST_REQUEST)) && !is_last(&request(7)));
    }
}
