//! Whether a task was woken: what its waker sets, and the waker of whoever polls it.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;

/// A task's flag, set from the start: a new task wants to be polled.
pub struct Flag {
    woken: AtomicBool,
    /// Who polls the task, and must be polled itself before it can.
    parent: Waker,
}

impl Flag {
    /// For a task that this waker's task polls.
    pub fn new(parent: Waker) -> Arc<Self> {
        Arc::new(Self { woken: AtomicBool::new(true), parent })
    }

    /// Whether it was woken since this was asked last.
    pub fn take(&self) -> bool {
        // AcqRel: what was done before the wake is seen by who polls.
        self.woken.swap(false, Ordering::AcqRel)
    }

    /// The flag to poll with under this waker: the same one, as long as its task has the same parent. A new one is set, because what the
    /// task waits for would still wake the old one.
    pub fn under(flag: &mut Arc<Self>, parent: &Waker) {
        if !flag.parent.will_wake(parent) {
            *flag = Self::new(parent.clone());
        }
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release: see `take`. Who was woken already has woken its parent.
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.parent.wake_by_ref();
        }
    }
}
