//! Linux as the engine's platform: address space, traps, processor features, and a way to wake the cleaner.

mod cleaner;
mod memory;
mod objects;
mod pages;
mod populate;
mod traps;

pub use cleaner::{is_wanted, stop_cleaning, wait_for_cleaning, wake as wake_cleaning};
pub use memory::system_calls;
pub use objects::region_bytes;
pub use populate::lock_populated;
pub use traps::TrapStack;

use std::ptr::NonNull;

use hallows_engine::{Aliasing, NoMemory, Platform, Protection, TrapHandler};
use hallows_kernel::Unmappable;

/// How often a lock is looked at before its holder is given the processor: it may have been preempted by Linux.
const LOOKS_BEFORE_YIELD: u32 = 100;

/// The platform of a machine made of Linux threads.
#[derive(Debug)]
struct Linux;

/// Registers Linux as the engine's platform: before the process is jailed. Threads that run programs have a [`TrapStack`] each.
pub fn install() {
    pages::open();
    hallows_engine::install(&Linux);
}

// SAFETY: each method is the system call of that meaning; see the modules.
unsafe impl Platform for Linux {
    fn reserve(&self, bytes: usize, alignment: usize) -> Result<NonNull<u8>, NoMemory> {
        memory::reserve(bytes, alignment)
    }

    unsafe fn protect(
        &self,
        start: NonNull<u8>,
        bytes: usize,
        protection: Protection,
    ) -> Result<(), NoMemory> {
        if protection == Protection::None {
            populate::unlock(start, bytes);
        }
        // SAFETY: the caller's promise.
        unsafe { memory::protect(start, bytes, protection) }
    }

    unsafe fn discard(&self, start: NonNull<u8>, bytes: usize) {
        // SAFETY: the caller's promise.
        unsafe { memory::discard(start, bytes) }
    }

    unsafe fn release(&self, start: NonNull<u8>, bytes: usize) {
        // SAFETY: the caller's promise.
        unsafe { memory::release(start, bytes) }
    }

    fn populate(&self, start: NonNull<u8>, bytes: usize) -> bool {
        populate::populate(start, bytes)
    }

    fn touched(&self, start: NonNull<u8>, pages: &mut [u8]) -> bool {
        pages::touched(start, pages)
    }

    fn create_object(&self, bytes: usize) -> Result<u64, Unmappable> {
        objects::create(bytes)
    }

    fn destroy_object(&self, object: u64) {
        objects::destroy(object);
    }

    unsafe fn alias(
        &self,
        object: u64,
        start: NonNull<u8>,
        bytes: usize,
        aliasing: Aliasing,
    ) -> Result<(), Unmappable> {
        // SAFETY: the caller's promise.
        unsafe { objects::alias(object, start, bytes, aliasing) }
    }

    unsafe fn unalias(&self, start: NonNull<u8>, bytes: usize) -> Result<(), NoMemory> {
        // SAFETY: the caller's promise.
        unsafe { memory::renew(start, bytes) }
    }

    fn install_traps(&self, handler: TrapHandler) {
        traps::install(handler);
    }

    fn has_cpu_feature(&self, name: &str) -> bool {
        match name {
            "sse3" => is_x86_feature_detected!("sse3"),
            "ssse3" => is_x86_feature_detected!("ssse3"),
            "sse4.1" => is_x86_feature_detected!("sse4.1"),
            "sse4.2" => is_x86_feature_detected!("sse4.2"),
            "popcnt" => is_x86_feature_detected!("popcnt"),
            "avx" => is_x86_feature_detected!("avx"),
            "avx2" => is_x86_feature_detected!("avx2"),
            "fma" => is_x86_feature_detected!("fma"),
            "bmi1" => is_x86_feature_detected!("bmi1"),
            "bmi2" => is_x86_feature_detected!("bmi2"),
            "lzcnt" => is_x86_feature_detected!("lzcnt"),
            _ => false,
        }
    }

    fn relax(&self, looks: u32) {
        if looks < LOOKS_BEFORE_YIELD {
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
    }

    fn wake_cleaner(&self) {
        cleaner::wake();
    }
}
