//! Timer queues: what is due when. One entry for each thread with a deadline, each armed timer and each throttled thread.

use alloc::collections::BTreeSet;

use crate::Nanos;
use crate::lock::{Lock, Token, level};
use crate::sync::{AtomicU64, Ordering, beside_sequentially_consistent_access};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Due {
    /// A thread's wait ends.
    Thread(u32),
    /// A timer fires.
    Timer(u32),
    /// A throttled thread's time budget is replenished.
    Replenishment(u32),
}

/// What is due by one core's doing, with the time of the first of it beside the queue: who looks whether something is due takes no lock.
#[derive(Debug)]
#[repr(align(128))]
pub struct Agenda {
    next_ns: AtomicU64,
    queue: Lock<{ level::LEAF }, TimerQueue>,
}

impl Default for Agenda {
    fn default() -> Self {
        Self { next_ns: AtomicU64::new(Nanos::NEVER.0), queue: Lock::default() }
    }
}

impl Agenda {
    /// When the first of it is due, in ns; [`Nanos::NEVER`] if nothing is.
    pub fn next_ns(&self) -> u64 {
        // SeqCst: who adds something stores this and then looks at the plan, the timekeeper the other way round (`plan.rs`).
        let next_ns = self.next_ns.load(Ordering::SeqCst);
        beside_sequentially_consistent_access();
        next_ns
    }

    /// Changes the queue.
    pub fn change<T, const M: u8>(
        &self,
        token: &mut Token<'_, M>,
        change: impl FnOnce(&mut TimerQueue) -> T,
    ) -> T {
        let (mut queue, _) = self.queue.lock(token);
        let result = change(&mut queue);
        let next_ns = queue.next_ns().unwrap_or(Nanos::NEVER.0);
        // Relaxed: it is written under the lock.
        if self.next_ns.load(Ordering::Relaxed) != next_ns {
            self.next_ns.store(next_ns, Ordering::SeqCst);
            beside_sequentially_consistent_access();
        }
        result
    }
}

/// Everything due on one agenda, by time.
#[derive(Debug, Default)]
pub struct TimerQueue {
    entries: BTreeSet<(u64, Due)>,
}

impl TimerQueue {
    /// Adds an entry, in ns.
    pub fn insert(&mut self, at_ns: u64, due: Due) {
        self.entries.insert((at_ns, due));
    }

    /// Removes it again.
    pub fn remove(&mut self, at_ns: u64, due: Due) {
        self.entries.remove(&(at_ns, due));
    }

    /// Takes out one entry that is due.
    pub fn pop_due(&mut self, now_ns: u64) -> Option<Due> {
        let (at_ns, due) = *self.entries.first()?;
        if at_ns > now_ns {
            return None;
        }
        self.entries.pop_first();
        Some(due)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// When the next entry is due, in ns.
    pub fn next_ns(&self) -> Option<u64> {
        self.entries.first().map(|(at_ns, _)| *at_ns)
    }
}
