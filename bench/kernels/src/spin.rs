//! Loops that never end by themselves: what a preemption has to stop.

use alloc::vec;
use alloc::vec::Vec;
use core::hint::black_box;

/// 64 MiB: nearly every access of the memory-bound loop misses the caches.
const MEMORY_BOUND_BYTES: usize = 64 << 20;
/// 16 MiB in one fill: milliseconds in one bulk instruction, if nothing splits it.
const BULK_BYTES: usize = 16 << 20;
/// Work per step of the two loops of small instructions: about a microsecond, so a caller may look at a flag in between.
const ITERATIONS_PER_STEP: u32 = 1_000;

/// Which loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Loop {
    /// A dependent chain of multiplications: no memory.
    Arithmetic = 0,
    /// Random read-modify-write over 64 MiB: the processor's queues are full of misses.
    MemoryBound = 1,
    /// Fills of 16 MiB: one instruction (`memory.fill`, `rep stosb`) that runs for milliseconds.
    BulkMemory = 2,
}

impl Loop {
    /// Every loop, in the order in which they are reported.
    pub const ALL: [Self; 3] = [Self::Arithmetic, Self::MemoryBound, Self::BulkMemory];

    /// The name that reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arithmetic => "arithmetic",
            Self::MemoryBound => "memory-bound",
            Self::BulkMemory => "bulk-memory",
        }
    }

    /// The loop with this discriminant, for a program that is told by number what to run.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Arithmetic),
            1 => Some(Self::MemoryBound),
            2 => Some(Self::BulkMemory),
            _ => None,
        }
    }
}

/// A loop and its memory.
pub struct Spinner {
    kind: Loop,
    state: u64,
    words: Vec<u64>,
    bytes: Vec<u8>,
}

impl Spinner {
    /// Allocates and touches the loop's memory, so that no page fault is left for the measuring.
    #[must_use]
    pub fn new(kind: Loop) -> Self {
        let (words, bytes) = match kind {
            Loop::Arithmetic => (Vec::new(), Vec::new()),
            Loop::MemoryBound => (vec![1; MEMORY_BOUND_BYTES / size_of::<u64>()], Vec::new()),
            Loop::BulkMemory => (Vec::new(), vec![1; BULK_BYTES]),
        };
        Self { kind, state: 1, words, bytes }
    }

    /// One step; call it for ever, or until a flag says stop.
    #[inline]
    pub fn step(&mut self) {
        match self.kind {
            Loop::Arithmetic => self.arithmetic(),
            Loop::MemoryBound => self.memory_bound(),
            Loop::BulkMemory => self.bulk_memory(),
        }
    }

    /// What the steps so far computed.
    #[must_use]
    pub fn state(&self) -> u64 {
        self.state
    }

    fn arithmetic(&mut self) {
        let mut state = self.state;
        for _ in 0..ITERATIONS_PER_STEP {
            state = scramble(state);
        }
        self.state = black_box(state);
    }

    fn memory_bound(&mut self) {
        let mut state = self.state;
        // A power of two, so the mask is exact.
        let mask = self.words.len() - 1;
        for _ in 0..ITERATIONS_PER_STEP / 10 {
            state = scramble(state);
            let word = &mut self.words[(state >> 33) as usize & mask];
            *word = word.wrapping_add(state);
        }
        self.state = black_box(state);
    }

    fn bulk_memory(&mut self) {
        self.state = self.state.wrapping_add(1);
        // Opaque: a fill that nobody reads would be removed.
        black_box(&mut self.bytes).fill(self.state as u8);
    }
}

/// Knuth's MMIX generator: a multiplication that waits for the last one.
const fn scramble(state: u64) -> u64 {
    state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_of_every_loop_changes_its_state() {
        for kind in Loop::ALL {
            assert_eq!(Loop::from_number(kind as u32), Some(kind));
            let mut spinner = Spinner::new(kind);
            let mut before = spinner.state();
            for _ in 0..3 {
                spinner.step();
                assert_ne!(spinner.state(), before, "{}", kind.name());
                before = spinner.state();
            }
        }
    }

    #[test]
    fn the_bulk_loop_writes_all_of_its_memory() {
        let mut spinner = Spinner::new(Loop::BulkMemory);
        spinner.step();
        assert!(spinner.bytes.iter().all(|byte| *byte == 2));
    }
}
