//! The three calls and their fusions, on slices.

use hallows_abi::{Error, Event, EventKind, Handle, MAX_TRANSFERS, Outcome, Transfer};

use crate::rights::CanSend;
use crate::{Deadline, Endpoint, Object, sys};

/// A message under way: what `send` gave for its answer, or what a received message is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Token(pub u64);

/// Sends a message, with capabilities, and returns at once; [`wait`] brings its answer later, of at most `room` bytes.
///
/// # Errors
///
/// [`Error::Busy`] if the queue or the sender's quota is full: nothing was sent. [`Error::TooLong`] for more than
/// [`hallows_abi::MAX_MESSAGE`] bytes or [`MAX_TRANSFERS`] capabilities. Else what the endpoint's state or the
/// capabilities' rights forbid.
#[inline]
pub fn send<R: CanSend>(
    endpoint: Endpoint<R>,
    bytes: &[u8],
    transfers: &[Transfer],
    room: u32,
) -> Result<Token, Error> {
    let packed = if transfers.is_empty() {
        sys::send(endpoint.handle(), bytes, &[], room)
    } else {
        sys::send(endpoint.handle(), bytes, Forms::new(transfers)?.list(), room)
    };
    decode(packed).map(|token| Token(token.cast_unsigned()))
}

/// Answers a message that was received.
///
/// # Errors
///
/// [`Error::BadToken`] if there is no such message, or it is answered already. [`Error::AnswerTooLong`] if the sender has
/// less room: it gets that error instead.
#[inline]
pub fn answer(token: Token, bytes: &[u8], transfers: &[Transfer]) -> Result<(), Error> {
    let packed = if transfers.is_empty() {
        sys::answer(token.0, bytes, &[])
    } else {
        sys::answer(token.0, bytes, Forms::new(transfers)?.list())
    };
    decode(packed).map(|_| ())
}

/// Waits for the next event. What comes with it is put into `buffer` and `handles`; the event says how much.
///
/// The deadline's coming is an event too ([`hallows_abi::EventKind::Deadline`]).
///
/// # Errors
///
/// [`Error::NothingToWaitFor`] if the wait could never end; [`Error::NotInHandler`] in a passive server's handler;
/// [`Error::Killed`].
#[inline]
pub fn wait(buffer: &mut [u8], handles: &mut [Handle], deadline: Deadline) -> Result<Event, Error> {
    let mut event = sys::EventForm([0; Event::SIZE]);
    let packed = sys::wait(&mut event, buffer, handles, deadline.argument());
    received(packed, &event)
}

/// Sends a message and waits for its answer: [`send`] and [`wait`] in one. The answer is put into `reply`, capabilities
/// that come with it into `handles`.
///
/// # Errors
///
/// Those of [`send`]; [`Error::DeadlinePassed`]; [`Error::AnswerTooLong`]; [`Error::ServerDied`] if the server ended before it
/// answered; [`Error::Deadlock`] and [`Error::TooDeep`] of protected calls.
#[inline]
pub fn call<R: CanSend>(
    endpoint: Endpoint<R>,
    bytes: &[u8],
    transfers: &[Transfer],
    reply: &mut [u8],
    handles: &mut [Handle],
    deadline: Deadline,
) -> Result<Outcome, Error> {
    call_handle(endpoint.handle(), bytes, transfers, reply, handles, deadline)
}

/// [`call`] on an object of any kind.
#[inline]
pub(crate) fn call_handle(
    object: Handle,
    bytes: &[u8],
    transfers: &[Transfer],
    reply: &mut [u8],
    handles: &mut [Handle],
    deadline: Deadline,
) -> Result<Outcome, Error> {
    let deadline = deadline.argument();
    let packed = if transfers.is_empty() {
        sys::call(object, bytes, &[], reply, handles, deadline)
    } else {
        sys::call(object, bytes, Forms::new(transfers)?.list(), reply, handles, deadline)
    };
    decode(packed).map(Outcome::unpack)
}

/// Answers a message and waits for the next event: [`answer`] and [`wait`] in one.
///
/// # Errors
///
/// Those of both. After an error of the answer, nothing was waited for.
#[inline]
pub fn answer_wait(
    token: Token,
    bytes: &[u8],
    transfers: &[Transfer],
    buffer: &mut [u8],
    handles: &mut [Handle],
    deadline: Deadline,
) -> Result<Event, Error> {
    let mut event = sys::EventForm([0; Event::SIZE]);
    let deadline = deadline.argument();
    let packed = if transfers.is_empty() {
        sys::answer_wait(token.0, bytes, &[], &mut event, buffer, handles, deadline)
    } else {
        let forms = Forms::new(transfers)?;
        sys::answer_wait(token.0, bytes, forms.list(), &mut event, buffer, handles, deadline)
    };
    received(packed, &event)
}

/// Gives the processor away for so long: a wait whose only event is its deadline. Only for programs to which no other event can
/// come; one that does ends the pause and is lost.
///
/// # Errors
///
/// [`Error::Killed`]; [`Error::NotInHandler`].
pub fn pause(duration: core::time::Duration) -> Result<(), Error> {
    wait(&mut [], &mut [], Deadline::after(duration)?).map(|_| ())
}

/// The result of a call's packed form. Errors are the rare case, so they are decoded out of line.
#[inline]
pub(crate) fn decode(packed: i64) -> Result<i64, Error> {
    if packed >= 0 { Ok(packed) } else { Err(decode_error(packed)) }
}

#[cold]
fn decode_error(packed: i64) -> Error {
    match hallows_abi::decode_result(packed) {
        Err(error) => error,
        // Only for a packed success, which the caller has ruled out.
        Ok(_) => Error::Unsupported,
    }
}

#[inline]
fn received(packed: i64, event: &sys::EventForm) -> Result<Event, Error> {
    decode(packed)?;
    // An event that does not parse comes from a kernel that is newer than the program.
    Event::parse(&event.0).ok_or(Error::Unsupported)
}

/// A message's capabilities in their form in memory.
pub(crate) struct Forms {
    forms: [sys::TransferForm; MAX_TRANSFERS as usize],
    count: usize,
}

impl Forms {
    /// Their form; [`Error::TooLong`] if they are too many for one message.
    #[cold]
    pub(crate) fn new(transfers: &[Transfer]) -> Result<Self, Error> {
        let mut forms = [sys::TransferForm([0; Transfer::SIZE]); MAX_TRANSFERS as usize];
        if transfers.len() > forms.len() {
            return Err(Error::TooLong);
        }
        for (form, transfer) in forms.iter_mut().zip(transfers) {
            form.0 = transfer.emit();
        }
        Ok(Self { forms, count: transfers.len() })
    }

    fn list(&self) -> &[sys::TransferForm] {
        self.forms.get(..self.count).unwrap_or(&[])
    }
}

/// The bytes and handles that came with an event, out of the buffers that were given to [`wait`].
#[must_use]
pub fn contents<'a>(event: &Event, buffer: &'a [u8], handles: &'a [Handle]) -> (&'a [u8], &'a [Handle]) {
    let carries = matches!(event.kind, EventKind::Message | EventKind::Answer);
    let (length, count) = if carries { (event.length, event.handles) } else { (0, 0) };
    // The kernel never says more than fits; if it did, nothing is taken for granted.
    (buffer.get(..length as usize).unwrap_or(&[]), handles.get(..count as usize).unwrap_or(&[]))
}

#[cfg(test)]
mod tests {
    use std::prelude::v1::*;

    use hallows_abi::{Error, Handle, MAX_TRANSFERS, Rights, Transfer, TransferMode};

    use super::{Forms, decode};

    #[test]
    fn capabilities_are_given_in_their_form_and_order() {
        let transfers = [
            Transfer::copy(Handle(7)),
            Transfer { handle: Handle(9), rights: Rights::SEND, mode: TransferMode::Move },
        ];
        let forms = Forms::new(&transfers).expect("two capabilities fit");
        let parsed: Vec<_> = forms.list().iter().map(|form| Transfer::parse(&form.0)).collect();
        assert_eq!(parsed, [Some(transfers[0]), Some(transfers[1])]);
    }

    #[test]
    fn one_capability_too_many_is_too_long() {
        let transfers = [Transfer::copy(Handle(7)); MAX_TRANSFERS as usize + 1];
        assert!(Forms::new(&transfers[1..]).is_ok());
        assert_eq!(Forms::new(&transfers).err(), Some(Error::TooLong));
    }

    #[test]
    fn results_are_errors_exactly_when_negative() {
        assert_eq!(decode(0), Ok(0));
        assert_eq!(decode(i64::MAX), Ok(i64::MAX));
        for error in Error::ALL {
            assert_eq!(decode(-i64::from(error.number())), Err(error));
        }
        assert_eq!(decode(i64::MIN), Err(Error::Unsupported));
    }
}
