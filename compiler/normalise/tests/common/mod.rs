//! Runs a module as it is and normalised, side by side.
#![allow(dead_code, reason = "each test file uses its part")]

use hallows_normalise::{Bounds, Checks, FEATURES, Normalised, Options, normalise};
use std::sync::LazyLock;
use wasmtime::{
    Caller, Config, Engine, ExternType, Func, Instance, Module, Ref, Store, Trap, UpdateDeadline, Val,
    WasmFeatures,
};

/// Bounds so small that ordinary code meets them.
pub const TINY: Bounds = Bounds { straight_line_units: 60, tail_units: 25, bulk_bytes: 4, bulk_elements: 3 };

/// An engine with checks, configured like the machine's where it matters to results.
pub static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::new();
    config.epoch_interruption(true).relaxed_simd_deterministic(true).cranelift_nan_canonicalization(true);
    config.wasm_features(WasmFeatures::all().difference(features()), false).wasm_features(features(), true);
    let engine = Engine::new(&config).expect("the features are supported");
    // Every check finds the counter set, calls back and is counted.
    engine.increment_epoch();
    engine
});

/// [`FEATURES`] as wasmtime's type.
fn features() -> WasmFeatures {
    WasmFeatures::from_bits_truncate(FEATURES.bits())
}

pub fn options(bounds: Bounds) -> Options<'static> {
    Options { checks: Checks::Bounded(bounds), rename_function: &|name| name.to_string() }
}

pub fn normalised(wasm: &[u8], bounds: Bounds) -> Normalised {
    normalise(wasm, options(bounds)).expect("the module is valid")
}

/// How a call ended: results, the trap's kind, or the message of another error.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    Returned(Vec<String>),
    Trapped(Trap),
    Failed(String),
}

/// A running module.
pub struct Running {
    pub store: Store<Host>,
    pub instance: Instance,
}

/// What the host functions of a test keep.
#[derive(Default)]
pub struct Host {
    /// Checks that called back.
    pub checks: u64,
    /// Checks after which a runaway program is stopped.
    pub most_checks: u64,
    /// Calls to imports: name and arguments.
    pub calls: Vec<(String, Vec<u64>)>,
}

impl Running {
    /// Instantiates a module; its imported functions record their calls and return zeros, but for the one that grows its memory.
    pub fn new(wasm: &[u8]) -> Result<Running, Outcome> {
        Running::of(&Module::new(&ENGINE, wasm).expect("the module compiles"))
    }

    /// Instantiates a compiled module.
    pub fn of(module: &Module) -> Result<Running, Outcome> {
        let mut store = Store::new(module.engine(), Host { most_checks: u64::MAX, ..Host::default() });
        store.epoch_deadline_callback(|mut context| {
            let host = context.data_mut();
            host.checks += 1;
            Ok(if host.checks > host.most_checks {
                UpdateDeadline::Interrupt
            } else {
                UpdateDeadline::Continue(0)
            })
        });
        let mut imports: Vec<wasmtime::Extern> = Vec::new();
        for import in module.imports() {
            match import.ty() {
                ExternType::Func(ty) => {
                    let (name, results) = (import.name().to_string(), ty.clone());
                    let function =
                        Func::new(&mut store, ty, move |mut caller: Caller<'_, Host>, parameters, out| {
                            let arguments = parameters.iter().map(number).collect();
                            caller.data_mut().calls.push((name.clone(), arguments));
                            for (slot, ty) in out.iter_mut().zip(results.results()) {
                                *slot = Val::default_for_ty(&ty).expect("a default");
                            }
                            if name == "memory_grow" {
                                let memory = caller
                                    .get_export("hallows:memory")
                                    .and_then(wasmtime::Extern::into_memory);
                                let pages = u64::from(parameters[0].unwrap_i32().cast_unsigned());
                                let before = memory.expect("it has one").grow(&mut caller, pages);
                                out[0] = Val::I32(before.map_or(-1, |before| before as i32));
                            }
                            Ok(())
                        });
                    imports.push(function.into());
                }
                other => imports.push(other.default_value(&mut store).expect("a default")),
            }
        }
        match Instance::new(&mut store, module, &imports) {
            Ok(instance) => Ok(Running { store, instance }),
            Err(error) => Err(outcome_of(&error)),
        }
    }

    /// Calls an export.
    pub fn call(&mut self, name: &str, arguments: &[Val]) -> Outcome {
        let function = self.instance.get_func(&mut self.store, name).expect("the export exists");
        let count = function.ty(&self.store).results().len();
        let mut results = vec![Val::I32(0); count];
        match function.call(&mut self.store, arguments, &mut results) {
            Ok(()) => Outcome::Returned(results.iter().map(|value| self.show(value)).collect()),
            Err(error) => outcome_of(&error),
        }
    }

    /// Everything the program can have changed that its exports show: memory, globals, tables.
    pub fn state(&mut self, exports: &[String]) -> Vec<(String, String)> {
        let mut state = Vec::new();
        for name in exports {
            let Some(item) = self.instance.get_export(&mut self.store, name) else { continue };
            let text = match item {
                wasmtime::Extern::Memory(memory) => {
                    let data = memory.data(&self.store);
                    let changed: Vec<_> = data.iter().enumerate().filter(|(_, byte)| **byte != 0).collect();
                    format!("{} bytes, not zero: {changed:?}", data.len())
                }
                wasmtime::Extern::Global(global) => {
                    let value = global.get(&mut self.store);
                    self.show(&value)
                }
                wasmtime::Extern::Table(table) => {
                    let entries: Vec<_> = (0..table.size(&self.store))
                        .map(|at| table.get(&mut self.store, at).is_some_and(|entry| !entry.is_null()))
                        .collect();
                    format!("{entries:?}")
                }
                _ => continue,
            };
            state.push((name.clone(), text));
        }
        state
    }

    fn show(&self, value: &Val) -> String {
        match value {
            Val::F32(bits) => format!("f32 {bits:x}"),
            Val::F64(bits) => format!("f64 {bits:x}"),
            // Functions of two instances are never the same; which one it is shows when it is called.
            Val::FuncRef(reference) => format!("function {}", reference.is_some()),
            other => format!("{other:?}"),
        }
    }

    /// Copies memory, globals and tables from another instance of the same module by their reserved names, as a
    /// snapshot does. Tables: which entries are null, and functions by their index in the exported `functions`.
    pub fn restore(&mut self, from: &mut Running) {
        let names: Vec<String> =
            from.instance.exports(&mut from.store).map(|export| export.name().to_string()).collect();
        for name in names.iter().filter(|name| name.starts_with("hallows:")) {
            let theirs = from.instance.get_export(&mut from.store, name).expect("it exists");
            let ours = self.instance.get_export(&mut self.store, name).expect("the same module");
            match (ours, theirs) {
                (wasmtime::Extern::Memory(ours), wasmtime::Extern::Memory(theirs)) => {
                    let more = theirs.size(&from.store) - ours.size(&self.store);
                    ours.grow(&mut self.store, more).expect("within the limits");
                    ours.data_mut(&mut self.store).copy_from_slice(theirs.data(&from.store));
                }
                (wasmtime::Extern::Global(ours), wasmtime::Extern::Global(theirs)) => {
                    let value = theirs.get(&mut from.store);
                    ours.set(&mut self.store, value).expect("the same type");
                }
                (wasmtime::Extern::Table(ours), wasmtime::Extern::Table(theirs)) => {
                    let more = theirs.size(&from.store) - ours.size(&self.store);
                    ours.grow(&mut self.store, more, Ref::Func(None)).expect("within the limits");
                    for at in 0..theirs.size(&from.store) {
                        let entry = theirs.get(&mut from.store, at).expect("in bounds");
                        let entry = self.same_function(from, &entry);
                        ours.set(&mut self.store, at, entry).expect("the same type");
                    }
                }
                _ => unreachable!("the same module has the same kinds"),
            }
        }
    }

    /// The function of this instance that stands where `entry` does in the other: its exports are compared.
    fn same_function(&mut self, from: &mut Running, entry: &Ref) -> Ref {
        let Ref::Func(Some(function)) = entry else { return Ref::Func(None) };
        let wanted = identity(function, &mut from.store);
        let names: Vec<String> =
            from.instance.exports(&mut from.store).map(|export| export.name().to_string()).collect();
        let name = names.iter().find(|name| {
            let candidate = from.instance.get_func(&mut from.store, name);
            candidate.is_some_and(|candidate| identity(&candidate, &mut from.store) == wanted)
        });
        Ref::Func(name.and_then(|name| self.instance.get_func(&mut self.store, name)))
    }
}

/// Where a function is, for telling it from another of its store.
fn identity(function: &Func, store: &mut Store<Host>) -> *mut std::ffi::c_void {
    function.to_raw(store)
}

fn number(value: &Val) -> u64 {
    match value {
        Val::I32(value) => u64::from(value.cast_unsigned()),
        Val::I64(value) => value.cast_unsigned(),
        Val::F32(bits) => u64::from(*bits),
        Val::F64(bits) => *bits,
        _ => 0,
    }
}

fn outcome_of(error: &wasmtime::Error) -> Outcome {
    match error.downcast_ref::<Trap>() {
        Some(trap) => Outcome::Trapped(*trap),
        None => Outcome::Failed(error.root_cause().to_string()),
    }
}

/// A small generator (xorshift64*, Vigna 2016) so that every run tests the same.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.next() >> 32) as u8).collect()
    }
}
