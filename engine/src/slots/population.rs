//! Population: pages of memories that are taken from the host before a program touches them.
//!
//! Problem: the first touch of a page is a fault in the host, in the middle of a program. Rule: the cleaner populates what it puts in
//! stock, as far as the machine's budget goes, and what running memories have grown by. Consequence: a program that starts from
//! stock touches only pages that are there; behind a large growth it may be faster than the cleaner.

use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use super::{Slot, SlotNumber, Slots, Stock};
use crate::lock::lock;
use crate::platform::{NoMemory, platform};

/// How much a growing memory is populated by at once, on the program's own time: some 10 µs, well below the longest stretch
/// without a check. The cleaner populates the rest.
const GROWN_AT_ONCE: usize = 128 << 10;

/// Grown memories that may wait to be populated. Those beyond get their pages when they touch them.
pub(super) const GROWN_MOST: usize = 1_024;

// All orderings are relaxed: a slot has one user at a time, changing hands under a lock, and totals are only compared.
impl Slots {
    /// [`Slots::open`] for a program that starts or grows: with some of its new pages populated, and the rest soon.
    pub fn grow(&self, number: SlotNumber, bytes: usize) -> Result<(), NoMemory> {
        let slot = self.slot(number);
        let (before, populated) =
            (slot.accessible.load(Ordering::Relaxed), slot.populated.load(Ordering::Relaxed));
        self.open(number, bytes)?;
        // What starts without stock is late already.
        if bytes <= before || before == 0 || !self.populates() {
            return Ok(());
        }
        if populated == before {
            self.populate(number, bytes.min(before + GROWN_AT_ONCE));
        }
        if slot.populated.load(Ordering::Relaxed) < bytes {
            let mut lists = lock(&self.lists);
            if lists.grown.len() < GROWN_MOST {
                lists.grown.push(number);
                drop(lists);
                platform().wake_cleaner();
            }
        }
        Ok(())
    }

    /// See [`crate::populate_at_most`].
    pub fn populate_at_most(&self, bytes: usize) {
        self.populate_most.store(bytes, Ordering::Relaxed);
    }

    /// Whether memory is populated beforehand.
    pub fn populates(&self) -> bool {
        self.populate_most.load(Ordering::Relaxed) > 0
    }

    /// Populates a slot's first `bytes`, which are accessible.
    fn populate(&self, number: SlotNumber, bytes: usize) {
        let slot = self.slot(number);
        let populated = slot.populated.load(Ordering::Relaxed);
        let Some(more) = bytes.checked_sub(populated).filter(|more| *more > 0) else { return };
        let Some(start) = NonNull::new(self.memory(number).wrapping_add(populated)) else { return };
        if platform().populate(start, more) {
            // The cleaner and the program may populate the same pages: they count once.
            let before = slot.populated.fetch_max(bytes, Ordering::Relaxed);
            self.populated.fetch_add(bytes.saturating_sub(before), Ordering::Relaxed);
        }
    }

    /// Notes that only the first `bytes` of a slot are populated still.
    pub(super) fn note_unpopulated(&self, slot: &Slot, bytes: usize) {
        let before = slot.populated.fetch_min(bytes, Ordering::Relaxed);
        self.populated.fetch_sub(before.saturating_sub(bytes), Ordering::Relaxed);
    }

    /// Populates what memories have grown by. Returns whether there was anything.
    pub(super) fn populate_grown(&self) -> bool {
        let mut busy = false;
        loop {
            let Some(slot) = lock(&self.lists).grown.pop() else { return busy };
            busy = true;
            // Ended meanwhile, it has less or nothing that is accessible.
            self.populate(slot, self.slot(slot).accessible.load(Ordering::Relaxed));
        }
    }

    /// Puts a slot into its stock, populated if that is still allowed.
    pub(super) fn put_ready(&self, stock: &Stock, slot: SlotNumber) {
        self.populate_within(stock, slot);
        lock(&stock.ready).push(slot);
    }

    /// Populates a slot of a stock if that is still allowed.
    pub(super) fn populate_within(&self, stock: &Stock, slot: SlotNumber) {
        if self.has_room(stock) {
            self.populate(slot, stock.accessible);
        }
    }

    /// Gives memory of the stocks back where programs have grown into what they hold, and populates them where there is room again.
    /// Returns whether it did anything.
    pub(super) fn balance(&self) -> bool {
        let mut busy = false;
        let stocks = lock(&self.lists).stocks.clone();
        for stock in &stocks {
            while self.is_over()
                && let Some(slot) = self.take_ready(stock, |populated| populated > 0)
            {
                busy = true;
                if self.close(slot, 0).is_ok() {
                    lock(&self.lists).bare.push(slot);
                }
            }
        }
        for stock in &stocks {
            while self.has_room(stock)
                && let Some(slot) = self.take_ready(stock, |populated| populated < stock.accessible)
            {
                self.populate(slot, stock.accessible);
                lock(&stock.ready).push(slot);
                // The machine has no memory left, or populates nothing: not to be tried again at once.
                if self.slot(slot).populated.load(Ordering::Relaxed) < stock.accessible {
                    break;
                }
                busy = true;
            }
        }
        busy
    }

    /// Whether a slot more of this size may be populated in stock. Programs that grow meanwhile may in any case.
    fn has_room(&self, stock: &Stock) -> bool {
        self.populated.load(Ordering::Relaxed) + stock.accessible
            <= self.populate_most.load(Ordering::Relaxed)
    }

    /// Whether more is populated than may be: programs have grown.
    pub fn is_over(&self) -> bool {
        self.populated.load(Ordering::Relaxed) > self.populate_most.load(Ordering::Relaxed)
    }

    /// A ready slot of which so many bytes are populated.
    fn take_ready(&self, stock: &Stock, wanted: impl Fn(usize) -> bool) -> Option<SlotNumber> {
        let mut ready = lock(&stock.ready);
        let is_wanted = |slot: &SlotNumber| wanted(self.slot(*slot).populated.load(Ordering::Relaxed));
        let place = ready.iter().position(is_wanted)?;
        Some(ready.swap_remove(place))
    }
}
