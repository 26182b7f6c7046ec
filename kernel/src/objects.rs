//! Endpoints, notifications, timers, budgets, regions and programs: the records behind their capabilities.
//!
//! A record's `generation` is odd while an object lives there; a capability names the object by index and generation, so one look
//! tells whether it is still the same object.

use alloc::sync::Arc;
use alloc::vec::Vec;

use hallows_abi::Error;

use crate::lock::{Lock, level};
use crate::serving::Serving;
use crate::slot::Via;
use crate::sync::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use crate::thread::NOBODY;
use crate::through::Through;

/// Which of the objects at an index lives there now.
#[derive(Debug, Default)]
pub struct Generation(AtomicU32);

impl Generation {
    /// Whether the object of that generation is alive.
    #[inline]
    pub fn is(&self, generation: u32) -> bool {
        // Acquire: who sees the object sees it as it was made.
        self.0.load(Ordering::Acquire) == generation
    }

    /// Whether any object is alive here.
    pub fn is_alive(&self) -> bool {
        self.0.load(Ordering::Acquire) & 1 == 1
    }

    /// The present generation.
    pub fn get(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }

    /// A new object begins; its generation.
    pub fn begin(&self) -> u32 {
        self.0.fetch_add(1, Ordering::AcqRel).wrapping_add(1)
    }

    /// The object of that generation ends, once: true for the one who ends it.
    pub fn end(&self, generation: u32) -> bool {
        self.0
            .compare_exchange(generation, generation.wrapping_add(1), Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}

/// A place to send messages to.
#[derive(Debug, Default)]
pub struct Endpoint {
    pub generation: Generation,
    /// The cell that serves it.
    pub serving: Serving,
    /// How many messages may wait; 0 of a passive endpoint.
    pub limit: AtomicU32,
    /// How long a passive server's handler may run, in ns.
    pub handler_budget_ns: AtomicU64,
    /// The budget that it is charged to.
    pub budget: AtomicU32,
    /// Notifications to signal, each through a held capability.
    pub watchers: Lock<{ level::CONTROL }, Vec<Via>>,
    /// Whether there are any: looked at where the lock would cost.
    pub watched: AtomicU32,
}

impl Endpoint {
    /// Whether its server runs on its callers' threads.
    #[inline]
    pub fn is_passive(&self) -> bool {
        self.limit.load(Ordering::Relaxed) == 0
    }
}

/// The events of an endpoint that its watchers are signalled, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Watched {
    Room = 1,
    Died = 2,
    Running = 4,
}

/// A set of bits that a cell can be told of.
#[derive(Debug)]
pub struct Notification {
    pub generation: Generation,
    /// The bits signalled and not yet taken.
    pub bits: AtomicU64,
    /// The cell that is told, [`NOBODY`], or [`LEFT`](crate::thread::LEFT).
    pub bound: AtomicU32,
    /// The badge that the cell gets with it.
    pub badge: AtomicU64,
    pub budget: AtomicU32,
}

impl Default for Notification {
    fn default() -> Self {
        Self {
            generation: Generation::default(),
            bits: AtomicU64::new(0),
            bound: AtomicU32::new(NOBODY),
            badge: AtomicU64::new(0),
            budget: AtomicU32::new(0),
        }
    }
}

/// Signals a notification at a time.
#[derive(Debug, Default)]
pub struct Timer {
    pub generation: Generation,
    pub setting: Lock<{ level::CONTROL }, TimerSetting>,
    pub budget: AtomicU32,
}

/// What a timer does.
#[derive(Clone, Copy, Debug)]
pub struct TimerSetting {
    /// The notification's capability, held.
    pub target: Via,
    /// The bits to signal.
    pub bits: u64,
    /// When, in ns; [`hallows_abi::NO_DEADLINE`] when disarmed.
    pub at_ns: u64,
    /// And then every so many ns; 0: once.
    pub period_ns: u64,
    /// By how much later it may fire, in ns.
    pub slack_ns: u64,
    /// The core that armed it, whose agenda it is in.
    pub armed_on: u32,
}

impl TimerSetting {
    /// When it fires, in ns: of the times that it may, the one that is a multiple of the greatest power of two, as others' are.
    pub const fn due_ns(&self) -> u64 {
        let (before, last) = (self.at_ns.saturating_sub(1), self.at_ns.saturating_add(self.slack_ns));
        // All bits below the first one that differs can be 0.
        let kept = match (before ^ last).checked_ilog2() {
            Some(bit) => u64::MAX << bit,
            None => u64::MAX,
        };
        let due_ns = last & kept;
        if due_ns < hallows_abi::NO_DEADLINE { due_ns } else { hallows_abi::NO_DEADLINE }
    }
}

impl Default for TimerSetting {
    fn default() -> Self {
        Self {
            target: Via::KERNEL,
            bits: 0,
            at_ns: hallows_abi::NO_DEADLINE,
            period_ns: 0,
            slack_ns: 0,
            armed_on: 0,
        }
    }
}

/// An amount of memory, part of another.
#[derive(Debug, Default)]
pub struct Budget {
    pub generation: Generation,
    pub limit: AtomicU64,
    pub used: AtomicU64,
    /// The budget that it was split from, or [`NOBODY`].
    pub parent: AtomicU32,
    /// Its memory is back in its parent's: set once, by who finds it ended and unused.
    pub returned: AtomicU8,
}

impl Budget {
    /// Takes so many bytes.
    pub fn charge(&self, bytes: u64) -> Result<(), Error> {
        let limit = self.limit.load(Ordering::Relaxed);
        // Relaxed: the count guards no other memory.
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|used| *used <= limit)
            })
            .map(|_| ())
            .map_err(|_| Error::BudgetExhausted)
    }
}

/// Page-granular shared memory.
#[derive(Debug, Default)]
pub struct Region {
    pub generation: Generation,
    /// The engine's number of it.
    pub number: AtomicU64,
    pub bytes: AtomicU64,
    pub budget: AtomicU32,
    pub mappings: Lock<{ level::CONTROL }, Vec<Mapping>>,
}

/// A region shown in a cell's memory.
#[derive(Clone, Copy, Debug)]
pub struct Mapping {
    pub cell: u32,
    pub address: u64,
    /// The capability that it was mapped through.
    pub through: Through,
}

/// A program that can be started.
pub struct Program<P> {
    pub generation: Generation,
    pub program: Lock<{ level::CONTROL }, Option<Arc<P>>>,
}

impl<P> Default for Program<P> {
    fn default() -> Self {
        Self { generation: Generation::default(), program: Lock::new(None) }
    }
}
