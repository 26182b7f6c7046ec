//! Further threads of native programs, and what threads keep: the calls of `hallows_sdk::thread` where it is linked in.

use core::sync::atomic::{AtomicU32, Ordering};

use hallows_abi::THREAD_IS_OVER;
use hallows_kernel::{Context, Ended, Kernel, Machine, Patience};

use crate::WasmEngine;
use crate::native::{calling, enter};

/// A thread's function, with the address that it was started with.
pub(crate) type NativeFunction = unsafe extern "C-unwind" fn(*const ());

/// What a thread keeps for the program that it runs: an address.
pub(crate) struct Kept {
    block: *const (),
    /// Called with it when the thread is over.
    release: Option<NativeFunction>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { block: core::ptr::null(), release: None }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: the program gave both for this; the thread is over, so it is not used any more. It makes no calls.
            unsafe { release(self.block) };
        }
    }
}

/// A further thread.
pub(crate) struct NativeThread {
    function: NativeFunction,
    kept: Kept,
}

impl NativeThread {
    pub fn new(function: NativeFunction, block: usize) -> Self {
        Self { function, kept: Kept { block: core::ptr::with_exposed_provenance(block), release: None } }
    }

    /// Runs it from start to end, and says in its block that it is over: whatever ended it, as the program waits for that.
    pub fn run<M: Machine>(
        &mut self,
        kernel: &Kernel<WasmEngine<M>>,
        context: &mut Context,
    ) -> Result<(), Ended> {
        let (function, block) = (self.function, self.kept.block);
        // SAFETY: the program gave the function for this address, once.
        let result = enter(kernel, context, &mut self.kept, || unsafe { function(block) });
        self.is_over(kernel, context);
        result
    }

    /// Says in its block that it is over, or will never run: nothing of the block is used any more.
    pub fn is_over<M: Machine>(&self, kernel: &Kernel<WasmEngine<M>>, context: &mut Context) {
        let block = self.kept.block;
        // SAFETY: the block begins with this word, and is there until the word says that the thread is over.
        let word = unsafe { AtomicU32::from_ptr(block.cast_mut().cast()) };
        // Release: whoever sees it sees what the thread did.
        word.store(THREAD_IS_OVER, Ordering::Release);
        kernel.engine.native_sleepers.notify(kernel, context, block.addr(), u32::MAX);
    }
}

/// Whether a word is as it is expected to be.
///
/// # Safety
///
/// The word is there, and all others use it as an atomic as well.
pub(crate) unsafe fn is_there(word: *const u32, expected: u32) -> bool {
    // SAFETY: the caller's promise. SeqCst: as the instruction of WebAssembly.
    unsafe { AtomicU32::from_ptr(word.cast_mut()) }.load(Ordering::SeqCst) == expected
}

/// Starts a further thread of the calling cell: its number.
///
/// # Safety
///
/// The function may be called once with this block, on any thread. The block begins with a 32-bit word, which becomes `THREAD_IS_OVER` behind that,
/// and stays until then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hallows_native_thread_start(function: NativeFunction, block: *const ()) -> i64 {
    calling(|calls| calls.start_thread(function, block))
}

/// What the calling thread keeps: of a further one the address that it was started with. Null if nothing.
#[unsafe(no_mangle)]
pub extern "C" fn hallows_native_thread_block() -> *const () {
    let mut block = core::ptr::null();
    calling(|calls| {
        block = calls.kept().block;
        Ok(0)
    });
    block
}

/// Lets the calling thread keep an address.
///
/// # Safety
///
/// The function may be called once with it when the thread is over, on any thread, and makes no calls.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hallows_native_thread_keep(block: *const (), release: NativeFunction) {
    calling(|calls| {
        *calls.kept() = Kept { block, release: Some(release) };
        Ok(0)
    });
}

/// `atomic_wait32` of a native program, until a deadline as the other calls have it; if `is_endless` is not 0, also when its cell is being ended.
///
/// # Safety
///
/// The word is there as long as this lasts, and all use it as an atomic.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hallows_native_wait_by(
    word: *const u32,
    expected: u32,
    is_endless: u32,
    deadline: i64,
) -> i64 {
    let patience = if is_endless == 0 { Patience::UntilKilled } else { Patience::Endless };
    calling(|calls| calls.wait_by(word, expected, patience, deadline))
}

/// `atomic_notify` of a native program. The word need not be there any more.
#[unsafe(no_mangle)]
pub extern "C" fn hallows_native_notify(word: *const u32, most: u32) -> i64 {
    calling(|calls| calls.notify(word, most))
}
