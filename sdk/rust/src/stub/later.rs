//! Calls of functions whose answers come later: as futures, and as messages that are sent.

use core::future::Future;

use hallows_abi::{Error, Handle, Outcome, Transfer};
use hallows_wire::Value;

use super::{Call, discard, result};
use crate::rights::CanSend;
use crate::{Deadline, Endpoint, Received, Token};

/// What an async client calls through: [`crate::task::Events::through`].
pub trait AsyncCaller {
    /// [`super::Caller::call`], while others go on. To drop the future is to give the call up.
    ///
    /// # Errors
    ///
    /// As [`crate::call`], but never [`Error::Busy`].
    fn call(
        &self,
        bytes: &[u8],
        transfers: &[Transfer],
        reply: &mut [u8],
        handles: &mut [Handle],
        deadline: Deadline,
    ) -> impl Future<Output = Result<Outcome, Error>>;
}

impl<C: AsyncCaller> AsyncCaller for &C {
    fn call(
        &self,
        bytes: &[u8],
        transfers: &[Transfer],
        reply: &mut [u8],
        handles: &mut [Handle],
        deadline: Deadline,
    ) -> impl Future<Output = Result<Outcome, Error>> {
        (**self).call(bytes, transfers, reply, handles, deadline)
    }
}

/// What a client sends through, to hear the answer as an event.
pub trait Sender {
    /// [`crate::send`], on whatever this stands for.
    ///
    /// # Errors
    ///
    /// As [`crate::send`].
    fn send(&self, bytes: &[u8], transfers: &[Transfer], room: u32) -> Result<Token, Error>;
}

impl<T: CanSend> Sender for Endpoint<T> {
    #[inline]
    fn send(&self, bytes: &[u8], transfers: &[Transfer], room: u32) -> Result<Token, Error> {
        crate::send(*self, bytes, transfers, room)
    }
}

impl<C: Sender> Sender for &C {
    #[inline]
    fn send(&self, bytes: &[u8], transfers: &[Transfer], room: u32) -> Result<Token, Error> {
        (**self).send(bytes, transfers, room)
    }
}

impl<const GIVEN: usize, const TAKEN: usize> Call<GIVEN, TAKEN> {
    /// [`Call::between`], while others go on.
    ///
    /// # Errors
    ///
    /// As [`Call::between`], but never [`Error::Busy`].
    pub async fn between_async<'p, 'm, P: Value<'p>, R: Value<'m>>(
        self,
        caller: &impl AsyncCaller,
        parameters: &P,
        request: &mut [u8],
        reply: &'m mut [u8],
    ) -> Result<R, Error> {
        let mut transfers = [const { Transfer::copy(Handle::NULL) }; GIVEN];
        let (written, given) = self.emit(parameters, request, &mut transfers)?;
        let request = request.get(..written).unwrap_or(&[]);
        self.exchange_async(caller, request, transfers.get(..given).unwrap_or(&[]), reply).await
    }

    /// [`Call::within`], while others go on.
    ///
    /// # Errors
    ///
    /// As [`Call::within`], but never [`Error::Busy`].
    pub async fn within_async<'p, 'm, P: Value<'p>, R: Value<'m>>(
        self,
        caller: &impl AsyncCaller,
        parameters: &P,
        room: &'m mut [u8],
    ) -> Result<R, Error> {
        let mut transfers = [const { Transfer::copy(Handle::NULL) }; GIVEN];
        let (written, given) = self.emit(parameters, room, &mut transfers)?;
        let (request, reply) = room.split_at_mut_checked(written).ok_or(Error::TooLong)?;
        self.exchange_async(caller, request, transfers.get(..given).unwrap_or(&[]), reply).await
    }

    async fn exchange_async<'m, R: Value<'m>>(
        self,
        caller: &impl AsyncCaller,
        request: &[u8],
        transfers: &[Transfer],
        reply: &'m mut [u8],
    ) -> Result<R, Error> {
        let mut handles = [Handle::NULL; TAKEN];
        let outcome = caller.call(request, transfers, reply, &mut handles, self.deadline).await?;
        let handles = handles.get(..outcome.handles as usize).unwrap_or(&[]);
        let reply: &'m [u8] = reply;
        result(reply.get(..outcome.length as usize).unwrap_or(&[]), handles).inspect_err(|_| discard(handles))
    }

    /// Sends the request, put together in a place of its own; its answer, of at most `room` bytes, comes as an event.
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`] if the parameters do not fit into the request's place; those of [`crate::send`].
    pub fn send<'p, P: Value<'p>>(
        self,
        sender: &impl Sender,
        parameters: &P,
        request: &mut [u8],
        room: u32,
    ) -> Result<Token, Error> {
        let mut transfers = [const { Transfer::copy(Handle::NULL) }; GIVEN];
        let (written, given) = self.emit(parameters, request, &mut transfers)?;
        sender.send(request.get(..written).unwrap_or(&[]), transfers.get(..given).unwrap_or(&[]), room)
    }
}

/// The result in the answer to a message that was sent.
///
/// # Errors
///
/// Those of [`Call::between`].
pub fn answered<'m, R: Value<'m>>(received: Received<'m>) -> Result<R, Error> {
    let Received { bytes, handles, .. } = received;
    bytes.and_then(|bytes| result(bytes, handles)).inspect_err(|_| discard(handles))
}
