//! Keeps files closed that are the kernel's and no data: through `/proc/self/mem` a program would write to the machine's own memory, through others to
//! that of every process of the same user; in sysfs, cgroups and the like a written file changes the host. Who is granted `/` is not granted that.

use std::os::fd::AsFd;

use hallows_system::files::Refusal;
use rustix::fs::{FsWord, PROC_SUPER_MAGIC, fstatfs};

use super::refusal::refused;

/// File systems whose files are the kernel's: procfs, and of `linux/magic.h` sysfs, both versions of cgroups, debugfs, tracefs, securityfs, bpf,
/// efivarfs, configfs, selinuxfs.
const OF_THE_KERNEL: [FsWord; 11] = [
    PROC_SUPER_MAGIC,
    0x6265_6572,
    0x0027_e0eb,
    0x6367_7270,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0xcafe_4a11,
    0xde5e_81e4,
    0x6265_6570,
    0xf97c_ff8c,
];

/// The file systems that were looked at and are none of the kernel's, by their device numbers: one system call for each, not for each file.
#[derive(Debug, Default)]
pub(super) struct Devices(Vec<u64>);

/// More are not remembered: they are looked at each time.
const MOST: usize = 64;

impl Devices {
    /// Checks that an open file, which is on this device, is none of the kernel's.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotPermitted`] if it is.
    pub fn check(&mut self, file: impl AsFd, device: u64) -> Result<(), Refusal> {
        if self.0.contains(&device) {
            return Ok(());
        }
        if OF_THE_KERNEL.contains(&fstatfs(file).map_err(refused)?.f_type) {
            return Err(Refusal::NotPermitted);
        }
        if self.0.len() < MOST {
            self.0.push(device);
        }
        Ok(())
    }
}
