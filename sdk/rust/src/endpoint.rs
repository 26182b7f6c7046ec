//! Endpoints: messages of fixed layout, and being told of room, death and rebirth.

use hallows_abi::{Code, Error, Handle, Outcome, Transfer};

use crate::form::{FixedBytes, Form};
use crate::operation::{operate, operate_with};
use crate::{Deadline, Endpoint, Notification, Object, Token};

/// The bits that a watched endpoint signals.
pub mod watch {
    /// There is room again after [`hallows_abi::Error::Busy`].
    pub const ROOM: u64 = 1;
    /// The server died.
    pub const DIED: u64 = 2;
    /// The server is running again.
    pub const RUNNING: u64 = 4;
}

impl Endpoint {
    /// [`crate::call`]: sends a message and waits for its answer.
    ///
    /// # Errors
    ///
    /// As [`crate::call`].
    #[inline]
    pub fn call(
        self,
        bytes: &[u8],
        transfers: &[Transfer],
        reply: &mut [u8],
        handles: &mut [Handle],
        deadline: Deadline,
    ) -> Result<Outcome, Error> {
        crate::call(self, bytes, transfers, reply, handles, deadline)
    }

    /// [`crate::send`]: sends a message and returns at once.
    ///
    /// # Errors
    ///
    /// As [`crate::send`].
    #[inline]
    pub fn send(self, bytes: &[u8], transfers: &[Transfer], room: u32) -> Result<Token, Error> {
        crate::send(self, bytes, transfers, room)
    }

    /// Calls with a request of fixed layout and takes the answer apart. No allocation; both messages live on the stack.
    ///
    /// # Errors
    ///
    /// As [`crate::call`]; [`Error::Refused`] if the answer is not of this layout: a server answers a request that it does
    /// not understand with no bytes.
    #[inline]
    pub fn ask<Q: Form, A: Form>(self, request: &Q, deadline: Deadline) -> Result<A, Error> {
        let mut reply = A::Bytes::ZERO;
        let outcome = self.call(request.emit().as_ref(), &[], reply.as_mut(), &mut [], deadline)?;
        let bytes = reply.as_ref().get(..outcome.length as usize).unwrap_or(&[]);
        A::parse(bytes).ok_or(Error::Refused)
    }

    /// The badge that this cell sees when somebody calls through this capability of an endpoint that it serves. A capability that came in a
    /// message may be of anybody's endpoint, with a badge of anybody's choice: this tells.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`] if another cell serves it; [`Error::WrongObject`] if it is no endpoint; [`Error::BadHandle`], [`Error::Gone`].
    pub fn recognise(self) -> Result<u64, Error> {
        operate(Handle::SELF, Code::Recognise, [u64::from(self.handle().0), 0, 0]).map(|reply| reply.a)
    }

    /// Has a notification (SEND) signalled with the bits of [`watch`] from now on. WATCH. One watch for each capability.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`], [`Error::TableFull`] for an endpoint that too many watch.
    pub fn watch(self, notification: Notification) -> Result<(), Error> {
        // A message to the endpoint would go to its server, so it goes through this cell's own space.
        let named = u64::from(self.handle().0);
        operate_with(Handle::SELF, Code::Watch, [named, 0, 0], &[notification.share()]).map(|_| ())
    }
}
