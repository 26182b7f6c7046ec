//! `futex-workers-fair`, `futex-workers-fifo`: threads of Linux in the shape of schbench, which wake each other by futex.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

use hallows_bench_kernels::Matrices;

use super::futex::futex;
use super::peer::Isolation;
use super::short_slices::{SLICE_NS, ask_for_short_slices};
use super::{Placement, priority_text};
use crate::clock;
use crate::contestant::{Contestant, Description};
use crate::cores::{Core, Priority, settle};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;
use crate::wakeups::{PAUSE, WARM_UP};

/// A messenger and its workers, which share the first core.
pub struct WokenWorkers {
    workers: usize,
    messenger: Placement,
    priority: Priority,
}

impl WokenWorkers {
    /// So many workers, at most 64; the messenger beside them or on the second core; all with this priority.
    #[must_use]
    pub const fn new(workers: usize, messenger: Placement, priority: Priority) -> Self {
        Self { workers, messenger, priority }
    }

    fn settle(&self, core: Core) -> Result<(), BenchError> {
        settle(core, self.priority)?;
        if self.priority == Priority::Ordinary { ask_for_short_slices() } else { Ok(()) }
    }
}

/// A word to sleep on, as schbench has it: who wakes makes a system call only if somebody sleeps, or is about to.
#[derive(Default)]
#[repr(align(128))]
struct Bed {
    word: AtomicU32,
    /// When it was decided that its owner is woken, in ticks.
    began: AtomicU64,
}

const BLOCKED: u32 = 0;
const AWAKE: u32 = 1;

impl Bed {
    /// Its owner is about to sleep: who comes from now on wakes it.
    fn lie_down(&self) {
        self.word.store(BLOCKED, Ordering::SeqCst);
    }

    fn sleep(&self) {
        while self.word.load(Ordering::SeqCst) == BLOCKED {
            futex(&self.word, libc::FUTEX_WAIT, BLOCKED, Isolation::Threads);
        }
    }

    fn wake(&self) {
        if self.word.swap(AWAKE, Ordering::SeqCst) == BLOCKED {
            futex(&self.word, libc::FUTEX_WAKE, 1, Isolation::Threads);
        }
    }
}

/// What the threads share.
struct Shared {
    /// A bit for each worker that has asked to be woken.
    asked: AtomicU64,
    messenger: Bed,
    workers: Vec<Bed>,
    /// How many wake-ups were counted.
    counted: AtomicUsize,
    over: AtomicBool,
}

impl Shared {
    fn of(workers: usize) -> Self {
        Self {
            asked: AtomicU64::new(0),
            messenger: Bed::default(),
            workers: (0..workers).map(|_| Bed::default()).collect(),
            counted: AtomicUsize::new(0),
            over: AtomicBool::new(false),
        }
    }

    /// The messenger: wakes who has asked, until there is nobody left who could.
    fn wake_all(&self) {
        while !self.over.load(Ordering::SeqCst) {
            // First this, then the look: who asks behind the look finds it lying down.
            self.messenger.lie_down();
            let asked = self.asked.swap(0, Ordering::SeqCst);
            let began = clock::begin();
            let is_due = |number: &usize| asked >> number & 1 == 1;
            for worker in (0..self.workers.len()).filter(is_due).filter_map(|number| self.workers.get(number))
            {
                // Relaxed: the word behind it carries it over.
                worker.began.store(began, Ordering::Relaxed);
                worker.wake();
            }
            self.messenger.sleep();
        }
    }

    /// A worker; how long it took each time until it ran, in ticks.
    fn work(&self, number: usize, turn: &Turn<'_>, until: u64) -> Result<Vec<u64>, BenchError> {
        let Some(bed) = self.workers.get(number) else { return Ok(Vec::new()) };
        let mut matrices = Matrices::new();
        let right = matrices.multiply();
        let mut ticks = turn.sample_buffer();
        for wake_up in 0.. {
            bed.lie_down();
            self.asked.fetch_or(1 << number, Ordering::SeqCst);
            self.messenger.wake();
            bed.sleep();
            let now = clock::end();
            if wake_up >= WARM_UP {
                // One is counted at least, however long the host lets it wait for that.
                let is_over = wake_up > WARM_UP && now >= until;
                if is_over || self.counted.fetch_add(1, Ordering::Relaxed) >= turn.sample_limit {
                    break;
                }
                ticks.push(now.saturating_sub(bed.began.load(Ordering::Relaxed)));
            }
            std::thread::sleep(PAUSE);
            if matrices.multiply() != right {
                return Err(BenchError::Wrong("a product of matrices is not what it was before".to_owned()));
            }
        }
        Ok(ticks)
    }
}

/// Sleeps end as soon as the kernel can: ordinary threads have 50 µs of slack otherwise.
fn without_slack() -> Result<(), BenchError> {
    // SAFETY: it sets a number of the calling thread.
    match unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) } {
        0 => Ok(()),
        _ => Err(BenchError::last_os("have timers without slack")),
    }
}

impl Contestant for WokenWorkers {
    fn describe(&self) -> Description {
        let (name, class) = match self.priority {
            Priority::Ordinary => ("fair", format!("SCHED_OTHER with slices of {} µs", SLICE_NS / 1_000)),
            priority => ("fifo", priority_text(priority).to_owned()),
        };
        let place = match self.messenger {
            Placement::SameCore => "on their core, too",
            Placement::CrossCore => "on the second core",
        };
        Description {
            name: format!("futex-workers-{name}"),
            configuration: format!(
                "{} workers on one core, the messenger {place}, all threads of one process, pinned, {class}; FUTEX_WAKE, FUTEX_WAIT \
                 (FUTEX_PRIVATE_FLAG), no system call where nobody sleeps; pauses by clock_nanosleep without slack",
                self.workers
            ),
            cores_used: self.messenger.cores_used(),
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let (first, beside) = (turn.cores.first(), self.messenger.answering_core(turn)?);
        let (this, shared) = (&*self, &Shared::of(self.workers));
        let until = clock::glance() + turn.clock.ticks(turn.budget);
        let ticks = std::thread::scope(|scope| {
            let messenger = scope.spawn(move || this.settle(beside).map(|()| shared.wake_all()));
            let worker = |number| {
                move || {
                    this.settle(first)?;
                    without_slack()?;
                    shared.work(number, turn, until)
                }
            };
            let workers: Vec<_> = (0..self.workers).map(|number| scope.spawn(worker(number))).collect();
            let worked: Vec<_> = workers.into_iter().map(ScopedJoinHandle::join).collect();
            shared.over.store(true, Ordering::SeqCst);
            shared.messenger.wake();
            messenger.join().unwrap_or_else(|panic| resume_unwind(panic))?;
            let ticks = worked.into_iter().map(|ticks| ticks.unwrap_or_else(|panic| resume_unwind(panic)));
            ticks.collect::<Result<Vec<_>, BenchError>>()
        })?;
        Ok(turn.single(ticks.concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{has_second_core, play_twice, refuses_one_core};
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn workers_are_woken_from_their_core_and_from_another() {
        for priority in [Priority::Ordinary, Priority::RealtimeIfAllowed] {
            for workers in [1, 4] {
                let new = |messenger| WokenWorkers::new(workers, messenger, priority);
                play_twice(&mut new(Placement::SameCore), Sampling::Single, 20);
                if has_second_core() {
                    play_twice(&mut new(Placement::CrossCore), Sampling::Single, 20);
                }
                refuses_one_core(&mut new(Placement::CrossCore));
            }
        }
    }
}
