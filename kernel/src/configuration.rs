//! How large a kernel is and by which times it goes.

use alloc::vec::Vec;
use core::ops::Range;

use hallows_abi::MAX_CHAIN;

use crate::policy::{MIN_QUANTUM_NS, Policies};

/// Cores that run the same threads: whoever is of a pool runs on its cores, and on those that others lend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// How many cores it has, behind those of the pools before it.
    pub cores: u32,
    /// Its cores, while its own threads do not want them, run those of pools whose threads wait.
    pub lends: bool,
}

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
    /// Pools of the cores that run whatever there is to run; none: all are one. Cores that no pool has are the last one's.
    pub pools: Vec<Pool>,
    /// How long threads of a pool wait for a core, one or another all the time, before a core of another pool is lent to it, in nanoseconds.
    pub lend_after_ns: u64,
    /// For each core the others, from that which shares most caches with it to that which shares least; none: by their numbers. Whoever has nothing to do
    /// looks for work in this order.
    pub nearest: Vec<Vec<u32>>,
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
            pools: Vec::new(),
            // A quantum: a queue that does not empty for as long is no accident (Shenango, Ousterhout et al., NSDI 2019).
            lend_after_ns: 5_000,
            nearest: Vec::new(),
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

    /// The cores of a pool.
    #[must_use]
    pub fn pool_cores(&self, pool: u32) -> Range<u32> {
        let general = self.general_cores();
        let cores = |pools: usize| self.pools.iter().take(pools).map(|pool| pool.cores);
        let cores_before = |pools: usize| cores(pools).fold(0, u32::saturating_add);
        let is_last = pool as usize + 1 >= self.pools.len();
        let end = if is_last { general } else { cores_before(pool as usize + 1).min(general) };
        cores_before(pool as usize).min(end)..end
    }

    /// The pool of a core.
    #[must_use]
    pub fn pool_of(&self, core: u32) -> u32 {
        let pools = u32::try_from(self.pools.len()).unwrap_or(u32::MAX);
        (0..pools).find(|pool| self.pool_cores(*pool).contains(&core)).unwrap_or(0)
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

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::core_record::Core;

    #[test]
    fn pools_have_the_cores_in_their_order_and_the_last_one_what_is_left() {
        let pools = [1, 2].map(|cores| Pool { cores, lends: false }).to_vec();
        let configuration = Configuration { pools, service_cores: 1, ..Configuration::tiny(6) };
        assert_eq!([0, 1].map(|pool| configuration.pool_cores(pool)), [0..1, 1..5]);
        assert_eq!([0, 1, 2, 4, 5].map(|core| configuration.pool_of(core)), [0, 1, 1, 1, 0]);
        let few = Configuration { cores: 2, service_cores: 0, ..configuration };
        assert_eq!([0, 1].map(|pool| few.pool_cores(pool)), [0..1, 1..2]);
        assert_eq!(Configuration::tiny(3).pool_cores(0), 0..3);
    }

    #[test]
    fn work_is_looked_for_in_the_own_pool_at_the_nearest_core_first() {
        let pools = [3, 1].map(|cores| Pool { cores, lends: true }).to_vec();
        let nearest = vec![vec![3, 2, 1], vec![0, 2, 3], vec![1, 3, 0], vec![0, 1, 2]];
        let configuration = Configuration { pools, nearest, ..Configuration::tiny(4) };
        let near = |core| Core::new(core, &configuration).home.near.to_vec();
        assert_eq!([near(0), near(1), near(3), near(4)], [vec![2, 1], vec![0, 2], vec![], vec![]]);
        let by_number = Configuration { nearest: Vec::new(), ..configuration };
        assert_eq!(*Core::new(1, &by_number).home.near, [2, 0]);
    }
}
