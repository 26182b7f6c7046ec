//! The cleaner: what keeps slots, stacks and instances in stock, on a housekeeping core.

pub use crate::slots::Counters;
use crate::slots::SLOTS;
use crate::stacks::STACKS;
use crate::{ahead, finished};

/// Stacks kept ready to be taken: a burst of programs that all wait inside of a call.
const STACK_STOCK: usize = 16;

/// One turn: drops instances that programs left behind, readies their memories, fills the stocks. For a housekeeping thread, which then sleeps until
/// [`crate::Platform::wake_cleaner`]. Returns whether there was something to do; it makes system calls and takes as long as it takes.
pub fn clean() -> bool {
    let finished = finished::clean();
    let slots = SLOTS.clean();
    let stacks = STACKS.clean(STACK_STOCK);
    // Last: they are made in slots that are ready.
    let instances = ahead::clean();
    finished || slots || stacks || instances
}

/// From now on the cleaner populates memories, up to so many bytes in the whole process, so that programs do not wait for the host
/// when they touch a page first: a machine's budget. 0, as at the start: pages come when they are touched.
pub fn populate_at_most(bytes: usize) {
    SLOTS.populate_at_most(bytes);
    crate::platform::platform().wake_cleaner();
}

/// What happened to memories since the process started, and how many stacks there are.
#[must_use]
pub fn counters() -> Counters {
    SLOTS.counters()
}

/// Whether a faulting address is the guard of a fiber's stack: host code used more of it than there is. For the machine's
/// last words.
#[must_use]
pub fn is_stack_guard(address: usize) -> bool {
    STACKS.is_guard(address)
}
