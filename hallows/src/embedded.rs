//! What `hallows` carries: the compiler's executable, the example programs as WebAssembly, and those that are linked in.

use std::sync::OnceLock;

use hallows_interface::declared::{self, Declared, Malformed};
use hallows_kernel::{BUILT_IN, Policy};
use hallows_sdk::native::NativeProgram;

use crate::system::ProgramSource;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The programs that are linked into the machine: the same sources as the embedded ones, and the supervisor.
pub static NATIVES: &[&NativeProgram] = &[
    &hallows_supervisor::PROGRAM,
    &hallows_linux::services::HOST,
    &hallows_linux::services::NULL,
    &hallows_linux::services::TUNING,
    &hallows_linux::services::PICTURE,
    &hallows_linux::services::packets::PACKETS,
    &hallows_linux::services::sockets::SOCKETS,
    &hallows_registry::PROGRAM,
    &hallows_bank::PROGRAM,
    &hallows_bank_client::PROGRAM,
    &hallows_calculator::PROGRAM,
    &hallows_calculator_client::PROGRAM,
    &hallows_checksum::PROGRAM,
    &hallows_checksum_client::PROGRAM,
    &hallows_compute::PROGRAM,
    &hallows_counter::PROGRAM,
    &hallows_counter_client::PROGRAM,
    &hallows_fan_out::PROGRAM,
    &hallows_file_drop::PROGRAM,
    &hallows_file_drop_giver::PROGRAM,
    &hallows_file_drop_taker::PROGRAM,
    &hallows_flooder::PROGRAM,
    &hallows_hog::PROGRAM,
    &hallows_relay::PROGRAM,
    &hallows_scatter::PROGRAM,
    &hallows_spin::PROGRAM,
    &hallows_tally::PROGRAM,
    &hallows_tally_client::PROGRAM,
    &hallows_threads::PROGRAM,
    &hallows_ticker::PROGRAM,
    &hallows_tuner::PROGRAM,
    &hallows_worker::PROGRAM,
];

/// What the user of the library has linked in, beside ours; see [`crate::init_with`].
struct Linked {
    programs: Vec<&'static NativeProgram>,
    policies: Vec<&'static dyn Policy>,
}

static LINKED: OnceLock<Linked> = OnceLock::new();

/// Links a user's programs and policies in. `false`: it was done before, and these are not taken.
pub fn link(programs: &[&'static NativeProgram], policies: &[&'static dyn Policy]) -> bool {
    LINKED.set(Linked { programs: programs.to_vec(), policies: policies.to_vec() }).is_ok()
}

/// The policies that the user has linked in.
#[must_use]
pub fn policies() -> Vec<&'static dyn Policy> {
    LINKED.get().map(|linked| linked.policies.clone()).unwrap_or_default()
}

/// All policies' names: ours, then the user's.
#[must_use]
pub fn policy_names() -> Vec<&'static str> {
    BUILT_IN.into_iter().chain(policies()).map(|policy| policy.name()).collect()
}

/// Whether [`link`] was called in this process.
pub fn is_linked() -> bool {
    LINKED.get().is_some()
}

/// All native programs: ours, then the user's.
#[must_use]
pub fn natives() -> Vec<&'static NativeProgram> {
    NATIVES.iter().chain(LINKED.get().iter().flat_map(|linked| &linked.programs)).copied().collect()
}

/// The WebAssembly of an embedded program.
#[must_use]
pub fn program(name: &str) -> Option<&'static [u8]> {
    let place = PROGRAMS.binary_search_by_key(&name, |(name, _)| name).ok()?;
    PROGRAMS.get(place).map(|(_, wasm)| *wasm)
}

/// What a program declares that it uses and serves. A native one has no sections: what it declares is what the embedded program of its name
/// does. Nothing of one that there is not.
///
/// # Errors
/// Its section is not as specified.
pub fn declared(source: &ProgramSource) -> Result<Vec<Declared>, Malformed> {
    match source {
        ProgramSource::BuiltIn(name) | ProgramSource::Native(name) => {
            program(name).map_or(Ok(Vec::new()), declared::declared)
        }
        // That it cannot be read, or is no program, is said by who wants to run it.
        ProgramSource::File(path) => match std::fs::read(path) {
            Ok(wasm) => declared_of_file(&wasm),
            Err(_) => Ok(Vec::new()),
        },
        ProgramSource::Carried { wasm, .. } => declared_of_file(wasm),
    }
}

/// The same of bytes that may be no program.
///
/// # Errors
/// As [`declared`].
pub fn declared_of_file(wasm: &[u8]) -> Result<Vec<Declared>, Malformed> {
    match declared::declared(wasm) {
        Err(Malformed::NoModule | Malformed::Section) => Ok(Vec::new()),
        declared => declared,
    }
}

/// The names of the embedded programs.
#[must_use]
pub fn names() -> Vec<&'static str> {
    PROGRAMS.iter().map(|(name, _)| *name).collect()
}

/// The names of the native programs.
#[must_use]
pub fn native_names() -> Vec<&'static str> {
    natives().iter().map(|native| native.name).collect()
}
