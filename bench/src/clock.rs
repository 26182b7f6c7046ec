//! The clock of all figures: the processor's time-stamp counter, calibrated against the kernel's clock.
//!
//! `clock_gettime` costs some 25 ns and has nanosecond steps; the counter costs half of that and steps per tick. On a
//! processor whose counter stops or changes its rate we refuse rather than print figures that mean nothing.

use std::arch::x86_64::{__rdtscp, _mm_lfence, _rdtsc};
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::cores::{Core, Priority, on_core};
use crate::error::BenchError;

/// Long enough that the ends' uncertainty of some 100 ns is below 3 parts in a million.
const CALIBRATION: Duration = Duration::from_millis(40);
/// Empty intervals whose median is what the clock costs.
const COST_READS: u32 = 10_001;
/// Exchanges for the offset between two cores' counters; the fastest of them is what counts.
const OFFSET_EXCHANGES: u64 = 20_000;

/// A calibrated time-stamp counter.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    ticks_per_second: f64,
    read_cost_ns: f64,
}

impl Clock {
    /// Calibrates for 40 ms.
    ///
    /// # Errors
    /// [`BenchError::Unavailable`] if the counter is not constant and non-stop.
    pub fn calibrate() -> Result<Self, BenchError> {
        require_invariant_counter()?;
        let (ticks, elapsed) = both_clocks(CALIBRATION);
        let ticks_per_second = ticks as f64 / elapsed.as_secs_f64();

        // An interrupt inside an interval is no cost of the clock: the median does not see it.
        let mut empty: Vec<u64> = (0..COST_READS).map(|_| interval(|| ())).collect();
        empty.sort_unstable();
        let cost_ticks = empty[empty.len() / 2] as f64;
        Ok(Self { ticks_per_second, read_cost_ns: cost_ticks / ticks_per_second * 1e9 })
    }

    /// Counter ticks in a second.
    #[must_use]
    pub fn ticks_per_second(&self) -> f64 {
        self.ticks_per_second
    }

    /// What an empty interval measures, in nanoseconds: so much of every sample is the clock.
    #[must_use]
    pub fn read_cost_ns(&self) -> f64 {
        self.read_cost_ns
    }

    /// Nanoseconds in this many ticks.
    #[must_use]
    pub fn nanoseconds(&self, ticks: u64) -> f64 {
        ticks as f64 / self.ticks_per_second * 1e9
    }

    /// Ticks in this duration.
    #[must_use]
    pub fn ticks(&self, duration: Duration) -> u64 {
        (duration.as_secs_f64() * self.ticks_per_second) as u64
    }

    /// Counter ticks (not core cycles: the core may run faster than its counter) in this many nanoseconds.
    #[must_use]
    pub fn cycles(&self, nanoseconds: f64) -> f64 {
        nanoseconds * self.ticks_per_second / 1e9
    }
}

/// Ticks that `work` takes.
#[inline(always)]
pub fn interval(work: impl FnOnce()) -> u64 {
    let from = begin();
    work();
    end() - from
}

/// The same stretch of at least `duration` by the counter and by the kernel's clock.
fn both_clocks(duration: Duration) -> (u64, Duration) {
    let (wall, from) = (Instant::now(), begin());
    while wall.elapsed() < duration {
        std::hint::spin_loop();
    }
    let to = end();
    (to - from, wall.elapsed())
}

/// Reads the counter before an interval: nothing of the interval starts earlier.
#[inline(always)]
#[must_use]
pub fn begin() -> u64 {
    // The order of Intel's "How to Benchmark Code Execution Times" (Paoloni, 2010), with the cheaper fence.
    // SAFETY: both instructions exist on every x86_64 processor and touch no memory.
    unsafe {
        _mm_lfence();
        let ticks = _rdtsc();
        _mm_lfence();
        ticks
    }
}

/// Reads the counter after an interval: all of the interval is done before.
#[inline(always)]
#[must_use]
pub fn end() -> u64 {
    let mut processor = 0;
    // SAFETY: `rdtscp` exists wherever the counter is invariant, which `calibrate` requires; it writes `processor` only.
    unsafe {
        let ticks = __rdtscp(&raw mut processor);
        _mm_lfence();
        ticks
    }
}

/// Reads the counter without any order: for loops that watch for gaps, and inside signal handlers.
#[inline(always)]
#[must_use]
pub fn glance() -> u64 {
    // SAFETY: exists on every x86_64 processor and touches no memory.
    unsafe { _rdtsc() }
}

/// By how many nanoseconds the counters of two cores differ: second minus first, to within half a round trip.
///
/// Cristian's algorithm (1989): the fastest exchange bounds the offset.
///
/// # Errors
/// [`BenchError::System`] if a thread cannot be pinned.
pub fn offset_ns(clock: &Clock, first: Core, second: Core) -> Result<f64, BenchError> {
    let (asked, answered) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let answerer = scope.spawn(|| {
            on_core(second, Priority::Ordinary, || {
                for exchange in 1..=OFFSET_EXCHANGES {
                    // SeqCst here and below: this is set-up, nobody gains from less.
                    while asked.load(Ordering::SeqCst) < exchange {}
                    answered.store(end(), Ordering::SeqCst);
                }
            })
        });
        let offset = on_core(first, Priority::Ordinary, || {
            let mut best = (u64::MAX, 0.0);
            let mut last_answer = 0;
            for exchange in 1..=OFFSET_EXCHANGES {
                let sent = begin();
                asked.store(exchange, Ordering::SeqCst);
                let there = loop {
                    let there = answered.load(Ordering::SeqCst);
                    if there != last_answer {
                        break there;
                    }
                    if answerer.is_finished() && exchange < OFFSET_EXCHANGES {
                        return None;
                    }
                };
                let received = end();
                last_answer = there;
                if received - sent < best.0 {
                    let middle = sent as f64 + (received - sent) as f64 / 2.0;
                    best = (received - sent, there as f64 - middle);
                }
            }
            Some(best.1 / clock.ticks_per_second * 1e9)
        });
        match (offset, answerer.join()) {
            (Ok(Some(offset)), Ok(Ok(()))) => Ok(offset),
            (Err(error), _) | (_, Ok(Err(error))) => Err(error),
            _ => Err(BenchError::Wrong("the thread that answers clock exchanges ended early".to_owned())),
        }
    })
}

fn require_invariant_counter() -> Result<(), BenchError> {
    let processors = fs::read_to_string("/proc/cpuinfo").map_err(BenchError::system("read /proc/cpuinfo"))?;
    let flags = processors.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    let has = |flag: &str| flags.split_whitespace().any(|word| word == flag);
    if has("constant_tsc") && has("nonstop_tsc") && has("rdtscp") {
        return Ok(());
    }
    // Some hypervisors hide rdtscp and nonstop_tsc although the kernel itself trusts the counter as its clock.
    let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    let kernel_trusts_it = fs::read_to_string(source).is_ok_and(|name| name.trim() == "tsc");
    if kernel_trusts_it && has("rdtscp") {
        return Ok(());
    }
    Err(BenchError::Unavailable {
        missing: "a time-stamp counter with a constant rate".to_owned(),
        remedy: "run on a processor with constant_tsc, nonstop_tsc and rdtscp in /proc/cpuinfo".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_agrees_with_the_kernels_clock() {
        let clock = Clock::calibrate().expect("invariant counter");
        let (ticks, elapsed) = both_clocks(Duration::from_millis(20));
        let ratio = clock.nanoseconds(ticks) / elapsed.as_nanos() as f64;
        // A preemption between the two reads shifts one of them; a wrong calibration is wrong by far more.
        assert!((0.9..1.1).contains(&ratio), "{ratio}");
    }

    #[test]
    fn conversions_are_each_others_inverse() {
        let clock = Clock { ticks_per_second: 2.5e9, read_cost_ns: 10.0 };
        assert_eq!(clock.ticks(Duration::from_micros(4)), 10_000);
        assert!((clock.nanoseconds(10_000) - 4_000.0).abs() < 1e-9);
        assert!((clock.cycles(4_000.0) - 10_000.0).abs() < 1e-9);
    }
}
