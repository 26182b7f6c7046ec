//! An engine configured from the same settings takes the artefact, and one that differs does not.
use hallows_artifact::{Artifact, CpuFeatures, Platform, Preemption, Settings};
use hallows_compiler::{Limits, Request, compile};
use wasmtime::{Config, Engine, Instance, Module, Store, Trap, WasmBacktrace, WasmFeatures};

const PROGRAM: &str = r#"(module
    (memory (export "memory") 1 10)
    (func $_ZN7example5outer17h0123456789abcdefE (export "run") (param i32) (result f64)
        (memory.fill (i32.const 0) (i32.const 1) (local.get 0))
        (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
        (f64.floor (f64.sqrt (f64.const 7.5))))
)"#;

fn request(platform: Platform) -> Request {
    let settings = Settings::new(platform, CpuFeatures::BASELINE).unwrap();
    Request { settings, limits: Limits::DEFAULT, threads: 1 }
}

/// What the engine of the system does with the settings, on this host and with wasmtime's own platform layer.
fn configuration(settings: &Settings) -> Config {
    let mut configuration = Config::new();
    configuration
        .signals_based_traps(true)
        .memory_init_cow(false)
        .memory_reservation(settings.memory_reservation_bytes)
        .memory_guard_size(settings.memory_guard_bytes)
        .memory_may_move(false)
        .guard_before_linear_memory(true)
        .epoch_interruption(settings.preemption == Preemption::Word)
        .concurrency_support(false)
        .relaxed_simd_deterministic(true)
        .wasm_features(WasmFeatures::THREADS, true);
    configuration
}

fn load(
    request: &Request,
    code: &[u8],
    change: impl FnOnce(&mut Config),
) -> wasmtime::Result<(Engine, Module)> {
    let mut configuration = configuration(&request.settings);
    change(&mut configuration);
    let engine = Engine::new(&configuration)?;
    // SAFETY: the code came out of the compiler a moment ago.
    let module = unsafe { Module::deserialize(&engine, code) }?;
    Ok((engine, module))
}

#[test]
fn an_engine_with_these_settings_runs_the_code() {
    let request = request(Platform::Linux);
    let bytes = compile(PROGRAM.as_bytes(), &request).unwrap();
    let artifact = Artifact::inspect(&bytes).unwrap();
    let (engine, module) = load(&request, artifact.code(), |_| ()).unwrap();
    let mut store = Store::new(&engine, ());
    store.set_epoch_deadline(1);
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance.get_typed_func::<i32, f64>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, 65_536).unwrap(), 2.0);
    let error = run.call(&mut store, 65_537).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::MemoryOutOfBounds));
    let trace = error.downcast_ref::<WasmBacktrace>().unwrap();
    let names: Vec<_> = trace.frames().iter().map(|frame| frame.func_name()).collect();
    assert_eq!(names, [Some("hallows:memory.fill"), Some("example::outer")]);
    assert!(trace.frames().iter().all(|frame| frame.module_offset().is_some()), "the address map is there");
    // The exports that the metadata lists are the module's.
    let listed = artifact.metadata().exports.iter().map(|export| export.name.as_str());
    assert!(listed.eq(module.exports().map(|export| export.name())));
}

#[test]
fn an_engine_that_differs_refuses_the_code() {
    let linux = request(Platform::Linux);
    let bytes = compile(PROGRAM.as_bytes(), &linux).unwrap();
    let code = Artifact::inspect(&bytes).unwrap().code();
    let refused = |change: fn(&mut Config)| load(&linux, code, change).map(|_| ()).unwrap_err().to_string();
    assert!(
        refused(|config| {
            config.epoch_interruption(false);
        })
        .contains("epoch interruption")
    );
    assert!(
        refused(|config| {
            config.memory_guard_size(1 << 20);
        })
        .contains("memory guard size")
    );
    assert!(
        refused(|config| {
            config.memory_may_move(true);
        })
        .contains("memory may move")
    );
    assert!(
        refused(|config| {
            config.wasm_features(WasmFeatures::THREADS, false);
        })
        .contains("threads")
    );
    let metal = request(Platform::Metal);
    let bytes = compile(PROGRAM.as_bytes(), &metal).unwrap();
    let code = Artifact::inspect(&bytes).unwrap().code();
    let error = load(&metal, code, |_| ()).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("operating system"), "{error}");
}

#[test]
fn code_without_checks_is_for_an_engine_without_them() {
    let mut request = request(Platform::Linux);
    request.settings.preemption = Preemption::None;
    let bytes = compile(PROGRAM.as_bytes(), &request).unwrap();
    let code = Artifact::inspect(&bytes).unwrap().code();
    let (engine, module) = load(&request, code, |_| ()).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance.get_typed_func::<i32, f64>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, 5).unwrap(), 2.0);
}

#[test]
fn the_same_program_gives_the_same_bytes() {
    let request = request(Platform::Linux);
    assert_eq!(compile(PROGRAM.as_bytes(), &request), compile(PROGRAM.as_bytes(), &request));
}
