//! Windows of native programs: where regions are shown in the machine's own memory.
//!
//! A native program has no linear memory. Its windows are statics of atomic words, and it says where one is before it maps a region there. Nothing
//! is shown anywhere else, and in each window one region at a time: cells that run the same program have the same statics, and whoever
//! comes second is refused.

use core::ptr::NonNull;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use hallows_kernel::{Access, Unmappable};
use spin::Mutex;

use crate::lock::lock;
use crate::platform::{Aliasing, PAGE_BYTES, platform};

/// All windows that were told of, by their addresses. They are statics: none ever goes.
static WINDOWS: Mutex<BTreeMap<usize, Window>> = Mutex::new(BTreeMap::new());

struct Window {
    bytes: usize,
    /// Some cell shows a region there.
    is_taken: bool,
}

/// Notes where a window is. What is no whole pages is none.
///
/// # Safety
///
/// The range is whole pages of a static that holds atomic words only, of any values: other pages may stand there at any time from now on.
pub(crate) unsafe fn tell(start: usize, bytes: usize) {
    if start == 0 || bytes == 0 || !start.is_multiple_of(PAGE_BYTES) || !bytes.is_multiple_of(PAGE_BYTES) {
        return;
    }
    lock(&WINDOWS).entry(start).or_insert(Window { bytes, is_taken: false });
}

/// A region in a window: zeroes stand there again when this is dropped.
struct Shown {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: the address of a window, which belongs to no thread.
unsafe impl Send for Shown {}

impl Shown {
    fn show(start: usize, bytes: usize, region: u64, access: Access) -> Result<Self, Unmappable> {
        let mut windows = lock(&WINDOWS);
        let window = windows.get_mut(&start).ok_or(Unmappable::BadRange)?;
        if window.is_taken || bytes > window.bytes {
            return Err(Unmappable::BadRange);
        }
        let start =
            NonNull::new(core::ptr::with_exposed_provenance_mut(start)).ok_or(Unmappable::BadRange)?;
        let aliasing = match access {
            Access::Read => Aliasing::SharedRead,
            Access::ReadWrite => Aliasing::SharedReadWrite,
        };
        // SAFETY: whole pages of a window, of which `tell`'s caller promised that any may stand there.
        unsafe { platform().alias(region, start, bytes, aliasing) }?;
        window.is_taken = true;
        Ok(Self { start, bytes })
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        let mut windows = lock(&WINDOWS);
        // SAFETY: as in `show`.
        let hidden = unsafe { platform().unalias(self.start, self.bytes) };
        // Where the machine could not take the region out, nobody else is shown that place.
        if hidden.is_ok()
            && let Some(window) = windows.get_mut(&self.start.as_ptr().expose_provenance())
        {
            window.is_taken = false;
        }
    }
}

/// What a native cell shows.
#[derive(Default)]
pub(crate) struct Windows(Vec<Shown>);

impl Windows {
    /// Shows a region from an address, or no longer; see `Engine::map_region`.
    pub fn map(&mut self, address: u64, bytes: u64, region: Option<(u64, Access)>) -> Result<(), Unmappable> {
        let address = usize::try_from(address).map_err(|_| Unmappable::BadRange)?;
        let bytes = usize::try_from(bytes).map_err(|_| Unmappable::BadRange)?;
        if bytes == 0 || !bytes.is_multiple_of(PAGE_BYTES) {
            return Err(Unmappable::BadRange);
        }
        match region {
            Some((region, access)) => self.0.push(Shown::show(address, bytes, region, access)?),
            None => self.0.retain(|shown| shown.start.as_ptr().expose_provenance() != address),
        }
        Ok(())
    }
}
