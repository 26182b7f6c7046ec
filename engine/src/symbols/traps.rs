//! wasmtime's trap handler, handed on to the machine.

use crate::platform::{TrapHandler, platform};

#[unsafe(no_mangle)]
extern "C" fn wasmtime_init_traps(handler: TrapHandler) -> i32 {
    platform().install_traps(handler);
    0
}
