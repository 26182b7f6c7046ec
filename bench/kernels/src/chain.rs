//! Work of a given length: what the requests of `hallows lab` are made of.

use core::hint::black_box;

/// Does so many steps, each of which waits for the last one: no memory, nothing to do at once, and on one processor the same time for each. (A multiplication
/// and an addition of constants alone would not do: compilers make one of several.) The last state, for who wants it.
pub fn chain(steps: u64) -> u64 {
    let mut state = 1;
    for _ in 0..steps {
        state = mix(state);
    }
    black_box(state)
}

/// A step of MurmurHash3's finalizer (Appleby, 2011).
const fn mix(state: u64) -> u64 {
    (state ^ state >> 33).wrapping_mul(0xFF51_AFD7_ED55_8CCD)
}
