//! `futex-woken-over`: a thread of Linux gets its core back from a loop of a lower class.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use hallows_bench_kernels::{Loop, Spinner};

use super::futex::futex;
use super::peer::Isolation;
use crate::clock;
use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, on_core};
use crate::error::BenchError;
use crate::pace::Pace;
use crate::samples::Samples;
use crate::turn::Turn;

/// A thread that sleeps on a futex, of the real-time class if permitted, and a loop of the ordinary class on its core.
pub struct WokenOver;

/// What the threads share.
#[derive(Default)]
struct Shared {
    /// The number of the last wish; the futex.
    wished: AtomicU32,
    /// When the sleeper began last.
    began: AtomicU64,
    over: AtomicBool,
}

impl Shared {
    fn wake(&self) {
        self.wished.fetch_add(1, Ordering::SeqCst);
        futex(&self.wished, libc::FUTEX_WAKE, 1, Isolation::Threads);
    }
}

impl Contestant for WokenOver {
    fn describe(&self) -> Description {
        Description {
            name: "futex-woken-over".to_owned(),
            configuration: "a thread, SCHED_FIFO if permitted, sleeps by FUTEX_WAIT (FUTEX_PRIVATE_FLAG) on the core of a SCHED_OTHER loop; from before \
                            FUTEX_WAKE on the other core to its first instruction, by the two cores' time-stamp counters"
                .to_owned(),
            cores_used: 2,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let (second, shared) = (turn.cores.second()?, Shared::default());
        let ticks = std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| on_core(second, Priority::RealtimeIfAllowed, || sleep(&shared)));
            let looping = scope.spawn(|| {
                on_core(second, Priority::Ordinary, || {
                    let mut spinner = Spinner::new(Loop::Arithmetic);
                    // Relaxed: it carries nothing but itself.
                    while !shared.over.load(Ordering::Relaxed) {
                        spinner.step();
                    }
                })
            });
            let ticks = on_core(turn.cores.first(), Priority::RealtimeIfAllowed, || wake(turn, &shared));
            shared.over.store(true, Ordering::SeqCst);
            shared.wake();
            for ended in [sleeper.join(), looping.join()] {
                ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            }
            ticks
        })?;
        Ok(turn.single(ticks))
    }
}

fn sleep(shared: &Shared) {
    let mut seen = 0;
    while !shared.over.load(Ordering::SeqCst) {
        // Linux lets it sleep only while nothing is wished, so no wish is lost.
        futex(&shared.wished, libc::FUTEX_WAIT, seen, Isolation::Threads);
        let wished = shared.wished.load(Ordering::SeqCst);
        if wished != seen {
            shared.began.store(clock::end(), Ordering::Release);
            seen = wished;
        }
    }
}

fn wake(turn: &Turn<'_>, shared: &Shared) -> Vec<u64> {
    let (mut ticks, mut pace) = (turn.sample_buffer(), Pace::new(turn));
    let until = clock::glance() + turn.clock.ticks(turn.budget);
    while ticks.len() < turn.sample_limit && clock::glance() < until {
        // It sleeps again some microseconds after it has begun, and the loop goes on.
        for _ in 0..4 {
            pace.pause();
        }
        let before = shared.began.load(Ordering::Acquire);
        let asked = clock::begin();
        shared.wake();
        let mut began = before;
        while began == before {
            began = shared.began.load(Ordering::Acquire);
        }
        ticks.push(began.saturating_sub(asked));
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{has_second_core, play_twice, refuses_one_core};
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn a_sleeper_gets_its_core_from_a_loop() {
        if has_second_core() {
            play_twice(&mut WokenOver, Sampling::Single, 5);
        }
        refuses_one_core(&mut WokenOver);
    }
}
