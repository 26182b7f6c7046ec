//! Checks of memory, with the real page tables and the real processor.

use alloc::{boxed::Box, format, string::String, vec, vec::Vec};
use core::ptr::NonNull;

use hallows_engine::{Aliasing, NoMemory, Platform, Protection};
use x86_64::VirtAddr;

use super::{Outcome, ensure};
use crate::{
    memory::{DIRECT_MAP, PAGE_BYTES, ranges, space},
    platform::Metal,
};

const PAGE: usize = PAGE_BYTES as usize;

/// What a linear memory reserves: 4 GiB and a guard of 32 MiB on both sides.
const LINEAR_MEMORY_BYTES: usize = (4 << 30) + 2 * (32 << 20);

fn refused(NoMemory: NoMemory) -> String {
    String::from("the machine refused it")
}

/// A reservation of a check's own: nobody else has a reference into it.
struct Reservation {
    start: NonNull<u8>,
    bytes: usize,
}

impl Reservation {
    fn new(bytes: usize) -> Result<Self, String> {
        Ok(Self { start: Metal.reserve(bytes, PAGE).map_err(refused)?, bytes })
    }

    fn page(&self, number: usize) -> NonNull<u8> {
        assert!(number * PAGE < self.bytes);
        // SAFETY: inside the reservation.
        unsafe { self.start.add(number * PAGE) }
    }

    fn address(&self, number: usize) -> VirtAddr {
        VirtAddr::from_ptr(self.page(number).as_ptr())
    }

    fn protect(&self, first: usize, pages: usize, protection: Protection) -> Result<(), String> {
        // SAFETY: the check's own, and it uses only what it made accessible.
        unsafe { Metal.protect(self.page(first), pages * PAGE, protection) }.map_err(refused)
    }

    /// The first word of a page that was made readable.
    fn load(&self, number: usize) -> u64 {
        // SAFETY: see the name.
        unsafe { self.page(number).cast::<u64>().read_volatile() }
    }

    /// Stores the first word of a page that was made writable.
    fn store(&self, number: usize, word: u64) {
        // SAFETY: see the name.
        unsafe { self.page(number).cast::<u64>().write_volatile(word) };
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: the check's own, given up.
        unsafe { Metal.release(self.start, self.bytes) };
    }
}

fn available() -> u64 {
    space().available_and_total_frames().0
}

/// Walks all of the page tables.
pub fn no_page_is_writable_and_executable() -> Outcome {
    let code = Reservation::new(8 * PAGE)?;
    code.protect(0, 8, Protection::ReadWrite)?;
    (0..8).for_each(|page| code.store(page, 0));
    code.protect(0, 8, Protection::ReadExecute)?;
    let (mut mappings, mut of_programs, mut offence) = (0, 0, None);
    // Room first: nothing may allocate while the address space is held.
    let mut executable_frames = Vec::with_capacity(64 << 10);
    {
        let space = space();
        space.tables().for_each_leaf(&mut |leaf| {
            mappings += 1;
            if leaf.is_executable() && leaf.is_writable() {
                offence = Some(leaf);
            }
            if leaf.is_executable() && executable_frames.len() < executable_frames.capacity() {
                of_programs += u64::from(leaf.page < DIRECT_MAP);
                executable_frames.push(leaf.frame);
            }
        });
        // A frame's only second view is the direct map's.
        for frame in &executable_frames {
            let view = space.tables().translate(DIRECT_MAP + frame.as_u64());
            offence = offence.or(view.filter(|view| view.is_writable()));
        }
    }
    ensure!(offence.is_none(), "{offence:x?}");
    ensure!(of_programs > 8, "only {of_programs} executable pages of programs were seen");
    // Where the boot code ran.
    let low = space().tables().translate(VirtAddr::new(0x20_0000));
    ensure!(low.is_none(), "the boot code's view of low memory is still there: {low:x?}");
    Ok(format!(
        "{mappings} mappings, {} executable pages, {of_programs} of programs",
        executable_frames.len()
    ))
}

/// Writes to each of nearly all frames and reads back: overlapping frames would show.
pub fn all_memory_is_there() -> Outcome {
    let (free, total) = space().available_and_total_frames();
    // A fiftieth is left for page tables, which take a 512th.
    let pages = (free - free / 50) as usize;
    let all = Reservation::new(pages * PAGE)?;
    all.protect(0, pages, Protection::ReadWrite)?;
    (0..pages).for_each(|page| all.store(page, page as u64 ^ u64::MAX));
    let wrong = (0..pages).find(|page| all.load(*page) != *page as u64 ^ u64::MAX);
    ensure!(wrong.is_none(), "page {wrong:?} of {pages} does not hold what was written to it");
    drop(all);
    // Upper page tables stay: one for each GiB, one for each 512 GiB.
    let lost = free - available();
    ensure!(lost <= pages as u64 / (512 * 512) + 2, "{lost} frames did not come back");
    Ok(format!("{} of {} MiB", pages >> 8, total >> 8))
}

/// Allocates and frees blocks of all sizes in an order that leaves holes.
pub fn the_heap_gives_back_what_it_took() -> Outcome {
    let mut high_water = None;
    for round in 0..20 {
        let mut blocks: Vec<Option<Box<[u8]>>> = Vec::new();
        for index in 0..400_usize {
            let bytes = 1 + (index * 7919) % 30_000;
            blocks.push(Some(vec![index as u8; bytes].into_boxed_slice()));
        }
        for index in (0..blocks.len()).step_by(2) {
            blocks[index] = None;
        }
        let torn = blocks.iter().enumerate().find(|(index, block)| {
            block.as_ref().is_some_and(|block| block.iter().any(|byte| *byte != *index as u8))
        });
        ensure!(torn.is_none(), "block {:?} was overwritten", torn.map(|(index, _)| index));
        drop(blocks);
        let free = available();
        // The first rounds may make the heap grow; then it must have found its size.
        if round == 2 {
            high_water = Some(free);
        }
        ensure!(high_water.is_none_or(|at_first| at_first == free), "the heap still grows in round {round}");
    }
    Ok(String::from("20 rounds of 400 blocks"))
}

/// More reservations in total than the window would hold if they were not given back.
pub fn reservations_come_and_go() -> Outcome {
    // Of 64 memories each: 130 TiB in total, and the window has 96.
    const TIMES: usize = 500;
    let (live, free) = (ranges().count(), available());
    for _ in 0..TIMES {
        Reservation::new(64 * LINEAR_MEMORY_BYTES)?;
    }
    let memory = Reservation::new(LINEAR_MEMORY_BYTES)?;
    let first = (32 << 20) / PAGE;
    let last = first + (4 << 30) / PAGE - 1;
    for page in [first, last] {
        memory.protect(page, 1, Protection::ReadWrite)?;
        let mut touched = [9];
        ensure!(
            Metal.touched(memory.page(page), &mut touched) && touched == [0],
            "an untouched page is touched"
        );
        memory.store(page, 7);
        ensure!(
            Metal.touched(memory.page(page), &mut touched) && touched == [1],
            "a page that was written is not touched"
        );
        // SAFETY: the check's own.
        unsafe { Metal.discard(memory.page(page), PAGE) };
        ensure!(memory.load(page) == 0, "a discarded page still has its contents");
    }
    let others = space().tables().translate(memory.address(first + 1));
    ensure!(others.is_none(), "a page that was never asked for is there: {others:x?}");
    drop(memory);
    ensure!(ranges().count() == live, "{} reservations were lost", ranges().count() - live);
    // The upper tables of five GiB stay.
    let lost = free - available();
    ensure!(lost <= 8, "{lost} frames did not come back");
    Ok(format!("{TIMES} times 64, one after the other"))
}

/// Asks for more memory than there is, and for what is not ours.
pub fn too_little_memory_is_an_error() -> Outcome {
    let ((free, total), live) = (space().available_and_total_frames(), ranges().count());
    let too_much = Reservation::new((total as usize + 1) * PAGE)?;
    let accessible = too_much.protect(0, total as usize + 1, Protection::ReadWrite);
    ensure!(accessible.is_err(), "more pages became accessible than the machine has");
    drop(too_much);
    ensure!(Metal.reserve(usize::MAX / 2, PAGE).is_err(), "half of all addresses were given");
    ensure!(
        Metal.create_object((total as usize + 1) * PAGE).is_err(),
        "an object is larger than the machine"
    );
    ensure!(available() == free, "refused requests took {} frames", free - available());
    ensure!(ranges().count() == live, "a refused request kept its addresses");
    let direct_map = NonNull::new(DIRECT_MAP.as_mut_ptr()).ok_or("the direct map is at zero")?;
    // SAFETY: refused, that is the point: the direct map is nobody's reservation.
    let not_ours = unsafe { Metal.protect(direct_map, PAGE, Protection::ReadExecute) };
    ensure!(not_ours.is_err(), "the direct map was made executable");
    Ok(String::from("nothing taken"))
}

/// Shows an object at two places, and takes it away from one and then the other.
pub fn an_object_is_the_same_at_every_place() -> Outcome {
    const PAGES: usize = 16;
    let windows = [Reservation::new(PAGES * PAGE)?, Reservation::new(PAGES * PAGE)?];
    for window in &windows {
        window.protect(0, PAGES, Protection::ReadWrite)?;
        (0..PAGES).for_each(|page| window.store(page, 1));
    }
    let free = available();
    let object = Metal.create_object(PAGES * PAGE).map_err(|error| format!("{error:?}"))?;
    let show = |window: &Reservation, pages: usize, aliasing| {
        // SAFETY: the check's own.
        unsafe { Metal.alias(object, window.start, pages * PAGE, aliasing) }
            .map_err(|error| format!("{error:?}"))
    };
    show(&windows[0], PAGES, Aliasing::SharedReadWrite)?;
    show(&windows[1], PAGES / 2, Aliasing::SharedRead)?;
    ensure!(show(&windows[1], PAGES + 1, Aliasing::SharedRead).is_err(), "more was shown than there is");
    ensure!((0..PAGES).all(|page| windows[0].load(page) == 0), "a new object is not zero");
    (0..PAGES).for_each(|page| windows[0].store(page, page as u64 + 100));
    let same = (0..PAGES / 2).all(|page| windows[1].load(page) == page as u64 + 100);
    ensure!(same, "the second place shows something else");
    ensure!(windows[1].load(PAGES / 2) == 1, "a page beside the second place was changed");
    let flags = space().tables().translate(windows[1].address(0));
    ensure!(flags.is_some_and(|leaf| !leaf.is_writable()), "what is shown for loads can be stored to");
    Metal.destroy_object(object);
    ensure!(show(&windows[1], 1, Aliasing::SharedRead).is_err(), "an object that is gone can be shown");
    // SAFETY: the check's own.
    unsafe { Metal.unalias(windows[0].start, PAGES * PAGE) }.map_err(refused)?;
    ensure!(windows[0].load(3) == 0, "the first place still shows the object");
    ensure!(windows[1].load(3) == 103, "the second place lost the object with the first");
    drop(windows);
    // The windows had frames of their own before, and tables.
    ensure!(available() >= free, "{} frames did not come back", free - available());
    Ok(format!("{PAGES} pages at two places"))
}
