//! Runs WebAssembly programs as kernel threads: the only crate that knows wasmtime's runtime.
//!
//! The machine supplies a [`Platform`], registers it with [`install`], makes a [`WasmEngine`] and a kernel over it. Programs
//! come as artefacts of our compiler ([`WasmEngine::load`]) or are linked in (feature `native`). A housekeeping thread calls
//! [`clean`].
#![no_std]

extern crate alloc;

mod ahead;
mod body;
mod bytes;
mod calls;
mod cells;
mod cleaner;
mod code;
mod ended;
mod engine;
mod family;
mod fiber;
mod finished;
mod layout;
mod lock;
#[cfg(feature = "native")]
mod native;
#[cfg(feature = "native")]
mod native_threads;
mod platform;
mod program;
mod regions;
mod resident;
mod run;
mod settings;
mod sleepers;
mod slots;
mod stacks;
mod symbols;
mod thread_calls;
mod threads;
#[cfg(feature = "wasi")]
mod wasi;
#[cfg(feature = "native")]
mod windows;

pub use bytes::Bytes;
pub use cleaner::{Counters, clean, counters, is_stack_guard, populate_at_most};
pub use engine::{EngineConfiguration, EngineError, WasmEngine};
pub use hallows_artifact as artifact;
pub use hallows_artifact::{Digest, Refusal, SealKey, Settings, SettingsError};
pub use layout::OtherLayout;
pub use platform::local::WORDS as LOCAL_WORDS;
pub use platform::{Aliasing, NoMemory, PAGE_BYTES, Platform, Protection, TrapHandler, install};
pub use program::{LoadError, Program};
pub use settings::machine_settings;
pub use stacks::LARGEST_STACK_BYTES;
