//! `tokio`: a task for each request in a runtime of one thread, which polls.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hallows_bench::BenchError;
use hallows_bench::Description;
use hallows_bench::cores::{Priority, settle};

use super::fcfs::offer;
use crate::LabError;
use crate::contender::Contender;
use crate::run::{Board, Finished, Padded, Run};

/// See the module's description.
#[derive(Debug, Default)]
pub struct TokioTasks;

impl Contender for TokioTasks {
    fn describe(&self) -> Description {
        Description {
            name: "tokio".to_owned(),
            configuration: "a runtime of one thread, pinned; a task polls for requests (quicker than waking a runtime that sleeps) and spawns a \
                            task for each, which does not yield; ordinary priority"
                .to_owned(),
            cores_used: 2,
        }
    }

    fn run(&mut self, run: &Run<'_>) -> Result<Finished, LabError> {
        // One for both: a task takes as little with it as it can.
        let shared = Arc::new((Board::new(run.requests.len()), run.work.clone()));
        let (offered, over) = (Padded(AtomicUsize::new(0)), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                settle(run.worker, Priority::Ordinary)?;
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .build()
                    .map_err(BenchError::system("make a tokio runtime"))?;
                runtime.block_on(async {
                    let mut next = 0;
                    // Acquire: pairs with the store of who has offered.
                    while !over.load(Ordering::Relaxed) {
                        let until = offered.0.load(Ordering::Acquire);
                        while next < until {
                            let (number, request, shared) = (next, run.requests[next], shared.clone());
                            tokio::spawn(async move {
                                let (board, work) = &*shared;
                                board.done(number, work.perform(&request));
                            });
                            next += 1;
                        }
                        tokio::task::yield_now().await;
                    }
                });
                Ok(())
            });
            offer(run, &shared.0, &offered, &over, worker)
        })
    }
}
