//! A system in memory, and a program's memory, to try processes with.

#![allow(dead_code, reason = "each test file uses a part")]

mod disk;
mod machine;
mod network;

pub use machine::{Console, Machine};
#[allow(unused_imports, reason = "each test file uses a part")]
pub use network::{Happening, Network, PORT_SOCKET, Peer};

use hallows_wasi::{Errno, Given, Memory, Process, Result, Rights};

/// A program's memory: what lies behind `writable_end` may only be read.
pub struct Space {
    pub bytes: Vec<u8>,
    pub writable_end: usize,
}

impl Space {
    fn range(&self, address: u64, length: u64, end: usize) -> Result<core::ops::Range<usize>> {
        let last = address.checked_add(length).filter(|last| *last <= end as u64).ok_or(Errno::Fault)?;
        Ok(address as usize..last as usize)
    }
}

impl Memory for Space {
    fn read(&self, address: u64, to: &mut [u8]) -> Result {
        let range = self.range(address, to.len() as u64, self.bytes.len())?;
        to.copy_from_slice(&self.bytes[range]);
        Ok(())
    }

    fn write(&mut self, address: u64, from: &[u8]) -> Result {
        let range = self.range(address, from.len() as u64, self.writable_end)?;
        self.bytes[range].copy_from_slice(from);
        Ok(())
    }

    fn check_readable(&self, address: u64, length: u64) -> Result {
        self.range(address, length, self.bytes.len()).map(|_| ())
    }

    fn check_writable(&self, address: u64, length: u64) -> Result {
        self.range(address, length, self.writable_end).map(|_| ())
    }
}

/// Bytes of the programs' memories.
pub const MEMORY_BYTES: usize = 1 << 20;

/// Where calls of these tests put results, lists of ranges, paths and bytes.
pub const RESULT: u32 = 0;
pub const LIST: u32 = 64;
pub const PATH: u32 = 1_024;
pub const NEW_PATH: u32 = 8_192;
pub const BYTES: u32 = 65_536;

/// The directories that a process is given.
pub const HOME: u32 = 3;
pub const OTHER: u32 = 4;

/// `oflags` and `fdflags`.
pub const CREATE: u32 = 1;
pub const DIRECTORY: u32 = 2;
pub const EXCLUSIVE: u32 = 4;
pub const TRUNCATE: u32 = 8;
pub const APPEND: u32 = 1;

/// What programs ask for to read, and to write.
pub const READ: Rights =
    Rights(Rights::ALL.0 & !Rights::FD_WRITE.0 & !Rights::FD_ALLOCATE.0 & !Rights::FD_FILESTAT_SET_SIZE.0);
pub const WRITE: Rights = Rights::ALL;

/// A process with its memory, with short ways to call it.
pub struct Program {
    pub process: Process<Machine>,
    pub memory: Space,
}

impl Program {
    /// With all three streams, and the directories `/` (the disk's root) and `/other` (its directory `other`).
    pub fn new() -> Self {
        Self::with(Machine::new())
    }

    pub fn with(mut machine: Machine) -> Self {
        machine.disk.directory("other");
        let directories =
            vec![("/".to_owned(), machine.preopened("")), ("/other".to_owned(), machine.preopened("other"))];
        let given = Given {
            input: Some(Console::Input),
            output: Some(Console::Output),
            error: Some(Console::Error),
            directories,
            ports: machine.network.is_listening.then_some(PORT_SOCKET).into_iter().collect(),
        };
        let memory = Space { bytes: vec![0; MEMORY_BYTES], writable_end: MEMORY_BYTES };
        Self { process: Process::new(machine, given), memory }
    }

    pub fn machine(&mut self) -> &mut Machine {
        self.process.system()
    }

    pub fn put(&mut self, address: u32, bytes: &[u8]) {
        self.memory.bytes[address as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    pub fn bytes(&self, address: u32, length: u32) -> &[u8] {
        &self.memory.bytes[address as usize..][..length as usize]
    }

    pub fn u32(&self, address: u32) -> u32 {
        u32::from_le_bytes(self.bytes(address, 4).try_into().unwrap())
    }

    pub fn u64(&self, address: u32) -> u64 {
        u64::from_le_bytes(self.bytes(address, 8).try_into().unwrap())
    }

    /// Ranges for a read or a write, one after the other from `BYTES` on.
    pub fn list(&mut self, lengths: &[u32]) -> u32 {
        let mut address = BYTES;
        for (place, length) in lengths.iter().enumerate() {
            self.put(LIST + place as u32 * 8, &address.to_le_bytes());
            self.put(LIST + place as u32 * 8 + 4, &length.to_le_bytes());
            address += length;
        }
        lengths.len() as u32
    }

    pub fn write(&mut self, fd: u32, bytes: &[u8]) -> Result<u32> {
        self.put(BYTES, bytes);
        let count = self.list(&[bytes.len() as u32]);
        self.process.fd_write(&mut self.memory, fd, LIST, count, RESULT)?;
        Ok(self.u32(RESULT))
    }

    pub fn read(&mut self, fd: u32, most: u32) -> Result<Vec<u8>> {
        let count = self.list(&[most]);
        self.process.fd_read(&mut self.memory, fd, LIST, count, RESULT)?;
        Ok(self.bytes(BYTES, self.u32(RESULT)).to_vec())
    }

    pub fn write_at(&mut self, fd: u32, offset: u64, bytes: &[u8]) -> Result<u32> {
        self.put(BYTES, bytes);
        let count = self.list(&[bytes.len() as u32]);
        self.process.fd_pwrite(&mut self.memory, fd, LIST, count, offset, RESULT)?;
        Ok(self.u32(RESULT))
    }

    pub fn read_at(&mut self, fd: u32, offset: u64, most: u32) -> Result<Vec<u8>> {
        let count = self.list(&[most]);
        self.process.fd_pread(&mut self.memory, fd, LIST, count, offset, RESULT)?;
        Ok(self.bytes(BYTES, self.u32(RESULT)).to_vec())
    }

    pub fn seek(&mut self, fd: u32, by: i64, whence: u32) -> Result<u64> {
        self.process.fd_seek(&mut self.memory, fd, by, whence, RESULT)?;
        Ok(self.u64(RESULT))
    }

    pub fn tell(&mut self, fd: u32) -> Result<u64> {
        self.process.fd_tell(&mut self.memory, fd, RESULT)?;
        Ok(self.u64(RESULT))
    }

    /// Puts a path where calls find it; place and length.
    pub fn path(&mut self, path: impl AsRef<[u8]>) -> (u32, u32) {
        self.put(PATH, path.as_ref());
        (PATH, path.as_ref().len() as u32)
    }

    pub fn new_path(&mut self, path: impl AsRef<[u8]>) -> (u32, u32) {
        self.put(NEW_PATH, path.as_ref());
        (NEW_PATH, path.as_ref().len() as u32)
    }

    pub fn open_as(
        &mut self,
        directory: u32,
        path: impl AsRef<[u8]>,
        how: u32,
        (base, inheriting): (Rights, Rights),
        flags: u32,
    ) -> Result<u32> {
        let (place, length) = self.path(path);
        self.process.path_open(
            &mut self.memory,
            directory,
            1,
            place,
            length,
            how,
            base.0,
            inheriting.0,
            flags,
            RESULT,
        )?;
        Ok(self.u32(RESULT))
    }

    /// Opens below the root, with all rights passed on.
    pub fn open(&mut self, path: impl AsRef<[u8]>, how: u32, base: Rights) -> Result<u32> {
        self.open_as(HOME, path, how, (base, Rights::ALL), 0)
    }

    pub fn close(&mut self, fd: u32) -> Result {
        self.process.fd_close(&mut self.memory, fd)
    }

    /// Kind, flags, rights, and rights passed on.
    pub fn fdstat(&mut self, fd: u32) -> Result<(u8, u16, Rights, Rights)> {
        self.process.fd_fdstat_get(&mut self.memory, fd, RESULT)?;
        let head = self.u64(RESULT);
        Ok((head as u8, (head >> 16) as u16, Rights(self.u64(RESULT + 8)), Rights(self.u64(RESULT + 16))))
    }
}
