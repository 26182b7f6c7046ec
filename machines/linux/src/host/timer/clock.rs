//! The machine's clock: the processor's time-stamp counter, at the rate of `CLOCK_MONOTONIC`.
//!
//! Reading the counter needs no call to the kernel. Its rate comes from two looks at both clocks: the first when the
//! process starts, the second when the clock is wanted, at least [`CALIBRATION_NS`] later. That is good to some 30
//! parts per million; [`Clock::refine`], called from the housekeeping core now and then, makes it a thousand times
//! better. The clock never jumps, so the few microseconds by which it is off before that stay; nothing compares the
//! two clocks except through [`Clock::to_monotonic_ns`], which takes the difference out.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use super::published::PublishedScale;
use super::scale::{Moment, Scale};
use super::sleep::monotonic_ns;
use crate::host::facts::has_invariant_tsc;
use crate::host::files::read_short;

/// Shortest time between the two looks. A look is good to about 30 ns, so the rate is good to 30 ns per millisecond.
pub const CALIBRATION_NS: u64 = 1_000_000;
/// Times that a look is repeated for the narrowest reading: an interrupt or a hypervisor's turn spoils at most a few.
const LOOKS: usize = 5;
/// Kernel clock sources that are themselves the time-stamp counter. With another one, the kernel found it unfit.
pub(crate) const TSC_SOURCES: [&str; 3] = ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page"];

/// The first look at both clocks; take it early, it costs a microsecond.
#[derive(Clone, Copy, Debug)]
pub struct Calibration {
    start: Option<Moment>,
}

impl Calibration {
    /// Looks at both clocks.
    pub fn begin() -> Self {
        Self { start: has_invariant_tsc().then(look) }
    }

    /// The clock. Waits until [`CALIBRATION_NS`] after [`begin`](Self::begin) have passed, spinning.
    pub fn finish(self) -> Clock {
        let Some(start) = self.start.filter(|_| kernel_trusts_tsc()) else { return Clock::by_kernel() };
        let mut now = look();
        while now.ns.saturating_sub(start.ns) < CALIBRATION_NS {
            std::hint::spin_loop();
            now = look();
        }
        match Scale::through(start, now) {
            Some(scale) => Clock {
                source: ClockSource::TimeStampCounter(PublishedScale::new(scale)),
                start: Mutex::new(start),
            },
            None => Clock::by_kernel(),
        }
    }
}

/// Where the time comes from.
#[derive(Debug)]
enum ClockSource {
    TimeStampCounter(PublishedScale<AtomicU64>),
    Kernel,
}

/// Nanoseconds of `CLOCK_MONOTONIC`, cheaply. Any thread may read it.
#[derive(Debug)]
pub struct Clock {
    source: ClockSource,
    /// The first look. The lock makes [`Clock::refine`] the one writer that the published line allows.
    start: Mutex<Moment>,
}

impl Clock {
    /// A clock that asks the kernel each time.
    pub fn by_kernel() -> Self {
        Self { source: ClockSource::Kernel, start: Mutex::new(Moment { ticks: 0, ns: 0 }) }
    }

    /// Whether it reads the processor's counter (else it asks the kernel).
    pub fn reads_counter(&self) -> bool {
        matches!(self.source, ClockSource::TimeStampCounter(_))
    }

    /// The time now, in nanoseconds since boot. Never runs backwards on one thread; the counter read is not ordered
    /// with the memory accesses around it, so it may be early or late by some tens of nanoseconds.
    #[inline]
    pub fn now_ns(&self) -> u64 {
        match &self.source {
            ClockSource::TimeStampCounter(scale) => scale.read().ns_at(ticks()),
            ClockSource::Kernel => monotonic_ns(),
        }
    }

    /// The conversion in force, for code that keeps counter values and converts later; `None` on a kernel clock.
    pub fn scale(&self) -> Option<Scale> {
        match &self.source {
            ClockSource::TimeStampCounter(scale) => Some(scale.read()),
            ClockSource::Kernel => None,
        }
    }

    /// A time of this clock as a time for the kernel's timers: the two may differ by some microseconds.
    pub fn to_monotonic_ns(&self, deadline_ns: u64) -> u64 {
        match &self.source {
            ClockSource::TimeStampCounter(_) => {
                let left_ns = deadline_ns.saturating_sub(self.now_ns());
                monotonic_ns().saturating_add(left_ns)
            }
            ClockSource::Kernel => deadline_ns,
        }
    }

    /// Measures the rate anew, over all the time since the first look. Call it from the housekeeping core about a
    /// second after the start, then about once a minute while the machine is awake anyway.
    pub fn refine(&self) {
        let ClockSource::TimeStampCounter(published) = &self.source else { return };
        let start = self.start.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let now = look();
        if let Some(line) = Scale::through(*start, now) {
            published.write(published.read().continued(now.ticks, line.ns_per_tick_q32));
        }
    }
}

/// The time-stamp counter: counts at one rate on all cores, from a common origin, where [`Clock::reads_counter`].
#[inline]
pub fn ticks() -> u64 {
    // SAFETY: RDTSC is available on every x86-64 processor and only reads; Linux permits it unless a process asks to
    // have it forbidden (PR_SET_TSC), which this one never does.
    unsafe { std::arch::x86_64::_rdtsc() }
}

/// Both clocks at nearly one moment: the kernel's between two counter reads, the narrowest of a few tries.
fn look() -> Moment {
    let one = || {
        let (before, ns, after) = (ticks(), monotonic_ns(), ticks());
        (after - before, Moment { ticks: before + (after - before) / 2, ns })
    };
    let mut best = one();
    for _ in 1..LOOKS {
        let next = one();
        if next.0 < best.0 {
            best = next;
        }
    }
    best.1
}

fn kernel_trusts_tsc() -> bool {
    let path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    read_short(path.as_ref()).is_ok_and(|source| TSC_SOURCES.contains(&source.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_agrees_with_the_kernels() {
        for clock in [Calibration::begin().finish(), Clock::by_kernel()] {
            let before = monotonic_ns();
            let now = clock.now_ns();
            let after = monotonic_ns();
            // Calibration is good to 30 ppm and this follows it at once; 100 µs allow for a hypervisor's turn in a look.
            assert!(now + 100_000 >= before && now <= after + 100_000, "{before} {now} {after}");
        }
    }

    #[test]
    fn the_clock_never_runs_backwards_also_when_refined() {
        let clock = Calibration::begin().finish();
        let mut last = clock.now_ns();
        for round in 0..10_000 {
            if round % 100 == 0 {
                clock.refine();
            }
            let now = clock.now_ns();
            assert!(now >= last, "{now} after {last}");
            last = now;
        }
    }

    #[test]
    fn a_deadline_is_the_same_moment_for_the_kernels_timers() {
        let clock = Calibration::begin().finish();
        let (from, deadline) = (monotonic_ns(), clock.now_ns() + 5_000_000);
        let converted = clock.to_monotonic_ns(deadline);
        assert!(converted >= from + 4_900_000 && converted <= monotonic_ns() + 5_100_000);
        assert_eq!(Clock::by_kernel().to_monotonic_ns(77), 77);
    }
}
