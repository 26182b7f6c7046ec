//! The timekeeper: who has run too long, and what is due. It reads the clock so that the cores need not.
//!
//! It learns when something began by looking: a slice or a handler is as old as its first sighting, so a budget is enforced to
//! within one look. While threads wait for a core it asks to be called all the time (`spin`); while threads run alone,
//! at a coarse interval, or when a time budget may be used up (`metering.rs`); while nothing runs, when the next timer is due, or never.

use alloc::boxed::Box;

use crate::core_record::{Core, Idle, Wanted};
use crate::lock::{Token, level};
use crate::policy::Candidate;
use crate::runqueue::Arrival;
use crate::sync::Ordering;
use crate::thread::{NEVER, NOBODY};
use crate::{CoreId, Engine, Kernel, Machine, Nanos};

/// When the timekeeper wants to be called again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextTick {
    /// At the latest; [`Nanos::NEVER`] for not before an alarm.
    pub at: Nanos,
    /// As soon as possible, again and again: microseconds matter now.
    pub spin: bool,
    /// Somebody's time comes at `at` whose core will not see to it by itself, which is more than a look whether all is well.
    pub is_due: bool,
}

/// How often handlers are accounted at most, in ns: the grain of their budgets. A host's clock of a thread costs a system call.
pub(crate) const ACCOUNTING_NS: u64 = 100_000;

/// How often traces are told the time at most, in ns.
const STAMPS_NS: u64 = 20_000;

/// Looks that lie further apart, in ns, say nothing of what was in between: the host has taken the timekeeper's core away.
const LATE_NS: u64 = 20_000;

/// So many cores are asked for help in one look.
const SOME_CORES: u32 = 8;

/// What it saw of a core at its last look.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    slice: u64,
    since_ns: u64,
    running: u32,
    /// When handlers were last accounted, by the timekeeper's clock, and the core's own time then.
    accounted_ns: u64,
    core_ns: u64,
    switches: u64,
    /// Since when somebody has waited for it, one or another all the time; [`NEVER`]: nobody does.
    waiting_since_ns: u64,
    /// Where to look next for a core that could help.
    asked: u32,
    /// When the core's trace was last told the time.
    stamped_ns: u64,
    /// When this core was last looked at.
    looked_ns: u64,
    /// Whom a look has asked to stop, and when; [`NOBODY`] and anything: nobody, or it has stopped.
    stopped: u32,
    asked_ns: u64,
}

impl Seen {
    /// The clock has jumped back, as where a host is moved: what began in the future begins now.
    fn turn_back(&mut self, now_ns: u64) {
        for time in [&mut self.since_ns, &mut self.accounted_ns, &mut self.stamped_ns, &mut self.looked_ns] {
            *time = now_ns.min(*time);
        }
        self.stopped = NOBODY;
    }
}

/// What it remembers. On lines of its own: its lock is written at every look.
#[repr(align(128))]
pub struct Timekeeper {
    seen: Box<[Seen]>,
}

impl Timekeeper {
    /// Of so many cores.
    pub fn new(cores: u32) -> Self {
        let unseen = Seen { running: NOBODY, stopped: NOBODY, waiting_since_ns: NEVER, ..Seen::default() };
        Self { seen: (0..cores).map(|_| unseen).collect() }
    }
}

impl<E: Engine> Kernel<E> {
    /// The timekeeper's turn. For the machine, from one thread.
    pub fn tick(&self, now: Nanos) -> NextTick {
        let mut token = Token::at_entry();
        self.plan.begin();
        self.plan.take_look(now.0);
        let (contended, active) = self.look_at_cores(&mut token, now);
        self.fire_due(&mut token, now);
        if contended {
            // For who does not spin: by when the first of all that it keeps may be over.
            let quantum_ns = self.tuned.quantum_ns().min(self.tuned.batch_quantum_ns());
            let at = now.after(quantum_ns.min(self.configuration.coarse_tick_ns)).0.min(self.next_due_ns());
            return NextTick { at: Nanos(at), spin: true, is_due: false };
        }
        let coarse_ns = now.0 + self.configuration.coarse_tick_ns;
        // One that is busy in the host for hours is nobody's concern.
        let busy =
            || (0..self.configuration.general_cores()).any(|core| self.core(core).does() == Idle::Busy);
        let at = self.plan.make(active, coarse_ns, || self.next_due_ns(), busy);
        let began = (0..self.configuration.general_cores()).any(|core| {
            let core = self.core(core);
            let running = core.running.load(Ordering::Relaxed);
            if running == NOBODY { core.waiting().any() } else { self.needs_looks(core, running) }
        });
        let is_due = at < coarse_ns && self.next_of_busy_ns() <= at;
        NextTick { at: if began { now } else { Nanos(at) }, spin: false, is_due }
    }

    /// Stops what ran too long. Whether threads wait behind a running one; and whether anything ran since the last look.
    ///
    /// Service cores are the host's, and may be the timekeeper's own: who waits there may wait for the timekeeper, which must not spin for it.
    fn look_at_cores(&self, token: &mut Token<'static, { level::NONE }>, now: Nanos) -> (bool, bool) {
        let (mut timekeeper, mut below) = self.timekeeper.lock(token);
        let (mut contended, mut active) = (false, false);
        for ((number, core), seen) in (0..).zip(self.cores.iter()).zip(&mut timekeeper.seen) {
            // Seldom: the core writes the same line, and would have to get it back.
            if now.0.saturating_sub(seen.stamped_ns) >= STAMPS_NS {
                seen.stamped_ns = now.0;
                core.trace.stamp(now.0);
            }
            let switches = core.switches.load(Ordering::Relaxed);
            active |= switches != seen.switches;
            if now.0 < seen.looked_ns {
                seen.turn_back(now.0);
            }
            self.see_stretch(seen, switches, now);
            seen.switches = switches;
            let is_general = number < self.configuration.general_cores();
            if is_general {
                self.look_at_queue(core, seen, now);
            }
            let running = core.running.load(Ordering::Relaxed);
            let waits = if running != NOBODY {
                active |= is_general;
                self.account(number, running, seen, now);
                if self.threads.at(running).standing.is_metered() {
                    self.look_at_budget(&mut below, running, now);
                }
                self.look_at_thread(core, running, seen, now)
            } else {
                // Between two threads, most likely: with this look alone the next one's quantum would not be seen to begin.
                core.waiting().any()
            };
            contended |= waits && is_general;
            active |= waits;
            seen.running = running;
        }
        (contended, active)
    }

    /// How long it took a thread to stop that was asked to: the longest is kept. Where this core was not looked at meanwhile nobody knows.
    fn see_stretch(&self, seen: &mut Seen, switches: u64, now: Nanos) {
        let unseen_ns = now.0.saturating_sub(core::mem::replace(&mut seen.looked_ns, now.0));
        if seen.stopped == NOBODY {
            return;
        }
        if switches != seen.switches && unseen_ns < LATE_NS {
            let stretch = &self.threads.at(seen.stopped).stretch_ns;
            let stretch_ns = now.0.saturating_sub(seen.asked_ns);
            if stretch_ns > stretch.load(Ordering::Relaxed) {
                stretch.store(stretch_ns, Ordering::Relaxed);
            }
        }
        if switches != seen.switches || unseen_ns >= LATE_NS {
            seen.stopped = NOBODY;
        }
    }

    /// Whether threads have waited for a core for so long that another should help, of its pool or of one that lends.
    fn look_at_queue(&self, core: &Core, seen: &mut Seen, now: Nanos) {
        let waits = core.waiting().has_movable();
        seen.waiting_since_ns = if waits { seen.waiting_since_ns.min(now.0) } else { NEVER };
        let is_long = waits && now.0 - seen.waiting_since_ns >= self.tuned.lend_after_ns();
        if (core.congested.load(Ordering::Relaxed) != 0) != is_long {
            core.congested.store(is_long.into(), Ordering::Relaxed);
        }
        if !is_long {
            return;
        }
        if self.parked.load(Ordering::Relaxed) == 0 {
            return;
        }
        // Who looks for work finds it by himself. Of many cores some are looked at now, others at the next look.
        let cores = self.configuration.general_cores();
        let could_help = |other: &u32| {
            let other = self.core(*other);
            other.home.pool == core.home.pool || other.home.lends
        };
        let parked = (0..SOME_CORES.min(cores)).map(|place| (seen.asked + place) % cores);
        let mut parked = parked.filter(could_help).filter(|other| self.core(*other).does() == Idle::Parked);
        if let Some(other) = parked.next() {
            self.machine.unpark(CoreId(other));
        }
        seen.asked = (seen.asked + SOME_CORES) % cores;
    }

    /// Counts the time of the running thread, and of the handlers that it is inside of, by the core's own clock: a core that the host has
    /// taken away makes no handler overrun.
    fn account(&self, core: u32, running: u32, seen: &mut Seen, now: Nanos) {
        if now.0.saturating_sub(seen.accounted_ns) < ACCOUNTING_NS {
            return;
        }
        seen.accounted_ns = now.0;
        let core_ns = self.machine.core_time(CoreId(core)).0;
        let elapsed_ns = core_ns.saturating_sub(core::mem::replace(&mut seen.core_ns, core_ns));
        let thread = self.threads.at(running);
        if seen.running != running {
            return;
        }
        thread.used_ns.store(thread.used_ns.load(Ordering::Relaxed) + elapsed_ns, Ordering::Relaxed);
        if thread.depth.load(Ordering::Relaxed) > 0 && thread.account(elapsed_ns) {
            thread.word.stop();
        }
    }

    /// Whether a thread waits behind the running one.
    fn look_at_thread(&self, core: &Core, running: u32, seen: &mut Seen, now: Nanos) -> bool {
        let thread = self.threads.at(running);
        let slice = core.slice.load(Ordering::Relaxed);
        if slice != seen.slice {
            seen.slice = slice;
            seen.since_ns = now.0;
        }
        let stint_ns = now.0.saturating_sub(seen.since_ns);
        let wanted = self.wanted_from(core, running, stint_ns);
        let is_over = match wanted {
            Wanted::No => return false,
            // Its order may change while it runs, but a deadline does not.
            Wanted::Later => return !thread.is_reserved(),
            Wanted::Above => true,
            Wanted::Before => stint_ns >= self.judges.least_stint_ns(thread.effective_rank()),
            Wanted::InTurn => {
                let candidate = Candidate::new(thread, running, Arrival::Preempted, stint_ns);
                let (quantum_ns, strays) = self.judges.quantum_ns(&candidate, &self.tuned);
                if let Some((policy, error)) = strays {
                    self.machine.policy_strays(policy, error);
                }
                stint_ns >= quantum_ns
            }
        };
        // Who brought it may have asked for that already, of whoever ran then.
        if is_over && !thread.word.is_set() {
            thread.word.stop_after(stint_ns);
            (seen.stopped, seen.asked_ns) = (running, now.0);
        }
        true
    }
}
