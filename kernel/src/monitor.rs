//! Monitors: one activation of a passive server at a time, with priority inheritance and helping.
//!
//! A monitor is one word while nobody waits: who holds it, and through which capability slot it came. Taking it is one
//! compare-exchange, giving it back another. Who finds it held queues behind the monitor's lock, lends the holder its priority and its
//! core, and gets the monitor handed over: a holder never has to compete for it again, so waiting is bounded by
//! the handlers of those in front. (Helping as in NOVA: Steinberg, Böttcher, Kauer, "Timeslice donation in
//! component-based systems", OSPERT 2010.)
//!
//! The slot in the word is what lets a revocation see who is inside: the caller writes the word, then looks at the slot
//! again; the revoker empties the slot, then looks at the word. Both are sequentially consistent, so one of the two sees the other.

use alloc::vec::Vec;

use crate::lock::{Lock, level};
use crate::sync::{AtomicU64, Ordering, beside_sequentially_consistent_access};

/// Bits of a thread's index in the word: 2^24 threads.
const THREAD_BITS: u32 = 24;
const THREAD_MASK: u64 = (1 << THREAD_BITS) - 1;
/// Somebody is queued: the holder may not just clear the word.
const CONTENDED: u64 = 1 << 63;

/// Who is inside of a server, and through what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The thread.
    pub thread: u32,
    /// The capability slot that it called through.
    pub slot: u32,
}

/// One that waits for a monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiter {
    /// The thread.
    pub thread: u32,
    /// The slot that it calls through.
    pub slot: u32,
    /// Its priority: the highest is next, the first come among equals.
    pub priority: u8,
    /// What it waits for.
    pub wants: Wants,
}

/// What a waiter wants of the monitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// To be the next holder.
    Ownership,
    /// To be told when the present holder has left: a revocation.
    Departure,
}

/// The monitor of one cell.
#[derive(Debug, Default)]
pub struct Monitor {
    word: AtomicU64,
    waiters: Lock<{ level::CONTROL }, Vec<Waiter>>,
}

fn pack(holder: Holder) -> u64 {
    // 23 bits remain for nothing: slot 32, thread 24 (+1, so that 0 is free).
    u64::from(holder.slot) << THREAD_BITS | (u64::from(holder.thread) + 1) & THREAD_MASK
}

#[expect(clippy::cast_possible_truncation, reason = "takes the parts apart")]
fn unpack(word: u64) -> Option<Holder> {
    let thread = (word & THREAD_MASK) as u32;
    Some(Holder { thread: thread.checked_sub(1)?, slot: ((word & !CONTENDED) >> THREAD_BITS) as u32 })
}

impl Monitor {
    /// Takes the monitor if it is free.
    #[inline]
    pub fn try_take(&self, holder: Holder) -> bool {
        let taken = self.word.compare_exchange(0, pack(holder), Ordering::SeqCst, Ordering::Relaxed).is_ok();
        beside_sequentially_consistent_access();
        taken
    }

    /// Gives it back if nobody waits. False: [`Self::hand_over`] is next.
    #[inline]
    pub fn try_give_back(&self, holder: Holder) -> bool {
        // Release: the next holder sees what this one did to the server.
        self.word.compare_exchange(pack(holder), 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// Who holds it now.
    pub fn holder(&self) -> Option<Holder> {
        beside_sequentially_consistent_access();
        unpack(self.word.load(Ordering::SeqCst))
    }

    /// The queue of those who wait; everything below is done with it locked.
    pub const fn waiters(&self) -> &Lock<{ level::CONTROL }, Vec<Waiter>> {
        &self.waiters
    }

    /// Queues a waiter, or takes the monitor for it if it has become free. True: it holds it (or, for a departure, nobody does).
    pub fn join(&self, waiters: &mut Vec<Waiter>, waiter: Waiter) -> bool {
        let mut word = self.word.load(Ordering::SeqCst);
        loop {
            let next = if word & !CONTENDED == 0 {
                if waiter.wants == Wants::Departure {
                    return true;
                }
                pack(Holder { thread: waiter.thread, slot: waiter.slot }) | (word & CONTENDED)
            } else {
                word | CONTENDED
            };
            match self.word.compare_exchange_weak(word, next, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) if word & !CONTENDED == 0 => return true,
                Ok(_) => {
                    waiters.push(waiter);
                    return false;
                }
                Err(now) => word = now,
            }
        }
    }

    /// Leaves the queue: by a deadline or a kill. True: it was still queued, and is not the holder.
    pub fn leave_queue(&self, waiters: &mut Vec<Waiter>, thread: u32) -> bool {
        let before = waiters.len();
        waiters.retain(|waiter| waiter.thread != thread);
        if waiters.is_empty() {
            // AcqRel: as in `try_give_back`; the mark is only ever changed with the queue locked.
            self.word.fetch_and(!CONTENDED, Ordering::AcqRel);
        }
        waiters.len() < before
    }

    /// The holder leaves: the first of the highest priority gets the monitor. Returns all that are to be woken: it, and those who
    /// wanted to see the holder go.
    pub fn hand_over(&self, waiters: &mut Vec<Waiter>) -> Vec<Waiter> {
        let mut woken: Vec<Waiter> =
            waiters.extract_if(.., |waiter| waiter.wants == Wants::Departure).collect();
        let best = waiters.iter().map(|waiter| waiter.priority).max();
        let next = waiters
            .iter()
            .position(|waiter| Some(waiter.priority) == best)
            .map(|place| waiters.remove(place));
        let contended = if waiters.is_empty() { 0 } else { CONTENDED };
        let word = next.map_or(0, |next| pack(Holder { thread: next.thread, slot: next.slot }) | contended);
        self.word.store(word, Ordering::SeqCst);
        woken.extend(next);
        woken
    }
}
