//! Helpers of the unit tests: a forked child for what cannot be undone, and a scratch directory.

use std::path::{Path, PathBuf};

/// Runs `body` in a forked child and gives whether it returned true there (a crash counts as false).
pub(crate) fn in_child(body: impl FnOnce() -> bool) -> bool {
    // SAFETY: the child runs only the calling thread; it uses the C library's allocator, which glibc keeps usable
    // across fork, and leaves by `_exit`.
    match unsafe { libc::fork() } {
        0 => {
            let ok = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_or(false);
            // SAFETY: ends the child at once, without running destructors of state that it shares by copy.
            unsafe { libc::_exit(i32::from(!ok)) }
        }
        child => {
            assert!(child > 0, "cannot fork");
            let mut status = 0;
            // SAFETY: `status` is a valid place for the answer.
            assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
            status == 0
        }
    }
}

/// A directory that goes when the test ends, also by a failure.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hallows-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
