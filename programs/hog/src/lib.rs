//! Takes all the memory that it can get, says how far it came, and lives on: a full budget is an error and not an end.
//!
//! Argument `ticks=N` (3): for how many tenths of a second it lives on.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;
use core::hint::black_box;
use core::time::Duration;

use hallows::{Budget, Error, Start, log, pause};

/// The first bite; each refused one is followed by half of it.
const LARGEST_BITE: usize = 1 << 20;
/// The last bite: less is a rounding error.
const SMALLEST_BITE: usize = 1 << 12;
/// What is split off the cell's budget at a time, in bytes.
const SHARE_BYTES: u64 = 1 << 16;
/// The most shares; each takes a slot of the capability space, of which something must be left to live on.
const MOST_SHARES: usize = 1_000;

/// Bites off heap until nothing is left; every page is written to.
fn eat_heap() -> Vec<Vec<u8>> {
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    let mut bite = LARGEST_BITE;
    while bite >= SMALLEST_BITE {
        let mut bytes = Vec::new();
        if eaten.try_reserve(1).is_err() || bytes.try_reserve_exact(bite).is_err() {
            bite /= 2;
            continue;
        }
        bytes.resize(bite, 1);
        eaten.push(black_box(bytes));
    }
    eaten
}

/// Splits shares off the cell's budget until it is refused; how many it got, and the error.
fn eat_budget() -> (usize, Option<Error>) {
    for count in 0..MOST_SHARES {
        if let Err(error) = Budget::OWN.split(SHARE_BYTES) {
            return (count, Some(error));
        }
    }
    (MOST_SHARES, None)
}

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let ticks: u32 = start.setting("ticks", 3)?;
    // Natively the heap is the machine's own, which is not this program's to eat.
    let heap = if cfg!(target_arch = "wasm32") { eat_heap() } else { Vec::new() };
    let bytes: usize = heap.iter().map(Vec::len).sum();
    log!("ate {bytes} bytes of heap in {} bites; then the heap was full", heap.len());

    let (shares, error) = eat_budget();
    match error {
        Some(error) => log!("ate {shares} shares of {SHARE_BYTES} bytes of its budget; then: {error}"),
        None => log!("ate {shares} shares of {SHARE_BYTES} bytes of its budget, and was not refused any"),
    }
    let account = Budget::OWN.query()?;
    log!("of a budget of {} bytes, {} are used", account.total_bytes, account.used_bytes);

    for tick in 1..=ticks {
        pause(Duration::from_millis(100))?;
        let sum: u64 = heap.iter().flatten().map(|byte| u64::from(*byte)).sum();
        log!("tick {tick} of {ticks}: still alive, and all {sum} bytes are in place");
    }
    Ok(())
}
