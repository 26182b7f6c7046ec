//! What a WebAssembly program's store holds for us: who runs it now, where its memory is, what it may have.

use core::sync::atomic::{AtomicU64, Ordering};

use hallows_kernel::{CellId, Context, Kernel, Machine};
use wasmtime::{Error, ResourceLimiter, Store, StoreContextMut, UpdateDeadline};

use crate::WasmEngine;
use crate::bytes::ReadOnly;
use crate::ended::Unwind;
use crate::layout::MemoryDefinition;

/// Bytes that a table's element takes.
pub(crate) const ELEMENT_BYTES: u64 = size_of::<usize>() as u64;

/// How far above a clear preemption word the deadline of checks is. Words hold 0 or [`hallows_kernel::PreemptionWord::STOP`].
const NORMAL: u64 = 1;
/// A deadline that every check has reached: while a program is started, when its checks do not read a word of ours yet.
const EVERY_CHECK: u64 = 0;

/// The data of a store.
pub(crate) struct Resident<M: Machine> {
    /// The kernel that was called with, last.
    pub kernel: *const Kernel<WasmEngine<M>>,
    /// The context of the thread that is inside; null when none is.
    pub context: *mut Context,
    pub cell: CellId,
    /// The memory that calls' arguments lie in.
    pub memory: *const MemoryDefinition,
    /// The pages of it that may not be stored to; part of the cell's entry in the engine's table, like `in_use`.
    pub read_only: *const ReadOnly,
    /// Bytes of linear memory and tables in use.
    pub in_use: *const AtomicU64,
    /// Bytes of linear memory at most.
    pub limit: u64,
    /// Distance of the deadline from a clear word.
    pub deadline: u64,
    /// Every check calls back: a test mode.
    pub chaos: bool,
}

// SAFETY: the pointers are used only by the thread that is inside of the cell, which there is one of at a time.
unsafe impl<M: Machine> Send for Resident<M> {}
// SAFETY: as above.
unsafe impl<M: Machine> Sync for Resident<M> {}

impl<M: Machine> Resident<M> {
    /// Makes the store call us back at checks and before it grows.
    pub fn attach(store: &mut Store<Self>) {
        store.data_mut().deadline = EVERY_CHECK;
        store.set_epoch_deadline(EVERY_CHECK);
        store.epoch_deadline_callback(checked);
        store.limiter(|resident| resident);
    }

    /// The program's checks read the thread's word from now on.
    pub fn started(store: &mut Store<Self>) {
        if !store.data().chaos {
            store.data_mut().deadline = NORMAL;
            store.set_epoch_deadline(NORMAL);
        }
    }
}

/// A program's check found its word set (or finds every word set).
fn checked<M: Machine>(mut store: StoreContextMut<'_, Resident<M>>) -> Result<UpdateDeadline, Error> {
    let resident = store.data_mut();
    let (kernel, context) = (resident.kernel, resident.context);
    if context.is_null() {
        // Nobody is inside: code of a program that is only looked at, or that ran on. It must not.
        return Err(Error::new(Unwind));
    }
    // SAFETY: whoever entered the program set both, and stays below on this stack until it has left.
    let (kernel, context) = unsafe { (&*kernel, &mut *context) };
    let word = kernel.word(context.thread);
    if resident.chaos {
        word.stop();
    } else if resident.deadline == EVERY_CHECK && !word.is_set() {
        return Ok(UpdateDeadline::Continue(EVERY_CHECK));
    }
    match kernel.preempted(context) {
        Ok(()) => Ok(UpdateDeadline::Continue(store.data().deadline)),
        Err(_) => Err(Error::new(Unwind)),
    }
}

impl<M: Machine> Resident<M> {
    /// Asks for more memory; false: the program goes without.
    fn charge(&mut self, more: u64) -> bool {
        if more > 0 && !self.kernel.is_null() {
            // SAFETY: as in `checked`.
            if unsafe { &*self.kernel }.charge(self.cell, more).is_err() {
                return false;
            }
        }
        // SAFETY: the entry outlives the store. Relaxed: only shown.
        unsafe { &*self.in_use }.fetch_add(more, Ordering::Relaxed);
        true
    }
}

impl<M: Machine> ResourceLimiter for Resident<M> {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool, Error> {
        if desired as u64 > self.limit {
            return Ok(false);
        }
        // What it starts with was charged before the cell was prepared.
        let more =
            if current == 0 && self.memory.is_null() { 0 } else { desired.saturating_sub(current) as u64 };
        Ok(self.charge(more))
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> Result<bool, Error> {
        let more = if self.memory.is_null() { 0 } else { desired.saturating_sub(current) as u64 };
        Ok(self.charge(more * ELEMENT_BYTES))
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
