//! The address space against a model of what its pages must be.

use std::{cell::Cell, collections::BTreeMap};

use super::*;
use crate::{page_state::access_flags, simulated::PhysicalMemory};

/// Frames of the simulated machine: 2 MiB, so that one large page shows them all.
const FRAMES: usize = 512;
/// An address range that crosses leaf tables.
const START: VirtAddr = VirtAddr::new_truncate(0x1000_0000_0000 + 510 * PAGE_BYTES);

thread_local! {
    static FORGOTTEN_PAGES: Cell<u64> = const { Cell::new(0) };
}

fn count_forgotten(range: Range<VirtAddr>) {
    FORGOTTEN_PAGES.with(|pages| pages.set(pages.get() + (range.end - range.start) / PAGE_BYTES));
}

/// A space whose direct map is in its own tables, by a large page, as on a machine.
fn space(memory: &PhysicalMemory) -> Space {
    let mut frames = memory.frames();
    let mut tables = PageTables::new(memory.direct_map(), &mut frames).unwrap();
    let window = memory.direct_map().virtual_address(PhysAddr::zero());
    tables.map_large(window, PhysAddr::zero(), Protection::ReadWrite.leaf_flags(), &mut frames).unwrap();
    let mut space = Space::new(tables, frames, count_forgotten);
    space.allow_sharing(vec![0; FRAMES].into_boxed_slice());
    space
}

fn pages(first: u64, count: u64) -> Range<VirtAddr> {
    START + first * PAGE_BYTES..START + (first + count) * PAGE_BYTES
}

fn page(number: u64) -> VirtAddr {
    pages(number, 1).start
}

// Nobody runs in the simulated address space, so nothing depends on it.
impl Space {
    fn test_protect(&mut self, range: Range<VirtAddr>, protection: Protection) -> Result<(), MemoryError> {
        // SAFETY: see above.
        unsafe { self.protect(range, protection) }
    }

    fn test_discard(&mut self, range: Range<VirtAddr>) {
        // SAFETY: see above.
        unsafe { self.discard(range) }
    }

    fn test_renew(&mut self, range: Range<VirtAddr>) {
        // SAFETY: see above.
        unsafe { self.renew(range, Protection::ReadWrite) }.unwrap();
    }

    fn test_show(&mut self, start: VirtAddr, object: &[PhysAddr]) -> Result<(), MemoryError> {
        // SAFETY: see above.
        unsafe { self.show_object(start, object, Protection::ReadWrite) }
    }

    fn test_drop(&mut self, object: &[PhysAddr]) {
        // SAFETY: the tests do it once.
        unsafe { self.drop_object(object) }
    }

    /// Makes pages accessible and touches them.
    fn test_fill(&mut self, range: Range<VirtAddr>, protection: Protection) {
        self.test_protect(range.clone(), protection).unwrap();
        self.populate(range);
    }

    fn frame_at(&self, page: VirtAddr) -> PhysAddr {
        self.tables.translate(page).unwrap().frame
    }

    fn is_direct_map_writable(&self, frame: PhysAddr) -> bool {
        self.tables.translate(self.tables.direct_map().virtual_address(frame)).unwrap().is_writable()
    }
}

#[test]
fn a_promise_is_kept_at_the_first_allowed_access() {
    let memory = PhysicalMemory::new(FRAMES);
    let mut space = space(&memory);
    space.test_protect(pages(0, 2), Protection::Read).unwrap();
    let promised = space.available();
    assert_eq!(space.tables().translate(START), None);
    assert!(!space.is_touched(START));

    assert!(!space.keep_promise(START, Access::Store), "a store to a page that is only read");
    assert!(!space.keep_promise(START, Access::Fetch));
    assert!(!space.keep_promise(page(2), Access::Load), "nothing was promised there");
    assert!(space.keep_promise(START + 123u64, Access::Load));
    assert!(!space.keep_promise(START, Access::Load), "a second fault there means something else");

    assert!(space.is_touched(START));
    assert!(!space.tables().translate(START).unwrap().is_writable());
    assert_eq!(space.available(), promised, "the frame was set aside before");
}

#[test]
fn contents_outlive_being_hidden_and_not_being_discarded() {
    let memory = PhysicalMemory::new(FRAMES);
    let mut space = space(&memory);
    space.test_fill(pages(0, 1), Protection::ReadWrite);
    let frame = space.frame_at(START);
    memory.frame_mut(frame)[7] = 42;

    space.test_protect(pages(0, 1), Protection::None).unwrap();
    assert_eq!(space.tables().translate(START), None);
    assert!(!space.keep_promise(START, Access::Load), "a hidden page is no promise");
    space.test_protect(pages(0, 1), Protection::Read).unwrap();
    let leaf = space.tables().translate(START).unwrap();
    assert_eq!((leaf.frame, leaf.is_writable(), memory.frame(frame)[7]), (frame, false, 42));

    space.test_discard(pages(0, 1));
    assert_eq!(space.tables().translate(START), None);
    space.test_fill(pages(0, 1), Protection::Read);
    assert_eq!(memory.frame(space.frame_at(START))[7], 0);
}

#[test]
fn renewed_pages_are_zero_and_cost_no_frame_until_touched() {
    let memory = PhysicalMemory::new(FRAMES);
    let mut space = space(&memory);
    space.test_fill(pages(0, 10), Protection::ReadWrite);
    memory.frame_mut(space.frame_at(page(3)))[0] = 1;
    let (available, free) = (space.available(), space.frames.free_count());
    space.test_renew(pages(0, 10));
    assert_eq!(space.frames.free_count(), free + 10);
    assert_eq!(space.available(), available, "the pages are still accessible, so their frames are promised");
    assert!(space.keep_promise(page(3), Access::Store));
    assert_eq!(memory.frame(space.frame_at(page(3)))[0], 0);
    // Hiding what holds zeroes lets the promise go.
    space.test_protect(pages(0, 10), Protection::None).unwrap();
    assert_eq!(space.available(), available + 9);
}

#[test]
fn an_executable_frame_is_writable_nowhere() {
    let memory = PhysicalMemory::new(FRAMES);
    let mut space = space(&memory);
    space.test_fill(pages(0, 4), Protection::ReadWrite);
    let frames: Vec<_> = (0..4).map(|number| space.frame_at(page(number))).collect();
    space.test_protect(pages(1, 2), Protection::ReadExecute).unwrap();
    let writable: Vec<_> = frames.iter().map(|frame| space.is_direct_map_writable(*frame)).collect();
    assert_eq!(writable, [true, false, false, true]);

    // Each way out of being executable gives the frame back to the direct map.
    space.test_protect(pages(1, 1), Protection::None).unwrap();
    space.test_discard(pages(2, 1));
    assert!(frames.iter().all(|frame| space.is_direct_map_writable(*frame)));
}

#[test]
fn an_untouched_page_is_never_executable() {
    let memory = PhysicalMemory::new(FRAMES);
    let mut space = space(&memory);
    space.test_protect(pages(0, 2), Protection::ReadExecute).unwrap();
    assert!(!space.keep_promise(START, Access::Fetch));
    assert!(space.keep_promise(START, Access::Load));
    assert!(!space.tables().translate(START).unwrap().is_executable());
}

#[test]
fn running_out_changes_nothing() {
    let memory = PhysicalMemory::new(FRAMES);
    let mut space = space(&memory);
    space.test_fill(pages(0, 1), Protection::Read);
    let available = space.available();
    for protection in [Protection::Read, Protection::ReadWrite, Protection::ReadExecute] {
        let refused = space.test_protect(pages(0, available + 1), protection);
        assert!(
            matches!(refused, Err(MemoryError::OutOfFrames { needed, .. }) if needed > available),
            "{refused:?}"
        );
        assert_eq!(space.available(), available);
        assert!(!space.keep_promise(page(1), Access::Load));
        assert!(!space.tables().translate(START).unwrap().is_executable());
    }
}

#[test]
fn all_that_is_promised_can_be_had() {
    let memory = PhysicalMemory::new(FRAMES);
    let mut space = space(&memory);
    let mut count = 0;
    // Page by page until it is refused, which takes the last frame that is not needed for a table.
    while space.test_protect(pages(count, 1), Protection::ReadWrite).is_ok() {
        count += 1;
    }
    assert!(count > FRAMES as u64 * 9 / 10, "{count}");
    for number in 0..count {
        assert!(space.keep_promise(page(number), Access::Store), "page {number} of {count}");
    }
}

#[test]
fn everything_comes_back_but_the_upper_tables() {
    let memory = PhysicalMemory::new(FRAMES);
    let mut space = space(&memory);
    space.test_fill(pages(0, 200), Protection::ReadWrite);
    space.test_protect(pages(0, 200), Protection::ReadExecute).unwrap();
    space.test_discard(pages(0, 200));
    let settled = space.available();
    for _ in 0..100 {
        space.test_protect(pages(0, 200), Protection::ReadWrite).unwrap();
        space.populate(pages(40, 100));
        space.test_protect(pages(50, 100), Protection::ReadExecute).unwrap();
        space.test_renew(pages(20, 40));
        space.test_discard(pages(0, 200));
        assert_eq!((space.available(), space.promised), (settled, 0));
    }
}

#[test]
fn hiding_and_discarding_an_empty_reservation_of_4_gib_takes_no_frame() {
    let memory = PhysicalMemory::new(FRAMES);
    let mut space = space(&memory);
    let available = space.available();
    let whole = pages(0, (4 << 30) / PAGE_BYTES);
    space.test_protect(whole.clone(), Protection::None).unwrap();
    space.test_discard(whole);
    assert_eq!(space.available(), available);
}

#[test]
fn an_object_lives_until_neither_anybody_shows_it_nor_it_is_held() {
    let memory = PhysicalMemory::new(FRAMES);
    let mut space = space(&memory);
    // The tables that the pages need stay.
    space.test_fill(pages(0, 20), Protection::ReadWrite);
    space.test_renew(pages(0, 20));
    let before = space.available();
    let mut object = [PhysAddr::zero(); 4];
    space.take_object(&mut object).unwrap();
    space.test_show(page(0), &object).unwrap();
    space.test_show(page(10), &object[..2]).unwrap();
    memory.frame_mut(space.frame_at(page(0)))[0] = 9;
    assert_eq!(memory.frame(space.frame_at(page(10)))[0], 9);
    // Six pages gave their promises up, four frames were taken.
    assert_eq!(space.available(), before + 6 - 4);

    let executable = space.test_protect(pages(10, 1), Protection::ReadExecute);
    assert_eq!(executable, Err(MemoryError::WritableAndExecutable), "the other view can be written to");

    space.test_drop(&object);
    assert_eq!(space.available(), before + 6 - 4, "it is still shown");
    space.test_renew(pages(0, 4));
    assert_eq!(memory.frame(space.frame_at(page(10)))[0], 9, "the other view lives on");
    space.test_protect(pages(10, 2), Protection::None).unwrap();
    space.test_discard(pages(10, 2));
    assert_eq!(space.available(), before + 2, "all frames are back; two pages are absent");
}

#[test]
fn a_page_that_shows_an_object_is_promised_only_what_there_is() {
    let memory = PhysicalMemory::new(FRAMES);
    let mut space = space(&memory);
    space.test_fill(pages(0, 1), Protection::ReadWrite);
    space.test_discard(pages(0, 1));
    let half = space.available() as usize / 2;
    let mut object = vec![PhysAddr::zero(); half];
    space.take_object(&mut object).unwrap();
    space.test_show(page(0), &object).unwrap();
    let rest = space.available();
    // Frames that stay the object's cannot become the pages' own.
    space.test_protect(pages(1000, rest - 20), Protection::ReadWrite).unwrap();
    let available = space.available();
    // SAFETY: nobody runs in the simulated address space.
    let refused = unsafe { space.renew(pages(0, half as u64), Protection::ReadWrite) };
    assert!(matches!(refused, Err(MemoryError::OutOfFrames { .. })), "{refused:?}");
    assert_eq!(space.available(), available);
    assert_eq!(space.frame_at(page(0)), object[0]);
}

#[test]
fn an_object_that_is_too_large_takes_nothing() {
    let memory = PhysicalMemory::new(FRAMES);
    let mut space = space(&memory);
    let available = space.available();
    let mut object = vec![PhysAddr::zero(); available as usize + 1];
    assert!(space.take_object(&mut object).is_err());
    assert_eq!(space.available(), available);
}

#[test]
fn a_translation_that_may_be_cached_is_forgotten() {
    let memory = PhysicalMemory::new(FRAMES);
    let mut space = space(&memory);
    let forgotten = |act: &mut dyn FnMut()| {
        FORGOTTEN_PAGES.with(|pages| pages.set(0));
        act();
        FORGOTTEN_PAGES.with(Cell::get)
    };
    assert_eq!(forgotten(&mut || space.test_fill(pages(0, 8), Protection::ReadWrite)), 0);
    assert_eq!(forgotten(&mut || space.test_protect(pages(0, 8), Protection::Read).unwrap()), 8);
    assert_eq!(
        forgotten(&mut || space.test_protect(pages(0, 8), Protection::Read).unwrap()),
        0,
        "nothing changed"
    );
    assert!(forgotten(&mut || space.test_discard(pages(0, 8))) >= 8);
}

/// A long random history: after every step each page is exactly what a plain map of pages says.
#[test]
fn any_history_agrees_with_the_model() {
    const PAGES: u64 = 40;
    let memory = PhysicalMemory::new(FRAMES);
    for seed in 1..=40_u64 {
        let mut space = space(&memory);
        let mut random = seed;
        let mut next = move |bound: u64| {
            // xorshift64 (Marsaglia 2003): any sequence that differs by seed will do.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % bound
        };
        // Access, contents; absent pages are not in it.
        let mut model: BTreeMap<u64, (Protection, u8)> = BTreeMap::new();
        for step in 0..300 {
            let first = next(PAGES);
            let count = 1 + next(PAGES - first);
            let range = pages(first, count);
            let numbers = first..first + count;
            match next(6) {
                0 => {
                    space.test_protect(range, Protection::None).unwrap();
                    for number in numbers {
                        model.entry(number).and_modify(|state| state.0 = Protection::None);
                    }
                }
                choice @ 1..=3 => {
                    let accesses = [Protection::Read, Protection::ReadWrite, Protection::ReadExecute];
                    let access = accesses[choice as usize - 1];
                    space.test_protect(range, access).unwrap();
                    for number in numbers {
                        model.entry(number).or_insert((access, 0)).0 = access;
                    }
                }
                4 => {
                    space.test_discard(range);
                    model.retain(|number, _| !numbers.contains(number));
                }
                _ => {
                    space.test_renew(range);
                    for number in numbers {
                        model.entry(number).and_modify(|state| *state = (Protection::ReadWrite, 0));
                    }
                }
            }
            for number in 0..PAGES {
                let context = format!("seed {seed} step {step} page {number}");
                let expected = model.get(&number).filter(|state| state.0 != Protection::None);
                // Some pages are looked at and so get their frames, others stay promised.
                if number % 3 == 0 {
                    space.keep_promise(page(number), Access::Load);
                }
                let Some(leaf) = space.tables().translate(page(number)) else {
                    let untouched = expected.is_none_or(|state| number % 3 != 0 && state.1 == 0);
                    assert!(untouched, "{context}");
                    continue;
                };
                let Some(&(access, byte)) = expected else { panic!("{context}: there should be nothing") };
                // A page that was promised when it became executable is only readable.
                let readable_only = Protection::Read.leaf_flags();
                let flags = access_flags(leaf.flags);
                assert!(
                    flags == access.leaf_flags()
                        || access == Protection::ReadExecute && flags == readable_only,
                    "{context}"
                );
                assert_eq!(memory.frame(leaf.frame)[0], byte, "{context}");
                assert_eq!(space.is_direct_map_writable(leaf.frame), !leaf.is_executable(), "{context}");
                if access == Protection::ReadWrite {
                    let byte = (number as u8).wrapping_add(step as u8) | 1;
                    memory.frame_mut(leaf.frame)[0] = byte;
                    model.insert(number, (access, byte));
                }
            }
        }
    }
}
