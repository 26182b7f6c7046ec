//! Why a machine could not be started.

use std::io;

use crate::host::core_locks::CoreLockError;
use crate::host::files::FileError;

/// Why a machine could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SuperviseError {
    /// Another machine has the cores, or they could not be locked.
    #[error(transparent)]
    Cores(#[from] CoreLockError),
    /// The control socket could not be made.
    #[error(transparent)]
    Control(#[from] FileError),
    /// The machine process could not be started.
    #[error("cannot start the machine process: {0}")]
    Spawn(io::Error),
    /// More open files than can be inherited.
    #[error("a machine takes at most {most} open files at its start; {given} were given")]
    TooManyAttachments {
        /// How many were given.
        given: usize,
        /// How many there may be.
        most: usize,
    },
    /// Something that a parent process needs from the system.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

impl SuperviseError {
    /// The process's exit code for it; see the [module](super).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Cores(CoreLockError::Taken { .. }) => 69,
            _ => 71,
        }
    }

    pub(super) fn system(what: &'static str) -> impl FnOnce(rustix::io::Errno) -> Self {
        move |error| Self::System { what, source: error.into() }
    }
}
