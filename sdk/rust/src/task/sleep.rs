//! Timers of tasks: who sleeps until when, in that order; the cell waits until the first of them.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use hallows_abi::Error;

use super::{Either, Events, race};
use crate::Deadline;

impl Events {
    /// Waits until a point in time. It ends at once if that has passed.
    pub async fn sleep_until(&self, deadline: Deadline) {
        let place = {
            let mut state = self.state.borrow_mut();
            let place = (deadline, state.number());
            state.sleepers.insert(place, None);
            place
        };
        Sleep { events: self, place }.await;
    }

    /// Waits for so long.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`].
    pub async fn sleep(&self, duration: Duration) -> Result<(), Error> {
        self.sleep_until(Deadline::after(duration)?).await;
        Ok(())
    }

    /// What a future gives, if it does so in time. Else it is dropped, and with it all that it has under way.
    ///
    /// # Errors
    ///
    /// [`Error::DeadlinePassed`].
    pub async fn with_deadline<F: Future>(&self, deadline: Deadline, future: F) -> Result<F::Output, Error> {
        match race(future, self.sleep_until(deadline)).await {
            Either::First(output) => Ok(output),
            Either::Second(()) => Err(Error::DeadlinePassed),
        }
    }
}

struct Sleep<'e> {
    events: &'e Events,
    /// Among those that sleep, until its time has come.
    place: (Deadline, u64),
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match self.events.state.borrow_mut().sleepers.get_mut(&self.place) {
            Some(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.events.state.borrow_mut().sleepers.remove(&self.place);
    }
}
