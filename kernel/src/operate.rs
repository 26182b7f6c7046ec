//! Operations: messages that kernel objects answer themselves, at once.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use hallows_abi::{
    Code, Error, FaultKind, Handle, MAX_START_INFO, ObjectKind, Operation, Reply, Rights, TimeBudget,
    Transfer, Writer,
};

use crate::capabilities::Orphan;
use crate::carry::transfer_list;
use crate::cell::CellState;
use crate::engine::Access;
use crate::make::{CellSpecification, PAGE_BYTES, Service, region_error};
use crate::objects::Mapping;
use crate::slot::{Found, Via};
use crate::sync::Ordering;
use crate::thread::NOBODY;
use crate::through::Through;
use crate::timers::Due;
use crate::tree::Diminish;
use crate::{CellId, Context, Engine, HandleList, Kernel, Machine, Nanos, Outgoing};

/// The longest line that a program may log, in bytes.
const MAX_LOG: usize = 1_024;

/// The shortest period of a timer, in ns: a few hundred timers that fired at every look of the timekeeper would delay all quanta and
/// deadlines.
const SHORTEST_PERIOD_NS: u64 = 10_000;

/// An operation on its way through its handler.
struct Request<'a, E: Engine> {
    cell: u32,
    found: &'a Found,
    code: Code,
    arguments: [u64; 3],
    message: &'a Outgoing<'a, E>,
}

impl<E: Engine> Request<'_, E> {
    const fn a(&self) -> u64 {
        self.arguments[0]
    }

    const fn b(&self) -> u64 {
        self.arguments[1]
    }

    fn index(&self) -> u32 {
        self.found.capability.index
    }

    fn needs(&self, rights: Rights) -> Result<(), Error> {
        if self.found.capability.rights.contains(rights) { Ok(()) } else { Err(Error::NoRight) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a handle is 32 bits: others name nothing")]
    fn handle_a(&self) -> Result<Handle, Error> {
        if self.a() > u64::from(u32::MAX) { Err(Error::BadHandle) } else { Ok(Handle(self.a() as u32)) }
    }
}

impl<E: Engine> Kernel<E> {
    /// Carries out an operation: its reply's length in bytes.
    #[inline]
    pub(crate) fn operate(
        &self,
        context: &mut Context,
        cell: u32,
        found: &Found,
        message: &Outgoing<'_, E>,
        reply: E::Bytes,
        handles: &mut HandleList,
    ) -> Result<u32, Error> {
        let mut bytes = [0; Operation::SIZE];
        if self.engine.length(message.bytes) < Operation::SIZE {
            return Err(Error::BadArgument);
        }
        self.engine.read(message.bytes, &mut bytes);
        // The operation that does nothing is there to be measured, and every other pays for the search of its code.
        if bytes == [0; Operation::SIZE] {
            return self.reply(reply, Reply::default());
        }
        let Operation { code, arguments } = Operation::parse(&bytes).ok_or(Error::UnknownOperation)?;
        let answer = match code {
            Code::Null => Reply::default(),
            Code::Identify if arguments[0] != 0 && self.is_self(cell, found) => {
                let named = u32::try_from(arguments[0]).map_err(|_| Error::BadHandle)?;
                let Found { capability, .. } = self.capabilities.find(cell, Handle(named))?;
                Reply {
                    a: capability.kind as u64 | u64::from(capability.rights.0) << 16,
                    b: capability.badge,
                }
            }
            Code::Identify => Reply {
                a: found.capability.kind as u64 | u64::from(found.capability.rights.0) << 16,
                b: found.capability.badge,
            },
            Code::Recognise if self.is_self(cell, found) => self.recognise(cell, arguments[0])?,
            // A message to an endpoint goes to its server: what is done with the endpoint itself goes through the caller's own
            // space, and names it by its handle.
            Code::Watch | Code::Destroy if self.is_self(cell, found) => {
                let named = u32::try_from(arguments[0]).map_err(|_| Error::BadHandle)?;
                let named = self.capabilities.find(cell, Handle(named))?;
                if named.capability.kind != ObjectKind::Endpoint {
                    return Err(Error::WrongObject);
                }
                let request = Request { cell, found: &named, code, arguments, message };
                self.operate_object(context, &request, handles)?
            }
            _ => {
                let request = Request { cell, found, code, arguments, message };
                if code == Code::StartInfo {
                    return self.start_info(context, &request, reply);
                }
                self.operate_object(context, &request, handles)?
            }
        };
        self.reply(reply, answer)
    }

    /// The badge of a capability whose endpoint the asking cell serves: whether it is one of its own, or one that somebody made to look like
    /// it (the brand of KeyKOS; seL4 gives a server the badge in place of such a capability).
    fn recognise(&self, cell: u32, named: u64) -> Result<Reply, Error> {
        let named = u32::try_from(named).map_err(|_| Error::BadHandle)?;
        let Found { capability, .. } = self.capabilities.find(cell, Handle(named))?;
        if capability.kind != ObjectKind::Endpoint {
            return Err(Error::WrongObject);
        }
        let record = self.endpoints.at(capability.index);
        // Acquire, and alive behind it: what was read is not the server of the next endpoint at this index.
        let server = record.server.load(Ordering::Acquire);
        if !record.generation.is(capability.generation) {
            return Err(Error::Gone);
        }
        if server == cell { Ok(Reply { a: capability.badge, b: 0 }) } else { Err(Error::NoRight) }
    }

    #[inline]
    fn reply(&self, reply: E::Bytes, answer: Reply) -> Result<u32, Error> {
        let bytes = answer.emit();
        let length = self.engine.length(reply).min(Reply::SIZE);
        self.engine.write(reply, bytes.get(..length).unwrap_or_default());
        u32::try_from(length).map_err(|_| Error::BadArgument)
    }

    fn operate_object(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        handles: &mut HandleList,
    ) -> Result<Reply, Error> {
        // A cell's capability of itself is no one's to revoke, and its operations may suspend.
        if self.is_self(request.cell, request.found) {
            return self.operate_self(context, request);
        }
        // What a revocation looks at after it has emptied the slot: nothing goes on through a revoked capability.
        let core = context.core.0;
        self.core(core).operating.store(u64::from(request.found.via.slot) + 1, Ordering::SeqCst);
        let result = if self.capabilities.still(request.found.via) {
            self.operate_other(context, request, handles)
        } else {
            Err(Error::Revoked)
        };
        // Release: whoever sees the core free sees what the operation did.
        self.core(core).operating.store(0, Ordering::Release);
        result
    }

    fn is_self(&self, cell: u32, found: &Found) -> bool {
        let capability = &found.capability;
        capability.kind == ObjectKind::Cell
            && capability.index == cell
            && self.cells.at(cell).generation.is(capability.generation)
    }

    fn operate_other(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        handles: &mut HandleList,
    ) -> Result<Reply, Error> {
        let capability = request.found.capability;
        if !self.is_alive(capability.kind, capability.index, capability.generation) {
            return Err(Error::Gone);
        }
        if request.code == Code::Destroy {
            request.needs(Rights::MANAGE)?;
            return self.destroy(context, request);
        }
        match capability.kind {
            ObjectKind::Budget => self.operate_budget(context, request, handles),
            ObjectKind::Endpoint => self.operate_endpoint(context, request),
            ObjectKind::Notification => self.operate_notification(context, request),
            ObjectKind::Timer => self.operate_timer(context, request),
            ObjectKind::Region => self.operate_region(context, request),
            ObjectKind::Cell => self.operate_cell(context, request),
            ObjectKind::Program => Err(Error::WrongObject),
        }
    }

    fn is_alive(&self, kind: ObjectKind, index: u32, generation: u32) -> bool {
        let record = match kind {
            ObjectKind::Endpoint => &self.endpoints.at(index).generation,
            ObjectKind::Notification => &self.notifications.at(index).generation,
            ObjectKind::Timer => &self.timers.at(index).generation,
            ObjectKind::Budget => &self.budgets.at(index).generation,
            ObjectKind::Region => &self.regions.at(index).generation,
            ObjectKind::Cell => &self.cells.at(index).generation,
            ObjectKind::Program => &self.programs.at(index).generation,
        };
        record.is(generation)
    }

    fn destroy(&self, context: &mut Context, request: &Request<'_, E>) -> Result<Reply, Error> {
        let capability = request.found.capability;
        // The budget of a live cell, and one that objects are charged to, cannot go before them.
        if capability.kind == ObjectKind::Budget
            && self.budgets.at(capability.index).used.load(Ordering::Relaxed) != 0
        {
            return Err(Error::BadState);
        }
        let core = context.core.0;
        let orphan =
            Orphan { kind: capability.kind, index: capability.index, generation: capability.generation };
        self.end_object(&mut context.token, core, orphan);
        Ok(Reply::default())
    }

    /// The capability that comes with an operation, without taking it out of the caller's space.
    fn argument(&self, request: &Request<'_, E>, place: usize, kind: ObjectKind) -> Result<Found, Error> {
        let transfer: &Transfer = request.message.transfers.get(place).ok_or(Error::BadArgument)?;
        let found = self.capabilities.find(request.cell, transfer.handle)?;
        if found.capability.kind == kind { Ok(found) } else { Err(Error::WrongObject) }
    }

    fn operate_self(&self, context: &mut Context, request: &Request<'_, E>) -> Result<Reply, Error> {
        let cell = request.cell;
        match request.code {
            Code::Copy | Code::Mint | Code::Move | Code::Delete | Code::Revoke => {
                return self.operate_space(context, request);
            }
            Code::Exit => {
                #[expect(clippy::cast_possible_truncation, reason = "a status is its low 32 bits")]
                let status = request.a() as u32;
                let core = context.core.0;
                let own = Default::default();
                self.begin_end(&mut context.token, core, cell, FaultKind::Exited, status, own);
                return Err(Error::Killed);
            }
            Code::Yield => {
                self.yield_now(context);
                self.check_live(cell)?;
            }
            Code::Now => return Ok(Reply { a: self.machine.now().0, b: 0 }),
            Code::Random => {
                let random = self.machine.random();
                return Reply::parse(&random).ok_or(Error::Unsupported);
            }
            Code::Log => {
                let length = self.engine.length(request.message.bytes);
                if length > Operation::SIZE + MAX_LOG {
                    return Err(Error::TooLong);
                }
                let name = self.cells.at(cell).control.lock(&mut context.token).0.name.clone();
                let prefix = if name.is_empty() { 0 } else { name.len() + 2 };
                // The cell's name, the operation (which is then cut out), the text.
                let mut line = vec![0; prefix + length];
                self.engine.read(request.message.bytes, line.get_mut(prefix..).unwrap_or_default());
                line.drain(prefix..prefix + Operation::SIZE);
                let mut writer = Writer::new(&mut line);
                if prefix > 0 {
                    let _ = writer.bytes(name.as_bytes());
                    let _ = writer.bytes(b": ");
                }
                self.machine.log(&line);
            }
            _ => return Err(Error::WrongObject),
        }
        Ok(Reply::default())
    }

    fn operate_space(&self, context: &mut Context, request: &Request<'_, E>) -> Result<Reply, Error> {
        let (cell, handle) = (request.cell, request.handle_a()?);
        let found = self.capabilities.find(cell, handle)?;
        // What a cell is cannot be given away, moved or lost.
        if handle.index() < Handle::FIRST_GRANT && !matches!(request.code, Code::Revoke) {
            let is_self = found.capability.kind == ObjectKind::Cell;
            if is_self || matches!(request.code, Code::Move | Code::Delete) {
                return Err(Error::NoRight);
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "rights are the low 16 bits")]
        let difference = match request.code {
            Code::Mint => Diminish { rights: Rights(request.b() as u16), badge: request.arguments[2] },
            _ => Diminish::NONE,
        };
        let mut orphan = None;
        let made = self.change(&mut context.token, |tree, _| {
            let made = match request.code {
                Code::Copy | Code::Mint => Some(tree.derive(&found, cell, difference)?),
                Code::Move => Some(tree.relocate(&found, cell)?),
                Code::Delete if self.capabilities.still(found.via) => {
                    orphan = tree.delete(found.via.slot);
                    None
                }
                Code::Delete => return Err(Error::BadHandle),
                _ => None,
            };
            Ok(made.map(|made| tree.handle(cell, &made)))
        })?;
        if let Some(orphan) = orphan {
            let core = context.core.0;
            self.end_object(&mut context.token, core, orphan);
        }
        if request.code == Code::Revoke {
            return self.revoke(context, cell, &found);
        }
        Ok(Reply { a: made.map_or(0, |handle| u64::from(handle.0)), b: 0 })
    }

    fn start_info(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        reply: E::Bytes,
    ) -> Result<u32, Error> {
        if request.found.capability.kind != ObjectKind::Cell || request.index() != request.cell {
            return Err(Error::WrongObject);
        }
        let info: Arc<[u8]> =
            Arc::clone(&self.cells.at(request.cell).control.lock(&mut context.token).0.start_info);
        if info.len() > self.engine.length(reply) {
            return Err(Error::AnswerTooLong);
        }
        self.engine.write(reply, &info);
        u32::try_from(info.len()).map_err(|_| Error::AnswerTooLong)
    }

    fn operate_budget(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        handles: &mut HandleList,
    ) -> Result<Reply, Error> {
        let (cell, budget) = (request.cell, request.index());
        let record = self.budgets.at(budget);
        if request.code == Code::Query {
            request.needs(Rights::SEND)?;
            let (limit, used) = (record.limit.load(Ordering::Relaxed), record.used.load(Ordering::Relaxed));
            return Ok(Reply { a: limit, b: used });
        }
        request.needs(Rights::MANAGE)?;
        let made = match request.code {
            Code::CreateEndpoint => {
                let server = match request.message.transfers.len() {
                    0 => cell,
                    _ => {
                        let served = self.argument(request, 0, ObjectKind::Cell)?;
                        if !served.capability.rights.contains(Rights::MANAGE) {
                            return Err(Error::NoRight);
                        }
                        served.capability.index
                    }
                };
                let service = match request.a() {
                    0 => Service::Active { limit: u32::try_from(request.b()).unwrap_or(0) },
                    1 => Service::Passive { handler_budget_ns: request.arguments[2] },
                    _ => return Err(Error::BadArgument),
                };
                self.make_endpoint(&mut context.token, cell, budget, server, service)?
            }
            Code::CreateNotification => self.make_notification(&mut context.token, cell, budget)?,
            Code::CreateTimer => {
                let target = self.argument(request, 0, ObjectKind::Notification)?;
                if !target.capability.rights.contains(Rights::SEND) {
                    return Err(Error::NoRight);
                }
                self.make_timer(&mut context.token, cell, budget, &target, request.a())?
            }
            Code::CreateRegion => self.make_region(&mut context.token, cell, budget, request.a())?,
            Code::CreateCell => self.create_cell(context, request)?,
            Code::Split => self.make_budget(&mut context.token, cell, budget, request.a())?,
            _ => return Err(Error::WrongObject),
        };
        let handle = {
            let (mut tree, _) = self.capabilities.lock(&mut context.token);
            tree.handle(cell, &made)
        };
        let _ = handles.push(handle);
        Ok(Reply { a: u64::from(handle.0), b: 0 })
    }

    fn create_cell(&self, context: &mut Context, request: &Request<'_, E>) -> Result<Found, Error> {
        let program = self.argument(request, 0, ObjectKind::Program)?;
        if !self.is_alive(ObjectKind::Program, program.capability.index, program.capability.generation) {
            return Err(Error::Gone);
        }
        let faults = match request.message.transfers.len() {
            1 => None,
            _ => Some(self.argument(request, 1, ObjectKind::Endpoint)?),
        };
        if faults.is_some_and(|faults| !faults.capability.rights.contains(Rights::SEND)) {
            return Err(Error::NoRight);
        }
        #[expect(clippy::cast_possible_truncation, reason = "takes the parts apart")]
        let specification = CellSpecification {
            name: "",
            memory_bytes: request.a(),
            slots: request.b() as u32,
            priority: (request.b() >> 32) as u8,
            passive: request.arguments[2] & 1 == 1,
            pinned: None,
            time: TimeBudget::from_argument(request.arguments[2]),
        };
        let caller = self.threads.at(request.cell);
        if specification.priority > caller.priority.load(Ordering::Relaxed) {
            return Err(Error::NoRight);
        }
        if let Some(own) = caller.meter.lock(&mut context.token).0.budget()
            && specification.time.is_none_or(|time| time.is_more_than(own))
        {
            return Err(Error::NoRight);
        }
        let (index, token) = (program.capability.index, &mut context.token);
        let made =
            self.make_cell(token, request.cell, request.index(), index, faults.as_ref(), &specification)?;
        Ok(made.1)
    }

    fn operate_endpoint(&self, context: &mut Context, request: &Request<'_, E>) -> Result<Reply, Error> {
        if request.code != Code::Watch {
            return Err(Error::WrongObject);
        }
        request.needs(Rights::WATCH)?;
        let target = self.argument(request, 0, ObjectKind::Notification)?;
        if !target.capability.rights.contains(Rights::SEND) {
            return Err(Error::NoRight);
        }
        // So many watchers an endpoint: telling them is one stretch.
        const MAX_WATCHERS: usize = 64;
        let record = self.endpoints.at(request.index());
        let watched = |via: Via| self.capabilities.held(via).map(|held| (held.index, held.generation));
        let (over, full) = {
            let (mut watchers, _) = record.watchers.lock(&mut context.token);
            // Notifications that are gone, as with each life of a watcher, make room.
            let over: Vec<Via> = watchers.extract_if(.., |via| !self.is_watch_alive(*via)).collect();
            if watchers
                .iter()
                .any(|via| watched(*via) == Some((target.capability.index, target.capability.generation)))
            {
                return Ok(Reply::default());
            }
            (over, watchers.len() >= MAX_WATCHERS)
        };
        for via in over {
            self.release_held(&mut context.token, context.core.0, via);
        }
        if full {
            return Err(Error::TableFull);
        }
        let held = self.hold_to_watch(&mut context.token, &target)?;
        let (mut watchers, _) = record.watchers.lock(&mut context.token);
        watchers.push(held);
        record.watched.store(1, Ordering::Relaxed);
        Ok(Reply::default())
    }

    fn is_watch_alive(&self, via: Via) -> bool {
        self.capabilities
            .held(via)
            .is_some_and(|held| self.notifications.at(held.index).generation.is(held.generation))
    }

    fn operate_notification(&self, context: &mut Context, request: &Request<'_, E>) -> Result<Reply, Error> {
        let index = request.index();
        let record = self.notifications.at(index);
        let core = context.core.0;
        match request.code {
            Code::Signal => {
                request.needs(Rights::SEND)?;
                self.signal(&mut context.token, core, index, request.a());
                Ok(Reply::default())
            }
            Code::Poll => {
                request.needs(Rights::RECEIVE)?;
                Ok(Reply { a: record.bits.swap(0, Ordering::AcqRel), b: 0 })
            }
            Code::Bind => {
                request.needs(Rights::RECEIVE)?;
                self.bind(context, request)
            }
            _ => Err(Error::WrongObject),
        }
    }

    fn bind(&self, context: &mut Context, request: &Request<'_, E>) -> Result<Reply, Error> {
        let (cell, index) = (request.cell, request.index());
        if self.cells.at(cell).is_passive() {
            return Err(Error::NotInHandler);
        }
        let record = self.notifications.at(index);
        // AcqRel: pairs with `signal`.
        if record.bound.compare_exchange(NOBODY, cell, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return Err(Error::BadState);
        }
        record.badge.store(request.a(), Ordering::Relaxed);
        {
            let (mut control, mut token) = self.cells.at(cell).control.lock(&mut context.token);
            control.bound.push(index);
            let (mut inbox, _) = self.cells.at(cell).inbox.lock(&mut token);
            inbox.sources += 1;
            // Bits that were set before are told now.
            if record.bits.load(Ordering::Acquire) != 0 {
                inbox.notify(index);
            }
        }
        Ok(Reply::default())
    }

    /// Takes a notification away from the cell that it is bound to.
    pub(crate) fn unbind(
        &self,
        token: &mut crate::lock::Token<'static, { crate::lock::level::NONE }>,
        core: u32,
        index: u32,
    ) {
        let bound = self.notifications.at(index).bound.swap(NOBODY, Ordering::AcqRel);
        if bound == NOBODY {
            return;
        }
        {
            let (mut control, mut token) = self.cells.at(bound).control.lock(token);
            control.bound.retain(|notification| *notification != index);
            let (mut inbox, _) = self.cells.at(bound).inbox.lock(&mut token);
            inbox.sources = inbox.sources.saturating_sub(1);
        }
        // A wait for it alone ends with `NothingToWaitFor`.
        self.wake(token, core, bound);
    }

    fn operate_timer(&self, context: &mut Context, request: &Request<'_, E>) -> Result<Reply, Error> {
        request.needs(Rights::SEND)?;
        let index = request.index();
        match request.code {
            Code::Arm => {
                let record = self.timers.at(index);
                let (at_ns, period_ns) = (request.a().min(Nanos::NEVER.0), request.b());
                let period_ns = if period_ns == 0 { 0 } else { period_ns.max(SHORTEST_PERIOD_NS) };
                let (mut setting, mut token) = record.setting.lock(&mut context.token);
                self.unqueue_timer(&mut token, index, setting.at_ns);
                setting.at_ns = at_ns;
                setting.period_ns = period_ns;
                if at_ns != Nanos::NEVER.0 {
                    self.queue_timer(&mut token, index, at_ns);
                }
            }
            Code::Disarm => {
                self.disarm_timer(&mut context.token, index);
            }
            _ => return Err(Error::WrongObject),
        }
        Ok(Reply::default())
    }

    fn unqueue_timer<const M: u8>(&self, token: &mut crate::lock::Token<'_, M>, timer: u32, at_ns: u64) {
        if at_ns != Nanos::NEVER.0
            && let Some(queue) = self.shard(timer)
        {
            queue.lock(token).0.remove(at_ns, Due::Timer(timer));
        }
    }

    /// Disarms a timer; the capability that it holds.
    pub(crate) fn disarm_timer(
        &self,
        token: &mut crate::lock::Token<'static, { crate::lock::level::NONE }>,
        timer: u32,
    ) -> Via {
        let (mut setting, mut token) = self.timers.at(timer).setting.lock(token);
        self.unqueue_timer(&mut token, timer, setting.at_ns);
        setting.at_ns = Nanos::NEVER.0;
        setting.target
    }

    fn operate_region(&self, context: &mut Context, request: &Request<'_, E>) -> Result<Reply, Error> {
        let record = self.regions.at(request.index());
        let bytes = record.bytes.load(Ordering::Relaxed);
        let (cell, address) = (request.cell, request.a());
        let mut entry = crate::lock::Token::at_entry();
        match request.code {
            Code::Size => return Ok(Reply { a: bytes, b: 0 }),
            Code::Map => {
                let access = if request.b() & 1 == 1 { Access::ReadWrite } else { Access::Read };
                request.needs(if access == Access::ReadWrite {
                    Rights::READ | Rights::WRITE
                } else {
                    Rights::READ
                })?;
                if address % PAGE_BYTES != 0 {
                    return Err(Error::BadArgument);
                }
                let number = record.number.load(Ordering::Relaxed);
                self.forbid_overlap(&mut entry, cell, address, bytes)?;
                let (mut mappings, _) = record.mappings.lock(&mut context.token);
                self.engine
                    .map_region(CellId(cell), address, bytes, Some((number, access)))
                    .map_err(region_error)?;
                mappings.push(Mapping { cell, address, through: Through::new(request.found.via) });
            }
            Code::Unmap => {
                let (mut mappings, _) = record.mappings.lock(&mut context.token);
                let before = mappings.len();
                mappings.retain(|mapping| mapping.cell != cell || mapping.address != address);
                if mappings.len() == before {
                    return Err(Error::BadState);
                }
                self.engine.map_region(CellId(cell), address, bytes, None).map_err(region_error)?;
            }
            _ => return Err(Error::WrongObject),
        }
        Ok(Reply::default())
    }

    /// Two regions in the same place would make the taking out of one the taking out of the other.
    fn forbid_overlap(
        &self,
        token: &mut crate::lock::Token<'static, { crate::lock::level::NONE }>,
        cell: u32,
        address: u64,
        bytes: u64,
    ) -> Result<(), Error> {
        let mut entry = crate::lock::Token::at_entry();
        for (_, region) in self.regions.used(&mut entry) {
            let length = region.bytes.load(Ordering::Relaxed);
            let (mappings, _) = region.mappings.lock(token);
            let overlaps = mappings.iter().any(|mapping| {
                mapping.cell == cell
                    && mapping.address < address.saturating_add(bytes)
                    && address < mapping.address + length
            });
            if overlaps {
                return Err(Error::BadArgument);
            }
        }
        Ok(())
    }

    fn operate_cell(&self, context: &mut Context, request: &Request<'_, E>) -> Result<Reply, Error> {
        let index = request.index();
        let record = self.cells.at(index);
        let core = context.core.0;
        if request.code == Code::Inspect {
            request.needs(Rights::SEND)?;
            let life = u64::from(record.life.load(Ordering::Relaxed));
            return Ok(Reply {
                a: record.state() as u64 | life << 32,
                b: self.engine.memory_in_use(CellId(index)),
            });
        }
        request.needs(Rights::MANAGE)?;
        match request.code {
            Code::Grant => {
                let transfers = transfer_list(request.message.transfers)?;
                let transfer = transfers.as_slice().first().ok_or(Error::BadArgument)?;
                let found = self.capabilities.find(request.cell, transfer.handle)?;
                let is_own_self = self.is_self(request.cell, &found);
                if is_own_self || !found.capability.rights.contains(Rights::TRANSFER) {
                    return Err(Error::NoRight);
                }
                let difference = Diminish { rights: transfer.rights, badge: request.a() };
                let cell = (index, request.found.capability.generation);
                let handle = self.grant(&mut context.token, cell, &found, difference)?;
                Ok(Reply { a: u64::from(handle.0), b: 0 })
            }
            Code::Start => {
                let length = self.engine.length(request.message.bytes);
                if length > Operation::SIZE + MAX_START_INFO as usize {
                    return Err(Error::TooLong);
                }
                let mut bytes = vec![0; length];
                self.engine.read(request.message.bytes, &mut bytes);
                let info: Arc<[u8]> = Arc::from(bytes.get(Operation::SIZE..).unwrap_or_default());
                if record.state() == CellState::Created {
                    record.control.lock(&mut context.token).0.start_info = info;
                }
                let life = self.start(&mut context.token, core, index, CellState::Created)?;
                Ok(Reply { a: u64::from(life), b: 0 })
            }
            Code::Restart => {
                let life = self.start(&mut context.token, core, index, CellState::Dead)?;
                Ok(Reply { a: u64::from(life), b: 0 })
            }
            Code::Kill => {
                self.begin_end(&mut context.token, core, index, FaultKind::Killed, 0, Default::default());
                Ok(Reply::default())
            }
            _ => Err(Error::WrongObject),
        }
    }
}
