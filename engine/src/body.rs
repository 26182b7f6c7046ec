//! The body of a cell: an instance of its program, made ahead or on the cell's own thread.

use alloc::sync::Arc;

use hallows_abi::{FaultKind, Inbox, MAX_TRANSFERS};
use hallows_kernel::{CellId, Context, Ended, Kernel, Machine};
use wasmtime::{Extern, Func, Instance, ModuleExport, OutOfMemory, Store, TypedFunc, Val};

use crate::WasmEngine;
use crate::bytes::Bytes;
use crate::cells::{Entry as CellEntry, Memory, MemoryPlace};
use crate::ended::{because, from_error, orderly};
use crate::family::{Family, Member};
use crate::fiber::stack_pointer;
use crate::layout::{Layout, OtherLayout, Places};
use crate::program::{Entry, Program, WasmProgram};
use crate::resident::Resident;
use crate::slots::{SLOTS, SlotNumber};
use crate::stacks::WASM_STACK_BYTES;
use crate::symbols::memory;

/// A reactor's handler: kind, badge, token, length, handles.
pub(crate) type Handler = TypedFunc<(u32, u64, u64, u32, u32), i64>;

/// What a cell runs.
#[cfg_attr(
    feature = "native",
    expect(
        clippy::large_enum_variant,
        reason = "it lives in a `Box`, and nearly every body is the large one"
    )
)]
pub(crate) enum Body<M: Machine> {
    Wasm(WasmBody<M>),
    #[cfg(feature = "native")]
    Native(crate::native::NativeBody),
}

// SAFETY: nothing in it belongs to a thread of the host; one thread at a time uses it, the one that is inside of its cell, or that
// makes or drops it.
unsafe impl<M: Machine> Send for Body<M> {}

impl<M: Machine> Body<M> {
    /// Whether the cleaner made it.
    pub fn is_cleaners(&self) -> bool {
        matches!(self, Self::Wasm(WasmBody { ahead: true, .. }))
    }
}

/// An instance of a WebAssembly program.
pub(crate) struct WasmBody<M: Machine> {
    /// Its place among those that share its memory.
    member: Option<Member<M>>,
    pub store: Store<Resident<M>>,
    instance: Instance,
    pub places: Places,
    pub run: Run,
    /// Where regions can be shown: in memories that are in a slot and that we know, not in one that the program hides.
    place: Option<MemoryPlace>,
    /// What it may use of a stack, in bytes.
    stack_bytes: usize,
    /// The cleaner made it.
    ahead: bool,
}

/// The functions of an instance that the engine calls.
pub(crate) enum Run {
    Main(TypedFunc<(), ()>),
    Reactor(Reactor),
    Thread(TypedFunc<u32, ()>),
}

/// A reactor's functions and inbox.
pub(crate) struct Reactor {
    pub init: Option<TypedFunc<(), ()>>,
    pub inbox_function: TypedFunc<(), u32>,
    pub handle: Handler,
    /// Where messages go; empty until the inbox was asked for.
    pub inbox: Mailbox,
}

/// A reactor's inbox, checked.
#[derive(Clone, Copy, Default)]
pub(crate) struct Mailbox {
    pub buffer: Bytes,
    /// Room for as many handles as it takes.
    pub handles: Bytes,
    /// The same place, with room for [`MAX_TRANSFERS`] transfers.
    pub transfers: Bytes,
}

impl<M: Machine> WasmBody<M> {
    /// Enters the program with a thread: until the next one enters, its calls are made by that thread and its checks read that
    /// thread's word.
    #[inline(always)]
    pub fn enter(&mut self, kernel: &Kernel<WasmEngine<M>>, context: &mut Context) {
        let word = kernel.word(context.thread).as_atomic();
        let resident = self.store.data_mut();
        resident.kernel = kernel;
        resident.context = context;
        // SAFETY: the store is ours; the word is part of the kernel, which is alive as long as the thread is inside.
        unsafe { self.places.watch(word) };
    }

    /// How far down this stack it may go, if that is not as far as all programs.
    pub fn stack_limit(&self) -> Option<usize> {
        let is_usual = self.stack_bytes == WASM_STACK_BYTES;
        (!is_usual).then(|| stack_pointer().saturating_sub(self.stack_bytes))
    }

    /// Makes an instance for a cell, in the cell.
    ///
    /// # Errors
    ///
    /// How the program ended before it began.
    pub fn start(
        engine: &WasmEngine<M>,
        kernel: &Kernel<WasmEngine<M>>,
        context: &mut Context,
        cell: CellId,
        (known, program): (&Arc<Program<M>>, &WasmProgram<M>),
        limit: u64,
    ) -> Result<Self, Ended> {
        let entry = engine.cells.entry(cell);
        entry.start(program.initial);
        let slot = match &program.stock {
            Some(stock) => Some(SLOTS.take(stock).map_err(|_| orderly(FaultKind::OutOfMemory))?),
            None => None,
        };
        let family =
            slot.filter(|_| program.shares_memory).map(|slot| Family::new(cell, known.clone(), limit, slot));
        let resident = Resident {
            kernel,
            context,
            cell,
            family: family.clone(),
            read_only: entry.read_only(),
            limit,
            ..Resident::of_nobody(program, engine.configuration.chaos)
        };
        let made = instantiate(program, resident, slot)?;
        let find = |store: &mut _, instance| functions(store, instance, &program.entry);
        let mut body = Self::finish(made, program, find, |store, function| {
            let layout = engine.layout(store, function)?;
            if let Some(shelf) = &program.shelf {
                shelf.learn(layout);
            }
            Ok(layout)
        })?;
        body.join(program, family)?;
        *entry.memory() = body.place.map(Memory::Linear);
        Ok(body)
    }

    /// Makes an instance for a further thread of a cell, on that thread: over the memory of the others, with its stack at this address.
    ///
    /// # Errors
    ///
    /// How the thread ended before it began.
    pub fn thread(
        engine: &WasmEngine<M>,
        kernel: &Kernel<WasmEngine<M>>,
        context: &mut Context,
        thread: CellId,
        family: Arc<Family<M>>,
        (stack, block): (u32, u32),
    ) -> Result<Self, Ended> {
        if !kernel.is_live(thread) || !kernel.is_live(family.cell) {
            return Err(orderly(FaultKind::Killed));
        }
        let entry = engine.cells.entry(family.cell);
        let (program, exports) = family.threads().ok_or_else(bad_exports)?;
        let resident = Resident {
            kernel,
            context,
            cell: thread,
            family: Some(family.clone()),
            block,
            read_only: entry.read_only(),
            limit: family.limit,
            ..Resident::of_nobody(program, engine.configuration.chaos)
        };
        let made = instantiate(program, resident, Some(family.share_slot()))?;
        let find = |store: &mut Store<Resident<M>>, instance| {
            let pointer = get(store, instance, &exports.stack_pointer)?.into_global()?;
            pointer.set(&mut *store, Val::I32(stack.cast_signed())).ok()?;
            let function = get(store, instance, &exports.function)?.into_func()?;
            Some((Run::Thread(function.typed(&*store).ok()?), function))
        };
        let mut body = Self::finish(made, program, find, |store, function| engine.layout(store, function))?;
        body.join(program, Some(family.clone()))?;
        Ok(body)
    }

    /// It is one of those that share its memory from now on.
    fn join(&mut self, program: &WasmProgram<M>, family: Option<Arc<Family<M>>>) -> Result<(), Ended> {
        let Some(family) = family else { return Ok(()) };
        let memory = memory_of(&mut self.store, self.instance, program).ok_or_else(bad_exports)?;
        let joined = family.join(&mut self.store, memory, self.places.memory());
        self.member = Some(joined.map_err(|error| failed(&error))?);
        Ok(())
    }

    /// Makes an instance for a cell that will start: for the cleaner. Nothing of the program runs.
    ///
    /// # Errors
    ///
    /// Any: there is none, and the next start that makes its own says why.
    pub fn ahead(program: &WasmProgram<M>, layout: Layout, chaos: bool) -> Result<Self, Ended> {
        let slot = match &program.stock {
            Some(stock) => Some(SLOTS.take_ahead(stock).map_err(|_| orderly(FaultKind::OutOfMemory))?),
            None => None,
        };
        let made = instantiate(program, Resident::of_nobody(program, chaos), slot)?;
        let find = |store: &mut _, instance| functions(store, instance, &program.entry);
        Ok(Self { ahead: true, ..Self::finish(made, program, find, |_, _| Ok(layout))? })
    }

    /// Gives an instance that was made ahead to a cell: with it, it is as one that the cell has made.
    pub fn adopt(&mut self, entry: &CellEntry<M>, cell: CellId, initial: u64, limit: u64) {
        entry.start(initial);
        let resident = self.store.data_mut();
        resident.cell = cell;
        resident.read_only = entry.read_only();
        resident.limit = limit;
        *entry.memory() = self.place.map(Memory::Linear);
    }

    /// Finds the places and functions of an instance that was made.
    fn finish(
        made: Made<M>,
        program: &WasmProgram<M>,
        find: impl FnOnce(&mut Store<Resident<M>>, Instance) -> Option<(Run, Func)>,
        layout: impl FnOnce(&mut Store<Resident<M>>, Func) -> Result<Layout, OtherLayout>,
    ) -> Result<Self, Ended> {
        let Made { mut store, instance, slot } = made;
        let memory = memory_of(&mut store, instance, program);
        let (run, function) = find(&mut store, instance).ok_or_else(bad_exports)?;
        let refused = |other| because(FaultKind::BadProgram, &other);
        let layout = layout(&mut store, function).map_err(refused)?;
        let places = layout.places(&mut store, function, memory).map_err(refused)?;
        store.data_mut().memory = places.memory();
        let place = slot.zip(memory).map(|(slot, _)| MemoryPlace {
            slot,
            shared: program.shares_memory,
            definition: places.memory(),
        });
        let places = if store.data().chaos { places.deaf() } else { places };
        let stack_bytes = program.stack_bytes;
        Ok(Self { member: None, store, instance, places, run, place, stack_bytes, ahead: false })
    }

    /// Asks a reactor where its inbox is, and checks it.
    pub fn find_inbox(&mut self) -> Result<(), Ended> {
        let Run::Reactor(reactor) = &mut self.run else { return Ok(()) };
        let address = reactor.inbox_function.call(&mut self.store, ()).map_err(|error| from_error(&error))?;
        let resident = self.store.data();
        // SAFETY: the definition was found when the instance was made and lives as long as its store.
        let memory = unsafe { &*self.places.memory() };
        // SAFETY: inside of the memory, which never shrinks, and whose pages stay mapped as long as the store.
        let range = |offset: u32, bytes: usize| unsafe {
            let fits = offset as usize + bytes <= memory.length();
            let range = Bytes::new(memory.base.wrapping_add(offset as usize), bytes, resident.read_only);
            (fits && !range.is_read_only()).then_some(range)
        };
        let mailbox = || {
            let mut form = [0; Inbox::SIZE];
            range(address, Inbox::SIZE)?.read(&mut form);
            let inbox = Inbox::parse(&form)?;
            let count = inbox.handles_length.min(MAX_TRANSFERS) as usize;
            Some(Mailbox {
                buffer: range(inbox.buffer, inbox.buffer_length as usize)?,
                handles: range(inbox.handles, count * size_of::<u32>())?,
                transfers: range(inbox.handles, MAX_TRANSFERS as usize * hallows_abi::Transfer::SIZE)?,
            })
        };
        reactor.inbox = mailbox().ok_or_else(|| orderly(FaultKind::BadReturn))?;
        Ok(())
    }
}

/// An instance in its store, and the slot that its memory is in.
struct Made<M: Machine> {
    store: Store<Resident<M>>,
    instance: Instance,
    slot: Option<SlotNumber>,
}

/// Makes a store and an instance in it, whose memory lies in this slot.
fn instantiate<M: Machine>(
    program: &WasmProgram<M>,
    resident: Resident<M>,
    slot: Option<SlotNumber>,
) -> Result<Made<M>, Ended> {
    let mut store = match Store::try_new(program.instance.module().engine(), resident) {
        Ok(store) => store,
        Err(error) => {
            slot.into_iter().for_each(|slot| SLOTS.put(slot));
            return Err(failed(&error));
        }
    };
    Resident::attach(&mut store);
    if let Some(slot) = slot {
        memory::choose(slot);
    }
    let instance = program.instance.instantiate(&mut store);
    if let Some(slot) = memory::unchoose() {
        // It did not come to making a memory.
        SLOTS.put(slot);
    }
    match instance {
        Ok(instance) => Ok(Made { store, instance, slot }),
        Err(_) if store.data().refused => Err(orderly(FaultKind::OutOfMemory)),
        Err(error) => Err(failed(&error)),
    }
}

/// How a program ended that could not be instantiated.
fn failed(error: &wasmtime::Error) -> Ended {
    if error.is::<OutOfMemory>() {
        return orderly(FaultKind::OutOfMemory);
    }
    let ended = from_error(error);
    match ended.kind {
        // No trap of the program's own: wasmtime could not make it.
        FaultKind::Other => because(FaultKind::BadProgram, error),
        _ => ended,
    }
}

fn bad_exports() -> Ended {
    because(FaultKind::BadProgram, &"its exports changed their types")
}

fn get<M: Machine>(
    store: &mut Store<Resident<M>>,
    instance: Instance,
    export: &ModuleExport,
) -> Option<Extern> {
    instance.get_module_export(store, export)
}

/// The memory of an instance.
fn memory_of<M: Machine>(
    store: &mut Store<Resident<M>>,
    instance: Instance,
    program: &WasmProgram<M>,
) -> Option<wasmtime::Memory> {
    get(store, instance, program.memory.as_ref()?)?.into_memory()
}

/// The functions that the engine calls, and one of them for `layout`.
fn functions<M: Machine>(
    store: &mut Store<Resident<M>>,
    instance: Instance,
    entry: &Entry,
) -> Option<(Run, Func)> {
    let mut function = |export: &ModuleExport| get(store, instance, export)?.into_func();
    match entry {
        Entry::Main(main) => {
            let main = function(main)?;
            Some((Run::Main(main.typed(&store).ok()?), main))
        }
        Entry::Reactor { init, inbox, handle } => {
            let (init, inbox, handle) =
                (init.as_ref().map(&mut function), function(inbox)?, function(handle)?);
            let init = match init {
                Some(init) => Some(init?.typed(&store).ok()?),
                None => None,
            };
            let reactor = Reactor {
                init,
                inbox_function: inbox.typed(&store).ok()?,
                handle: handle.typed(&store).ok()?,
                inbox: Mailbox::default(),
            };
            Some((Run::Reactor(reactor), handle))
        }
    }
}
