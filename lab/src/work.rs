//! What a request's time is in work: as many steps of one loop as this processor does natively in that time, for every contender the same.

use hallows_bench::cores::{Core, Priority, on_core};
use hallows_bench::{Clock, clock, kernels};

use crate::LabError;

/// Steps of one measured stretch: a few hundred microseconds.
const STEPS: u64 = 200_000;
/// Stretches; the fastest counts, since all that can happen to one makes it longer.
const STRETCHES: u32 = 50;

/// How much work a nanosecond is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    steps_per_ns: f64,
}

impl Work {
    /// So many steps.
    #[must_use]
    pub const fn of(steps_per_ns: f64) -> Self {
        Self { steps_per_ns }
    }

    /// As fast as native code is on a core.
    ///
    /// # Errors
    /// When a thread cannot run there.
    pub fn calibrate(clock: &Clock, core: Core) -> Result<Self, LabError> {
        let fastest = on_core(core, Priority::Ordinary, || {
            (0..STRETCHES).map(|_| clock::interval(|| kernels::chain(STEPS))).min().unwrap_or(1)
        })?;
        Ok(Self::of(STEPS as f64 / clock.nanoseconds(fastest)))
    }

    /// The steps of so many nanoseconds; one at least.
    #[must_use]
    pub fn steps(&self, nanoseconds: u64) -> u64 {
        ((nanoseconds as f64 * self.steps_per_ns).round() as u64).max(1)
    }

    /// Works for so long, natively.
    #[inline]
    pub fn perform(&self, nanoseconds: u64) {
        kernels::chain(self.steps(nanoseconds));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_of_a_millisecond_takes_about_one_at_least() {
        let clock = Clock::calibrate().expect("a clock");
        // The host's speed may change between the two.
        let took = || {
            let core = hallows_bench::Cores::default_pair().expect("cores").first();
            let work = Work::calibrate(&clock, core).expect("work");
            let fastest = (0..20).map(|_| clock::interval(|| work.perform(1_000_000))).min().unwrap_or(0);
            clock.nanoseconds(fastest)
        };
        let took: Vec<f64> = (0..10).map(|_| took()).collect();
        assert!(took.iter().any(|took| (900_000.0..2_000_000.0).contains(took)), "{took:?} ns");
    }
}
