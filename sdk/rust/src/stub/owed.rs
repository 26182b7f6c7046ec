//! Answers that a server owes: those of functions that it answers later.

use core::marker::PhantomData;

use hallows_abi::{Error, Handle, MAX_TRANSFERS, Transfer};
use hallows_wire::{Encoder, Status, Value};

use super::{Request, delete};
use crate::{Answer, Token};

/// Bytes of answers that [`Later::answer`] puts together on the stack.
const USUAL_BYTES: usize = 1_024;

/// A function of an interface, as what its answers are.
pub trait Function {
    /// What it gives back.
    type Answer<'m>: Value<'m>;
}

/// The answer that a caller of this function is owed. Keep it, and answer when there is something to say; if it is dropped, the caller is
/// answered with no bytes ([`Error::Refused`]), so that nobody waits for ever. For active servers.
#[derive(Debug)]
#[must_use = "if it is dropped, the caller is refused"]
pub struct Later<F> {
    token: Option<Token>,
    /// What was lent for the call, and how many of them.
    lent: [Handle; MAX_TRANSFERS as usize],
    count: usize,
    function: PhantomData<F>,
}

impl<F: Function> Later<F> {
    /// Answers with a result that takes at most 1,024 bytes.
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`] if it takes more: the caller is told [`Error::AnswerTooLong`]. Those of [`crate::answer`]: [`Error::BadToken`] if who
    /// asked does not wait any more.
    pub fn answer(self, result: &F::Answer<'_>) -> Result<(), Error> {
        self.answer_within(result, &mut [0; USUAL_BYTES])
    }

    /// Answers, with room for the message.
    ///
    /// # Errors
    ///
    /// As [`Self::answer`], with the room's length.
    pub fn answer_within(mut self, result: &F::Answer<'_>, room: &mut [u8]) -> Result<(), Error> {
        self.give_back();
        let Some(token) = self.token.take() else { return Err(Error::BadToken) };
        let mut transfers = [const { Transfer::copy(Handle::NULL) }; MAX_TRANSFERS as usize];
        let mut encoder = Encoder::new(room, &mut transfers);
        let put = encoder.bytes(&[Status::Done as u8]).and_then(|()| result.put(&mut encoder));
        let (written, given) = (encoder.written(), encoder.given());
        if put.is_none() {
            crate::answer(token, &[Status::ResultTooLong as u8], &[])?;
            return Err(Error::TooLong);
        }
        crate::answer(token, room.get(..written).unwrap_or(&[]), transfers.get(..given).unwrap_or(&[]))
    }
}

impl<F> Later<F> {
    fn give_back(&mut self) {
        for handle in self.lent.iter().take(core::mem::take(&mut self.count)) {
            delete(*handle);
        }
    }
}

impl<F> Drop for Later<F> {
    fn drop(&mut self) {
        self.give_back();
        if let Some(token) = self.token.take() {
            // Whoever has given up needs no answer.
            let _ = crate::answer(token, &[], &[]);
        }
    }
}

impl Request<'_> {
    /// The answer to the message of this token, to be given later. Take the parameters first.
    pub fn later<F>(&self, token: Token) -> Later<F> {
        let mut lent = [Handle::NULL; MAX_TRANSFERS as usize];
        let is_lent = |place: &usize| self.lent >> place & 1 == 1;
        let handles = self.handles.iter().enumerate().filter(|(place, _)| is_lent(place));
        let mut count = 0;
        for (place, (_, handle)) in lent.iter_mut().zip(handles) {
            *place = *handle;
            count += 1;
        }
        Later { token: Some(token), lent, count, function: PhantomData }
    }

    /// It is answered later.
    pub fn deferred<'a>(self) -> Answer<'a> {
        Answer::Later
    }
}
