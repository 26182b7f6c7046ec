//! The tree on a buffer that plays physical memory.

use super::*;
use crate::simulated::PhysicalMemory;

const DATA: PageTableFlags =
    PageTableFlags::PRESENT.union(PageTableFlags::WRITABLE).union(PageTableFlags::NO_EXECUTE);
const HIGH: VirtAddr = VirtAddr::new_truncate(0xffff_8000_0000_0000);

#[test]
fn what_is_mapped_is_found_in_both_halves() {
    let memory = PhysicalMemory::new(64);
    let mut frames = memory.frames();
    let mut tables = PageTables::new(memory.direct_map(), &mut frames).unwrap();
    for (page, frame) in
        [(VirtAddr::new(0x1000), 0x7000), (HIGH, 0x8000), (VirtAddr::new(u64::MAX - 4095), 0x9000)]
    {
        tables.map(page, PhysAddr::new(frame), DATA, &mut frames).unwrap();
        let leaf = tables.translate(page + 0xabcu64).unwrap();
        assert_eq!((leaf.page, leaf.frame.as_u64(), leaf.bytes), (page, frame, PAGE_BYTES));
    }
    assert_eq!(tables.translate(VirtAddr::new(0x2000)), None);
    let mut seen = Vec::new();
    tables.for_each_leaf(&mut |leaf| seen.push(leaf.frame.as_u64()));
    assert_eq!(seen, [0x7000, 0x8000, 0x9000]);
}

#[test]
fn a_large_page_splits_into_the_same_small_ones() {
    let memory = PhysicalMemory::new(64);
    let mut frames = memory.frames();
    let mut tables = PageTables::new(memory.direct_map(), &mut frames).unwrap();
    tables.map_large(HIGH, PhysAddr::new(4 * LARGE_PAGE_BYTES), DATA, &mut frames).unwrap();
    let inside = HIGH + 5 * PAGE_BYTES;
    assert_eq!(tables.translate(inside).unwrap().bytes, LARGE_PAGE_BYTES);
    tables.split_large(inside, &mut frames).unwrap();
    for index in 0..ENTRIES {
        let leaf = tables.translate(HIGH + index * PAGE_BYTES).unwrap();
        assert_eq!(leaf.frame.as_u64(), 4 * LARGE_PAGE_BYTES + index * PAGE_BYTES);
        assert_eq!((leaf.bytes, leaf.flags), (PAGE_BYTES, DATA));
    }
}

#[test]
fn mapping_a_small_page_into_a_large_one_keeps_the_others() {
    let memory = PhysicalMemory::new(64);
    let mut frames = memory.frames();
    let mut tables = PageTables::new(memory.direct_map(), &mut frames).unwrap();
    tables.map_large(HIGH, PhysAddr::new(0), DATA, &mut frames).unwrap();
    tables.map(HIGH + PAGE_BYTES, PhysAddr::new(0x5_0000_0000), DATA, &mut frames).unwrap();
    assert_eq!(tables.translate(HIGH + PAGE_BYTES).unwrap().frame.as_u64(), 0x5_0000_0000);
    assert_eq!(tables.translate(HIGH + 2 * PAGE_BYTES).unwrap().frame.as_u64(), 2 * PAGE_BYTES);
}

#[test]
fn writable_and_executable_is_refused() {
    let memory = PhysicalMemory::new(8);
    let mut frames = memory.frames();
    let mut tables = PageTables::new(memory.direct_map(), &mut frames).unwrap();
    let both = PageTableFlags::PRESENT | PageTableFlags::WRITABLE;
    assert_eq!(
        tables.map(HIGH, PhysAddr::new(0), both, &mut frames),
        Err(MemoryError::WritableAndExecutable)
    );
}

#[test]
fn no_frame_for_a_table_is_an_error() {
    let memory = PhysicalMemory::new(3);
    let mut frames = memory.frames();
    let mut tables = PageTables::new(memory.direct_map(), &mut frames).unwrap();
    assert_eq!(
        tables.map(HIGH, PhysAddr::new(0), DATA, &mut frames),
        Err(MemoryError::OutOfFrames { needed: 1, free: 0 })
    );
}
