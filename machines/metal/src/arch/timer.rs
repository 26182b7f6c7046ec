//! One alarm, by the local APIC's one-shot timer: nothing ticks while nobody waits.

use core::{
    fmt,
    sync::atomic::{AtomicPtr, AtomicU64, Ordering},
};

use spin::Once;
use x86_64::{instructions::interrupts::without_interrupts, registers::model_specific::Msr};

use super::{
    clock,
    features::leaf,
    interrupt_controllers::{LocalRegister, read_local, write_local},
    interrupts::{Interrupted, TIMER_VECTOR},
};

/// No alarm is set.
pub const NEVER: u64 = u64::MAX;

/// The register that a deadline in counts is written to (SDM vol. 3, 12.5.4.1).
const DEADLINE_REGISTER: u32 = 0x6e0;

/// Bits of the timer's vector register: delivery off; deadline instead of count-down (SDM vol. 3, figure 12-8).
const MASKED: u32 = 1 << 16;
const DEADLINE_MODE: u32 = 2 << 17;

/// Value of the divider register for "count at full speed": the finest grain, and still 4 s and more until the count is
/// used up (SDM vol. 3, figure 12-10).
const DIVIDE_BY_ONE: u32 = 0b1011;

/// How long the count-down is compared with the clock at a time.
const WINDOW_NS: u64 = 2_000_000;

/// Comparisons at most; of so many, one is undisturbed.
const MAX_WINDOWS: usize = 50;

/// A comparison that is exact to one part in so many ends the search.
const GOOD_ENOUGH: u64 = 1_000;

static MODE: Once<Mode> = Once::new();
/// Time of the alarm in nanoseconds of the clock, or [`NEVER`].
static ALARM_NS: AtomicU64 = AtomicU64::new(NEVER);
/// What to call when the alarm is due: a `fn(Interrupted)`, or null.
static ON_ALARM: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// How the timer is told when.
#[derive(Clone, Copy, Debug)]
pub enum Mode {
    /// By the value of the time-stamp counter.
    Deadline,
    /// By a count that runs down at so many counts a second.
    CountDown {
        /// Counts a second.
        hertz: u64,
    },
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline => write!(formatter, "takes deadlines"),
            Self::CountDown { hertz } => write!(formatter, "counts down at {} MHz", hertz / 1_000_000),
        }
    }
}

/// Finds out how this core's timer works. The clock runs and interrupts are off.
pub fn initialise() -> Mode {
    *MODE.call_once(|| {
        // Leaf 1, ecx, bit 24: the timer takes deadlines.
        if leaf(1).ecx & 1 << 24 != 0 {
            write_local(LocalRegister::TimerVector, DEADLINE_MODE | u32::from(TIMER_VECTOR));
            return Mode::Deadline;
        }
        write_local(LocalRegister::TimerDivider, DIVIDE_BY_ONE);
        let hertz = count_down_rate();
        write_local(LocalRegister::TimerVector, u32::from(TIMER_VECTOR));
        Mode::CountDown { hertz }
    })
}

/// Has `handler` called when the alarm is due, in the interrupt: if the machine was interrupted, it may take no lock, nor
/// allocate.
pub fn on_alarm(handler: fn(Interrupted)) {
    ON_ALARM.store(handler as *mut (), Ordering::SeqCst);
}

/// Sets the alarm to `at_ns` of the clock, in place of the one that was set; [`NEVER`] sets none. A time in the past is due at
/// once. It never comes early.
pub fn set_alarm(at_ns: u64) {
    without_interrupts(|| {
        ALARM_NS.store(at_ns, Ordering::SeqCst);
        program(at_ns);
    });
}

/// The timer's interrupt.
pub fn expired(interrupted: Interrupted) {
    let alarm_ns = ALARM_NS.load(Ordering::SeqCst);
    // Early, because the count was too short for the time or the two clocks differ a little; or cancelled just now.
    if alarm_ns > clock::now_ns() {
        program(alarm_ns);
        return;
    }
    ALARM_NS.store(NEVER, Ordering::SeqCst);
    let handler = ON_ALARM.load(Ordering::SeqCst);
    if !handler.is_null() {
        // SAFETY: only `on_alarm` stores there, and only such a function.
        let handler: fn(Interrupted) = unsafe { core::mem::transmute(handler) };
        handler(interrupted);
    }
}

fn program(at_ns: u64) {
    match MODE.get() {
        Some(Mode::Deadline) => {
            // Zero disarms, so "at once" must not be written as zero.
            let deadline = if at_ns == NEVER { 0 } else { clock::counter_at(at_ns).max(1) };
            // SAFETY: the register exists (leaf 1), and the worst it can do is raise the timer's vector.
            unsafe { Msr::new(DEADLINE_REGISTER).write(deadline) };
        }
        Some(Mode::CountDown { hertz }) => {
            let count = if at_ns == NEVER {
                0
            } else {
                let nanoseconds = at_ns.saturating_sub(clock::now_ns());
                let counts = (u128::from(nanoseconds) * u128::from(*hertz)).div_ceil(1_000_000_000);
                // Zero disarms; a longer time than fits is continued in `expired`.
                u32::try_from(counts).unwrap_or(u32::MAX).max(1)
            };
            write_local(LocalRegister::TimerInitialCount, count);
        }
        None => {}
    }
}

/// Counts a second of the count-down, by the clock.
fn count_down_rate() -> u64 {
    write_local(LocalRegister::TimerVector, MASKED);
    let mut best = measure_window();
    for _ in 1..MAX_WINDOWS {
        if best.uncertainty_ns < best.elapsed_ns / GOOD_ENOUGH {
            break;
        }
        let next = measure_window();
        if next.uncertainty_ns < best.uncertainty_ns {
            best = next;
        }
    }
    write_local(LocalRegister::TimerInitialCount, 0);
    (best.counted * 1_000_000_000 / best.elapsed_ns).max(1)
}

/// So many counts in so many nanoseconds.
struct Window {
    counted: u64,
    elapsed_ns: u64,
    /// How much longer or shorter it may have been, both together.
    uncertainty_ns: u64,
}

/// Lets the count run for a while. Under emulation the host may take the core away at any point, so the clock is read on both
/// sides of the start and of the end, and the distance is how much is not known.
fn measure_window() -> Window {
    let before_start_ns = clock::now_ns();
    write_local(LocalRegister::TimerInitialCount, u32::MAX);
    let after_start_ns = clock::now_ns();
    while clock::now_ns() < after_start_ns + WINDOW_NS {
        core::hint::spin_loop();
    }
    let before_end_ns = clock::now_ns();
    let counted = u64::from(u32::MAX - read_local(LocalRegister::TimerCurrentCount));
    let after_end_ns = clock::now_ns();
    let (least_ns, most_ns) = (before_end_ns - after_start_ns, after_end_ns - before_start_ns);
    Window { counted, elapsed_ns: least_ns.midpoint(most_ns), uncertainty_ns: most_ns - least_ns }
}
