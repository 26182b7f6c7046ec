//! `thread-switch-yield`: two threads on one core that hand it to each other by `sched_yield`.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::priority_text;
use crate::clock;
use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// Times one switch from a thread to another: one is suspended and one resumed.
pub struct ThreadSwitch {
    priority: Priority,
}

impl ThreadSwitch {
    /// A rival whose two threads have this priority.
    #[must_use]
    pub const fn new(priority: Priority) -> Self {
        Self { priority }
    }
}

impl Contestant for ThreadSwitch {
    fn describe(&self) -> Description {
        Description {
            name: "thread-switch-yield".to_owned(),
            configuration: format!(
                "two threads of one process, pinned to one core, {}; sched_yield in turns; each sample divides by the \
                 switches that really happened, there and back counting as two",
                priority_text(self.priority)
            ),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let core = turn.cores.first();
        let (other_ran, stop) = (AtomicU64::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                on_core(core, self.priority, || {
                    // Relaxed, here and below: all of it happens on one core, and the figures are read after joining.
                    while !stop.load(Ordering::Relaxed) {
                        other_ran.fetch_add(1, Ordering::Relaxed);
                        yield_core();
                    }
                })
            });
            let samples = on_core(core, self.priority, || {
                // Until the other one takes part.
                while other_ran.load(Ordering::Relaxed) == 0 && !other.is_finished() {
                    std::thread::yield_now();
                }
                let samples = switch_to_and_fro(turn, &other_ran);
                stop.store(true, Ordering::Relaxed);
                samples
            });
            stop.store(true, Ordering::Relaxed);
            match other.join() {
                Ok(result) => result?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
            samples?
        })
    }
}

fn switch_to_and_fro(turn: &Turn<'_>, other_ran: &AtomicU64) -> Result<Samples, BenchError> {
    let yields = u64::from(turn.sampling.operations());
    // Picoseconds: a sample is divided by its own number of switches, so ticks would lose their fractions.
    let picoseconds_per_tick = turn.clock.nanoseconds(1) * 1e3;
    let mut samples = turn.sample_buffer();
    let budget_ticks = turn.clock.ticks(turn.budget);
    // A tenth of the turn warms up, as in `Turn::measure`.
    let measure_from =
        clock::glance() + budget_ticks.min(turn.clock.ticks(std::time::Duration::from_millis(10))) / 10;
    let until = measure_from + budget_ticks;
    let mut empty_batches = 0;
    while samples.len() < turn.sample_limit {
        let ran_before = other_ran.load(Ordering::Relaxed);
        let begin = clock::begin();
        for _ in 0..yields {
            yield_core();
        }
        let end = clock::end();
        // Each run of the other thread is one switch to it and one back.
        let switches = 2 * (other_ran.load(Ordering::Relaxed) - ran_before);
        if switches == 0 {
            empty_batches += 1;
            if empty_batches > turn.sample_limit {
                return Err(BenchError::Wrong("the scheduler never switched on sched_yield".to_owned()));
            }
        } else if end >= measure_from {
            samples.push(((end - begin) as f64 * picoseconds_per_tick / switches as f64) as u64);
        }
        if end >= until && !samples.is_empty() {
            break;
        }
    }
    Ok(Samples::scaled(samples, 1e-3))
}

#[inline]
fn yield_core() {
    // SAFETY: no arguments, no memory.
    unsafe { libc::sched_yield() };
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play_twice;
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn switches_are_counted_and_timed() {
        for priority in [Priority::RealtimeIfAllowed, Priority::Ordinary] {
            play_twice(&mut ThreadSwitch::new(priority), Sampling::BATCH, 5);
        }
    }
}
