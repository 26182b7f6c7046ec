//! Which pages of a range have memory, from the system's page map of the process.
//!
//! Not `mincore`: it calls a page absent that was swapped out, and what is in it would live on in the next program's memory.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::ptr::NonNull;
use std::sync::OnceLock;

use hallows_engine::PAGE_BYTES;

use super::memory::count;

/// Bits of an entry (`Documentation/admin-guide/mm/pagemap.rst`): the page is present, or swapped out.
const HAS_MEMORY: u64 = 0b11 << 62;

/// Bytes of an entry.
const ENTRY_BYTES: usize = 8;

/// Entries that are read at once.
const WINDOW: usize = 256;

/// The page map, and whose it is; nothing where there is none.
static PAGE_MAP: OnceLock<Option<(File, u32)>> = OnceLock::new();

/// Opens the page map, which later may be out of reach (the machine process is jailed).
pub(super) fn open() {
    PAGE_MAP.get_or_init(|| Some((File::open("/proc/self/pagemap").ok()?, std::process::id())));
}

/// See `Platform::touched`.
pub(super) fn touched(start: NonNull<u8>, pages: &mut [u8]) -> bool {
    // Of another process after a fork it would tell of other pages.
    let Some(Some((file, _))) =
        PAGE_MAP.get().map(|map| map.as_ref().filter(|(_, id)| *id == std::process::id()))
    else {
        return false;
    };
    let mut entries = [0; WINDOW * ENTRY_BYTES];
    let mut page = start.as_ptr() as usize / PAGE_BYTES;
    for window in pages.chunks_mut(WINDOW) {
        let entries = &mut entries[..window.len() * ENTRY_BYTES];
        count();
        if file.read_exact_at(entries, (page * ENTRY_BYTES) as u64).is_err() {
            return false;
        }
        for (touched, entry) in window.iter_mut().zip(entries.as_chunks::<ENTRY_BYTES>().0) {
            *touched = u8::from(u64::from_ne_bytes(*entry) & HAS_MEMORY != 0);
        }
        page += window.len();
    }
    true
}
