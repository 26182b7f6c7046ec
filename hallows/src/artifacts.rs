//! Compiled programs on their way to the machine: one file in memory, which nobody changes once it is sealed.

use std::fs::File;
use std::io::{Error, ErrorKind, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use hallows_artifact::PAGE_BYTES;
use hallows_cache::Sink;
use hallows_linux::host::quantity::ByteSize;
use rustix::fs::{MemfdFlags, SealFlags};

use crate::failure::{Failure, SOFTWARE, USAGE};

/// Artefacts, one after another. Each begins with a page: its code is run where it lies.
pub struct Artifacts {
    file: File,
    /// Where the last one begins.
    begun: u64,
    /// Bytes that are there.
    length: u64,
}

impl Artifacts {
    /// None yet.
    ///
    /// # Errors
    /// When Linux refuses the file.
    pub fn new() -> Result<Self, Failure> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file =
            rustix::fs::memfd_create("hallows-programs", flags).map_err(|error| refused(0, &error.into()))?;
        Ok(Self { file: file.into(), begun: 0, length: 0 })
    }

    /// The next artefact is put from here on.
    ///
    /// # Errors
    /// As [`Artifacts::new`].
    pub fn begin(&mut self) -> Result<(), Failure> {
        self.begun = self.length.next_multiple_of(PAGE_BYTES as u64);
        self.take_back()
    }

    /// Where the last artefact begins, and its bytes.
    pub fn last(&self) -> (usize, usize) {
        let bytes = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        (bytes(self.begun), bytes(self.length - self.begun))
    }

    /// A copy of one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn copy(&self, offset: usize, length: usize) -> Result<Vec<u8>, Failure> {
        let mut bytes = vec![0; length];
        let read = self.file.read_exact_at(&mut bytes, offset as u64);
        read.map(|()| bytes).map_err(|error| refused(self.length, &error))
    }

    /// The file, which nobody can change any more.
    ///
    /// # Errors
    /// As [`Artifacts::new`].
    pub fn sealed(self) -> Result<OwnedFd, Failure> {
        let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        rustix::fs::fcntl_add_seals(&self.file, seals)
            .map_err(|error| refused(self.length, &error.into()))?;
        Ok(self.file.into())
    }
}

impl Sink for Artifacts {
    type Error = Failure;

    fn put(&mut self, part: &[u8]) -> Result<(), Failure> {
        let length = self.length + part.len() as u64;
        self.file.write_all(part).map_err(|error| refused(length, &error))?;
        self.length = length;
        Ok(())
    }

    fn take_back(&mut self) -> Result<(), Failure> {
        let moved = self.file.set_len(self.begun).and_then(|()| self.file.seek(SeekFrom::Start(self.begun)));
        moved.map_err(|error| refused(self.begun, &error))?;
        self.length = self.begun;
        Ok(())
    }
}

fn refused(bytes: u64, error: &Error) -> Failure {
    if error.kind() == ErrorKind::FileTooLarge {
        return Failure::other(
            USAGE,
            format!(
                "the compiled programs have at least {}, and files of this process may not be so large: raise the limit (`ulimit -f`)",
                ByteSize(bytes)
            ),
        );
    }
    Failure::other(SOFTWARE, format!("cannot pass the programs on: {error}"))
}
