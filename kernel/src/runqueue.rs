//! Run queues: one for each core, by priority, new work before preempted work.

use crate::configuration::PRIORITIES;
use crate::sync::Ordering;
use crate::table::Table;
use crate::thread::{NOBODY, Thread};

/// Why a thread is put into a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It was woken or started.
    Fresh,
    /// It was preempted or yields: it had its turn.
    Preempted,
}

/// So many fresh threads in a row may run before a preempted one of the same priority does: bounded starvation where the
/// fresh ones alone would fill the core.
const FRESH_IN_A_ROW: u32 = 64;

/// One list: links are in the threads' records.
#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
}

const EMPTY: List = List { head: NOBODY, tail: NOBODY };

/// The threads that wait for one core.
#[derive(Debug)]
pub struct RunQueue {
    core: u32,
    /// For each priority: fresh, preempted.
    lists: [[List; 2]; PRIORITIES],
    /// Bit n: priority n has somebody.
    occupied: u8,
    length: u32,
    /// How many of them may run on any core.
    movable: u32,
    fresh_in_a_row: u32,
}

impl RunQueue {
    /// Nobody waits.
    pub const fn new(core: u32) -> Self {
        Self { core, lists: [[EMPTY; 2]; PRIORITIES], occupied: 0, length: 0, movable: 0, fresh_in_a_row: 0 }
    }

    /// How many wait.
    pub const fn len(&self) -> u32 {
        self.length
    }

    /// Whether a thief would find somebody.
    pub const fn has_movable(&self) -> bool {
        self.movable > 0
    }

    /// The highest priority that somebody waits at.
    #[expect(clippy::cast_possible_truncation, reason = "at most 7")]
    pub const fn best_priority(&self) -> Option<u8> {
        if self.occupied == 0 { None } else { Some(7 - self.occupied.leading_zeros() as u8) }
    }

    // The links' orders are relaxed: they are touched only under this queue's lock.

    /// Puts a thread at the end of its list. It is in no queue.
    pub fn push(&mut self, threads: &Table<Thread>, thread: u32, arrival: Arrival) {
        let record = threads.at(thread);
        let priority = usize::from(record.effective_priority()).min(PRIORITIES - 1);
        let which = usize::from(arrival == Arrival::Preempted);
        let Some(list) = self.lists.get_mut(priority).and_then(|lists| lists.get_mut(which)) else { return };
        record.next.store(NOBODY, Ordering::Relaxed);
        record.previous.store(list.tail, Ordering::Relaxed);
        if list.tail == NOBODY {
            list.head = thread;
        } else {
            threads.at(list.tail).next.store(thread, Ordering::Relaxed);
        }
        list.tail = thread;
        // Core in the high half, priority and list in the low one.
        #[expect(clippy::cast_possible_truncation, reason = "priority < 8, list < 2")]
        let place = self.core << 8 | (priority << 1 | which) as u32;
        record.queued.store(place, Ordering::Relaxed);
        self.occupied |= 1 << priority;
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
        let (priority, which) = ((place >> 1 & 7) as usize, (place & 1) as usize);
        let Some(lists) = self.lists.get_mut(priority) else { return false };
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
            self.occupied &= !(1 << priority);
        }
        record.queued.store(NOBODY, Ordering::Relaxed);
        self.length -= 1;
        self.movable -= u32::from(record.pinned.load(Ordering::Relaxed) == NOBODY);
        true
    }

    /// Takes the next thread to run.
    pub fn pop(&mut self, threads: &Table<Thread>) -> Option<u32> {
        let [fresh, preempted] = *self.lists.get(usize::from(self.best_priority()?))?;
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
