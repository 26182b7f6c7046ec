//! Work of a given length: what the requests of `hallows lab` are made of.

use core::hint::black_box;

use crate::spin::scramble;

/// Does so many multiplications, each of which waits for the last one: no memory, nothing to do at once, and on one processor the same time for each.
pub fn chain(links: u64) {
    let mut state = 1;
    for _ in 0..links {
        state = scramble(state);
    }
    black_box(state);
}
