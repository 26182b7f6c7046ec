//! An executable file in memory: no file system, no page cache to miss.

use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::error::BenchError;

/// A program in memory that this process and its children may execute by path, as long as it lives.
pub(super) struct MemoryExecutable {
    file: OwnedFd,
}

impl MemoryExecutable {
    /// Puts the bytes of an executable file into memory.
    pub(super) fn new(image: &[u8]) -> Result<Self, BenchError> {
        let file = memfd_create("hallows-bench-program", MFdFlags::MFD_CLOEXEC)
            .map_err(BenchError::system("make a file in memory"))?;
        let mut file = File::from(file);
        file.write_all(image).map_err(BenchError::system("write a program into memory"))?;
        // Reopened for reading: the kernel refuses to execute what is open for writing.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let read_only = File::open(path).map_err(BenchError::system("reopen a program in memory"))?;
        Ok(Self { file: read_only.into() })
    }

    /// Its path.
    pub(super) fn path(&self) -> CString {
        // The text has no zero byte.
        CString::new(format!("/proc/self/fd/{}", self.file.as_raw_fd())).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;
    use std::process::Command;

    use super::super::static_elf;
    use super::*;

    #[test]
    fn the_kernel_runs_it_and_it_exits_with_zero() {
        let program = MemoryExecutable::new(&static_elf::that_exits()).expect("written");
        let path = std::ffi::OsString::from_vec(program.path().into_bytes());
        assert!(Command::new(path).status().expect("executed").success());
    }
}
