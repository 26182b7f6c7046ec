//! What a thread has of its own: its work, its stack, its local data; and the word that says that it is over.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::UnsafeCell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use hallows_abi::{Error, THREAD_IS_OVER};

use super::local::Locals;
use super::machine::{own_block, start_thread};
use super::mutex::Mutex;
use super::{Patience, wait_by};
use crate::Deadline;
use crate::thread::Scope;

/// What a thread runs.
pub type Work = Box<dyn FnOnce() + Send>;

/// A thread's own. The engine knows its first word.
#[repr(C)]
pub struct Block {
    /// Becomes [`THREAD_IS_OVER`] when nothing of the thread is used any more.
    over: AtomicU32,
    work: UnsafeCell<Option<Work>>,
    locals: UnsafeCell<Locals>,
    stack: Stack,
}

// SAFETY: `work` and `locals` are used only by the thread itself, and by who drops the block when it is over.
unsafe impl Sync for Block {}
// SAFETY: work can be sent, and local data is made and dropped by the thread itself, or by who ends it.
unsafe impl Send for Block {}

impl Block {
    /// Of a first thread, which has a stack already.
    pub const fn first() -> Self {
        Self::new(None, Stack::NONE)
    }

    const fn new(work: Option<Work>, stack: Stack) -> Self {
        Self {
            over: AtomicU32::new(0),
            work: UnsafeCell::new(work),
            locals: UnsafeCell::new(Locals::NONE),
            stack,
        }
    }

    /// The calling thread's local data.
    pub fn own_locals() -> *mut Locals {
        #[cfg(target_arch = "wasm32")]
        static FIRST: Block = Block::first();
        let block = own_block();
        #[cfg(target_arch = "wasm32")]
        let block = if block.is_null() { &raw const FIRST } else { block };
        // SAFETY: a thread's block is there as long as the thread.
        unsafe { (*block).locals.get() }
    }

    /// Where a stack grows down from.
    #[cfg(target_arch = "wasm32")]
    pub fn stack_top(&self) -> *const u8 {
        self.stack.top()
    }

    /// Runs the thread's work, on the thread.
    ///
    /// # Safety
    ///
    /// Once, with a block that [`start`] made.
    pub unsafe fn run(block: *const Self) {
        // SAFETY: this is the thread, alone with its work; and the block stays until the thread is over.
        let block = unsafe { &*block };
        // SAFETY: as before.
        let work = unsafe { (*block.work.get()).take() };
        if let Some(work) = work {
            work();
        }
        // SAFETY: as before.
        unsafe { Locals::end(block.locals.get()) };
        block.stack.check();
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: the thread is over, and nobody else knows the block.
        unsafe { Locals::end(self.locals.get()) };
    }
}

/// A further thread, and its block.
#[derive(Debug)]
pub struct Running {
    block: NonNull<Block>,
    number: u32,
}

// SAFETY: of the block it uses the atomic word, until the thread is over.
unsafe impl Send for Running {}
// SAFETY: as above.
unsafe impl Sync for Running {}

/// Threads that were not over when nobody wanted to know of them any more: their blocks are freed when others start.
static DETACHED: Mutex<Vec<Running>> = Mutex::new(Vec::new());

/// Starts a thread with a stack of so many bytes; natively all have the same.
///
/// # Errors
///
/// Those of the machine; [`Error::BudgetExhausted`] also if there is no memory for the stack.
pub fn start(work: Work, stack_bytes: usize) -> Result<Running, Error> {
    DETACHED.lock().retain(|running| !running.is_over());
    let stack = Stack::new(stack_bytes)?;
    let block = NonNull::from(Box::leak(Box::new(Block::new(Some(work), stack))));
    // SAFETY: the block is freed by who finds the thread over, or below if there is none.
    let started = unsafe { start_thread(block.as_ref()) };
    match started {
        Ok(number) => Ok(Running { block, number }),
        Err(error) => {
            // SAFETY: it came out of a box, and no thread has it.
            drop(unsafe { Box::from_raw(block.as_ptr()) });
            Err(error)
        }
    }
}

/// The same for work that uses what lives as long as a scope, which waits for it before it ends.
pub fn start_borrowing<'scope>(
    _: &'scope Scope<'scope, '_>,
    work: Box<dyn FnOnce() + Send + 'scope>,
    stack_bytes: usize,
) -> Result<Running, Error> {
    // SAFETY: only the lifetime differs. The scope keeps what is started and waits until it is over, and nothing of it is used behind that.
    let work = unsafe { core::mem::transmute::<Box<dyn FnOnce() + Send + 'scope>, Work>(work) };
    start(work, stack_bytes)
}

impl Running {
    fn over(&self) -> &AtomicU32 {
        // SAFETY: the block is there as long as this.
        unsafe { &self.block.as_ref().over }
    }

    /// The number that people know it by.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Whether the thread is over.
    pub fn is_over(&self) -> bool {
        // Acquire: then all that it did is done.
        self.over().load(Ordering::Acquire) == THREAD_IS_OVER
    }

    /// Waits until the thread is over.
    ///
    /// # Errors
    ///
    /// Those of a wait.
    pub fn wait(&self, patience: Patience) -> Result<(), Error> {
        while !self.is_over() {
            wait_by(self.over(), 0, patience, Deadline::NEVER)?;
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let again = Self { block: self.block, number: self.number };
        if self.is_over() {
            core::mem::forget(again);
            // SAFETY: it came out of a box, and its thread, which is over, does not use it any more.
            drop(unsafe { Box::from_raw(self.block.as_ptr()) });
        } else {
            DETACHED.lock().push(again);
        }
    }
}

/// A stack in linear memory. Natively the engine has them.
struct Stack {
    #[cfg(target_arch = "wasm32")]
    memory: Option<(NonNull<u8>, core::alloc::Layout)>,
}

#[cfg(not(target_arch = "wasm32"))]
impl Stack {
    const NONE: Self = Self {};

    #[expect(clippy::unnecessary_wraps, reason = "as on the other target")]
    fn new(_: usize) -> Result<Self, Error> {
        Ok(Self::NONE)
    }

    fn check(&self) {}
}

#[cfg(target_arch = "wasm32")]
impl Stack {
    const NONE: Self = Self { memory: None };
    /// What stands at a stack's end as long as it was enough: linear memory has no guard pages.
    const END: u64 = 0x656e_6420_6f66_2069;
    const ALIGNMENT: usize = 16;

    fn new(bytes: usize) -> Result<Self, Error> {
        let bytes = bytes.max(1024).checked_next_multiple_of(Self::ALIGNMENT).ok_or(Error::BadArgument)?;
        let layout = core::alloc::Layout::from_size_align(bytes, Self::ALIGNMENT);
        let layout = layout.map_err(|_| Error::BadArgument)?;
        // SAFETY: it has a size.
        let memory = NonNull::new(unsafe { alloc::alloc::alloc(layout) }).ok_or(Error::BudgetExhausted)?;
        // SAFETY: it has room, and is aligned.
        unsafe { memory.cast::<u64>().write(Self::END) };
        Ok(Self { memory: Some((memory, layout)) })
    }

    fn top(&self) -> *const u8 {
        self.memory.map_or(core::ptr::null(), |(memory, layout)| memory.as_ptr().wrapping_add(layout.size()))
    }

    /// Ends the cell if the stack was not enough, and what lies below it is overwritten.
    fn check(&self) {
        let Some((memory, _)) = self.memory else { return };
        // SAFETY: as in `new`.
        if unsafe { memory.cast::<u64>().read() } != Self::END {
            let _ = crate::process::crash("a thread has used more than its stack: give it a larger one");
        }
    }
}

#[cfg(target_arch = "wasm32")]
impl Drop for Stack {
    fn drop(&mut self) {
        if let Some((memory, layout)) = self.memory.take() {
            // SAFETY: `new` allocated it so, and its thread is over.
            unsafe { alloc::alloc::dealloc(memory.as_ptr(), layout) };
        }
    }
}
