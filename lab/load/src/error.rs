//! Why a server could not be measured.

use std::io;

/// Why there is no figure. Every text says what to do, where something can be done.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Argument(String),
    /// Linux refused something.
    #[error("cannot {action}: {source}")]
    System {
        /// What was tried, as a verb phrase.
        action: &'static str,
        /// Its answer.
        source: io::Error,
    },
    /// The server closed a connection.
    #[error("the server closed a connection with {waiting} requests unanswered")]
    Closed {
        /// How many requests were under way on it.
        waiting: usize,
    },
    /// The server said what is none of its protocol's answers.
    #[error("the server does not speak {protocol}: {what}")]
    Protocol {
        /// What it should speak.
        protocol: &'static str,
        /// What was read.
        what: String,
    },
    /// The server answered something else than what is stored.
    #[error("the server gave a wrong answer: {0}")]
    Wrong(String),
    /// The server did not get as far as to answer.
    #[error("{0}")]
    Server(String),
    /// Somebody wants an end.
    #[error("interrupted")]
    Stopped,
}

impl LoadError {
    /// For `map_err`.
    pub fn system<E: Into<io::Error>>(action: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::System { action, source: source.into() }
    }
}
