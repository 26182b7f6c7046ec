//! Keeps files of `procfs` closed: through `/proc/self/mem` a program would write to the machine's own memory, and through others to that of
//! every process of the same user. Who is granted `/` is not granted that.

use std::os::fd::AsFd;

use hallows_system::files::Refusal;
use rustix::fs::{PROC_SUPER_MAGIC, fstatfs};

use super::refusal::refused;

/// The file systems that were looked at and are none of processes, by their device numbers: one system call for each, not for each file.
#[derive(Debug, Default)]
pub(super) struct Devices(Vec<u64>);

/// More are not remembered: they are looked at each time.
const MOST: usize = 64;

impl Devices {
    /// Checks that an open file, which is on this device, is none of `procfs`.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotPermitted`] if it is.
    pub fn check(&mut self, file: impl AsFd, device: u64) -> Result<(), Refusal> {
        if self.0.contains(&device) {
            return Ok(());
        }
        if fstatfs(file).map_err(refused)?.f_type == PROC_SUPER_MAGIC {
            return Err(Refusal::NotPermitted);
        }
        if self.0.len() < MOST {
            self.0.push(device);
        }
        Ok(())
    }
}
