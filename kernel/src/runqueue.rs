//! Run queues: one for each core, by rank, new work before preempted work; in the real-time class the earliest deadline first.

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

/// So many fresh threads in a row may run before a preempted one of the same rank does: bounded starvation where the
/// fresh ones alone would fill the core.
const FRESH_IN_A_ROW: u32 = 64;

/// One list: links are in the threads' records.
#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
}

impl List {
    /// Behind whom a thread is put, or [`NOBODY`].
    fn place(&self, threads: &Table<Thread>, thread: &Thread, arrival: Arrival) -> u32 {
        let mut behind = self.tail;
        if is_real_time(thread.effective_rank()) {
            let mine = (thread.deadline_of_rank_ns(), arrival == Arrival::Fresh);
            // Who was preempted goes before who has the same deadline: it began first.
            while behind != NOBODY && mine < (threads.at(behind).deadline_of_rank_ns(), true) {
                behind = threads.at(behind).previous.load(Ordering::Relaxed);
            }
        }
        behind
    }
}

const EMPTY: List = List { head: NOBODY, tail: NOBODY };

/// The threads that wait for one core.
#[derive(Debug)]
pub struct RunQueue {
    core: u32,
    /// For each rank: fresh, preempted. In the real-time class all are in the first one, by their deadlines.
    lists: [[List; 2]; RANKS],
    /// Bit n: rank n has somebody.
    occupied: u32,
    length: u32,
    /// How many of them may run on any core.
    movable: u32,
    fresh_in_a_row: u32,
}

impl RunQueue {
    /// Nobody waits.
    pub const fn new(core: u32) -> Self {
        Self { core, lists: [[EMPTY; 2]; RANKS], occupied: 0, length: 0, movable: 0, fresh_in_a_row: 0 }
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

    /// The earliest deadline of those of the best rank, in ns, if that is of the real-time class.
    pub fn earliest_ns(&self, threads: &Table<Thread>) -> u64 {
        let first = self
            .best_rank()
            .filter(|rank| is_real_time(*rank))
            .and_then(|rank| self.lists.get(usize::from(rank)));
        first.map_or(NEVER, |[list, _]| threads.at(list.head).deadline_of_rank_ns())
    }

    // The links' orders are relaxed: they are touched only under this queue's lock.

    /// Puts a thread at the end of its list, or where its deadline wants it. It is in no queue.
    pub fn push(&mut self, threads: &Table<Thread>, thread: u32, arrival: Arrival) {
        let record = threads.at(thread);
        let rank = record.effective_rank();
        let which = usize::from(arrival == Arrival::Preempted && !is_real_time(rank));
        let rank = usize::from(rank).min(RANKS - 1);
        let Some(list) = self.lists.get_mut(rank).and_then(|lists| lists.get_mut(which)) else { return };
        let previous = list.place(threads, record, arrival);
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
        let [fresh, preempted] = *self.lists.get(usize::from(self.best_rank()?))?;
        let turn = self.fresh_in_a_row >= FRESH_IN_A_ROW && preempted.head != NOBODY;
        let thread = if fresh.head == NOBODY || turn { preempted.head } else { fresh.head };
        self.fresh_in_a_row = if thread == fresh.head { self.fresh_in_a_row + 1 } else { 0 };
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
