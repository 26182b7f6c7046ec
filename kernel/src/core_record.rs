//! What the kernel keeps for each core: its run queue and what runs on it.

use crate::lock::{Lock, level};
use crate::runqueue::RunQueue;
use crate::sync::{AtomicU8, AtomicU32, AtomicU64};
use crate::thread::NOBODY;
use crate::trace::TraceRing;

/// Why a thread gave up its core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// It waits to be woken.
    Blocked = 0,
    /// It was preempted, or yields.
    Preempted = 1,
}

/// What a core does when no thread runs on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Idle {
    /// It runs a thread, or is about to.
    Busy = 0,
    /// It looks for work.
    Looking = 1,
    /// It sleeps, or is about to: who has work for it wakes it.
    Parked = 2,
}

/// One core. On lines of its own: its loop writes here at every switch.
#[repr(align(128))]
pub struct Core {
    /// The thread that runs, or [`NOBODY`].
    pub running: AtomicU32,
    /// Counts the slices: a thread from the queue begins one, a hand-over continues it.
    pub slice: AtomicU64,
    /// Why the running thread gives up the core: a [`Reason`]. By the core's own thread only.
    pub reason: AtomicU8,
    /// The thread to run next without a queue, or [`NOBODY`]. By the core's own thread only.
    pub handoff: AtomicU32,
    /// An [`Idle`].
    pub idle: AtomicU8,
    /// The capability slot that an operation in progress goes through, plus 1; 0 for none.
    pub operating: AtomicU64,
    /// Switches to a thread, for `ps`.
    pub switches: AtomicU64,
    pub trace: TraceRing,
    /// How many wait in the queue, and (bits 32 to 39) the best of their priorities: read without the lock.
    pub waiting: AtomicU64,
    pub queue: Lock<{ level::LEAF }, RunQueue>,
}

impl Core {
    /// Idle, nobody waits.
    pub fn new(core: u32, trace_records: u32) -> Self {
        Self {
            running: AtomicU32::new(NOBODY),
            slice: AtomicU64::new(0),
            reason: AtomicU8::new(0),
            handoff: AtomicU32::new(NOBODY),
            idle: AtomicU8::new(Idle::Busy as u8),
            operating: AtomicU64::new(0),
            switches: AtomicU64::new(0),
            trace: TraceRing::new(trace_records),
            waiting: AtomicU64::new(0),
            queue: Lock::new(RunQueue::new(core)),
        }
    }
}
