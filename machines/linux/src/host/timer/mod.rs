//! Time on Linux: a clock that costs a few nanoseconds, parking with a deadline, and coarse sleep.
//!
//! All times are nanoseconds of `CLOCK_MONOTONIC` (since boot, not counting suspend), as the kernel crate expects them.

pub mod clock;
pub mod parker;
pub mod published;
pub mod scale;
pub mod sleep;
pub mod words;

pub use clock::Clock;
pub use parker::{Parker, Wakeup};
pub use sleep::sleep_until;
