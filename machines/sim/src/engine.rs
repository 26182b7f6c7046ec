//! The engine under the simulated kernel: closures on fibers, and memory that checks who touches it.

use std::sync::Arc;

use hallows_abi::{Error, FaultKind};
use hallows_kernel::{
    Access, Activation, CellId, Context, CoreId, Ended, Engine, Failure, Handled, Kernel, Role, Stop, Style,
    ThreadId, TransferList, Unmappable,
};

use crate::SimMachine;
use crate::fiber;
use crate::process::{INBOX, Process, maybe_pause};
use crate::program::{Code, Halt, Incoming, Response};
use crate::world::{Instance, world};

/// Empty: the world of this thread holds its state.
#[derive(Clone, Copy, Debug, Default)]
pub struct SimEngine;

/// A program: its place among those that the simulation was given.
#[derive(Clone, Copy, Debug)]
pub struct SimProgram {
    pub(crate) index: usize,
    pub(crate) style: Style,
    pub(crate) memory_bytes: usize,
}

/// A checked range of one life of one cell's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    pub(crate) cell: u32,
    pub(crate) incarnation: u64,
    pub(crate) offset: usize,
    pub(crate) length: usize,
}

impl Range {
    /// The first bytes of it.
    pub(crate) fn front(self, length: usize) -> Self {
        assert!(length <= self.length, "a range was made longer");
        Self { length, ..self }
    }
}

/// What a program's code came to, for the kernel.
fn ended(result: Result<(), Halt>) -> Ended {
    let kind = match result {
        Ok(()) => FaultKind::Returned,
        Err(Halt::Killed) => FaultKind::Killed,
        Err(Halt::Fault(kind)) => kind,
    };
    let backtrace = if kind.is_orderly() { "" } else { "simulated_program" };
    Ended { kind, backtrace: backtrace.into() }
}

/// Enters the body of a cell: one thread at a time.
fn enter(cell: CellId) {
    world(|world| {
        let Some(instance) = world.instances.get_mut(&cell.0) else {
            panic!("cell {cell} was entered with no instance");
        };
        assert!(!std::mem::replace(&mut instance.entered, true), "two threads are inside of cell {cell}");
    });
}

fn leave(cell: CellId) {
    world(|world| {
        let Some(instance) = world.instances.get_mut(&cell.0) else {
            panic!("cell {cell} was released while somebody was inside");
        };
        instance.entered = false;
    });
}

/// Runs the handler of a cell that was entered.
fn handle(process: &mut Process<'_>, incoming: Incoming) -> Result<Response, Halt> {
    let cell = process.cell();
    let handler =
        world(|world| world.instances.get_mut(&cell.0).and_then(|instance| instance.handler.take()));
    let Some(mut handler) = handler else { panic!("cell {cell} has no handler") };
    let response = handler(process, incoming);
    world(|world| {
        if let Some(instance) = world.instances.get_mut(&cell.0) {
            instance.handler = Some(handler);
        }
    });
    response
}

/// The body of a thread that is first resumed, or resumed as an idle reactor.
fn body(kernel: &Kernel<SimEngine>, core: CoreId, thread: ThreadId, cell: CellId, role: Role) -> Stop {
    let (code, begun) = world(|world| {
        let Some(instance) = world.instances.get_mut(&cell.0) else {
            panic!("thread {thread} was resumed, and its cell has no program");
        };
        (instance.code.clone(), std::mem::replace(&mut instance.begun, true))
    });
    let mut context = Context::new(core, thread);
    let mut process = Process::new(kernel, &mut context, cell);
    enter(cell);
    let stop = match (code, begun) {
        (Code::Main(_), true) => panic!("main program of cell {cell} was begun twice"),
        (Code::Main(main), false) => Stop::Finished(ended(main(&mut process))),
        (Code::Reactor(init), false) => match init(&mut process) {
            Err(halt) => Stop::Finished(ended(Err(halt))),
            Ok(handler) => {
                world(|world| {
                    if let Some(instance) = world.instances.get_mut(&cell.0) {
                        instance.handler = Some(handler);
                    }
                });
                match role {
                    Role::Passive => Stop::Ready,
                    Role::Active => react(&mut process),
                }
            }
        },
        (Code::Reactor(_), true) => {
            assert_eq!(role, Role::Active, "passive cell {cell} was resumed after its init function");
            react(&mut process)
        }
    };
    leave(cell);
    stop
}

/// The loop of an active reactor.
fn react(process: &mut Process<'_>) -> Stop {
    loop {
        let incoming = match process.next_event() {
            Ok(None) => return Stop::Idle,
            Ok(Some(incoming)) => incoming,
            Err(error) => return Stop::Finished(ended(Err(error.into()))),
        };
        let token = incoming.token;
        let is_message = incoming.kind == hallows_abi::EventKind::Message;
        match handle(process, incoming) {
            Err(halt) => return Stop::Finished(ended(Err(halt))),
            Ok(Response::Answer(bytes, transfers)) if is_message => {
                // Another error: its sender gave up meanwhile.
                if process.answer_and_continue(token, &bytes, &transfers) == Err(Error::Killed) {
                    return Stop::Finished(ended(Err(Halt::Killed)));
                }
            }
            Ok(_) => {}
        }
    }
}

impl Engine for SimEngine {
    type Machine = SimMachine;
    type Program = SimProgram;
    type Bytes = Range;

    fn length(&self, bytes: Range) -> usize {
        bytes.length
    }

    fn read(&self, from: Range, to: &mut [u8]) {
        assert!(to.len() <= from.length, "read behind the end of a range");
        if !to.is_empty() {
            world(|world| world.memories.read(from.cell, from.incarnation, from.offset, to));
        }
    }

    fn write(&self, to: Range, from: &[u8]) {
        assert!(from.len() <= to.length, "write behind the end of a range");
        if !from.is_empty() {
            // A read-only page stays as it is; the real engine's trap is the program's, which the kernel never sees either.
            let _ = world(|world| world.memories.write(to.cell, to.incarnation, to.offset, from));
        }
    }

    fn copy(&self, from: Range, to: Range, length: usize) {
        let mut bytes = vec![0; length];
        self.read(from, &mut bytes);
        self.write(to, &bytes);
    }

    fn style(&self, program: &SimProgram) -> Style {
        program.style
    }

    fn initial_memory(&self, program: &SimProgram) -> u64 {
        program.memory_bytes as u64
    }

    fn memory_in_use(&self, cell: CellId) -> u64 {
        world(|world| world.memories.bytes(cell.0) as u64)
    }

    fn prepare(&self, cell: CellId, program: &Arc<SimProgram>, _memory_limit: u64) {
        world(|world| {
            let code = world.programs[program.index].code.clone();
            let instance = Instance { code, handler: None, entered: false, begun: false };
            assert!(
                world.instances.insert(cell.0, instance).is_none(),
                "cell {cell} was prepared and had an instance"
            );
            let stands = world.threads.get(&cell.0).is_some_and(|thread| thread.fiber.is_some());
            assert!(!stands, "cell {cell} was prepared while its thread stands suspended");
            world.memories.make(cell.0, program.memory_bytes);
        });
        maybe_pause();
    }

    fn release(&self, cell: CellId) {
        maybe_pause();
        let instance = world(|world| {
            let stands =
                world.threads.get(&cell.0).is_some_and(|thread| thread.fiber.is_some() || thread.resumed);
            assert!(!stands, "cell {cell} was released while its thread has a stack");
            world.memories.drop_cell(cell.0);
            world.instances.remove(&cell.0)
        });
        if let Some(instance) = instance {
            assert!(!instance.entered, "cell {cell} was released while somebody was inside");
        }
    }

    fn resume(
        &self,
        kernel: &Kernel<Self>,
        core: CoreId,
        thread: ThreadId,
        cell: CellId,
        role: Role,
    ) -> Stop {
        let _ = kernel;
        let fiber = world(|world| {
            let state = world.thread(thread);
            assert!(!std::mem::replace(&mut state.resumed, true), "thread {thread} was resumed twice");
            state.fiber.take()
        });
        let fiber = fiber.unwrap_or_else(|| {
            let kernel = world(|world| world.kernel.clone());
            let Some(kernel) = kernel else { panic!("a thread was resumed without a kernel") };
            fiber::thread_fiber(thread, move |core| body(&kernel, core, thread, cell, role))
        });
        let stop = fiber::run_thread(core, thread, fiber);
        world(|world| world.thread(thread).resumed = false);
        stop
    }

    fn suspend(&self, context: &mut Context) {
        context.core = fiber::suspend_thread(context.thread);
    }

    fn activate(
        &self,
        kernel: &Kernel<Self>,
        context: &mut Context,
        activation: &Activation<'_, Self>,
    ) -> Result<Handled, Failure> {
        let server = activation.server;
        maybe_pause();
        if activation.request.length > INBOX.length {
            return Err(Failure::RequestTooLong);
        }
        if world(|world| world.random.chance(world.chances.too_deep)) {
            return Err(Failure::TooDeep);
        }
        enter(server);
        let mut process = Process::new(kernel, context, server);
        let inbox = process.fixed(INBOX);
        self.copy(activation.request, inbox, activation.request.length);
        let incoming = Incoming {
            kind: hallows_abi::EventKind::Message,
            status: None,
            badge: activation.badge,
            token: 0,
            value: 0,
            room: u32::try_from(activation.reply.length).unwrap_or(u32::MAX),
            bytes: process.taken(inbox.front(activation.request.length)),
            handles: activation.handles.to_vec(),
        };
        let response = process.check().and_then(|()| handle(&mut process, incoming));
        let handled = match response {
            Err(halt) => Err(Failure::Ended(ended(Err(halt)))),
            Ok(Response::Deferred) => {
                Err(Failure::Ended(Ended { kind: FaultKind::BadReturn, backtrace: Box::default() }))
            }
            Ok(Response::Answer(bytes, transfers)) => {
                let answer = process.put_answer(&bytes);
                if bytes.len() <= activation.reply.length {
                    self.copy(answer, activation.reply, bytes.len());
                }
                let mut list = TransferList::EMPTY;
                for transfer in transfers {
                    let _ = list.push(transfer);
                }
                Ok(Handled { length: bytes.len(), transfers: list })
            }
        };
        leave(server);
        maybe_pause();
        handled
    }

    fn map_region(
        &self,
        cell: CellId,
        address: u64,
        bytes: u64,
        region: Option<(u64, Access)>,
    ) -> Result<(), Unmappable> {
        let (Ok(address), Ok(bytes)) = (usize::try_from(address), usize::try_from(bytes)) else {
            return Err(Unmappable::BadRange);
        };
        world(|world| world.memories.map(cell.0, address, bytes, region))
    }

    fn create_region(&self, bytes: u64) -> Result<u64, Unmappable> {
        let bytes = usize::try_from(bytes).map_err(|_| Unmappable::NoMemory)?;
        world(|world| {
            if world.regions { Ok(world.memories.make_region(bytes)) } else { Err(Unmappable::Unsupported) }
        })
    }

    fn destroy_region(&self, region: u64) {
        world(|world| world.memories.drop_region(region));
    }
}
