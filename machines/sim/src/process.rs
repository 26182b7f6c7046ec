//! What a simulated program has: the calls of the kernel over its own memory, time that passes, and checks.

use hallows_abi::{
    Error, Event, Handle, MAX_MESSAGE, MAX_TRANSFERS, NO_DEADLINE, Operation, Reply, Transfer,
};
use hallows_kernel::{CellId, Context, CoreId, HandleList, Kernel, Nanos, Outgoing, ThreadId};

use crate::engine::{Range, SimEngine};
use crate::fiber;
use crate::program::{Halt, Incoming};
use crate::world::world;

/// A fixed part of a cell's memory.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    pub offset: usize,
    pub length: usize,
}

/// Where messages go out from.
const OUTBOX: Area = Area { offset: 0, length: 4_096 };
/// Where answers of calls come in.
const REPLY: Area = Area { offset: 4_096, length: 4_096 };
/// Where events come in.
pub const INBOX: Area = Area { offset: 8_192, length: 4_096 };

/// What a call brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The answer.
    pub bytes: Vec<u8>,
    /// The capabilities that came with it.
    pub handles: Vec<Handle>,
}

/// Lets a little time pass and, if chance wants it, takes the core out of time.
pub fn maybe_pause() {
    let pauses = world(|world| {
        if world.on.is_none() {
            return false;
        }
        world.now_ns += world.random.below(50);
        world.random.chance(world.chances.pause)
    });
    if pauses {
        fiber::pause();
    }
}

/// A program in execution, on a thread of its own or (a passive server's) on its caller's.
pub struct Process<'a> {
    kernel: &'a Kernel<SimEngine>,
    context: &'a mut Context,
    cell: CellId,
    incarnation: u64,
    room: usize,
}

impl<'a> Process<'a> {
    pub(crate) fn new(kernel: &'a Kernel<SimEngine>, context: &'a mut Context, cell: CellId) -> Self {
        let incarnation = world(|world| world.memories.incarnation(cell.0));
        Self { kernel, context, cell, incarnation, room: MAX_TRANSFERS as usize }
    }

    /// From here on it takes at most so many capabilities with one message or answer.
    pub const fn take_at_most(&mut self, capabilities: usize) {
        self.room = capabilities;
    }

    /// The cell whose code this is.
    #[must_use]
    pub const fn cell(&self) -> CellId {
        self.cell
    }

    /// The thread that it runs on.
    #[must_use]
    pub const fn thread(&self) -> ThreadId {
        self.context.thread
    }

    /// The core that it runs on now.
    #[must_use]
    pub const fn core(&self) -> CoreId {
        self.context.core
    }

    /// The virtual time, in ns. Not a call of the kernel.
    #[must_use]
    pub fn time_ns(&self) -> u64 {
        world(|world| world.now_ns)
    }

    /// A seeded number below `bound`.
    #[must_use]
    pub fn choose(&self, bound: u64) -> u64 {
        world(|world| world.random.below(bound))
    }

    /// One check of the preemption word, as compiled code has one in every loop.
    ///
    /// # Errors
    /// `Killed`: the program must unwind. A fault, where the simulation injects faults into this cell.
    pub fn check(&mut self) -> Result<(), Halt> {
        maybe_pause();
        if self.kernel.word(self.context.thread).is_set() {
            self.kernel.preempted(self.context)?;
        }
        let cell = self.cell.0;
        let faults = world(|world| world.fragile.contains(&cell) && world.random.chance(world.chances.fault));
        if faults { Err(Halt::Fault(hallows_abi::FaultKind::OutOfBounds)) } else { Ok(()) }
    }

    /// Computes for about so many ns of virtual time, with checks on the way.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn compute(&mut self, nanoseconds: u64) -> Result<(), Halt> {
        // The grain of the checks in virtual time: coarse enough to be quick, finer than a quantum.
        const GRAIN_NS: u64 = 500;
        let mut left = nanoseconds;
        while left > 0 {
            let grain = left.min(GRAIN_NS);
            world(|world| world.now_ns += grain);
            left -= grain;
            // Computing takes the core's time, and others' go on meanwhile.
            if world(|world| world.on.is_some()) {
                fiber::pause();
            }
            self.check()?;
        }
        Ok(())
    }

    /// Takes so many ns of virtual time without a check: a long instruction, or a call that the host makes for the program.
    pub fn stretch(&mut self, nanoseconds: u64) {
        let mut left = nanoseconds;
        while left > 0 {
            let grain = left.min(500);
            world(|world| world.now_ns += grain);
            left -= grain;
            if world(|world| world.on.is_some()) {
                fiber::pause();
            }
        }
    }

    /// A range of this cell's memory.
    ///
    /// # Errors
    /// `BadSpan`: it lies outside.
    pub fn range(&self, offset: usize, length: usize) -> Result<Range, Error> {
        let bytes = world(|world| world.memories.bytes(self.cell.0));
        match offset.checked_add(length) {
            Some(end) if end <= bytes => {
                Ok(Range { cell: self.cell.0, incarnation: self.incarnation, offset, length })
            }
            _ => Err(Error::BadSpan),
        }
    }

    pub(crate) fn fixed(&self, area: Area) -> Range {
        match self.range(area.offset, area.length) {
            Ok(range) => range,
            Err(_) => panic!("cell {} has too little memory for its areas", self.cell),
        }
    }

    /// Reads a range.
    #[must_use]
    pub fn taken(&self, range: Range) -> Vec<u8> {
        let mut bytes = vec![0; range.length];
        hallows_kernel::Engine::read(&SimEngine, range, &mut bytes);
        bytes
    }

    /// Stores into this cell's memory. False: it is mapped for reading only.
    ///
    /// # Errors
    /// `BadSpan`.
    pub fn store(&mut self, offset: usize, bytes: &[u8]) -> Result<bool, Error> {
        let range = self.range(offset, bytes.len())?;
        Ok(world(|world| world.memories.write(range.cell, range.incarnation, range.offset, bytes)))
    }

    fn put(&self, bytes: &[u8]) -> Range {
        let range = self.fixed(OUTBOX).front(bytes.len());
        hallows_kernel::Engine::write(&SimEngine, range, bytes);
        range
    }

    pub(crate) fn put_answer(&self, bytes: &[u8]) -> Range {
        self.put(bytes)
    }

    /// Sends a message and waits for the answer; `deadline_ns` is absolute.
    ///
    /// # Errors
    /// The kernel's.
    pub fn call(
        &mut self,
        endpoint: Handle,
        bytes: &[u8],
        transfers: &[Transfer],
        deadline_ns: u64,
    ) -> Result<Received, Error> {
        let message = self.put(bytes);
        let reply = self.fixed(REPLY);
        self.call_ranges(endpoint, message, transfers, reply, deadline_ns)
    }

    /// [`Self::call`] over ranges of one's choice.
    ///
    /// # Errors
    /// The kernel's.
    pub fn call_ranges(
        &mut self,
        endpoint: Handle,
        message: Range,
        transfers: &[Transfer],
        reply: Range,
        deadline_ns: u64,
    ) -> Result<Received, Error> {
        maybe_pause();
        let mut handles = HandleList::with_room(self.room);
        let result = self.kernel.call(
            self.context,
            endpoint,
            Outgoing { bytes: message, transfers },
            reply,
            &mut handles,
            Nanos(deadline_ns),
        );
        maybe_pause();
        let length = result? as usize;
        assert!(length <= reply.length, "an answer is longer than its room");
        Ok(Received { bytes: self.taken(reply.front(length)), handles: handles.as_slice().to_vec() })
    }

    /// Sends a message; the token of its answer, which has at most `room` bytes.
    ///
    /// # Errors
    /// The kernel's.
    pub fn send(
        &mut self,
        endpoint: Handle,
        bytes: &[u8],
        transfers: &[Transfer],
        room: u32,
    ) -> Result<u64, Error> {
        maybe_pause();
        let bytes = self.put(bytes);
        let result = self.kernel.send(self.context, endpoint, Outgoing { bytes, transfers }, room);
        maybe_pause();
        result
    }

    /// [`Self::send`] from a range of one's choice.
    ///
    /// # Errors
    /// The kernel's.
    pub fn send_range(
        &mut self,
        endpoint: Handle,
        bytes: Range,
        transfers: &[Transfer],
        room: u32,
    ) -> Result<u64, Error> {
        self.kernel.send(self.context, endpoint, Outgoing { bytes, transfers }, room)
    }

    /// Answers a message.
    ///
    /// # Errors
    /// The kernel's.
    pub fn answer(&mut self, token: u64, bytes: &[u8], transfers: &[Transfer]) -> Result<(), Error> {
        maybe_pause();
        let bytes = self.put(bytes);
        let result = self.kernel.answer(self.context, token, Outgoing { bytes, transfers });
        maybe_pause();
        result
    }

    pub(crate) fn answer_and_continue(
        &mut self,
        token: u64,
        bytes: &[u8],
        transfers: &[Transfer],
    ) -> Result<(), Error> {
        maybe_pause();
        let bytes = self.put(bytes);
        self.kernel.answer_and_continue(self.context, token, Outgoing { bytes, transfers })
    }

    fn incoming(&self, event: &Event, handles: &HandleList) -> Incoming {
        Incoming {
            kind: event.kind,
            status: event.status,
            badge: event.badge,
            token: event.token,
            value: event.value,
            room: event.room,
            bytes: self.taken(self.fixed(INBOX).front(event.length as usize)),
            handles: handles.as_slice().to_vec(),
        }
    }

    /// Waits for the next event; `deadline_ns` is absolute, 0 only looks.
    ///
    /// # Errors
    /// The kernel's.
    pub fn wait(&mut self, deadline_ns: u64) -> Result<Incoming, Error> {
        maybe_pause();
        let mut handles = HandleList::with_room(self.room);
        let buffer = self.fixed(INBOX);
        let event = self.kernel.wait(self.context, buffer, &mut handles, Nanos(deadline_ns))?;
        // No pause here: what the program does first with an event happens when the kernel gave it.
        Ok(self.incoming(&event, &handles))
    }

    /// Answers a message and waits for the next event.
    ///
    /// # Errors
    /// The kernel's.
    pub fn answer_wait(
        &mut self,
        token: u64,
        bytes: &[u8],
        transfers: &[Transfer],
        deadline_ns: u64,
    ) -> Result<Incoming, Error> {
        maybe_pause();
        let mut handles = HandleList::with_room(self.room);
        let (bytes, buffer) = (self.put(bytes), self.fixed(INBOX));
        let message = Outgoing { bytes, transfers };
        let event = self.kernel.answer_wait(
            self.context,
            token,
            message,
            buffer,
            &mut handles,
            Nanos(deadline_ns),
        )?;
        Ok(self.incoming(&event, &handles))
    }

    pub(crate) fn next_event(&mut self) -> Result<Option<Incoming>, Error> {
        maybe_pause();
        let mut handles = HandleList::with_room(self.room);
        let event = self.kernel.next_event(self.context, self.fixed(INBOX), &mut handles)?;
        Ok(event.map(|event| self.incoming(&event, &handles)))
    }

    /// An operation of a kernel object; what it says and the capabilities that it makes.
    ///
    /// # Errors
    /// The kernel's; `Refused` for an answer that is a list of bytes.
    pub fn operate(
        &mut self,
        object: Handle,
        operation: impl Into<Operation>,
        transfers: &[Transfer],
    ) -> Result<(Reply, Vec<Handle>), Error> {
        let operation = operation.into();
        let received = self.call(object, &operation.emit(), transfers, NO_DEADLINE)?;
        let reply = Reply::parse(operation.answer(), &received.bytes).ok_or(Error::Refused)?;
        Ok((reply, received.handles))
    }

    /// An operation with its text behind it.
    ///
    /// # Errors
    /// The kernel's.
    pub fn operate_with(
        &mut self,
        object: Handle,
        operation: impl Into<Operation>,
        text: &[u8],
        transfers: &[Transfer],
    ) -> Result<Received, Error> {
        let mut bytes = operation.into().emit().to_vec();
        bytes.extend_from_slice(text);
        self.call(object, &bytes, transfers, NO_DEADLINE)
    }

    /// An operation that makes a capability, or gives one another name.
    ///
    /// # Errors
    /// The kernel's.
    pub fn make(
        &mut self,
        object: Handle,
        operation: impl Into<Operation>,
        transfers: &[Transfer],
    ) -> Result<Handle, Error> {
        let (reply, handles) = self.operate(object, operation, transfers)?;
        reply.handle().or_else(|| handles.first().copied()).ok_or(Error::Refused)
    }

    /// The length that no message may have.
    #[must_use]
    pub const fn too_long() -> usize {
        MAX_MESSAGE as usize + 1
    }
}
