//! The memory of a wire: two rings, one for each direction, in a file that can neither grow nor shrink.

use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicU64;

use hallows_abi::ring::{BadLayout, Layout};
use hallows_sdk::packets::HEAD_BYTES;
use rustix::fs::{
    MemfdFlags, SealFlags, fallocate, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create,
};
use rustix::io::{Errno, pwrite};

use super::End;

/// Frames on their way in each direction: as many as a card's queue usually has room for.
pub(super) const FRAMES: u32 = 256;
/// Bytes that a frame carries behind its head: those of Ethernet.
pub const MTU: u32 = 1_500;
/// Bytes of a frame's place: the longest with its head, in lines of 64 bytes; an odd number of those, so that the fronts of places, which are what short
/// frames have, lie in all sets of a cache.
pub(super) const PLACE_BYTES: u32 = 25 * 64;
const _: () = assert!(MTU as usize + HEAD_BYTES <= PLACE_BYTES as usize);

const RING: Layout = match Layout::new(FRAMES, FRAMES as u64 * PLACE_BYTES as u64) {
    Ok(layout) => layout,
    Err(_) => panic!("no ring has this shape"),
};
const PAGE_BYTES: u64 = 4_096;
/// Bytes of each, in whole pages.
const RING_BYTES: usize = RING.region_bytes().next_multiple_of(PAGE_BYTES) as usize;
const RING_WORDS: usize = RING_BYTES / size_of::<u64>();
/// Bytes of both.
pub(super) const BYTES: usize = 2 * RING_BYTES;

/// That nobody may cut it, which would end with a bus error whoever reads it then.
const SEALS: SealFlags = SealFlags::SHRINK.union(SealFlags::GROW).union(SealFlags::SEAL);

/// The layout of each ring, and the words of the one whose client is this end.
pub(super) fn ring<W>(words: &[W], client: End) -> Result<(Layout, &[W]), BadLayout> {
    let (first, rest) = words.split_at_checked(RING_WORDS).ok_or(BadLayout::TooLarge)?;
    let second = rest.get(..RING_WORDS).ok_or(BadLayout::TooLarge)?;
    Ok((RING, if client == End::First { first } else { second }))
}

/// Writes two empty rings.
pub(super) fn clear(words: &[AtomicU64]) -> Result<(), BadLayout> {
    for end in [End::First, End::Second] {
        let (layout, words) = ring(words, end)?;
        layout.write(words)?;
    }
    Ok(())
}

/// A file with two empty rings.
///
/// # Errors
///
/// Linux's, as when there is no memory for it.
pub(crate) fn make() -> Result<OwnedFd, Errno> {
    let file = memfd_create(c"hallows-wire", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&file, BYTES as u64)?;
    // All of its pages: one that cannot be had later would end a machine with a bus error.
    fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, BYTES as u64)?;
    let words: Vec<AtomicU64> = (0..BYTES / size_of::<u64>()).map(|_| AtomicU64::new(0)).collect();
    // It has room for them.
    clear(&words).map_err(|_| Errno::INVAL)?;
    let bytes: Vec<u8> = words.into_iter().flat_map(|word| word.into_inner().to_ne_bytes()).collect();
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        written += pwrite(&file, rest, written as u64)?;
    }
    fcntl_add_seals(&file, SEALS)?;
    Ok(file)
}

/// Whether a file can be a wire's memory: one in memory, as large as it must be, for good.
pub(super) fn is_memory(file: &OwnedFd) -> bool {
    let has_seals = fcntl_get_seals(file).is_ok_and(|seals| seals.contains(SEALS - SealFlags::SEAL));
    has_seals && fstat(file).is_ok_and(|status| u64::try_from(status.st_size) == Ok(BYTES as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_could_be_cut_or_is_of_another_size_is_none_of_a_wire() {
        assert!(is_memory(&make().unwrap()));
        let file = |bytes: u64, seals| {
            let file = memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
            ftruncate(&file, bytes).unwrap();
            fcntl_add_seals(&file, seals).unwrap();
            file
        };
        assert!(is_memory(&file(BYTES as u64, SEALS)));
        for seals in [SealFlags::empty(), SealFlags::SHRINK, SealFlags::GROW] {
            assert!(!is_memory(&file(BYTES as u64, seals)), "{seals:?}");
        }
        for bytes in [0, BYTES as u64 - 4_096, BYTES as u64 + 4_096] {
            assert!(!is_memory(&file(bytes, SEALS)), "{bytes}");
        }
        assert!(!is_memory(&std::fs::File::open("/dev/zero").unwrap().into()));
    }

    #[test]
    fn nobody_cuts_a_wires_memory() {
        let file = make().unwrap();
        assert_eq!(ftruncate(&file, 4_096), Err(Errno::PERM));
        assert_eq!(fcntl_add_seals(&file, SealFlags::WRITE), Err(Errno::PERM));
    }
}
