//! Which parts of an address window are reserved, and by whom to look up.
//!
//! A linear memory reserves 4 GiB and its guards, and a machine lives long: what is released must be found
//! again, or the window's 2^46 bytes are gone after some 16,000 programs.

use alloc::collections::BTreeMap;
use core::ops::Range;

use x86_64::VirtAddr;

use crate::{MemoryError, PAGE_BYTES};

/// Reservations in one window of virtual addresses. Every reservation is followed by a page that nobody
/// gets, so that running over its end is a fault and never somebody else's memory.
#[derive(Debug)]
pub struct AddressRanges {
    window: Range<u64>,
    /// Start of each reservation → its bytes, without the page after it.
    reserved: BTreeMap<u64, u64>,
}

impl AddressRanges {
    /// Nothing is reserved yet between `start` and `start + bytes`.
    pub fn new(start: VirtAddr, bytes: u64) -> Self {
        Self { window: start.as_u64()..start.as_u64() + bytes, reserved: BTreeMap::new() }
    }

    /// Reserves `bytes`, rounded up to pages, at the lowest multiple of `alignment` where they fit.
    ///
    /// # Errors
    /// [`MemoryError::Unaligned`] for zero bytes, or an alignment that is no power of two or below a page;
    /// [`MemoryError::OutOfAddresses`].
    pub fn reserve(&mut self, bytes: u64, alignment: u64) -> Result<VirtAddr, MemoryError> {
        let bytes = bytes.checked_next_multiple_of(PAGE_BYTES).ok_or(MemoryError::Unaligned)?;
        if bytes == 0 || !alignment.is_power_of_two() || alignment < PAGE_BYTES {
            return Err(MemoryError::Unaligned);
        }
        let start =
            self.lowest_hole(bytes, alignment).ok_or(MemoryError::OutOfAddresses { needed_bytes: bytes })?;
        self.reserved.insert(start, bytes);
        Ok(VirtAddr::new_truncate(start))
    }

    /// Ends the reservation that starts at `start` and says how many bytes it had.
    ///
    /// # Errors
    /// [`MemoryError::NotReserved`] if none starts there, or if it is not `bytes` (rounded up) long:
    /// who releases a part of a reservation has lost track of it.
    pub fn release(&mut self, start: VirtAddr, bytes: u64) -> Result<u64, MemoryError> {
        let reserved_bytes = *self.reserved.get(&start.as_u64()).ok_or(MemoryError::NotReserved)?;
        if bytes.checked_next_multiple_of(PAGE_BYTES) != Some(reserved_bytes) {
            return Err(MemoryError::NotReserved);
        }
        self.reserved.remove(&start.as_u64());
        Ok(reserved_bytes)
    }

    /// Checks that `bytes` from `start`, rounded up to pages, lie inside one reservation, and returns them.
    ///
    /// # Errors
    /// [`MemoryError::Unaligned`], [`MemoryError::NotReserved`].
    pub fn inside(&self, start: VirtAddr, bytes: u64) -> Result<Range<VirtAddr>, MemoryError> {
        let start = start.as_u64();
        let bytes = bytes.checked_next_multiple_of(PAGE_BYTES).ok_or(MemoryError::Unaligned)?;
        if !start.is_multiple_of(PAGE_BYTES) || bytes == 0 {
            return Err(MemoryError::Unaligned);
        }
        let end = start.checked_add(bytes).ok_or(MemoryError::NotReserved)?;
        let (reserved_start, reserved_bytes) =
            self.reserved.range(..=start).next_back().ok_or(MemoryError::NotReserved)?;
        if end > reserved_start + reserved_bytes {
            return Err(MemoryError::NotReserved);
        }
        Ok(VirtAddr::new_truncate(start)..VirtAddr::new_truncate(end))
    }

    /// Reservations that are live.
    pub fn count(&self) -> usize {
        self.reserved.len()
    }

    fn lowest_hole(&self, bytes: u64, alignment: u64) -> Option<u64> {
        let needed = bytes.checked_add(PAGE_BYTES)?;
        let ends = self.reserved.keys().copied().chain([self.window.end]);
        let mut hole_start = self.window.start;
        for (hole_end, reserved_bytes) in ends.zip(self.reserved.values().copied().chain([0])) {
            let start = hole_start.next_multiple_of(alignment);
            if hole_end.checked_sub(start).is_some_and(|hole| hole >= needed) {
                return Some(start);
            }
            hole_start = hole_end + reserved_bytes + PAGE_BYTES;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: VirtAddr = VirtAddr::new_truncate(0x10_0000);

    fn ranges(pages: u64) -> AddressRanges {
        AddressRanges::new(START, pages * PAGE_BYTES)
    }

    #[test]
    fn neighbours_are_a_page_apart() {
        let mut ranges = ranges(100);
        let first = ranges.reserve(1, PAGE_BYTES).unwrap();
        let second = ranges.reserve(2 * PAGE_BYTES, PAGE_BYTES).unwrap();
        let third = ranges.reserve(PAGE_BYTES, PAGE_BYTES).unwrap();
        assert_eq!(first, START);
        assert_eq!(second - first, 2 * PAGE_BYTES);
        assert_eq!(third - second, 3 * PAGE_BYTES);
    }

    #[test]
    fn alignment_is_kept_and_what_it_skips_is_used_later() {
        let mut ranges = ranges(100);
        ranges.reserve(PAGE_BYTES, PAGE_BYTES).unwrap();
        let aligned = ranges.reserve(PAGE_BYTES, 16 * PAGE_BYTES).unwrap();
        assert!(aligned.is_aligned(16 * PAGE_BYTES));
        let between = ranges.reserve(PAGE_BYTES, PAGE_BYTES).unwrap();
        assert!(START < between && between < aligned);
        assert_eq!(ranges.reserve(PAGE_BYTES, 3 * PAGE_BYTES), Err(MemoryError::Unaligned));
        assert_eq!(ranges.reserve(PAGE_BYTES, 1), Err(MemoryError::Unaligned));
    }

    #[test]
    fn released_addresses_are_reserved_again() {
        let mut ranges = ranges(9);
        for _ in 0..1000 {
            let small = ranges.reserve(PAGE_BYTES, PAGE_BYTES).unwrap();
            let large = ranges.reserve(6 * PAGE_BYTES, PAGE_BYTES).unwrap();
            assert!(ranges.reserve(PAGE_BYTES, PAGE_BYTES).is_err());
            assert_eq!(ranges.release(small, 1), Ok(PAGE_BYTES));
            assert_eq!(ranges.release(large, 6 * PAGE_BYTES), Ok(6 * PAGE_BYTES));
        }
        assert_eq!(ranges.count(), 0);
    }

    #[test]
    fn the_last_reservation_also_has_its_guard_page() {
        let mut ranges = ranges(4);
        assert_eq!(
            ranges.reserve(4 * PAGE_BYTES, PAGE_BYTES),
            Err(MemoryError::OutOfAddresses { needed_bytes: 4 * PAGE_BYTES })
        );
        assert_eq!(ranges.reserve(3 * PAGE_BYTES, PAGE_BYTES), Ok(START));
    }

    #[test]
    fn only_a_whole_live_reservation_can_be_released() {
        let mut ranges = ranges(100);
        let start = ranges.reserve(4 * PAGE_BYTES, PAGE_BYTES).unwrap();
        for (at, bytes) in
            [(start, PAGE_BYTES), (start, 5 * PAGE_BYTES), (start + PAGE_BYTES, 3 * PAGE_BYTES)]
        {
            assert_eq!(ranges.release(at, bytes), Err(MemoryError::NotReserved));
        }
        assert!(ranges.release(start, 4 * PAGE_BYTES).is_ok());
        assert_eq!(ranges.release(start, 4 * PAGE_BYTES), Err(MemoryError::NotReserved));
    }

    #[test]
    fn a_range_counts_as_reserved_only_if_all_of_it_is() {
        let mut ranges = ranges(100);
        let start = ranges.reserve(4 * PAGE_BYTES, PAGE_BYTES).unwrap();
        ranges.reserve(4 * PAGE_BYTES, PAGE_BYTES).unwrap();
        assert_eq!(
            ranges.inside(start + PAGE_BYTES, 3 * PAGE_BYTES - 1),
            Ok(start + PAGE_BYTES..start + 4 * PAGE_BYTES)
        );
        assert_eq!(ranges.inside(start, 5 * PAGE_BYTES), Err(MemoryError::NotReserved));
        assert_eq!(ranges.inside(start + 4 * PAGE_BYTES, PAGE_BYTES), Err(MemoryError::NotReserved));
        assert_eq!(ranges.inside(START - PAGE_BYTES, PAGE_BYTES), Err(MemoryError::NotReserved));
        assert_eq!(ranges.inside(start + 1u64, PAGE_BYTES), Err(MemoryError::Unaligned));
        assert_eq!(ranges.inside(start, 0), Err(MemoryError::Unaligned));
        assert_eq!(ranges.inside(start, u64::MAX - PAGE_BYTES), Err(MemoryError::NotReserved));
        assert!(ranges.reserve(u64::MAX, PAGE_BYTES).is_err());
    }
}
