//! `cfs-eevdf-slices`: how long Linux's fair scheduler lets each of many spinning threads run on one core.
//!
//! All threads share the core, so who runs can leave a note for who runs next: a thread that finds another's name on
//! the board has just been switched in, and the board tells how long the other one ran.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::short_slices::{SLICE_NS, ask_for_short_slices};
use crate::clock;
use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, settle};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// Nobody has run yet.
const NOBODY: usize = usize::MAX;

/// Spinning threads of ordinary priority on one core.
pub struct LinuxSlices {
    threads: usize,
}

impl LinuxSlices {
    /// A rival with this many spinning threads.
    #[must_use]
    pub const fn new(threads: usize) -> Self {
        Self { threads }
    }
}

impl Contestant for LinuxSlices {
    fn describe(&self) -> Description {
        Description {
            name: "cfs-eevdf-slices".to_owned(),
            configuration: format!(
                "{} spinning threads of ordinary priority, pinned to one core, each asking for slices of {} µs by \
                 sched_setattr (the shortest there is; ignored before Linux 6.12); lengths of uninterrupted runs",
                self.threads,
                SLICE_NS / 1_000
            ),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let board = Board::new(self.threads, turn.sample_limit);
        let (begin, budget) = (Barrier::new(self.threads), turn.clock.ticks(turn.budget));
        let core = turn.cores.first();
        std::thread::scope(|scope| {
            let (board, begin) = (&board, &begin);
            let threads: Vec<_> = (0..self.threads)
                .map(|name| {
                    scope.spawn(move || {
                        let settled = settle(core, Priority::Ordinary).and_then(|()| ask_for_short_slices());
                        // Everybody must come here, or the others would wait for ever.
                        begin.wait();
                        settled.map(|()| spin(board, name, budget))
                    })
                })
                .collect();
            threads.into_iter().try_for_each(|thread| match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })?;
        Ok(turn.single(board.runs()))
    }
}

/// What the threads leave for each other. Relaxed everywhere: they share one core, so each sees what the last one wrote.
struct Board {
    runs: Vec<AtomicU64>,
    recorded: AtomicUsize,
    running: AtomicUsize,
    run_began: AtomicU64,
    /// Per thread, so that a late store of a thread that was just switched out spoils no other's.
    last_seen: Vec<AtomicU64>,
    full: AtomicBool,
}

impl Board {
    fn new(threads: usize, samples: usize) -> Self {
        Self {
            // The first run of each thread is not counted: not all are spinning yet.
            runs: (0..samples + threads).map(|_| AtomicU64::new(0)).collect(),
            recorded: AtomicUsize::new(0),
            running: AtomicUsize::new(NOBODY),
            run_began: AtomicU64::new(0),
            last_seen: (0..threads).map(|_| AtomicU64::new(0)).collect(),
            full: AtomicBool::new(false),
        }
    }

    /// Notes the previous thread's run and begins ours.
    fn take_over(&self, name: usize) {
        let previous = self.running.load(Ordering::Relaxed);
        if previous != NOBODY {
            let run = self.last_seen[previous]
                .load(Ordering::Relaxed)
                .saturating_sub(self.run_began.load(Ordering::Relaxed));
            match self.runs.get(self.recorded.fetch_add(1, Ordering::Relaxed)) {
                Some(place) => place.store(run, Ordering::Relaxed),
                None => self.full.store(true, Ordering::Relaxed),
            }
        }
        // A fresh reading: the one that brought us here may be older than our absence.
        let now = clock::glance();
        self.run_began.store(now, Ordering::Relaxed);
        self.last_seen[name].store(now, Ordering::Relaxed);
        self.running.store(name, Ordering::Relaxed);
    }

    fn runs(self) -> Vec<u64> {
        let recorded = self.recorded.into_inner().min(self.runs.len());
        self.runs.into_iter().take(recorded).skip(self.last_seen.len()).map(AtomicU64::into_inner).collect()
    }
}

fn spin(board: &Board, name: usize, budget_ticks: u64) {
    let until = clock::glance() + budget_ticks;
    loop {
        let now = clock::glance();
        if board.running.load(Ordering::Relaxed) != name {
            board.take_over(name);
            continue;
        }
        board.last_seen[name].store(now, Ordering::Relaxed);
        if now >= until || board.full.load(Ordering::Relaxed) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play_twice;
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn the_board_records_each_run_once_from_the_second_round_on() {
        let board = Board::new(2, 3);
        for name in [0, 1, 0, 1, 0, 1, 0] {
            board.take_over(name);
            board.last_seen[name]
                .store(board.run_began.load(Ordering::Relaxed) + 10 + name as u64, Ordering::Relaxed);
        }
        // Six runs ended; the first of each thread is left out, and there was room for three.
        assert!(board.full.load(Ordering::Relaxed));
        assert_eq!(board.runs(), [10, 11, 10]);
    }

    #[test]
    fn runs_of_real_threads_are_seen() {
        play_twice(&mut LinuxSlices::new(3), Sampling::Single, 5);
    }
}
