//! What `hallows` carries: the compiler's executable, the example programs as WebAssembly, and those that are linked in.

use hallows_sdk::native::NativeProgram;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The programs that are linked into the machine: the same sources as the embedded ones, and the supervisor.
pub static NATIVES: &[&NativeProgram] = &[
    &hallows_supervisor::PROGRAM,
    &hallows_linux::services::HOST,
    &hallows_linux::services::NULL,
    &hallows_bank::PROGRAM,
    &hallows_bank_client::PROGRAM,
    &hallows_calculator::PROGRAM,
    &hallows_calculator_client::PROGRAM,
    &hallows_compute::PROGRAM,
    &hallows_counter::PROGRAM,
    &hallows_counter_client::PROGRAM,
    &hallows_fan_out::PROGRAM,
    &hallows_file_drop::PROGRAM,
    &hallows_file_drop_giver::PROGRAM,
    &hallows_file_drop_taker::PROGRAM,
    &hallows_flooder::PROGRAM,
    &hallows_hog::PROGRAM,
    &hallows_spin::PROGRAM,
    &hallows_worker::PROGRAM,
];

/// The WebAssembly of an embedded program.
#[must_use]
pub fn program(name: &str) -> Option<&'static [u8]> {
    let place = PROGRAMS.binary_search_by_key(&name, |(name, _)| name).ok()?;
    PROGRAMS.get(place).map(|(_, wasm)| *wasm)
}

/// The names of the embedded programs.
#[must_use]
pub fn names() -> Vec<&'static str> {
    PROGRAMS.iter().map(|(name, _)| *name).collect()
}

/// The names of the native programs.
#[must_use]
pub fn native_names() -> Vec<&'static str> {
    NATIVES.iter().map(|native| native.name).collect()
}
