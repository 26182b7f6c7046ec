//! The machine's memory: how much of its budget has been taken from Linux, and by whom the rest is taken, when.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::host::memory::{Hold, Locking};
use crate::platform;

/// The budget of one machine.
#[derive(Debug)]
pub struct Budget {
    bytes: u64,
    is_locked: bool,
    hold: Hold,
    /// Pages are taken before programs touch them.
    is_taken: bool,
    /// The rest is being taken.
    has_begun: AtomicBool,
    /// Linux had no more.
    has_failed: AtomicBool,
}

impl Budget {
    /// Of so many bytes, none of them taken. If they are to be taken, the cleaner populates from now on what it puts in stock, and locks it page
    /// by page where not everything is locked already; else pages come when programs touch them.
    ///
    /// # Errors
    /// When Linux gives no file in memory.
    pub fn new(bytes: u64, locking: &Locking, is_taken: bool) -> io::Result<Self> {
        if *locking == Locking::Programs {
            platform::lock_populated();
        }
        let budget = Self {
            bytes,
            is_locked: !matches!(locking, Locking::Nothing { .. }),
            hold: Hold::new()?,
            is_taken,
            has_begun: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
        };
        if is_taken {
            hallows_engine::populate_at_most(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        Ok(budget)
    }

    /// Lets the cleaner take the rest, if that is to be taken. It has its core for 0.3 to 0.6 s per GiB: begin when the programs run, not before.
    pub fn begin(&self) {
        if self.is_taken {
            self.has_begun.store(true, Ordering::SeqCst);
            platform::wake_cleaning();
        }
    }

    /// Bytes of the budget that are in memory: what programs have and what is held for them.
    pub fn populated_bytes(&self) -> u64 {
        self.hold.held_bytes() + elsewhere_bytes()
    }

    /// Whether what programs get is locked.
    pub const fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// Takes from Linux what is missing, or gives back what programs have got elsewhere meanwhile, until that is done or somebody has
    /// better things to do for the cleaner. For the cleaner.
    ///
    /// # Errors
    /// Once, when Linux has no more memory.
    pub fn settle(&self, is_wanted_elsewhere: impl Fn() -> bool) -> io::Result<()> {
        while self.has_begun.load(Ordering::SeqCst) && !is_wanted_elsewhere() {
            match self.hold.settle(self.bytes.saturating_sub(elsewhere_bytes())) {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) if self.has_failed.swap(true, Ordering::SeqCst) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Bytes that programs' memories, their stock, and regions have.
fn elsewhere_bytes() -> u64 {
    hallows_engine::counters().populated + platform::region_bytes()
}
