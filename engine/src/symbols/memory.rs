//! wasmtime's memory: linear memories from the pool of slots, machine code from the platform.
//!
//! wasmtime makes a linear memory in two steps: an inaccessible mapping of [`SLOT_BYTES`], then access to its first
//! bytes. The first finds the slot that the engine chose for this program, the second finds the pages accessible already.

use core::ptr::NonNull;

use crate::platform::local::{self, Word};
use crate::platform::{NoMemory, PAGE_BYTES, Protection, platform};
use crate::slots::{SLOT_BYTES, SLOTS, SlotNumber};

/// What is given for "no" here; wasmtime only prints it. `ENOMEM` on Linux.
const NO_MEMORY: i32 = 12;

/// wasmtime's bits of a protection: readable, writable, executable.
fn protection(flags: u32) -> Option<Protection> {
    match flags {
        0 => Some(Protection::None),
        1 => Some(Protection::Read),
        3 => Some(Protection::ReadWrite),
        5 => Some(Protection::ReadExecute),
        // Writable and executable at once, or writable only: never.
        _ => None,
    }
}

fn status(result: Result<(), NoMemory>) -> i32 {
    result.map_or(NO_MEMORY, |()| 0)
}

/// Chooses the slot that the next memory made on this core goes to.
pub(crate) fn choose(slot: SlotNumber) {
    local::set::<{ Word::Slot as usize }>(slot.to_word());
}

/// Takes a chosen slot back that no memory was made in.
pub(crate) fn unchoose() -> Option<SlotNumber> {
    let word = local::get::<{ Word::Slot as usize }>();
    local::set::<{ Word::Slot as usize }>(core::ptr::null_mut());
    SlotNumber::from_word(word)
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_page_size() -> usize {
    PAGE_BYTES
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_mmap_new(bytes: usize, flags: u32, start: &mut *mut u8) -> i32 {
    let made = if bytes == SLOT_BYTES && flags == 0 {
        // Without a choice it is a memory that no program of ours has; it works all the same.
        unchoose().map_or_else(|| SLOTS.take_bare(), Ok).map(|slot| SLOTS.start(slot))
    } else {
        protection(flags).ok_or(NoMemory).and_then(|protection| map(bytes, protection))
    };
    match made {
        Ok(address) => {
            *start = address;
            0
        }
        Err(NoMemory) => NO_MEMORY,
    }
}

fn map(bytes: usize, protection: Protection) -> Result<*mut u8, NoMemory> {
    let start = platform().reserve(bytes, PAGE_BYTES)?;
    // SAFETY: the reservation is new and ours.
    if unsafe { platform().protect(start, bytes, protection) }.is_err() {
        // SAFETY: as above.
        unsafe { platform().release(start, bytes) };
        return Err(NoMemory);
    }
    Ok(start.as_ptr())
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_mmap_remap(start: *mut u8, bytes: usize, flags: u32) -> i32 {
    let (Some(address), Some(protection)) = (NonNull::new(start), protection(flags)) else {
        return NO_MEMORY;
    };
    // SAFETY: wasmtime passes a range of its own mapping and gives its contents up.
    status(unsafe {
        // Discarding needs access; what had none holds nothing.
        platform().protect(address, bytes, Protection::ReadWrite).and_then(|()| {
            platform().discard(address, bytes);
            platform().protect(address, bytes, protection)
        })
    })
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_munmap(start: *mut u8, bytes: usize) -> i32 {
    if bytes == SLOT_BYTES
        && let Some(slot) = SLOTS.find(start)
    {
        SLOTS.put(slot);
        return 0;
    }
    if let Some(address) = NonNull::new(start) {
        // SAFETY: wasmtime gives back a whole mapping that `wasmtime_mmap_new` made, and uses it no more.
        unsafe { platform().release(address, bytes) };
    }
    0
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_mprotect(start: *mut u8, bytes: usize, flags: u32) -> i32 {
    let (Some(address), Some(protection)) = (NonNull::new(start), protection(flags)) else {
        return NO_MEMORY;
    };
    // wasmtime's lengths of code need not be whole pages; the rest of the last page is its own too.
    let bytes = bytes.next_multiple_of(PAGE_BYTES);
    if let (Some(slot), Protection::ReadWrite) = (SLOTS.find(start), protection) {
        let offset = start as usize - SLOTS.memory(slot) as usize;
        return status(SLOTS.grow(slot, offset + bytes));
    }
    // SAFETY: wasmtime passes a range of its own mapping that it holds no wrong reference to.
    status(unsafe { platform().protect(address, bytes, protection) })
}

/// Images would be mapped copy-on-write; artefacts are compiled without them (`memory_init_cow=false`), so none is ever made.
#[unsafe(no_mangle)]
extern "C" fn wasmtime_memory_image_new(_bytes: *const u8, _length: usize, image: &mut *mut u8) -> i32 {
    *image = core::ptr::null_mut();
    0
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_memory_image_map_at(_image: *mut u8, _start: *mut u8, _bytes: usize) -> i32 {
    NO_MEMORY
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_memory_image_free(_image: *mut u8) {}
