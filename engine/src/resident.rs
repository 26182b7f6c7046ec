//! What a WebAssembly program's store holds for us: who runs it now, where its memory is, what it may have.

use core::sync::atomic::Ordering;

use alloc::sync::Arc;
use hallows_kernel::{CellId, Context, Kernel, Machine};
use wasmtime::{Error, ResourceLimiter, Store, StoreContextMut, UpdateDeadline};

use crate::WasmEngine;
use crate::bytes::ReadOnly;
use crate::ended::Unwind;
use crate::family::Family;
use crate::layout::MemoryDefinition;
use crate::program::WasmProgram;

/// Bytes that a table's element takes.
pub(crate) const ELEMENT_BYTES: u64 = size_of::<usize>() as u64;

/// The answer to a check that lets the program run on. Compiled code knows no deadline, so its distance means nothing.
const GO_ON: Result<UpdateDeadline, Error> = Ok(UpdateDeadline::Continue(0));

/// Memories and tables that a program starts with: charged to its cell before the cell was prepared.
pub(crate) struct Uncharged {
    pub memories: u32,
    pub tables: u32,
}

impl Uncharged {
    /// Whether this is the making of one that the program starts with, and not its growth.
    fn takes(left: &mut u32) -> bool {
        let takes = *left > 0;
        *left = left.saturating_sub(1);
        takes
    }
}

/// The data of a store.
pub(crate) struct Resident<M: Machine> {
    /// The kernel that was called with, last.
    pub kernel: *const Kernel<WasmEngine<M>>,
    /// The context of the thread that is inside, or was last.
    pub context: *mut Context,
    pub cell: CellId,
    /// What it shares with other threads of its cell, if its memory can be shared.
    pub family: Option<Arc<Family<M>>>,
    /// Of a further thread, what it was started with: an address.
    pub block: u32,
    /// Of a memory that can be shared, how many bytes wasmtime knows of; 0 until that may be less than there are.
    pub known_bytes: usize,
    /// It gets to know of more: that was charged.
    pub catches_up: bool,
    /// The memory that calls' arguments lie in.
    pub memory: *const MemoryDefinition,
    /// The pages of it that may not be stored to; part of the cell's entry in the engine's table.
    pub read_only: *const ReadOnly,
    /// Bytes of linear memory at most.
    pub limit: u64,
    /// What it starts with and has not got yet.
    pub uncharged: Uncharged,
    /// It was refused memory that it starts with.
    pub refused: bool,
    /// Every check calls back: a test mode.
    pub chaos: bool,
    /// Of a program that has called a function of WASI, what it has open.
    #[cfg(feature = "wasi")]
    pub wasi: Option<alloc::boxed::Box<hallows_wasi::Process>>,
}

// SAFETY: the pointers are used only by the thread that is inside of the cell, which there is one of at a time.
unsafe impl<M: Machine> Send for Resident<M> {}
// SAFETY: as above.
unsafe impl<M: Machine> Sync for Resident<M> {}

impl<M: Machine> Resident<M> {
    /// Of an instance that no cell has yet: as much memory as it starts with, and nobody to charge for more.
    pub fn of_nobody(program: &WasmProgram<M>, chaos: bool) -> Self {
        Self {
            kernel: core::ptr::null(),
            context: core::ptr::null_mut(),
            cell: CellId(0),
            family: None,
            block: 0,
            known_bytes: 0,
            catches_up: false,
            memory: core::ptr::null(),
            read_only: core::ptr::null(),
            limit: program.initial,
            uncharged: Uncharged { memories: program.memories, tables: program.tables },
            refused: false,
            chaos,
            #[cfg(feature = "wasi")]
            wasi: None,
        }
    }

    /// Makes the store call us back at checks and before it grows.
    pub fn attach(store: &mut Store<Self>) {
        store.epoch_deadline_callback(checked);
        store.limiter(|resident| resident);
    }
}

/// A program's check found its word set; or it reads the engine's counter, which always is, as the program is being started or in chaos.
fn checked<M: Machine>(mut store: StoreContextMut<'_, Resident<M>>) -> Result<UpdateDeadline, Error> {
    let resident = store.data_mut();
    if resident.kernel.is_null() {
        // It is made ahead: what checks here is wasmtime's own code that fills memories and tables. A program with code of its own to
        // run is not made ahead.
        return GO_ON;
    }
    // SAFETY: whoever entered the program, or makes its instance in its cell, set both, and stays below on this stack until it has
    // left.
    let (kernel, context) = unsafe { (&*resident.kernel, &mut *resident.context) };
    let word = kernel.word(context.thread);
    if resident.chaos {
        word.stop();
    } else if !word.is_set() {
        return GO_ON;
    }
    match kernel.preempted(context) {
        Ok(()) => GO_ON,
        Err(_) => Err(Error::new(Unwind)),
    }
}

impl<M: Machine> Resident<M> {
    /// Asks for that many bytes more, which this cell pays; false: the program goes without.
    fn charge(&mut self, payer: CellId, more: u64) -> bool {
        if self.kernel.is_null() {
            return false;
        }
        // SAFETY: as in `checked`.
        let kernel = unsafe { &*self.kernel };
        if more > 0 && kernel.charge(payer, more).is_err() {
            return false;
        }
        // Relaxed: only shown.
        kernel.engine.cells.entry(payer).in_use().fetch_add(more, Ordering::Relaxed);
        true
    }
}

impl<M: Machine> ResourceLimiter for Resident<M> {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool, Error> {
        if self.catches_up {
            return Ok(true);
        }
        let starts = Uncharged::takes(&mut self.uncharged.memories);
        if desired as u64 > self.limit {
            self.refused |= starts;
            return Ok(false);
        }
        let more = desired.saturating_sub(current) as u64;
        // What they share outlives a thread.
        let payer = self.family.as_ref().map_or(self.cell, |family| family.cell);
        Ok(starts || self.charge(payer, more))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool, Error> {
        let more = desired.saturating_sub(current) as u64;
        Ok(Uncharged::takes(&mut self.uncharged.tables)
            || self.charge(self.cell, more.saturating_mul(ELEMENT_BYTES)))
    }

    fn instances(&self) -> usize {
        1
    }

    fn memories(&self) -> usize {
        1
    }

    /// Compilers make one; more only cost the machine.
    fn tables(&self) -> usize {
        8
    }
}
