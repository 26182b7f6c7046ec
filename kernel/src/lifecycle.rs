//! The lives of cells: start, end, restart, and who is told.
//!
//! An end is in two steps. `begin_end` makes the cell dead to everyone else: no call gets in, every message to it gets its
//! error, its thread is woken to unwind. `try_finish` comes when nothing runs inside of it any more, from whoever was last:
//! it drops the instance, takes the capabilities back and sends the fault.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use hallows_abi::{Error, FaultKind, FaultReport, MAX_BACKTRACE, ObjectKind, TraceKind};

use crate::call::{Waker, from_kernel};
use crate::capabilities::Orphan;
use crate::cell::{CellState, LastFault};
use crate::lock::{Token, level};
use crate::make::OBJECT_BYTES;
use crate::monitor::{Holder, Wants};
use crate::objects::Watched;
use crate::slot::{Name, Via};
use crate::sync::Ordering;
use crate::thread::{LEFT, NOBODY};
use crate::{CellId, Context, CoreId, Ended, Engine, Kernel, Machine, ThreadId};

type Unlocked<'t> = &'t mut Token<'static, { level::NONE }>;

/// A thread index that stands for the kernel in a monitor: it is inside of nothing and waits for nothing.
const KERNEL_THREAD: u32 = (1 << 24) - 2;

/// How a life of a cell ended, and whom that concerns.
struct End {
    kind: FaultKind,
    detail: u32,
    generation: u32,
    backtrace: Box<str>,
    faults: Via,
}

impl<E: Engine> Kernel<E> {
    /// The cell at an index, for who keeps it from being buried: a thread that runs inside of it or is the cell's own, or a person who
    /// names it by its place.
    pub(crate) fn present_cell(&self, cell: u32) -> Name {
        Name { index: cell, generation: self.cells.at(cell).generation.get() }
    }

    /// Starts a cell that was made, or starts a dead one again.
    pub(crate) fn start(
        &self,
        token: Unlocked<'_>,
        core: u32,
        Name { index: cell, generation }: Name,
        from: CellState,
    ) -> Result<u32, Error> {
        let record = self.cells.at(cell);
        let (program, limit) = {
            let (mut control, _) = record.control.lock(token);
            // From here on it is not buried: its thread is busy.
            if !record.generation.is(generation) {
                return Err(Error::Gone);
            }
            if record.state() != from || control.thread_busy {
                return Err(Error::BadState);
            }
            let program: Arc<E::Program> = control.program.clone().ok_or(Error::BadState)?;
            control.cause = None;
            control.backtrace = Box::default();
            control.thread_busy = true;
            (program, control.memory_limit)
        };
        let initial = self.engine.initial_memory(&program);
        if let Err(error) = self.charge(CellId(cell), initial) {
            self.cancel_start(token, core, cell);
            return Err(error);
        }
        self.engine.prepare(CellId(cell), &program, limit);
        let life = record.life.fetch_add(1, Ordering::AcqRel) + 1;
        let thread = self.threads.at(cell);
        thread.depth.store(0, Ordering::Relaxed);
        thread.standing.end_loan();
        thread.word.clear();
        let passive = record.is_passive();
        let ended = {
            let (control, mut token) = record.control.lock(token);
            // Killed or destroyed while the instance was prepared: it does not begin.
            let ended = record.state() != from || control.abandoned;
            if !ended {
                thread.state.begin();
            }
            if !passive && !ended {
                let (mut inbox, _) = record.inbox.lock(&mut token);
                inbox.open();
                inbox.sources = u32::try_from(control.serves.len()).unwrap_or(u32::MAX);
            }
            if !ended {
                record.set_state(if passive { CellState::Starting } else { CellState::Running });
            }
            ended
        };
        if ended {
            self.cancel_start(token, core, cell);
            return Err(Error::BadState);
        }
        if !passive {
            self.tell_watchers(token, core, cell, Watched::Running);
        }
        self.core(core).trace.record(TraceKind::Start, cell, cell, u64::from(life));
        self.wake(token, core, cell);
        Ok(life)
    }

    /// A start that comes to nothing: an end that came meanwhile has waited for it.
    fn cancel_start(&self, token: Unlocked<'_>, core: u32, cell: u32) {
        let record = self.cells.at(cell);
        {
            let (mut control, _) = record.control.lock(token);
            control.thread_busy = false;
            if control.abandoned && record.state() == CellState::Dead {
                // What was prepared for a cell that was to be restarted goes by the way of every end.
                record.set_state(CellState::Dying);
            }
        }
        self.try_finish(token, core, cell);
    }

    /// The first step of an end. Does nothing if the cell is ending or over.
    pub(crate) fn begin_end(
        &self,
        token: Unlocked<'_>,
        core: u32,
        Name { index: cell, generation }: Name,
        kind: FaultKind,
        detail: u32,
        backtrace: Box<str>,
    ) {
        let record = self.cells.at(cell);
        let threads = {
            let (mut control, _) = record.control.lock(token);
            if !record.generation.is(generation) {
                return;
            }
            match record.state() {
                CellState::Created | CellState::Starting | CellState::Running => {
                    record.set_state(CellState::Dying);
                    control.ending = true;
                    control.cause = Some((kind, detail));
                    control.backtrace = backtrace;
                    control.threads.clone()
                }
                CellState::Dying => {
                    // A handler that overran unwinds with a backtrace, which belongs to the cause noted before.
                    if control.backtrace.is_empty() {
                        control.backtrace = backtrace;
                    }
                    return;
                }
                CellState::Free | CellState::Dead => return,
            }
        };
        let trace = if kind.is_orderly() { TraceKind::Kill } else { TraceKind::Fault };
        self.core(core).trace.record(trace, cell, cell, kind as u64);
        // Whoever runs inside of it stops at the next check: its own thread, or its monitor's holder.
        self.threads.at(cell).word.stop();
        if let Some(holder) = record.monitor.holder() {
            // It may wait for another server: it stops to wait.
            self.threads.at(holder.thread).word.stop();
            self.wake(token, core, holder.thread);
        }
        self.refuse_all(core, cell);
        self.refuse_posted(core, cell);
        self.wake(token, core, cell);
        for thread in threads {
            self.begin_end(token, core, thread, FaultKind::Killed, 0, Box::default());
        }
        // Until here it could not be finished, and started again by whoever hears of it: all this was for the life that ends.
        record.control.lock(token).0.ending = false;
        self.try_finish(token, core, cell);
    }

    /// Closes a cell's inbox; every message in it gets its error.
    fn refuse_all(&self, core: u32, cell: u32) {
        let mut context = Context::new(CoreId(core), ThreadId(NOBODY));
        loop {
            let message = {
                let (mut inbox, _) = self.cells.at(cell).inbox.lock(&mut context.token);
                inbox.close()
            };
            let Some(message) = message else { return };
            self.drop_flight(&mut context.token, core, &message.flight);
            self.deliver(&mut context, message.sender, 0, Err(Error::ServerDied), Waker::Runs);
        }
    }

    /// A cell's thread is over: its program returned, trapped or unwound.
    pub(crate) fn thread_ended(&self, token: Unlocked<'_>, core: u32, cell: u32, ended: Ended) {
        let record = self.cells.at(cell);
        // Before anybody can begin another life.
        self.refuse_posted(core, cell);
        self.end_leader(token, core, cell, &ended);
        let named = self.present_cell(cell);
        record.control.lock(token).0.thread_busy = false;
        self.begin_end(token, core, named, ended.kind, 0, ended.backtrace);
        // If the end had begun before, the thread was what it waited for.
        self.try_finish(token, core, cell);
    }

    /// The second step of an end, if nothing runs inside of the cell any more.
    pub(crate) fn try_finish(&self, token: Unlocked<'_>, core: u32, cell: u32) {
        let record = self.cells.at(cell);
        let holder = Holder { thread: KERNEL_THREAD, slot: 0 };
        if record.state() != CellState::Dying || !record.monitor.try_take(holder) {
            // The monitor's holder comes here when it leaves.
            return;
        }
        let idle = {
            let (control, _) = record.control.lock(token);
            record.state() == CellState::Dying && control.is_left()
        };
        // Dead before the monitor is given back: whoever takes it next finds the end done, and does not do it again.
        let end = idle.then(|| {
            self.finish(token, core, cell);
            let (mut control, _) = record.control.lock(token);
            let (kind, detail) = control.cause.unwrap_or((FaultKind::Killed, 0));
            let generation = record.life.load(Ordering::Acquire);
            if !kind.is_orderly() || kind == FaultKind::Exited && detail != 0 {
                control.last_fault = Some(LastFault::new((kind, detail), generation, &control.backtrace));
            }
            if !kind.is_orderly() {
                control.faulted = control.faulted.saturating_add(1);
            }
            record.set_state(CellState::Dead);
            End { kind, detail, generation, backtrace: control.backtrace.clone(), faults: control.faults }
        });
        if !record.monitor.try_give_back(holder) {
            let woken = {
                let (mut waiters, _) = record.monitor.waiters().lock(token);
                record.monitor.hand_over(&mut waiters)
            };
            for waiter in woken {
                debug_assert!(matches!(waiter.wants, Wants::Ownership | Wants::Departure));
                self.wake(token, core, waiter.thread);
            }
        }
        if end.is_some() && self.leader(cell) != cell {
            self.bury_thread(token, core, cell);
        } else if let Some(end) = end {
            self.send_fault(token, core, cell, &end);
            self.bury_if_abandoned(token, core, cell);
        } else if record.state() == CellState::Dying && record.control.lock(token).0.is_left() {
            // The last of them left while the monitor was taken here, found it taken, and left the rest to whoever has it.
            self.try_finish(token, core, cell);
        }
    }

    fn finish(&self, token: Unlocked<'_>, core: u32, cell: u32) {
        let record = self.cells.at(cell);
        self.engine.release(CellId(cell));
        self.unmap_all(token, cell);
        let budget = record.budget.load(Ordering::Relaxed);
        self.refund(token, budget, record.memory_charged.swap(0, Ordering::Relaxed));
        self.threads.at(cell).deadline_ns.store(hallows_abi::NO_DEADLINE, Ordering::Relaxed);
        let (mut undelivered, mut unused) = (Vec::new(), 0);
        {
            let (mut inbox, _) = record.inbox.lock(token);
            inbox.forget(|flight, reserved| {
                undelivered.push(flight);
                unused += reserved;
            });
        }
        self.refund(token, budget, unused);
        for flight in undelivered {
            self.drop_flight(token, core, &flight);
        }
        let (keep, bound) = {
            let (mut control, _) = record.control.lock(token);
            (control.grants_end, core::mem::take(&mut control.bound))
        };
        for notification in bound {
            // AcqRel: pairs with `signal`, which looks at the binding after it has set the bits.
            let _ = self.notifications.at(notification).bound.compare_exchange(
                cell,
                LEFT,
                Ordering::AcqRel,
                Ordering::Relaxed,
            );
        }
        if self.leader(cell) == cell {
            self.delete_space(token, core, cell, keep);
        }
    }

    /// Deletes the capabilities of a cell's space but its creator's grants, which were first in slots with an index below
    /// `grants_end`: what came to lie there later is not one of them.
    fn delete_space(&self, token: Unlocked<'_>, core: u32, cell: u32, grants_end: u32) {
        let mut from = 0;
        loop {
            let deleted = self.change(token, |tree, _| {
                let (index, found) = tree.next_in_space(cell, from)?;
                from = index + 1;
                let kept = index < grants_end && found.via.is_first_of_slot();
                Some(if kept { None } else { tree.delete(found.via.slot) })
            });
            let Some(orphan) = deleted else { return };
            if let Some(orphan) = orphan {
                self.end_object(token, core, orphan);
            }
        }
    }

    /// Tells a cell's supervisor and its clients that it is over. It may have been started again by somebody else.
    fn send_fault(&self, token: Unlocked<'_>, core: u32, cell: u32, end: &End) {
        let End { kind, detail, generation, ref backtrace, faults } = *end;
        let report = FaultReport { kind, cell, generation, detail, at_ns: self.machine.now().0, backtrace };
        self.log_end(cell, token, &report);
        self.machine.cell_ended(CellId(cell), kind, detail);
        self.tell_watchers(token, core, cell, Watched::Died);
        self.report(token, core, faults, &report);
    }

    /// Sends a report to an endpoint that gets the faults of a cell.
    pub(crate) fn report(&self, token: Unlocked<'_>, core: u32, faults: Via, report: &FaultReport<'_>) {
        let Some(capability) = self.capabilities.held(faults) else { return };
        let endpoint = self.endpoints.at(capability.index);
        if capability.kind != ObjectKind::Endpoint || !endpoint.generation.is(capability.generation) {
            return;
        }
        let mut bytes = vec![0; FaultReport::HEADER + MAX_BACKTRACE as usize];
        let length = report.emit(&mut bytes).unwrap_or(0);
        bytes.truncate(length);
        let message = from_kernel(capability.name(), capability.badge, bytes.into_boxed_slice());
        let told = self.with_server(token, capability.name(), |server, inbox| {
            // A supervisor that is not running misses it; its own supervisor restarts it, and it asks for its cells' states.
            let _ = inbox.accept(message, 0);
            (server, inbox.take_waiter_if_any())
        });
        if let Some((server, true)) = told {
            self.wake(token, core, server);
        }
    }

    fn log_end(&self, cell: u32, token: Unlocked<'_>, report: &FaultReport<'_>) {
        if report.kind == FaultKind::Returned || report.kind == FaultKind::Exited && report.detail == 0 {
            return;
        }
        let name = self.cells.at(cell).control.lock(token).0.name.clone();
        if !report.kind.is_orderly() {
            self.machine.cell_faulted(&name, report);
        }
        if self.machine.tells_end_itself(CellId(cell), report.kind) {
            return;
        }
        let mut line = alloc::format!("cell {cell} ({name}) {}", report.kind.message());
        if report.detail != 0 {
            line.push_str(&alloc::format!(" with status {}", report.detail));
        }
        for frame in report.backtrace.lines() {
            line.push_str("\n    ");
            line.push_str(frame);
        }
        self.machine.log(line.as_bytes());
    }

    /// Gives the place of a dead cell that nobody can name any more back.
    fn bury_if_abandoned(&self, token: Unlocked<'_>, core: u32, cell: u32) {
        let record = self.cells.at(cell);
        // The program is dropped after the lock: it may be the last reference.
        let (_program, faults, own_bytes, serves) = {
            let (mut control, _) = record.control.lock(token);
            let is_over = control.abandoned && !control.thread_busy && record.state() == CellState::Dead;
            if !is_over || self.leader(cell) != cell {
                return;
            }
            record.set_state(CellState::Free);
            // Under this lock: who is to serve, start or end it looks under it whether it is still the same.
            record.generation.end(record.generation.get());
            let program = control.program.take();
            control.start_info = Arc::default();
            let faults = core::mem::replace(&mut control.faults, Via::KERNEL);
            (program, faults, control.own_bytes, core::mem::take(&mut control.serves))
        };
        // Nobody will ever serve them again, and another cell may come to live here.
        for endpoint in serves {
            let record = self.endpoints.at(endpoint);
            let ended = {
                // Under the lock that its server changes under: one that was given to another cell lives on there.
                let _held = record.serving.former.lock(token);
                let generation = record.generation.get();
                record.serving.is(cell) && generation & 1 == 1 && record.generation.end(generation)
            };
            if ended {
                self.end_endpoint(token, core, endpoint);
            }
        }
        self.delete_space(token, core, cell, 0);
        let orphan = self.change(token, |tree, _| {
            tree.close_space(cell);
            tree.release(faults)
        });
        if let Some(orphan) = orphan {
            self.end_object(token, core, orphan);
        }
        let budget = record.budget.load(Ordering::Relaxed);
        self.end_budget(token, budget, record.budget_generation.load(Ordering::Relaxed));
        // Its own bytes, still charged, keep the budget from being another's meanwhile.
        if self.budgets.at(budget).used.load(Ordering::SeqCst) > own_bytes {
            self.end_cells_made_of(token, core, budget);
        }
        self.refund(token, budget, own_bytes);
        self.give_back_reservation(token, cell);
        self.cells.give_back(token, cell);
    }

    /// Ends the cells that were made of a budget which has ended, or of one split from it: they may have nobody left but each other. The
    /// deepest first, so that none of them ends others in turn.
    fn end_cells_made_of(&self, token: Unlocked<'_>, core: u32, budget: u32) {
        let mut entry = Token::at_entry();
        let most = self.configuration.objects.max(self.configuration.cells) as usize;
        let mut made: Vec<(usize, Name)> = Vec::new();
        for (index, record) in self.cells.used(&mut entry) {
            let generation = record.generation.get();
            let parent = |budget: &u32| {
                let parent = self.budgets.at(*budget).parent.load(Ordering::Relaxed);
                (parent != NOBODY).then_some(parent)
            };
            let own = record.budget.load(Ordering::Relaxed);
            // As long as it lives, those that its budget was split from are there.
            let mut above = core::iter::successors(Some(own), parent).take(most);
            let depth = above.position(|above| above == budget);
            if own != budget && record.generation.is(generation) {
                made.extend(depth.map(|depth| (depth, Name { index, generation })));
            }
        }
        made.sort_unstable_by_key(|(depth, _)| core::cmp::Reverse(*depth));
        for (_, cell) in made {
            self.abandon(token, core, cell);
        }
    }

    /// Ends a cell for good: its last capability is gone, or it was destroyed.
    fn abandon(&self, token: Unlocked<'_>, core: u32, cell: Name) {
        let record = self.cells.at(cell.index);
        {
            let (mut control, _) = record.control.lock(token);
            if !record.generation.is(cell.generation) {
                return;
            }
            control.abandoned = true;
        }
        self.begin_end(token, core, cell, FaultKind::Killed, 0, Box::default());
        self.bury_if_abandoned(token, core, cell.index);
    }

    /// Ends an object that no capability names any more, or that was destroyed.
    pub(crate) fn end_object(&self, token: Unlocked<'_>, core: u32, orphan: Orphan) {
        let Orphan { kind, index, generation } = orphan;
        match kind {
            ObjectKind::Endpoint => {
                let record = self.endpoints.at(index);
                if record.generation.end(generation) {
                    self.end_endpoint(token, core, index);
                }
            }
            ObjectKind::Notification => {
                let record = self.notifications.at(index);
                if record.generation.end(generation) {
                    record.bits.store(0, Ordering::Relaxed);
                    self.unbind(token, core, index);
                    self.refund(token, record.budget.load(Ordering::Relaxed), OBJECT_BYTES);
                    self.notifications.give_back(token, index);
                }
            }
            ObjectKind::Timer => {
                let record = self.timers.at(index);
                if record.generation.end(generation) {
                    let target = self.disarm_timer(token, index);
                    self.release_held(token, core, target);
                    self.refund(token, record.budget.load(Ordering::Relaxed), OBJECT_BYTES);
                    self.timers.give_back(token, index);
                }
            }
            ObjectKind::Region => {
                let record = self.regions.at(index);
                if record.generation.end(generation) {
                    self.end_region(token, index);
                    self.regions.give_back(token, index);
                }
            }
            ObjectKind::Cell => self.abandon(token, core, Name { index, generation }),
            ObjectKind::Budget => self.end_budget(token, index, generation),
            ObjectKind::Program => {
                let record = self.programs.at(index);
                if record.generation.end(generation) {
                    // Dropped after the lock: it may be the last reference, with all that belongs to the program.
                    let program = record.program.lock(token).0.take();
                    drop(program);
                    self.programs.give_back(token, index);
                }
            }
        }
    }

    /// Releases a capability that a kernel object held.
    pub(crate) fn release_held(&self, token: Unlocked<'_>, core: u32, via: Via) {
        let orphan = self.change(token, |tree, _| tree.release(via));
        if let Some(orphan) = orphan {
            self.end_object(token, core, orphan);
        }
    }

    /// The rest of an endpoint's end, whose generation has ended: errors for everything that waits in it, its watchers released.
    fn end_endpoint(&self, token: Unlocked<'_>, core: u32, endpoint: u32) {
        let record = self.endpoints.at(endpoint);
        // Behind a change of its server that had begun before; none begins any more.
        let (server, former) = {
            let (former, _) = record.serving.former.lock(token);
            (record.serving.server(), former.clone())
        };
        let mut context = Context::new(CoreId(core), ThreadId(NOBODY));
        for cell in core::iter::once(server).chain(former) {
            loop {
                let purged = self.cells.at(cell).inbox.lock(&mut context.token).0.purge_endpoint(endpoint);
                let Some(message) = purged else { break };
                self.drop_flight(&mut context.token, core, &message.flight);
                self.deliver(&mut context, message.sender, 0, Err(Error::Gone), Waker::Runs);
            }
            self.tell_room(&mut context, cell);
        }
        self.serves_no_more(token, server, endpoint, u32::from(!record.is_passive()));
        // A wait for it alone ends with `NothingToWaitFor`.
        self.wake(token, core, server);
        {
            let (mut former, _) = record.serving.former.lock(token);
            former.clear();
            record.serving.note_former(&former);
            // Who was told the server before finds that it serves no more, whatever lives at its place by then.
            record.serving.change(NOBODY);
        }
        let watchers = core::mem::take(&mut *record.watchers.lock(token).0);
        record.watched.store(0, Ordering::Relaxed);
        for via in watchers {
            self.release_held(token, core, via);
        }
        self.refund(token, record.budget.load(Ordering::Relaxed), OBJECT_BYTES);
        self.endpoints.give_back(token, endpoint);
    }

    /// Signals the watchers of all endpoints of a server.
    pub(crate) fn tell_watchers(&self, token: Unlocked<'_>, core: u32, server: u32, what: Watched) {
        let serves = self.cells.at(server).control.lock(token).0.serves.clone();
        for endpoint in serves {
            // One that is being given to another cell is that one's.
            if self.endpoints.at(endpoint).serving.is(server) {
                self.tell_endpoint_watchers(token, core, endpoint, what);
            }
        }
    }

    /// Signals the watchers of one endpoint.
    pub(crate) fn tell_endpoint_watchers(
        &self,
        token: Unlocked<'_>,
        core: u32,
        endpoint: u32,
        what: Watched,
    ) {
        self.signal_watchers(token, core, endpoint, what as u64);
    }

    /// Signals these bits to the watchers of one endpoint.
    pub(crate) fn signal_watchers(&self, token: Unlocked<'_>, core: u32, endpoint: u32, bits: u64) {
        let record = self.endpoints.at(endpoint);
        if record.watched.load(Ordering::Relaxed) == 0 {
            return;
        }
        let watchers = record.watchers.lock(token).0.clone();
        for via in watchers {
            self.signal_held(token, core, via, bits);
        }
    }

    /// Signals a notification through a capability that the kernel holds, if it was not revoked.
    pub(crate) fn signal_held(&self, token: Unlocked<'_>, core: u32, via: Via, bits: u64) {
        let signalling = &self.core(core).signalling;
        // As in `operate`, of which this may be a part: a revocation waits until both are over.
        signalling.store(u64::from(via.slot) + 1, Ordering::SeqCst);
        if let Some(capability) = self.capabilities.held(via)
            && capability.kind == ObjectKind::Notification
            && self.notifications.at(capability.index).generation.is(capability.generation)
        {
            self.signal(token, core, capability.index, bits);
        }
        signalling.store(0, Ordering::Release);
    }

    /// Sets bits of a notification and tells the cell that is bound to it.
    pub(crate) fn signal<const M: u8>(
        &self,
        token: &mut Token<'_, M>,
        core: u32,
        notification: u32,
        bits: u64,
    ) {
        const { assert!(M < level::INBOX) };
        let record = self.notifications.at(notification);
        record.bits.fetch_or(bits, Ordering::AcqRel);
        let bound = record.bound.load(Ordering::Acquire);
        if matches!(bound, NOBODY | LEFT) {
            return;
        }
        let wake = {
            let (mut inbox, _) = self.cells.at(bound).inbox.lock(token);
            inbox.notify(notification);
            inbox.take_waiter_if_any()
        };
        if wake {
            self.wake(token, core, bound);
        }
    }
}
