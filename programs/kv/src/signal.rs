//! Something that a task waits for, and another one says.

use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::task::{Poll, Waker};

/// It was said or not; whoever waits takes it.
#[derive(Debug, Default)]
pub struct Signal {
    is_given: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Signal {
    /// Says it.
    pub fn give(&self) {
        self.is_given.set(true);
        // Woken tasks run later, so none of them is here again before this ends.
        self.waiting.borrow_mut().drain(..).for_each(Waker::wake);
    }

    /// Waits until it was said, and forgets that.
    pub async fn taken(&self) {
        poll_fn(|context| {
            if self.is_given.take() {
                return Poll::Ready(());
            }
            let mut waiting = self.waiting.borrow_mut();
            if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}
