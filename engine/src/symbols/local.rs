//! wasmtime's thread-local slot. `run` exchanges it at every switch, so it belongs to the fiber: to wasmtime a fiber is a thread.

use crate::platform::local::{self, Word};

#[unsafe(no_mangle)]
extern "C" fn wasmtime_tls_get(slot: usize) -> *mut u8 {
    // Another slot is used only by wasmtime's `component-model-async`, which is not compiled in.
    debug_assert_eq!(slot, 0);
    local::get::<{ Word::Wasmtime as usize }>()
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_tls_set(slot: usize, value: *mut u8) {
    debug_assert_eq!(slot, 0);
    local::set::<{ Word::Wasmtime as usize }>(value);
}
