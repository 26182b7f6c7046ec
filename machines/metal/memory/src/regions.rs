//! Which pieces of physical memory are ours: the machine's memory map minus what is already in use.

use crate::{MemoryError, PAGE_BYTES};

/// Pieces that a machine's memory may consist of. QEMU's q35 has 2 to 3, a server's firmware some 20.
pub const MAX_REGIONS: usize = 64;

/// Physical addresses from `start` up to but not including `end`, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First address.
    pub start: u64,
    /// First address after it.
    pub end: u64,
}

impl Region {
    /// Bytes in the region.
    pub const fn bytes(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// The largest whole pages inside.
    const fn shrunk_to_pages(self) -> Self {
        Self { start: self.start.next_multiple_of(PAGE_BYTES), end: self.end - self.end % PAGE_BYTES }
    }

    /// The smallest whole pages around.
    const fn grown_to_pages(self) -> Self {
        Self { start: self.start - self.start % PAGE_BYTES, end: self.end.next_multiple_of(PAGE_BYTES) }
    }
}

/// Regions in ascending order that neither touch nor overlap what is reserved.
pub type RegionList = heapless::Vec<Region, MAX_REGIONS>;

/// Whole pages of `memory` that no region of `reserved` touches.
///
/// Entries may come in any order; firmware tables do. An address in two entries of `memory` is counted once.
///
/// # Errors
/// [`MemoryError::TooManyRegions`] if the answer does not fit a [`RegionList`].
pub fn usable_regions(
    memory: impl IntoIterator<Item = Region>,
    reserved: &[Region],
) -> Result<RegionList, MemoryError> {
    let mut usable = RegionList::new();
    for region in memory {
        // A firmware table may hold an entry that wraps around; it describes no memory.
        if region.end <= region.start || region.end > u64::MAX - PAGE_BYTES {
            continue;
        }
        let mut pieces = RegionList::new();
        push(&mut pieces, region.shrunk_to_pages())?;
        for hole in reserved.iter().filter(|hole| hole.bytes() > 0) {
            pieces = without(&pieces, hole.grown_to_pages())?;
        }
        // What an earlier entry already gave is not given twice.
        for earlier in &usable {
            pieces = without(&pieces, *earlier)?;
        }
        for piece in pieces {
            push(&mut usable, piece)?;
        }
    }
    usable.sort_unstable_by_key(|region| region.start);
    Ok(usable)
}

fn without(pieces: &RegionList, hole: Region) -> Result<RegionList, MemoryError> {
    let mut rest = RegionList::new();
    for piece in pieces {
        push(&mut rest, Region { start: piece.start, end: piece.end.min(hole.start) })?;
        push(&mut rest, Region { start: piece.start.max(hole.end), end: piece.end })?;
    }
    Ok(rest)
}

fn push(list: &mut RegionList, region: Region) -> Result<(), MemoryError> {
    if region.bytes() == 0 {
        return Ok(());
    }
    list.push(region).map_err(|_| MemoryError::TooManyRegions)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn region(start: u64, end: u64) -> Region {
        Region { start, end }
    }

    #[test]
    fn memory_is_cut_to_whole_pages() {
        let usable = usable_regions([region(0x1001, 0x3fff)], &[]).unwrap();
        assert_eq!(usable.as_slice(), [region(0x2000, 0x3000)]);
    }

    #[test]
    fn a_reserved_byte_takes_its_whole_page() {
        let usable = usable_regions([region(0x1000, 0x8000)], &[region(0x3800, 0x3801)]).unwrap();
        assert_eq!(usable.as_slice(), [region(0x1000, 0x3000), region(0x4000, 0x8000)]);
    }

    #[test]
    fn reservations_at_the_ends_and_outside_are_understood() {
        let reserved = [region(0, 0x2000), region(0x7000, 0x9000), region(0x10_0000, 0x20_0000)];
        let usable = usable_regions([region(0x1000, 0x8000)], &reserved).unwrap();
        assert_eq!(usable.as_slice(), [region(0x2000, 0x7000)]);
    }

    #[test]
    fn an_empty_reservation_reserves_nothing() {
        let usable = usable_regions([region(0x1000, 0x8000)], &[region(0x3000, 0x3000)]).unwrap();
        assert_eq!(usable.as_slice(), [region(0x1000, 0x8000)]);
    }

    #[test]
    fn overlapping_and_disordered_entries_count_once() {
        let memory = [region(0x8000, 0xa000), region(0x1000, 0x9000), region(0x5000, 0x5000)];
        let usable = usable_regions(memory, &[]).unwrap();
        let bytes: u64 = usable.iter().map(|region| region.bytes()).sum();
        assert_eq!(bytes, 0x9000);
        assert!(usable.windows(2).all(|pair| pair[0].end <= pair[1].start), "{usable:?}");
    }

    #[test]
    fn an_entry_that_wraps_around_is_no_memory() {
        assert_eq!(
            usable_regions([region(u64::MAX - 10, u64::MAX), region(0x9000, 0x1000)], &[]).unwrap().len(),
            0
        );
    }

    #[test]
    fn more_regions_than_fit_are_an_error() {
        let memory = (0..=MAX_REGIONS as u64).map(|index| region(index * 0x4000, index * 0x4000 + 0x1000));
        assert_eq!(usable_regions(memory, &[]), Err(MemoryError::TooManyRegions));
    }
}
