//! What threads call: imports of a WebAssembly module, functions of the engine.

use core::sync::atomic::AtomicU32;

use hallows_abi::Error;

use super::block::Block;
use crate::Deadline;
use crate::call::decode;

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// Somebody notified, or the word was another one.
    Woken,
    /// By its deadline.
    Late,
}

/// How long a wait lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Until the cell is ended.
    UntilKilled,
    /// Also natively until it is woken, for what a program cannot return without. (As WebAssembly, whoever is ended never runs again.)
    Endless,
}

/// Waits as long as a word is as it is expected to be and nobody [`notify`]s, or until a deadline.
///
/// # Errors
///
/// [`Error::Killed`] if it is to notice; [`Error::NotInHandler`].
pub fn wait_by(
    word: &AtomicU32,
    expected: u32,
    patience: Patience,
    deadline: Deadline,
) -> Result<Waited, Error> {
    wait(word, expected, patience, deadline)
}

#[cfg(target_arch = "wasm32")]
mod import {
    #[link(wasm_import_module = "hallows")]
    unsafe extern "C" {
        pub fn thread_start(stack: u32, block: u32) -> i64;
        pub safe fn thread_block() -> u32;
        pub fn atomic_wait32(address: u32, expected: u32, timeout_ns: i64) -> i32;
        pub fn atomic_notify(address: u32, most: u32) -> u32;
    }
}

/// The address of a value in linear memory, which has 32 bits.
#[cfg(target_arch = "wasm32")]
fn address<T>(pointer: *const T) -> u32 {
    pointer.expose_provenance() as u32
}

#[cfg(target_arch = "wasm32")]
fn wait(word: &AtomicU32, expected: u32, _: Patience, deadline: Deadline) -> Result<Waited, Error> {
    const LATE: i32 = 2;
    let timeout_ns = match deadline {
        Deadline::NEVER => -1,
        Deadline::PASSED => 0,
        deadline => deadline.nanoseconds().saturating_sub(crate::sys::now()?).cast_signed(),
    };
    // SAFETY: the word is alive, and the engine only reads it.
    let ended = unsafe { import::atomic_wait32(address(word), expected, timeout_ns) };
    Ok(if ended == LATE { Waited::Late } else { Waited::Woken })
}

/// Wakes at most so many of those that wait by a word.
#[cfg(target_arch = "wasm32")]
pub fn notify(word: *const AtomicU32, most: u32) {
    // SAFETY: the engine does not touch the word, which may be gone already.
    unsafe { import::atomic_notify(address(word), most) };
}

/// Starts a thread: its number.
///
/// # Safety
///
/// The block stays where it is until it says that the thread is over.
#[cfg(target_arch = "wasm32")]
pub(super) unsafe fn start_thread(block: &Block) -> Result<u32, Error> {
    // SAFETY: the stack is the block's own, and the block stays.
    let started = unsafe { import::thread_start(address(block.stack_top()), address(block)) };
    decode(started).map(|number| number as u32)
}

/// The calling thread's block; null of the first thread, until it keeps one.
#[cfg(target_arch = "wasm32")]
pub(super) fn own_block() -> *const Block {
    core::ptr::with_exposed_provenance(import::thread_block() as usize)
}

/// A further thread, as the engine calls it.
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
extern "C" fn hallows_thread(block: *const Block) {
    // SAFETY: the engine passes what `start_thread` gave it, once.
    unsafe { Block::run(block) }
}

/// A function that the engine calls with what it was given for it. A panic goes through it where programs are tested.
#[cfg(not(target_arch = "wasm32"))]
type Function = unsafe extern "C-unwind" fn(*const ());

#[cfg(not(target_arch = "wasm32"))]
mod import {
    use super::Function;

    unsafe extern "C" {
        pub fn hallows_native_thread_start(function: Function, block: *const ()) -> i64;
        pub safe fn hallows_native_thread_block() -> *const ();
        pub fn hallows_native_thread_keep(block: *const (), release: Function);
        pub fn hallows_native_wait_by(word: *const u32, expected: u32, is_endless: u32, deadline: i64)
        -> i64;
        pub safe fn hallows_native_notify(word: *const u32, most: u32) -> i64;
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn wait(word: &AtomicU32, expected: u32, patience: Patience, deadline: Deadline) -> Result<Waited, Error> {
    const LATE: i64 = 2;
    let is_endless = u32::from(patience == Patience::Endless);
    // SAFETY: the word is alive, and the engine only reads it, as an atomic.
    let ended =
        unsafe { import::hallows_native_wait_by(word.as_ptr(), expected, is_endless, deadline.argument()) };
    decode(ended).map(|ended| if ended == LATE { Waited::Late } else { Waited::Woken })
}

/// Wakes at most so many of those that wait by a word.
#[cfg(not(target_arch = "wasm32"))]
pub fn notify(word: *const AtomicU32, most: u32) {
    // Whoever is being ended wakes others all the same; outside of a machine nobody waits.
    let _ = import::hallows_native_notify(word.cast(), most);
}

/// Starts a thread: its number.
///
/// # Safety
///
/// The block stays where it is until it says that the thread is over.
#[cfg(not(target_arch = "wasm32"))]
pub(super) unsafe fn start_thread(block: &Block) -> Result<u32, Error> {
    unsafe extern "C-unwind" fn run(block: *const ()) {
        // SAFETY: the engine passes what `start_thread` gave it, once.
        unsafe { Block::run(block.cast()) }
    }
    // SAFETY: the block stays.
    let started = unsafe { import::hallows_native_thread_start(run, (&raw const *block).cast()) };
    decode(started).map(|number| number as u32)
}

/// The calling thread's block. The first one's is made when it is asked for, and ends with the thread.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn own_block() -> *const Block {
    unsafe extern "C-unwind" fn release(block: *const ()) {
        // SAFETY: it came out of a box, below, and its thread is over.
        drop(unsafe { alloc::boxed::Box::from_raw(block.cast::<Block>().cast_mut()) });
    }
    let block = import::hallows_native_thread_block();
    if !block.is_null() {
        return block.cast();
    }
    let block = alloc::boxed::Box::into_raw(alloc::boxed::Box::new(Block::first()));
    // SAFETY: the block lives until it is released.
    unsafe { import::hallows_native_thread_keep(block.cast(), release) };
    block
}
