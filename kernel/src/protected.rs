//! Protected calls: a passive server's handler runs on its caller's thread, core and time.

use hallows_abi::{Error, FaultKind, TraceKind, Transfer};

use crate::cell::CellState;
use crate::configuration::CHAIN;
use crate::monitor::{Holder, Waiter, Wants};
use crate::runqueue::Arrival;
use crate::slot::{Found, Via};
use crate::sync::Ordering;
use crate::thread::NOBODY;
use crate::{Activation, CellId, Context, Engine, Failure, HandleList, Handled, Kernel, Nanos, Outgoing};

/// How often a caller looks at a monitor whose holder runs on another core before it waits in the queue: about as long as a
/// suspension costs.
const LOOKS: u32 = 64;

impl<E: Engine> Kernel<E> {
    #[expect(clippy::too_many_arguments, reason = "the arguments of one call, taken apart once")]
    #[inline]
    pub(crate) fn protected_call(
        &self,
        context: &mut Context,
        cell: u32,
        found: &Found,
        message: &Outgoing<'_, E>,
        reply: E::Bytes,
        handles: &mut HandleList,
        deadline: Nanos,
    ) -> Result<u32, Error> {
        let endpoint = self.endpoints.at(found.capability.index);
        let thread = self.threads.at(context.thread.0);
        let holder = Holder { thread: context.thread.0, slot: found.via.slot };
        let (server, budget_ns) = loop {
            let server = endpoint.serving.server();
            if server == context.thread.0 || thread.is_inside(server) {
                return Err(Error::Deadlock);
            }
            if thread.depth.load(Ordering::Relaxed) as usize >= CHAIN {
                return Err(Error::TooDeep);
            }
            if server == NOBODY {
                return Err(Error::Gone);
            }
            if !self.cells.at(server).monitor.try_take(holder) {
                if !endpoint.generation.is(found.capability.generation) {
                    return Err(Error::Gone);
                }
                self.wait_for_monitor(context, cell, server, holder, deadline)?;
            }
            // Acquire: if it is the next endpoint's at this index, the end of this one is seen below.
            let budget_ns = endpoint.handler_budget_ns.load(Ordering::Acquire);
            // Seen by whoever changed the server before, or else it is still the one (`serving.rs`); of this endpoint, and not of one that
            // was made at its place while the caller waited.
            if endpoint.serving.is(server) && endpoint.generation.is(found.capability.generation) {
                break (server, budget_ns);
            }
            self.leave_former(context, cell, server, holder)?;
            if !endpoint.generation.is(found.capability.generation) {
                return Err(Error::Gone);
            }
        };
        let record = self.cells.at(server);
        let result = if !self.capabilities.still(found.via) {
            Err(Error::Revoked)
        } else if record.state() != CellState::Running {
            Err(Error::NotReady)
        } else {
            self.enter(context, cell, server, found, budget_ns, message, reply, handles)
        };
        self.leave_monitor(context, server, holder);
        if thread.standing.waits_for_the_outside() {
            self.come_out(context);
        }
        self.check_live(cell)?;
        result
    }

    /// Leaves a server that was replaced, or whose endpoint ended, while the caller came. Not inlined: calls of others stay short.
    #[cold]
    #[inline(never)]
    fn leave_former(
        &self,
        context: &mut Context,
        cell: u32,
        server: u32,
        holder: Holder,
    ) -> Result<(), Error> {
        self.leave_monitor(context, server, holder);
        let thread = self.threads.at(context.thread.0);
        if thread.standing.waits_for_the_outside() {
            self.come_out(context);
        }
        self.check_live(cell)
    }

    /// Gives a server's monitor to the next, and ends the server if that waited for the caller to leave.
    #[inline(always)]
    fn leave_monitor(&self, context: &mut Context, server: u32, holder: Holder) {
        let record = self.cells.at(server);
        if !record.monitor.try_give_back(holder) {
            self.hand_over(context, server);
        }
        if record.state() == CellState::Dying {
            self.try_finish(&mut context.token, context.core.0, server);
        }
    }

    /// The calling thread, which has left a server, keeps only what those have lent who wait for the servers that it is still inside of. What waited until it
    /// had left all of them: its loan of time ends, an overdraft stops it.
    #[cold]
    fn come_out(&self, context: &mut Context) {
        let thread = self.threads.at(context.thread.0);
        let standing = &thread.standing;
        // Who comes to wait from now on lends behind this, and who came before is found below.
        standing.end_loan();
        for server in thread.servers() {
            let (waiters, _) = self.cells.at(server).monitor.waiters().lock(&mut context.token);
            let ranks = waiters.iter().map(|waiter| self.threads.at(waiter.thread).effective_rank());
            standing.lend(ranks.max().unwrap_or(0));
        }
        // Whoever waited behind what was lent may come before it by now.
        self.oversee(self.core(context.core.0), context.thread.0);
        if thread.depth.load(Ordering::Relaxed) > 0 {
            return;
        }
        // Who lent it may have given up since, and left nobody to hand over to.
        self.end_help(context);
        if standing.is_overdrawn() {
            self.yield_now(context);
        }
    }

    /// With the monitor taken: runs the handler.
    #[expect(clippy::too_many_arguments, reason = "the arguments of one call, taken apart once")]
    #[inline]
    fn enter(
        &self,
        context: &mut Context,
        cell: u32,
        server: u32,
        found: &Found,
        budget_ns: u64,
        message: &Outgoing<'_, E>,
        reply: E::Bytes,
        handles: &mut HandleList,
    ) -> Result<u32, Error> {
        let (thread, index) = (context.thread.0, found.capability.index);
        if !self.threads.at(thread).enter(server, budget_ns) {
            return Err(Error::TooDeep);
        }
        let activation = Activation {
            server: CellId(server),
            badge: found.capability.badge,
            request: message.bytes,
            handles: &[],
            reply,
        };
        self.core(context.core.0).trace.record(TraceKind::Enter, thread, index, found.capability.badge);
        let handled = if message.transfers.is_empty() {
            self.engine.activate(self, context, &activation)
        } else {
            match self.activate_with(context, cell, found.via, message.transfers, activation) {
                Ok(handled) => handled,
                Err(error) => {
                    self.threads.at(thread).leave();
                    return self.left(context, thread, index, Err(error));
                }
            }
        };
        self.threads.at(thread).leave();
        let result = match handled {
            Ok(handled) => {
                self.cells.at(server).tally.answers();
                let transfers = handled.transfers.as_slice();
                match u32::try_from(handled.length) {
                    Ok(length) if handled.length <= self.engine.length(reply) => {
                        if transfers.is_empty() {
                            Ok(length)
                        } else {
                            self.give(context, (server, cell), transfers, handles).map(|()| length)
                        }
                    }
                    _ => {
                        self.lose(context, server, transfers);
                        Err(Error::AnswerTooLong)
                    }
                }
            }
            Err(Failure::TooDeep) => Err(Error::TooDeep),
            Err(Failure::RequestTooLong) => Err(Error::TooLong),
            Err(Failure::Ended(ended)) => {
                let (core, server) = (context.core.0, self.present_cell(server));
                self.begin_end(&mut context.token, core, server, ended.kind, 0, ended.backtrace);
                Err(Error::ServerDied)
            }
        };
        self.left(context, thread, index, result)
    }

    /// Runs the handler with the capabilities that go with the call. They are the caller's again if it does not run.
    #[inline(never)]
    fn activate_with(
        &self,
        context: &mut Context,
        cell: u32,
        through: Via,
        transfers: &[Transfer],
        activation: Activation<'_, E>,
    ) -> Result<Result<Handled, Failure>, Error> {
        let mut sent = HandleList::EMPTY;
        let carried = self.carry(context, (cell, activation.server.0), through, transfers, &mut sent)?;
        let activation = Activation { handles: sent.as_slice(), ..activation };
        let handled = self.engine.activate(self, context, &activation);
        if matches!(handled, Err(Failure::TooDeep | Failure::RequestTooLong)) {
            self.take_back(context, &carried);
        } else {
            self.settle_call(context, &carried);
        }
        Ok(handled)
    }

    #[inline]
    fn left(
        &self,
        context: &Context,
        thread: u32,
        endpoint: u32,
        result: Result<u32, Error>,
    ) -> Result<u32, Error> {
        let number = result.as_ref().err().map_or(0, |error| u64::from(error.number()));
        self.core(context.core.0).trace.record(TraceKind::Leave, thread, endpoint, number);
        result
    }

    /// The innermost handler of the calling thread is over its budget: its server is at fault.
    pub(crate) fn handler_overran(&self, context: &mut Context, server: u32) {
        let (core, server) = (context.core.0, self.present_cell(server));
        self.begin_end(&mut context.token, core, server, FaultKind::HandlerOverrun, 0, Default::default());
    }

    /// Waits until the monitor is handed over, lending priority and core to its holder meanwhile.
    fn wait_for_monitor(
        &self,
        context: &mut Context,
        cell: u32,
        server: u32,
        holder: Holder,
        deadline: Nanos,
    ) -> Result<(), Error> {
        let monitor = &self.cells.at(server).monitor;
        for _ in 0..LOOKS {
            let Some(present) = monitor.holder() else {
                if monitor.try_take(holder) {
                    return Ok(());
                }
                continue;
            };
            if !self.threads.at(present.thread).state.is_running() {
                break;
            }
            core::hint::spin_loop();
        }
        let thread = self.threads.at(context.thread.0);
        let priority = thread.effective_rank();
        let waiter = Waiter { thread: holder.thread, slot: holder.slot, priority, wants: Wants::Ownership };
        // SeqCst: two threads that come to wait for each other both say so before they look.
        thread.waits_for.store(server, Ordering::SeqCst);
        let joined = {
            let (mut waiters, _) = monitor.waiters().lock(&mut context.token);
            monitor.join(&mut waiters, waiter)
        };
        let result = if joined {
            Ok(())
        } else if self.closes_a_cycle(context.thread.0, server) {
            self.leave_queue(context, server).and(Err(Error::Deadlock))
        } else {
            self.wait_in_queue(context, cell, server, deadline)
        };
        thread.waits_for.store(NOBODY, Ordering::SeqCst);
        result
    }

    fn wait_in_queue(
        &self,
        context: &mut Context,
        cell: u32,
        server: u32,
        deadline: Nanos,
    ) -> Result<(), Error> {
        let me = context.thread.0;
        let owns = |kernel: &Self| {
            kernel.cells.at(server).monitor.holder().is_some_and(|holder| holder.thread == me)
        };
        self.arm(context, deadline);
        let result = loop {
            if owns(self) {
                break Ok(());
            }
            self.help(context, server);
            self.block(context);
            if owns(self) {
                break Ok(());
            }
            let killed = !self.cells.at(cell).is_live();
            if killed || self.has_expired(context, deadline) {
                let error = if killed { Error::Killed } else { Error::DeadlinePassed };
                break self.leave_queue(context, server).and(Err(error));
            }
        };
        self.disarm(context);
        result
    }

    /// Leaves a monitor's queue; gives the monitor back if it was handed over meanwhile.
    fn leave_queue(&self, context: &mut Context, server: u32) -> Result<(), Error> {
        let monitor = &self.cells.at(server).monitor;
        let queued = {
            let (mut waiters, _) = monitor.waiters().lock(&mut context.token);
            monitor.leave_queue(&mut waiters, context.thread.0)
        };
        if !queued {
            self.hand_over(context, server);
            if self.cells.at(server).state() == CellState::Dying {
                self.try_finish(&mut context.token, context.core.0, server);
            }
        }
        Ok(())
    }

    /// The calling thread, which holds the monitor, leaves it to the next.
    pub(crate) fn hand_over(&self, context: &mut Context, server: u32) {
        self.end_help(context);
        let monitor = &self.cells.at(server).monitor;
        let woken = {
            let (mut waiters, _) = monitor.waiters().lock(&mut context.token);
            monitor.hand_over(&mut waiters)
        };
        for waiter in woken {
            self.wake(&mut context.token, context.core.0, waiter.thread);
        }
    }

    /// Whether the holder of the monitor waits, over any number of others, for a monitor that the thread holds.
    pub(crate) fn closes_a_cycle(&self, thread: u32, server: u32) -> bool {
        let mut server = server;
        // A cycle has at most as many monitors as a chain has levels times the threads in it; whoever closes one is within this.
        for _ in 0..CHAIN * CHAIN {
            let Some(holder) = self.cells.at(server).monitor.holder() else { return false };
            if holder.thread == thread {
                return true;
            }
            let next = self.threads.at(holder.thread).waits_for.load(Ordering::SeqCst);
            // Who was just handed the monitor and has not run since still says that it waits for it.
            if next == NOBODY || next == server {
                return false;
            }
            server = next;
        }
        false
    }

    /// Lends the calling thread's priority to the holder, and to the one whom that waits for, and so on; and this core to the last of
    /// them, if it could run.
    pub(crate) fn help(&self, context: &mut Context, server: u32) {
        let priority = self.threads.at(context.thread.0).effective_rank();
        let mut server = server;
        for _ in 0..CHAIN {
            let Some(holder) = self.cells.at(server).monitor.holder() else { return };
            let thread = self.threads.at(holder.thread);
            thread.standing.lend(priority);
            let next = thread.waits_for.load(Ordering::SeqCst);
            // As in `closes_a_cycle`: one that was handed the monitor is the one to run.
            if next != NOBODY && next != server {
                server = next;
                continue;
            }
            self.take_over(context, holder.thread);
            return;
        }
    }

    /// Runs a runnable thread next on this core, at its new priority.
    fn take_over(&self, context: &mut Context, thread: u32) {
        let (here, record) = (self.core(context.core.0), self.threads.at(thread));
        if !record.state.is_runnable() || here.handoff.load(Ordering::Relaxed) != NOBODY {
            return;
        }
        let may_run_here = self.may_run_on(record, context.core.0);
        for core in 0..self.configuration.cores {
            let queued = record.queued.load(Ordering::Relaxed);
            if queued == NOBODY {
                return;
            }
            if queued >> 8 != core {
                continue;
            }
            let order = self.order_of(thread, Arrival::Fresh, 0);
            let (mut queue, _) = self.core(core).queue.lock(&mut context.token);
            if !queue.remove(&self.threads, thread) {
                return;
            }
            if may_run_here {
                self.donate(context.thread.0, thread);
                here.handoff.store(thread, Ordering::Relaxed);
            } else {
                queue.push(&self.threads, thread, Arrival::Fresh, order);
            }
            self.core(core).publish(&queue, &self.threads);
            drop(queue);
            if !may_run_here {
                self.tell(context.core.0, core, thread);
            }
            return;
        }
    }
}
