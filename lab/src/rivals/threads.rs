//! `threads-…`: a thread for each request, from a pool, woken by its futex; Linux decides which of them runs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use hallows_bench::cores::{Priority, on_core, realtime_is_allowed, settle};
use hallows_bench::{BenchError, Description};

use super::fcfs::joined;
use crate::LabError;
use crate::contender::Contender;
use crate::run::{Board, Finished, Padded, Run, generate};

/// So many requests can be worked on at a time; more wait.
const THREADS: usize = 256;
/// No request, in a thread's box.
const NONE: usize = usize::MAX;

/// How Linux schedules the threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// `SCHED_OTHER`: CFS or EEVDF, whichever the kernel has.
    Fair,
    /// `SCHED_FIFO`.
    Fifo,
    /// `SCHED_RR`.
    RoundRobin,
}

impl Policy {
    const fn priority(self) -> Priority {
        match self {
            Self::Fair => Priority::Ordinary,
            Self::Fifo => Priority::RealtimeIfAllowed,
            Self::RoundRobin => Priority::RoundRobinIfAllowed,
        }
    }
}

/// See the module's description.
#[derive(Debug)]
pub struct Threads(pub Policy);

/// A thread's box: which request it has.
type Box = Padded<AtomicUsize>;

impl Contender for Threads {
    fn describe(&self) -> Description {
        let (name, policy) = match self.0 {
            Policy::Fair => ("threads-fair", "SCHED_OTHER (CFS or EEVDF, as the kernel has it)"),
            Policy::Fifo => ("threads-fifo", "SCHED_FIFO, priority 1"),
            Policy::RoundRobin => ("threads-rr", "SCHED_RR, priority 1, the kernel's own time slice"),
        };
        Description {
            name: name.to_owned(),
            configuration: format!(
                "a pool of {THREADS} threads on one core, each woken by futex for one request; {policy}"
            ),
            cores_used: 2,
        }
    }

    fn run(&mut self, run: &Run<'_>) -> Result<Finished, LabError> {
        let policy = self.0;
        if policy != Policy::Fair && !realtime_is_allowed() {
            return Err(LabError::Bench(BenchError::Unavailable {
                missing: "permission for real-time threads".to_owned(),
                remedy: "run as root, or raise `ulimit -r`".to_owned(),
            }));
        }
        let board = Board::new(run.requests.len());
        let boxes: Vec<Box> = (0..THREADS).map(|_| Padded(AtomicUsize::new(NONE))).collect();
        let over = AtomicBool::new(false);
        let ready = (Mutex::new(0), Condvar::new());
        std::thread::scope(|scope| {
            let workers: Vec<_> = boxes
                .iter()
                .map(|mine| {
                    scope.spawn(|| {
                        let settled = settle(run.worker, policy.priority());
                        *ready.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                        ready.1.notify_one();
                        settled?;
                        work(run, &board, mine, &over);
                        Ok(())
                    })
                })
                .collect();
            let mut count = ready.0.lock().unwrap_or_else(PoisonError::into_inner);
            while *count < THREADS {
                count = ready.1.wait(count).unwrap_or_else(PoisonError::into_inner);
            }
            drop(count);
            let threads: Vec<_> = workers.iter().map(|worker| worker.thread().clone()).collect();
            let finished = on_core(run.housekeeping, Priority::Ordinary, || {
                let submit = |number| {
                    // Acquire: what the thread did for its last request is over.
                    let free = boxes.iter().position(|one| one.0.load(Ordering::Acquire) == NONE);
                    free.is_some_and(|free| {
                        boxes[free].0.store(number, Ordering::Release);
                        threads[free].unpark();
                        true
                    })
                };
                generate(run, &board, submit, || {})
            });
            over.store(true, Ordering::SeqCst);
            threads.iter().for_each(std::thread::Thread::unpark);
            workers.into_iter().try_for_each(joined)?;
            Ok(finished?)
        })
    }
}

/// Does what comes into a thread's box.
fn work(run: &Run<'_>, board: &Board, mine: &Box, over: &AtomicBool) {
    while !over.load(Ordering::SeqCst) {
        match mine.0.load(Ordering::Acquire) {
            NONE => std::thread::park(),
            number => {
                board.done(number, run.work.perform(&run.requests[number]));
                mine.0.store(NONE, Ordering::Release);
            }
        }
    }
}
