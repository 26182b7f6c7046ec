//! A kernel for a bench: made on demand, driven by the thread that measures.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hallows_abi::{Handle, Rights};
use hallows_artifact::{Preemption, SealKey};
use hallows_bench::{BenchError, Turn};
use hallows_kernel::{BootCapability, CellId, CellSpecification, Configuration, CoreId, Rooted, Service};
use hallows_linux::host::core_set::{CoreId as HostCore, CoreSet};
use hallows_linux::host::cores::{CoreChoice, TimekeeperPlace};
use hallows_linux::host::timer::clock::Calibration;
use hallows_linux::machine::{Kernel, TimekeeperMeter, make_kernel_with};
use hallows_linux::platform::TrapStack;
use hallows_sdk::native::{NativeProgram, NativeStyle};
use hallows_sdk::start_info;

use crate::compile::Compiler;
use crate::embedded;
use crate::failure::Failure;

/// Whether programs are compiled with checks of their preemption word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// As always.
    With,
    /// For the share that checks have: such programs cannot be preempted.
    Without,
}

/// Whether somebody looks after time while programs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// A timekeeper, as in every machine.
    Kept,
    /// Nobody: what runs is stopped by nobody, and no time ever comes.
    NotKept,
}

/// The compiled programs of the benches.
pub struct Programs {
    seal_key: [u8; 32],
    /// By name and checks.
    artifacts: BTreeMap<(&'static str, bool), Artifact>,
}

/// A compiled program.
struct Artifact {
    bytes: Vec<u8>,
    program: [u8; 32],
}

/// Calls a passive server and ends: what `spawn` starts.
const FIRST_CALL: &str = r#"(module
    (import "hallows" "call" (func $call (param i32 i64 i64 i64 i64 i64) (result i64)))
    (memory (export "memory") 1 1)
    (func (export "hallows_main")
        (drop (call $call (i32.const 3) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)
            (i64.const 0x7fffffffffffffff)))))"#;

impl Programs {
    /// Compiles them.
    pub fn new(compiler: &Compiler) -> Result<Arc<Self>, Failure> {
        let mut artifacts = BTreeMap::new();
        let mut add = |name, wasm, checks| {
            let mut bytes = Vec::new();
            let compiled = if checks {
                compiler.compile(name, wasm, &mut bytes)
            } else {
                compiler.compile_without_checks(name, wasm, &mut bytes)
            }?;
            artifacts.insert((name, checks), Artifact { bytes, program: compiled.program });
            Ok::<(), Failure>(())
        };
        for name in [
            "bench-client",
            "bench-messenger",
            "bench-ring",
            "bench-server",
            "bench-stubs",
            "bench-threads",
            "bench-woken",
            "lab-worker",
            "spinner",
            "compute",
        ] {
            let wasm = embedded::program(name).ok_or_else(|| Failure::usage(format!("no program {name}")))?;
            add(name, wasm, true)?;
        }
        add("first-call", FIRST_CALL.as_bytes(), true)?;
        add("compute", embedded::program("compute").unwrap_or_default(), false)?;
        Ok(Arc::new(Self { seal_key: compiler.seal_key(), artifacts }))
    }
}

/// A bench's error in words.
pub fn wrong(what: impl std::fmt::Display) -> BenchError {
    BenchError::Wrong(what.to_string())
}

/// A kernel, not driven by any thread of its own.
pub struct Bench {
    pub kernel: Arc<Kernel>,
    pub right: BootCapability,
    programs: Arc<Programs>,
    checks: Checks,
    /// Cores that programs run on.
    cores: u32,
    loaded: Mutex<BTreeMap<&'static str, Rooted>>,
}

/// A cell of a bench.
pub struct Cell {
    pub id: CellId,
    pub rooted: Rooted,
}

impl Bench {
    /// For the cores of a turn: programs on core 0 (and 1) of the kernel are those of the turn.
    pub fn new(
        programs: &Arc<Programs>,
        turn: &Turn<'_>,
        checks: Checks,
        configuration: Configuration,
    ) -> Result<Self, BenchError> {
        let first = turn.cores.first();
        Self::on(programs, first, turn.cores.second().unwrap_or(first), checks, configuration)
    }

    /// With core 0 of the kernel on the first of these, the timekeeper and core 1, if it has one, on the second.
    pub fn on(
        programs: &Arc<Programs>,
        first: hallows_bench::Core,
        second: hallows_bench::Core,
        checks: Checks,
        configuration: Configuration,
    ) -> Result<Self, BenchError> {
        let host = |core: hallows_bench::Core| u16::try_from(core.0).map(HostCore).map_err(wrong);
        let mut taken = CoreSet::from(host(first)?);
        if configuration.cores > 1 {
            taken.insert(host(second)?);
        }
        let choice = CoreChoice {
            programs: taken,
            housekeeping: CoreSet::from(host(second)?),
            timekeeper: TimekeeperPlace::OwnCore,
            linux: CoreSet::new(),
        };
        let cores = configuration.cores;
        let (clock, key) = (Calibration::begin().finish(), SealKey::from_bytes(programs.seal_key));
        let preemption = if checks == Checks::With { Preemption::Word } else { Preemption::None };
        let (kernel, right) =
            make_kernel_with(&choice, configuration, clock, key, preemption).map_err(wrong)?;
        Ok(Self { kernel, right, programs: programs.clone(), checks, cores, loaded: Mutex::default() })
    }

    /// What went wrong, with what the machine has logged.
    pub fn failed(&self, failure: &str) -> BenchError {
        wrong(format!("{failure}; the machine said: {}", self.kernel.machine.console().take().trim_end()))
    }

    fn loaded(&self) -> MutexGuard<'_, BTreeMap<&'static str, Rooted>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn program(&self, name: &'static str) -> Result<Rooted, BenchError> {
        if let Some(rooted) = self.loaded().get(name) {
            return Ok(*rooted);
        }
        let Artifact { bytes, program } = self
            .programs
            .artifacts
            .get(&(name, self.checks == Checks::With))
            .ok_or_else(|| wrong(format!("{name} was not compiled")))?;
        let program = self.kernel.engine.load(bytes, (*program).into()).map_err(wrong)?;
        self.root(name, program)
    }

    fn root(
        &self,
        name: &'static str,
        program: Arc<hallows_engine::Program<hallows_linux::machine::LinuxMachine>>,
    ) -> Result<Rooted, BenchError> {
        let rooted = self.kernel.boot_program(&self.right, program).map_err(wrong)?;
        self.loaded().insert(name, rooted);
        Ok(rooted)
    }

    /// Makes a cell of a program.
    pub fn cell(
        &self,
        name: &'static str,
        passive: bool,
        core: u32,
        memory: u64,
    ) -> Result<Cell, BenchError> {
        let program = self.program(name)?;
        self.cell_of(&program, name, passive, (Some(core), 0), memory)
    }

    /// Makes a cell of a program that runs on the cores of a pool.
    pub fn cell_in(&self, name: &'static str, pool: u32, memory: u64) -> Result<Cell, BenchError> {
        let program = self.program(name)?;
        self.cell_of(&program, name, false, (None, pool), memory)
    }

    /// Makes a cell that runs native code of the bench.
    pub fn native(&self, program: &'static NativeProgram, core: u32) -> Result<Cell, BenchError> {
        let passive = matches!(program.style, NativeStyle::Reactor(_));
        self.cell_of(&self.native_program(program)?, program.name, passive, (Some(core), 0), 1 << 20)
    }

    /// The same, active, on the cores of a pool.
    pub fn native_in(&self, program: &'static NativeProgram, pool: u32) -> Result<Cell, BenchError> {
        self.cell_of(&self.native_program(program)?, program.name, false, (None, pool), 1 << 20)
    }

    fn native_program(&self, program: &'static NativeProgram) -> Result<Rooted, BenchError> {
        let known = self.loaded().get(program.name).copied();
        known.map_or_else(|| self.root(program.name, hallows_engine::Program::native(program)), Ok)
    }

    fn cell_of(
        &self,
        program: &Rooted,
        name: &str,
        passive: bool,
        (core, pool): (Option<u32>, u32),
        memory: u64,
    ) -> Result<Cell, BenchError> {
        let specification = CellSpecification {
            name,
            memory_bytes: memory,
            slots: 0,
            class: Default::default(),
            priority: 3,
            passive,
            pinned: core.map(CoreId),
            pool,
            time: None,
        };
        let (id, rooted) =
            self.kernel.boot_cell(&self.right, program, None, &specification).map_err(wrong)?;
        Ok(Cell { id, rooted })
    }

    /// An endpoint that a cell serves.
    pub fn endpoint(&self, server: &Cell, service: Service) -> Result<Rooted, BenchError> {
        self.kernel.boot_endpoint(&self.right, server.id, service).map_err(wrong)
    }

    /// Grants what a cell uses, and starts it.
    pub fn start(
        &self,
        cell: &Cell,
        arguments: &[&str],
        grants: &[(&str, &Rooted)],
    ) -> Result<(), BenchError> {
        let grants: Vec<_> = grants.iter().map(|(name, what)| (*name, *what, 0)).collect();
        self.start_with(cell, arguments, &grants)
    }

    /// [`Self::start`] with a badge for each grant.
    pub fn start_with(
        &self,
        cell: &Cell,
        arguments: &[&str],
        grants: &[(&str, &Rooted, u64)],
    ) -> Result<(), BenchError> {
        let mut given: Vec<(&str, Handle)> = Vec::new();
        for (name, what, badge) in grants {
            let handle =
                self.kernel.boot_grant(&self.right, cell.id, what, Rights::ALL, *badge).map_err(wrong)?;
            given.push((name, handle));
        }
        let mut info = [0; 512];
        let length = start_info::emit(arguments, &given, &mut info).map_err(wrong)?;
        self.kernel.boot_start(&self.right, cell.id, &info[..length]).map_err(wrong)?;
        Ok(())
    }

    /// Drives core 0 until there is nothing to do.
    pub fn settle(&self) {
        while self.kernel.step(CoreId(0)) {}
    }

    /// Runs what was started until it waits: who calls a passive server before it is ready gets `NotReady`.
    pub fn get_ready(&self, turn: &Turn<'_>) -> Result<(), BenchError> {
        hallows_bench::cores::on_core(turn.cores.first(), hallows_bench::cores::Priority::Ordinary, || {
            let Ok(_stack) = TrapStack::install() else { return Err(wrong("no memory for a trap stack")) };
            self.settle();
            Ok(())
        })?
    }

    /// Runs `job` as a native main program on core 0 until it is done.
    pub fn drive(
        &self,
        turn: &Turn<'_>,
        grants: &[(&str, &Rooted)],
        job: impl FnOnce() + Send + 'static,
    ) -> Result<(), BenchError> {
        self.drive_with(turn, Time::Kept, grants, job)
    }

    /// The same, and says whether there is a timekeeper.
    pub fn drive_with(
        &self,
        turn: &Turn<'_>,
        time: Time,
        grants: &[(&str, &Rooted)],
        job: impl FnOnce() + Send + 'static,
    ) -> Result<(), BenchError> {
        *JOB.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(job));
        let driver = self.native(&DRIVER, 0)?;
        self.start(&driver, &[], grants)?;
        let result = self.on_core(turn, time, || {
            while self.kernel.is_live(driver.id) {
                self.kernel.step(CoreId(0));
            }
        });
        self.kernel.boot_destroy(&self.right, &driver.rooted);
        result
    }

    /// Has `work`, which drives core 0 of the kernel, run on the turn's first core, and the timekeeper, if there is to be one, on the second, which it has
    /// to itself unless programs run there, too.
    pub fn on_core(&self, turn: &Turn<'_>, time: Time, work: impl FnOnce() + Send) -> Result<(), BenchError> {
        let place = if turn.cores.second().is_ok() && self.cores == 1 {
            TimekeeperPlace::OwnCore
        } else {
            TimekeeperPlace::WithPrograms
        };
        let meter = TimekeeperMeter::default();
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let timekeeper = (time == Time::Kept).then(|| {
                scope.spawn(|| {
                    hallows_bench::cores::settle(
                        turn.cores.second().unwrap_or(turn.cores.first()),
                        hallows_bench::cores::Priority::Ordinary,
                    )?;
                    hallows_linux::machine::keep_time_until(&self.kernel, place, &meter, &stop);
                    Ok(())
                })
            });
            let worked = hallows_bench::cores::on_core(
                turn.cores.first(),
                hallows_bench::cores::Priority::Ordinary,
                || {
                    let Ok(_stack) = TrapStack::install() else {
                        return Err(wrong("no memory for a trap stack"));
                    };
                    self.kernel.machine.adopt(CoreId(0));
                    work();
                    Ok(())
                },
            );
            stop.store(true, std::sync::atomic::Ordering::SeqCst);
            hallows_kernel::Machine::alarm(&self.kernel.machine, hallows_kernel::Nanos(0));
            let kept = timekeeper.map_or(Ok(Ok(())), std::thread::ScopedJoinHandle::join);
            kept.map_err(|_| wrong("the timekeeper panicked"))?.and(worked?)
        })
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// What the driver runs next.
static JOB: Mutex<Option<Job>> = Mutex::new(None);

fn drive() {
    let job = JOB.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(job) = job {
        job();
    }
}

/// A native program that runs a job of the bench.
static DRIVER: NativeProgram = NativeProgram { name: "bench-driver", style: NativeStyle::Main(drive) };
