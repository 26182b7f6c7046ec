//! Run queues: one for each core, by rank; within a rank by the order that its policy has given (`policy.rs`), and among equals new work before
//! preempted work.
//!
//! Nobody waits for ever whatever a policy says, but where that is the class's promise, in the real-time class: one that was overtaken
//! [`MOST_OVERTAKEN`] times is overtaken no more, and after so many from one list, one of the other has its turn.

use crate::class::{RANKS, is_real_time};
use crate::sync::Ordering;
use crate::table::Table;
use crate::thread::{NEVER, NOBODY, Thread};

/// Why a thread is put into a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It was woken or started.
    Fresh,
    /// It was preempted or yields: it had its turn.
    Preempted,
}

/// So many fresh threads in a row may run before a preempted one of the same rank and order does: bounded starvation where the
/// fresh ones alone would fill the core.
const FRESH_IN_A_ROW: u32 = 64;
/// The same where orders differ: so rarely that who goes by them does not notice.
const ORDERED_IN_A_ROW: u32 = 4_096;
/// So often may others be put before one that waits.
const MOST_OVERTAKEN: u32 = 4_096;
/// So many are walked past at most where somebody is put into a list: a bound on the time that the queue is locked.
const MOST_PASSED: u32 = 256;

/// One list: links are in the threads' records.
#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
}

impl List {
    /// Behind whom a thread of an order is put, or [`NOBODY`].
    fn place(&self, threads: &Table<Thread>, order: u64, is_bounded: bool) -> u32 {
        let (mut behind, mut passed) = (self.tail, 0);
        while behind != NOBODY {
            let other = threads.at(behind);
            let overtaken = other.overtaken.load(Ordering::Relaxed);
            let holds = is_bounded && (overtaken >= MOST_OVERTAKEN || passed >= MOST_PASSED);
            if holds || order >= other.order.load(Ordering::Relaxed) {
                break;
            }
            other.overtaken.store(overtaken.saturating_add(1), Ordering::Relaxed);
            passed += 1;
            behind = other.previous.load(Ordering::Relaxed);
        }
        behind
    }

    /// The order of its first; [`NEVER`] if there is none.
    fn first_order(&self, threads: &Table<Thread>) -> u64 {
        if self.head == NOBODY { NEVER } else { threads.at(self.head).order.load(Ordering::Relaxed) }
    }
}

const EMPTY: List = List { head: NOBODY, tail: NOBODY };

/// The threads that wait for one core.
#[derive(Debug)]
pub struct RunQueue {
    core: u32,
    /// For each rank: fresh, preempted.
    lists: [[List; 2]; RANKS],
    /// Bit n: rank n has somebody.
    occupied: u32,
    length: u32,
    /// How many of them may run on any core.
    movable: u32,
    /// From which list the last one came while somebody was in the other, and how many in a row.
    in_a_row: (bool, u32),
}

impl RunQueue {
    /// Nobody waits.
    pub const fn new(core: u32) -> Self {
        Self { core, lists: [[EMPTY; 2]; RANKS], occupied: 0, length: 0, movable: 0, in_a_row: (true, 0) }
    }

    /// How many wait.
    pub const fn len(&self) -> u32 {
        self.length
    }

    /// Whether a thief would find somebody.
    pub const fn has_movable(&self) -> bool {
        self.movable > 0
    }

    /// The highest rank that somebody waits at.
    #[expect(clippy::cast_possible_truncation, reason = "at most 31")]
    pub const fn best_rank(&self) -> Option<u8> {
        if self.occupied == 0 { None } else { Some(31 - self.occupied.leading_zeros() as u8) }
    }

    /// The least order of those of the best rank; [`NEVER`] if nobody waits.
    pub fn first_order(&self, threads: &Table<Thread>) -> u64 {
        let lists = self.best_rank().and_then(|rank| self.lists.get(usize::from(rank)));
        lists.into_iter().flatten().map(|list| list.first_order(threads)).min().unwrap_or(NEVER)
    }

    // The links' orders are relaxed: they are touched only under this queue's lock.

    /// Puts a thread where its order wants it. It is in no queue.
    pub fn push(&mut self, threads: &Table<Thread>, thread: u32, arrival: Arrival, order: u64) {
        let record = threads.at(thread);
        record.order.store(order, Ordering::Relaxed);
        record.overtaken.store(0, Ordering::Relaxed);
        let rank = record.effective_rank();
        let is_bounded = !is_real_time(rank);
        let which = usize::from(arrival == Arrival::Preempted);
        let rank = usize::from(rank).min(RANKS - 1);
        let Some(list) = self.lists.get_mut(rank).and_then(|lists| lists.get_mut(which)) else { return };
        let previous = list.place(threads, order, is_bounded);
        let next =
            if previous == NOBODY { list.head } else { threads.at(previous).next.load(Ordering::Relaxed) };
        record.next.store(next, Ordering::Relaxed);
        record.previous.store(previous, Ordering::Relaxed);
        if previous == NOBODY {
            list.head = thread;
        } else {
            threads.at(previous).next.store(thread, Ordering::Relaxed);
        }
        if next == NOBODY {
            list.tail = thread;
        } else {
            threads.at(next).previous.store(thread, Ordering::Relaxed);
        }
        // Core in the high half, rank and list in the low one.
        #[expect(clippy::cast_possible_truncation, reason = "rank < 32, list < 2")]
        let place = self.core << 8 | (rank << 1 | which) as u32;
        record.queued.store(place, Ordering::Relaxed);
        self.occupied |= 1 << rank;
        self.length += 1;
        self.movable += u32::from(record.pinned.load(Ordering::Relaxed) == NOBODY);
    }

    /// Takes a thread out, if it is in this queue.
    pub fn remove(&mut self, threads: &Table<Thread>, thread: u32) -> bool {
        let record = threads.at(thread);
        let place = record.queued.load(Ordering::Relaxed);
        if place == NOBODY || place >> 8 != self.core {
            return false;
        }
        let (rank, which) = ((place >> 1 & 31) as usize, (place & 1) as usize);
        let Some(lists) = self.lists.get_mut(rank) else { return false };
        let Some(list) = lists.get_mut(which) else { return false };
        let (previous, next) = (record.previous.load(Ordering::Relaxed), record.next.load(Ordering::Relaxed));
        if previous == NOBODY {
            list.head = next;
        } else {
            threads.at(previous).next.store(next, Ordering::Relaxed);
        }
        if next == NOBODY {
            list.tail = previous;
        } else {
            threads.at(next).previous.store(previous, Ordering::Relaxed);
        }
        if lists.iter().all(|list| list.head == NOBODY) {
            self.occupied &= !(1 << rank);
        }
        record.queued.store(NOBODY, Ordering::Relaxed);
        self.length -= 1;
        self.movable -= u32::from(record.pinned.load(Ordering::Relaxed) == NOBODY);
        true
    }

    /// Takes the next thread to run.
    pub fn pop(&mut self, threads: &Table<Thread>) -> Option<u32> {
        let rank = self.best_rank()?;
        let [fresh, preempted] = *self.lists.get(usize::from(rank))?;
        let mut is_fresh = preempted.head == NOBODY;
        if fresh.head != NOBODY && preempted.head != NOBODY {
            let (one, other) = (fresh.first_order(threads), preempted.first_order(threads));
            let most = if one == other { FRESH_IN_A_ROW } else { ORDERED_IN_A_ROW };
            is_fresh = one <= other;
            let (last, count) = self.in_a_row;
            if !is_real_time(rank) && last == is_fresh && count >= most {
                is_fresh = !is_fresh;
            }
            self.in_a_row = (is_fresh, if last == is_fresh { count.saturating_add(1) } else { 1 });
        }
        let thread = if is_fresh { fresh.head } else { preempted.head };
        self.remove(threads, thread).then_some(thread)
    }

    /// Takes the next thread that may run elsewhere.
    pub fn steal(&mut self, threads: &Table<Thread>) -> Option<u32> {
        // All that wait are looked at: a thief that gave up before a movable one, which the count tells it is there, would come back at
        // once and never sleep. The pinned ones in front are few.
        if !self.has_movable() {
            return None;
        }
        for list in self.lists.iter().rev().flatten() {
            let mut thread = list.head;
            while thread != NOBODY {
                if threads.at(thread).pinned.load(Ordering::Relaxed) == NOBODY {
                    return self.remove(threads, thread).then_some(thread);
                }
                thread = threads.at(thread).next.load(Ordering::Relaxed);
            }
        }
        None
    }
}
