//! What the kernel asks of a machine: the time, sleep, and a way to wake what sleeps.

use hallows_abi::{FaultKind, FaultReport};

use crate::{CellId, CoreId, Nanos, PolicyError};

/// Looks without a pause between them: some microseconds, the time in which who is awake on another core answers.
pub const EAGER_LOOKS: u32 = 1_000;

/// What is under the kernel: Linux threads, a bare processor, or a simulation.
pub trait Machine: Send + Sync + 'static {
    /// The monotonic clock.
    fn now(&self) -> Nanos;
    /// How long the core has really run, by a clock of its own, where somebody else may take it away: a host. What a handler's budget is
    /// measured by. Read seldom.
    fn core_time(&self, core: CoreId) -> Nanos {
        let _ = core;
        self.now()
    }
    /// Lets the core sleep until [`Machine::unpark`] of it, or so long before `until` (never: [`Nanos::NEVER`]) that it is awake then: whether it is awake for that.
    /// An `unpark` that came before makes it return at once: no wake-up is lost. May return without reason.
    fn park(&self, core: CoreId, until: Nanos) -> bool;
    /// Wakes the core, or keeps it from falling asleep.
    fn unpark(&self, core: CoreId);
    /// The core looks for work and found none, for the `look`th time in a row: what it does before it looks again. At first nothing: the
    /// processor's instruction for it takes up to 25 ns, in which a message from another core may lie there.
    fn relax(&self, core: CoreId, look: u32) {
        let _ = core;
        if look >= EAGER_LOOKS {
            core::hint::spin_loop();
        }
    }
    /// Makes the timekeeper call [`crate::Kernel::tick`] no later than `at` (absolute): it may be asleep until later. Called seldom.
    fn alarm(&self, at: Nanos);
    /// 16 random bytes.
    fn random(&self) -> [u8; 16];
    /// A cell's life is over: for a machine that ends with one of its cells. Does not block.
    fn cell_ended(&self, cell: CellId, kind: FaultKind, status: u32) {
        let _ = (cell, kind, status);
    }
    /// A cell of that name faulted: for a machine that keeps a list of faults. Comes before [`Machine::cell_ended`]. Does not block.
    fn cell_faulted(&self, name: &str, report: &FaultReport<'_>) {
        let _ = (name, report);
    }
    /// A cell of that name and of the real-time class was not done by its deadline, for the `missed`th time: for a machine that keeps a list of such things. Does not
    /// block.
    fn deadline_missed(&self, name: &str, cell: CellId, missed: u64) {
        let _ = (name, cell, missed);
    }
    /// The policy of that name has said something that makes no sense, for the first time. Does not block.
    fn policy_strays(&self, policy: &str, error: PolicyError) {
        self.log(alloc::format!("policy {policy}: {error}").as_bytes());
    }
    /// Whether somebody else says how this cell's life ended, so that the log need not.
    fn tells_end_itself(&self, cell: CellId, kind: FaultKind) -> bool {
        let _ = (cell, kind);
        false
    }
    /// A line for the machine's log, from the kernel or from a cell.
    fn log(&self, line: &[u8]);
}
