//! The timekeeper's plan: when it looks next by itself, so that those who need it earlier, and only those, wake it.
//!
//! Two pairs of threads must not miss each other. Who adds something due adds it and then looks at the plan; the timekeeper writes its plan and
//! then looks once more at what is due. A core that leaves its idleness says so and then looks whether the plan knows of nothing that runs;
//! the timekeeper writes that and then looks once more at the cores. All of it is sequentially consistent, so one of each pair sees the other.

use crate::Nanos;
use crate::sync::{AtomicU8, AtomicU64, Ordering, beside_sequentially_consistent_access};

/// See the module's description. On lines of its own: all cores look at it.
#[derive(Debug)]
#[repr(align(128))]
pub struct Plan {
    /// When the timekeeper looks next by itself, in ns; 0 while it is awake.
    next_ns: AtomicU64,
    /// Not 0: the plan knows of nothing that runs.
    resting: AtomicU8,
    /// When a thread that runs could have used up its time budget, in ns: a look is due by then, whoever runs.
    look_by_ns: AtomicU64,
}

impl Plan {
    /// The timekeeper is awake.
    pub fn new() -> Self {
        let look_by_ns = AtomicU64::new(Nanos::NEVER.0);
        Self { next_ns: AtomicU64::new(0), resting: AtomicU8::new(0), look_by_ns }
    }

    /// The timekeeper is awake.
    pub fn begin(&self) {
        // All cores read them, and mostly they are so already.
        if self.is_made() {
            self.next_ns.store(0, Ordering::SeqCst);
        }
        if self.is_resting() {
            self.resting.store(0, Ordering::SeqCst);
        }
    }

    /// The timekeeper is about to sleep: until when, in ns. `active`: something ran since it last looked; then, or if a core is `busy` by
    /// now, it looks again at `coarse_ns`.
    pub fn make(
        &self,
        active: bool,
        coarse_ns: u64,
        mut due_ns: impl FnMut() -> u64,
        busy: impl FnOnce() -> bool,
    ) -> u64 {
        let latest = if active { coarse_ns } else { Nanos::NEVER.0 };
        let planned = due_ns().min(latest);
        self.write(planned);
        self.rest(!active);
        // Whoever added something due earlier after the first look did not know of the plan yet; nor did a core that has left its idleness
        // since.
        let busy = busy();
        self.rest(!active && !busy);
        let at = due_ns().min(planned).min(if busy { coarse_ns } else { Nanos::NEVER.0 });
        self.write(at);
        at
    }

    fn write(&self, at_ns: u64) {
        self.next_ns.store(at_ns.max(1), Ordering::SeqCst);
        beside_sequentially_consistent_access();
    }

    fn rest(&self, resting: bool) {
        self.resting.store(u8::from(resting), Ordering::SeqCst);
        beside_sequentially_consistent_access();
    }

    /// Whether the timekeeper must be woken for what was made due at a time.
    pub fn is_too_late_for(&self, at_ns: u64) -> bool {
        beside_sequentially_consistent_access();
        at_ns < self.next_ns.load(Ordering::SeqCst)
    }

    /// A look is due by then. Whether the timekeeper must be woken for it.
    pub fn look_by(&self, at_ns: u64) -> bool {
        // One look serves all that are due later: it finds out by when the next one is.
        self.look_by_ns.fetch_min(at_ns, Ordering::SeqCst);
        self.is_too_late_for(at_ns)
    }

    /// When a look is due, in ns.
    pub fn look_ns(&self) -> u64 {
        self.look_by_ns.load(Ordering::SeqCst)
    }

    /// The look that is due takes place: before the timekeeper looks at the cores, which ask for a look only when they say what runs.
    pub fn take_look(&self, now_ns: u64) {
        let due_ns = self.look_by_ns.load(Ordering::SeqCst);
        if due_ns <= now_ns {
            // If it fails somebody needs an even earlier one, which this is too.
            let _ =
                self.look_by_ns.compare_exchange(due_ns, Nanos::NEVER.0, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    /// Whether the timekeeper sleeps, or is about to.
    pub fn is_made(&self) -> bool {
        self.next_ns.load(Ordering::SeqCst) != 0
    }

    /// Whether the plan knows of nothing that runs.
    pub fn is_resting(&self) -> bool {
        beside_sequentially_consistent_access();
        self.resting.load(Ordering::SeqCst) != 0
    }
}
