//! What costs how much time on the simulated cores.

use serde::Serialize;

use crate::lines::Picoseconds;

/// Costs, in picoseconds of virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Costs {
    /// An access of the kernel to memory that is in the core's cache, with the instructions around it.
    pub access_ps: Picoseconds,
    /// A cache line comes from another core.
    pub transfer_ps: Picoseconds,
    /// The clock is read.
    pub clock_ps: Picoseconds,
    /// A core that looks for work, or waits for a lock, does nothing before it looks again.
    pub relax_ps: Picoseconds,
    /// A program has checked its preemption word: from a stop to the check that sees it.
    pub check_ps: Picoseconds,
    /// What sleeps is woken.
    pub wake_ps: Picoseconds,
}

impl Costs {
    /// Round figures of a server of 2024, for tests: everywhere the same.
    pub const ROUND: Self = Self {
        access_ps: 2_000,
        transfer_ps: 60_000,
        clock_ps: 25_000,
        relax_ps: 10_000,
        check_ps: 50_000,
        wake_ps: 5_000_000,
    };
}
