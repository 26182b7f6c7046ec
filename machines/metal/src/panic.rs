//! A panic ends the machine: it says why on the console, and nothing of it runs on.

use core::{
    panic::PanicInfo,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    console,
    exit::{ExitCode, exit},
};

static PANICKING: AtomicBool = AtomicBool::new(false);

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    x86_64::instructions::interrupts::disable();
    // A panic while printing one leaves nothing to be said.
    if !PANICKING.swap(true, Ordering::SeqCst) {
        console::println_in_emergency(info);
    }
    exit(ExitCode::Panic)
}
