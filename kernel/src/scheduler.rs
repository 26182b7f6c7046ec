//! The cores' loops: which thread runs where, what happens when it stops, and how a core falls asleep.

use hallows_abi::{Error, TraceKind};

use crate::cell::CellState;
use crate::core_record::{Core, Idle, Reason, Wanted};
use crate::due::Watch;
use crate::lock::{Token, level};
use crate::policy::Candidate;
use crate::runqueue::Arrival;
use crate::sync::Ordering;
use crate::thread::{NOBODY, Thread};
use crate::{CellId, Context, CoreId, Engine, Kernel, Machine, Nanos, Role, Stop, ThreadId};

/// So many cores are looked at at a time, for whoever is woken and for work to take over, and the next time the next ones: on a machine of hundreds, all of
/// them would be more than what the work itself takes, and what a core publishes would be with all others whenever it changes.
const NEAR: u32 = 8;

impl<E: Engine> Kernel<E> {
    /// Runs threads on a core until the kernel is shut down. For the machine, on the core.
    pub fn run_core(&self, core: CoreId) {
        while !self.is_stopping() {
            if !self.step(core) {
                self.idle(core);
            }
        }
    }

    /// Runs one thread until it stops, if there is one for this core. For machines that drive the kernel themselves.
    pub fn step(&self, core: CoreId) -> bool {
        let mut token = Token::at_entry();
        let record = self.core(core.0);
        let handed = record.handoff.load(Ordering::Relaxed);
        let thread = if handed != NOBODY {
            record.handoff.store(NOBODY, Ordering::Relaxed);
            handed
        } else {
            // Relaxed: only this core writes its slice.
            record.slice.store(record.slice.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            let next = record.next.load(Ordering::Relaxed);
            if next != NOBODY {
                record.next.store(NOBODY, Ordering::Relaxed);
                next
            } else {
                match self.pick(&mut token, core.0) {
                    Some(thread) => thread,
                    None => return false,
                }
            }
        };
        self.run(&mut token, core, thread);
        true
    }

    fn pick(&self, token: &mut Token<'_, { level::NONE }>, core: u32) -> Option<u32> {
        let record = self.core(core);
        if record.waiting().any() {
            let (mut queue, _) = record.queue.lock(token);
            let thread = queue.pop(&self.threads);
            record.publish(&queue, &self.threads);
            if thread.is_some() {
                return thread;
            }
        }
        self.steal(token, core)
    }

    fn steal(&self, token: &mut Token<'_, { level::NONE }>, core: u32) -> Option<u32> {
        let near = self.near(core).chain(self.in_need(core));
        let stolen = { near }.find_map(|victim| {
            let record = self.core(victim);
            if !self.has_surplus(victim) {
                return None;
            }
            let mut queue = record.queue.try_lock(token)?;
            let thread = queue.steal(&self.threads)?;
            record.publish(&queue, &self.threads);
            self.core(core).trace.record(TraceKind::Steal, thread, thread, u64::from(victim));
            Some(thread)
        });
        match stolen {
            Some(_) => self.core(core).looked.store(0, Ordering::Relaxed),
            None => self.look_further(core),
        }
        stolen
    }

    /// The cores of its pool that a core looks at for work to take over: the nearest, and the next ones where it found none.
    fn near(&self, core: u32) -> impl Iterator<Item = u32> {
        let record = self.core(core);
        let (first, near) = (record.looked.load(Ordering::Relaxed), &record.home.near);
        let count = u32::try_from(near.len()).unwrap_or(u32::MAX);
        let places = (0..count.min(NEAR)).map(move |further| (first % count + further) % count);
        places.filter_map(move |place| near.get(place as usize).copied())
    }

    /// Those of the cores of other pools that threads have waited for, if this one may be lent.
    fn in_need(&self, core: u32) -> impl Iterator<Item = u32> {
        let (record, cores) = (self.core(core), self.configuration.general_cores());
        let first = record.looked.load(Ordering::Relaxed) % cores;
        let some = if record.home.lends { cores.min(NEAR) } else { 0 };
        (0..some).map(move |further| (first + further) % cores).filter(|other| {
            let other = self.core(*other);
            other.home.pool != record.home.pool && other.congested.load(Ordering::Relaxed) != 0
        })
    }

    /// The next time it looks at others.
    fn look_further(&self, core: u32) {
        // Relaxed: by the core's own thread only.
        let looked = &self.core(core).looked;
        looked.store(looked.load(Ordering::Relaxed).wrapping_add(NEAR), Ordering::Relaxed);
    }

    /// Whether a thread is not of the core's pool, nor pinned there: it runs on a core that is lent.
    fn is_guest(&self, core: &Core, thread: &Thread) -> bool {
        thread.pool.load(Ordering::Relaxed) != core.home.pool
    }

    fn run(&self, token: &mut Token<'static, { level::NONE }>, core: CoreId, thread: u32) {
        let (record, running) = (self.core(core.0), self.threads.at(thread));
        running.state.run();
        if running.standing.is_accounted() && !self.begin_stint(token, core.0, thread) {
            return;
        }
        running.core.store(core.0, Ordering::Relaxed);
        record.running.store(thread, Ordering::Relaxed);
        self.oversee(record, thread);
        record.switches.store(record.switches.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        record.trace.record(TraceKind::Resume, thread, thread, 0);
        let is_guest = self.is_guest(record, running);
        if is_guest {
            record.set_lent(true);
            record.loans.store(record.loans.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
        let role = if self.cells.at(thread).is_passive() { Role::Passive } else { Role::Active };
        let stop = self.engine.resume(self, core, ThreadId(thread), CellId(thread), role);
        record.running.store(NOBODY, Ordering::Relaxed);
        if is_guest {
            record.set_lent(false);
        }
        if running.standing.is_accounted() {
            self.end_stint(token, thread);
        }
        record.trace.record(TraceKind::Suspend, thread, thread, 0);
        match stop {
            Stop::Suspended if record.reason.load(Ordering::Relaxed) == Reason::Preempted as u8 => {
                // Outside of all servers nobody waits for it: a loan that came after it left the last one ends here.
                if running.depth.load(Ordering::Relaxed) == 0 {
                    running.standing.end_loan();
                }
                if running.standing.is_metered() {
                    self.gives_way(token, core.0, thread);
                }
                running.state.requeue();
                self.exchange(token, core.0, thread);
            }
            Stop::Suspended | Stop::Idle => {
                // Who waits for a server is not done.
                if running.is_reserved() && self.waits_for(token, thread).is_none() {
                    self.job_done(token, core.0, thread);
                }
                if !running.state.block() {
                    self.enqueue(token, core.0, thread, Arrival::Fresh);
                }
            }
            Stop::Ready => {
                running.state.end();
                self.passive_ready(token, core.0, thread);
            }
            Stop::Finished(ended) => {
                if running.is_reserved() {
                    self.job_done(token, core.0, thread);
                }
                running.state.end();
                self.thread_ended(token, core.0, thread, ended);
            }
        }
    }

    /// Wakes a thread: it is put into a queue if it was blocked.
    pub(crate) fn wake<const M: u8>(&self, token: &mut Token<'_, M>, core: u32, thread: u32) {
        if self.threads.at(thread).state.wake() {
            self.enqueue(token, core, thread, Arrival::Fresh);
        }
    }

    /// Wakes a thread for which the caller is about to block: it continues the caller's slice on this core.
    pub(crate) fn wake_to_continue<const M: u8>(&self, token: &mut Token<'_, M>, core: u32, thread: u32) {
        let (record, woken) = (self.core(core), self.threads.at(thread));
        if !woken.state.wake() {
            return;
        }
        let here = self.may_run_on(woken, core);
        // A thread that should not run before one that waits here queues up behind it. One with a reservation has it counted from now on.
        let goes_first = woken.effective_rank() >= record.waiting().best_rank() && !woken.is_reserved();
        if here && record.handoff.load(Ordering::Relaxed) == NOBODY && goes_first {
            record.handoff.store(thread, Ordering::Relaxed);
        } else {
            self.enqueue(token, core, thread, Arrival::Fresh);
        }
    }

    /// The calling thread goes on: whom it would have handed its core to is put into a queue.
    pub(crate) fn let_go(&self, context: &mut Context) {
        let record = self.core(context.core.0);
        let handed = record.handoff.load(Ordering::Relaxed);
        if handed != NOBODY {
            record.handoff.store(NOBODY, Ordering::Relaxed);
            self.enqueue(&mut context.token, context.core.0, handed, Arrival::Fresh);
        }
    }

    /// Puts a runnable thread into the queue of the core where it will run soonest.
    pub(crate) fn enqueue<const M: u8>(
        &self,
        token: &mut Token<'_, M>,
        from: u32,
        thread: u32,
        arrival: Arrival,
    ) {
        let woken = self.threads.at(thread);
        if arrival == Arrival::Fresh && woken.is_reserved() {
            self.release(token, thread);
        }
        let target = self.place(from, thread, arrival);
        self.push(token, target, thread, arrival);
        self.tell(from, target, thread);
    }

    /// Puts a preempted thread into the queue of its core, and takes out whom the core runs next.
    fn exchange<const M: u8>(&self, token: &mut Token<'_, M>, core: u32, thread: u32) {
        const { assert!(M < level::LEAF) };
        let record = self.core(core);
        let is_elsewhere = self.place(core, thread, Arrival::Preempted) != core;
        // Whom it hands its core to comes first, and nobody has two places.
        if is_elsewhere || record.handoff.load(Ordering::Relaxed) != NOBODY {
            self.enqueue(token, core, thread, Arrival::Preempted);
            return;
        }
        let order = self.order_of(thread, Arrival::Preempted, 0);
        let (mut queue, _) = record.queue.lock(token);
        queue.push(&self.threads, thread, Arrival::Preempted, order);
        record.next.store(queue.pop(&self.threads).unwrap_or(NOBODY), Ordering::Relaxed);
        record.publish(&queue, &self.threads);
    }

    /// A core is told of a thread that another one, or itself, has just put into its queue.
    pub(crate) fn tell(&self, from: u32, target: u32, thread: u32) {
        let (record, woken) = (self.core(target), self.threads.at(thread));
        // SeqCst: pairs with the core that parks, which says so and then looks at `waiting`.
        let does = record.does();
        if does == Idle::Parked {
            self.machine.unpark(CoreId(target));
            return;
        }
        let running = record.running.load(Ordering::Relaxed);
        if running != NOBODY && running != thread {
            let other = self.threads.at(running);
            let (rank, other_rank) = (woken.effective_rank(), other.effective_rank());
            let is_before =
                || woken.order.load(Ordering::Relaxed) < self.order_of(running, Arrival::Preempted, 0);
            if rank > other_rank || rank == other_rank && is_before() || self.is_guest(record, other) {
                other.word.stop();
                // Who does not come to a check may keep others waiting that another core could run.
                if self.could_help(record) {
                    self.wake_timekeeper();
                }
            } else {
                self.oversee(record, running);
            }
        } else if does == Idle::Busy && running == NOBODY && from != target {
            // It may have taken another one from its queue already: the timekeeper sees which.
            self.wake_timekeeper();
        }
    }

    /// Has the timekeeper look at a core where a thread runs, if it must.
    ///
    /// A core that begins to run a thread looks here at who waits, and who puts a thread into its queue at what runs. Between two threads the core
    /// exchanges a thread's state or takes a lock, so one of the two sees the other, or the core between threads.
    pub(crate) fn oversee(&self, core: &Core, running: u32) {
        if self.needs_looks(core, running) {
            self.wake_timekeeper();
        }
    }

    /// Whether time counts for those that wait for a core where a thread runs: a quantum is to be kept, or a core that helps to be found.
    pub(crate) fn needs_looks(&self, core: &Core, running: u32) -> bool {
        let waiting = core.waiting();
        if !waiting.any() {
            return false;
        }
        let thread = self.threads.at(running);
        let is_wanted = || waiting.best_rank() >= thread.effective_rank() || self.is_guest(core, thread);
        self.could_help(core) || is_wanted()
    }

    /// Whether another core could run one of those that wait for a core.
    fn could_help(&self, core: &Core) -> bool {
        core.waiting().has_movable() && self.configuration.general_cores() > 1
    }

    /// [`Self::enqueue`] where no lock but a leaf may be taken.
    fn push<const M: u8>(&self, token: &mut Token<'_, M>, target: u32, thread: u32, arrival: Arrival) {
        const { assert!(M < level::LEAF) };
        let order = self.order_of(thread, arrival, 0);
        let (mut queue, _) = self.core(target).queue.lock(token);
        queue.push(&self.threads, thread, arrival, order);
        self.core(target).publish(&queue, &self.threads);
    }

    /// The order of a thread if it were put into a queue now, after it has run for so long in its turn.
    pub(crate) fn order_of(&self, thread: u32, arrival: Arrival, stint_ns: u64) -> u64 {
        self.judges.order(&Candidate::new(self.threads.at(thread), thread, arrival, stint_ns))
    }

    /// What those that wait for a core want of the thread that runs there, for so long in its turn.
    pub(crate) fn wanted_from(&self, core: &Core, running: u32, stint_ns: u64) -> Wanted {
        if !core.waiting().any() {
            return Wanted::No;
        }
        let thread = self.threads.at(running);
        // Who has lent it takes it back for whoever of its own wants it.
        if self.is_guest(core, thread) {
            return Wanted::Above;
        }
        core.wants(thread.effective_rank(), || self.order_of(running, Arrival::Preempted, stint_ns))
    }

    /// Whether a thread may run on a core, and it need not be lent for that.
    pub(crate) fn may_run_on(&self, thread: &Thread, core: u32) -> bool {
        let pinned = thread.pinned.load(Ordering::Relaxed);
        let is_at_home =
            || core < self.configuration.general_cores() && !self.is_guest(self.core(core), thread);
        pinned == core || pinned == NOBODY && is_at_home()
    }

    fn place(&self, from: u32, thread: u32, arrival: Arrival) -> u32 {
        let record = self.threads.at(thread);
        let pinned = record.pinned.load(Ordering::Relaxed);
        if pinned < self.configuration.cores {
            return pinned;
        }
        let cores = self.configuration.pool_cores(record.pool.load(Ordering::Relaxed));
        if self.configuration.chaos {
            return if cores.contains(&(from + 1)) { from + 1 } else { cores.start };
        }
        if arrival == Arrival::Preempted && cores.contains(&from) {
            return from;
        }
        let last = Some(record.core.load(Ordering::Relaxed)).filter(|core| cores.contains(core));
        let last = last.unwrap_or(cores.start);
        // One that is lent is given back.
        let is_idle = |core: &u32| {
            let core = self.core(*core);
            !core.seems_busy() || core.is_lent() && !core.waiting().any()
        };
        if is_idle(&last) {
            return last;
        }
        let count = cores.end.saturating_sub(cores.start);
        let mut near =
            (1..count.min(NEAR + 1)).map(|further| cores.start + (last - cores.start + further) % count);
        // One that sleeps does not look out for what waits elsewhere. Where all are busy none sleeps, and the count stays with all cores.
        let far = || (self.parked.load(Ordering::Relaxed) > 0).then(|| cores.clone().find(is_idle)).flatten();
        let idle = near.find(is_idle).or_else(far);
        idle.unwrap_or(if cores.contains(&from) { from } else { last })
    }

    /// Nothing to run: looks for a while, then sleeps until there is.
    fn idle(&self, core: CoreId) {
        let record = self.core(core.0);
        let is_called = || self.is_stopping() || record.waiting().any();
        record.say(Idle::Looking);
        record.trace.record(TraceKind::Idle, NOBODY, 0, 0);
        let (mut looks, mut watch) = (0, Watch::default());
        // Somebody's time that it is awake for by now.
        let mut awaited_ns = None;
        while !is_called() && !self.is_surplus_near(core.0) {
            if self.fire_own(core, &mut watch, looks) {
                continue;
            }
            if looks < self.configuration.idle_looks || awaited_ns == Some(record.agenda.next_ns()) {
                self.machine.relax(core, looks);
                looks = looks.saturating_add(1);
                continue;
            }
            record.say(Idle::Parked);
            // Relaxed: a hint for the choice of a core.
            self.parked.fetch_add(1, Ordering::Relaxed);
            let has_work = is_called() || self.is_surplus_elsewhere(core.0);
            if !has_work {
                let next_ns = record.agenda.next_ns();
                awaited_ns = self.machine.park(core, Nanos(next_ns)).then_some(next_ns);
                watch = Watch::default();
            }
            self.parked.fetch_sub(1, Ordering::Relaxed);
            if has_work {
                break;
            }
        }
        record.say(Idle::Busy);
        // The timekeeper sleeps until the next timer, or for good, while nothing runs; and what is due here it has left to this core.
        let next_ns = record.agenda.next_ns();
        let is_left = || next_ns < Nanos::NEVER.0 && self.plan.is_too_late_for(next_ns);
        if self.plan.is_resting() || is_left() {
            self.wake_timekeeper();
        }
    }

    /// Whether there is something that this core could take over from those that it looks at. If not, it looks at others the next time.
    pub(crate) fn is_surplus_near(&self, core: u32) -> bool {
        let found = self.near(core).chain(self.in_need(core)).any(|other| self.has_surplus(other));
        if !found {
            self.look_further(core);
        }
        found
    }

    /// The same of all cores: before it sleeps.
    fn is_surplus_elsewhere(&self, core: u32) -> bool {
        let home = &self.core(core).home;
        let in_need = |other: &u32| {
            let other = self.core(*other);
            home.lends && other.home.pool != home.pool && other.congested.load(Ordering::Relaxed) != 0
        };
        let others = (0..self.configuration.general_cores()).filter(in_need);
        home.near.iter().copied().chain(others).any(|other| self.has_surplus(other))
    }

    /// Whether threads wait for a core that may run elsewhere, and it does not take one of them at this moment: what was just queued where its memory is
    /// should run there.
    fn has_surplus(&self, core: u32) -> bool {
        let record = self.core(core);
        record.waiting().has_movable()
            && (record.running.load(Ordering::Relaxed) != NOBODY
                || record.congested.load(Ordering::Relaxed) != 0)
    }

    pub(crate) fn wake_timekeeper(&self) {
        if self.plan.is_made() {
            self.machine.alarm(Nanos(0));
        }
    }

    /// The calling thread waits to be woken.
    pub(crate) fn block(&self, context: &mut Context) {
        self.core(context.core.0).reason.store(Reason::Blocked as u8, Ordering::Relaxed);
        self.engine.suspend(context);
    }

    /// The calling thread lets others run and is runnable at once.
    pub(crate) fn yield_now(&self, context: &mut Context) {
        self.core(context.core.0).reason.store(Reason::Preempted as u8, Ordering::Relaxed);
        self.engine.suspend(context);
    }

    /// From a program's check, when its preemption word is set.
    ///
    /// # Errors
    /// `Killed`: the program must unwind now. Its cell was killed, or its handler overran its budget.
    pub fn preempted(&self, context: &mut Context) -> Result<(), Error> {
        let thread = self.threads.at(context.thread.0);
        thread.word.clear();
        let cell = self.current(context);
        self.check_live(cell)?;
        if thread.has_overrun() {
            self.handler_overran(context, cell);
            return Err(Error::Killed);
        }
        let record = self.core(context.core.0);
        let over = thread.standing.is_overdrawn() && thread.is_outside();
        let has_to = over || self.configuration.chaos || self.is_stopping();
        if has_to || self.wanted_from(record, context.thread.0, 0) >= Wanted::InTurn {
            record.trace.record(TraceKind::Preempt, context.thread.0, context.thread.0, 0);
            self.yield_now(context);
            self.check_live(cell)?;
        }
        Ok(())
    }

    /// A passive server's init function has returned: it can be called.
    fn passive_ready(&self, token: &mut Token<'static, { level::NONE }>, core: u32, cell: u32) {
        let record = self.cells.at(cell);
        let ready = {
            let (mut control, _) = record.control.lock(token);
            control.thread_busy = false;
            let ready = record.state() == CellState::Starting;
            if ready {
                record.set_state(CellState::Running);
            }
            ready
        };
        if ready {
            self.tell_watchers(token, core, cell, crate::objects::Watched::Running);
        } else {
            self.try_finish(token, core, cell);
        }
    }
}
