//! Operations: messages that kernel objects answer themselves, at once. One file a kind of object.
//!
//! A kernel object is a server of the interfaces in `wit/kernel` like any other server, with two differences: what goes wrong is the call's own
//! error and never the status of an answer, and capabilities that come with a message are looked at where they are, in the caller's space, and
//! with the caller's rights.

mod budget;
mod cell;
mod endpoint;
mod notification;
mod region;
mod space;
mod timer;

use hallows_abi::{
    Error, Function, Handle, Identity, ObjectKind, OnObject, OnSpace, Operation, Reply, Rights, Transfer,
};

use crate::capabilities::Orphan;
use crate::slot::{Capability, Found, Name};
use crate::sync::Ordering;
use crate::{Context, Engine, HandleList, Kernel, Outgoing};

/// An operation on its way through its handler.
struct Request<'a, E: Engine> {
    cell: u32,
    found: &'a Found,
    message: &'a Outgoing<'a, E>,
}

impl<E: Engine> Request<'_, E> {
    fn index(&self) -> u32 {
        self.found.capability.index
    }

    const fn generation(&self) -> u32 {
        self.found.capability.generation
    }

    const fn name(&self) -> Name {
        self.found.capability.name()
    }

    fn needs(&self, rights: Rights) -> Result<(), Error> {
        if self.found.capability.rights.contains(rights) { Ok(()) } else { Err(Error::NoRight) }
    }
}

impl<E: Engine> Kernel<E> {
    /// Carries out an operation: its answer's length in bytes.
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
        // The operation that does nothing is there to be measured, and every other pays for being told apart.
        if self.asks_nothing(message) && self.engine.length(reply) >= Reply::STATUS_BYTES {
            self.engine.write(reply, &[Reply::DONE; Reply::STATUS_BYTES]);
            return u32::try_from(Reply::STATUS_BYTES).map_err(|_| Error::AnswerTooLong);
        }
        let operation = self.operation(message)?;
        // Said before anything is done: an answer is never lost.
        let form = operation.answer();
        if self.engine.length(reply) < form.bytes() || handles.room() < form.capabilities() {
            return Err(Error::AnswerTooLong);
        }
        // What a thread asks for, its cell does.
        let request = Request { cell: self.leader(cell), found, message };
        let answer = match operation {
            Operation::Object(OnObject::Null) => Reply::Done,
            Operation::Object(OnObject::Identify) => identity(&found.capability),
            Operation::Space(OnSpace::StartInfo) => return self.start_info(context, &request, reply),
            operation => self.operate_object(context, &request, operation, handles)?,
        };
        self.reply(reply, answer)
    }

    #[inline]
    fn asks_nothing(&self, message: &Outgoing<'_, E>) -> bool {
        let mut tag = [0; Operation::TAG_BYTES];
        if self.engine.length(message.bytes) != tag.len() || !message.transfers.is_empty() {
            return false;
        }
        self.engine.read(message.bytes, &mut tag);
        tag == Function::ObjectNull.tag().to_le_bytes()
    }

    /// What a message asks for.
    #[inline]
    fn operation(&self, message: &Outgoing<'_, E>) -> Result<Operation, Error> {
        let length = self.engine.length(message.bytes);
        let mut bytes = [0; Operation::MOST_BYTES];
        let front = bytes.get_mut(..length.min(Operation::MOST_BYTES)).unwrap_or_default();
        self.engine.read(message.bytes, front);
        let operation = Operation::parse(front, length)?;
        if message.transfers.len() == operation.capabilities() {
            Ok(operation)
        } else {
            Err(Error::BadArgument)
        }
    }

    #[inline]
    fn reply(&self, reply: E::Bytes, answer: Reply) -> Result<u32, Error> {
        let bytes = answer.emit();
        self.engine.write(reply, &bytes);
        u32::try_from(bytes.len()).map_err(|_| Error::AnswerTooLong)
    }

    fn operate_object(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        operation: Operation,
        handles: &mut HandleList,
    ) -> Result<Reply, Error> {
        // A cell's capability of itself is no one's to revoke, and its operations may suspend.
        if self.is_self(request.cell, request.found) {
            return match operation {
                Operation::Space(operation) => self.operate_space(context, request, operation),
                Operation::Endpoint(operation) => self.operate_endpoint(context, request, operation),
                _ => Err(Error::WrongObject),
            };
        }
        self.through(context, request.found, |context| {
            self.operate_other(context, request, operation, handles)
        })
    }

    /// Does something through a capability, which a revocation waits for.
    fn through<T>(
        &self,
        context: &mut Context,
        found: &Found,
        act: impl FnOnce(&mut Context) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // What a revocation looks at after it has emptied the slot: nothing goes on through a revoked capability.
        let core = context.core.0;
        self.core(core).operating.store(u64::from(found.via.slot) + 1, Ordering::SeqCst);
        let capability = &found.capability;
        let result = if !self.capabilities.still(found.via) {
            Err(Error::Revoked)
        } else if !self.is_alive(capability) {
            Err(Error::Gone)
        } else {
            act(context)
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
        operation: Operation,
        handles: &mut HandleList,
    ) -> Result<Reply, Error> {
        match (request.found.capability.kind, operation) {
            (_, Operation::Object(OnObject::Destroy)) => self.destroy(context, request),
            (ObjectKind::Budget, Operation::Budget(operation)) => {
                self.operate_budget(context, request, operation, handles)
            }
            (ObjectKind::Notification, Operation::Notification(operation)) => {
                self.operate_notification(context, request, operation)
            }
            (ObjectKind::Timer, Operation::Timer(operation)) => {
                self.operate_timer(context, request, operation)
            }
            (ObjectKind::Region, Operation::Region(operation)) => {
                self.operate_region(context, request, operation)
            }
            (ObjectKind::Cell, Operation::Cell(operation)) => self.operate_cell(context, request, operation),
            _ => Err(Error::WrongObject),
        }
    }

    fn is_alive(&self, capability: &Capability) -> bool {
        let index = capability.index;
        let record = match capability.kind {
            ObjectKind::Endpoint => &self.endpoints.at(index).generation,
            ObjectKind::Notification => &self.notifications.at(index).generation,
            ObjectKind::Timer => &self.timers.at(index).generation,
            ObjectKind::Budget => &self.budgets.at(index).generation,
            ObjectKind::Region => &self.regions.at(index).generation,
            ObjectKind::Cell => &self.cells.at(index).generation,
            ObjectKind::Program => &self.programs.at(index).generation,
        };
        record.is(capability.generation)
    }

    fn destroy(&self, context: &mut Context, request: &Request<'_, E>) -> Result<Reply, Error> {
        request.needs(Rights::MANAGE)?;
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
        Ok(Reply::Done)
    }

    /// The capability that comes with an operation, without taking it out of the caller's space.
    fn argument(&self, request: &Request<'_, E>, place: usize, kind: ObjectKind) -> Result<Found, Error> {
        let transfer: &Transfer = request.message.transfers.get(place).ok_or(Error::BadArgument)?;
        let found = self.capabilities.find(request.cell, transfer.handle)?;
        if found.capability.kind == kind { Ok(found) } else { Err(Error::WrongObject) }
    }

    /// The same, if it has this right.
    fn argument_with(
        &self,
        request: &Request<'_, E>,
        place: usize,
        kind: ObjectKind,
        right: Rights,
    ) -> Result<Found, Error> {
        let found = self.argument(request, place, kind)?;
        if found.capability.rights.contains(right) { Ok(found) } else { Err(Error::NoRight) }
    }

    /// A capability of the caller's that is named in a message.
    fn named(&self, request: &Request<'_, E>, what: Handle) -> Result<Found, Error> {
        self.capabilities.find(request.cell, what)
    }
}

/// What the kernel says of a capability.
const fn identity(capability: &Capability) -> Reply {
    Reply::Identity(Identity { kind: capability.kind, rights: capability.rights, badge: capability.badge })
}
