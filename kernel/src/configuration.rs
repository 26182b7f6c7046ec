//! How large a kernel is and by which times it goes.

use hallows_abi::MAX_CHAIN;

use crate::policy::{MIN_QUANTUM_NS, Policies};

/// The sizes of the kernel's tables and the scheduler's times. All memory of the tables is taken when the kernel is made.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// Cores, service cores included, at least 1 more than those.
    pub cores: u32,
    /// So many of them, the last ones, are *service cores*: they run the threads that are pinned to them and no others, so such a thread may
    /// block in the host. Nobody keeps time budgets, nor handler budgets, there.
    pub service_cores: u32,
    /// Cells, each with one thread of execution. Cell 0 is the root: it holds what boot makes, and runs nothing.
    pub cells: u32,
    /// Endpoints, notifications, timers, budgets, regions, programs: so many of each.
    pub objects: u32,
    /// Capability slots of all spaces together and of capabilities on their way.
    pub slots: u32,
    /// Memory of all cells and objects together, in bytes.
    pub memory_bytes: u64,
    /// How long a thread of the latency class runs while another of its priority waits, in nanoseconds.
    pub quantum_ns: u64,
    /// The same in the batch class, in nanoseconds. Who is of another class does not wait for its end.
    pub batch_quantum_ns: u64,
    /// The shortest quantum that any policy gets, in nanoseconds, at least [`MIN_QUANTUM_NS`]: what the timekeeper can keep.
    pub least_quantum_ns: u64,
    /// In which order threads of one class and priority run, and for how long.
    pub policies: Policies,
    /// How long a passive handler may run when its endpoint names no budget, in nanoseconds.
    pub handler_budget_ns: u64,
    /// How long the timekeeper may sleep while programs run and nothing is due, in nanoseconds: the grain of handler budgets
    /// on an otherwise quiet machine.
    pub coarse_tick_ns: u64,
    /// Records in each core's trace ring: a power of two.
    pub trace_records: u32,
    /// How often an idle core looks for work before it parks. A look costs a few nanoseconds; a futex wake-up tens of microseconds.
    pub idle_looks: u32,
    /// Preempt and migrate at every check: a test mode that makes rare interleavings common.
    pub chaos: bool,
}

impl Default for Configuration {
    fn default() -> Self {
        Self {
            cores: 1,
            service_cores: 0,
            cells: 1_024,
            objects: 4_096,
            slots: 65_536,
            memory_bytes: 1 << 30,
            // The quantum that the field's schedulers are compared at (Shinjuku, Concord, TQ).
            quantum_ns: 5_000,
            // Long beside what a switch costs, with the caches that it leaves behind.
            batch_quantum_ns: 100_000,
            least_quantum_ns: MIN_QUANTUM_NS,
            policies: Policies::default(),
            // Long beside any handler that answers from memory, short beside what a client would call a hang.
            handler_budget_ns: 10_000_000,
            coarse_tick_ns: 1_000_000,
            trace_records: 1_024,
            idle_looks: 20_000,
            chaos: false,
        }
    }
}

impl Configuration {
    /// How many cores, from the first one on, run whatever there is to run.
    #[must_use]
    pub const fn general_cores(&self) -> u32 {
        self.cores.saturating_sub(self.service_cores)
    }

    /// Few of everything: for tests and model checks.
    #[must_use]
    pub fn tiny(cores: u32) -> Self {
        Self {
            cores,
            cells: 16,
            objects: 32,
            slots: 1_024,
            memory_bytes: 64 << 20,
            trace_records: 16,
            idle_looks: 0,
            ..Self::default()
        }
    }
}

/// Slots of a capability space when its creator names no number.
pub const DEFAULT_SPACE: u32 = 64;

/// How many priorities there are; the highest runs first.
pub const PRIORITIES: u8 = 8;

/// Places in a thread's record for the servers that it is inside of.
pub const CHAIN: usize = MAX_CHAIN as usize;
