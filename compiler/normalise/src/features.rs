//! Which proposals programs may use: what the engine's build of wasmtime can run.
use crate::Error;
use wasmparser::{Validator, WasmFeatures};

/// WebAssembly 2.0 without references to host objects, with relaxed SIMD, tail calls, extended constants and atomic
/// instructions. The engine is built without wasmtime's `gc` and `threads`; one 32-bit memory is what its
/// slot pool and snapshots are made for.
pub const FEATURES: WasmFeatures = WasmFeatures::WASM2
    .difference(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::THREADS);

/// [`FEATURES`] with both encodings of exceptions, which are lowered before all else. References to exceptions are not valid without those to
/// host objects; what is left of these is refused afterwards.
pub(crate) const WITH_EXCEPTIONS: WasmFeatures = FEATURES
    .union(WasmFeatures::GC_TYPES)
    .union(WasmFeatures::EXCEPTIONS)
    .union(WasmFeatures::LEGACY_EXCEPTIONS);

/// Proposals that exist and are refused, with the names their authors use; those that include another before it.
const REFUSED: [(WasmFeatures, &str); 8] = [
    (WasmFeatures::STACK_SWITCHING, "stack-switching"),
    (WasmFeatures::GC, "gc"),
    (WasmFeatures::FUNCTION_REFERENCES, "function-references"),
    (WasmFeatures::GC_TYPES, "externref"),
    (WasmFeatures::MEMORY64, "memory64"),
    (WasmFeatures::MULTI_MEMORY, "multi-memory"),
    (WasmFeatures::WIDE_ARITHMETIC, "wide-arithmetic"),
    (WasmFeatures::CUSTOM_PAGE_SIZES, "custom-page-sizes"),
];

/// Checks that `wasm` is a valid core module within [`FEATURES`]; otherwise says which of the refused
/// proposals it needs.
pub(crate) fn validate(wasm: &[u8]) -> Result<(), Error> {
    let Err(error) = Validator::new_with_features(FEATURES).validate_all(wasm) else { return Ok(()) };
    if is_component(wasm) {
        return Err(Error::Unsupported {
            features: "the component model".into(),
            offset: 0,
            message: "a component; hand in its core module instead".into(),
        });
    }
    // Exceptions alone are no reason to refuse one.
    let exceptions = WasmFeatures::EXCEPTIONS | WasmFeatures::LEGACY_EXCEPTIONS;
    let valid = |features| Validator::new_with_features(features | exceptions).validate_all(wasm).is_ok();
    let mut needed = REFUSED.iter().fold(FEATURES, |all, row| all | row.0);
    if !valid(needed) {
        return Err(error.into());
    }
    // Leave out what it is valid without: what is left, it needs.
    let mut names = Vec::new();
    for (feature, name) in REFUSED {
        let without = needed.difference(feature);
        match valid(without) {
            true => needed = without,
            false => names.push(name),
        }
    }
    Err(Error::Unsupported {
        features: if names.is_empty() { "newer WebAssembly".into() } else { names.join(", ") },
        offset: error.offset(),
        message: error.message().to_string(),
    })
}

/// Whether `wasm` is valid only with exceptions, and needs nothing else that is refused.
pub(crate) fn needs_exceptions(wasm: &[u8]) -> bool {
    let valid = |features| Validator::new_with_features(features).validate_all(wasm).is_ok();
    !valid(FEATURES) && valid(WITH_EXCEPTIONS)
}

/// A component's preamble differs from a module's in its last two bytes.
fn is_component(wasm: &[u8]) -> bool {
    wasm.starts_with(b"\0asm") && wasm.get(6..8) == Some(&[1, 0])
}
