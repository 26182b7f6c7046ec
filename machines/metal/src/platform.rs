//! The machine as the engine's platform: address space, pages, objects, traps, processor features.

use alloc::{boxed::Box, collections::BTreeMap, vec};
use core::{
    ptr::NonNull,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

use hallows_engine::{Aliasing, NoMemory, Platform, Protection, TrapHandler};
use hallows_kernel::Unmappable;
use hallows_metal_memory::MemoryError;
use spin::Mutex;
use x86_64::{PhysAddr, VirtAddr};

use crate::{
    arch::{exceptions, features},
    memory::{PAGE_BYTES, ranges, space},
};

/// The bare machine.
#[derive(Debug)]
pub struct Metal;

/// Objects by their numbers: the frames of each. The lock comes before that of the address space.
static OBJECTS: Mutex<BTreeMap<u64, Box<[PhysAddr]>>> = Mutex::new(BTreeMap::new());
static NEXT_OBJECT: AtomicU64 = AtomicU64::new(1);

/// The engine has work for its cleaner.
static CLEANING_WANTED: AtomicBool = AtomicBool::new(false);

/// Registers the machine as the engine's platform.
pub fn install() {
    hallows_engine::install(&Metal);
}

/// Whether the engine has asked for its cleaner since the last call.
pub fn take_cleaning_wish() -> bool {
    CLEANING_WANTED.swap(false, Ordering::SeqCst)
}

/// Whether the engine has asked for its cleaner.
pub fn is_cleaning_wanted() -> bool {
    CLEANING_WANTED.load(Ordering::SeqCst)
}

// SAFETY: each method changes exactly the pages of the range, checked to lie inside one reservation, before it returns; there is one
// core, and its cached translations are forgotten. That accessible pages come at their first touch is not to be seen.
unsafe impl Platform for Metal {
    fn reserve(&self, bytes: usize, alignment: usize) -> Result<NonNull<u8>, NoMemory> {
        let start = ranges().reserve(bytes as u64, alignment as u64).map_err(no_memory)?;
        NonNull::new(start.as_mut_ptr()).ok_or(NoMemory)
    }

    unsafe fn protect(
        &self,
        start: NonNull<u8>,
        bytes: usize,
        protection: Protection,
    ) -> Result<(), NoMemory> {
        let pages = ranges().inside(address(start), bytes as u64).map_err(no_memory)?;
        // SAFETY: the caller's promise.
        unsafe { space().protect(pages, ours(protection)) }.map_err(no_memory)
    }

    unsafe fn discard(&self, start: NonNull<u8>, bytes: usize) {
        let pages = ranges().inside(address(start), bytes as u64);
        let pages = pages.unwrap_or_else(|error| panic!("the engine discards what is not its own: {error}"));
        // SAFETY: the caller's promise.
        let renewed = unsafe { space().renew(pages, hallows_metal_memory::Protection::ReadWrite) };
        // It would need memory only for pages that show an object, and those are unaliased instead.
        renewed.unwrap_or_else(|error| panic!("the engine discards pages of an object: {error}"));
    }

    unsafe fn release(&self, start: NonNull<u8>, bytes: usize) {
        let pages = ranges().inside(address(start), bytes as u64);
        let pages = pages.unwrap_or_else(|error| panic!("the engine releases what is not its own: {error}"));
        // The addresses stay reserved until the pages are gone: nobody may get them with the old contents.
        // SAFETY: the caller gives up the range.
        unsafe { space().discard(pages) };
        let released = ranges().release(address(start), bytes as u64);
        released.unwrap_or_else(|error| panic!("the engine releases a part of a reservation: {error}"));
    }

    fn touched(&self, start: NonNull<u8>, pages: &mut [u8]) -> bool {
        let space = space();
        for (number, page) in (0..).zip(pages) {
            *page = u8::from(space.is_touched(address(start) + number * PAGE_BYTES));
        }
        true
    }

    fn create_object(&self, bytes: usize) -> Result<u64, Unmappable> {
        if bytes == 0 || !bytes.is_multiple_of(PAGE_BYTES as usize) {
            return Err(Unmappable::BadRange);
        }
        let pages = bytes / PAGE_BYTES as usize;
        // Refused before room for the list is made: nobody can have more frames than there are.
        if pages as u64 > space().available_and_total_frames().0 {
            return Err(Unmappable::NoMemory);
        }
        let mut frames = vec![PhysAddr::zero(); pages].into_boxed_slice();
        let mut objects = OBJECTS.lock();
        space().take_object(&mut frames).map_err(|_| Unmappable::NoMemory)?;
        // Relaxed: only the number is taken.
        let object = NEXT_OBJECT.fetch_add(1, Ordering::Relaxed);
        objects.insert(object, frames);
        Ok(object)
    }

    fn destroy_object(&self, object: u64) {
        let Some(frames) = OBJECTS.lock().remove(&object) else { return };
        // SAFETY: taken by `create_object`; without its number nobody can show it again.
        unsafe { space().drop_object(&frames) };
    }

    unsafe fn alias(
        &self,
        object: u64,
        start: NonNull<u8>,
        bytes: usize,
        aliasing: Aliasing,
    ) -> Result<(), Unmappable> {
        ranges().inside(address(start), bytes as u64).map_err(|_| Unmappable::BadRange)?;
        let objects = OBJECTS.lock();
        let frames = objects.get(&object).and_then(|frames| frames.get(..bytes / PAGE_BYTES as usize));
        let frames = frames.ok_or(Unmappable::BadRange)?;
        let protection = match aliasing {
            Aliasing::SharedRead => hallows_metal_memory::Protection::Read,
            Aliasing::SharedReadWrite => hallows_metal_memory::Protection::ReadWrite,
        };
        // SAFETY: the caller's promise; the object lives as long as its entry, which is locked.
        unsafe { space().show_object(address(start), frames, protection) }.map_err(|_| Unmappable::NoMemory)
    }

    unsafe fn unalias(&self, start: NonNull<u8>, bytes: usize) -> Result<(), NoMemory> {
        let pages = ranges().inside(address(start), bytes as u64).map_err(no_memory)?;
        // SAFETY: the caller's promise.
        unsafe { space().renew(pages, hallows_metal_memory::Protection::ReadWrite) }.map_err(no_memory)
    }

    fn install_traps(&self, handler: TrapHandler) {
        exceptions::set_trap_handler(handler);
    }

    fn has_cpu_feature(&self, name: &str) -> bool {
        features::has(name) == Some(true)
    }

    fn relax(&self, _looks: u32) {
        // On one core nobody can hold a lock that another waits for, so this is never called for long.
        core::hint::spin_loop();
    }

    fn wake_cleaner(&self) {
        CLEANING_WANTED.store(true, Ordering::SeqCst);
    }
}

fn address(pointer: NonNull<u8>) -> VirtAddr {
    VirtAddr::from_ptr(pointer.as_ptr())
}

const fn ours(protection: Protection) -> hallows_metal_memory::Protection {
    match protection {
        Protection::None => hallows_metal_memory::Protection::None,
        Protection::Read => hallows_metal_memory::Protection::Read,
        Protection::ReadWrite => hallows_metal_memory::Protection::ReadWrite,
        Protection::ReadExecute => hallows_metal_memory::Protection::ReadExecute,
    }
}

/// The engine asks no more than whether there is memory.
fn no_memory(_: MemoryError) -> NoMemory {
    NoMemory
}
