//! Coarse sleep until an absolute time, for the timekeeper while nothing is due within microseconds.

use rustix::thread::{ClockId, clock_nanosleep_absolute};
use rustix::time::Timespec;

/// Sleeps until `deadline_ns` of `CLOCK_MONOTONIC`; returns at once when it has passed.
///
/// Wakes late by about 60 µs on an ordinary thread (timer slack and scheduling), by a few on a real-time one; never
/// early: a signal just continues the sleep.
pub fn sleep_until(deadline_ns: u64) {
    let deadline = timespec(deadline_ns);
    while clock_nanosleep_absolute(ClockId::Monotonic, &deadline) == Err(rustix::io::Errno::INTR) {}
}

pub(super) fn timespec(time_ns: u64) -> Timespec {
    // Neither can overflow: u64 nanoseconds are 584 years.
    Timespec { tv_sec: (time_ns / 1_000_000_000) as i64, tv_nsec: (time_ns % 1_000_000_000) as i64 }
}

/// Nanoseconds of `CLOCK_MONOTONIC` by asking the kernel (through its vDSO).
pub(crate) fn monotonic_ns() -> u64 {
    let now = rustix::time::clock_gettime(ClockId::Monotonic);
    // Never negative: the clock starts at boot.
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_never_ends_early() {
        let deadline_ns = monotonic_ns() + 1_000_000;
        sleep_until(deadline_ns);
        assert!(monotonic_ns() >= deadline_ns);
        sleep_until(0);
    }
}
