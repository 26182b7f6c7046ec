//! The machine's memory: the layout of its address space, and the one value that owns every frame.
//!
//! | from | what | access |
//! |---|---|---|
//! | `0x0000_1000_0000_0000` | programs: linear memories, code, stacks; 96 TiB of reservations | as each page says |
//! | `0xffff_8000_0000_0000` | direct map: all memory but this image | RW, R where the frame is executable |
//! | `0xffff_c000_0000_0000` | heap | RW |
//! | `0xffff_e000_0000_0000` | device registers | RW, uncached |
//! | `0xffff_ffff_8000_0000` | this image | text RX, constants R, data RW, guard pages absent |
//!
//! Address zero and everything around it is absent. Locks are taken in this order: `RANGES`, the heap's, `SPACE`.

use core::ops::Range;

pub use hallows_metal_memory::PAGE_BYTES;
use hallows_metal_memory::{
    Access, AddressRanges, DirectMap, FrameAllocator, LARGE_PAGE_BYTES, MemoryError, PageTables, Protection,
    Region, Space, usable_regions,
};
use spin::{Mutex, MutexGuard, Once};
use x86_64::{
    PhysAddr, VirtAddr,
    instructions::tlb,
    registers::control::{Cr3, Cr3Flags},
    structures::paging::{PageTableFlags, PhysFrame},
};

use crate::{arch::stacks, boot_information::BootInformation};

/// What the boot code's tables map of physical memory.
pub const BOOT_MAPPED_BYTES: u64 = 4 << 30;

/// Where physical address zero is seen.
pub const DIRECT_MAP: VirtAddr = VirtAddr::new_truncate(0xffff_8000_0000_0000);

/// Programs' addresses: the engine alone reserves 65 TiB of them at once. Below, pointers near null fault; above, the last 16 TiB of
/// the half stay free, so that no sum of an address in here and a program's index reaches the non-canonical hole.
const PROGRAMS: VirtAddr = VirtAddr::new_truncate(0x0000_1000_0000_0000);
const PROGRAMS_BYTES: u64 = 96 << 40;

const HEAP: VirtAddr = VirtAddr::new_truncate(0xffff_c000_0000_0000);
/// More than any machine has memory.
const HEAP_BYTES: u64 = 1 << 44;

const DEVICES: VirtAddr = VirtAddr::new_truncate(0xffff_e000_0000_0000);

/// The image's distance from where it is loaded; `kernel.ld` has the same number.
const KERNEL_WINDOW: u64 = 0xffff_ffff_8000_0000;

/// Memory below is firmware's: its data areas, the loader's tables, old video memory.
const LOW_MEMORY_BYTES: u64 = 1 << 20;

/// Pages up to which it is cheaper to forget translations one by one than all; the same as Linux's choice for x86
/// (`tlb_single_page_flush_ceiling`).
const FORGET_SINGLY: u64 = 33;

static SPACE: Once<Mutex<Space>> = Once::new();
static RANGES: Once<Mutex<AddressRanges>> = Once::new();

unsafe extern "C" {
    // Set by `kernel.ld`; only their addresses mean something.
    static kernel_image_start: u8;
    static kernel_text_start: u8;
    static kernel_text_end: u8;
    static kernel_rodata_start: u8;
    static kernel_rodata_end: u8;
    static kernel_data_start: u8;
    static kernel_data_end: u8;
}

/// A device whose registers are memory: its place in the devices' window, in pages.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub enum Device {
    /// This core's interrupt controller.
    LocalApic = 0,
    /// The devices' interrupt controller.
    IoApic = 1,
}

/// Takes charge of the machine's memory and replaces the boot code's page tables by proper ones.
///
/// # Errors
/// [`MemoryError::TooManyRegions`]; [`MemoryError::OutOfFrames`] if there is not even room for the tables.
///
/// # Safety
/// Called once, first of all, with the truth about memory.
pub unsafe fn initialise(information: &BootInformation) -> Result<(), MemoryError> {
    // SAFETY: the boot code's tables map the first 4 GiB there, and ours all that is usable; `build_tables` takes its
    // frames from the low end, where the boot code's tables show them. No one else uses frames.
    let direct_map = unsafe { DirectMap::new(DIRECT_MAP) };
    let image = image_region();
    let low = Region { start: 0, end: LOW_MEMORY_BYTES };
    let module = information.module.unwrap_or(Region { start: 0, end: 0 });
    let usable = usable_regions(information.memory.iter().copied(), &[low, image, module])?;
    let mut frames = FrameAllocator::new(direct_map, usable);
    let tables = build_tables(information, direct_map, &mut frames)?;
    let root = PhysFrame::containing_address(tables.root());
    // SAFETY: the new tables map the code that runs, the stack that it runs on and all data of the image at the same addresses.
    unsafe { Cr3::write(root, Cr3Flags::empty()) };
    SPACE.call_once(|| Mutex::new(Space::new(tables, frames, forget)));
    RANGES.call_once(|| Mutex::new(AddressRanges::new(PROGRAMS, PROGRAMS_BYTES)));
    // The heap works from here on.
    let last = information.memory.iter().map(|region| region.end).max().unwrap_or(0);
    let holders = alloc::vec![0; (last / PAGE_BYTES) as usize].into_boxed_slice();
    space().allow_sharing(holders);
    Ok(())
}

/// The address space. Never allocate while holding it: the heap takes it to grow.
pub fn space() -> MutexGuard<'static, Space> {
    touch_stack();
    SPACE.get().expect("memory is used before it is initialised").lock()
}

/// A page fault: whether the page was promised a frame and has it now, so that the access succeeds when it is tried again.
pub fn keep_promise(address: VirtAddr, access: Access) -> bool {
    // Taken: the fault came while somebody held it, who may fault nowhere. That is a defect and no promise.
    SPACE.get().and_then(Mutex::try_lock).is_some_and(|mut space| space.keep_promise(address, access))
}

/// Stack that may be used while the address space is held, in bytes: nothing there calls deep.
const HELD_STACK_BYTES: usize = 16 << 10;

/// Has the stack's next pages filled, if it is one whose pages come when they are touched: a fault while the address space is
/// held could not be handled.
fn touch_stack() {
    let here = 0_u8;
    for depth in (0..=HELD_STACK_BYTES).step_by(PAGE_BYTES as usize) {
        // SAFETY: below the stack pointer, where nothing is kept, on this stack or, if it is used up, on its guard page, where the
        // fault says so.
        unsafe { (&raw const here).wrapping_sub(depth).read_volatile() };
    }
}

/// The reservations of programs' addresses.
pub fn ranges() -> MutexGuard<'static, AddressRanges> {
    RANGES.get().expect("memory is used before it is initialised").lock()
}

/// Makes `bytes` more at the end of a heap of `used_bytes` readable and writable, and says where they start.
///
/// # Errors
/// [`MemoryError::OutOfFrames`], [`MemoryError::OutOfAddresses`].
pub fn grow_heap(used_bytes: u64, bytes: u64) -> Result<VirtAddr, MemoryError> {
    if bytes > HEAP_BYTES - used_bytes {
        return Err(MemoryError::OutOfAddresses { needed_bytes: bytes });
    }
    let start = HEAP + used_bytes;
    let pages = start..start + bytes;
    let mut space = space();
    // SAFETY: the window is the heap's alone, and the pages at its end are absent.
    unsafe { space.protect(pages.clone(), Protection::ReadWrite)? };
    // Who allocates may hold any lock, so the heap never faults.
    space.populate(pages);
    Ok(start)
}

/// Makes the page of registers at a physical address readable and writable.
///
/// # Panics
/// If there is no memory for a page table.
pub fn map_device(device: Device, address: PhysAddr) -> VirtAddr {
    let page = DEVICES + device as u64 * PAGE_BYTES;
    let flags = PageTableFlags::PRESENT
        | PageTableFlags::WRITABLE
        | PageTableFlags::NO_EXECUTE
        | PageTableFlags::NO_CACHE
        | PageTableFlags::WRITE_THROUGH;
    space().map_device(page, address, flags).expect("there is memory for one page table");
    page
}

/// Whether programs' code and data are at this address.
pub const fn is_program_address(address: u64) -> bool {
    address >= PROGRAMS.as_u64() && address - PROGRAMS.as_u64() < PROGRAMS_BYTES
}

/// What is at an address, for the message of a fault. Takes no lock by force: the fault may have come while it was held.
pub fn describe(address: VirtAddr) -> &'static str {
    let page = address.align_down(PAGE_BYTES);
    if stacks::guard_pages().any(|guard| guard == page) {
        return "the guard page of one of the machine's own stacks: it overflowed";
    }
    if is_program_address(address.as_u64()) {
        if hallows_engine::is_stack_guard(address.as_u64() as usize) {
            return "the guard page of a fiber's stack: host code used more of it than there is";
        }
        let Some(ranges) = RANGES.get().and_then(Mutex::try_lock) else { return "in the programs' window" };
        return match ranges.inside(page, PAGE_BYTES) {
            Ok(_) => {
                "a page of a program's reservation that does not allow it: a guard page, if a stack ends there"
            }
            Err(_) => "in the programs' window, reserved by nobody",
        };
    }
    match address.as_u64() {
        0..PAGE_BYTES => "next to the null pointer",
        KERNEL_WINDOW.. => "in the machine's own image",
        address if address >= DEVICES.as_u64() => "in the devices' window",
        address if address >= HEAP.as_u64() => "in the heap's window",
        address if address >= DIRECT_MAP.as_u64() => "in the direct map of physical memory",
        _ => "where nothing ever is",
    }
}

fn build_tables(
    information: &BootInformation,
    direct_map: DirectMap,
    frames: &mut FrameAllocator,
) -> Result<PageTables, MemoryError> {
    let mut tables = PageTables::new(direct_map, frames)?;
    let present = PageTableFlags::PRESENT;
    let data = present | PageTableFlags::WRITABLE | PageTableFlags::NO_EXECUTE;
    for region in &information.memory {
        map_directly(&mut tables, *region, data, frames)?;
    }
    let text = address_of(&raw const kernel_text_start)..address_of(&raw const kernel_text_end);
    let rodata = address_of(&raw const kernel_rodata_start)..address_of(&raw const kernel_rodata_end);
    let writable = address_of(&raw const kernel_data_start)..address_of(&raw const kernel_data_end);
    for (pages, flags) in [(text, present), (rodata, present | PageTableFlags::NO_EXECUTE), (writable, data)]
    {
        map_image(&mut tables, pages, flags, frames)?;
    }
    Ok(tables)
}

/// Maps `region` into the direct map, by large pages where they fit, without the image: nobody needs a second, writable view
/// of the machine's own code.
fn map_directly(
    tables: &mut PageTables,
    region: Region,
    flags: PageTableFlags,
    frames: &mut FrameAllocator,
) -> Result<(), MemoryError> {
    let image = image_region();
    let (mut address, end) =
        (region.start.next_multiple_of(PAGE_BYTES), region.end - region.end % PAGE_BYTES);
    while address < end {
        let large_end = address + LARGE_PAGE_BYTES;
        let free_of_image = large_end <= image.start || address >= image.end;
        let (page, frame) = (DIRECT_MAP + address, PhysAddr::new(address));
        if address % LARGE_PAGE_BYTES == 0 && large_end <= end && free_of_image {
            tables.map_large(page, frame, flags, frames)?;
            address = large_end;
            continue;
        }
        if !(image.start..image.end).contains(&address) {
            tables.map(page, frame, flags, frames)?;
        }
        address += PAGE_BYTES;
    }
    Ok(())
}

fn map_image(
    tables: &mut PageTables,
    pages: Range<u64>,
    flags: PageTableFlags,
    frames: &mut FrameAllocator,
) -> Result<(), MemoryError> {
    for address in pages.step_by(PAGE_BYTES as usize) {
        let page = VirtAddr::new_truncate(address);
        if stacks::guard_pages().any(|guard| guard == page) {
            continue;
        }
        tables.map(page, PhysAddr::new(address - KERNEL_WINDOW), flags, frames)?;
    }
    Ok(())
}

/// Where the image lies in physical memory, the boot code and its tables included.
fn image_region() -> Region {
    Region {
        start: address_of(&raw const kernel_image_start),
        end: address_of(&raw const kernel_data_end) - KERNEL_WINDOW,
    }
}

fn address_of(symbol: *const u8) -> u64 {
    symbol as u64
}

/// Makes this core, the only one, forget what it has cached of a range.
fn forget(range: Range<VirtAddr>) {
    let pages = (range.end - range.start) / PAGE_BYTES;
    if pages >= FORGET_SINGLY {
        tlb::flush_all();
        return;
    }
    for page in 0..pages {
        tlb::flush(range.start + page * PAGE_BYTES);
    }
}
