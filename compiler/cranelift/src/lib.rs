//! Compiles one WebAssembly program into an artefact that the engine maps.
//!
//! [`compile`] is a pure function: program, settings and limits in, bytes out. The executable around it reads the
//! program from standard input inside a sandbox, because what it reads is hostile until proven otherwise and the compiler
//! is large.
#![deny(unsafe_code)]

mod configuration;
mod function_names;
#[allow(unsafe_code, reason = "system calls")]
pub mod sandbox;
mod shape;
mod source;

pub use hallows_compiler_protocol::{CompileError, Limit, Limits, Request};

use hallows_artifact::{Artifact, Preemption, Settings, program_hash};
use hallows_normalise::{Checks, Normalised, Options};

/// Compiles `program`, a binary module or its text form, into an unsealed artefact.
///
/// The limits on memory and time are not enforced here but by [`sandbox::run`] and by the parent process.
///
/// # Errors
/// [`CompileError`], of the kinds that blame the program or the settings.
pub fn compile(program: &[u8], request: &Request) -> Result<Vec<u8>, CompileError> {
    let normalised = normalise(program, request)?;
    let code = machine_code(&normalised.wasm, request)?;
    Artifact::assemble(program_hash(program), &request.settings, &code, &normalised.metadata)
        .map_err(|refusal| CompileError::Crashed { how: refusal.to_string() })
}

/// The module that is compiled: checked against the limits, validated and normalised.
///
/// # Errors
/// [`CompileError`], of the kinds that blame the program.
pub fn normalise(program: &[u8], request: &Request) -> Result<Normalised, CompileError> {
    let wasm = source::binary(program, &request.limits)?;
    shape::check(&wasm, &request.limits)?;
    let options = Options { checks: checks(&request.settings), rename_function: &function_names::readable };
    hallows_normalise::normalise(&wasm, options).map_err(|error| match error {
        hallows_normalise::Error::Invalid { offset, message } => {
            CompileError::Invalid { offset: Some(offset as u64), message }
        }
        hallows_normalise::Error::Unsupported { features, offset, message } => {
            CompileError::Unsupported { features, offset: offset as u64, message }
        }
        reserved @ hallows_normalise::Error::ReservedExport { .. } => {
            CompileError::Invalid { offset: None, message: reserved.to_string() }
        }
    })
}

/// Compiles a normalised module to the ELF image that wasmtime's `Module::deserialize` takes.
///
/// # Errors
/// [`CompileError::Settings`] if Cranelift cannot compile for them, [`CompileError::Invalid`] if it refuses
/// the module.
pub fn machine_code(wasm: &[u8], request: &Request) -> Result<Vec<u8>, CompileError> {
    let settings_error = |error: wasmtime::Error| CompileError::Settings { message: format!("{error:#}") };
    let configuration = configuration::configuration(request).map_err(settings_error)?;
    let engine = wasmtime::Engine::new(&configuration).map_err(settings_error)?;
    engine
        .precompile_module(wasm)
        .map_err(|error| CompileError::Invalid { offset: None, message: format!("{error:#}") })
}

fn checks(settings: &Settings) -> Checks {
    match settings.preemption {
        Preemption::Word => Checks::Bounded(settings.bounds),
        Preemption::None => Checks::None,
    }
}
