//! The timekeeper's thread: calls the kernel's tick when the kernel wants it, spinning only while microseconds matter.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hallows_kernel::{Engine, Kernel, Machine, Nanos};

use super::linux_machine::LinuxMachine;
use super::thread_clock::ThreadClock;
use crate::host::cores::{SHARED_QUANTUM_FLOOR_NS, TimekeeperPlace};
use crate::host::timer::parker::Wakeup;

/// How long the timekeeper's share of its core is measured when somebody asks: dozens of its looks while it watches a program that
/// runs alone, and an answer still feels immediate.
const MEASURED_FOR: Duration = Duration::from_millis(50);

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
    let mut lead = Lead::default();
    while !kernel.is_stopping() && !stop.load(Ordering::Relaxed) {
        let next = kernel.tick(now);
        if next.spin && place == TimekeeperPlace::OwnCore {
            meter.spinning.store(true, Ordering::Relaxed);
            std::hint::spin_loop();
            now = kernel.machine.now();
            continue;
        }
        meter.spinning.store(false, Ordering::Relaxed);
        let at = if next.spin { now.after(SHARED_QUANTUM_FLOOR_NS) } else { next.at };
        let lead_ns = if next.is_due && place == TimekeeperPlace::OwnCore { lead.0 } else { 0 };
        let wake_at = if at == Nanos::NEVER { at } else { Nanos(at.0.saturating_sub(lead_ns)) };
        now = kernel.machine.now();
        if wake_at > now {
            let woken = kernel.machine.sleep_timekeeper(wake_at);
            now = kernel.machine.now();
            if lead_ns > 0 && woken == Wakeup::Deadline {
                lead.learn(now.0.saturating_sub(wake_at.0));
            }
        } else if at > now {
            std::hint::spin_loop();
        }
    }
}

/// How long before somebody's time the timekeeper wakes, in ns, to be awake then: about as long as Linux takes to wake it, which it spins for.
/// Linux wakes late by tens of microseconds in a virtual machine, and by a few elsewhere.
#[derive(Debug)]
struct Lead(u64);

/// It is never shorter, nor longer: so much of each wait its core is busy.
const SHORTEST_LEAD_NS: u64 = 2_000;
const LONGEST_LEAD_NS: u64 = 60_000;
/// Later than that it was not on its way, but somebody else had its core.
const TAKEN_AWAY_NS: u64 = 200_000;

impl Default for Lead {
    fn default() -> Self {
        Self(LONGEST_LEAD_NS / 2)
    }
}

impl Lead {
    /// It woke late by so many ns: at once earlier if that was too late, and slowly later if it was not.
    fn learn(&mut self, late_ns: u64) {
        if late_ns < TAKEN_AWAY_NS {
            let wanted = late_ns + late_ns / 4;
            let slowly = self.0 - self.0 / 32;
            self.0 = wanted.max(slowly).clamp(SHORTEST_LEAD_NS, LONGEST_LEAD_NS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_wakes_as_early_as_linux_is_late_and_forgets_slowly() {
        let mut lead = Lead::default();
        lead.learn(40_000);
        assert_eq!(lead.0, 50_000);
        (0..400).for_each(|_| lead.learn(8_000));
        assert_eq!(lead.0, 10_000);
        // A core that was taken away says nothing of the next time.
        lead.learn(5_000_000);
        assert_eq!(lead.0, 10_000);
        lead.learn(100_000);
        assert_eq!(lead.0, LONGEST_LEAD_NS);
        (0..1_000).for_each(|_| lead.learn(0));
        assert_eq!(lead.0, SHORTEST_LEAD_NS);
    }
}
