//! Pauses between two preemptions: as often as the system itself preempts, and in step with nothing.

use std::time::Duration;

use crate::clock;
use crate::turn::Turn;

/// The default quantum.
const SHORTEST: Duration = Duration::from_micros(5);
/// And up to so much more, so that asking falls on every place of the program's loop.
const SPREAD: Duration = Duration::from_micros(2);

/// Spins for 5 to 7 µs at a time.
pub struct Pace {
    shortest: u64,
    spread: u64,
    random: u64,
}

impl Pace {
    /// In the ticks of a turn's clock.
    #[must_use]
    pub fn new(turn: &Turn<'_>) -> Self {
        Self { shortest: turn.clock.ticks(SHORTEST), spread: turn.clock.ticks(SPREAD).max(1), random: 1 }
    }

    /// One pause.
    pub fn pause(&mut self) {
        // Knuth's MMIX generator; its high bits are the good ones.
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let resume = clock::glance() + self.shortest + (self.random >> 33) % self.spread;
        while clock::glance() < resume {
            std::hint::spin_loop();
        }
    }
}
