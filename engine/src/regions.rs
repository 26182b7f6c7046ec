//! Regions: pages shared between cells, shown in their memories in place of their own.

use core::ptr::NonNull;

use hallows_kernel::{Access, CellId, Machine, Unmappable};

use crate::WasmEngine;
use crate::cells::{Memory, MemoryPlace};
use crate::platform::{Aliasing, PAGE_BYTES, platform};
use crate::slots::SLOTS;

/// Makes a region; see `Engine::create_region`.
pub(crate) fn create(bytes: u64) -> Result<u64, Unmappable> {
    let bytes = usize::try_from(bytes).map_err(|_| Unmappable::BadRange)?;
    if bytes == 0 || !bytes.is_multiple_of(PAGE_BYTES) {
        return Err(Unmappable::BadRange);
    }
    platform().create_object(bytes)
}

/// Shows a region, or no longer; see `Engine::map_region`.
pub(crate) fn map<M: Machine>(
    engine: &WasmEngine<M>,
    cell: CellId,
    address: u64,
    bytes: u64,
    region: Option<(u64, Access)>,
) -> Result<(), Unmappable> {
    let entry = engine.cells.entry(cell);
    let mut place = entry.memory();
    let MemoryPlace { slot, shared, definition } = match place.as_mut().ok_or(Unmappable::Unsupported)? {
        Memory::Linear(place) => *place,
        #[cfg(feature = "native")]
        Memory::Native(windows) => return windows.map(address, bytes, region),
    };
    // SAFETY: it is alive as long as the entry says so, and the entry is locked.
    let memory = unsafe { &*definition };
    let end = address.checked_add(bytes).ok_or(Unmappable::BadRange)?;
    let aligned = [address, bytes].iter().all(|number| number.is_multiple_of(PAGE_BYTES as u64));
    if bytes == 0 || !aligned || end > memory.length() as u64 {
        return Err(Unmappable::BadRange);
    }
    let (address, bytes) = (address as usize, bytes as usize);
    let start = NonNull::new(memory.base.wrapping_add(address)).ok_or(Unmappable::BadRange)?;
    let Some((region, access)) = region else {
        // SAFETY: inside of the cell's memory; what it showed is gone for the program, which asked for that or whose
        // capability was revoked.
        unsafe { platform().unalias(start, bytes) }.map_err(|_| Unmappable::NoMemory)?;
        entry.read_only().remove(start.as_ptr() as usize, bytes);
        return Ok(());
    };
    if shared && access == Access::Read {
        // A thread may be inside of a call that has found the pages writable.
        return Err(Unmappable::Unsupported);
    }
    let aliasing = match access {
        Access::Read => Aliasing::SharedRead,
        Access::ReadWrite => Aliasing::SharedReadWrite,
    };
    SLOTS.note_alias(slot);
    if access == Access::Read {
        // Before the pages are: whoever stores for us asks first.
        entry.read_only().add(start.as_ptr() as usize, bytes);
    }
    // SAFETY: as above.
    let shown = unsafe { platform().alias(region, start, bytes, aliasing) };
    if shown.is_err() || access == Access::ReadWrite {
        entry.read_only().remove(start.as_ptr() as usize, bytes);
    }
    shown
}
