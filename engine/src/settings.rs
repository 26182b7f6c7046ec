//! wasmtime's configuration, made from the settings that programs are compiled with: it refuses an artefact that differs.

use core::num::NonZeroUsize;

use hallows_artifact::{CpuFeatures, Platform as Target, Preemption, Settings, SettingsError};
use wasmtime::{Config, WasmFeatures};

use crate::code;
use crate::platform::platform;
use crate::slots::{GUARD_BYTES, RESERVATION_BYTES};
use crate::stacks::WASM_STACK_BYTES;

/// Frames in a backtrace at most: more than fit into a fault report.
const FRAMES_MOST: usize = 24;

/// The settings of this machine: what its processor can do, for its platform. Programs are compiled with these.
///
/// # Errors
///
/// [`SettingsError::BelowBaseline`] if the processor lacks what correct code needs.
pub fn machine_settings() -> Result<Settings, SettingsError> {
    let target = if cfg!(target_os = "none") { Target::Metal } else { Target::Linux };
    Settings::new(target, CpuFeatures::detect(|name| platform().has_cpu_feature(name)))
}

/// wasmtime's configuration for artefacts compiled with `settings`.
pub(crate) fn config(settings: &Settings) -> Config {
    let mut config = Config::new();
    config
        .signals_based_traps(true)
        .epoch_interruption(settings.preemption == Preemption::Word)
        .memory_reservation(settings.memory_reservation_bytes)
        .memory_guard_size(settings.memory_guard_bytes)
        .memory_may_move(false)
        .guard_before_linear_memory(true)
        .memory_init_cow(false)
        .table_lazy_init(true)
        .relaxed_simd_deterministic(true)
        .concurrency_support(false)
        .max_wasm_stack(WASM_STACK_BYTES)
        // wasmtime wants it to be no less, though it has no `async` here.
        .async_stack_size(WASM_STACK_BYTES)
        .wasm_backtrace_max_frames(NonZeroUsize::new(FRAMES_MOST))
        // Atomic instructions; shared memories are turned into aliased ones before compiling.
        .wasm_features(WasmFeatures::THREADS, true)
        .wasm_features(WasmFeatures::MEMORY64, false)
        .wasm_features(WasmFeatures::MULTI_MEMORY, false)
        .with_custom_code_memory(Some(code::in_place()));
    // SAFETY: what the processor can do is asked of the platform, which asks the processor.
    unsafe { config.detect_host_feature(|name| Some(platform().has_cpu_feature(name))) };
    #[cfg(target_os = "none")]
    // SAFETY: a build for a bare machine passes floats in general registers and compiled code does not, which matters only for
    // library calls; with the baseline that `Settings` demands, compiled code makes none with floats.
    unsafe {
        config.x86_float_abi_ok(true);
    }
    config
}

/// Whether memories of these settings fit into slots of the pool.
pub(crate) fn fits_slots(settings: &Settings) -> bool {
    settings.memory_reservation_bytes == RESERVATION_BYTES as u64
        && settings.memory_guard_bytes == GUARD_BYTES as u64
}
