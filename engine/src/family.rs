//! What the threads of one cell share: its program, the slot that its memory is in, and who sleeps there.
//!
//! Each thread is an instance of the program, with globals and tables of its own, whose memory lies in the slot of the first one: the same
//! addresses, so the same pages. wasmtime knows nothing of that, and keeps a length in each instance. Rule: the memory grows under one lock, which
//! tells all instances. Consequence: a length that an instance has not got yet is only ever too short, for a thread that nobody has told of what
//! lies behind it.

use alloc::sync::Arc;
use alloc::vec::Vec;

use hallows_abi::THREAD_IS_OVER;
use hallows_kernel::{CellId, Context, Kernel, Machine};
use spin::Mutex;
use wasmtime::{AsContextMut, Memory};

use crate::WasmEngine;
use crate::layout::MemoryDefinition;
use crate::lock::lock;
use crate::program::{Kind, Program, ThreadExports, WasmProgram};
use crate::resident::Resident;
use crate::sleepers::Sleepers;
use crate::slots::{SLOTS, SlotNumber};

/// Bytes of a page of WebAssembly.
const WASM_PAGE_BYTES: usize = 65_536;

/// The threads of one cell. It has a share of the slot, so that a thread that is yet to start finds it whatever became of the first instance.
pub(crate) struct Family<M: Machine> {
    /// The cell, which pays for what they share.
    pub cell: CellId,
    program: Arc<Program<M>>,
    /// Bytes of linear memory at most.
    pub limit: u64,
    slot: SlotNumber,
    lengths: Mutex<Lengths>,
    pub sleepers: Sleepers,
}

/// How long the memory is, and where each instance keeps that.
struct Lengths {
    bytes: usize,
    definitions: Vec<*const MemoryDefinition>,
}

// SAFETY: the definitions are those of live instances (`Member`), and only atomic words of them are used.
unsafe impl Send for Lengths {}

/// A further thread that is to start.
pub(crate) enum ThreadStart<M: Machine> {
    /// Over the memory of a WebAssembly program.
    Wasm { family: Arc<Family<M>>, stack: u32, block: u32 },
    /// A function of a native program, with the address that it is given.
    #[cfg(feature = "native")]
    Native { function: crate::native_threads::NativeFunction, block: usize },
}

/// An instance among those that share a memory. Dropped before its store.
pub(crate) struct Member<M: Machine> {
    family: Arc<Family<M>>,
    definition: *const MemoryDefinition,
}

impl<M: Machine> Family<M> {
    /// Of a cell whose first instance is being made, with its memory in this slot.
    pub fn new(cell: CellId, program: Arc<Program<M>>, limit: u64, slot: SlotNumber) -> Arc<Self> {
        let lengths = Mutex::new(Lengths { bytes: 0, definitions: Vec::new() });
        SLOTS.share(slot);
        Arc::new(Self { cell, program, limit, slot, lengths, sleepers: Sleepers::new() })
    }

    /// What they run, and what further ones are started by, if there can be any.
    pub fn threads(&self) -> Option<(&WasmProgram<M>, &ThreadExports)> {
        match &self.program.0 {
            Kind::Wasm(program) => Some((program, program.threads.as_ref()?)),
            #[cfg(feature = "native")]
            Kind::Native(_) => None,
        }
    }

    /// The slot, for an instance more.
    pub fn share_slot(&self) -> SlotNumber {
        SLOTS.share(self.slot);
        self.slot
    }

    /// Lets wasmtime know of what others have grown the memory by, which it would otherwise grow from a length that was.
    fn catch_up(
        lengths: &mut Lengths,
        mut store: impl AsContextMut<Data = Resident<M>>,
        memory: Memory,
    ) -> wasmtime::Result<()> {
        let mut store = store.as_context_mut();
        let known_bytes = match store.data().known_bytes {
            0 => memory.data_size(&store),
            bytes => bytes,
        };
        let missing = lengths.bytes.saturating_sub(known_bytes) / WASM_PAGE_BYTES;
        if missing > 0 {
            store.data_mut().catches_up = true;
            let grown = memory.grow(&mut store, missing as u64);
            store.data_mut().catches_up = false;
            grown?;
        }
        lengths.bytes = lengths.bytes.max(known_bytes);
        store.data_mut().known_bytes = lengths.bytes;
        Ok(())
    }

    /// `memory.grow` for one of the instances: the pages that there were, or `None`.
    pub fn grow(
        &self,
        mut store: impl AsContextMut<Data = Resident<M>>,
        memory: Memory,
        pages: u32,
    ) -> Option<u32> {
        let mut store = store.as_context_mut();
        let mut lengths = lock(&self.lengths);
        Self::catch_up(&mut lengths, &mut store, memory).ok()?;
        let before = memory.grow(&mut store, u64::from(pages)).ok()?;
        lengths.bytes += pages as usize * WASM_PAGE_BYTES;
        store.data_mut().known_bytes = lengths.bytes;
        for definition in &lengths.definitions {
            // SAFETY: its instance is alive, as it has not left.
            unsafe { &**definition }.has_grown_to(lengths.bytes);
        }
        u32::try_from(before).ok()
    }

    /// An instance is one of them from now on: its memory is as long as it is, and stays so.
    pub fn join(
        self: &Arc<Self>,
        store: impl AsContextMut<Data = Resident<M>>,
        memory: Memory,
        definition: *const MemoryDefinition,
    ) -> wasmtime::Result<Member<M>> {
        let mut lengths = lock(&self.lengths);
        Self::catch_up(&mut lengths, store, memory)?;
        lengths.definitions.push(definition);
        Ok(Member { family: self.clone(), definition })
    }

    /// Says in its block that a thread is over, for which its memory is not used any more.
    pub fn thread_is_over(&self, kernel: &Kernel<WasmEngine<M>>, context: &mut Context, block: u32) {
        let word = SLOTS.memory(self.slot).wrapping_add(block as usize);
        // SAFETY: `thread_start` has checked that a word lies there, in a memory that is alive as long as one of its instances.
        let word = unsafe { core::sync::atomic::AtomicU32::from_ptr(word.cast()) };
        // Release: whoever sees it sees what the thread did.
        word.store(THREAD_IS_OVER, core::sync::atomic::Ordering::Release);
        self.sleepers.notify(kernel, context, word.as_ptr().addr(), u32::MAX);
    }
}

impl<M: Machine> Drop for Family<M> {
    fn drop(&mut self) {
        SLOTS.put(self.slot);
    }
}

impl<M: Machine> Drop for Member<M> {
    fn drop(&mut self) {
        lock(&self.family.lengths).definitions.retain(|one| *one != self.definition);
    }
}
