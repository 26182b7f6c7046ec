//! How else requests can be worked on, on Linux, with the same work on the same cores. In each, requests come from a spinning thread on the
//! housekeeping core, and nothing runs beside the work on the other.

mod fcfs;
mod threads;
mod tokio_tasks;

pub use fcfs::Fcfs;
pub use threads::{Policy, Threads};
pub use tokio_tasks::TokioTasks;
