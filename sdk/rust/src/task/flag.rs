//! Whether a task was woken: what its waker sets, and the waker of whoever polls it.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::Waker;

/// A task's flag: a bit of a word that may be shared with others of the same poller, who finds with one look which of them were woken.
pub struct Flag {
    word: Arc<AtomicU64>,
    bit: u64,
    /// Who polls the task, and must be polled itself before it can.
    parent: Waker,
}

impl Flag {
    /// For a task that this waker's task polls, set: a new task wants to be polled.
    pub fn new(parent: Waker) -> Arc<Self> {
        Self::of(Arc::new(AtomicU64::new(1)), 1, parent)
    }

    /// The same with a bit of a word, which stays as it is.
    pub fn of(word: Arc<AtomicU64>, bit: u64, parent: Waker) -> Arc<Self> {
        Arc::new(Self { word, bit, parent })
    }

    /// Whether it was woken since this was asked last.
    pub fn take(&self) -> bool {
        // AcqRel: what was done before the wake is seen by who polls.
        self.word.fetch_and(!self.bit, Ordering::AcqRel) & self.bit != 0
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
        if self.word.fetch_or(self.bit, Ordering::AcqRel) & self.bit == 0 {
            self.parent.wake_by_ref();
        }
    }
}
