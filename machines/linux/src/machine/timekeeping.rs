//! The timekeeper's thread: calls the kernel's tick when the kernel wants it, spinning only while microseconds matter.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hallows_kernel::{Engine, Kernel, Machine};

use super::lead::Lead;
use super::linux_machine::LinuxMachine;
use super::thread_clock::ThreadClock;
use crate::host::cores::{SHARED_QUANTUM_FLOOR_NS, TimekeeperPlace};

/// How long the timekeeper's share of its core is measured when somebody asks: dozens of its looks while it watches a program that
/// runs alone, and an answer still feels immediate.
const MEASURED_FOR: Duration = Duration::from_millis(50);

/// Between two looks, in ns, while it spins: each takes cache lines from the cores, which they write at their next switch. A quantum is
/// half of it longer for that; looks without a pause made programs that share a core slower by tens of per cent (`hallows bench preemption-loss`).
const PACE_NS: u64 = 400;

/// Nothing can be over within this, in ns: it sleeps although threads compete, as quanta are long. Linux wakes it late by some tens of microseconds.
const LONG_NS: u64 = 100_000;

/// What the timekeeper costs.
#[derive(Debug, Default)]
pub struct TimekeeperMeter {
    spinning: AtomicBool,
    clock: ThreadClock,
}

impl TimekeeperMeter {
    /// Whether it spins at this moment.
    pub fn is_spinning(&self) -> bool {
        self.spinning.load(Ordering::Relaxed)
    }

    /// Processor time that it has had since boot, in ns.
    pub fn used_ns(&self) -> u64 {
        self.clock.used_ns().unwrap_or(0)
    }

    /// The share of its core that it has now, in percent. Takes 50 ms.
    pub fn measure_percent(&self) -> f32 {
        let (began, before) = (Instant::now(), self.used_ns());
        std::thread::sleep(MEASURED_FOR);
        let used_ns = self.used_ns().saturating_sub(before);
        (used_ns as f64 * 100.0 / began.elapsed().as_nanos().max(1) as f64) as f32
    }
}

/// Keeps time until the kernel stops.
pub fn keep_time<E: Engine<Machine = LinuxMachine>>(
    kernel: &Kernel<E>,
    place: TimekeeperPlace,
    meter: &TimekeeperMeter,
) {
    keep_time_until(kernel, place, meter, &AtomicBool::new(false));
}

/// Keeps time until the kernel stops, or until `stop` is set and an alarm rung.
pub fn keep_time_until<E: Engine<Machine = LinuxMachine>>(
    kernel: &Kernel<E>,
    place: TimekeeperPlace,
    meter: &TimekeeperMeter,
    stop: &AtomicBool,
) {
    meter.clock.adopt();
    let mut now = kernel.machine.now();
    let lead = Lead::default();
    while !kernel.is_stopping() && !stop.load(Ordering::Relaxed) {
        let next = kernel.tick(now);
        let is_soon = next.at.0.saturating_sub(now.0) < LONG_NS;
        if next.spin && is_soon && place == TimekeeperPlace::OwnCore {
            meter.spinning.store(true, Ordering::Relaxed);
            let looked = now;
            // A clock that has jumped back ends it too.
            while now.0.wrapping_sub(looked.0) < PACE_NS {
                std::hint::spin_loop();
                now = kernel.machine.now();
            }
            continue;
        }
        meter.spinning.store(false, Ordering::Relaxed);
        let at = match place {
            TimekeeperPlace::WithPrograms if next.spin => now.after(SHARED_QUANTUM_FLOOR_NS),
            _ => next.at,
        };
        if next.is_due && place == TimekeeperPlace::OwnCore {
            if kernel.machine.sleep_timekeeper_before(at, &lead) {
                std::hint::spin_loop();
            }
        } else if at > kernel.machine.now() {
            kernel.machine.sleep_timekeeper(at);
        }
        now = kernel.machine.now();
    }
}
