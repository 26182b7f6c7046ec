//! Compiled programs on disk: the sandboxed compiler is asked once, and every read is verified.
//!
//! Problem: an artefact is machine code that the engine maps. Whoever can put a file into the cache, or make the compiler
//! misbehave, could run anything. Rules: the compiler runs in a process without files, network or more memory and time than
//! given ([`Compiler`]); what it returns is checked and sealed with the user's key; what is read back is opened only
//! with that seal ([`Cache::artifact`]). Consequence: a damaged, foreign or outdated file costs a compilation,
//! never more.
//!
//! ```no_run
//! use hallows_artifact::{Platform, Settings};
//! use hallows_cache::{Cache, Compiler, Limits, host_features};
//!
//! let compiler = Compiler::from_path("target/release/hallows-compiler".into());
//! let cache = Cache::open_default(compiler).unwrap();
//! let settings = Settings::new(Platform::Linux, host_features()).unwrap();
//! let program = std::fs::read("program.wasm").unwrap();
//! let compiled = cache.artifact(&program, &settings, &Limits::DEFAULT).unwrap();
//! let artifact = compiled.open(&cache.seal_key()).unwrap();
//! println!("{} bytes of code", artifact.code().len());
//! ```
#![forbid(unsafe_code)]

mod cache;
mod compiler;
mod directory;
mod key_file;
mod known;
mod pipes;
mod sink;

pub use cache::{Cache, Compiled, Delivered, Origin};
pub use compiler::Compiler;
pub use directory::DEFAULT_BOUND_BYTES;
pub use hallows_artifact::{Artifact, CpuFeatures, Metadata, Platform, Preemption, SealKey, Settings};
pub use hallows_compiler_protocol::{CompileError, Limit, Limits};
pub use known::Look;
pub use sink::{Sink, Undelivered};

/// The features of the processor that this runs on, as far as compiled programs use them.
pub fn host_features() -> CpuFeatures {
    #[cfg(target_arch = "x86_64")]
    return CpuFeatures::detect(|name| match name {
        "sse3" => is_x86_feature_detected!("sse3"),
        "ssse3" => is_x86_feature_detected!("ssse3"),
        "sse4.1" => is_x86_feature_detected!("sse4.1"),
        "sse4.2" => is_x86_feature_detected!("sse4.2"),
        "popcnt" => is_x86_feature_detected!("popcnt"),
        "avx" => is_x86_feature_detected!("avx"),
        "avx2" => is_x86_feature_detected!("avx2"),
        "fma" => is_x86_feature_detected!("fma"),
        "bmi1" => is_x86_feature_detected!("bmi1"),
        "bmi2" => is_x86_feature_detected!("bmi2"),
        "lzcnt" => is_x86_feature_detected!("lzcnt"),
        _ => false,
    });
    #[cfg(not(target_arch = "x86_64"))]
    CpuFeatures::empty()
}
