//! Ranges of programs' memory that were checked to lie inside: what the kernel moves messages between.

use core::sync::atomic::{AtomicU32, Ordering};

use alloc::vec::Vec;
use spin::Mutex;

/// The pages of a cell's memory that it may only load from: regions that it has mapped so. A store of ours there would fault in
/// the machine, so every store asks first.
#[derive(Debug, Default)]
pub struct ReadOnly {
    /// How many ranges there are; almost always none.
    count: AtomicU32,
    ranges: Mutex<Vec<(usize, usize)>>,
}

/// For memory that has no such pages.
static NOTHING: ReadOnly = ReadOnly { count: AtomicU32::new(0), ranges: Mutex::new(Vec::new()) };

impl ReadOnly {
    /// Notes a range of addresses that has become read-only.
    pub fn add(&self, start: usize, bytes: usize) {
        let mut ranges = self.ranges.lock();
        ranges.push((start, start + bytes));
        self.count.store(ranges.len() as u32, Ordering::SeqCst);
    }

    /// Forgets what lies in a range that has become writable.
    pub fn remove(&self, start: usize, bytes: usize) {
        let end = start + bytes;
        let mut ranges = self.ranges.lock();
        let mut rest = Vec::with_capacity(ranges.len() + 1);
        for (from, to) in ranges.drain(..) {
            rest.extend(
                [(from, to.min(start)), (from.max(end), to)].into_iter().filter(|(from, to)| from < to),
            );
        }
        *ranges = rest;
        self.count.store(ranges.len() as u32, Ordering::SeqCst);
    }

    /// Forgets all.
    pub fn clear(&self) {
        // Relaxed: who changed them held the lock of the cell's memory, which has been taken since.
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        self.ranges.lock().clear();
        self.count.store(0, Ordering::SeqCst);
    }

    /// Whether a range touches a read-only page.
    #[inline(always)]
    pub fn touches(&self, start: usize, bytes: usize) -> bool {
        // Relaxed: a program's pages change on its own thread, in a call; whoever stores into its memory on another core
        // got there through a lock of the kernel since.
        self.count.load(Ordering::Relaxed) != 0 && self.search(start, bytes)
    }

    #[cold]
    fn search(&self, start: usize, bytes: usize) -> bool {
        self.ranges.lock().iter().any(|(from, to)| start < *to && start + bytes > *from)
    }
}

/// Bytes of a word.
const WORD: usize = size_of::<u64>();

/// A range of a program's memory. What another program does to shared pages at the same time shows in the copy as it may; it is
/// bytes, whatever it is.
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    start: *mut u8,
    length: usize,
    read_only: *const ReadOnly,
}

// SAFETY: the range stays mapped as long as the call that brought it lasts (the kernel's contract), and it is only ever
// copied from and to.
unsafe impl Send for Bytes {}
// SAFETY: as above.
unsafe impl Sync for Bytes {}

impl Default for Bytes {
    fn default() -> Self {
        Self { start: core::ptr::dangling_mut(), length: 0, read_only: &raw const NOTHING }
    }
}

impl Bytes {
    /// A range of a program's memory.
    ///
    /// # Safety
    ///
    /// The range is mapped for loads, and for stores but where `read_only` says otherwise, as long as the value is used;
    /// `read_only` lives as long.
    #[inline(always)]
    pub unsafe fn new(start: *mut u8, length: usize, read_only: *const ReadOnly) -> Self {
        Self { start, length, read_only }
    }

    /// A range of a native program's memory, none of which is read-only to us.
    ///
    /// # Safety
    ///
    /// As [`Bytes::new`].
    #[inline(always)]
    pub unsafe fn native(start: *mut u8, length: usize) -> Self {
        Self { start, length, read_only: &raw const NOTHING }
    }

    /// How many bytes.
    #[inline(always)]
    pub fn length(self) -> usize {
        self.length
    }

    /// Whether a store somewhere into it would fault.
    #[inline(always)]
    pub fn is_read_only(self) -> bool {
        !self.writable(self.length)
    }

    /// Whether the front of it can be stored to.
    #[inline(always)]
    fn writable(self, length: usize) -> bool {
        // SAFETY: `new`'s caller promised that it lives.
        !unsafe { &*self.read_only }.touches(self.start as usize, length)
    }

    /// The first `length` bytes of it, if it has them.
    #[inline(always)]
    pub fn front(self, length: usize) -> Option<Self> {
        (length <= self.length).then_some(Self { length, ..self })
    }

    /// Copies the front of it to `to`, as much as both have.
    #[inline(always)]
    pub fn read(self, to: &mut [u8]) {
        let length = to.len().min(self.length);
        // SAFETY: both ranges have so many bytes.
        unsafe { copy(self.start, to.as_mut_ptr(), length) };
    }

    /// Copies `from` to the front of it, as much as both have; nothing if a program made that part read-only meanwhile, which
    /// only it can do and only it loses by.
    #[inline(always)]
    pub fn write(self, from: &[u8]) {
        let length = from.len().min(self.length);
        if self.writable(length) {
            // SAFETY: both ranges have so many bytes, and the target is writable.
            unsafe { copy(from.as_ptr(), self.start, length) };
        }
    }

    /// Takes all of it in words of 8 bytes, the last place first. Behind the end of the last one are zeros.
    #[inline(always)]
    pub fn read_words(self, mut take: impl FnMut(usize, u64)) {
        let (words, rest) = (self.length / WORD, self.length % WORD);
        if rest != 0 {
            let mut last = [0; WORD];
            // SAFETY: so many bytes are left behind the whole words.
            unsafe { copy(self.start.add(words * WORD), last.as_mut_ptr(), rest) };
            take(words, u64::from_le_bytes(last));
        }
        for place in (0..words).rev() {
            // SAFETY: a whole word of the range.
            take(place, unsafe { self.start.cast::<u64>().add(place).read_unaligned() });
        }
    }

    /// Copies words of 8 bytes to the front of it, `length` bytes or as much as it has; nothing if that is read-only, as in
    /// [`Bytes::write`].
    #[inline(always)]
    pub fn write_words(self, length: usize, give: impl Fn(usize) -> u64) {
        let length = length.min(self.length);
        if !self.writable(length) {
            return;
        }
        let (words, rest) = (length / WORD, length % WORD);
        for place in 0..words {
            // SAFETY: a whole word of the range, which is writable.
            unsafe { self.start.cast::<u64>().add(place).write_unaligned(give(place)) };
        }
        if rest != 0 {
            let last = give(words).to_le_bytes();
            // SAFETY: so many bytes are left behind the whole words.
            unsafe { copy(last.as_ptr(), self.start.add(words * WORD), rest) };
        }
    }

    /// Copies `length` bytes of it to the front of `to`, as much as both have; nothing if `to` is read-only, as in
    /// [`Bytes::write`].
    #[inline(always)]
    pub fn copy_to(self, to: Self, length: usize) {
        let length = length.min(self.length).min(to.length);
        if to.writable(length) {
            // SAFETY: both ranges have so many bytes, and the target is writable. They may overlap, where both are one
            // program's.
            unsafe { copy(self.start, to.start, length) };
        }
    }
}

/// Copies as `core::ptr::copy` does. A short message is copied here, in a few moves, as the call of a routine for any length would cost
/// more than they do; all loads come before all stores, so that the ranges may overlap.
///
/// # Safety
///
/// As `core::ptr::copy` of bytes.
#[inline(always)]
unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    /// A place of so many bytes, wherever it lies.
    type Sixteen = [u64; 2];

    /// Copies from both ends, in places that may overlap in the middle.
    ///
    /// # Safety
    ///
    /// As `copy`; there are at least as many bytes as in a `T`, and at most twice as many.
    #[inline(always)]
    unsafe fn from_both_ends<T>(from: *const u8, to: *mut u8, length: usize) {
        let last = length - size_of::<T>();
        // SAFETY: both places lie in both ranges.
        unsafe {
            let ends = (from.cast::<T>().read_unaligned(), from.add(last).cast::<T>().read_unaligned());
            to.cast::<T>().write_unaligned(ends.0);
            to.add(last).cast::<T>().write_unaligned(ends.1);
        }
    }

    // SAFETY: each is given a length within its bounds.
    unsafe {
        match length {
            32..=64 => from_both_ends::<[Sixteen; 2]>(from, to, length),
            16..=31 => from_both_ends::<Sixteen>(from, to, length),
            8..=15 => from_both_ends::<u64>(from, to, length),
            4..=7 => from_both_ends::<u32>(from, to, length),
            2..=3 => from_both_ends::<u16>(from, to, length),
            1 => to.write(from.read()),
            0 => {}
            _ => core::ptr::copy(from, to, length),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, ReadOnly, Vec, copy};

    #[test]
    fn words_of_every_length_are_taken_and_given_whole_and_nothing_beside_them() {
        let source: [u8; 100] = core::array::from_fn(|place| (place * 7 % 251) as u8 + 1);
        for (length, from, to) in (0..=88).flat_map(|length| [(length, 0, 3), (length, 5, 0)]) {
            let mut words = [u64::MAX; 11];
            let mut places = Vec::new();
            // SAFETY: the range lies in the array.
            let range = unsafe { Bytes::native(source.as_ptr().add(from).cast_mut(), length) };
            range.read_words(|place, word| {
                places.push(place);
                words[place] = word;
            });
            assert!(places.iter().copied().eq((0..length.div_ceil(8)).rev()), "{length} bytes: {places:?}");
            let (mut target, mut expected) = ([0; 100], [0; 100]);
            expected[to..to + length].copy_from_slice(&source[from..from + length]);
            // SAFETY: as above; longer than what is written.
            let range = unsafe { Bytes::native(target.as_mut_ptr().add(to), 95) };
            range.write_words(length, |place| words[place]);
            assert!(target == expected, "{length} bytes from {from} to {to}");
            // SAFETY: as above.
            let short = unsafe { Bytes::native(target.as_mut_ptr().add(to), length / 2) };
            target = [0; 100];
            expected[to + length / 2..].fill(0);
            short.write_words(length, |place| words[place]);
            assert!(target == expected, "{length} bytes where half of them fit");
        }
    }

    #[test]
    fn words_do_not_go_to_read_only_pages() {
        let (pages, mut target) = (ReadOnly::default(), [0_u8; 16]);
        let start = target.as_mut_ptr();
        pages.add(start as usize + 8, 8);
        // SAFETY: the array.
        let range = unsafe { Bytes::new(start, 16, &raw const pages) };
        range.write_words(9, |_| u64::MAX);
        assert_eq!(target, [0; 16]);
        range.write_words(8, |_| u64::MAX);
        assert_eq!(target[..8], [255; 8]);
    }

    #[test]
    fn every_length_is_copied_whole_and_nothing_beside_it_also_where_the_ranges_overlap() {
        for length in 0..200 {
            for (from, to) in [(0, 250), (250, 3), (7, 7), (10, 11), (11, 10), (10, 40), (40, 10)] {
                let mut bytes: [u8; 500] = core::array::from_fn(|place| (place * 7 % 251) as u8);
                let mut expected = bytes;
                expected.copy_within(from..from + length, to);
                let start = bytes.as_mut_ptr();
                // SAFETY: both ranges lie in the array.
                unsafe { copy(start.add(from), start.add(to), length) };
                assert!(bytes == expected, "{length} bytes from {from} to {to}");
            }
        }
    }

    #[test]
    fn a_hole_in_a_read_only_range_leaves_its_two_ends() {
        let pages = ReadOnly::default();
        assert!(!pages.touches(0, usize::MAX));
        pages.add(100, 300);
        pages.remove(200, 50);
        assert!(
            pages.touches(150, 51) && pages.touches(199, 1) && pages.touches(250, 1) && pages.touches(399, 9)
        );
        assert!(!pages.touches(200, 50) && !pages.touches(400, 9) && !pages.touches(90, 10));
        pages.clear();
        assert!(!pages.touches(150, 1));
    }
}
