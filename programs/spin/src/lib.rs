//! A loop that never ends and never calls: what an unkind neighbour does. Nobody else notices.
#![no_std]
#![forbid(unsafe_code)]

use core::hint::black_box;

use hallows::{Error, Start, process};

/// About a microsecond: how long a native program may run between two safepoints without being a nuisance.
const STEPS: u32 = 1_000;

#[hallows::main]
fn main(_: Start<'_>) -> Result<(), Error> {
    let mut state = 1_u64;
    loop {
        for _ in 0..STEPS {
            state = black_box(state.wrapping_mul(3));
        }
        process::safepoint()?;
    }
}
