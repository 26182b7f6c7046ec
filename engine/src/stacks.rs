//! Stacks for fibers: guarded, of two sizes, reused last in, first out.
//!
//! Every stack starts at a multiple of its size, and one bit of an address says which size that is, so that the stack pointer alone tells how
//! much of it is left ([`room`]): the check before every entry into WebAssembly needs no lookup. A stack has memory only where it was used.
//! The large ones are for main programs that ask for more than all cells have ([`WASM_STACK_BYTES`]): few, and their memory goes back when
//! they are over.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use alloc::vec::Vec;
use spin::Mutex;

use crate::lock::lock;
use crate::platform::{NoMemory, PAGE_BYTES, Protection, platform};
use crate::slots::SLOTS;

/// What WebAssembly may use of a stack at one entry before it traps with a stack overflow, if nothing else was asked for: wasmtime's default,
/// which compilers' run-time libraries are used to.
pub const WASM_STACK_BYTES: usize = 512 << 10;

/// What is kept free below for host code: the deepest path of kernel and engine uses some 4 KiB of it, wasmtime's
/// instantiation and errors 16 KiB.
pub const HOST_RESERVE_BYTES: usize = 64 << 10;

/// Address space of one stack. A chain of [`hallows_abi::MAX_CHAIN`] calls fits whose programs use up to 170 KiB each;
/// where one uses more, the next entry is `TooDeep`.
pub const STACK_BYTES: usize = 2 << 20;

/// Address space of one large stack.
const LARGE_BYTES: usize = 64 << 20;

/// The most that a main program can be given of a stack, in bytes: below it there is as much left as any cell has.
pub const LARGEST_STACK_BYTES: usize = LARGE_BYTES - STACK_BYTES;

/// The inaccessible lower end: one page is enough, as Rust and Cranelift touch every page of a large frame in order.
const GUARD_BYTES: usize = PAGE_BYTES;

/// Stacks start at slightly different offsets, or the hot ends of all of them would fall into the same cache sets.
const COLOURS: u32 = 8;
const COLOUR_BYTES: usize = 640;

/// Free stacks that keep their memory; the cleaner takes it from the others.
const WARM: usize = 256;

/// The upper part of a stack in stock that is populated beforehand: what kernel, wasmtime and an ordinary program use of it.
pub const POPULATED_BYTES: usize = HOST_RESERVE_BYTES;

/// Stacks there may be at once, in the whole process: address space only.
const STACKS_MOST: u32 = 16_384;
/// Address space of all of them. Those behind it, of the same space, are the large ones'.
const HALF_BYTES: usize = STACKS_MOST as usize * STACK_BYTES;
/// Large stacks there may be at once.
const LARGE_MOST: u32 = (HALF_BYTES / LARGE_BYTES) as u32;
// An address's bit tells the halves apart.
const _: () = assert!(HALF_BYTES.is_power_of_two());

/// A stack of the pool: the small ones are numbered from 0, and the large ones behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stack(u32);

impl Stack {
    /// Whether it is a large one.
    pub const fn is_large(self) -> bool {
        self.0 >= STACKS_MOST
    }

    const fn bytes(self) -> usize {
        if self.is_large() { LARGE_BYTES } else { STACK_BYTES }
    }
}

/// How many bytes the running stack has left above its guard.
#[inline(always)]
pub fn room() -> usize {
    let pointer = crate::fiber::stack_pointer();
    (pointer & (bytes_at(pointer) - 1)).saturating_sub(GUARD_BYTES)
}

/// The size of the stack that an address of the pool lies in.
#[inline(always)]
const fn bytes_at(address: usize) -> usize {
    if address & HALF_BYTES == 0 { STACK_BYTES } else { LARGE_BYTES }
}

/// The stacks of all engines of the process.
pub struct Stacks {
    /// Where stack 0 starts; 0 before the first use.
    base: AtomicUsize,
    /// Stacks below this number have been made accessible.
    made: AtomicU32,
    free: Mutex<Free>,
    large: Mutex<Large>,
}

/// The large stacks that nobody has.
struct Large {
    /// So many have been made accessible.
    made: u32,
    free: Vec<Stack>,
    /// Given back with their memory, which the cleaner takes.
    used: Vec<Stack>,
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
    large: Mutex::new(Large { made: 0, free: Vec::new(), used: Vec::new() }),
};

impl Stacks {
    /// Takes the address space, the first time.
    pub fn reserve(&self) -> Result<(), NoMemory> {
        let mut free = lock(&self.free);
        if self.base.load(Ordering::Relaxed) != 0 {
            return Ok(());
        }
        // Aligned to both halves together: the bit of the second half is clear in the first.
        let start = platform().reserve(2 * HALF_BYTES, 2 * HALF_BYTES)?;
        // Never grow again: giving a stack back does not allocate.
        free.stacks.reserve_exact(STACKS_MOST as usize);
        let mut large = lock(&self.large);
        large.free.reserve_exact(LARGE_MOST as usize);
        large.used.reserve_exact(LARGE_MOST as usize);
        drop(large);
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
        self.open(Stack(number))
    }

    /// Makes a stack accessible.
    fn open(&self, stack: Stack) -> Result<Stack, NoMemory> {
        let usable = NonNull::new((self.bottom(stack) + GUARD_BYTES) as *mut u8).ok_or(NoMemory)?;
        // SAFETY: the range is that stack's own part of our reservation, and nobody has it yet.
        unsafe { platform().protect(usable, stack.bytes() - GUARD_BYTES, Protection::ReadWrite)? };
        Ok(stack)
    }

    /// A large stack: one that was used, if there is one, else a new one, which costs a call of the platform.
    pub fn take_large(&self) -> Result<Stack, NoMemory> {
        let number = {
            let mut large = lock(&self.large);
            if let Some(stack) = large.free.pop() {
                return Ok(stack);
            }
            if let Some(stack) = large.used.pop() {
                return Ok(stack);
            }
            if large.made == LARGE_MOST {
                return Err(NoMemory);
            }
            large.made += 1;
            large.made - 1
        };
        self.open(Stack(STACKS_MOST + number))
    }

    /// Gives a stack back.
    pub fn put(&self, stack: Stack) {
        if !stack.is_large() {
            return lock(&self.free).stacks.push(stack);
        }
        lock(&self.large).used.push(stack);
        platform().wake_cleaner();
    }

    fn bottom(&self, stack: Stack) -> usize {
        // Acquire: pairs with `reserve`.
        let base = self.base.load(Ordering::Acquire);
        match stack.0.checked_sub(STACKS_MOST) {
            None => base + stack.0 as usize * STACK_BYTES,
            Some(large) => base + HALF_BYTES + large as usize * LARGE_BYTES,
        }
    }

    /// The upper end of a stack, aligned to 16.
    pub fn top(&self, stack: Stack) -> *mut u8 {
        (self.bottom(stack) + stack.bytes() - (stack.0 % COLOURS) as usize * COLOUR_BYTES) as *mut u8
    }

    /// How many stacks there are.
    pub fn made(&self) -> u32 {
        self.made.load(Ordering::Relaxed)
    }

    /// Whether an address lies in a stack's guard: somebody used more of it than there is.
    pub fn is_guard(&self, address: usize) -> bool {
        let base = self.base.load(Ordering::Acquire);
        let end = base + 2 * HALF_BYTES;
        (base..end).contains(&address) && address & (bytes_at(address) - 1) < GUARD_BYTES
    }

    /// Takes memory for the part of a free stack that is used first.
    fn populate(&self, stack: Stack) -> bool {
        let upper = self.bottom(stack) + STACK_BYTES - POPULATED_BYTES;
        NonNull::new(upper as *mut u8).is_some_and(|upper| platform().populate(upper, POPULATED_BYTES))
    }

    /// Makes stacks until `stock` are free, and takes the memory of those that have lain unused. For the cleaner. Returns
    /// whether it did something.
    pub fn clean(&self, stock: usize) -> bool {
        let mut busy = self.clean_large();
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
            self.discard(stack);
            let mut free = lock(&self.free);
            let cold = free.cold;
            free.stacks.insert(cold, stack);
            free.cold += 1;
            busy = true;
        }
        busy
    }

    /// Takes the memory of large stacks that were used. Returns whether there were any.
    fn clean_large(&self) -> bool {
        let mut busy = false;
        loop {
            let Some(stack) = lock(&self.large).used.pop() else { return busy };
            self.discard(stack);
            lock(&self.large).free.push(stack);
            busy = true;
        }
    }

    /// Takes the memory of a stack that nobody has and nobody can find.
    fn discard(&self, stack: Stack) {
        let usable = (self.bottom(stack) + GUARD_BYTES) as *mut u8;
        if let Some(usable) = NonNull::new(usable) {
            // SAFETY: the stack is the caller's, who took it out of the pool.
            unsafe { platform().discard(usable, stack.bytes() - GUARD_BYTES) };
        }
    }
}
