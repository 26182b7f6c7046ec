//! Stacks for fibers: guarded, of one size, reused last in, first out.
//!
//! Every stack starts at a multiple of [`STACK_BYTES`], so that the stack pointer alone tells how much of it is left
//! ([`room`]): the check before every entry into WebAssembly needs no lookup. A stack has memory only where it was used.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use alloc::vec::Vec;
use spin::Mutex;

use crate::lock::lock;
use crate::platform::{NoMemory, PAGE_BYTES, Protection, platform};
use crate::slots::SLOTS;

/// What WebAssembly may use of a stack at one entry before it traps with a stack overflow: wasmtime's default, which
/// compilers' run-time libraries are used to.
pub const WASM_STACK_BYTES: usize = 512 << 10;

/// What is kept free below for host code: the deepest path of kernel and engine uses some 4 KiB of it, wasmtime's
/// instantiation and errors 16 KiB.
pub const HOST_RESERVE_BYTES: usize = 64 << 10;

/// Address space of one stack. A chain of [`hallows_abi::MAX_CHAIN`] calls fits whose programs use up to 170 KiB each;
/// where one uses more, the next entry is `TooDeep`.
pub const STACK_BYTES: usize = 2 << 20;

/// The inaccessible lower end: one page is enough, as Rust and Cranelift touch every page of a large frame in order.
const GUARD_BYTES: usize = PAGE_BYTES;

/// Stacks start at slightly different offsets, or the hot ends of all of them would fall into the same cache sets.
const COLOURS: u32 = 8;
const COLOUR_BYTES: usize = 640;

/// Free stacks that keep their memory; the cleaner takes it from the others.
const WARM: usize = 256;

/// The upper part of a stack in stock that is populated beforehand: what kernel, wasmtime and an ordinary program use of it.
const POPULATED_BYTES: usize = HOST_RESERVE_BYTES;

/// Stacks there may be at once, in the whole process: address space only.
const STACKS_MOST: u32 = 16_384;

/// A stack of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack(u32);

/// How many bytes the running stack has left above its guard.
#[inline(always)]
pub fn room() -> usize {
    (crate::fiber::stack_pointer() & (STACK_BYTES - 1)).saturating_sub(GUARD_BYTES)
}

/// The stacks of all engines of the process.
pub struct Stacks {
    /// Where stack 0 starts; 0 before the first use.
    base: AtomicUsize,
    /// Stacks below this number have been made accessible.
    made: AtomicU32,
    free: Mutex<Free>,
}

struct Free {
    /// Last in, first out: the end is warm.
    stacks: Vec<Stack>,
    /// The first so many have no memory.
    cold: usize,
}

/// The pool.
pub static STACKS: Stacks = Stacks {
    base: AtomicUsize::new(0),
    made: AtomicU32::new(0),
    free: Mutex::new(Free { stacks: Vec::new(), cold: 0 }),
};

impl Stacks {
    /// Takes the address space, the first time.
    pub fn reserve(&self) -> Result<(), NoMemory> {
        let mut free = lock(&self.free);
        if self.base.load(Ordering::Relaxed) != 0 {
            return Ok(());
        }
        let start = platform().reserve(STACKS_MOST as usize * STACK_BYTES, STACK_BYTES)?;
        // Never grows again: giving a stack back does not allocate.
        free.stacks.reserve_exact(STACKS_MOST as usize);
        self.base.store(start.as_ptr() as usize, Ordering::Release);
        Ok(())
    }

    /// A stack: a used one if there is one, else a new one, which costs a call of the platform.
    pub fn take(&self) -> Result<Stack, NoMemory> {
        {
            let mut free = lock(&self.free);
            if let Some(stack) = free.stacks.pop() {
                free.cold = free.cold.min(free.stacks.len());
                return Ok(stack);
            }
        }
        self.make()
    }

    fn make(&self) -> Result<Stack, NoMemory> {
        // Relaxed: only the number is taken; a stack becomes anybody's through the lock or a core's own cache.
        let number = self.made.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |made| {
            (made < STACKS_MOST).then_some(made + 1)
        });
        let Ok(number) = number else { return Err(NoMemory) };
        let stack = Stack(number);
        let usable = NonNull::new((self.bottom(stack) + GUARD_BYTES) as *mut u8).ok_or(NoMemory)?;
        // SAFETY: the range is that stack's own part of our reservation, and nobody has it yet.
        unsafe { platform().protect(usable, STACK_BYTES - GUARD_BYTES, Protection::ReadWrite)? };
        Ok(stack)
    }

    /// Gives a stack back.
    pub fn put(&self, stack: Stack) {
        lock(&self.free).stacks.push(stack);
    }

    fn bottom(&self, stack: Stack) -> usize {
        // Acquire: pairs with `reserve`.
        self.base.load(Ordering::Acquire) + stack.0 as usize * STACK_BYTES
    }

    /// The upper end of a stack, aligned to 16.
    pub fn top(&self, stack: Stack) -> *mut u8 {
        (self.bottom(stack) + STACK_BYTES - (stack.0 % COLOURS) as usize * COLOUR_BYTES) as *mut u8
    }

    /// How many stacks there are.
    pub fn made(&self) -> u32 {
        self.made.load(Ordering::Relaxed)
    }

    /// Whether an address lies in a stack's guard: somebody used more of it than there is.
    pub fn is_guard(&self, address: usize) -> bool {
        let base = self.base.load(Ordering::Acquire);
        let end = base + STACKS_MOST as usize * STACK_BYTES;
        (base..end).contains(&address) && address & (STACK_BYTES - 1) < GUARD_BYTES
    }

    /// Takes memory for the part of a free stack that is used first.
    fn populate(&self, stack: Stack) -> bool {
        let upper = self.bottom(stack) + STACK_BYTES - POPULATED_BYTES;
        NonNull::new(upper as *mut u8).is_some_and(|upper| platform().populate(upper, POPULATED_BYTES))
    }

    /// Makes stacks until `stock` are free, and takes the memory of those that have lain unused. For the cleaner. Returns
    /// whether it did something.
    pub fn clean(&self, stock: usize) -> bool {
        let mut busy = false;
        let missing = stock.saturating_sub(lock(&self.free).stacks.len());
        for _ in 0..missing {
            let Ok(stack) = self.make() else { break };
            let is_warm = SLOTS.populates() && self.populate(stack);
            let mut free = lock(&self.free);
            // Without memory it goes to the cold end.
            let cold = free.cold;
            free.stacks.insert(cold, stack);
            free.cold += usize::from(!is_warm);
            busy = true;
        }
        loop {
            let stack = {
                let mut free = lock(&self.free);
                if free.stacks.len() - free.cold <= WARM {
                    break;
                }
                // The oldest warm one; out of the pool while it is worked on.
                let place = free.cold;
                free.stacks.remove(place)
            };
            let usable = (self.bottom(stack) + GUARD_BYTES) as *mut u8;
            if let Some(usable) = NonNull::new(usable) {
                // SAFETY: the stack is ours: it was free, and nobody else finds it now.
                unsafe { platform().discard(usable, STACK_BYTES - GUARD_BYTES) };
            }
            let mut free = lock(&self.free);
            let cold = free.cold;
            free.stacks.insert(cold, stack);
            free.cold += 1;
            busy = true;
        }
        busy
    }
}
