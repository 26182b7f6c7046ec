//! Why something could not be measured.

use hallows_bench::BenchError;

/// Why there is no result. Every text says what to do, where something can be done.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Argument(String),
    /// A trace cannot be read.
    #[error("the trace {path}: {what}")]
    Trace {
        /// Its file.
        path: String,
        /// What is wrong, and where.
        what: String,
    },
    /// A contender gave an answer that is not the right one.
    #[error(
        "answered request {number} with the checksum {found:#018x}, and right is {right:#018x}: it did not do what it was asked for, and its times \
         count for nothing"
    )]
    WrongAnswer {
        /// Which request.
        number: usize,
        /// What it answered.
        found: u64,
        /// What is right.
        right: u64,
    },
    /// A contender or the host failed.
    #[error(transparent)]
    Bench(#[from] BenchError),
}
