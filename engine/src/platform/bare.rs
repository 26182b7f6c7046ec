//! A platform for this crate's own tests: it has no memory to map, so nothing can run on it; `machines/linux` has the tests of that.

use core::ptr::NonNull;

use hallows_kernel::Unmappable;

use super::{Aliasing, NoMemory, Platform, Protection, TrapHandler};

struct Bare;

/// Registers it.
pub fn install() {
    super::install(&Bare);
}

// SAFETY: it refuses everything that would have to be done right.
unsafe impl Platform for Bare {
    fn reserve(&self, _: usize, _: usize) -> Result<NonNull<u8>, NoMemory> {
        Err(NoMemory)
    }

    unsafe fn protect(&self, _: NonNull<u8>, _: usize, _: Protection) -> Result<(), NoMemory> {
        Err(NoMemory)
    }

    unsafe fn discard(&self, _: NonNull<u8>, _: usize) {}

    unsafe fn release(&self, _: NonNull<u8>, _: usize) {}

    fn touched(&self, _: NonNull<u8>, _: &mut [u8]) -> bool {
        false
    }

    fn create_object(&self, _: usize) -> Result<u64, Unmappable> {
        Err(Unmappable::Unsupported)
    }

    fn destroy_object(&self, _: u64) {}

    unsafe fn alias(&self, _: u64, _: NonNull<u8>, _: usize, _: Aliasing) -> Result<(), Unmappable> {
        Err(Unmappable::Unsupported)
    }

    unsafe fn unalias(&self, _: NonNull<u8>, _: usize) -> Result<(), NoMemory> {
        Err(NoMemory)
    }

    fn install_traps(&self, _: TrapHandler) {}

    fn has_cpu_feature(&self, _: &str) -> bool {
        false
    }

    fn relax(&self, _: u32) {
        core::hint::spin_loop();
    }
}
