//! Timer queues: what is due when. One entry for each thread with a deadline, each armed timer and each throttled thread.

use alloc::collections::BTreeSet;

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

/// Everything due on one shard of the machine, by time.
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
