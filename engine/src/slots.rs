//! Slots: the address ranges that linear memories live in, reserved once and reused, kept in stock by a cleaner.
//!
//! Problem: a fresh mapping for every program that starts costs system calls, page faults and an interrupt on every other
//! core. Rule: in service nothing is mapped, unmapped or protected; a program starts in a slot whose pages are
//! accessible and zeroed already, and its slot goes to the cleaner when it ends. Consequence: starting from stock
//! makes no system call. Where the stock is empty, the slow way is taken and counted ([`Counters`]).
//!
//! Pages are populated beforehand where the machine asks for it ([`Slots::populate_at_most`]): in stock, and behind what a
//! memory has grown by, so that a program's first touch of a page is no fault of the host's.
//!
//! Bounds stay exact: code relies on a fault beyond a memory's end, so a slot is given only to a memory that starts with
//! exactly the bytes that are accessible in it; the cleaner takes back what a memory has grown.

mod population;

use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use spin::Mutex;

use crate::ahead;
use crate::lock::lock;
use crate::platform::{NoMemory, PAGE_BYTES, Protection, platform};
use crate::stacks::STACKS;

/// Address space of a memory: all that 32-bit addresses reach.
pub const RESERVATION_BYTES: usize = 4 << 30;

/// Inaccessible bytes before and after it, which catch a constant offset added to an address: wasmtime's default.
pub const GUARD_BYTES: usize = 32 << 20;

/// What wasmtime asks for when it makes a memory.
pub const SLOT_BYTES: usize = RESERVATION_BYTES + 2 * GUARD_BYTES;

/// Slots there may be at once, in the whole process. 65 TiB of the 128 TiB of address space that a process has.
const SLOTS_MOST: u32 = 16_384;

/// Up to so many bytes of a used memory are zeroed by writing, which keeps their pages and disturbs no other core; above,
/// giving the pages back is cheaper, also with the interrupt that it costs.
const ZEROED_MOST: usize = 256 << 10;

/// Slots kept ready for each size, at least.
const STOCK_LEAST: u32 = 4;

/// And at most: what a burst of starts may find between two turns of the cleaner.
const STOCK_MOST: u32 = 256;

/// A slot of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotNumber(u32);

impl SlotNumber {
    /// As a word that is not null.
    pub fn to_word(self) -> *mut u8 {
        core::ptr::without_provenance_mut(self.0 as usize + 1)
    }

    /// From that word.
    pub fn from_word(word: *mut u8) -> Option<Self> {
        u32::try_from(word.addr()).ok()?.checked_sub(1).map(Self)
    }
}

/// What the pool knows of a slot.
struct Slot {
    /// Bytes that are accessible, from the start of the memory.
    accessible: AtomicUsize,
    /// Bytes that were populated, from the start of the memory.
    populated: AtomicUsize,
    /// Some pages of it show a region.
    aliased: AtomicBool,
    /// How many memories are in it beside the first one.
    sharers: AtomicU32,
}

/// Ready slots of one size.
pub struct Stock {
    accessible: usize,
    ready: Mutex<Vec<SlotNumber>>,
    /// Taken since the cleaner last looked.
    taken: AtomicU32,
}

/// What happened to memories, and how many stacks there are, from the start of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Memories that found a ready slot, when their program was started and not before.
    pub from_stock: u64,
    /// Memories that had to be made accessible in service.
    pub slow: u64,
    /// Slots that the cleaner made ready again.
    pub cleaned: u64,
    /// Bytes of memories that are populated.
    pub populated: u64,
    /// Stacks that there are.
    pub stacks: u32,
    /// Instances that are made and have no cell.
    pub instances: usize,
    /// Starts that found an instance made.
    pub instances_found: u64,
    /// Starts that had to make theirs.
    pub instances_made_late: u64,
}

/// The slots of all engines of the process.
pub struct Slots {
    /// Where slot 0 starts; 0 before the first use.
    base: AtomicUsize,
    slots: AtomicUsize,
    lists: Mutex<Lists>,
    /// Bytes that may be populated in stock.
    populate_most: AtomicUsize,
    /// Bytes that are populated.
    populated: AtomicUsize,
    from_stock: AtomicU64,
    slow: AtomicU64,
    cleaned: AtomicU64,
}

struct Lists {
    /// Slots below this number have been used.
    made: u32,
    /// Nothing in them is accessible.
    bare: Vec<SlotNumber>,
    /// Given back, not yet cleaned.
    dirty: Vec<SlotNumber>,
    /// In use and grown, not yet populated.
    grown: Vec<SlotNumber>,
    stocks: Vec<Arc<Stock>>,
}

/// The pool.
pub static SLOTS: Slots = Slots {
    base: AtomicUsize::new(0),
    slots: AtomicUsize::new(0),
    lists: Mutex::new(Lists {
        made: 0,
        bare: Vec::new(),
        dirty: Vec::new(),
        grown: Vec::new(),
        stocks: Vec::new(),
    }),
    populate_most: AtomicUsize::new(0),
    populated: AtomicUsize::new(0),
    from_stock: AtomicU64::new(0),
    slow: AtomicU64::new(0),
    cleaned: AtomicU64::new(0),
};

impl Slots {
    /// Takes the address space, the first time.
    pub fn reserve(&self) -> Result<(), NoMemory> {
        let mut lists = lock(&self.lists);
        if self.base.load(Ordering::Relaxed) != 0 {
            return Ok(());
        }
        let start = platform().reserve(SLOTS_MOST as usize * SLOT_BYTES, GUARD_BYTES)?;
        let slots: Box<[Slot]> = (0..SLOTS_MOST)
            .map(|_| Slot {
                accessible: AtomicUsize::new(0),
                populated: AtomicUsize::new(0),
                aliased: AtomicBool::new(false),
                sharers: AtomicU32::new(0),
            })
            .collect();
        // Never grow again: giving a slot back does not allocate.
        lists.bare.reserve_exact(SLOTS_MOST as usize);
        lists.dirty.reserve_exact(SLOTS_MOST as usize);
        lists.grown.reserve_exact(population::GROWN_MOST);
        self.slots.store(Box::leak(slots).as_ptr() as usize, Ordering::Relaxed);
        self.base.store(start.as_ptr() as usize, Ordering::Release);
        Ok(())
    }

    /// The stock of memories that start with so many bytes, a multiple of the page size. It is kept filled from now on.
    pub fn stock(&self, accessible: usize) -> Arc<Stock> {
        let mut lists = lock(&self.lists);
        if let Some(stock) = lists.stocks.iter().find(|stock| stock.accessible == accessible) {
            return stock.clone();
        }
        let stock = Arc::new(Stock {
            accessible,
            ready: Mutex::new(Vec::with_capacity(STOCK_MOST as usize)),
            taken: AtomicU32::new(0),
        });
        lists.stocks.push(stock.clone());
        drop(lists);
        platform().wake_cleaner();
        stock
    }

    /// A slot for a memory of the stock's size: ready if there is one, else one of which nothing is accessible yet.
    pub fn take(&self, stock: &Stock) -> Result<SlotNumber, NoMemory> {
        // Relaxed: only counted.
        stock.taken.fetch_add(1, Ordering::Relaxed);
        let (slot, left) = {
            let mut ready = lock(&stock.ready);
            (ready.pop(), ready.len())
        };
        // At half: the cleaner has the other half's time. At any other number it is told already, or need not come.
        if left == STOCK_LEAST as usize / 2 || slot.is_none() {
            platform().wake_cleaner();
        }
        if let Some(slot) = slot {
            self.from_stock.fetch_add(1, Ordering::Relaxed);
            return Ok(slot);
        }
        self.slow.fetch_add(1, Ordering::Relaxed);
        self.take_bare()
    }

    /// A ready slot for an instance that the cleaner makes ahead.
    pub fn take_ahead(&self, stock: &Stock) -> Result<SlotNumber, NoMemory> {
        let ready = lock(&stock.ready).pop();
        ready.map_or_else(|| self.make_ready(stock), Ok)
    }

    /// A slot that nobody had lately, made ready.
    fn make_ready(&self, stock: &Stock) -> Result<SlotNumber, NoMemory> {
        let slot = self.take_bare()?;
        self.open(slot, stock.accessible).inspect_err(|_| self.put(slot))?;
        self.populate_within(stock, slot);
        Ok(slot)
    }

    /// A slot of which nothing is accessible.
    pub fn take_bare(&self) -> Result<SlotNumber, NoMemory> {
        loop {
            let slot = {
                let mut lists = lock(&self.lists);
                if let Some(slot) = lists.bare.pop() {
                    return Ok(slot);
                }
                if lists.made < SLOTS_MOST {
                    lists.made += 1;
                    return Ok(SlotNumber(lists.made - 1));
                }
                lists.dirty.pop().ok_or(NoMemory)?
            };
            if self.close(slot, 0).is_ok() {
                return Ok(slot);
            }
        }
    }

    /// One memory more is in a slot that is in use: it is given back once more.
    pub fn share(&self, slot: SlotNumber) {
        // Relaxed: whoever shares it is one of those that use it.
        self.slot(slot).sharers.fetch_add(1, Ordering::Relaxed);
    }

    /// Gives a slot back; what is in it stays until the cleaner comes.
    pub fn put(&self, slot: SlotNumber) {
        // AcqRel: the last one has seen what the others did there.
        let left = |sharers: u32| sharers.checked_sub(1);
        if self.slot(slot).sharers.fetch_update(Ordering::AcqRel, Ordering::Acquire, left).is_ok() {
            return;
        }
        let waiting = {
            let mut lists = lock(&self.lists);
            lists.dirty.push(slot);
            lists.dirty.len()
        };
        // Half a stock waits: worth a turn of the cleaner. At other lengths it is told already, or need not come.
        if waiting == STOCK_LEAST as usize / 2 || waiting.is_multiple_of(STOCK_MOST as usize / 2) {
            platform().wake_cleaner();
        }
    }

    /// The start of a slot: of its guard, not of the memory.
    pub fn start(&self, slot: SlotNumber) -> *mut u8 {
        // Acquire: pairs with `reserve`.
        (self.base.load(Ordering::Acquire) + slot.0 as usize * SLOT_BYTES) as *mut u8
    }

    /// Where a slot's memory starts.
    pub fn memory(&self, slot: SlotNumber) -> *mut u8 {
        self.start(slot).wrapping_add(GUARD_BYTES)
    }

    /// The slot that an address lies in.
    pub fn find(&self, address: *mut u8) -> Option<SlotNumber> {
        let base = self.base.load(Ordering::Acquire);
        let offset = (address as usize).checked_sub(base).filter(|_| base != 0)?;
        let number = u32::try_from(offset / SLOT_BYTES).ok()?;
        (number < SLOTS_MOST).then_some(SlotNumber(number))
    }

    fn slot(&self, number: SlotNumber) -> &'static Slot {
        let slots = self.slots.load(Ordering::Relaxed) as *const Slot;
        // SAFETY: `reserve` leaked an array of `SLOTS_MOST`, and every slot number is below that and made after it.
        unsafe { &*slots.add(number.0 as usize) }
    }

    /// Makes sure that the first `bytes` of a slot's memory are accessible: for the slot's user.
    pub fn open(&self, number: SlotNumber, bytes: usize) -> Result<(), NoMemory> {
        let slot = self.slot(number);
        // Relaxed here and in `close`: a slot's user is alone with it, or grows it under the lock of those who share it, and it changes hands
        // under a lock.
        let accessible = slot.accessible.load(Ordering::Relaxed);
        if bytes <= accessible {
            return Ok(());
        }
        let from = NonNull::new(self.memory(number).wrapping_add(accessible)).ok_or(NoMemory)?;
        // SAFETY: the pages are the slot's own and were inaccessible, so nobody has a reference to them.
        unsafe { platform().protect(from, bytes - accessible, Protection::ReadWrite)? };
        slot.accessible.store(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Notes that pages of a slot show a region.
    pub fn note_alias(&self, number: SlotNumber) {
        self.slot(number).aliased.store(true, Ordering::Relaxed);
    }

    /// Zeroes a slot's first `bytes`, which are accessible, and makes the rest inaccessible, with its memory given back. The
    /// slot is nobody's. After an error it must not be used again.
    fn close(&self, number: SlotNumber, bytes: usize) -> Result<(), NoMemory> {
        let slot = self.slot(number);
        let accessible = slot.accessible.load(Ordering::Relaxed);
        let memory = NonNull::new(self.memory(number)).ok_or(NoMemory)?;
        if slot.aliased.swap(false, Ordering::Relaxed) && accessible > 0 {
            // SAFETY: the pages are the slot's own, and nobody uses it.
            unsafe { platform().unalias(memory, accessible)? };
            self.note_unpopulated(slot, 0);
        } else {
            // All pages of the populated part have memory; whether they were written to, nobody knows.
            let kept = accessible.min(bytes);
            let populated = slot.populated.load(Ordering::Relaxed).min(kept);
            // SAFETY: the pages are accessible, and nobody uses the slot.
            let rest = unsafe {
                memory.write_bytes(0, populated);
                memory.add(populated)
            };
            self.zero(rest, kept - populated);
        }
        if accessible > bytes {
            // SAFETY: as above; the range lies behind what is kept.
            unsafe {
                let rest = memory.add(bytes);
                platform().discard(rest, accessible - bytes);
                platform().protect(rest, accessible - bytes, Protection::None)?;
            }
            slot.accessible.store(bytes, Ordering::Relaxed);
            self.note_unpopulated(slot, bytes);
        }
        Ok(())
    }

    /// Makes accessible pages of an unused slot hold zeroes again: by writing where few were touched, else by giving them back.
    fn zero(&self, memory: NonNull<u8>, bytes: usize) {
        const WINDOW: usize = 256;
        let mut touched = [0_u8; WINDOW];
        let mut written = 0;
        let mut done = 0;
        while done < bytes {
            let pages = ((bytes - done) / PAGE_BYTES).min(WINDOW);
            let Some(window) = touched.get_mut(..pages) else { return };
            // SAFETY: inside of the accessible pages.
            let start = unsafe { memory.add(done) };
            let known = platform().touched(start, window);
            let count = if known { window.iter().filter(|page| **page != 0).count() } else { pages };
            written += count * PAGE_BYTES;
            if written > ZEROED_MOST {
                // SAFETY: the pages are accessible and nobody uses them.
                unsafe { platform().discard(start, bytes - done) };
                return;
            }
            for (page, touched) in window.iter().enumerate() {
                if !known || *touched != 0 {
                    // SAFETY: as above.
                    unsafe { start.add(page * PAGE_BYTES).write_bytes(0, PAGE_BYTES) };
                }
            }
            done += pages * PAGE_BYTES;
        }
    }

    /// A turn of the cleaner: readies what was given back, and fills the stocks. Returns whether it did something.
    pub fn clean(&self) -> bool {
        let mut busy = false;
        // One at a time: starts in between find what is ready already.
        loop {
            let (slot, stock) = {
                let mut lists = lock(&self.lists);
                let Some(slot) = lists.dirty.pop() else { break };
                (slot, self.best_stock(&lists, slot))
            };
            busy = true;
            self.cleaned.fetch_add(1, Ordering::Relaxed);
            // A slot that cannot be restored is lost rather than used.
            match stock {
                Some(stock) if self.close(slot, stock.accessible).is_ok() => self.put_ready(&stock, slot),
                None if self.close(slot, 0).is_ok() => lock(&self.lists).bare.push(slot),
                Some(_) | None => {}
            }
        }
        busy |= self.populate_grown();
        busy |= self.balance();
        let mut at = 0;
        loop {
            let Some(stock) = lock(&self.lists).stocks.get(at).cloned() else { return busy };
            at += 1;
            // Twice what was taken since the last turn: a burst that goes on finds it.
            let wanted = (stock.taken.swap(0, Ordering::Relaxed) * 2).clamp(STOCK_LEAST, STOCK_MOST);
            while (lock(&stock.ready).len() as u32) < wanted {
                let Ok(slot) = self.make_ready(&stock) else { break };
                lock(&stock.ready).push(slot);
                busy = true;
            }
        }
    }

    /// The fullest size that fits into what is accessible in a slot and whose stock has room: nothing need be made
    /// accessible then, and as little as possible taken back.
    fn best_stock(&self, lists: &Lists, slot: SlotNumber) -> Option<Arc<Stock>> {
        let accessible = self.slot(slot).accessible.load(Ordering::Relaxed);
        let fitting = lists.stocks.iter().filter(|stock| stock.accessible <= accessible);
        let best = fitting.max_by_key(|stock| stock.accessible)?;
        (lock(&best.ready).len() < STOCK_MOST as usize).then(|| best.clone())
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        let instances = ahead::counts();
        Counters {
            instances: instances.ready,
            instances_found: instances.found,
            instances_made_late: instances.made_late,
            from_stock: self.from_stock.load(Ordering::Relaxed),
            slow: self.slow.load(Ordering::Relaxed),
            cleaned: self.cleaned.load(Ordering::Relaxed),
            populated: self.populated.load(Ordering::Relaxed) as u64,
            stacks: STACKS.made(),
        }
    }
}
