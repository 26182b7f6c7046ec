//! What can be changed of the scheduler while it runs.

use core::fmt;

use crate::sync::{AtomicU64, Ordering};
use crate::{Configuration, Engine, Kernel, MIN_QUANTUM_NS};

/// The scheduler's times, in ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuning {
    /// How long a thread of the latency class runs while another of its priority waits. [`u64::MAX`]: until it waits by itself.
    pub quantum_ns: u64,
    /// The same in the batch class.
    pub batch_quantum_ns: u64,
    /// How long threads of a pool wait for a core before one of another pool is lent to it.
    pub lend_after_ns: u64,
}

/// Why a tuning is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TuneError {
    /// A quantum is shorter than the machine's timekeeper can keep.
    QuantumTooShort {
        /// The least, in ns.
        least_ns: u64,
    },
}

impl fmt::Display for TuneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QuantumTooShort { least_ns } => {
                write!(f, "a quantum of this machine has at least {least_ns} ns")
            }
        }
    }
}

impl core::error::Error for TuneError {}

/// The tuning at work. On lines of its own: the timekeeper reads it, and it changes seldom.
#[derive(Debug)]
#[repr(align(128))]
pub struct Tuned {
    quantum_ns: AtomicU64,
    batch_quantum_ns: AtomicU64,
    lend_after_ns: AtomicU64,
}

impl Tuned {
    // All orders are relaxed: each is a number of its own, and who reads it late keeps the former one for that long.

    /// As a machine begins.
    pub fn new(configuration: &Configuration) -> Self {
        let Configuration { quantum_ns, batch_quantum_ns, lend_after_ns, .. } = *configuration;
        Self {
            quantum_ns: AtomicU64::new(quantum_ns),
            batch_quantum_ns: AtomicU64::new(batch_quantum_ns),
            lend_after_ns: AtomicU64::new(lend_after_ns),
        }
    }

    /// How long a thread of the latency class runs while another waits, in ns.
    pub fn quantum_ns(&self) -> u64 {
        self.quantum_ns.load(Ordering::Relaxed)
    }

    /// The same of the batch class.
    pub fn batch_quantum_ns(&self) -> u64 {
        self.batch_quantum_ns.load(Ordering::Relaxed)
    }

    /// How long threads wait before a core is lent to their pool, in ns.
    pub fn lend_after_ns(&self) -> u64 {
        self.lend_after_ns.load(Ordering::Relaxed)
    }
}

impl<E: Engine> Kernel<E> {
    /// The scheduler's times.
    pub fn tuning(&self) -> Tuning {
        Tuning {
            quantum_ns: self.tuned.quantum_ns(),
            batch_quantum_ns: self.tuned.batch_quantum_ns(),
            lend_after_ns: self.tuned.lend_after_ns(),
        }
    }

    /// The shortest quantum, in ns.
    pub fn least_quantum_ns(&self) -> u64 {
        self.configuration.least_quantum_ns.max(MIN_QUANTUM_NS)
    }

    /// Changes them. Who runs at this moment has the new quantum at the timekeeper's next look.
    ///
    /// # Errors
    /// See [`TuneError`]; nothing has changed then.
    pub fn tune(&self, tuning: Tuning) -> Result<(), TuneError> {
        let least_ns = self.least_quantum_ns();
        if tuning.quantum_ns.min(tuning.batch_quantum_ns) < least_ns {
            return Err(TuneError::QuantumTooShort { least_ns });
        }
        self.tuned.quantum_ns.store(tuning.quantum_ns, Ordering::Relaxed);
        self.tuned.batch_quantum_ns.store(tuning.batch_quantum_ns, Ordering::Relaxed);
        self.tuned.lend_after_ns.store(tuning.lend_after_ns, Ordering::Relaxed);
        self.wake_timekeeper();
        Ok(())
    }
}
