//! Making objects out of budgets, and what their end gives back.

use alloc::boxed::Box;
use alloc::sync::Arc;

use hallows_abi::{Error, ObjectKind, Rights, TimeBudget};

use crate::capabilities::{HELD, WATCHING};
use crate::cell::CellState;
use crate::class::{Class, share};
use crate::configuration::{DEFAULT_SPACE, PRIORITIES};
use crate::engine::Unmappable;
use crate::lock::{Token, level};
use crate::meter::Meter;
use crate::objects::TimerSetting;
use crate::slot::{Capability, Found, Name, Via};
use crate::sync::{Ordering, fence};
use crate::thread::{NEVER, NOBODY};
use crate::tree::Diminish;
use crate::{CellId, CoreId, Engine, Kernel};

type Unlocked<'t> = &'t mut Token<'static, { level::NONE }>;

/// What an endpoint, notification, timer, region or budget costs its budget beside its content: its record and a capability
/// slot, rounded up, in bytes.
pub const OBJECT_BYTES: u64 = 256;

/// What a cell costs beside its memory and its capability space: records of cell and thread, the engine's instance, in bytes.
pub const CELL_BYTES: u64 = 16_384;

/// What one slot of a capability space costs, with its node in the tree, in bytes.
pub const SLOT_BYTES: u64 = 48;

/// The size of a page of a region, in bytes.
pub const PAGE_BYTES: u64 = 4_096;

/// What a cell with so many slots costs beside its memory, in bytes.
const fn own_bytes(slots: u32) -> u64 {
    CELL_BYTES + slots as u64 * SLOT_BYTES
}

/// How a new endpoint is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// By its server's own thread; so many messages may wait.
    Active {
        /// 1 to 4,096.
        limit: u32,
    },
    /// On its callers' threads.
    Passive {
        /// How long a handler may run, in ns; 0: the machine's default.
        handler_budget_ns: u64,
    },
}

/// What a new cell is made of.
#[derive(Clone, Debug)]
pub struct CellSpecification<'a> {
    /// For people.
    pub name: &'a str,
    /// The most linear memory and objects that it may have, in bytes; taken out of the budget at once.
    pub memory_bytes: u64,
    /// Slots of its capability space; 0: the default.
    pub slots: u32,
    /// Before whom it runs; [`Class::RealTime`] needs `pinned` and `time`, which is reserved.
    pub class: Class,
    /// 0 the lowest, 7 the highest, within its class.
    pub priority: u8,
    /// Serves on its callers' threads.
    pub passive: bool,
    /// The only core that it runs on.
    pub pinned: Option<CoreId>,
    /// The pool whose cores it runs on, if it is not pinned.
    pub pool: u32,
    /// The most processor time that its thread may use; a passive one's handlers run on their callers'.
    pub time: Option<TimeBudget>,
}

/// Before whom a thread runs, and where: its rank, the only core that it runs on or [`NOBODY`], the pool of its cores.
pub(crate) struct Runs {
    pub rank: u8,
    pub pinned: u32,
    pub pool: u32,
}

impl<E: Engine> Kernel<E> {
    fn first(kind: ObjectKind, index: u32, generation: u32) -> Capability {
        Capability { kind, index, generation, rights: Rights::ALL, badge: 0 }
    }

    /// Puts the first capability of a new object into a space; undoes the object if there is no room.
    fn plant(
        &self,
        token: Unlocked<'_>,
        owner: u32,
        kind: ObjectKind,
        index: u32,
        generation: u32,
    ) -> Result<Found, Error> {
        let planted = {
            let (mut tree, _) = self.capabilities.lock(token);
            tree.plant(owner, &Self::first(kind, index, generation))
        };
        planted.inspect_err(|_| {
            self.end_object(
                token,
                self.configuration.cores,
                crate::capabilities::Orphan { kind, index, generation },
            );
        })
    }

    pub(crate) fn make_endpoint(
        &self,
        token: Unlocked<'_>,
        owner: u32,
        budget: Name,
        server: Name,
        service: Service,
    ) -> Result<Found, Error> {
        let (limit, budget_ns) = match service {
            Service::Active { limit: limit @ 1..=4_096 } => (limit, 0),
            Service::Active { .. } => return Err(Error::BadArgument),
            Service::Passive { handler_budget_ns: 0 } => (0, self.configuration.handler_budget_ns),
            Service::Passive { handler_budget_ns } => (0, handler_budget_ns),
        };
        self.charge_to(token, budget, OBJECT_BYTES)?;
        let taken = self.endpoints.take(token);
        let index = taken.map_err(|error| self.undo_charge(token, budget.index, OBJECT_BYTES, error))?;
        let record = self.endpoints.at(index);
        record.serving.change(server.index);
        record.limit.store(limit, Ordering::Relaxed);
        // Release: as `protected_call` reads it.
        record.handler_budget_ns.store(budget_ns, Ordering::Release);
        record.budget.store(budget.index, Ordering::Relaxed);
        match self.begin_to_serve(token, server, index) {
            Ok(generation) => self.plant(token, owner, ObjectKind::Endpoint, index, generation),
            Err(error) => {
                record.serving.change(NOBODY);
                self.endpoints.give_back(token, index);
                Err(self.undo_charge(token, budget.index, OBJECT_BYTES, error))
            }
        }
    }

    /// A new endpoint begins, on the list of its server. Its generation.
    fn begin_to_serve(&self, token: Unlocked<'_>, server: Name, endpoint: u32) -> Result<u32, Error> {
        let (record, cell) = (self.endpoints.at(endpoint), self.cells.at(server.index));
        // Under the lock that the cell's end is noted under: its list is ended with it.
        let (mut control, mut token) = cell.control.lock(token);
        if !cell.generation.is(server.generation) {
            return Err(Error::Gone);
        }
        if cell.is_passive() != record.is_passive() {
            return Err(Error::BadState);
        }
        control.serves.push(endpoint);
        cell.inbox.lock(&mut token).0.sources += u32::from(!record.is_passive());
        Ok(record.generation.begin())
    }

    pub(crate) fn make_notification(
        &self,
        token: Unlocked<'_>,
        owner: u32,
        budget: Name,
    ) -> Result<Found, Error> {
        self.charge_to(token, budget, OBJECT_BYTES)?;
        let taken = self.notifications.take(token);
        let index = taken.map_err(|error| self.undo_charge(token, budget.index, OBJECT_BYTES, error))?;
        let record = self.notifications.at(index);
        record.bits.store(0, Ordering::Relaxed);
        record.bound.store(NOBODY, Ordering::Relaxed);
        record.budget.store(budget.index, Ordering::Relaxed);
        let generation = record.generation.begin();
        self.plant(token, owner, ObjectKind::Notification, index, generation)
    }

    pub(crate) fn make_timer(
        &self,
        token: Unlocked<'_>,
        owner: u32,
        budget: Name,
        target: &Found,
        bits: u64,
    ) -> Result<Found, Error> {
        self.charge_to(token, budget, OBJECT_BYTES)?;
        let taken = self.timers.take(token);
        let index = taken.map_err(|error| self.undo_charge(token, budget.index, OBJECT_BYTES, error))?;
        let held = match self.hold(token, target) {
            Ok(held) => held,
            Err(error) => {
                self.refund(token, budget.index, OBJECT_BYTES);
                self.timers.give_back(token, index);
                return Err(error);
            }
        };
        let record = self.timers.at(index);
        *record.setting.lock(token).0 = TimerSetting { target: held, bits, ..TimerSetting::default() };
        record.budget.store(budget.index, Ordering::Relaxed);
        let generation = record.generation.begin();
        self.plant(token, owner, ObjectKind::Timer, index, generation)
    }

    /// Derives a capability that a kernel object keeps.
    pub(crate) fn hold(&self, token: Unlocked<'_>, found: &Found) -> Result<Via, Error> {
        let (mut tree, _) = self.capabilities.lock(token);
        Ok(tree.derive(found, HELD, Diminish::NONE)?.via)
    }

    /// Derives a capability that a kernel object keeps for as long as somebody else keeps its object alive.
    pub(crate) fn hold_to_watch(&self, token: Unlocked<'_>, found: &Found) -> Result<Via, Error> {
        let (mut tree, _) = self.capabilities.lock(token);
        Ok(tree.derive(found, WATCHING, Diminish::NONE)?.via)
    }

    pub(crate) fn make_region(
        &self,
        token: Unlocked<'_>,
        owner: u32,
        budget: Name,
        bytes: u64,
    ) -> Result<Found, Error> {
        let bytes = bytes
            .checked_next_multiple_of(PAGE_BYTES)
            .filter(|bytes| *bytes > 0)
            .ok_or(Error::BadArgument)?;
        let cost = bytes.checked_add(OBJECT_BYTES).ok_or(Error::BadArgument)?;
        self.charge_to(token, budget, cost)?;
        let taken = self.regions.take(token);
        let index = taken.map_err(|error| self.undo_charge(token, budget.index, cost, error))?;
        let number = match self.engine.create_region(bytes) {
            Ok(number) => number,
            Err(error) => {
                self.refund(token, budget.index, cost);
                self.regions.give_back(token, index);
                return Err(region_error(error));
            }
        };
        let record = self.regions.at(index);
        record.number.store(number, Ordering::Relaxed);
        record.bytes.store(bytes, Ordering::Relaxed);
        record.budget.store(budget.index, Ordering::Relaxed);
        let generation = record.generation.begin();
        self.plant(token, owner, ObjectKind::Region, index, generation)
    }

    /// A new budget out of another.
    pub(crate) fn make_budget(
        &self,
        token: Unlocked<'_>,
        owner: u32,
        parent: Name,
        bytes: u64,
    ) -> Result<Found, Error> {
        let (index, generation) = self.split(token, parent, bytes)?;
        self.plant(token, owner, ObjectKind::Budget, index, generation)
    }

    /// Takes so many bytes of a budget, which does not end with them taken.
    pub(crate) fn charge_to(&self, token: Unlocked<'_>, budget: Name, bytes: u64) -> Result<(), Error> {
        let record = self.budgets.at(budget.index);
        record.charge(bytes)?;
        // Against `end_budget`: it sees what was taken, or this sees that it has ended.
        fence(Ordering::SeqCst);
        if record.generation.is(budget.generation) {
            return Ok(());
        }
        Err(self.undo_charge(token, budget.index, bytes, Error::Gone))
    }

    fn split(&self, token: Unlocked<'_>, parent: Name, bytes: u64) -> Result<(u32, u32), Error> {
        let cost = bytes.checked_add(OBJECT_BYTES).ok_or(Error::BadArgument)?;
        self.charge_to(token, parent, cost)?;
        let taken = self.budgets.take(token);
        let index = taken.map_err(|error| self.undo_charge(token, parent.index, cost, error))?;
        let record = self.budgets.at(index);
        record.limit.store(bytes, Ordering::Relaxed);
        record.used.store(0, Ordering::Relaxed);
        record.parent.store(parent.index, Ordering::Relaxed);
        record.returned.store(0, Ordering::Relaxed);
        Ok((index, record.generation.begin()))
    }

    pub(crate) fn make_cell(
        &self,
        token: Unlocked<'_>,
        owner: u32,
        budget: Name,
        program: Name,
        faults: Option<&Found>,
        specification: &CellSpecification<'_>,
    ) -> Result<(u32, Found), Error> {
        let slots = match specification.slots {
            0 => DEFAULT_SPACE,
            slots @ 8..=65_536 => slots.next_power_of_two(),
            _ => return Err(Error::BadArgument),
        };
        if specification.priority >= PRIORITIES {
            return Err(Error::BadArgument);
        }
        if specification.time.is_some_and(|time| specification.passive || !self.can_keep(time)) {
            return Err(Error::BadArgument);
        }
        if specification.pool != 0 && specification.pool as usize >= self.configuration.pools.len() {
            return Err(Error::BadArgument);
        }
        let reservation = match (specification.class, specification.pinned, specification.time) {
            // Service cores keep no time budgets.
            (Class::RealTime, Some(core), Some(time)) if core.0 < self.configuration.general_cores() => {
                Some((core.0, share(time)))
            }
            (Class::RealTime, ..) => return Err(Error::BadArgument),
            _ => None,
        };
        let program = {
            let record = self.programs.at(program.index);
            let (present, _) = record.program.lock(token);
            // Behind it: this is not the next program at that index.
            let present = present.clone().filter(|_| record.generation.is(program.generation));
            present.ok_or(Error::Gone)?
        };
        let own = own_bytes(slots);
        let bytes = specification.memory_bytes.checked_add(own).ok_or(Error::BadArgument)?;
        let (own_budget, budget_generation) = self.split(token, budget, bytes)?;
        self.budgets.at(own_budget).charge(own)?;
        let faults = match faults.map(|found| self.hold(token, found)) {
            None => Via::KERNEL,
            Some(Ok(via)) => via,
            Some(Err(error)) => {
                self.refund(token, own_budget, own);
                self.end_budget(token, own_budget, budget_generation);
                return Err(error);
            }
        };
        if let Some((core, share)) = reservation
            && !self.core(core).reserve(share)
        {
            self.release_held(token, self.configuration.cores, faults);
            self.refund(token, own_budget, own);
            self.end_budget(token, own_budget, budget_generation);
            return Err(Error::BudgetExhausted);
        }
        let undo = |kernel: &Self, token: Unlocked<'_>| {
            if let Some((core, share)) = reservation {
                kernel.core(core).give_back(share);
            }
            kernel.release_held(token, kernel.configuration.cores, faults);
            kernel.refund(token, own_budget, own);
            kernel.end_budget(token, own_budget, budget_generation);
        };
        let cell = match self.cells.take(token) {
            Ok(cell) => cell,
            Err(error) => {
                undo(self, token);
                return Err(error);
            }
        };
        let record = self.cells.at(cell);
        record.life.store(0, Ordering::Relaxed);
        record.passive.store(u8::from(specification.passive), Ordering::Relaxed);
        record.budget.store(own_budget, Ordering::Relaxed);
        record.budget_generation.store(budget_generation, Ordering::Relaxed);
        let pool = specification.pinned.map_or(specification.pool, |core| self.configuration.pool_of(core.0));
        let runs = Runs {
            rank: specification.class.rank(specification.priority),
            pinned: specification.pinned.map_or(NOBODY, |core| core.0),
            pool,
        };
        self.reset_thread(token, cell, &runs, specification.time);
        let generation = record.generation.begin();
        let opened = {
            let (mut tree, _) = self.capabilities.lock(token);
            tree.open_space(cell, slots).and_then(|()| {
                tree.plant(cell, &Self::first(ObjectKind::Cell, cell, generation))?;
                tree.plant(cell, &Self::first(ObjectKind::Budget, own_budget, budget_generation))
            })
        };
        if let Err(error) = opened {
            record.generation.end(generation);
            self.cells.give_back(token, cell);
            undo(self, token);
            return Err(error);
        }
        {
            let (mut control, _) = record.control.lock(token);
            control.program = Some(program);
            control.memory_limit = specification.memory_bytes;
            control.own_bytes = own;
            control.faults = faults;
            control.grants_end = hallows_abi::Handle::FIRST_GRANT;
            control.abandoned = false;
            control.thread_busy = false;
            control.cause = None;
            control.last_fault = None;
            control.faulted = 0;
            control.name = Box::from(specification.name);
            control.start_info = Arc::default();
            record.set_state(CellState::Created);
        }
        Ok((cell, self.plant(token, owner, ObjectKind::Cell, cell, generation)?))
    }

    /// The thread of execution of a new cell.
    pub(crate) fn reset_thread(&self, token: Unlocked<'_>, cell: u32, runs: &Runs, time: Option<TimeBudget>) {
        let thread = self.threads.at(cell);
        thread.rank.store(runs.rank, Ordering::Relaxed);
        thread.reserved_until_ns.store(NEVER, Ordering::Relaxed);
        thread.job_ns.store(NEVER, Ordering::Relaxed);
        thread.missed.store(0, Ordering::Relaxed);
        thread.stretch_ns.store(0, Ordering::Relaxed);
        thread.begin_work();
        thread.pinned.store(runs.pinned, Ordering::Relaxed);
        thread.pool.store(runs.pool, Ordering::Relaxed);
        thread.standing.reset(time.is_some());
        *thread.meter.lock(token).0 = Meter::new(time);
        self.cells.at(cell).tally.reset(token);
    }

    /// Derives a capability into the space of a cell of that generation that was not started yet: a grant, which survives restarts.
    pub(crate) fn grant(
        &self,
        token: Unlocked<'_>,
        Name { index: cell, generation }: Name,
        found: &Found,
        difference: Diminish,
    ) -> Result<hallows_abi::Handle, Error> {
        let record = self.cells.at(cell);
        let handle = {
            let (mut tree, _) = self.capabilities.lock(token);
            // Under the lock that its space is emptied under: what comes there later would be a capability of the space's next owner.
            if !record.generation.is(generation) {
                return Err(Error::Gone);
            }
            if record.state() != CellState::Created {
                return Err(Error::BadState);
            }
            let granted = tree.derive(found, cell, difference)?;
            tree.handle(cell, &granted)
        };
        let (mut control, _) = record.control.lock(token);
        control.grants_end = control.grants_end.max(handle.index() + 1);
        Ok(handle)
    }

    /// Gives bytes back to a budget; the last ones of an ended budget take it with them.
    pub(crate) fn refund<const M: u8>(&self, token: &mut Token<'_, M>, budget: u32, bytes: u64) {
        let record = self.budgets.at(budget);
        // SeqCst: the one who ends it and the one who uses it last look at each other's part; one of the two sees both.
        let before = record.used.fetch_sub(bytes, Ordering::SeqCst);
        if before == bytes && !record.generation.is_alive() {
            self.return_budget(token, budget);
        }
    }

    pub(crate) fn undo_charge(&self, token: Unlocked<'_>, budget: u32, bytes: u64, error: Error) -> Error {
        self.refund(token, budget, bytes);
        error
    }

    /// Ends a budget. Its memory goes back to its parent when nothing that was made of it is left.
    pub(crate) fn end_budget(&self, token: Unlocked<'_>, index: u32, generation: u32) {
        let record = self.budgets.at(index);
        if !record.generation.end(generation) {
            return;
        }
        // Against `charge_to`.
        fence(Ordering::SeqCst);
        if record.used.load(Ordering::SeqCst) == 0 {
            self.return_budget(token, index);
        }
    }

    fn return_budget<const M: u8>(&self, token: &mut Token<'_, M>, index: u32) {
        let record = self.budgets.at(index);
        if record.returned.swap(1, Ordering::SeqCst) != 0 {
            return;
        }
        let (parent, limit) = (record.parent.load(Ordering::Relaxed), record.limit.load(Ordering::Relaxed));
        self.budgets.give_back(token, index);
        if parent != NOBODY {
            // As deep as budgets were split from each other: each level is a capability that someone had to make.
            self.refund(token, parent, limit + OBJECT_BYTES);
        }
    }

    /// Frees a region's memory, out of every cell that maps it.
    pub(crate) fn end_region(&self, token: Unlocked<'_>, index: u32) {
        let record = self.regions.at(index);
        let mappings = core::mem::take(&mut *record.mappings.lock(token).0);
        let bytes = record.bytes.load(Ordering::Relaxed);
        for mapping in mappings {
            let _ = self.engine.map_region(CellId(mapping.cell), mapping.address, bytes, None);
        }
        self.engine.destroy_region(record.number.load(Ordering::Relaxed));
        self.refund(token, record.budget.load(Ordering::Relaxed), bytes + OBJECT_BYTES);
    }

    /// Takes all regions out of a cell's memory, before its instance goes.
    pub(crate) fn unmap_all(&self, token: Unlocked<'_>, cell: u32) {
        let mut entry = Token::at_entry();
        for (_, record) in self.regions.used(&mut entry) {
            if record.generation.is_alive() {
                record.mappings.lock(token).0.retain(|mapping| mapping.cell != cell);
            }
        }
    }
}

/// The program's error for an engine's.
pub(crate) const fn region_error(error: Unmappable) -> Error {
    match error {
        Unmappable::Unsupported => Error::Unsupported,
        Unmappable::BadRange => Error::BadArgument,
        Unmappable::NoMemory => Error::BudgetExhausted,
    }
}
