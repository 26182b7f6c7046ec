//! Calls whose answers come later.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use hallows_abi::{Error, Handle, MAX_TRANSFERS, Transfer};

use super::Events;
use crate::form::Form;
use crate::rights::CanSend;
use crate::{Deadline, Endpoint, Token, space};

/// How long a call waits that found a queue full: some answers take less.
const FULL: Duration = Duration::from_micros(50);

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The capabilities that came with it, in this cell's space now.
    pub handles: Vec<Handle>,
}

impl Answered {
    pub(super) fn new(bytes: &[u8], handles: &[Handle]) -> Self {
        Self { bytes: bytes.to_vec(), handles: handles.to_vec() }
    }

    /// Its bytes as text; `None` if they are none.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        core::str::from_utf8(&self.bytes).ok()
    }

    /// Nobody wants it: its capabilities would fill the space.
    pub(super) fn discard(&self) {
        for handle in &self.handles {
            // If there is none, there is nothing to delete.
            let _ = space::delete(Endpoint::from_handle(*handle));
        }
    }
}

/// Where an answer goes.
#[derive(Debug)]
pub(super) enum Place {
    /// To a future that waits for it.
    Waiting(Option<Waker>),
    /// It is there.
    Arrived(Result<Answered, Error>),
    /// Nowhere: who waited was dropped.
    Abandoned,
}

/// Puts an answer into its place; who is to be woken.
pub(super) fn arrived(
    answers: &mut BTreeMap<u64, Place>,
    token: u64,
    answered: Result<Answered, Error>,
) -> Option<Waker> {
    match answers.get_mut(&token) {
        Some(place @ Place::Waiting(_)) => match core::mem::replace(place, Place::Arrived(answered)) {
            Place::Waiting(waker) => waker,
            Place::Arrived(_) | Place::Abandoned => None,
        },
        // Sent by somebody else, or given up.
        _ => {
            answers.remove(&token);
            if let Ok(answered) = answered {
                answered.discard();
            }
            None
        }
    }
}

impl Events {
    /// Sends a message and waits for its answer, of at most `room` bytes; others go on meanwhile. A queue that is full is tried again.
    /// A passive server answers at once, on this thread.
    ///
    /// To drop it is to give the call up: the server still does what it was asked, and its answer is thrown away.
    ///
    /// # Errors
    ///
    /// As [`crate::call`], but never [`Error::Busy`].
    pub async fn call<R: CanSend>(
        &self,
        endpoint: Endpoint<R>,
        bytes: &[u8],
        transfers: &[Transfer],
        room: u32,
    ) -> Result<Answered, Error> {
        let room = room.min(self.room());
        loop {
            match endpoint.send(bytes, transfers, room) {
                Ok(token) => return Pending::new(self, token).await,
                Err(Error::Busy) => self.sleep(FULL).await?,
                Err(Error::WrongObject) => return protected(endpoint, bytes, transfers, room),
                Err(error) => return Err(error),
            }
        }
    }

    /// [`Self::call`] with messages of fixed layout.
    ///
    /// # Errors
    ///
    /// As [`Self::call`]; [`Error::Refused`] if the answer is not of this layout.
    pub async fn ask<A: Form, Q: Form, R: CanSend>(
        &self,
        endpoint: Endpoint<R>,
        request: &Q,
    ) -> Result<A, Error> {
        let room = u32::try_from(size_of::<A::Bytes>()).unwrap_or(u32::MAX);
        let answered = self.call(endpoint, request.emit().as_ref(), &[], room).await?;
        // No layout has room for capabilities: what came with it is nobody's.
        answered.discard();
        A::parse(&answered.bytes).ok_or(Error::Refused)
    }
}

/// A call of a passive server, which takes no messages for later.
fn protected<R: CanSend>(
    endpoint: Endpoint<R>,
    bytes: &[u8],
    transfers: &[Transfer],
    room: u32,
) -> Result<Answered, Error> {
    let mut reply = vec![0; room as usize];
    let mut handles = vec![Handle::NULL; MAX_TRANSFERS as usize];
    let outcome = endpoint.call(bytes, transfers, &mut reply, &mut handles, Deadline::NEVER)?;
    reply.truncate(outcome.length as usize);
    handles.truncate(outcome.handles as usize);
    Ok(Answered { bytes: reply, handles })
}

/// Waits for the answer to one message.
struct Pending<'e> {
    events: &'e Events,
    token: u64,
}

impl<'e> Pending<'e> {
    fn new(events: &'e Events, token: Token) -> Self {
        events.state.borrow_mut().answers.insert(token.0, Place::Waiting(None));
        Self { events, token: token.0 }
    }
}

impl Future for Pending<'_> {
    type Output = Result<Answered, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answers = &mut self.events.state.borrow_mut().answers;
        match answers.remove(&self.token) {
            Some(Place::Arrived(answered)) => Poll::Ready(answered),
            Some(Place::Waiting(_)) => {
                answers.insert(self.token, Place::Waiting(Some(context.waker().clone())));
                Poll::Pending
            }
            // Polled after it was done, which no caller does.
            Some(Place::Abandoned) | None => Poll::Ready(Err(Error::BadToken)),
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        let mut state = self.events.state.borrow_mut();
        match state.answers.remove(&self.token) {
            Some(Place::Waiting(_)) => {
                // Its answer comes yet, and must be known for one that nobody wants.
                state.answers.insert(self.token, Place::Abandoned);
            }
            Some(Place::Arrived(Ok(answered))) => answered.discard(),
            Some(Place::Arrived(Err(_)) | Place::Abandoned) | None => {}
        }
    }
}
