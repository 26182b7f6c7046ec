//! The cores' loops: which thread runs where, what happens when it stops, and how a core falls asleep.

use hallows_abi::{Error, TraceKind};

use crate::cell::CellState;
use crate::class::is_real_time;
use crate::core_record::{Idle, Reason};
use crate::lock::{Token, level};
use crate::runqueue::Arrival;
use crate::sync::Ordering;
use crate::thread::NOBODY;
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
            match self.pick(&mut token, core.0) {
                Some(thread) => thread,
                None => return false,
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
        let cores = self.configuration.general_cores();
        if core >= cores {
            return None;
        }
        let stolen = self.near(core).find_map(|victim| {
            let record = self.core(victim);
            if !record.waiting().has_movable() {
                return None;
            }
            let mut queue = record.queue.try_lock(token)?;
            let thread = queue.steal(&self.threads)?;
            record.publish(&queue, &self.threads);
            self.core(core).trace.record(TraceKind::Steal, thread, thread, u64::from(victim));
            Some(thread)
        });
        if stolen.is_none() {
            self.look_further(core);
        }
        stolen
    }

    /// The cores that a core looks at for work to take over.
    fn near(&self, core: u32) -> impl Iterator<Item = u32> {
        let cores = self.configuration.general_cores();
        let first = self.core(core).near.load(Ordering::Relaxed);
        (0..cores.min(NEAR + 1))
            .map(move |further| (first + further) % cores)
            .filter(move |other| *other != core)
    }

    fn look_further(&self, core: u32) {
        // Relaxed: by the core's own thread only.
        let near = &self.core(core).near;
        near.store(
            (near.load(Ordering::Relaxed) + NEAR) % self.configuration.general_cores(),
            Ordering::Relaxed,
        );
    }

    fn run(&self, token: &mut Token<'static, { level::NONE }>, core: CoreId, thread: u32) {
        let (record, running) = (self.core(core.0), self.threads.at(thread));
        running.state.run();
        if running.standing.is_accounted() && !self.begin_stint(token, core.0, thread) {
            return;
        }
        running.core.store(core.0, Ordering::Relaxed);
        record.running.store(thread, Ordering::Relaxed);
        record.switches.store(record.switches.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        record.trace.record(TraceKind::Resume, thread, thread, 0);
        let role = if self.cells.at(thread).is_passive() { Role::Passive } else { Role::Active };
        let stop = self.engine.resume(self, core, ThreadId(thread), CellId(thread), role);
        record.running.store(NOBODY, Ordering::Relaxed);
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
                self.enqueue(token, core.0, thread, Arrival::Preempted);
            }
            Stop::Suspended | Stop::Idle => {
                // Who waits for a server is not done.
                if running.is_reserved() && self.waits_for(token, thread).is_none() {
                    self.job_done(token, thread);
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
                    self.job_done(token, thread);
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
        let pinned = woken.pinned.load(Ordering::Relaxed);
        let here = self.may_run_on(pinned, core);
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
        self.tell(target, thread);
    }

    /// A core is told of a thread that was just put into its queue.
    pub(crate) fn tell(&self, target: u32, thread: u32) {
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
            let is_earlier =
                || is_real_time(rank) && woken.deadline_of_rank_ns() < other.deadline_of_rank_ns();
            if rank > other_rank || rank == other_rank && is_earlier() {
                other.word.stop();
            }
            self.wake_timekeeper();
        } else if does == Idle::Busy && running == NOBODY {
            // It may have taken another one from its queue already: the timekeeper sees which.
            self.wake_timekeeper();
        }
    }

    /// [`Self::enqueue`] where no lock but a leaf may be taken.
    fn push<const M: u8>(&self, token: &mut Token<'_, M>, target: u32, thread: u32, arrival: Arrival) {
        const { assert!(M < level::LEAF) };
        let (mut queue, _) = self.core(target).queue.lock(token);
        queue.push(&self.threads, thread, arrival);
        self.core(target).publish(&queue, &self.threads);
    }

    /// Whether a thread that is pinned so (or to [`NOBODY`]) may run on a core.
    pub(crate) fn may_run_on(&self, pinned: u32, core: u32) -> bool {
        pinned == core || pinned == NOBODY && core < self.configuration.general_cores()
    }

    fn place(&self, from: u32, thread: u32, arrival: Arrival) -> u32 {
        let cores = self.configuration.general_cores();
        let record = self.threads.at(thread);
        let pinned = record.pinned.load(Ordering::Relaxed);
        if pinned < self.configuration.cores {
            return pinned;
        }
        if self.configuration.chaos {
            return (from + 1) % cores;
        }
        let last = record.core.load(Ordering::Relaxed).min(cores - 1);
        if arrival == Arrival::Preempted && from < cores {
            return from;
        }
        let is_idle = |core: &u32| !self.core(*core).seems_busy();
        if is_idle(&last) {
            return last;
        }
        let mut near = (1..cores.min(NEAR + 1)).map(|further| (last + further) % cores);
        // One that sleeps does not look out for what waits elsewhere. Where all are busy none sleeps, and the count stays with all cores.
        let far = || (self.parked.load(Ordering::Relaxed) > 0).then(|| (0..cores).find(is_idle)).flatten();
        near.find(is_idle).or_else(far).unwrap_or(if from < cores { from } else { last })
    }

    /// Nothing to run: looks for a while, then sleeps until there is.
    fn idle(&self, core: CoreId) {
        let record = self.core(core.0);
        let is_called = || self.is_stopping() || record.waiting().any();
        record.say(Idle::Looking);
        record.trace.record(TraceKind::Idle, NOBODY, 0, 0);
        let mut looks = 0;
        while !is_called() && !self.is_surplus_near(core.0) {
            if looks < self.configuration.idle_looks {
                self.machine.relax(core, looks);
                looks += 1;
                continue;
            }
            record.say(Idle::Parked);
            // Relaxed: a hint for the choice of a core.
            self.parked.fetch_add(1, Ordering::Relaxed);
            let has_work = is_called() || self.is_surplus_elsewhere(core.0);
            if !has_work {
                self.machine.park(core);
            }
            self.parked.fetch_sub(1, Ordering::Relaxed);
            if has_work {
                break;
            }
        }
        record.say(Idle::Busy);
        // The timekeeper sleeps until the next timer, or for good, while nothing runs.
        if self.plan.is_resting() {
            self.wake_timekeeper();
        }
    }

    /// Whether there is something that this core could take over from those that it looks at. If not, it looks at others the next time.
    pub(crate) fn is_surplus_near(&self, core: u32) -> bool {
        let found =
            core < self.configuration.general_cores() && self.near(core).any(|other| self.has_surplus(other));
        if !found {
            self.look_further(core);
        }
        found
    }

    /// The same of all cores: before it sleeps.
    fn is_surplus_elsewhere(&self, core: u32) -> bool {
        let cores = self.configuration.general_cores();
        core < cores && (0..cores).any(|other| self.has_surplus(other))
    }

    /// Whether a busy core has threads waiting that may run elsewhere.
    fn has_surplus(&self, core: u32) -> bool {
        let record = self.core(core);
        record.waiting().has_movable() && record.seems_busy()
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
        if has_to || record.is_wanted_from(thread) {
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
