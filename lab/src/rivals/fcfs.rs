//! `fcfs`: one pinned thread that polls for requests and does each to its end; what IX, ZygOS and DPDK programs do, without their stealing.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hallows_bench::cores::{Priority, on_core, settle};
use hallows_bench::{BenchError, Description};

use crate::LabError;
use crate::contender::Contender;
use crate::run::{Board, Finished, Padded, Run, generate};

/// See the module's description.
#[derive(Debug, Default)]
pub struct Fcfs;

impl Contender for Fcfs {
    fn describe(&self) -> Description {
        Description {
            name: "fcfs".to_owned(),
            configuration: "one thread, pinned, polls a shared counter and does each request to its end; ordinary priority".to_owned(),
            cores_used: 2,
        }
    }

    fn run(&mut self, run: &Run<'_>) -> Result<Finished, LabError> {
        let board = Board::new(run.requests.len());
        let (offered, over) = (Padded(AtomicUsize::new(0)), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                settle(run.worker, Priority::Ordinary)?;
                let mut next = 0;
                // Acquire: pairs with the store of who has offered. What it has offered is known to all from the start.
                while !over.load(Ordering::Relaxed) {
                    if next < offered.0.load(Ordering::Acquire) {
                        board.done(next, run.work.perform(&run.requests[next]));
                        next += 1;
                    } else {
                        std::hint::spin_loop();
                    }
                }
                Ok(())
            });
            offer(run, &board, &offered, &over, worker)
        })
    }
}

/// Counts up how many requests are offered, as they come, to a thread that polls that; then has it end.
pub(super) fn offer(
    run: &Run<'_>,
    board: &Board,
    offered: &Padded<AtomicUsize>,
    over: &AtomicBool,
    worker: std::thread::ScopedJoinHandle<'_, Result<(), BenchError>>,
) -> Result<Finished, LabError> {
    let finished = on_core(run.housekeeping, Priority::Ordinary, || {
        let submit = |number| {
            // Release: what the thread does with it comes behind its offer.
            offered.0.store(number + 1, Ordering::Release);
            true
        };
        generate(run, board, submit, || {})
    });
    over.store(true, Ordering::Relaxed);
    joined(worker)?;
    Ok(finished?)
}

/// What a thread ended with.
pub(super) fn joined(
    thread: std::thread::ScopedJoinHandle<'_, Result<(), BenchError>>,
) -> Result<(), LabError> {
    Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?)
}
