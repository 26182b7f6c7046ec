//! System management interrupts, which the firmware takes and Linux does not see: Intel's processors count them.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::cores::Core;

/// `MSR_SMI_COUNT` (Intel's Software Developer's Manual, volume 4).
const COUNT: u64 = 0x34;

/// How many a core has had since it was reset; `None` where that cannot be read: another processor, no driver `msr`, no permission, a hypervisor that hides it.
#[must_use]
pub fn of_core(core: Core) -> Option<u64> {
    let registers = File::open(format!("/dev/cpu/{core}/msr")).ok()?;
    let mut value = [0; 8];
    registers.read_exact_at(&mut value, COUNT).ok()?;
    // The upper half is reserved.
    Some(u64::from_le_bytes(value) & 0xFFFF_FFFF)
}
