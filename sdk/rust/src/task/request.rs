//! Messages to an async server, which handles several at once.

use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::Poll;

use hallows_abi::{Error, Handle, Transfer};

use super::{Answered, Events};
use crate::Token;
use crate::form::Form;

/// A message that nobody has taken yet.
#[derive(Debug)]
pub(super) struct Incoming {
    pub answered: Answered,
    pub status: Option<Error>,
    pub badge: u64,
    pub token: Token,
}

/// A message to this cell. If it is dropped, it is answered with no bytes: nobody waits for an answer that never comes. The capabilities
/// that came with it end with it, unless they were [taken](Self::take_handles): they would fill the space.
#[derive(Debug)]
pub struct Request {
    contents: Answered,
    status: Option<Error>,
    badge: u64,
    token: Option<Token>,
}

impl Events {
    /// The next message to an endpoint that this cell serves (actively). Hand it to a task of a [scope](super::scope), and ask for the next.
    pub async fn request(&self) -> Request {
        poll_fn(|context| {
            let mut state = self.state.borrow_mut();
            match state.requests.pop_front() {
                Some(Incoming { answered, status, badge, token }) => {
                    Poll::Ready(Request { contents: answered, status, badge, token: Some(token) })
                }
                None => {
                    if !state.servers.iter().any(|waker| waker.will_wake(context.waker())) {
                        state.servers.push(context.waker().clone());
                    }
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl Request {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.contents.bytes
    }

    /// It as a message of fixed layout; `None` if it is none.
    #[must_use]
    pub fn form<F: Form>(&self) -> Option<F> {
        F::parse(&self.contents.bytes)
    }

    /// The capabilities that came with it, in this cell's space until it is answered or dropped.
    #[must_use]
    pub fn handles(&self) -> &[Handle] {
        &self.contents.handles
    }

    /// The same, to be kept for longer: they are the program's to delete.
    #[must_use]
    pub fn take_handles(&mut self) -> Vec<Handle> {
        core::mem::take(&mut self.contents.handles)
    }

    /// Why it came without its capabilities, if it did: [`Error::SpaceFull`].
    #[must_use]
    pub const fn status(&self) -> Option<Error> {
        self.status
    }

    /// The badge of the capability that it came through.
    #[must_use]
    pub const fn badge(&self) -> u64 {
        self.badge
    }

    /// Answers it. The answer may give on what came with it.
    ///
    /// # Errors
    ///
    /// As [`crate::answer`]: [`Error::BadToken`] if who asked does not wait any more.
    pub fn answer(mut self, bytes: &[u8], transfers: &[Transfer]) -> Result<(), Error> {
        self.token.take().map_or(Err(Error::BadToken), |token| crate::answer(token, bytes, transfers))
    }

    /// Answers it with a message of fixed layout.
    ///
    /// # Errors
    ///
    /// As [`Self::answer`].
    pub fn reply<F: Form>(self, form: &F) -> Result<(), Error> {
        self.answer(form.emit().as_ref(), &[])
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            // Whoever has given up needs no answer.
            let _ = crate::answer(token, &[], &[]);
        }
        self.contents.discard();
    }
}
