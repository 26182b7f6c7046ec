//! Threads of execution: one for each cell, with the states that keep a wake-up from being lost.

use crate::PreemptionWord;
use crate::class::is_real_time;
use crate::configuration::CHAIN;
use crate::lock::{Lock, level};
use crate::meter::Meter;
use crate::sync::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// No thread, core or cell, in the records below.
pub const NOBODY: u32 = u32::MAX;

/// Of a notification: whoever it was bound to has ended, and nobody has bound it since.
pub const LEFT: u32 = NOBODY - 1;

/// No time, in ns.
pub const NEVER: u64 = u64::MAX;

/// What a thread is doing, for those that want to run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Run {
    /// It never ran, or has ended: nothing wakes it but a start.
    Absent = 0,
    /// It waits to be woken.
    Blocked = 1,
    /// It is in a run queue, or about to be resumed.
    Runnable = 2,
    /// It runs on a core.
    Running = 3,
    /// It runs, and was woken meanwhile: if it blocks now, it is runnable at once.
    RunningWoken = 4,
}

/// The state machine between a thread that blocks and those that wake it. A wake-up is never lost: it finds the thread
/// blocked and makes it runnable, or leaves a mark that the thread's core finds when the thread blocks.
#[derive(Debug, Default)]
pub struct RunState(AtomicU8);

impl RunState {
    /// Wakes the thread. True: the caller puts it into a run queue.
    pub fn wake(&self) -> bool {
        // AcqRel on success: what the waker wrote is seen by the core that resumes the thread, and the waker sees what the thread
        // wrote before it blocked. Relaxed on failure: the loop looks again.
        let mut state = self.0.load(Ordering::Relaxed);
        loop {
            let next = match state {
                s if s == Run::Blocked as u8 => Run::Runnable,
                s if s == Run::Running as u8 => Run::RunningWoken,
                _ => return false,
            };
            match self.0.compare_exchange_weak(state, next as u8, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return next == Run::Runnable,
                Err(now) => state = now,
            }
        }
    }

    /// The thread is about to be resumed by the core that took it from a queue.
    pub fn run(&self) {
        // Release: a plain store is enough, only the core that owns the thread is here and wakers only compare-exchange.
        self.0.store(Run::Running as u8, Ordering::Release);
    }

    /// The thread has stopped to wait. False: it was woken meanwhile, is runnable, and the caller puts it into a run queue.
    pub fn block(&self) -> bool {
        // AcqRel: as in `wake`.
        let blocked = self.0.compare_exchange(
            Run::Running as u8,
            Run::Blocked as u8,
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        if blocked.is_err() {
            self.0.store(Run::Runnable as u8, Ordering::Release);
        }
        blocked.is_ok()
    }

    /// The thread, which runs, takes note that it was woken. Whether it was.
    pub fn take_wake(&self) -> bool {
        // Relaxed first: looked at all the time. Acquire: as in `wake`.
        self.0.load(Ordering::Relaxed) == Run::RunningWoken as u8 && {
            self.0.swap(Run::Running as u8, Ordering::Acquire);
            true
        }
    }

    /// The thread was stopped but has work left: the caller puts it into a run queue.
    pub fn requeue(&self) {
        self.0.store(Run::Runnable as u8, Ordering::Release);
    }

    /// The thread is over.
    pub fn end(&self) {
        self.0.store(Run::Absent as u8, Ordering::Release);
    }

    /// The thread begins anew, and waits to be woken for the first time.
    pub fn begin(&self) {
        self.0.store(Run::Blocked as u8, Ordering::Release);
    }

    /// Whether it runs on a core now.
    pub fn is_running(&self) -> bool {
        self.0.load(Ordering::Acquire) >= Run::Running as u8
    }

    /// Whether it is in a queue or about to be resumed.
    pub fn is_runnable(&self) -> bool {
        self.0.load(Ordering::Acquire) == Run::Runnable as u8
    }
}

/// What is not as usual with a thread, in one word that is looked at in passing: the priority that is lent to it, and what becomes of its time.
/// Written by anyone.
#[derive(Debug, Default)]
pub struct Standing(AtomicU32);

impl Standing {
    /// The rank lent by those who wait for it; 0 when none.
    const LENT: u32 = 0xff;
    /// Its cell has a time budget.
    const METERED: u32 = 1 << 8;
    /// That budget is used up: it stops when it is outside of all servers.
    const OVERDRAWN: u32 = 1 << 9;
    /// It has stopped for that, until its budget is replenished.
    const THROTTLED: u32 = 1 << 10;
    /// It runs on the time of who waits for it.
    const HELPED: u32 = 1 << 11;

    // All orders are relaxed: each is a hint for who comes by, or read by the core that runs the thread, which got it through its run state.

    fn has(&self, what: u32) -> bool {
        self.0.load(Ordering::Relaxed) & what != 0
    }

    fn put(&self, what: u32, there: bool) {
        if there {
            self.0.fetch_or(what, Ordering::Relaxed);
        } else {
            self.0.fetch_and(!what, Ordering::Relaxed);
        }
    }

    /// Of a new cell's thread.
    pub fn reset(&self, metered: bool) {
        self.0.store(if metered { Self::METERED } else { 0 }, Ordering::Relaxed);
    }

    /// Lends it a rank.
    pub fn lend(&self, rank: u8) {
        let raise = |word: u32| Some(word & !Self::LENT | (word & Self::LENT).max(u32::from(rank)));
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, raise);
    }

    /// What is lent to it.
    #[expect(clippy::cast_possible_truncation, reason = "its low 8 bits")]
    pub fn lent(&self) -> u8 {
        self.0.load(Ordering::Relaxed) as u8
    }

    /// Nobody lends it a priority any more.
    pub fn end_loan(&self) {
        self.put(Self::LENT, false);
    }

    /// Whether something is to be done when it is outside of all servers.
    #[inline]
    pub fn waits_for_the_outside(&self) -> bool {
        self.has(Self::LENT | Self::OVERDRAWN | Self::HELPED)
    }

    /// Whether anybody counts the time that it runs for.
    #[inline]
    pub fn is_accounted(&self) -> bool {
        self.has(Self::METERED | Self::HELPED)
    }

    /// Whether its cell has a time budget.
    pub fn is_metered(&self) -> bool {
        self.has(Self::METERED)
    }

    /// Whether its budget is used up.
    pub fn is_overdrawn(&self) -> bool {
        self.has(Self::OVERDRAWN)
    }

    /// Its budget is used up, or is not.
    pub fn set_overdrawn(&self, overdrawn: bool) {
        if self.is_overdrawn() != overdrawn {
            self.put(Self::OVERDRAWN, overdrawn);
        }
    }

    /// Whether it stands still until its budget is replenished.
    pub fn is_throttled(&self) -> bool {
        self.has(Self::THROTTLED)
    }

    /// It stands still, or not. Whether that is new.
    pub fn set_throttled(&self, throttled: bool) -> bool {
        let changes = self.is_throttled() != throttled;
        if changes {
            self.put(Self::THROTTLED, throttled);
        }
        changes
    }

    /// Whether it runs on another's time.
    pub fn is_helped(&self) -> bool {
        self.has(Self::HELPED)
    }

    /// It runs on another's time, or its own.
    pub fn set_helped(&self, helped: bool) {
        self.put(Self::HELPED, helped);
    }
}

/// One passive server on a thread's chain. `used_ns` and `seen` are written by the timekeeper, the rest by the thread.
#[derive(Debug, Default)]
struct Level {
    server: AtomicU32,
    activation: AtomicU64,
    budget_ns: AtomicU64,
    /// How long the handler, with all that it called, was seen to run.
    used_ns: AtomicU64,
    /// The activation that `used_ns` counts for.
    seen: AtomicU64,
}

/// What the kernel knows of a thread. Most of it is written only by the thread itself, on whichever core that runs it; what
/// others write says so.
///
/// In this order: first its word, then in one cache line what who wakes and who runs it write, then what all look at and few write.
#[derive(Debug)]
#[repr(C)]
pub struct Thread {
    /// Asks it to stop. Written by anyone.
    pub word: PreemptionWord,
    /// Whether it runs. Written by anyone.
    pub state: RunState,
    /// Set by the timekeeper when `deadline_ns` came.
    pub expired: AtomicU8,
    /// The core that last ran it.
    pub core: AtomicU32,
    /// Links of the run queue that it is in, under that queue's lock.
    pub next: AtomicU32,
    /// The one before it there.
    pub previous: AtomicU32,
    /// The queue it is in: core and level, or [`NOBODY`].
    pub queued: AtomicU32,
    /// How often others were put before it there, under the same lock.
    pub overtaken: AtomicU32,
    /// Its order in that queue, under the same lock; read by others as a hint.
    pub order: AtomicU64,
    /// How many passive servers it is inside of.
    pub depth: AtomicU32,
    /// The passive server whose monitor it waits for, or [`NOBODY`].
    pub waits_for: AtomicU32,
    /// When its present wait should end, in ns. Read by the timekeeper.
    pub deadline_ns: AtomicU64,
    /// The time of its entry in an agenda. Under that one's lock.
    pub queued_ns: AtomicU64,
    /// The core whose agenda that is. By itself.
    pub queued_on: AtomicU32,
    /// Grows by one with every entry into a handler.
    activation: AtomicU64,
    /// Its cell's class and priority in one number ([`crate::class`]).
    pub rank: AtomicU8,
    /// What is not as usual with it. Written by anyone.
    pub standing: Standing,
    /// How long it has said that its present work takes, in ns; 0: nothing. By itself.
    pub expected_ns: AtomicU64,
    /// The only core that it may run on, or [`NOBODY`].
    pub pinned: AtomicU32,
    /// The pool whose cores it runs on.
    pub pool: AtomicU32,
    /// On whose time it runs while it is helped. Written by who helps, before it runs.
    pub donor: AtomicU32,
    /// Its deadline, in the real-time class, in ns. [`NEVER`] for all others. Written under the meter's lock.
    pub reserved_until_ns: AtomicU64,
    /// When what it does at present must be done, in ns: the deadline that it was woken with. [`NEVER`]: nothing is, or that it was not is counted. By
    /// who wakes it, and the core that runs it.
    pub job_ns: AtomicU64,
    /// Deadlines that it has missed.
    pub missed: AtomicU64,
    /// The time of its last entry in an agenda for a replenishment, in ns. Under that one's lock.
    pub replenishment_ns: AtomicU64,
    /// How long it was seen to run, in ns. Written by the timekeeper.
    pub used_ns: AtomicU64,
    /// The longest that it ran on after it was asked to stop, in ns. Written by the timekeeper.
    pub stretch_ns: AtomicU64,
    /// The time that it may use.
    pub meter: Lock<{ level::LEAF }, Meter>,
    /// The passive servers that it is inside of.
    chain: [Level; CHAIN],
}

impl Thread {
    /// A thread that never ran.
    pub fn new() -> Self {
        Self {
            word: PreemptionWord::default(),
            state: RunState::default(),
            rank: AtomicU8::new(0),
            reserved_until_ns: AtomicU64::new(NEVER),
            job_ns: AtomicU64::new(NEVER),
            missed: AtomicU64::new(0),
            standing: Standing::default(),
            meter: Lock::default(),
            donor: AtomicU32::new(NOBODY),
            pinned: AtomicU32::new(NOBODY),
            pool: AtomicU32::new(0),
            core: AtomicU32::new(0),
            next: AtomicU32::new(NOBODY),
            previous: AtomicU32::new(NOBODY),
            queued: AtomicU32::new(NOBODY),
            order: AtomicU64::new(NEVER),
            overtaken: AtomicU32::new(0),
            expected_ns: AtomicU64::new(0),
            stretch_ns: AtomicU64::new(0),
            chain: core::array::from_fn(|_| Level::default()),
            depth: AtomicU32::new(0),
            activation: AtomicU64::new(0),
            waits_for: AtomicU32::new(NOBODY),
            used_ns: AtomicU64::new(0),
            deadline_ns: AtomicU64::new(hallows_abi::NO_DEADLINE),
            queued_ns: AtomicU64::new(hallows_abi::NO_DEADLINE),
            queued_on: AtomicU32::new(0),
            expired: AtomicU8::new(0),
            replenishment_ns: AtomicU64::new(hallows_abi::NO_DEADLINE),
        }
    }

    // All orders below are relaxed: the chain is written by the thread itself; others read it as a hint and look again under a
    // lock or in a monitor's word.

    fn level(&self, depth: u32) -> Option<&Level> {
        self.chain.get(depth as usize)
    }

    /// The server that it is innermost inside of, if any.
    #[inline]
    pub fn innermost(&self) -> Option<u32> {
        let depth = self.depth.load(Ordering::Relaxed);
        if depth == 0 {
            return None;
        }
        self.level(depth - 1).map(|level| level.server.load(Ordering::Relaxed))
    }

    /// Whether it is inside of a server.
    pub fn is_inside(&self, server: u32) -> bool {
        let depth = self.depth.load(Ordering::Relaxed) as usize;
        self.chain.iter().take(depth).any(|level| level.server.load(Ordering::Relaxed) == server)
    }

    /// The servers that it is inside of. For the thread itself.
    pub fn servers(&self) -> impl Iterator<Item = u32> {
        let depth = self.depth.load(Ordering::Relaxed) as usize;
        self.chain.iter().take(depth).map(|level| level.server.load(Ordering::Relaxed))
    }

    /// Enters a server whose handler may run for `budget_ns`; false when the chain is full.
    #[inline]
    pub fn enter(&self, server: u32, budget_ns: u64) -> bool {
        let depth = self.depth.load(Ordering::Relaxed);
        let Some(level) = self.level(depth) else { return false };
        let activation = self.activation.load(Ordering::Relaxed) + 1;
        self.activation.store(activation, Ordering::Relaxed);
        level.server.store(server, Ordering::Relaxed);
        level.budget_ns.store(budget_ns, Ordering::Relaxed);
        level.activation.store(activation, Ordering::Relaxed);
        self.depth.store(depth + 1, Ordering::Relaxed);
        true
    }

    /// Leaves the innermost server.
    #[inline]
    pub fn leave(&self) {
        let depth = self.depth.load(Ordering::Relaxed);
        self.depth.store(depth.saturating_sub(1), Ordering::Relaxed);
    }

    /// The timekeeper saw the thread run for `elapsed_ns` more: true if a handler on its chain is over its budget.
    pub fn account(&self, elapsed_ns: u64) -> bool {
        let depth = self.depth.load(Ordering::Relaxed) as usize;
        let mut over = false;
        for level in self.chain.iter().take(depth) {
            let activation = level.activation.load(Ordering::Relaxed);
            let used = if level.seen.load(Ordering::Relaxed) == activation {
                level.used_ns.load(Ordering::Relaxed).saturating_add(elapsed_ns)
            } else {
                0
            };
            level.used_ns.store(used, Ordering::Relaxed);
            level.seen.store(activation, Ordering::Relaxed);
            over |= used > level.budget_ns.load(Ordering::Relaxed);
        }
        over
    }

    /// Whether the innermost handler is over its budget.
    pub fn has_overrun(&self) -> bool {
        let depth = self.depth.load(Ordering::Relaxed);
        let Some(level) = depth.checked_sub(1).and_then(|depth| self.level(depth)) else { return false };
        level.seen.load(Ordering::Relaxed) == level.activation.load(Ordering::Relaxed)
            && level.used_ns.load(Ordering::Relaxed) > level.budget_ns.load(Ordering::Relaxed)
    }

    /// The budgets of all handlers that it is inside of, together, in ns: the most that it can stay inside.
    pub fn chain_budget_ns(&self) -> u64 {
        let depth = self.depth.load(Ordering::Relaxed) as usize;
        let budgets = self.chain.iter().take(depth).map(|level| level.budget_ns.load(Ordering::Relaxed));
        budgets.fold(0, u64::saturating_add)
    }

    /// Whether it holds no server and waits for none: to stop it harms nobody. Of a thread that does not run, or for itself.
    pub fn is_outside(&self) -> bool {
        self.depth.load(Ordering::Relaxed) == 0 && self.waits_for.load(Ordering::Relaxed) == NOBODY
    }

    /// The rank that it runs at.
    pub fn effective_rank(&self) -> u8 {
        self.rank.load(Ordering::Relaxed).max(self.standing.lent())
    }

    /// What it does next is new work, of which nothing is known. For itself, or before it runs.
    #[inline]
    pub fn begin_work(&self) {
        self.word.begin_work();
        if self.expected_ns.load(Ordering::Relaxed) != 0 {
            self.expected_ns.store(0, Ordering::Relaxed);
        }
    }

    /// Its deadline is its meter's, whose lock is held.
    pub fn follow(&self, meter: &Meter) {
        if self.is_reserved() {
            self.reserved_until_ns.store(meter.deadline_ns(), Ordering::Relaxed);
        }
    }

    /// Whether its cell is of the real-time class.
    pub fn is_reserved(&self) -> bool {
        is_real_time(self.rank.load(Ordering::Relaxed))
    }
}
