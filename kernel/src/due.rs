//! What threads wait for in time: deadlines, timers, and budgets that are replenished.
//!
//! Each core has an agenda of what was armed there. A core that has nothing else to do sees to its own, at the nanosecond; to those of cores that run programs
//! the timekeeper does. To those of idle cores it does a little later, where they did not: a host may have taken one of the two away.

use crate::core_record::{Core, Idle};
use crate::lock::{Token, level};
use crate::objects::TimerSetting;
use crate::sync::Ordering;
use crate::timers::{Agenda, Due, TimerQueue};
use crate::{Context, CoreId, Engine, Kernel, Machine, Nanos};

/// So many of an agenda's entries that are due are seen to in one look: some microseconds. Somebody's thousands of timers keep no program from being stopped.
const MOST_AT_ONCE: u32 = 32;

/// A look of an idle core's takes no longer, in ns, unless the host takes the core away: so it knows for how many it need not read the clock.
const LONGEST_LOOK_NS: u64 = 8_192;

/// When an idle core reads the clock next, for what is due at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watch {
    due_ns: u64,
    at_look: u32,
}

impl<E: Engine> Kernel<E> {
    /// The timekeeper sees to what is due now.
    pub(crate) fn fire_due(&self, token: &mut Token<'static, { level::NONE }>, now: Nanos) {
        for core in &self.cores {
            let next_ns = core.agenda.next_ns();
            if next_ns <= now.0 && next_ns.saturating_add(core.patience_ns()) <= now.0 {
                self.fire_due_of(token, self.configuration.cores, &core.agenda, now);
            }
        }
    }

    /// When the timekeeper has to see to something, in ns.
    pub(crate) fn next_due_ns(&self) -> u64 {
        let next_ns = |core: &Core| core.agenda.next_ns().saturating_add(core.patience_ns());
        let due_ns = self.cores.iter().map(next_ns).min();
        due_ns.unwrap_or(Nanos::NEVER.0).min(self.plan.look_ns())
    }

    /// The same of cores that do not see to it by themselves.
    pub(crate) fn next_of_busy_ns(&self) -> u64 {
        let busy = self.cores.iter().filter(|core| core.patience_ns() == 0);
        busy.map(|core| core.agenda.next_ns()).min().unwrap_or(Nanos::NEVER.0).min(self.plan.look_ns())
    }

    /// An idle core sees to what is due by its own agenda: whether it has. `look`: how often it has looked for something to do.
    pub(crate) fn fire_own(&self, core: CoreId, watch: &mut Watch, look: u32) -> bool {
        let agenda = &self.core(core.0).agenda;
        let due_ns = agenda.next_ns();
        if due_ns >= Nanos::NEVER.0 || due_ns == watch.due_ns && look < watch.at_look {
            return false;
        }
        let now = self.machine.now();
        if due_ns <= now.0 {
            self.fire_due_of(&mut Token::at_entry(), core.0, agenda, now);
            return true;
        }
        let looks = u32::try_from((due_ns - now.0) / LONGEST_LOOK_NS).unwrap_or(u32::MAX);
        *watch = Watch { due_ns, at_look: look.saturating_add(looks) };
        false
    }

    fn fire_due_of(
        &self,
        token: &mut Token<'static, { level::NONE }>,
        from: u32,
        agenda: &Agenda,
        now: Nanos,
    ) {
        let first_ns = agenda.next_ns();
        // What is left is due at once, and comes with the next look: the cores are looked at in between.
        for _ in 0..MOST_AT_ONCE {
            let due = agenda.change(token, |queue| {
                let due = queue.pop_due(now.0);
                if let Some(Due::Thread(thread)) = due {
                    self.requeue_if_early(queue, thread, now);
                }
                due
            });
            match due {
                None => return,
                Some(Due::Thread(thread)) => self.expire(token, from, thread, now),
                Some(Due::Timer(timer)) => self.fire(token, from, timer, now),
                Some(Due::Replenishment(thread)) => self.replenish(token, from, thread),
            }
            // A core that has something to run by now does that first, but for what was due together.
            let is_asked = from != self.configuration.cores && self.core(from).waiting().any();
            if is_asked && agenda.next_ns() > first_ns {
                return;
            }
        }
    }

    /// A thread's entry may be of an earlier wait than its present one.
    fn requeue_if_early(&self, queue: &mut TimerQueue, thread: u32, now: Nanos) {
        let record = self.threads.at(thread);
        // First the store, then the load, both sequentially consistent: `arm` stores its deadline and then loads this, so it sees
        // that it needs a new entry, or this sees its deadline.
        record.queued_ns.store(Nanos::NEVER.0, Ordering::SeqCst);
        let deadline_ns = record.deadline_ns.load(Ordering::SeqCst);
        if deadline_ns > now.0 && deadline_ns != Nanos::NEVER.0 {
            record.queued_ns.store(deadline_ns, Ordering::SeqCst);
            queue.insert(deadline_ns, Due::Thread(thread));
        }
    }

    fn expire(&self, token: &mut Token<'static, { level::NONE }>, from: u32, thread: u32, now: Nanos) {
        let record = self.threads.at(thread);
        if record.deadline_ns.load(Ordering::SeqCst) <= now.0 {
            record.expired.store(1, Ordering::SeqCst);
            self.wake(token, from, thread);
        }
    }

    fn fire(&self, token: &mut Token<'static, { level::NONE }>, from: u32, timer: u32, now: Nanos) {
        let record = self.timers.at(timer);
        let TimerSetting { target, bits, .. } = {
            let (mut setting, mut token) = record.setting.lock(token);
            let fired = *setting;
            if fired.due_ns() > now.0 {
                return;
            }
            setting.at_ns = Nanos::NEVER.0;
            // Periods that were missed are skipped: the notification would have collected them anyway.
            if let Some(missed) = (now.0 - fired.at_ns).checked_div(fired.period_ns) {
                let next_ns = fired.at_ns.saturating_add((missed + 1).saturating_mul(fired.period_ns));
                setting.at_ns = next_ns.min(Nanos::NEVER.0);
                self.queue_timer(&mut token, from, timer, &setting);
            }
            fired
        };
        self.signal_held(token, from, target, bits);
    }

    /// Puts a timer that is armed into the agenda that it names.
    pub(crate) fn queue_timer<const M: u8>(
        &self,
        token: &mut Token<'_, M>,
        from: u32,
        timer: u32,
        setting: &TimerSetting,
    ) {
        if setting.at_ns == Nanos::NEVER.0 {
            return;
        }
        let due_ns = setting.due_ns();
        let agenda = &self.core(setting.armed_on).agenda;
        agenda.change(token, |queue| queue.insert(due_ns, Due::Timer(timer)));
        self.due_on(setting.armed_on, from, due_ns);
    }

    /// Something is due at a time by a core's agenda: whoever sees to it must be awake by then.
    pub(crate) fn due_on(&self, owner: u32, from: u32, at_ns: u64) {
        // The owner says that it parks and then looks at its agenda.
        if owner != from && self.core(owner).does() == Idle::Parked {
            self.machine.unpark(CoreId(owner));
        }
        self.due_at(at_ns);
    }

    /// Something is due at a time: the timekeeper must be awake by then.
    pub(crate) fn due_at(&self, at_ns: u64) {
        if self.plan.is_too_late_for(at_ns) {
            self.machine.alarm(Nanos(at_ns));
        }
    }

    /// The calling thread's wait ends at a deadline. An entry of an earlier wait that is due before serves for it too.
    pub(crate) fn arm(&self, context: &mut Context, deadline: Nanos) {
        // Without a deadline the last `disarm` holds: an entry of an earlier wait finds nothing to end.
        if deadline == Nanos::NEVER {
            return;
        }
        let (thread, own) = (self.threads.at(context.thread.0), context.core.0);
        thread.expired.store(0, Ordering::SeqCst);
        thread.deadline_ns.store(deadline.0, Ordering::SeqCst);
        if thread.queued_ns.load(Ordering::SeqCst) <= deadline.0 {
            return;
        }
        let token = &mut context.token;
        let remove = |queue: &mut TimerQueue| {
            queue.remove(thread.queued_ns.load(Ordering::SeqCst), Due::Thread(context.thread.0));
        };
        // Relaxed: by the thread itself only.
        let last = thread.queued_on.swap(own, Ordering::Relaxed);
        if last != own {
            self.core(last).agenda.change(token, remove);
        }
        self.core(own).agenda.change(token, |queue| {
            if last == own {
                remove(queue);
            }
            queue.insert(deadline.0, Due::Thread(context.thread.0));
            thread.queued_ns.store(deadline.0, Ordering::SeqCst);
        });
        self.due_at(deadline.0);
    }

    /// The wait is over.
    pub(crate) fn disarm(&self, context: &Context) {
        self.threads.at(context.thread.0).deadline_ns.store(Nanos::NEVER.0, Ordering::Relaxed);
    }

    /// Whether the deadline of the present wait came. The clock is read only when whoever sees to what is due says so.
    pub(crate) fn has_expired(&self, context: &Context, deadline: Nanos) -> bool {
        let thread = self.threads.at(context.thread.0);
        thread.expired.load(Ordering::SeqCst) != 0 && {
            thread.expired.store(0, Ordering::SeqCst);
            self.machine.now() >= deadline
        }
    }
}
