//! How the machine ends.

use x86_64::instructions::{hlt, interrupts, port::Port};

/// Port of QEMU's `isa-debug-exit` device, as `test.sh` configures it. On other machines nothing listens there.
const DEBUG_EXIT_PORT: u16 = 0xf4;

/// Why the machine ends. QEMU's exit status is twice the value plus one, so none looks like QEMU's own 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ExitCode {
    /// All went well: status 33.
    Success = 0x10,
    /// What was asked for failed: status 35.
    Failure = 0x11,
    /// The machine itself broke: status 37.
    Panic = 0x12,
}

/// Ends the emulator, or stops the processor where there is none.
pub fn exit(code: ExitCode) -> ! {
    interrupts::disable();
    // SAFETY: the port is the emulator's own; where there is no such device a write is ignored.
    unsafe { Port::<u32>::new(DEBUG_EXIT_PORT).write(code as u32) };
    loop {
        hlt();
    }
}
