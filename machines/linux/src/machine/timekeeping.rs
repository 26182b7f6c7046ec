//! The timekeeper's thread: calls the kernel's tick when the kernel wants it, spinning only while microseconds matter.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hallows_kernel::{Engine, Kernel, Machine, Nanos};

use super::linux_machine::LinuxMachine;
use crate::host::cores::{SHARED_QUANTUM_FLOOR_NS, TimekeeperPlace};

/// Looks at the clock between two checks of whether the spinning state is to be noted: keeps the notes off the path.
#[derive(Debug, Default)]
pub struct TimekeeperMeter {
    spinning: AtomicBool,
    spun_ns: AtomicU64,
    ticks: AtomicU64,
}

impl TimekeeperMeter {
    /// Whether it spins at this moment.
    pub fn is_spinning(&self) -> bool {
        self.spinning.load(Ordering::Relaxed)
    }

    /// How long it has spun since boot, in ns.
    pub fn spun_ns(&self) -> u64 {
        self.spun_ns.load(Ordering::Relaxed)
    }

    /// How often it looked since boot.
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
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
    let mut now = kernel.machine.now();
    while !kernel.is_stopping() && !stop.load(Ordering::Relaxed) {
        let next = kernel.tick(now);
        meter.ticks.store(meter.ticks.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        if next.spin && place == TimekeeperPlace::OwnCore {
            meter.spinning.store(true, Ordering::Relaxed);
            std::hint::spin_loop();
            let later = kernel.machine.now();
            let spun_ns = meter.spun_ns.load(Ordering::Relaxed) + later.0.saturating_sub(now.0);
            meter.spun_ns.store(spun_ns, Ordering::Relaxed);
            now = later;
            continue;
        }
        meter.spinning.store(false, Ordering::Relaxed);
        let at = if next.spin { now.after(SHARED_QUANTUM_FLOOR_NS) } else { next.at };
        if at > kernel.machine.now() || at == Nanos::NEVER {
            kernel.machine.sleep_timekeeper(at);
        }
        now = kernel.machine.now();
    }
}
