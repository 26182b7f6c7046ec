//! Settings as wasmtime's configuration.
//!
//! wasmtime writes most of these into the image and refuses to load it into an engine that differs; what they
//! are is therefore said once, in `hallows_artifact::Settings`.
use hallows_artifact::Preemption;
use hallows_compiler_protocol::Request;
use hallows_normalise::FEATURES;
use wasmtime::{Config, OptLevel, WasmBacktraceDetails, WasmFeatures};

/// The configuration for `request`.
///
/// # Errors
/// wasmtime's, if it does not know the target.
pub(crate) fn configuration(request: &Request) -> wasmtime::Result<Config> {
    let settings = &request.settings;
    let features = WasmFeatures::from_bits_truncate(FEATURES.bits());
    let mut configuration = Config::new();
    configuration.target(settings.platform.triple())?;
    configuration
        // Without them Spectre mitigations of memory accesses go, too.
        .signals_based_traps(true)
        // Cells' memories come from the slot pool, which brings its own images.
        .memory_init_cow(false)
        .memory_reservation(settings.memory_reservation_bytes)
        .memory_guard_size(settings.memory_guard_bytes)
        .memory_may_move(false)
        .guard_before_linear_memory(true)
        .epoch_interruption(settings.preemption == Preemption::Word)
        .concurrency_support(false)
        .table_lazy_init(true)
        .relaxed_simd_deterministic(true)
        .debug_info(false)
        // The pass drops DWARF; backtraces have functions and offsets.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .generate_address_map(true)
        // Stacks are walked by frame pointers; nothing in the machine unwinds by tables.
        .native_unwind_info(false)
        .cranelift_opt_level(OptLevel::Speed)
        .parallel_compilation(request.threads > 1)
        .wasm_features(WasmFeatures::all().difference(features), false)
        .wasm_features(features, true);
    for flag in settings.cpu_features.cranelift_flags() {
        enable(&mut configuration, flag);
    }
    Ok(configuration)
}

/// Enables a processor feature.
#[allow(unsafe_code, reason = "wasmtime marks flags unsafe as a whole")]
fn enable(configuration: &mut Config, flag: &str) {
    // SAFETY: the contract is that flags do not break generated code. These only say which instructions the processor
    // has; the artefact records them, and the engine refuses it on a processor that lacks one.
    unsafe { configuration.cranelift_flag_enable(flag) };
}
