//! What the kernel asks of the bare machine: the time, an alarm, random numbers, a line on the console.

use alloc::{string::String, vec::Vec};
use core::sync::atomic::{AtomicU64, Ordering};

use hallows_kernel::{CoreId, Machine, Nanos};
use spin::Mutex;

use crate::{
    arch::{clock, entropy, timer},
    console::println,
};

/// The hardware side of the kernel, on one core.
#[derive(Debug)]
pub struct MetalMachine {
    /// When the timekeeper must look, in nanoseconds; [`timer::NEVER`] for not before somebody asks.
    tick_at_ns: AtomicU64,
    /// Every line that was logged, if somebody wants them.
    record: Option<Mutex<Vec<String>>>,
}

/// Whether a machine remembers what it logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recording {
    /// It only prints.
    Off,
    /// It keeps the lines, for [`MetalMachine::take_lines`].
    On,
}

impl MetalMachine {
    /// A machine whose timekeeper is to look at once.
    pub fn new(recording: Recording) -> Self {
        let record = (recording == Recording::On).then(Mutex::default);
        Self { tick_at_ns: AtomicU64::new(0), record }
    }

    /// Whether the timekeeper must look now.
    pub fn is_tick_due(&self) -> bool {
        self.tick_at_ns.load(Ordering::SeqCst) <= clock::now_ns()
    }

    /// Makes the timekeeper look at a time, whatever was set before.
    pub fn plan_tick(&self, at: Nanos) {
        let at_ns = if at == Nanos::NEVER { timer::NEVER } else { at.0 };
        self.tick_at_ns.store(at_ns, Ordering::SeqCst);
        timer::set_alarm(at_ns);
    }

    /// The lines that were logged since the last call.
    pub fn take_lines(&self) -> Vec<String> {
        self.record.as_ref().map(|record| core::mem::take(&mut *record.lock())).unwrap_or_default()
    }
}

impl Machine for MetalMachine {
    fn now(&self) -> Nanos {
        Nanos(clock::now_ns())
    }

    /// Never called: this machine steps the kernel itself and sleeps in `drive`.
    fn park(&self, _core: CoreId, _until: Nanos) -> bool {
        core::hint::spin_loop();
        false
    }

    fn unpark(&self, _core: CoreId) {
        // The only core is awake: it is here.
    }

    fn alarm(&self, at: Nanos) {
        if at.0 < self.tick_at_ns.load(Ordering::SeqCst) {
            self.plan_tick(at);
        }
    }

    fn random(&self) -> [u8; 16] {
        entropy::random_bytes()
    }

    fn log(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        println!("{line}");
        if let Some(record) = &self.record {
            record.lock().push(line.into_owned());
        }
    }
}
