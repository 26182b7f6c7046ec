//! Time budgets: who counts the time of a thread, who stops it when there is none left, and who lets it go on.
//!
//! A *stint* is the time from a thread's coming onto a core to its leaving it. The clock is read at both ends of a stint of a thread that has
//! a budget, and of no other's; calls of passive servers, checks and preemptions within it read none. Sightings alone would not do: what a
//! timer starts begins right after a look, and is over before the next. Who gives way and goes on at once pays for the switch. That a budget is used up *during* a stint is what the timekeeper
//! sees: it looks by then ([`crate::plan::Plan::look_by`]), and sets the thread's preemption word.
//!
//! Such a thread is *overdrawn*. Inside of a passive server it runs on: the handler completes within its own budget, and what that takes
//! becomes debt, which therefore is at most the budgets of the handlers on its chain, and one coarse look of the timekeeper's
//! ([`Kernel::most_debt_ns`]). Outside it yields, and its core's loop does not resume it any more (`begin_stint`): it is *throttled* until
//! its budget is replenished. That is the only place where threads are throttled, and a thread that holds or waits for a
//! server is resumed there, so a throttled thread never stands in anybody's way. (Overrun with
//! payback: Ghazalie and Baker, "Aperiodic servers in a deadline scheduling environment", Real-Time Systems 9, 1995; Davis and Burns,
//! "Resource sharing in hierarchical fixed priority pre-emptive systems", RTSS 2006.)
//!
//! Who waits for a passive server and helps its holder lends it its core, and the time on that core is the helper's, as far as its budget
//! goes: it is the helper who has the use of it, and otherwise a holder of low priority would pay for the haste of others (time-slice
//! donation, as in NOVA; bandwidth inheritance: Lipari, Lamastra, Abeni, "Task synchronization in reservation-based real-time systems", IEEE
//! Transactions on Computers 53(12), 2004). Beyond it the holder pays: nobody gets into debt by helping, so the bound of debt has no part
//! for the handlers in front. Help ends when the holder hands the server over or has left all servers, and when the helper gives up.

use hallows_abi::{FaultKind, FaultReport, TimeBudget};

use crate::class::{Class, share};
use crate::lock::{Token, level};
use crate::meter::Switch;
use crate::runqueue::Arrival;
use crate::sync::Ordering;
use crate::thread::{NEVER, NOBODY};
use crate::timekeeper::ACCOUNTING_NS;
use crate::timers::Due;
use crate::{CellId, Context, Engine, Kernel, Machine, Nanos};

/// A budget is enforced to within about a quantum, where others wait: in a period of so many quanta that is a tenth.
const QUANTA_IN_A_PERIOD: u64 = 10;

impl<E: Engine> Kernel<E> {
    /// The shortest period of a time budget that this machine can keep, in ns.
    pub fn shortest_budget_period_ns(&self) -> u64 {
        self.configuration.quantum_ns.saturating_mul(QUANTA_IN_A_PERIOD)
    }

    /// Whether a time budget makes sense here.
    pub(crate) fn can_keep(&self, time: TimeBudget) -> bool {
        time.is_valid() && time.period_ns >= self.shortest_budget_period_ns()
    }

    /// How much debt a thread may have: what its handlers can take, and the grain of the looks.
    fn most_debt_ns(&self, thread: u32) -> u64 {
        self.threads.at(thread).chain_budget_ns().saturating_add(self.configuration.coarse_tick_ns)
    }

    /// A thread whose time is counted comes onto a core. False: it has no time, and is throttled instead. Not inlined: the others' way stays
    /// short.
    #[inline(never)]
    pub(crate) fn begin_stint(
        &self,
        token: &mut Token<'static, { level::NONE }>,
        core: u32,
        thread: u32,
    ) -> bool {
        let record = self.threads.at(thread);
        let now = self.machine.now();
        let left_ns = {
            let (mut meter, _) = record.meter.lock(token);
            meter.advance(now.0);
            meter.begin(now.0, self.switch(core));
            record.follow(&meter);
            meter.left_ns()
        };
        record.standing.set_overdrawn(left_ns == 0);
        if left_ns == 0 {
            // A cell that was killed meanwhile unwinds at once.
            if record.is_outside() && self.cells.at(thread).is_live() {
                self.throttle(token, core, thread, now);
                return false;
            }
            record.word.stop();
        } else if record.standing.is_metered() {
            // Before the look is asked for: a timekeeper that takes this one for an earlier one sees the thread run, and asks again.
            self.core(core).running.store(thread, Ordering::Relaxed);
            let at_ns = now.0.saturating_add(left_ns);
            if self.plan.look_by(at_ns) {
                self.machine.alarm(Nanos(at_ns));
            }
        }
        record.standing.set_throttled(false);
        true
    }

    /// The thread leaves its core.
    #[inline(never)]
    pub(crate) fn end_stint(&self, token: &mut Token<'static, { level::NONE }>, thread: u32) {
        let record = self.threads.at(thread);
        let now = self.machine.now();
        self.settle_time(token, thread, now);
        record.meter.lock(token).0.end(now.0);
        if record.standing.is_helped() {
            record.standing.set_helped(false);
        }
    }

    /// The thread, whose stint has just ended, is ready to go on.
    pub(crate) fn gives_way(&self, token: &mut Token<'static, { level::NONE }>, core: u32, thread: u32) {
        self.threads.at(thread).meter.lock(token).0.give_way(self.switch(core));
    }

    fn switch(&self, core: u32) -> Switch {
        // Relaxed: only the core itself counts.
        Switch { core, switches: self.core(core).switches.load(Ordering::Relaxed) }
    }

    /// A thread that is about to run stands still instead, until its budget is replenished.
    fn throttle(&self, token: &mut Token<'static, { level::NONE }>, core: u32, thread: u32, now: Nanos) {
        let record = self.threads.at(thread);
        let is_new = record.standing.set_throttled(true);
        let at_ns = {
            let (mut meter, _) = record.meter.lock(token);
            meter.end(now.0);
            if is_new {
                meter.count_throttling();
            }
            meter.replenished_ns()
        };
        // It gets no more time before its deadline.
        if record.job_ns.load(Ordering::Relaxed) <= at_ns {
            self.missed(token, core, thread);
        }
        // Before it stands still: if it is woken in between it comes here again.
        // Always by the same agenda, whoever throttles it.
        let owner = thread % self.configuration.general_cores();
        self.core(owner).agenda.change(token, |queue| {
            // An earlier cell in its place may have left an entry that is due in an hour: there is never more than one.
            // Relaxed, as it is under the lock.
            let last_ns = record.replenishment_ns.swap(at_ns, Ordering::Relaxed);
            queue.remove(last_ns, Due::Replenishment(thread));
            queue.insert(at_ns, Due::Replenishment(thread));
        });
        self.due_on(owner, core, at_ns);
        if !record.state.block() {
            self.enqueue(token, core, thread, Arrival::Fresh);
        }
    }

    /// A thread with a reservation is about to be put into a queue: its deadline is set, and that of what it was woken for.
    pub(crate) fn release<const M: u8>(&self, token: &mut Token<'_, M>, thread: u32) {
        const { assert!(M < level::LEAF) };
        let record = self.threads.at(thread);
        let now = self.machine.now();
        let until_ns = {
            let (mut meter, _) = record.meter.lock(token);
            let until_ns = meter.arrive(now.0);
            record.follow(&meter);
            until_ns
        };
        // Relaxed: the core that runs it gets it through its run state. What was begun before goes on.
        let _ = record.job_ns.compare_exchange(NEVER, until_ns, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// A thread with a reservation is done with what it was woken for.
    pub(crate) fn job_done(&self, token: &mut Token<'static, { level::NONE }>, core: u32, thread: u32) {
        let record = self.threads.at(thread);
        if record.job_ns.load(Ordering::Relaxed) < self.machine.now().0 {
            self.missed(token, core, thread);
        }
        record.job_ns.store(NEVER, Ordering::Relaxed);
    }

    /// A thread with a reservation does not keep its deadline: the machine and who gets its faults are told.
    fn missed(&self, token: &mut Token<'static, { level::NONE }>, core: u32, thread: u32) {
        let record = self.threads.at(thread);
        // Once for each deadline.
        if record.job_ns.swap(NEVER, Ordering::Relaxed) != NEVER {
            let missed = record.missed.fetch_add(1, Ordering::Relaxed) + 1;
            let record = self.cells.at(thread);
            let (name, faults) = {
                let (control, _) = record.control.lock(token);
                (control.name.clone(), control.faults)
            };
            self.machine.deadline_missed(&name, CellId(thread), missed);
            let report = FaultReport {
                kind: FaultKind::DeadlineMissed,
                cell: thread,
                generation: record.life.load(Ordering::Relaxed),
                detail: u32::try_from(missed).unwrap_or(u32::MAX),
                at_ns: self.machine.now().0,
                backtrace: "",
            };
            self.report(token, core, faults, &report);
        }
    }

    /// A cell's place becomes free: what was reserved for it is, too.
    pub(crate) fn give_back_reservation<const M: u8>(&self, token: &mut Token<'_, M>, cell: u32) {
        const { assert!(M < level::LEAF) };
        let record = self.threads.at(cell);
        if record.is_reserved()
            && let Some(time) = record.meter.lock(token).0.budget()
        {
            self.core(record.pinned.load(Ordering::Relaxed)).give_back(share(time));
            record.rank.store(Class::default().rank(0), Ordering::Relaxed);
        }
    }

    /// A replenishment is due. For the timekeeper.
    pub(crate) fn replenish(&self, token: &mut Token<'static, { level::NONE }>, from: u32, thread: u32) {
        // The entry may be of an earlier life.
        if self.threads.at(thread).standing.is_throttled() {
            self.wake(token, from, thread);
        }
    }

    /// The timekeeper sees a thread with a budget run.
    pub(crate) fn look_at_budget<const M: u8>(&self, token: &mut Token<'_, M>, thread: u32, now: Nanos) {
        let left_ns = self.settle_time(token, thread, now);
        let until_next_ns = if left_ns > 0 {
            left_ns
        } else if self.threads.at(thread).is_outside() {
            // Its word is set; a store that was lost to the thread's own is made again.
            self.tuned.quantum_ns().min(ACCOUNTING_NS)
        } else {
            // It may have left just before it could see that it is overdrawn.
            ACCOUNTING_NS
        };
        // The timekeeper itself is here, and looks when it next sleeps.
        self.plan.look_by(now.0.saturating_add(until_next_ns));
    }

    /// Counts what a thread has run since it was last counted. What is left of its budget, in ns.
    fn settle_time<const M: u8>(&self, token: &mut Token<'_, M>, thread: u32, now: Nanos) -> u64 {
        const { assert!(M < level::LEAF) };
        let record = self.threads.at(thread);
        let elapsed_ns = record.meter.lock(token).0.take_elapsed(now.0);
        let donor = if record.standing.is_helped() { record.donor.load(Ordering::Relaxed) } else { NOBODY };
        let own_ns = match donor {
            NOBODY => elapsed_ns,
            donor => elapsed_ns - self.pay(token, donor, now, elapsed_ns),
        };
        let most_debt_ns = self.most_debt_ns(thread);
        let left_ns = {
            let (mut meter, _) = record.meter.lock(token);
            meter.spend(now.0, own_ns, most_debt_ns);
            record.follow(&meter);
            meter.left_ns()
        };
        if left_ns == 0 {
            record.standing.set_overdrawn(true);
            if record.is_outside() {
                record.word.stop();
            }
        }
        left_ns
    }

    /// A helper pays for the one that it helps. How much of it.
    fn pay<const M: u8>(&self, token: &mut Token<'_, M>, donor: u32, now: Nanos, elapsed_ns: u64) -> u64 {
        let record = self.threads.at(donor);
        // One that has given up has no use of it any more; and another cell may have its place by now.
        if record.waits_for.load(Ordering::Relaxed) == NOBODY {
            return 0;
        }
        let (paid_ns, left_ns) = {
            let (mut meter, _) = record.meter.lock(token);
            (meter.pay(now.0, elapsed_ns), meter.left_ns())
        };
        if left_ns == 0 {
            record.standing.set_overdrawn(true);
        }
        paid_ns
    }

    /// A thread lends its core to the holder of the server that it waits for, which is about to run there.
    pub(crate) fn donate(&self, from: u32, to: u32) {
        let (donor, holder) = (self.threads.at(from), self.threads.at(to));
        if donor.standing.is_metered() || holder.standing.is_metered() {
            holder.donor.store(from, Ordering::Relaxed);
            holder.standing.set_helped(true);
        }
    }

    /// The calling thread has done what it was helped for: its time is its own again.
    #[inline]
    pub(crate) fn end_help(&self, context: &mut Context) {
        let standing = &self.threads.at(context.thread.0).standing;
        if standing.is_helped() {
            self.settle_time(&mut context.token, context.thread.0, self.machine.now());
            standing.set_helped(false);
        }
    }
}
