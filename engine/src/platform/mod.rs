//! The platform layer: the few things that the engine needs from what is below, the same on every machine.
//!
//! A machine implements [`Platform`] and registers it once, before the first engine is made. All of wasmtime's
//! platform symbols (`symbols`) and our pools of memories and stacks end here.

#[cfg(test)]
pub(crate) mod bare;
pub(crate) mod local;

use core::ptr::NonNull;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use hallows_kernel::Unmappable;

/// The page size that everything here assumes, in bytes: that of `x86_64`.
pub const PAGE_BYTES: usize = 4096;

/// What may be done with pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Nothing: every access faults.
    None,
    /// Loads.
    Read,
    /// Loads and stores.
    ReadWrite,
    /// Loads and instruction fetches. Nothing is ever writable and executable at once.
    ReadExecute,
}

/// How an object's pages are shown somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aliasing {
    /// The object's own pages, for loads.
    SharedRead,
    /// The object's own pages, for loads and stores.
    SharedReadWrite,
}

/// The machine has no memory or address space left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

/// Handles a trap of the processor: instruction pointer, frame pointer, whether an address comes with it, that address.
/// It does not return if the trap was WebAssembly's; if it returns, the trap was somebody else's.
pub type TrapHandler = extern "C" fn(ip: usize, fp: usize, has_address: bool, address: usize);

/// What a machine supplies to the engine. Addresses and lengths are multiples of [`PAGE_BYTES`].
///
/// # Safety
///
/// The engine maps machine code and relies on inaccessible pages for its isolation: an implementation must do exactly
/// what each method says, for every thread of the machine, before it returns.
pub unsafe trait Platform: Send + Sync {
    /// Takes address space of which every access faults, at a multiple of `alignment`. No memory is used yet.
    fn reserve(&self, bytes: usize, alignment: usize) -> Result<NonNull<u8>, NoMemory>;

    /// Changes what may be done with pages of a reservation. Pages that become accessible for the first time, or after
    /// [`Platform::discard`], hold zeroes; others keep their contents.
    ///
    /// # Safety
    ///
    /// The range lies in a reservation of the caller, and nobody holds a reference that the change makes wrong.
    unsafe fn protect(
        &self,
        start: NonNull<u8>,
        bytes: usize,
        protection: Protection,
    ) -> Result<(), NoMemory>;

    /// Gives the memory of accessible pages back; they stay accessible and hold zeroes.
    ///
    /// # Safety
    ///
    /// As [`Platform::protect`].
    unsafe fn discard(&self, start: NonNull<u8>, bytes: usize);

    /// Gives a whole reservation back.
    ///
    /// # Safety
    ///
    /// As [`Platform::protect`]; the range is one that [`Platform::reserve`] returned.
    unsafe fn release(&self, start: NonNull<u8>, bytes: usize);

    /// Takes memory for accessible pages now, and keeps it where the machine can; what is in them stays. Others may use the pages
    /// meanwhile. False where it was not taken: such pages get theirs when they are touched.
    fn populate(&self, start: NonNull<u8>, bytes: usize) -> bool {
        let _ = (start, bytes);
        false
    }

    /// Tells for each page from `start` on whether it may hold anything but zeroes, by a non-zero byte. False, and
    /// nothing told, where the machine cannot say.
    fn touched(&self, start: NonNull<u8>, pages: &mut [u8]) -> bool;

    /// Makes an object of so many bytes, zeroed, all of its memory taken now.
    fn create_object(&self, bytes: usize) -> Result<u64, Unmappable>;

    /// Lets go of an object. Its memory is free when nothing shows it any more.
    fn destroy_object(&self, object: u64);

    /// Shows the front of an object in place of the pages there.
    ///
    /// # Safety
    ///
    /// As [`Platform::protect`].
    unsafe fn alias(
        &self,
        object: u64,
        start: NonNull<u8>,
        bytes: usize,
        aliasing: Aliasing,
    ) -> Result<(), Unmappable>;

    /// Puts pages of our own there again: zeroed, for loads and stores.
    ///
    /// # Safety
    ///
    /// As [`Platform::protect`].
    unsafe fn unalias(&self, start: NonNull<u8>, bytes: usize) -> Result<(), NoMemory>;

    /// Lets every trap of the processor on any thread go to `handler` first, on a stack of its own. Called once.
    fn install_traps(&self, handler: TrapHandler);

    /// Whether the processor has this feature, by its Rust detection name (`"sse4.1"`).
    fn has_cpu_feature(&self, name: &str) -> bool;

    /// A turn of waiting for a lock that has been looked at so often: pause, or let the lock's holder run.
    fn relax(&self, looks: u32);

    /// There is work for [`crate::clean`]. Called seldom, also from programs' cores: it does not block.
    fn wake_cleaner(&self) {}
}

/// The machine's platform, as a `&'static dyn Platform` in its two halves: without `std` there is no lock-free cell for
/// one that is wider than a word.
static INSTALLED: AtomicPtr<&'static dyn Platform> = AtomicPtr::new(core::ptr::null_mut());
/// 0: nobody has tried; 1: somebody installs; 2: done.
static STATE: AtomicUsize = AtomicUsize::new(0);

/// Registers the machine's platform. Only the first call counts; every later one is ignored, as a process has one.
pub fn install(platform: &'static dyn Platform) {
    if STATE.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
        let cell = alloc::boxed::Box::leak(alloc::boxed::Box::new(platform));
        INSTALLED.store(cell, Ordering::SeqCst);
        STATE.store(2, Ordering::SeqCst);
    }
    while STATE.load(Ordering::SeqCst) != 2 {
        core::hint::spin_loop();
    }
}

/// Whether a machine has registered its platform.
pub(crate) fn is_installed() -> bool {
    !INSTALLED.load(Ordering::Acquire).is_null()
}

/// The machine's platform.
///
/// # Panics
///
/// If none is registered: an engine cannot be made without one, so nothing that calls this can exist before.
pub(crate) fn platform() -> &'static dyn Platform {
    // Acquire: what `install` wrote before is seen.
    let cell = INSTALLED.load(Ordering::Acquire);
    assert!(!cell.is_null(), "no platform is registered: call hallows_engine::install first");
    // SAFETY: `install` leaked the box that the pointer is to.
    unsafe { *cell }
}
