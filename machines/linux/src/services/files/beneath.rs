//! Opens paths so that Linux itself keeps them below a directory.
//!
//! `openat2` with `RESOLVE_BENEATH` (A. Sarai, Linux 5.6) looks at every step of a path, also at those that symbolic links make, and fails when one
//! leads above the directory where it began: absolute paths and links do, and `..` too often. It fails with `EAGAIN` when somebody renamed or
//! mounted while it went upwards, because it cannot tell then. Magic links (`/proc/self/fd/3`) are never followed.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::refusal::refused;
use hallows_system::files::Refusal;

/// How often a path is tried that others rename things on, before the client is told to try again.
const TRIES: usize = 256;

/// Opens what is below a directory. `O_CLOEXEC` goes without saying.
///
/// # Errors
///
/// Those of `openat2`: `EXDEV` for what leads outside; `EAGAIN` if others rename all the time.
pub fn open_beneath(directory: impl AsFd, path: &[u8], flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let mut result = Err(Errno::AGAIN);
    for _ in 0..TRIES {
        result = openat2(directory.as_fd(), path, flags | OFlags::CLOEXEC, mode, resolve);
        if !matches!(result, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    result
}

/// A descriptor that stands for what is below a directory, and can do nothing else.
pub(super) fn find(directory: impl AsFd, path: &[u8], flags: OFlags) -> Result<OwnedFd, Refusal> {
    open_beneath(directory, path, OFlags::PATH | flags, Mode::empty()).map_err(resolving)
}

/// The refusal for an error of [`open_beneath`].
pub(super) fn resolving(error: Errno) -> Refusal {
    match error {
        // Mount points are crossed: only leaving the directory is this error here.
        Errno::XDEV => Refusal::LeadsOutside,
        error => refused(error),
    }
}
