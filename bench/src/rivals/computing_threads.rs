//! `linux-threads`, `linux-one-after-another`: the kernels of `preemption-loss` natively, by two threads that share a core, and one run after another.

use std::hint::black_box;
use std::sync::Barrier;

use hallows_bench_kernels::{Kernel, Workload};

use super::short_slices::{SLICE_NS, ask_for_short_slices};
use crate::clock;
use crate::contestant::{Contestant, Description};
use crate::cores::{Core, Priority, on_core, settle};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// How two programs get through their work on one core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Both at a time, as the scheduler decides.
    Together,
    /// A run of one, then a run of the other.
    InTurn,
}

/// Two workloads of one kernel, each with memory of its own.
pub struct ComputingThreads {
    kernel: Kernel,
    sharing: Sharing,
    workloads: Option<[Workload; 2]>,
}

impl ComputingThreads {
    /// A rival that runs this kernel so.
    #[must_use]
    pub const fn new(kernel: Kernel, sharing: Sharing) -> Self {
        Self { kernel, sharing, workloads: None }
    }
}

impl Contestant for ComputingThreads {
    fn describe(&self) -> Description {
        let (name, how) = match self.sharing {
            Sharing::Together => (
                "linux-threads",
                "two threads, pinned to one core, run at the same time; half of a run's time",
            ),
            Sharing::InTurn => (
                "linux-one-after-another",
                "a thread, pinned, does a run for the one, then one for the other",
            ),
        };
        Description {
            name: name.to_owned(),
            configuration: format!(
                "the same Rust source ({}), optimised for baseline x86-64 (SSE2); {how}; SCHED_OTHER with slices of {} µs (the shortest there are; ignored \
                 before Linux 6.12)",
                self.kernel.name(),
                SLICE_NS / 1_000
            ),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let kernel = self.kernel;
        let workloads = self.workloads.get_or_insert_with(|| [kernel, kernel].map(Workload::prepare));
        let right = workloads[0].run();
        let run = |workload: &Workload| match black_box(black_box(workload).run()) {
            sum if sum == right => Ok(()),
            sum => Err(BenchError::Wrong(format!("{} gave {sum:#x}, then {right:#x}", kernel.name()))),
        };
        let core = turn.cores.first();
        let ticks = match self.sharing {
            Sharing::InTurn => on_core(core, Priority::Ordinary, || {
                ask_for_short_slices()?;
                turn.measure(|| workloads.iter().try_for_each(run))
            })??,
            Sharing::Together => turn.single(together(turn, core, workloads, &run)?),
        };
        // A sample is the time of two runs: of both programs, or of one while the other has half of the core.
        Ok(ticks.shared_by(2))
    }
}

/// Ticks of all runs during which both threads ran.
fn together(
    turn: &Turn<'_>,
    core: Core,
    workloads: &[Workload; 2],
    run: &(impl Fn(&Workload) -> Result<(), BenchError> + Sync),
) -> Result<Vec<u64>, BenchError> {
    let (both_are_there, limit) = (&Barrier::new(workloads.len()), turn.sample_limit.div_ceil(2));
    std::thread::scope(|scope| {
        let threads = workloads.each_ref().map(|workload| {
            scope.spawn(move || {
                let settled = settle(core, Priority::Ordinary).and_then(|()| ask_for_short_slices());
                // Both must come here, or the other would wait for ever.
                both_are_there.wait();
                settled?;
                let until = clock::glance() + turn.clock.ticks(turn.budget);
                let mut runs = Vec::new();
                let mut begin = clock::begin();
                // The first one warms up; one more at the end, while the other may be done, is not counted.
                loop {
                    run(workload)?;
                    let end = clock::end();
                    runs.push(end - begin);
                    begin = end;
                    if end >= until && runs.len() > 2 || runs.len() > limit + 1 {
                        break;
                    }
                }
                runs.pop();
                Ok(runs.split_off(1))
            })
        });
        let mut ticks = Vec::new();
        for thread in threads {
            ticks.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(ticks)
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play_twice;
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn two_threads_share_a_core_and_one_does_the_work_of_both() {
        for kernel in [Kernel::Sha256, Kernel::HashTable] {
            play_twice(&mut ComputingThreads::new(kernel, Sharing::Together), Sampling::Single, 6);
            play_twice(&mut ComputingThreads::new(kernel, Sharing::InTurn), Sampling::Single, 3);
        }
    }
}
