//! The monotonic clock: the time-stamp counter, and how fast it runs.

use core::{arch::x86_64::_rdtsc, fmt};

use spin::Once;
use x86_64::instructions::port::Port;

use super::features::leaf;

/// Oscillator of the interval timer (8254), in hertz: a third of the NTSC colour subcarrier times four, since 1981.
const INTERVAL_TIMER_HZ: u64 = 1_193_182;

/// Length of a measurement in ticks of the interval timer: 10 ms.
const WINDOW_TICKS: u16 = 11_932;

/// Measurements at most. Under emulation another process may get the host's core in the middle of one; of so many, one is
/// undisturbed.
const MAX_WINDOWS: usize = 200;

/// A measurement that is this exact ends the search: one part in so many.
const GOOD_ENOUGH: u64 = 2_000;

/// A measurement less exact than one part in so many is no measurement.
const USABLE: u64 = 50;

/// Counts after which a window of 10 ms has surely not ended because the timer is absent: 1 s of a 10 GHz counter.
const PATIENCE_COUNTS: u64 = 10_000_000_000;

static CLOCK: Once<Clock> = Once::new();

struct Clock {
    start: u64,
    /// Nanoseconds per count, times 2^32.
    nanoseconds_per_count: u64,
    rate: Rate,
}

/// How fast the time-stamp counter runs.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Counts a second.
    pub hertz: u64,
    /// Who says so.
    pub source: Source,
}

/// Who says how fast the counter runs.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The processor.
    Processor,
    /// A comparison with the interval timer, off by at most so many parts in a million.
    IntervalTimer {
        /// Half the width of the interval in which the true rate is.
        parts_per_million: u64,
    },
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:03} MHz ", self.hertz / 1_000_000, self.hertz / 1_000 % 1_000)?;
        match self.source {
            Source::Processor => write!(formatter, "says the processor"),
            Source::IntervalTimer { parts_per_million } => {
                write!(formatter, "by the interval timer, within {parts_per_million} ppm")
            }
        }
    }
}

/// There is nothing to learn the rate from.
#[derive(Clone, Copy, Debug)]
pub struct NoReference;

impl fmt::Display for NoReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "neither the processor nor an interval timer says how fast the clock runs; use a machine with an 8254 (QEMU: -machine q35)"
        )
    }
}

/// Starts the clock at zero. Interrupts must be off.
///
/// # Errors
/// [`NoReference`].
pub fn start() -> Result<Rate, NoReference> {
    let rate = rate_by_processor().map_or_else(rate_by_interval_timer, Ok)?;
    let nanoseconds_per_count = (1_000_000_000_u128 << 32) / u128::from(rate.hertz);
    let nanoseconds_per_count = u64::try_from(nanoseconds_per_count).map_err(|_| NoReference)?;
    Ok(CLOCK.call_once(|| Clock { start: counter(), nanoseconds_per_count, rate }).rate)
}

/// Nanoseconds since [`start`]; zero before it.
pub fn now_ns() -> u64 {
    let Some(clock) = CLOCK.get() else { return 0 };
    let counts = counter().wrapping_sub(clock.start);
    // 2^64 ns are 584 years.
    ((u128::from(counts) * u128::from(clock.nanoseconds_per_count)) >> 32) as u64
}

/// The counter's value at `at_ns` of the clock, rounded up.
pub fn counter_at(at_ns: u64) -> u64 {
    let Some(clock) = CLOCK.get() else { return 0 };
    let counts = (u128::from(at_ns) << 32).div_ceil(u128::from(clock.nanoseconds_per_count));
    u64::try_from(u128::from(clock.start) + counts).unwrap_or(u64::MAX)
}

/// The time-stamp counter.
pub fn counter() -> u64 {
    // SAFETY: every 64-bit processor has the instruction, and ring 0 may use it.
    unsafe { _rdtsc() }
}

/// Leaf 0x15 gives the counter's rate as a fraction of a crystal's, on Intel's processors since 2015 (SDM vol. 3, 20.7.3).
fn rate_by_processor() -> Option<Rate> {
    let leaf = leaf(0x15);
    let (denominator, numerator, crystal_hz) =
        (u64::from(leaf.eax), u64::from(leaf.ebx), u64::from(leaf.ecx));
    let hertz = (crystal_hz * numerator).checked_div(denominator)?;
    (hertz > 0).then_some(Rate { hertz, source: Source::Processor })
}

/// Between these two numbers of counts, a window passed.
#[derive(Clone, Copy)]
struct Bounds {
    least: u64,
    most: u64,
}

impl Bounds {
    const fn width(self) -> u64 {
        self.most - self.least
    }
}

fn rate_by_interval_timer() -> Result<Rate, NoReference> {
    let mut best: Option<Bounds> = None;
    for _ in 0..MAX_WINDOWS {
        let Some(bounds) = measure_window() else { continue };
        if best.is_none_or(|best| bounds.width() < best.width()) {
            best = Some(bounds);
        }
        if bounds.width() < bounds.most / GOOD_ENOUGH {
            break;
        }
    }
    let best = best.filter(|best| best.width() <= best.most / USABLE).ok_or(NoReference)?;
    let middle = best.least + best.width() / 2;
    let parts_per_million = best.width() * 1_000_000 / 2 / middle;
    let hertz = middle * INTERVAL_TIMER_HZ / u64::from(WINDOW_TICKS);
    Ok(Rate { hertz, source: Source::IntervalTimer { parts_per_million } })
}

/// Lets channel 2 count down once, and says what the counter did meanwhile, whatever else happened on the host: the start
/// is bracketed by two readings, and so is the end. Nothing, if the first look came too late, or if there is no such timer: the ports
/// of an absent one read as all ones, and that looks like a count that has ended.
fn measure_window() -> Option<Bounds> {
    let mut gate = Port::<u8>::new(0x61);
    let mut command = Port::<u8>::new(0x43);
    let mut channel = Port::<u8>::new(0x42);
    let [low, high] = WINDOW_TICKS.to_le_bytes();
    // SAFETY: the ports of the interval timer and of its gate, which nobody else uses; the speaker (bit 1) stays off. The
    // command: channel 2, both bytes, mode 0 (output rises when the count ends).
    let (before_start, after_start) = unsafe {
        let gated = gate.read() & !2 | 1;
        gate.write(gated);
        command.write(0xb0_u8);
        channel.write(low);
        let before_start = counter();
        // The second byte starts the count.
        channel.write(high);
        (before_start, counter())
    };
    let mut still_low_at = None;
    loop {
        let before_look = counter();
        // SAFETY: reading the output of channel 2 (bit 5) changes nothing.
        let ended = unsafe { gate.read() } & 0x20 != 0;
        let after_look = counter();
        if ended {
            let still_low_at: u64 = still_low_at?;
            let least = still_low_at.saturating_sub(after_start);
            return (least > 0).then_some(Bounds { least, most: after_look - before_start });
        }
        if after_look - before_start > PATIENCE_COUNTS {
            return None;
        }
        still_low_at = Some(before_look);
    }
}
