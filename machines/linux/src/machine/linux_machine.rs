//! What the kernel asks of Linux: the time, sleep, random numbers, a line on the console.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hallows_kernel::{CoreId, Machine, Nanos};

use super::console::Console;
use crate::host::timer::{Clock, Parker, Wakeup};

/// The Linux side of one kernel.
#[derive(Debug)]
pub struct LinuxMachine {
    clock: Clock,
    cores: Box<[Parker]>,
    timekeeper: Parker,
    /// How often the timekeeper was woken from sleep by somebody, for `ps`.
    alarms: AtomicU64,
    console: Console,
    /// Whether an idle core may sleep; false only while a bench measures two awake cores.
    sleepless: AtomicBool,
}

impl LinuxMachine {
    /// For so many cores.
    #[must_use]
    pub fn new(cores: usize, clock: Clock, console: Console) -> Self {
        Self {
            clock,
            cores: (0..cores).map(|_| Parker::new()).collect(),
            timekeeper: Parker::new(),
            alarms: AtomicU64::new(0),
            console,
            sleepless: AtomicBool::new(false),
        }
    }

    /// The machine's clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where lines go.
    #[must_use]
    pub const fn console(&self) -> &Console {
        &self.console
    }

    /// Lets the timekeeper sleep until a time, an alarm, or a reason of its own.
    pub(super) fn sleep_timekeeper(&self, until: Nanos) -> Wakeup {
        let until = (until != Nanos::NEVER).then(|| self.clock.to_monotonic_ns(until.0));
        self.timekeeper.park(until)
    }

    /// Wakes the timekeeper.
    pub(super) fn wake_timekeeper(&self) {
        self.timekeeper.unpark();
    }

    /// How often the timekeeper was woken by an alarm.
    #[must_use]
    pub fn alarms(&self) -> u64 {
        self.alarms.load(Ordering::Relaxed)
    }

    /// Keeps idle cores awake, looking for work, or lets them sleep.
    pub fn keep_awake(&self, awake: bool) {
        self.sleepless.store(awake, Ordering::Relaxed);
    }
}

impl Machine for LinuxMachine {
    #[inline]
    fn now(&self) -> Nanos {
        Nanos(self.clock.now_ns())
    }

    fn park(&self, core: CoreId) {
        // Relaxed: a core that sees it late sleeps or looks once more.
        if self.sleepless.load(Ordering::Relaxed) {
            std::hint::spin_loop();
            return;
        }
        if let Some(parker) = self.cores.get(core.index()) {
            parker.park(None);
        }
    }

    fn unpark(&self, core: CoreId) {
        if let Some(parker) = self.cores.get(core.index()) {
            parker.unpark();
        }
    }

    fn alarm(&self, _at: Nanos) {
        // Whatever it is, the timekeeper looks for itself what is due and when.
        self.alarms.fetch_add(1, Ordering::Relaxed);
        self.timekeeper.unpark();
    }

    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        let mut filled = 0;
        while filled < bytes.len() {
            // The flags block only before the host's pool is ready, long before any machine; an interrupted call is tried again.
            match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
                Ok(count) => filled += count,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("the host has no random numbers: {error}"),
            }
        }
        bytes
    }

    fn log(&self, line: &[u8]) {
        self.console.line(line);
    }
}
