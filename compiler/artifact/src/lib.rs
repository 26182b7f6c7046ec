//! What a compiled program is: the settings it was compiled with, its header, its metadata, its seal.
//!
//! The compiler writes artefacts, the engine maps them as machine code. Problem: whoever can put bytes in
//! front of the engine can run anything. Rule: an artefact is looked at only after its seal, which needs a
//! secret key, its settings and the hash of its body were checked ([`Artifact::open`]). Consequence: this
//! crate is on both sides, knows no compiler and no engine, and needs neither an operating system nor `std`.
//!
//! ```
//! use hallows_artifact::{Artifact, CpuFeatures, Metadata, Platform, SealKey, Settings, program_hash};
//!
//! let settings = Settings::new(Platform::Linux, CpuFeatures::BASELINE).unwrap();
//! let program = program_hash(b"the program's bytes");
//! let mut bytes = Artifact::assemble(program, &settings, b"machine code", &Metadata::default()).unwrap();
//! let key = SealKey::from_bytes([7; 32]);
//! hallows_artifact::seal(&mut bytes, &key).unwrap();
//! let artifact = Artifact::open(&bytes, &key, program, &settings).unwrap();
//! assert_eq!(artifact.code(), b"machine code");
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod artifact;
mod cpu;
mod header;
mod metadata;
mod refusal;
mod seal;
mod settings;
mod stream;
mod wire;

pub use artifact::Artifact;
pub use cpu::CpuFeatures;
pub use header::{ENGINE_VERSION, FORMAT_VERSION, Header, PAGE_BYTES};
pub use metadata::{CustomSection, Export, ExternKind, Import, MemoryShape, Metadata};
pub use refusal::Refusal;
pub use seal::{SealKey, seal};
pub use settings::{Bounds, Platform, Preemption, Settings, SettingsError};
pub use stream::Stream;

/// A BLAKE3 hash, 32 bytes; comparing two takes the same time whatever they hold.
pub type Digest = blake3::Hash;

/// The name of a program: the BLAKE3 hash of its bytes as they were handed in (binary or text).
pub fn program_hash(program: &[u8]) -> Digest {
    blake3::hash(program)
}
