//! Machine code that is run where it lies: pages of an artefact become executable, and nothing of it is copied.

use alloc::sync::Arc;
use core::ptr::NonNull;

use wasmtime::CustomCodeMemory;

use crate::platform::{PAGE_BYTES, Protection, platform};

/// Makes pages executable by the platform, whoever mapped them.
struct InPlace;

/// For wasmtime's configuration.
pub(crate) fn in_place() -> Arc<dyn CustomCodeMemory> {
    Arc::new(InPlace)
}

/// Changes what may be done with code's pages.
fn protect(start: *const u8, bytes: usize, protection: Protection) -> wasmtime::Result<()> {
    let start = NonNull::new(start.cast_mut()).ok_or_else(|| wasmtime::Error::msg("code at address 0"))?;
    // wasmtime's lengths need not be whole pages; the rest of the last page is of the same artefact.
    let bytes = bytes.next_multiple_of(PAGE_BYTES);
    // SAFETY: wasmtime passes a module's text, which lies in its own mapping or in an artefact that `load_in_place` took; to both only
    // shared references are held.
    unsafe { platform().protect(start, bytes, protection) }
        .map_err(|_| wasmtime::Error::msg("the pages of the code cannot be made executable"))
}

impl CustomCodeMemory for InPlace {
    fn required_alignment(&self) -> usize {
        PAGE_BYTES
    }

    fn publish_executable(&self, start: *const u8, bytes: usize) -> wasmtime::Result<()> {
        protect(start, bytes, Protection::ReadExecute)
    }

    fn unpublish_executable(&self, start: *const u8, bytes: usize) -> wasmtime::Result<()> {
        protect(start, bytes, Protection::Read)
    }
}
