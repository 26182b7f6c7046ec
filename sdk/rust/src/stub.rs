//! What generated stubs stand on: how a client calls a function of an interface, and how a server answers it.
//!
//! `hallows interface stubs` makes the rest from an interface: types, a client, a trait for the server. Encoding and
//! protocol are specified in `docs/interfaces.md`. Why so much is inlined always: see `hallows-wire`.

pub use hallows_abi::{Error, Handle};
use hallows_abi::{Outcome, Transfer};
pub use hallows_wire::{Borrow, Decoder, Encoder, Items, List, Own, Resource, Status, Value};

mod later;
mod owed;

pub use crate::{Answer, Deadline, Endpoint, Message, Received, Token};
pub use later::{AsyncCaller, Sender, answered};
pub use owed::{Function, Later};

use crate::rights::CanSend;
use crate::{Connection, Reply, space};

/// Bytes of a function's tag, which every request begins with.
pub const TAG_BYTES: usize = 4;

/// An interface, as its client: what [`crate::registry`] looks for.
pub trait Interface {
    /// What its authors call it.
    const NAME: &'static str;
    /// Its identity.
    const HASH: [u8; 32];

    /// Its client, over an endpoint that answers it.
    fn through(endpoint: Endpoint) -> Self;
}

/// What a client calls through.
pub trait Caller {
    /// [`crate::call`], on whatever this stands for.
    ///
    /// # Errors
    ///
    /// As [`crate::call`].
    fn call(
        &self,
        bytes: &[u8],
        transfers: &[Transfer],
        reply: &mut [u8],
        handles: &mut [Handle],
        deadline: Deadline,
    ) -> Result<Outcome, Error>;
}

impl<T: CanSend> Caller for Endpoint<T> {
    #[inline(always)]
    fn call(
        &self,
        bytes: &[u8],
        transfers: &[Transfer],
        reply: &mut [u8],
        handles: &mut [Handle],
        deadline: Deadline,
    ) -> Result<Outcome, Error> {
        crate::call(*self, bytes, transfers, reply, handles, deadline)
    }
}

impl Caller for Connection {
    #[inline(always)]
    fn call(
        &self,
        bytes: &[u8],
        transfers: &[Transfer],
        reply: &mut [u8],
        handles: &mut [Handle],
        deadline: Deadline,
    ) -> Result<Outcome, Error> {
        self.call(bytes, transfers, reply, handles, deadline)
    }
}

impl<C: Caller> Caller for &C {
    #[inline(always)]
    fn call(
        &self,
        bytes: &[u8],
        transfers: &[Transfer],
        reply: &mut [u8],
        handles: &mut [Handle],
        deadline: Deadline,
    ) -> Result<Outcome, Error> {
        (**self).call(bytes, transfers, reply, handles, deadline)
    }
}

/// One call of a function: its tag, at most `GIVEN` capabilities there, at most `TAKEN` back.
#[derive(Clone, Copy, Debug)]
pub struct Call<const GIVEN: usize, const TAKEN: usize> {
    tag: u32,
    deadline: Deadline,
}

impl<const GIVEN: usize, const TAKEN: usize> Call<GIVEN, TAKEN> {
    /// Of the function with this tag.
    #[inline(always)]
    #[must_use]
    pub const fn new(tag: u32, deadline: Deadline) -> Self {
        Self { tag, deadline }
    }

    /// Calls, with a place for the request and one for the answer: those of a function whose messages are never long.
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`] if the parameters do not fit into the request's place. Those of [`crate::call`]. What the server says:
    /// [`Error::UnknownOperation`] and [`Error::BadArgument`] if it serves another interface, or what is called is another kind of
    /// resource; [`Error::AnswerTooLong`] if its result is too long for itself; [`Error::Gone`] if it has not, or no more, what is called.
    /// [`Error::Refused`] if the answer is none of this function.
    #[inline(always)]
    pub fn between<'p, 'm, P: Value<'p>, R: Value<'m>>(
        self,
        caller: &impl Caller,
        parameters: &P,
        request: &mut [u8],
        reply: &'m mut [u8],
    ) -> Result<R, Error> {
        let mut transfers = [const { Transfer::copy(Handle::NULL) }; GIVEN];
        let (written, given) = self.emit(parameters, request, &mut transfers)?;
        let request = request.get(..written).unwrap_or(&[]);
        self.exchange(caller, request, transfers.get(..given).unwrap_or(&[]), reply)
    }

    /// Calls, with one place for both messages: the request is put to its front, and the answer gets what is left.
    ///
    /// # Errors
    ///
    /// As [`Self::between`].
    #[inline(always)]
    pub fn within<'p, 'm, P: Value<'p>, R: Value<'m>>(
        self,
        caller: &impl Caller,
        parameters: &P,
        room: &'m mut [u8],
    ) -> Result<R, Error> {
        let mut transfers = [const { Transfer::copy(Handle::NULL) }; GIVEN];
        let (written, given) = self.emit(parameters, room, &mut transfers)?;
        let (request, reply) = room.split_at_mut_checked(written).ok_or(Error::TooLong)?;
        self.exchange(caller, request, transfers.get(..given).unwrap_or(&[]), reply)
    }

    #[inline(always)]
    fn emit<'p, P: Value<'p>>(
        self,
        parameters: &P,
        request: &mut [u8],
        transfers: &mut [Transfer],
    ) -> Result<(usize, usize), Error> {
        let mut encoder = Encoder::new(request, transfers);
        self.tag.put(&mut encoder).and_then(|()| parameters.put(&mut encoder)).ok_or(Error::TooLong)?;
        Ok((encoder.written(), encoder.given()))
    }

    #[inline(always)]
    fn exchange<'m, R: Value<'m>>(
        self,
        caller: &impl Caller,
        request: &[u8],
        transfers: &[Transfer],
        reply: &'m mut [u8],
    ) -> Result<R, Error> {
        let mut handles = [Handle::NULL; TAKEN];
        let outcome = caller.call(request, transfers, reply, &mut handles, self.deadline)?;
        let handles = handles.get(..outcome.handles as usize).unwrap_or(&[]);
        let reply: &'m [u8] = reply;
        result(reply.get(..outcome.length as usize).unwrap_or(&[]), handles).inspect_err(|_| discard(handles))
    }
}

/// The result in an answer.
#[inline(always)]
fn result<'m, R: Value<'m>>(answer: &'m [u8], handles: &[Handle]) -> Result<R, Error> {
    let (status, bytes) = answer.split_first().ok_or(Error::Refused)?;
    Status::result(*status)?;
    let mut decoder = Decoder::new(bytes, handles);
    let result = R::take(&mut decoder).ok_or(Error::Refused)?;
    decoder.end().map(|()| result).ok_or(Error::Refused)
}

/// Deletes capabilities that nobody will use, or whoever sends rubbish fills this cell's space.
#[inline(always)]
fn discard(handles: &[Handle]) {
    for handle in handles {
        delete(*handle);
    }
}

#[cold]
fn delete(handle: Handle) {
    // If there is none, there is nothing to delete.
    let _ = space::delete(Endpoint::from_handle(handle));
}

/// The badge of a resource that this cell serves: which one it is.
///
/// # Errors
///
/// Those of [`Endpoint::recognise`]. None for a parameter that stubs have let through, until it is deleted or revoked.
pub fn badge(resource: impl Resource) -> Result<u64, Error> {
    Endpoint::from_handle(resource.capability()).recognise()
}

/// Who calls a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The badge of the capability that it calls through: which client it is, or which resource is called.
    pub badge: u64,
}

/// A request to a server, until it is answered.
#[derive(Debug)]
pub struct Request<'a> {
    tag: u32,
    parameters: &'a [u8],
    handles: &'a [Handle],
    badge: u64,
    /// A bit for each handle that is given back with the answer.
    lent: u8,
    reply: Reply<'a>,
}

impl<'a> Request<'a> {
    /// From a message.
    ///
    /// # Errors
    ///
    /// The answer to one that is too short for a request.
    #[inline(always)]
    pub fn open(message: Message<'a>) -> Result<Self, Answer<'a>> {
        let Message { bytes, handles, badge, reply, .. } = message;
        let (tag, parameters) = match bytes.split_first_chunk::<TAG_BYTES>() {
            Some((tag, parameters)) => (u32::from_le_bytes(*tag), parameters),
            None => (0, bytes),
        };
        let request = Self { tag, parameters, handles, badge, lent: 0, reply };
        if bytes.len() < TAG_BYTES { Err(request.refuse(Status::Malformed)) } else { Ok(request) }
    }

    /// The function that is called.
    #[inline(always)]
    #[must_use]
    pub const fn tag(&self) -> u32 {
        self.tag
    }

    /// Who calls.
    #[inline(always)]
    #[must_use]
    pub const fn client(&self) -> Client {
        Client { badge: self.badge }
    }

    /// The parameters; `None` if they are not of this type. They may be views of the message.
    #[inline(always)]
    pub fn parameters<P: Value<'a>>(&mut self) -> Option<P> {
        let mut decoder = Decoder::new(self.parameters, self.handles);
        let parameters = P::take(&mut decoder)?;
        decoder.end()?;
        self.lent = decoder.handles().lent();
        Some(parameters)
    }

    /// The parameters of a function that takes resources of its own interface; `None` also if one of those is not this server's, or of another
    /// kind than it is taken for. The kernel says which badge it has, and `kind` which kind that badge stands for ([`Resource::KIND`]).
    #[inline(always)]
    pub fn recognised<P: Value<'a>>(&mut self, kind: impl Fn(u64) -> Option<u8>) -> Option<P> {
        let mut decoder = Decoder::new(self.parameters, self.handles);
        let parameters = P::take(&mut decoder)?;
        decoder.end()?;
        for (handle, expected) in decoder.handles().own_kinds() {
            let badge = Endpoint::from_handle(handle).recognise().ok()?;
            if kind(badge) != Some(expected) {
                return None;
            }
        }
        self.lent = decoder.handles().lent();
        Some(parameters)
    }

    /// Answers it with a result that has at most `GIVEN` capabilities.
    #[inline(always)]
    pub fn answer<'r, const GIVEN: usize, R: Value<'r>>(mut self, result: &R) -> Answer<'a> {
        if self.lent != 0 {
            self.give_back();
        }
        let mut transfers = [const { Transfer::copy(Handle::NULL) }; GIVEN];
        let mut encoder = Encoder::new(self.reply.room(), &mut transfers);
        let put = encoder.bytes(&[Status::Done as u8]).and_then(|()| result.put(&mut encoder));
        let (written, given) = (encoder.written(), encoder.given());
        if put.is_none() {
            return self.say(Status::ResultTooLong);
        }
        self.reply.filled(written);
        for transfer in transfers.into_iter().take(given) {
            // There are at most as many as a message may have: the generator counts them.
            let _ = self.reply.give(transfer);
        }
        self.reply.done()
    }

    /// Answers that there is no such function.
    #[cold]
    pub fn unknown(self) -> Answer<'a> {
        self.refuse(Status::UnknownFunction)
    }

    /// Answers that what it came through stands for nothing.
    #[cold]
    pub fn gone(self) -> Answer<'a> {
        self.refuse(Status::Gone)
    }

    /// Answers that these are not its parameters.
    #[cold]
    pub fn malformed(self) -> Answer<'a> {
        self.refuse(Status::Malformed)
    }

    #[cold]
    fn refuse(self, status: Status) -> Answer<'a> {
        discard(self.handles);
        self.say(status)
    }

    #[cold]
    fn say(mut self, status: Status) -> Answer<'a> {
        let _ = self.reply.put(&[status as u8]);
        self.reply.done()
    }

    /// Gives back what was lent for the call.
    #[cold]
    fn give_back(&self) {
        for (place, handle) in self.handles.iter().enumerate() {
            if self.lent >> place & 1 == 1 {
                delete(*handle);
            }
        }
    }
}

#[cfg(test)]
mod tests;
