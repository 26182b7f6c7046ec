//! The atomic words under the parker and the clock, as traits, so that loom can explore the very code that runs.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// A 32-bit atomic on which threads can sleep until it changes: a futex, see futex(2).
pub trait WaitWord {
    /// A word that holds `value`.
    fn new(value: u32) -> Self;
    /// Replaces the value and gives the old one.
    fn swap(&self, value: u32, ordering: Ordering) -> u32;
    /// Replaces `current` by `new`, or gives what is there instead. `failure` is relaxed.
    fn compare_exchange(&self, current: u32, new: u32, success: Ordering) -> Result<u32, u32>;
    /// Sleeps while the word holds `expected`, at most until `deadline_ns` of `CLOCK_MONOTONIC`. May return early.
    /// Gives whether the deadline was the reason.
    fn wait(&self, expected: u32, deadline_ns: Option<u64>) -> DeadlinePassed;
    /// Wakes one thread that sleeps on the word.
    fn wake_one(&self);
}

/// Why a sleep on a word ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadlinePassed {
    /// The deadline passed.
    Yes,
    /// Woken, or the word had changed, or for no reason.
    No,
}

/// A 64-bit atomic that is only loaded and stored.
pub trait Cell64 {
    /// A cell that holds `value`.
    fn new(value: u64) -> Self;
    /// The value.
    fn load(&self, ordering: Ordering) -> u64;
    /// Replaces the value.
    fn store(&self, value: u64, ordering: Ordering);
    /// A fence of the same memory model as the cell.
    fn fence(ordering: Ordering);
}

impl WaitWord for AtomicU32 {
    fn new(value: u32) -> Self {
        Self::new(value)
    }

    fn swap(&self, value: u32, ordering: Ordering) -> u32 {
        Self::swap(self, value, ordering)
    }

    fn compare_exchange(&self, current: u32, new: u32, success: Ordering) -> Result<u32, u32> {
        // Relaxed on failure: the callers take nothing from the value but the fact that it differs, or swap right after.
        Self::compare_exchange(self, current, new, success, Ordering::Relaxed)
    }

    fn wait(&self, expected: u32, deadline_ns: Option<u64>) -> DeadlinePassed {
        use rustix::thread::futex;
        let deadline = deadline_ns.map(super::sleep::timespec);
        // `wait_bitset` and not `wait`: only it takes an absolute time, so being interrupted cannot stretch the sleep.
        let result = futex::wait_bitset(
            self,
            futex::Flags::PRIVATE,
            expected,
            deadline.as_ref(),
            std::num::NonZeroU32::MAX,
        );
        match result {
            Err(rustix::io::Errno::TIMEDOUT) => DeadlinePassed::Yes,
            _ => DeadlinePassed::No,
        }
    }

    fn wake_one(&self) {
        use rustix::thread::futex;
        // It cannot fail: the address is that of a live word.
        let _ = futex::wake(self, futex::Flags::PRIVATE, 1);
    }
}

impl Cell64 for AtomicU64 {
    fn new(value: u64) -> Self {
        Self::new(value)
    }

    fn load(&self, ordering: Ordering) -> u64 {
        Self::load(self, ordering)
    }

    fn store(&self, value: u64, ordering: Ordering) {
        Self::store(self, value, ordering);
    }

    fn fence(ordering: Ordering) {
        fence(ordering);
    }
}

/// The same words as loom models them.
#[cfg(test)]
pub(crate) mod modelled {
    use super::{Cell64, DeadlinePassed, Ordering, WaitWord};
    use loom::sync::atomic::{AtomicU32, AtomicU64, fence};
    use loom::sync::{Condvar, Mutex};

    /// A futex as the kernel promises it: comparing and going to sleep are one step against wakers.
    pub(crate) struct ModelledWord {
        value: AtomicU32,
        sleepers: Mutex<Sleepers>,
        wakeup: Condvar,
    }

    #[derive(Default)]
    struct Sleepers {
        asleep: u32,
        wakeups: u32,
    }

    impl WaitWord for ModelledWord {
        fn new(value: u32) -> Self {
            Self { value: AtomicU32::new(value), sleepers: Mutex::default(), wakeup: Condvar::new() }
        }

        fn swap(&self, value: u32, ordering: Ordering) -> u32 {
            self.value.swap(value, ordering)
        }

        fn compare_exchange(&self, current: u32, new: u32, success: Ordering) -> Result<u32, u32> {
            self.value.compare_exchange(current, new, success, Ordering::Relaxed)
        }

        fn wait(&self, expected: u32, _deadline_ns: Option<u64>) -> DeadlinePassed {
            let mut sleepers = self.sleepers.lock().unwrap();
            if self.value.load(Ordering::SeqCst) != expected {
                return DeadlinePassed::No;
            }
            sleepers.asleep += 1;
            while sleepers.wakeups == 0 {
                sleepers = self.wakeup.wait(sleepers).unwrap();
            }
            sleepers.wakeups -= 1;
            DeadlinePassed::No
        }

        fn wake_one(&self) {
            let mut sleepers = self.sleepers.lock().unwrap();
            if sleepers.asleep > 0 {
                sleepers.asleep -= 1;
                sleepers.wakeups += 1;
                self.wakeup.notify_one();
            }
        }
    }

    impl Cell64 for AtomicU64 {
        fn new(value: u64) -> Self {
            Self::new(value)
        }

        fn load(&self, ordering: Ordering) -> u64 {
            Self::load(self, ordering)
        }

        fn store(&self, value: u64, ordering: Ordering) {
            Self::store(self, value, ordering);
        }

        fn fence(ordering: Ordering) {
            fence(ordering);
        }
    }
}
