//! How early to wake for a time, to be awake then.

use std::sync::atomic::{AtomicU64, Ordering};

use hallows_kernel::Nanos;

use crate::host::timer::{Clock, Parker, Wakeup};

/// How long before a time a thread wakes for it, in ns: about as long as Linux takes to wake it, which it spins for.
/// Linux wakes late by tens of microseconds in a virtual machine, and by a few elsewhere. Each thread that sleeps has its own, and is the only one to touch it.
#[derive(Debug)]
pub(super) struct Lead(AtomicU64);

/// It is never shorter, nor longer: so much of each wait the thread's core is busy.
const SHORTEST_NS: u64 = 2_000;
const LONGEST_NS: u64 = 60_000;
/// Later than that it was not on its way, but somebody else had its core.
const TAKEN_AWAY_NS: u64 = 200_000;

impl Default for Lead {
    fn default() -> Self {
        Self(AtomicU64::new(LONGEST_NS / 2))
    }
}

impl Lead {
    /// Sleeps until shortly before a time, unless that is over already. Whether the thread is awake for that time now, or was woken before by somebody.
    pub(super) fn park(&self, parker: &Parker, clock: &Clock, until: Nanos) -> bool {
        let wake_ns = until.0.saturating_sub(self.ns());
        if wake_ns <= clock.now_ns() {
            return true;
        }
        let woken = parker.park(Some(clock.to_monotonic_ns(wake_ns)));
        if woken == Wakeup::Deadline {
            self.learn(clock.now_ns().saturating_sub(wake_ns));
        }
        // A clock that was adjusted meanwhile may say that there is more to come.
        woken == Wakeup::Deadline && until.0.saturating_sub(clock.now_ns()) <= LONGEST_NS
    }

    fn ns(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// It woke late by so many ns: at once earlier if that was too late, and slowly later if it was not.
    fn learn(&self, late_ns: u64) {
        if late_ns < TAKEN_AWAY_NS {
            let wanted = late_ns + late_ns / 4;
            let slowly = self.ns() - self.ns() / 32;
            self.0.store(wanted.max(slowly).clamp(SHORTEST_NS, LONGEST_NS), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_wakes_as_early_as_linux_is_late_and_forgets_slowly() {
        let lead = Lead::default();
        lead.learn(40_000);
        assert_eq!(lead.ns(), 50_000);
        (0..400).for_each(|_| lead.learn(8_000));
        assert_eq!(lead.ns(), 10_000);
        // A core that was taken away says nothing of the next time.
        lead.learn(5_000_000);
        assert_eq!(lead.ns(), 10_000);
        lead.learn(100_000);
        assert_eq!(lead.ns(), LONGEST_NS);
        (0..1_000).for_each(|_| lead.learn(0));
        assert_eq!(lead.ns(), SHORTEST_NS);
    }

    #[test]
    fn a_time_that_is_near_or_over_is_not_slept_for() {
        let (lead, parker, clock) = (Lead::default(), Parker::new(), Clock::by_kernel());
        assert!(lead.park(&parker, &clock, Nanos(0)));
        assert!(lead.park(&parker, &clock, Nanos(clock.now_ns() + 1_000)));
        let until = Nanos(clock.now_ns() + 2_000_000);
        assert!(lead.park(&parker, &clock, until));
        parker.unpark();
        assert!(!lead.park(&parker, &clock, Nanos(clock.now_ns() + 1_000_000_000_000)));
    }
}
