//! An engine configured from the same settings takes the artefact, and one that differs does not.
use hallows_artifact::{Artifact, CpuFeatures, Platform, Preemption, Settings};
use hallows_compiler::{Limits, Request, compile};
use wasmtime::{Config, Engine, Instance, Module, Store, Trap, UpdateDeadline, WasmBacktrace, WasmFeatures};

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

/// Sums in as many registers as there are, of every kind, and more, over a loop with a check in it.
const MANY_VALUES: &str = r#"(module
    (func (export "run") (param $left i32) (result f64)
        (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $e i64) (local $f i64) (local $g i64)
        (local $h i64) (local $i i64) (local $j i64) (local $k i64) (local $l i64) (local $m i64) (local $n i64)
        (local $x f64) (local $y f64) (local $v v128) (local $w v128)
        (loop $again
            (local.set $a (i64.add (local.get $a) (i64.const 1)))
            (local.set $b (i64.add (local.get $b) (local.get $a)))
            (local.set $c (i64.add (local.get $c) (local.get $b)))
            (local.set $d (i64.xor (local.get $d) (local.get $c)))
            (local.set $e (i64.add (local.get $e) (local.get $d)))
            (local.set $f (i64.xor (local.get $f) (local.get $e)))
            (local.set $g (i64.add (local.get $g) (local.get $f)))
            (local.set $h (i64.xor (local.get $h) (local.get $g)))
            (local.set $i (i64.add (local.get $i) (local.get $h)))
            (local.set $j (i64.xor (local.get $j) (local.get $i)))
            (local.set $k (i64.add (local.get $k) (local.get $j)))
            (local.set $l (i64.xor (local.get $l) (local.get $k)))
            (local.set $m (i64.add (local.get $m) (local.get $l)))
            (local.set $n (i64.xor (local.get $n) (local.get $m)))
            (local.set $x (f64.add (local.get $x) (f64.convert_i32_u (local.get $left))))
            (local.set $y (f64.sub (local.get $y) (local.get $x)))
            (local.set $v (i64x2.add (local.get $v) (i64x2.splat (local.get $n))))
            (local.set $w (v128.xor (local.get $w) (local.get $v)))
            (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (f64.add (f64.add (local.get $x) (local.get $y)) (f64.convert_i64_u (i64.xor
            (i64x2.extract_lane 1 (local.get $w))
            (i64.add (local.get $a) (i64.xor (local.get $g) (local.get $n))))))))"#;

/// What `MANY_VALUES` gives, and how often its checks called back, with the engine's counter at `counter`.
fn with_counter(counter: u64, deadline: u64) -> (f64, u64) {
    let request = request(Platform::Linux);
    let bytes = compile(MANY_VALUES.as_bytes(), &request).unwrap();
    let (engine, module) = load(&request, Artifact::inspect(&bytes).unwrap().code(), |_| ()).unwrap();
    for _ in 0..counter {
        engine.increment_epoch();
    }
    let mut store = Store::new(&engine, 0);
    store.set_epoch_deadline(deadline);
    store.epoch_deadline_callback(|mut context| {
        *context.data_mut() += 1;
        // Whatever a callee may change of vector and general registers, this changes.
        let noise: f64 = std::hint::black_box((1..40).map(|n| f64::from(n).sqrt().sin()).sum());
        assert!(noise.is_finite());
        Ok(UpdateDeadline::Continue(1))
    });
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let run = instance.get_typed_func::<i32, f64>(&mut store, "run").unwrap();
    (run.call(&mut store, 1_000).unwrap(), *store.data())
}

#[test]
fn a_check_calls_back_where_its_word_is_not_zero_and_every_value_outlives_the_call() {
    // The deadline has been reached from the start: wasmtime's own checks would call back.
    let (quiet, checks) = with_counter(0, 0);
    assert_eq!(checks, 0);
    // It will never be reached.
    let (called, checks) = with_counter(1, 1 << 60);
    assert_eq!(checks, 1_001, "one at the entry, one at each turn of the loop");
    assert_eq!(called.to_bits(), quiet.to_bits());
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
