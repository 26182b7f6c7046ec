//! What runs on a thread's fiber: a main program from start to end, a reactor's events until there are none.

use alloc::boxed::Box;

use hallows_abi::{DEFERRED, Error, Event, EventKind, FaultKind, MAX_MESSAGE, MAX_TRANSFERS, Returned};
use hallows_kernel::{
    Activation, CellId, Context, Ended, Failure, HandleList, Handled, Kernel, Machine, Outgoing, Role, Stop,
    TransferList,
};

use crate::WasmEngine;
use crate::ahead::Shelf;
use crate::body::{Body, Mailbox, Reactor, Run, WasmBody};
use crate::bytes::Bytes;
use crate::calls::{HANDLE_BYTES, parse_transfers, write_handles};
#[cfg(feature = "native")]
use crate::cells::Memory;
use crate::cells::Plan;
use crate::ended::{because, from_error, in_thread, orderly};
use crate::family::ThreadStart;
use crate::program::Kind;
use crate::stacks::{HOST_RESERVE_BYTES, WASM_STACK_BYTES, room};

/// What must be left of a stack for an entry into a program.
const ENTRY_BYTES: usize = WASM_STACK_BYTES + HOST_RESERVE_BYTES;

/// Runs a thread's own cell; see `Engine::resume`.
pub(crate) fn run<M: Machine>(
    engine: &WasmEngine<M>,
    kernel: &Kernel<WasmEngine<M>>,
    context: &mut Context,
    cell: CellId,
    role: Role,
) -> Stop {
    let entry = engine.cells.entry(cell);
    // SAFETY: the kernel resumes a cell's thread only when nobody is inside of the cell; from here on this thread is.
    let place = unsafe { entry.body() };
    let result = match place {
        Some(body) => serve(kernel, context, body, role),
        None => start(engine, kernel, context, cell)
            .and_then(|body| begin(kernel, context, place.insert(body), role)),
    };
    result.unwrap_or_else(Stop::Finished)
}

/// The cell's instance: one that was made ahead, or made now.
fn start<M: Machine>(
    engine: &WasmEngine<M>,
    kernel: &Kernel<WasmEngine<M>>,
    context: &mut Context,
    cell: CellId,
) -> Result<Box<Body<M>>, Ended> {
    let entry = engine.cells.entry(cell);
    let plan = entry.take_plan();
    let plan = plan.ok_or_else(|| because(FaultKind::BadProgram, &"the cell was given no program"))?;
    let (known, limit) = match plan {
        Plan::Program { program, limit } => (program, limit),
        Plan::Thread(ThreadStart::Wasm { family, stack, block }) => {
            let body = WasmBody::thread(engine, kernel, context, cell, family, (stack, block))?;
            return Ok(Box::new(Body::Wasm(body)));
        }
        #[cfg(feature = "native")]
        Plan::Thread(ThreadStart::Native { function, block }) => {
            let thread = crate::native_threads::NativeThread::new(function, block);
            return Ok(Box::new(Body::Native(crate::native::NativeBody::Thread(thread))));
        }
    };
    match &known.0 {
        Kind::Wasm(program) => {
            // What a cell has no room for is made in the cell, which then says so.
            let shelf = program.shelf.as_ref().filter(|_| program.initial <= limit);
            if let Some(mut body) = shelf.and_then(Shelf::take) {
                match &mut *body {
                    Body::Wasm(body) => body.adopt(entry, cell, program.initial, limit),
                    #[cfg(feature = "native")]
                    Body::Native(_) => {}
                }
                return Ok(body);
            }
            let body = WasmBody::start(engine, kernel, context, cell, (&known, program), limit)?;
            Ok(Box::new(Body::Wasm(body)))
        }
        #[cfg(feature = "native")]
        Kind::Native(program) => {
            entry.start(known.initial_memory());
            *entry.memory() = Some(Memory::Native(crate::windows::Windows::default()));
            Ok(Box::new(Body::Native(crate::native::NativeBody::start(program))))
        }
    }
}

/// Runs a new instance: a main program, or a reactor's init function and what has arrived meanwhile.
fn begin<M: Machine>(
    kernel: &Kernel<WasmEngine<M>>,
    context: &mut Context,
    body: &mut Body<M>,
    role: Role,
) -> Result<Stop, Ended> {
    match body {
        Body::Wasm(wasm) => {
            wasm.enter(kernel, context);
            match &wasm.run {
                Run::Main(main) => {
                    if let Some(limit) = wasm.stack_limit() {
                        // SAFETY: nothing of the store runs; this thread is inside of its cell, on a large stack.
                        unsafe { wasm.places.limit_stack(limit) };
                    }
                    let result = main.call(&mut wasm.store, ());
                    #[cfg(feature = "wasi")]
                    crate::wasi::end(&mut wasm.store, kernel, context);
                    result.map_err(|error| from_error(&error))?;
                    return Ok(Stop::Finished(orderly(FaultKind::Returned)));
                }
                Run::Thread(function) => {
                    let block = wasm.store.data().block;
                    let result = function.call(&mut wasm.store, block);
                    #[cfg(feature = "wasi")]
                    crate::wasi::end(&mut wasm.store, kernel, context);
                    result.map_err(|error| in_thread(from_error(&error), context.thread))?;
                    if let Some(family) = &wasm.store.data().family {
                        family.thread_is_over(kernel, context, block);
                    }
                    return Ok(Stop::Finished(orderly(FaultKind::Returned)));
                }
                Run::Reactor(reactor) => {
                    if let Some(init) = &reactor.init {
                        init.call(&mut wasm.store, ()).map_err(|error| from_error(&error))?;
                    }
                    wasm.find_inbox()?;
                }
            }
        }
        #[cfg(feature = "native")]
        Body::Native(native) => {
            if let Some(stop) = native.begin(kernel, context)? {
                return Ok(stop);
            }
        }
    }
    serve(kernel, context, body, role)
}

/// Runs a reactor until nothing is left to do.
fn serve<M: Machine>(
    kernel: &Kernel<WasmEngine<M>>,
    context: &mut Context,
    body: &mut Body<M>,
    role: Role,
) -> Result<Stop, Ended> {
    if role == Role::Passive {
        return Ok(Stop::Ready);
    }
    let mailbox = body.mailbox().ok_or_else(|| orderly(FaultKind::BadProgram))?;
    let room = mailbox.handles.length() / HANDLE_BYTES;
    loop {
        // Nothing stops native code: between two events it gives way to who waits.
        if body.is_native() && kernel.word(context.thread).is_set() && kernel.preempted(context).is_err() {
            return Err(orderly(FaultKind::Killed));
        }
        let mut handles = HandleList::with_room(room);
        let event = match kernel.next_event(context, mailbox.buffer, &mut handles) {
            Ok(Some(event)) => event,
            Ok(None) => return Ok(Stop::Idle),
            Err(_) => return Err(orderly(FaultKind::Killed)),
        };
        let handles = write_handles(mailbox.handles, &handles);
        let Some(answer) = body.handle(kernel, context, &Arguments::of(&event, handles))? else { continue };
        if event.kind != EventKind::Message {
            continue;
        }
        let mut transfers = TransferList::EMPTY;
        answer.transfers(&mailbox, &mut transfers)?;
        let message = Outgoing { bytes: answer.bytes, transfers: transfers.as_slice() };
        // Any other error is the program's own doing, like having answered already: nobody to tell.
        if kernel.answer_and_continue(context, event.token, message) == Err(Error::Killed) {
            return Err(orderly(FaultKind::Killed));
        }
    }
}

/// Calls the handler of a passive server; see `Engine::activate`.
#[inline]
pub(crate) fn activate<M: Machine>(
    engine: &WasmEngine<M>,
    kernel: &Kernel<WasmEngine<M>>,
    context: &mut Context,
    activation: &Activation<'_, WasmEngine<M>>,
) -> Result<Handled, Failure> {
    if room() < ENTRY_BYTES {
        return Err(Failure::TooDeep);
    }
    // SAFETY: the kernel lets one activation at a time into a passive cell, and its own thread is not inside.
    let body = unsafe { engine.cells.entry(activation.server).body() };
    let Some(body) = body.as_deref_mut() else { return Err(Failure::Ended(orderly(FaultKind::BadProgram))) };
    let Some(mailbox) = body.mailbox() else { return Err(Failure::Ended(orderly(FaultKind::BadProgram))) };
    let length = activation.request.length();
    if length > mailbox.buffer.length()
        || activation.handles.len() * size_of::<u32>() > mailbox.handles.length()
    {
        return Err(Failure::RequestTooLong);
    }
    activation.request.copy_to(mailbox.buffer, length);
    let mut handles = 0;
    if !activation.handles.is_empty() {
        let mut list = HandleList::EMPTY;
        for handle in activation.handles {
            // There are no more than a message may have.
            let _ = list.push(*handle);
        }
        handles = write_handles(mailbox.handles, &list);
    }
    let arguments = Arguments {
        kind: EventKind::Message as u32,
        badge: activation.badge,
        token: 0,
        length: length as u32,
        handles,
    };
    let answer = body.handle(kernel, context, &arguments).map_err(Failure::Ended)?;
    // There is nobody who could answer later.
    let Some(answer) = answer else { return Err(Failure::Ended(orderly(FaultKind::BadReturn))) };
    let mut transfers = TransferList::EMPTY;
    answer.transfers(&mailbox, &mut transfers).map_err(Failure::Ended)?;
    let length = answer.bytes.length();
    if length <= activation.reply.length() {
        answer.bytes.copy_to(activation.reply, length);
    }
    Ok(Handled { length, transfers })
}

/// The arguments of a handler, as `hallows_abi::HANDLE_EXPORT` describes them.
pub(crate) struct Arguments {
    pub kind: u32,
    pub badge: u64,
    pub token: u64,
    pub length: u32,
    pub handles: u32,
}

impl Arguments {
    /// Of an event, with so many handles in the inbox.
    fn of(event: &Event, handles: u32) -> Self {
        let status = event.status.map_or(0, |error| u32::from(error.number()));
        Self {
            kind: event.kind as u32,
            badge: event.badge,
            token: if event.kind == EventKind::Notification { event.value } else { event.token },
            length: event.length,
            handles: handles | status << 8,
        }
    }
}

/// What a handler returned, checked.
pub(crate) struct Answer {
    pub bytes: Bytes,
    /// Transfers in the inbox's list of handles.
    pub count: usize,
}

impl Answer {
    /// The capabilities that go with it.
    #[inline(always)]
    fn transfers(&self, mailbox: &Mailbox, list: &mut TransferList) -> Result<(), Ended> {
        if self.count == 0 {
            return Ok(());
        }
        let source = mailbox.transfers.front(self.count * hallows_abi::Transfer::SIZE);
        let parsed = source.and_then(|source| parse_transfers(source, list).ok());
        parsed.ok_or_else(|| orderly(FaultKind::BadReturn))
    }
}

impl<M: Machine> Body<M> {
    const fn is_native(&self) -> bool {
        match self {
            Self::Wasm(_) => false,
            #[cfg(feature = "native")]
            Self::Native(_) => true,
        }
    }

    /// A reactor's inbox.
    #[inline(always)]
    fn mailbox(&self) -> Option<Mailbox> {
        match self {
            Self::Wasm(WasmBody { run: Run::Reactor(Reactor { inbox, .. }), .. }) => Some(*inbox),
            Self::Wasm(_) => None,
            #[cfg(feature = "native")]
            Self::Native(native) => native.mailbox(),
        }
    }

    /// Calls a reactor's handler. `None`: it answers later.
    #[inline(always)]
    fn handle(
        &mut self,
        kernel: &Kernel<WasmEngine<M>>,
        context: &mut Context,
        arguments: &Arguments,
    ) -> Result<Option<Answer>, Ended> {
        match self {
            Self::Wasm(wasm) => {
                wasm.enter(kernel, context);
                wasm.handle(arguments)
            }
            #[cfg(feature = "native")]
            Self::Native(native) => native.handle(kernel, context, arguments),
        }
    }
}

impl<M: Machine> WasmBody<M> {
    #[inline(always)]
    fn handle(&mut self, arguments: &Arguments) -> Result<Option<Answer>, Ended> {
        let Run::Reactor(reactor) = &self.run else { return Err(orderly(FaultKind::BadProgram)) };
        let Arguments { kind, badge, token, length, handles } = *arguments;
        let returned = reactor
            .handle
            .call(&mut self.store, (kind, badge, token, length, handles))
            .map_err(|error| from_error(&error))?;
        if returned == DEFERRED {
            return Ok(None);
        }
        let Returned { offset, length, transfers } = Returned::unpack(returned);
        // SAFETY: the definition was found when the instance was made and lives as long as its store.
        let memory = unsafe { &*self.places.memory() };
        let inside = offset as usize + length as usize <= memory.length();
        if returned < 0 || !inside || length > MAX_MESSAGE || transfers > MAX_TRANSFERS {
            return Err(orderly(FaultKind::BadReturn));
        }
        let start = memory.base.wrapping_add(offset as usize);
        // SAFETY: inside of the memory, which stays mapped as long as the store.
        let bytes = unsafe { Bytes::new(start, length as usize, self.store.data().read_only) };
        Ok(Some(Answer { bytes, count: transfers as usize }))
    }
}
