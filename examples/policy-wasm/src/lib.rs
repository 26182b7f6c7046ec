//! The policy: a multi-level feedback queue (Corbató, Merwin-Daggett and Daley, "An experimental time-sharing system", 1962).
//!
//! Whatever comes is taken for short and goes first. What runs on sinks, from level to level, and has longer turns there: short work is
//! done soon, and long work is switched to and from less often.
#![no_std]

#[link(wasm_import_module = "candidate")]
unsafe extern "C" {
    /// How long the thread's work was seen to run, in ns.
    safe fn ran_ns() -> u64;
}

/// Work that has run for less is on the first level, in ns.
const SHORT_NS: u64 = 50_000;
/// Work that has run for less is on the second one, in ns; all other on the third.
const MIDDLE_NS: u64 = 1_000_000;

fn level() -> u32 {
    match ran_ns() {
        ..SHORT_NS => 0,
        SHORT_NS..MIDDLE_NS => 1,
        MIDDLE_NS.. => 2,
    }
}

/// Where a thread is put: smaller goes first.
#[unsafe(no_mangle)]
pub extern "C" fn order() -> u64 {
    level().into()
}

/// For how long it runs while another of its level waits, in ns: four times as long on each level.
#[unsafe(no_mangle)]
pub extern "C" fn quantum_ns(usual_ns: u64) -> u64 {
    usual_ns << (2 * level())
}

/// Nothing here panics; what does in WebAssembly has no answer.
#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
