//! Endpoints: messages of fixed layout, and being told of room, death and rebirth.

use hallows_abi::{Error, Handle, OnEndpoint, Outcome, Transfer};

use crate::form::{FixedBytes, Form};
use crate::operation::{operate_to_count, operate_with};
use crate::rights::{CanManage, CanSend, CanWatch, RightSet};
use crate::{Cell, Deadline, Endpoint, Notification, Object, Token};

/// The bits that a watched endpoint signals.
pub mod watch {
    /// There is room again after [`hallows_abi::Error::Busy`].
    pub const ROOM: u64 = 1;
    /// The server died.
    pub const DIED: u64 = 2;
    /// The server is running again, or another one serves.
    pub const RUNNING: u64 = 4;
}

impl<R: CanSend> Endpoint<R> {
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
}

impl<R: RightSet> Endpoint<R> {
    /// The badge that this cell sees when somebody calls through this capability of an endpoint that it serves. A capability that came in a
    /// message may be of anybody's endpoint, with a badge of anybody's choice: this tells.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`] if another cell serves it; [`Error::WrongObject`] if it is no endpoint; [`Error::BadHandle`], [`Error::Gone`].
    pub fn recognise(self) -> Result<u64, Error> {
        operate_to_count(Handle::SELF, OnEndpoint::Recognise { endpoint: self.handle() }, &[])
    }
}

impl<R: CanManage> Endpoint<R> {
    /// Another cell (MANAGE) serves this endpoint from now on: who calls through any of its capabilities reaches it. What the present server has
    /// taken or queued it still answers. How many such calls former servers have left; ask again with the same cell to see them go. MANAGE.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`]; [`Error::NotReady`] if the cell does not run; [`Error::BadState`] if it is passive and the present one is not, or the
    /// other way round; [`Error::Busy`] if too many former servers have calls to answer; [`Error::BadHandle`], [`Error::Gone`].
    pub fn reassign<C: CanManage>(self, cell: Cell<C>) -> Result<u64, Error> {
        let operation = OnEndpoint::Reassign { endpoint: self.handle(), to_another: true };
        operate_to_count(Handle::SELF, operation, &[Transfer::copy(cell.handle())])
    }

    /// The same with the calling cell.
    ///
    /// # Errors
    ///
    /// As [`reassign`](Self::reassign).
    pub fn take_over(self) -> Result<u64, Error> {
        let operation = OnEndpoint::Reassign { endpoint: self.handle(), to_another: false };
        operate_to_count(Handle::SELF, operation, &[])
    }
}

impl<R: CanWatch> Endpoint<R> {
    /// Has a notification (SEND) signalled with the bits of [`watch`] from now on. WATCH. One watch for each capability.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`], [`Error::TableFull`] for an endpoint that too many watch.
    pub fn watch<N: CanSend>(self, notification: Notification<N>) -> Result<(), Error> {
        // A message to the endpoint would go to its server, so it goes through this cell's own space.
        let operation = OnEndpoint::Watch { endpoint: self.handle() };
        operate_with(Handle::SELF, operation, &[Transfer::copy(notification.handle())]).map(|_| ())
    }
}
