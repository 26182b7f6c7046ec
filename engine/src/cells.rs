//! The engine's table of cells: what each runs, and what others may ask about it meanwhile.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use alloc::boxed::Box;
use alloc::sync::Arc;
use spin::{Mutex, MutexGuard};

use hallows_kernel::{CellId, Machine};

use crate::body::Body;
use crate::bytes::ReadOnly;
use crate::family::ThreadStart;
use crate::finished;
use crate::layout::MemoryDefinition;
use crate::lock::lock;
use crate::program::Program;
use crate::slots::SlotNumber;
use crate::stacks::WASM_STACK_BYTES;

/// What a cell runs when it starts.
pub(crate) enum Plan<M: Machine> {
    /// A program, with so many bytes of linear memory at most.
    Program { program: Arc<Program<M>>, limit: u64 },
    /// A function of a program that runs in another cell, as a further thread of it.
    Thread(ThreadStart<M>),
}

/// One cell.
pub(crate) struct Entry<M: Machine> {
    plan: Mutex<Option<Plan<M>>>,
    body: UnsafeCell<Option<Box<Body<M>>>>,
    /// Bytes of linear memory and tables in use. Written by whoever is inside.
    in_use: AtomicU64,
    /// Where regions can be shown, while there is an instance. Regions are mapped and taken away under this lock, which may be from another
    /// core, while the instance is dropped.
    memory: Mutex<Option<Memory>>,
    read_only: ReadOnly,
    /// What it runs uses more of a stack than others.
    large_stack: AtomicBool,
}

/// Where regions can be shown to an instance.
pub(crate) enum Memory {
    /// In its linear memory.
    Linear(MemoryPlace),
    /// In a native program's windows.
    #[cfg(feature = "native")]
    Native(crate::windows::Windows),
}

/// Where an instance's linear memory is.
#[derive(Clone, Copy)]
pub(crate) struct MemoryPlace {
    pub slot: SlotNumber,
    /// Several threads use it at a time.
    pub shared: bool,
    /// Alive as long as this is in its cell's entry.
    pub definition: *const MemoryDefinition,
}

// SAFETY: `body` is used by one thread at a time, the one that is inside of the cell (contract of `Engine`); all else is shared by
// design.
unsafe impl<M: Machine> Sync for Entry<M> {}
// SAFETY: nothing in it belongs to a thread of the host.
unsafe impl<M: Machine> Send for Entry<M> {}

impl<M: Machine> Default for Entry<M> {
    fn default() -> Self {
        Self {
            plan: Mutex::new(None),
            body: UnsafeCell::new(None),
            in_use: AtomicU64::new(0),
            memory: Mutex::new(None),
            read_only: ReadOnly::default(),
            large_stack: AtomicBool::new(false),
        }
    }
}

impl<M: Machine> Entry<M> {
    /// What to run, for who starts it: once, so that a program that is over is kept by no cell.
    pub fn take_plan(&self) -> Option<Plan<M>> {
        lock(&self.plan).take()
    }

    /// Notes what to run.
    pub fn prepare(&self, plan: Plan<M>) {
        // Relaxed: the kernel starts the cell on another core by a lock.
        let is_large =
            matches!(&plan, Plan::Program { program, .. } if program.stack_bytes() > WASM_STACK_BYTES);
        self.large_stack.store(is_large, Ordering::Relaxed);
        *lock(&self.plan) = Some(plan);
    }

    /// The instance.
    ///
    /// # Safety
    ///
    /// The caller is inside of the cell, alone, and no other such reference is in use.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "the caller promises to be alone")]
    pub unsafe fn body(&self) -> &mut Option<Box<Body<M>>> {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.body.get() }
    }

    /// An instance is being made that starts with so many bytes.
    pub fn start(&self, bytes: u64) {
        // Relaxed, as all of `in_use`: only shown.
        self.in_use.store(bytes, Ordering::Relaxed);
        self.read_only.clear();
    }

    /// Ends the instance, and leaves it to the cleaner.
    ///
    /// # Safety
    ///
    /// Nobody is inside of the cell.
    pub unsafe fn release(&self) {
        *lock(&self.memory) = None;
        // One that was prepared and never started.
        drop(self.take_plan());
        // SAFETY: the caller's promise.
        let body = unsafe { self.body() }.take();
        let bytes = self.in_use.swap(0, Ordering::Relaxed);
        match body {
            Some(body) if body.is_cleaners() => finished::put(body, bytes),
            // What was made here is dropped here: the next one is made of its memory.
            other => drop(other),
        }
        self.read_only.clear();
    }

    /// Whether its thread needs a large stack.
    #[inline(always)]
    pub fn wants_large_stack(&self) -> bool {
        self.large_stack.load(Ordering::Relaxed)
    }

    pub fn in_use(&self) -> &AtomicU64 {
        &self.in_use
    }

    pub fn read_only(&self) -> &ReadOnly {
        &self.read_only
    }

    /// The instance's memory, locked.
    pub fn memory(&self) -> MutexGuard<'_, Option<Memory>> {
        lock(&self.memory)
    }
}

/// All cells.
pub(crate) struct Cells<M: Machine>(Box<[Entry<M>]>);

impl<M: Machine> Cells<M> {
    pub fn new(count: u32) -> Self {
        Self((0..count).map(|_| Entry::default()).collect())
    }

    /// A cell's entry.
    ///
    /// # Panics
    ///
    /// If the kernel was made with more cells than the engine.
    #[inline(always)]
    pub fn entry(&self, cell: CellId) -> &Entry<M> {
        &self.0[cell.index()]
    }
}
