//! Why a contestant has no figure.

use std::io;

/// Why a contestant could not run or gave no figure. Every text says what to do, where something can be done.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// This machine lacks what the contestant needs.
    #[error("not available: {missing}; {remedy}")]
    Unavailable {
        /// What is missing.
        missing: String,
        /// How to get it.
        remedy: String,
    },
    /// The operating system refused something.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// A contestant computed or answered something wrong, so its figure would be worthless.
    #[error("wrong result: {0}")]
    Wrong(String),
    /// An argument that makes no sense.
    #[error("{0}")]
    Argument(String),
}

impl BenchError {
    /// The calling thread's `errno` as an error.
    #[must_use]
    pub fn last_os(action: &'static str) -> Self {
        Self::System { action, source: io::Error::last_os_error() }
    }

    /// For `map_err`: wraps an I/O error or an `errno` of `nix`.
    pub fn system<E: Into<io::Error>>(action: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::System { action, source: source.into() }
    }
}
