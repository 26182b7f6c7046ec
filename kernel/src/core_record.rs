//! What the kernel keeps for each core: its run queue and what runs on it.

use alloc::boxed::Box;

use crate::class::WHOLE_CORE;
use crate::configuration::Configuration;
use crate::lock::{Lock, level};
use crate::runqueue::RunQueue;
use crate::sync::{AtomicU8, AtomicU32, AtomicU64, Ordering, beside_sequentially_consistent_access};
use crate::table::Table;
use crate::thread::{NEVER, NOBODY, Thread};
use crate::timers::Agenda;
use crate::trace::TraceRing;

#[cfg(counted)]
#[path = "../counted/core_fields.rs"]
pub mod fields;

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

/// Who waits for a core, in one word that is read without the queue's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting(u64);

impl Waiting {
    /// Bit 40: some may run on any core. Below it the best rank, 8 bits; below that how many wait.
    const MOVABLE: u64 = 1 << 40;

    /// What a queue says.
    pub fn of(queue: &RunQueue) -> Self {
        let movable = if queue.has_movable() { Self::MOVABLE } else { 0 };
        Self(movable | u64::from(queue.best_rank().unwrap_or(0)) << 32 | u64::from(queue.len()))
    }

    /// Whether anybody waits.
    pub const fn any(self) -> bool {
        self.0 != 0
    }

    /// Whether some may run on any core.
    pub const fn has_movable(self) -> bool {
        self.0 & Self::MOVABLE != 0
    }

    /// How many wait.
    #[expect(clippy::cast_possible_truncation, reason = "the low half")]
    pub const fn count(self) -> u32 {
        self.0 as u32
    }

    /// The best of their ranks.
    #[expect(clippy::cast_possible_truncation, reason = "its 8 bits")]
    pub const fn best_rank(self) -> u8 {
        (self.0 >> 32) as u8
    }
}

/// What those that wait for a core want of the thread that runs there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// Nothing.
    No,
    /// Nothing yet: the first of them is of the same rank and a greater order.
    Later,
    /// The core, when its quantum is over.
    InTurn,
    /// The core: the first of them is of the same rank and a smaller order.
    Before,
    /// The core: the first of them is of a higher rank.
    Above,
}

/// For so long, in ns, what is due at an idle core is left to that core.
const PATIENCE_NS: u64 = 20_000;

/// On cache lines of its own.
#[derive(Debug)]
#[repr(align(128))]
pub struct Apart<T>(T);

impl<T> core::ops::Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// One core. On lines of its own: its loop writes here at every switch and with every message. What other cores look at lies apart from that, each by how
/// often it changes. The timekeeper looks at the first line.
#[repr(C, align(128))]
pub struct Core {
    /// The thread that runs, or [`NOBODY`].
    pub running: AtomicU32,
    /// The thread to run next without a queue, or [`NOBODY`]. By the core's own thread only.
    pub handoff: AtomicU32,
    /// The thread that was taken out of the queue as another was put into it, or [`NOBODY`]. By the core's own thread only.
    pub next: AtomicU32,
    /// Counts the slices: a thread from the queue begins one, a hand-over continues it.
    pub slice: AtomicU64,
    /// Switches to a thread, for `ps`.
    pub switches: AtomicU64,
    pub trace: TraceRing,
    /// How many cores it has looked at for work to take over since it found some. By the core's own thread only.
    pub looked: AtomicU32,
    /// Why the running thread gives up the core: a [`Reason`]. By the core's own thread only.
    pub reason: AtomicU8,
    /// The capability slot that an operation in progress goes through, plus 1; 0 for none.
    pub operating: AtomicU64,
    /// The same of a signal, which may be part of an operation.
    pub signalling: AtomicU64,
    /// Messages and answers that went straight to a thread on another core, for `ps`.
    pub posts: AtomicU64,
    /// How often it was lent, for `ps`.
    pub loans: AtomicU64,
    /// What is reserved of this core, in parts of [`WHOLE_CORE`].
    reserved: AtomicU64,
    /// Looked at by all that wake somebody.
    idle: Apart<Seen>,
    shown: Apart<Shown>,
    /// Not 0: threads have waited for it for long enough that another may help. By the timekeeper.
    pub congested: Apart<AtomicU8>,
    pub home: Apart<Home>,
    pub queue: Apart<Lock<{ level::LEAF }, RunQueue>>,
    /// What was armed here.
    pub agenda: Agenda,
}

/// What it does, for those that look for a core.
#[derive(Debug)]
struct Seen {
    /// An [`Idle`].
    idle: AtomicU8,
    /// Not 0: it is lent, to the thread that runs.
    lent: AtomicU8,
}

/// Where it belongs. Never changes.
#[derive(Debug)]
pub struct Home {
    /// Its pool.
    pub pool: u32,
    /// Whether that lends it.
    pub lends: bool,
    /// The others of its pool, the nearest first.
    pub near: Box<[u32]>,
}

/// What the queue's owner and thieves say of it, for those that do not take its lock.
#[derive(Debug)]
struct Shown {
    /// A [`Waiting`].
    waiting: AtomicU64,
    /// The least order of those of the best rank that wait; of the last ones, if nobody does. Written before `waiting`.
    first_order: AtomicU64,
}

impl Core {
    /// Idle, nobody waits.
    pub fn new(core: u32, configuration: &Configuration) -> Self {
        let pool = configuration.pool_of(core);
        let cores = configuration.pool_cores(pool);
        let is_general = cores.contains(&core);
        let near: Box<[u32]> = match configuration.nearest.get(core as usize) {
            Some(nearest) => {
                nearest.iter().copied().filter(|one| *one != core && cores.contains(one)).collect()
            }
            None => (core + 1..cores.end).chain(cores.start..core).collect(),
        };
        let near = if is_general { near } else { Box::default() };
        let lends = is_general && configuration.pools.get(pool as usize).is_some_and(|pool| pool.lends);
        Self {
            running: AtomicU32::new(NOBODY),
            slice: AtomicU64::new(0),
            reason: AtomicU8::new(0),
            handoff: AtomicU32::new(NOBODY),
            next: AtomicU32::new(NOBODY),
            looked: AtomicU32::new(0),
            idle: Apart(Seen { idle: AtomicU8::new(Idle::Busy as u8), lent: AtomicU8::new(0) }),
            operating: AtomicU64::new(0),
            signalling: AtomicU64::new(0),
            switches: AtomicU64::new(0),
            posts: AtomicU64::new(0),
            loans: AtomicU64::new(0),
            trace: TraceRing::new(configuration.trace_records),
            shown: Apart(Shown { waiting: AtomicU64::new(0), first_order: AtomicU64::new(NEVER) }),
            congested: Apart(AtomicU8::new(0)),
            home: Apart(Home { pool, lends, near }),
            reserved: AtomicU64::new(0),
            queue: Apart(Lock::new(RunQueue::new(core))),
            agenda: Agenda::default(),
        }
    }

    /// The core says what it does when no thread runs on it.
    pub fn say(&self, what: Idle) {
        // SeqCst: see `waiting`, and `plan`.
        self.idle.idle.store(what as u8, Ordering::SeqCst);
        beside_sequentially_consistent_access();
    }

    /// What it does when no thread runs on it: who has work for it looks here after having published that.
    pub fn does(&self) -> Idle {
        // SeqCst: see `waiting`, and `plan`.
        match self.idle.idle.load(Ordering::SeqCst) {
            0 => Idle::Busy,
            1 => Idle::Looking,
            _ => Idle::Parked,
        }
    }

    /// For how long what is due here is left to the core itself, in ns: while it is idle.
    pub fn patience_ns(&self) -> u64 {
        if self.does() == Idle::Busy { 0 } else { PATIENCE_NS }
    }

    /// The same as a hint, for the choice of a core.
    pub fn seems_busy(&self) -> bool {
        self.idle.idle.load(Ordering::Relaxed) == Idle::Busy as u8
    }

    /// Whether it is lent to the thread that runs, as a hint.
    pub fn is_lent(&self) -> bool {
        self.idle.lent.load(Ordering::Relaxed) != 0
    }

    /// It is lent to the thread that runs from now on, or no more.
    pub fn set_lent(&self, lent: bool) {
        self.idle.lent.store(lent.into(), Ordering::Relaxed);
    }

    /// Who waits for it.
    #[inline]
    pub fn waiting(&self) -> Waiting {
        // SeqCst: a core that is about to park says so, then looks here; who brings work stores here, then looks whether it parks.
        Waiting(self.shown.waiting.load(Ordering::SeqCst))
    }

    /// Publishes what its queue, whose lock is held, says.
    pub fn publish(&self, queue: &RunQueue, threads: &Table<Thread>) {
        // Relaxed: the store behind it publishes both, and nobody else writes. Mostly all have the same order, and of an empty queue nobody asks: idle cores
        // look at this line, so it is written once, or not at all where one came and another went.
        if queue.len() > 0 {
            let order = queue.first_order(threads);
            if self.shown.first_order.load(Ordering::Relaxed) != order {
                self.shown.first_order.store(order, Ordering::Relaxed);
            }
        }
        let waiting = Waiting::of(queue).0;
        if self.shown.waiting.load(Ordering::Relaxed) != waiting {
            self.shown.waiting.store(waiting, Ordering::SeqCst);
        }
        beside_sequentially_consistent_access();
    }

    /// Who of those that wait is wanted from a thread of that rank, whose order among its equals is asked for if it counts.
    pub fn wants(&self, rank: u8, order: impl FnOnce() -> u64) -> Wanted {
        let waiting = self.waiting();
        if !waiting.any() || waiting.best_rank() < rank {
            return Wanted::No;
        }
        if waiting.best_rank() > rank {
            return Wanted::Above;
        }
        match self.shown.first_order.load(Ordering::Relaxed).cmp(&order()) {
            core::cmp::Ordering::Less => Wanted::Before,
            core::cmp::Ordering::Equal => Wanted::InTurn,
            core::cmp::Ordering::Greater => Wanted::Later,
        }
    }

    /// Reserves a part of the core. False: so much is not left.
    pub fn reserve(&self, share: u64) -> bool {
        let add = |reserved: u64| reserved.checked_add(share).filter(|sum| *sum <= WHOLE_CORE);
        self.reserved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok()
    }

    /// Gives back what was reserved.
    pub fn give_back(&self, share: u64) {
        self.reserved.fetch_sub(share, Ordering::Relaxed);
    }
}
