//! Timers of tasks: a list of who sleeps until when; the cell waits until the first of them.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use hallows_abi::Error;

use super::{Either, Events, race};
use crate::Deadline;

/// Who sleeps.
#[derive(Debug)]
pub(super) struct Sleeper {
    pub at: Deadline,
    is_over: bool,
    waker: Option<Waker>,
}

impl Sleeper {
    /// Its time has come; who is to be woken.
    pub fn over(&mut self) -> Option<Waker> {
        self.is_over = true;
        // It is looked at once: until it is polled and gone, it is due never.
        self.at = Deadline::NEVER;
        self.waker.take()
    }
}

impl Events {
    /// Waits until a point in time. It ends at once if that has passed.
    pub async fn sleep_until(&self, deadline: Deadline) {
        let number = {
            let mut state = self.state.borrow_mut();
            let number = state.number();
            state.sleepers.insert(number, Sleeper { at: deadline, is_over: false, waker: None });
            number
        };
        Sleep { events: self, number }.await;
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
    number: u64,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.events.state.borrow_mut();
        match state.sleepers.get_mut(&self.number) {
            Some(sleeper) if !sleeper.is_over => {
                sleeper.waker = Some(context.waker().clone());
                Poll::Pending
            }
            _ => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.events.state.borrow_mut().sleepers.remove(&self.number);
    }
}
