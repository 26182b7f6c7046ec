//! A panic in a WebAssembly program: said in the log, then a trap, which ends the cell with a fault report.

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    match info.location() {
        Some(location) => crate::log!("panicked at {location}: {}", info.message()),
        None => crate::log!("panicked: {}", info.message()),
    }
    core::arch::wasm32::unreachable()
}
