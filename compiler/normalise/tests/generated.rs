//! Generated modules behave the same normalised, and the pass accepts all that is valid.
mod common;

use arbitrary::Unstructured;
use common::{ENGINE, Outcome, Random, Running, TINY, normalised};
use hallows_normalise::{Error, FEATURES, normalise};
use wasm_smith::{Config, Module};
use wasmtime::Val;

/// Modules that are compared; each is compiled twice.
const MODULES: u64 = 500;
/// Instructions a generated program may take before it ends itself.
const FUEL: u32 = 2_000;

/// A generated module of the features that the engine runs, or `None` if this seed makes another. Odd seeds
/// have tables changed by instructions; the generator cannot do these without host references, so many are refused.
fn generate(seed: u64) -> Option<Vec<u8>> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let bytes = random.bytes(8_000);
    let config = Config {
        bulk_memory_enabled: true,
        reference_types_enabled: seed % 2 == 1,
        canonicalize_nans: true,
        // Most programs made at random trap at once; half of these get on.
        disallow_traps: seed % 4 < 2,
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        threads_enabled: false,
        export_everything: true,
        max_memory32_bytes: 5 << 16,
        memory_max_size_required: true,
        max_table_elements: 50,
        table_max_size_required: true,
        max_tables: 3,
        max_instructions: 400,
        min_funcs: 4,
        max_funcs: 12,
        min_memories: 1,
        min_data_segments: 2,
        max_types: 8,
        max_imports: 4,
        allow_start_export: false,
        generate_custom_sections: true,
        ..Config::default()
    };
    let mut module = Module::new(config, &mut Unstructured::new(&bytes)).ok()?;
    module.ensure_termination(FUEL).ok()?;
    let wasm = module.to_bytes();
    let mut validator = wasmparser::Validator::new_with_features(FEATURES);
    validator.validate_all(&wasm).is_ok().then_some(wasm)
}

/// Calls every exported function twice in fresh instances, with arguments that depend on the seed, and compares
/// all that can be seen after each call. Says how many calls returned.
fn compare(seed: u64, wasm: &[u8]) -> usize {
    let rewritten = normalised(wasm, TINY).wasm;
    let mut validator = wasmparser::Validator::new_with_features(FEATURES);
    validator.validate_all(&rewritten).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let compiled = |wasm: &[u8]| wasmtime::Module::new(&ENGINE, wasm).expect("it is valid");
    let (original, rewritten) = (compiled(wasm), compiled(&rewritten));
    let exports: Vec<String> = original.exports().map(|export| export.name().to_string()).collect();
    let mut random = Random(seed | 1);
    let mut returned = 0;
    for name in &exports {
        let (mut original, mut rewritten) = match (Running::of(&original), Running::of(&rewritten)) {
            (Ok(original), Ok(rewritten)) => (original, rewritten),
            (original, rewritten) => {
                assert_eq!(rewritten.err(), original.err(), "seed {seed}: instantiation");
                return returned;
            }
        };
        for _ in 0..2 {
            let Some(function) = original.instance.get_func(&mut original.store, name) else { continue };
            let parameters: Vec<_> = function.ty(&original.store).params().collect();
            let arguments: Vec<Val> = parameters.iter().map(|ty| argument(ty, &mut random)).collect();
            let expected = original.call(name, &arguments);
            let outcome = rewritten.call(name, &arguments);
            // Deep recursion ends where the stack does, and the two have frames of different sizes.
            let exhausted = Outcome::Trapped(wasmtime::Trap::StackOverflow);
            if expected == exhausted || outcome == exhausted {
                continue;
            }
            assert_eq!(outcome, expected, "seed {seed}: {name}");
            assert_eq!(rewritten.state(&exports), original.state(&exports), "seed {seed}: after {name}");
            assert_eq!(
                rewritten.store.data().calls,
                original.store.data().calls,
                "seed {seed}: calls of {name}"
            );
            returned += usize::from(matches!(expected, Outcome::Returned(_)));
        }
    }
    returned
}

fn argument(ty: &wasmtime::ValType, random: &mut Random) -> Val {
    match Val::default_for_ty(ty).expect("no references that are never null") {
        Val::I32(_) => Val::I32(random.below(70_000) as i32 - 100),
        Val::I64(_) => Val::I64(random.next().cast_signed() >> random.below(64)),
        Val::F32(_) => Val::F32((random.below(1_000) as f32).to_bits()),
        Val::F64(_) => Val::F64((random.below(1_000) as f64).to_bits()),
        other => other,
    }
}

#[test]
fn generated_modules_behave_the_same() {
    let (mut compared, mut returned) = (0, 0);
    for seed in 0.. {
        let Some(wasm) = generate(seed) else { continue };
        returned += compare(seed, &wasm);
        compared += 1;
        if compared == MODULES {
            break;
        }
    }
    // The comparison is worth something only if programs also get somewhere.
    assert!(returned > 700, "only {returned} calls returned");
}

#[test]
fn cut_and_damaged_modules_never_panic() {
    let mut random = Random(77);
    for seed in 0..40 {
        let Some(wasm) = generate(seed * 2) else { continue };
        for _ in 0..40 {
            let mut damaged = wasm.clone();
            match random.below(2) {
                0 => damaged.truncate(random.below(wasm.len() as u64) as usize),
                _ => damaged[random.below(wasm.len() as u64) as usize] ^= 1 << random.below(8),
            }
            match normalise(&damaged, common::options(TINY)) {
                Ok(rewritten) => {
                    let mut validator = wasmparser::Validator::new_with_features(FEATURES);
                    assert!(validator.validate_all(&rewritten.wasm).is_ok(), "seed {seed}");
                }
                Err(Error::Invalid { offset, message }) => {
                    assert!(offset <= damaged.len() && !message.is_empty());
                }
                Err(Error::Unsupported { features, .. }) => assert!(!features.is_empty()),
                Err(Error::ReservedExport { name }) => panic!("seed {seed}: {name} is not reserved"),
            }
        }
    }
}
