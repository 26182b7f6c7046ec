//! What the loader says: where memory is, what to run, and with which options.

use core::{alloc::Layout, fmt};

use hallows_metal_memory::{MAX_REGIONS, Region};
use pvh::start_info::{
    MemmapType,
    reader::{MemMap, StartInfoReader},
};

use crate::memory::{BOOT_MAPPED_BYTES, DIRECT_MAP};

/// Bytes of command line that are kept.
const COMMAND_LINE_BYTES: usize = 512;

/// The loader's words, copied out of memory that is about to be used otherwise.
#[derive(Debug)]
pub struct BootInformation {
    /// Ordinary memory, as the firmware's table has it.
    pub memory: heapless::Vec<Region, MAX_REGIONS>,
    /// The first module: files for the machine, see [`crate::image`].
    pub module: Option<Region>,
    /// Options, separated by blanks.
    pub command_line: heapless::String<COMMAND_LINE_BYTES>,
}

/// What the loader gave is no start info of a kind that this machine reads.
#[derive(Clone, Copy, Debug)]
pub enum BootError {
    /// The magic number is not there.
    NotPvh,
    /// No memory map: version 0 of the protocol has none.
    NoMemoryMap,
    /// More memory regions than fit.
    TooManyRegions,
    /// The command line is longer than is kept, or no UTF-8.
    CommandLine,
}

impl fmt::Display for BootError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPvh => write!(formatter, "the loader is no PVH loader; boot with QEMU's -kernel"),
            Self::NoMemoryMap => {
                write!(formatter, "the loader gives no memory map; PVH version 1 or newer is needed")
            }
            Self::TooManyRegions => write!(formatter, "more than {MAX_REGIONS} pieces of memory"),
            Self::CommandLine => {
                write!(
                    formatter,
                    "the command line must be UTF-8 and at most {COMMAND_LINE_BYTES} bytes long"
                )
            }
        }
    }
}

impl BootInformation {
    /// Reads what the loader left at a physical address.
    ///
    /// # Errors
    /// [`BootError`].
    ///
    /// # Safety
    /// The address is what the loader gave to the entry, nothing has been written to memory but this image's own, and the boot
    /// code's page tables are in use.
    pub unsafe fn read(start_info: u32) -> Result<Self, BootError> {
        // SAFETY: the caller vouches for the address; `BootMap` knows what the boot code's tables map.
        let start_info =
            unsafe { StartInfoReader::from_paddr(start_info, BootMap) }.ok_or(BootError::NotPvh)?;
        let mut memory = heapless::Vec::new();
        for entry in start_info.memmap().iter().filter(|entry| entry.ty() == MemmapType::Ram) {
            let region = Region { start: entry.addr, end: entry.addr.saturating_add(entry.size) };
            memory.push(region).map_err(|_| BootError::TooManyRegions)?;
        }
        if memory.is_empty() {
            return Err(BootError::NoMemoryMap);
        }
        let module = start_info.modlist().next().map(|module| {
            let raw = module.raw();
            Region { start: raw.paddr, end: raw.paddr.saturating_add(raw.size) }
        });
        let command_line =
            start_info.cmdline().unwrap_or_default().to_str().map_err(|_| BootError::CommandLine)?;
        let command_line = heapless::String::try_from(command_line).map_err(|_| BootError::CommandLine)?;
        Ok(Self { memory, module, command_line })
    }
}

/// Physical memory as the boot code's page tables show it.
struct BootMap;

impl MemMap for BootMap {
    fn ptr(&self, address: usize, layout: Layout) -> *const u8 {
        let inside = address.checked_add(layout.size()).is_some_and(|end| end as u64 <= BOOT_MAPPED_BYTES);
        if inside && address.is_multiple_of(layout.align()) {
            (DIRECT_MAP + address as u64).as_ptr()
        } else {
            core::ptr::null()
        }
    }
}
