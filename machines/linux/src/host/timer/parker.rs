//! Lets an idle core sleep until another one wakes it or a deadline passes, without losing a wake-up.

use std::sync::atomic::{AtomicU32, Ordering};

use super::words::{DeadlinePassed, WaitWord};

/// Nothing happened.
const EMPTY: u32 = 0;
/// The owner sleeps, or is just about to.
const PARKED: u32 = 1;
/// Somebody wants the owner awake; kept until the owner parks next.
const NOTIFIED: u32 = 2;

/// Why [`Parker::park`] returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wakeup {
    /// [`Parker::unpark`] was called, before or during the sleep.
    Notified,
    /// The deadline passed.
    Deadline,
}

/// Where one core sleeps. One thread parks, its *owner*; any thread may unpark.
///
/// What a thread wrote before `unpark` is visible to the owner after the `park` that it ended. Any number of `unpark`s
/// before a `park` count as one. An `unpark` of an owner that is awake is one atomic swap and no system call.
#[derive(Debug)]
#[repr(align(64))] // A line of its own: wakers write to it while the neighbours' owners read theirs.
pub struct Parker<Word = AtomicU32> {
    word: Word,
}

impl<Word: WaitWord> Default for Parker<Word> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Word: WaitWord> Parker<Word> {
    /// A parker whose owner is awake.
    pub fn new() -> Self {
        Self { word: Word::new(EMPTY) }
    }

    /// Sleeps until [`unpark`](Self::unpark) or until `deadline_ns` (`CLOCK_MONOTONIC`); without one, for any time.
    /// Only the owner may call it.
    pub fn park(&self, deadline_ns: Option<u64>) -> Wakeup {
        // Acquire on success is not needed: going to sleep takes nothing from anybody.
        if self.word.compare_exchange(EMPTY, PARKED, Ordering::Relaxed).is_err() {
            // Acquire pairs with the release in `unpark`: its caller's writes must be visible from here on.
            self.word.swap(EMPTY, Ordering::Acquire);
            return Wakeup::Notified;
        }
        loop {
            let deadline_passed = self.word.wait(PARKED, deadline_ns);
            // Acquire as above.
            if self.word.compare_exchange(NOTIFIED, EMPTY, Ordering::Acquire).is_ok() {
                return Wakeup::Notified;
            }
            if deadline_passed == DeadlinePassed::Yes {
                // Swapped, not stored: an `unpark` between the check above and here must count.
                return match self.word.swap(EMPTY, Ordering::Acquire) {
                    NOTIFIED => Wakeup::Notified,
                    _ => Wakeup::Deadline,
                };
            }
        }
    }

    /// Wakes the owner, or makes its next [`park`](Self::park) return at once.
    pub fn unpark(&self) {
        // Release: what the caller wrote before must be visible to the owner. AcqRel is not needed, the old value
        // only decides whether to make the system call.
        if self.word.swap(NOTIFIED, Ordering::Release) == PARKED {
            self.word.wake_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::modelled::ModelledWord;
    use super::*;

    #[test]
    fn a_deadline_in_the_past_ends_the_sleep_at_once() {
        let parker: Parker = Parker::new();
        assert_eq!(parker.park(Some(1)), Wakeup::Deadline);
    }

    #[test]
    fn an_early_wakeup_counts_once() {
        let parker: Parker = Parker::new();
        parker.unpark();
        parker.unpark();
        assert_eq!(parker.park(None), Wakeup::Notified);
        assert_eq!(parker.park(Some(1)), Wakeup::Deadline);
    }

    #[test]
    fn two_threads_hand_a_turn_to_each_other_a_thousand_times() {
        const TURNS: u32 = 1000;
        let parkers: [Parker; 2] = [Parker::new(), Parker::new()];
        let turn = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for own in 0..2 {
                let (parkers, turn) = (&parkers, &turn);
                scope.spawn(move || {
                    for round in 0..TURNS {
                        let mine = round * 2 + own;
                        while turn.load(Ordering::Relaxed) != mine {
                            parkers[own as usize].park(None);
                        }
                        turn.store(mine + 1, Ordering::Relaxed);
                        parkers[1 - own as usize].unpark();
                    }
                });
            }
        });
        assert_eq!(turn.into_inner(), TURNS * 2);
    }

    /// A lost wake-up would be a deadlock, a missing release/acquire a stale read: loom reports both.
    #[test]
    fn no_interleaving_loses_a_wakeup_or_what_was_written_before_it() {
        loom::model(|| {
            let shared =
                loom::sync::Arc::new((Parker::<ModelledWord>::new(), loom::sync::atomic::AtomicU32::new(0)));
            let waker = loom::thread::spawn({
                let shared = shared.clone();
                move || {
                    shared.1.store(1, Ordering::Relaxed);
                    shared.0.unpark();
                }
            });
            assert_eq!(shared.0.park(None), Wakeup::Notified);
            assert_eq!(shared.1.load(Ordering::Relaxed), 1);
            waker.join().unwrap();
        });
    }

    #[test]
    fn no_interleaving_of_two_wakers_leaves_the_owner_asleep() {
        // Three threads have too many interleavings to try all; two preemptions find what such bugs need.
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(2);
        model.check(|| {
            let shared =
                loom::sync::Arc::new((Parker::<ModelledWord>::new(), loom::sync::atomic::AtomicU32::new(0)));
            let wakers: Vec<_> = (0..2)
                .map(|_| {
                    let shared = shared.clone();
                    loom::thread::spawn(move || {
                        shared.1.fetch_add(1, Ordering::Relaxed);
                        shared.0.unpark();
                    })
                })
                .collect();
            while shared.1.load(Ordering::Relaxed) < 2 {
                assert_eq!(shared.0.park(None), Wakeup::Notified);
            }
            wakers.into_iter().for_each(|waker| waker.join().unwrap());
        });
    }
}
