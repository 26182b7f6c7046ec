//! What the engine's tests share: programs compiled from text, a machine that steps through them, and what it logged.

#![allow(dead_code, reason = "each test file uses a part")]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use hallows_abi::{Handle, Rights};
use hallows_engine::artifact::{program_hash, seal};
use hallows_engine::{EngineConfiguration, LoadError, Program, SealKey, WasmEngine, machine_settings};
use hallows_kernel::{
    BootCapability, CellId, CellSpecification, CellState, Configuration, CoreId, Kernel, Machine, Nanos,
    Rooted, Service,
};
use hallows_linux::platform::{self, TrapStack};

pub mod wasi;

/// The key of these tests' artefacts.
fn key() -> SealKey {
    SealKey::from_bytes([42; 32])
}

/// What every test program begins with: the calls, one page of memory, and `check`, which traps if its argument is 0.
pub const BEGIN: &str = r#"
    (import "hallows" "send" (func $send (param i32 i64 i64 i32) (result i64)))
    (import "hallows" "answer" (func $answer (param i64 i64 i64) (result i64)))
    (import "hallows" "wait" (func $wait (param i32 i64 i64 i64) (result i64)))
    (import "hallows" "call" (func $call (param i32 i64 i64 i64 i64 i64) (result i64)))
    (import "hallows" "answer_wait" (func $answer_wait (param i64 i64 i64 i32 i64 i64 i64) (result i64)))
    (func $span (param i32 i32) (result i64)
        (i64.or (i64.extend_i32_u (local.get 0)) (i64.shl (i64.extend_i32_u (local.get 1)) (i64.const 32))))
    (func $check (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))
    ;; Calls with so many bytes from 0, the answer at 4096.
    (func $echo (param $endpoint i32) (param $length i32) (result i64)
        (call $call (local.get $endpoint) (call $span (i32.const 0) (local.get $length)) (i64.const 0)
            (call $span (i32.const 4096) (i32.const 4096)) (i64.const 0) (i64.const 0x7fffffffffffffff)))
"#;

/// A module of one page with the calls, and this in it.
pub fn module(body: &str) -> String {
    format!("(module {BEGIN} (memory (export \"memory\") 1 64) {body})")
}

/// A main program that runs this.
pub fn main_program(body: &str) -> String {
    module(&format!("(func (export \"hallows_main\") {body})"))
}

/// A reactor whose inbox is at 16384 and that answers every message with what this leaves, given the handler's parameters
/// `$kind $badge $token $length $handles`.
pub fn reactor(body: &str) -> String {
    module(&format!(
        r#"(data (i32.const 64) "\00\40\00\00\00\20\00\00\00\60\00\00\08\00\00\00")
        (func (export "hallows_inbox") (result i32) (i32.const 64))
        (func (export "hallows_handle") (param $kind i32) (param $badge i64) (param $token i64)
            (param $length i32) (param $handles i32) (result i64) {body})"#
    ))
}

/// A reactor's answer: what came in.
pub const ECHO: &str = "(call $span (i32.const 16384) (local.get $length))";

/// The compiler's executable, as `make` leaves it.
fn compiler() -> PathBuf {
    let path = match std::env::var_os("HALLOWS_COMPILER") {
        Some(path) => path.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/artifacts/hallows-compiler"),
    };
    assert!(
        path.is_file(),
        "the compiler {} is not there: `make` builds it; or set HALLOWS_COMPILER to where it is",
        path.display()
    );
    path
}

/// Compiles a program from text, sealed for the machines of these tests.
pub fn compile(source: &str) -> Vec<u8> {
    let settings = machine_settings().unwrap();
    let mut process = Command::new(compiler())
        .args(["--settings", &settings.to_canonical()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    input.write_all(source.as_bytes()).unwrap();
    drop(input);
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{source}", String::from_utf8_lossy(&output.stderr));
    let mut artifact = output.stdout;
    seal(&mut artifact, &key()).unwrap();
    artifact
}

/// A machine without time of its own that keeps what is logged.
pub struct TestMachine {
    start: Instant,
    log: Mutex<String>,
    parked: Mutex<bool>,
    wake: Condvar,
}

impl Machine for TestMachine {
    fn now(&self) -> Nanos {
        Nanos(self.start.elapsed().as_nanos() as u64)
    }

    fn park(&self, _: CoreId, _: Nanos) -> bool {
        let mut awake = self.parked.lock().unwrap();
        while !*awake {
            awake = self.wake.wait(awake).unwrap();
        }
        *awake = false;
        false
    }

    fn unpark(&self, _: CoreId) {
        *self.parked.lock().unwrap() = true;
        self.wake.notify_all();
    }

    fn alarm(&self, _: Nanos) {}

    fn random(&self) -> [u8; 16] {
        [7; 16]
    }

    fn log(&self, line: &[u8]) {
        let mut log = self.log.lock().unwrap();
        log.push_str(std::str::from_utf8(line).unwrap());
        log.push('\n');
    }
}

/// The kernel of these tests.
pub type TestKernel = Kernel<WasmEngine<TestMachine>>;

/// A machine with programs.
pub struct World {
    pub kernel: Arc<TestKernel>,
    pub right: BootCapability,
}

/// A cell of a world.
#[derive(Clone, Copy)]
pub struct Cell {
    pub id: CellId,
    pub capability: Rooted,
}

impl World {
    /// A machine with so many cores.
    pub fn new(cores: u32) -> Self {
        Self::with(Configuration { cores, ..Configuration::default() })
    }

    /// A machine on which every check preempts and every wake-up migrates.
    pub fn chaotic(cores: u32) -> Self {
        Self::with(Configuration { cores, chaos: true, ..Configuration::default() })
    }

    pub fn with(configuration: Configuration) -> Self {
        platform::install();
        let engine = WasmEngine::new(EngineConfiguration {
            cells: configuration.cells,
            cores: configuration.cores,
            chaos: configuration.chaos,
            settings: machine_settings().unwrap(),
            seal_key: key(),
        });
        let machine = TestMachine {
            start: Instant::now(),
            log: Mutex::default(),
            parked: Mutex::default(),
            wake: Condvar::new(),
        };
        let (kernel, right) = Kernel::new(engine.unwrap(), machine, configuration);
        Self { kernel: Arc::new(kernel), right }
    }

    /// Compiles and loads a program.
    pub fn load(&self, source: &str) -> Result<Arc<Program<TestMachine>>, LoadError> {
        self.kernel.engine.load(&compile(source), program_hash(source.as_bytes()))
    }

    /// Makes a program known to the kernel.
    pub fn program(&self, source: &str) -> Rooted {
        self.known(self.load(source).unwrap())
    }

    /// Makes a loaded program known to the kernel.
    pub fn known(&self, program: Arc<Program<TestMachine>>) -> Rooted {
        self.kernel.boot_program(&self.right, program).unwrap()
    }

    /// A cell with 8 MiB.
    pub fn cell(&self, name: &str, program: &Rooted, passive: bool) -> Cell {
        self.cell_with(name, program, passive, 8 << 20)
    }

    pub fn cell_with(&self, name: &str, program: &Rooted, passive: bool, memory_bytes: u64) -> Cell {
        let specification = CellSpecification {
            name,
            memory_bytes,
            slots: 0,
            class: Default::default(),
            priority: 3,
            passive,
            pinned: None,
            pool: 0,
            time: None,
        };
        let (id, capability) = self.kernel.boot_cell(&self.right, program, None, &specification).unwrap();
        Cell { id, capability }
    }

    /// An endpoint of a server.
    pub fn endpoint(&self, server: Cell, passive: bool) -> Rooted {
        let service =
            if passive { Service::Passive { handler_budget_ns: 0 } } else { Service::Active { limit: 16 } };
        self.kernel.boot_endpoint(&self.right, server.id, service).unwrap()
    }

    pub fn grant(&self, cell: Cell, what: &Rooted) -> Handle {
        self.kernel.boot_grant(&self.right, cell.id, what, Rights::ALL, 0).unwrap()
    }

    pub fn start(&self, cell: Cell) {
        self.kernel.boot_start(&self.right, cell.id, b"").unwrap();
    }

    /// A running passive server; its endpoint.
    pub fn passive(&self, source: &str) -> (Cell, Rooted) {
        let cell = self.cell("server", &self.program(source), true);
        let endpoint = self.endpoint(cell, true);
        self.start(cell);
        self.run();
        (cell, endpoint)
    }

    /// Runs everything on core 0, on this thread, until nothing is left to do.
    pub fn run(&self) {
        let _stack = TrapStack::install().unwrap();
        while self.kernel.step(CoreId(0)) {}
    }

    /// Runs everything on as many threads as there are cores until these cells are over.
    pub fn run_on_threads(&self, cores: u32, until: &[Cell]) {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for core in 0..cores {
                let stop = &stop;
                scope.spawn(move || {
                    let _stack = TrapStack::install().unwrap();
                    while !stop.load(Ordering::SeqCst) {
                        if !self.kernel.step(CoreId(core)) {
                            std::thread::yield_now();
                        }
                        if until.iter().all(|cell| self.kernel.state(cell.id) == CellState::Dead) {
                            stop.store(true, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
    }

    /// Runs everything on core 0, on this thread, with a timekeeper on another, until it is `over`.
    pub fn run_in_time(&self, mut over: impl FnMut(&Self) -> bool) {
        /// Thousands of times what any test takes.
        const PATIENCE: Duration = Duration::from_secs(60);
        let stop = AtomicBool::new(false);
        /// Ends the timekeeper also if the test panics.
        struct Stop<'a>(&'a AtomicBool);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let begin = Instant::now();
                while !stop.load(Ordering::SeqCst) {
                    self.kernel.tick(self.kernel.machine.now());
                    if begin.elapsed() > PATIENCE {
                        eprintln!("it does not end: {:#?}", self.kernel.picture_cells());
                        std::process::abort();
                    }
                }
            });
            let _stop = Stop(&stop);
            let _stack = TrapStack::install().unwrap();
            while !over(self) {
                if !self.kernel.step(CoreId(0)) {
                    std::thread::yield_now();
                }
            }
        });
    }

    /// Starts a main program with these capabilities (the first is handle 3), runs it to its end; what was logged.
    pub fn outcome(&self, source: &str, grants: &[&Rooted]) -> String {
        let cell = self.cell("main", &self.program(source), false);
        for grant in grants {
            self.grant(cell, grant);
        }
        self.start(cell);
        self.run();
        assert_eq!(self.kernel.state(cell.id), CellState::Dead, "it has not ended");
        self.log()
    }

    /// As [`World::outcome`], for a program that returns if all is well and traps if not.
    pub fn passes(&self, source: &str, grants: &[&Rooted]) {
        assert_eq!(self.outcome(source, grants), "");
    }

    /// What was logged since the last time.
    pub fn log(&self) -> String {
        std::mem::take(&mut *self.kernel.machine.log.lock().unwrap())
    }
}
