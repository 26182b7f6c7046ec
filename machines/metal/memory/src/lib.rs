//! Memory of a bare x86_64 machine: which frames are free, which addresses are taken, what maps where.
//!
//! No hardware is touched here except through two things that the caller supplies: the *direct map* (where
//! physical memory can be read and written) and a function that forgets cached translations. So the same
//! code that builds a machine's page tables runs in ordinary unit tests, on a buffer that plays physical memory.
//!
//! Two rules hold for every mapping that this crate makes:
//!
//! * **W^X.** A page is never writable and executable; and while a frame is executable at one address, its
//!   place in the direct map is read-only.
//! * **All or nothing.** An operation that runs out of frames has changed no page.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_op_in_unsafe_fn)]

extern crate alloc;

mod address_ranges;
mod direct_map;
mod error;
mod frames;
mod page_state;
mod page_tables;
mod protection;
mod regions;
#[cfg(test)]
mod simulated;
mod space;

pub use address_ranges::AddressRanges;
pub use direct_map::DirectMap;
pub use error::MemoryError;
pub use frames::FrameAllocator;
pub use page_tables::{Leaf, PageTables};
pub use protection::Protection;
pub use regions::{MAX_REGIONS, Region, RegionList, usable_regions};
pub use space::{Access, Space};

/// Bytes of a page and of a frame: the smallest that the hardware maps (Intel SDM vol. 3, 4.5).
pub const PAGE_BYTES: u64 = 4096;

/// Bytes that one entry of a page directory maps, and so one leaf table.
pub const LARGE_PAGE_BYTES: u64 = 2 << 20;
