//! `ours` in the laboratory: a WebAssembly cell for each request, from a pool; the kernel's scheduler decides which of them runs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use hallows_abi::Error;
use hallows_bench::cores::{Priority, on_core, settle};
use hallows_bench::{BenchError, Description};
use hallows_kernel::{Configuration, CoreId, Machine, Rooted, Service as Serves};
use hallows_lab::{Board, Contender, Finished, LabError, Padded, Run, Service, Times, generate};
use hallows_linux::platform::TrapStack;
use hallows_sdk::native::{NativeProgram, NativeReactor, NativeStyle};
use hallows_sdk::{Answer, Message, Server, Start};

use super::machine::{Bench, Checks, Programs, wrong};

/// So many requests can be worked on at a time; more wait.
const WORKERS: u64 = 256;
/// Memory of each cell of the pool, besides its store.
const MEMORY: u64 = 256 << 10;
/// A record of a store, in a cell: 64 bytes of value, 16 of key, 4 of counters, two pointers on average, and the heap's own; the rest is for lists that are
/// taller than that.
const RECORD: u64 = 128;
/// All cells together have no more than this, or the machine would have no room for anything else: a store in each makes them fewer.
const POOL: u64 = 768 << 20;
/// No request, in a cell's box.
const NONE: usize = usize::MAX;

/// What is known of a run: when requests were done, and which one each cell of the pool has.
struct Running {
    board: Board,
    boxes: Vec<Padded<AtomicUsize>>,
}

/// The run that is being made: one at a time.
static RUNNING: Mutex<Option<Arc<Running>>> = Mutex::new(None);

/// A passive server that notes when a cell of the pool, whose number is the badge, is done.
struct Done(Arc<Running>);

impl Server for Done {
    fn new(_: &Start<'_>) -> Result<Self, Error> {
        let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner).clone();
        running.map(Self).ok_or(Error::BadState)
    }

    #[inline]
    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        // A message without an answer is one of nothing, which is found out.
        let answer = message.bytes.try_into().map_or(0, u64::from_le_bytes);
        if let Some(mine) = usize::try_from(message.badge).ok().and_then(|number| self.0.boxes.get(number)) {
            // Acquire: pairs with the generator's store; the message came behind it in any case.
            self.0.board.done(mine.0.load(Ordering::Acquire), answer);
            mine.0.store(NONE, Ordering::Release);
        }
        Answer::bytes(&[])
    }
}

static DONE: NativeProgram =
    NativeProgram { name: "lab-done", style: NativeStyle::Reactor(NativeReactor::of::<Done, 8, 8>()) };

/// What cells say of the work that they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// Nothing: those that are there take turns.
    Nothing,
    /// How long it takes natively: the shorter goes first, in classes of service.
    Times,
}

/// Our kernel, with a timekeeper on the core that requests come from.
pub struct Ours {
    programs: Arc<Programs>,
    quantum_ns: u64,
    says: Says,
    /// Records that each cell has in a store of its own.
    records: u32,
}

impl Ours {
    /// With the programs of the benches, and this quantum, for requests of this kind.
    pub fn new(programs: Arc<Programs>, quantum_ns: u64, service: &Service, says: Says) -> Self {
        let records = if let Service::KeyValue(mix) = service { mix.records } else { 0 };
        Self { programs, quantum_ns, says, records }
    }

    /// Bytes of each cell.
    fn memory(&self) -> u64 {
        MEMORY + u64::from(self.records) * RECORD
    }

    /// How many cells.
    fn workers(&self) -> u64 {
        (POOL / self.memory()).min(WORKERS)
    }

    /// A machine with the pool, on the cores of a run; the endpoints of its cells.
    fn machine(&self, run: &Run<'_>) -> Result<(Bench, Vec<Rooted>), BenchError> {
        let configuration = Configuration { quantum_ns: self.quantum_ns, ..Configuration::default() };
        let bench = Bench::on(&self.programs, run.worker, run.housekeeping, Checks::With, configuration)?;
        let done = bench.native(&DONE, 0)?;
        let told = bench.endpoint(&done, Serves::Passive { handler_budget_ns: 0 })?;
        bench.start(&done, &[], &[])?;
        let mut endpoints = Vec::new();
        let mut arguments = vec![format!("records={}", self.records)];
        if self.says == Says::Times {
            let Times { step_ps, get_ns, scan_ns } = run.work.times();
            arguments.extend([
                format!("step_ps={step_ps}"),
                format!("get_ns={get_ns}"),
                format!("scan_ns={scan_ns}"),
            ]);
        }
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        for number in 0..self.workers() {
            let worker = bench.cell("lab-worker", false, 0, self.memory())?;
            endpoints.push(bench.endpoint(&worker, Serves::Active { limit: 1 })?);
            bench.start_with(&worker, &arguments, &[("done", &told, number)])?;
        }
        Ok((bench, endpoints))
    }
}

impl Contender for Ours {
    fn describe(&self) -> Description {
        let store = match self.records {
            0 => String::new(),
            records => format!(
                "; cells share no memory, so each has a store of {records} records of its own (the others share one), and its work costs what \
                 WebAssembly with checks costs"
            ),
        };
        let (name, says) = match self.says {
            Says::Nothing => ("ours", ""),
            Says::Times => (
                "ours-declared",
                ", and each cell first says how long its request takes natively, by which shorter classes of service go first",
            ),
        };
        Description {
            name: name.to_owned(),
            configuration: format!(
                "a pool of {} WebAssembly cells on one core, a message for each request{says}; a quantum of {} ns; timekeeper and generator are one \
                 thread{store}",
                self.workers(),
                self.quantum_ns
            ),
            cores_used: 2,
        }
    }

    fn run(&mut self, run: &Run<'_>) -> Result<Finished, LabError> {
        let boxes = (0..self.workers()).map(|_| Padded(AtomicUsize::new(NONE))).collect();
        let running = Arc::new(Running { board: Board::new(run.requests.len()), boxes });
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) = Some(running.clone());
        let (bench, endpoints) = self.machine(run)?;
        let over = AtomicBool::new(false);
        let (ready, is_ready) = mpsc::channel();
        let finished = std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                settle(run.worker, Priority::Ordinary)?;
                let Ok(_stack) = TrapStack::install() else {
                    return Err(wrong("no memory for a trap stack"));
                };
                bench.kernel.machine.adopt(CoreId(0));
                bench.settle();
                let _ = ready.send(());
                while !over.load(Ordering::Relaxed) {
                    if !bench.kernel.step(CoreId(0)) {
                        std::hint::spin_loop();
                    }
                }
                Ok(())
            });
            let finished = match is_ready.recv() {
                Ok(()) => {
                    on_core(run.housekeeping, Priority::Ordinary, || offer(run, &bench, &endpoints, &running))
                }
                // It says itself why.
                Err(_) => Ok(Err(wrong("the core that works did not begin"))),
            };
            over.store(true, Ordering::Relaxed);
            worker.join().map_err(|_| wrong("the core that works panicked"))?.and(finished?)
        })?;
        Ok(finished)
    }
}

/// Hands requests over as they come, and looks after time meanwhile.
fn offer(
    run: &Run<'_>,
    bench: &Bench,
    endpoints: &[Rooted],
    running: &Running,
) -> Result<Finished, BenchError> {
    let mut refused = None;
    let submit = |number: usize| {
        // Acquire: the cell has told that it is done.
        let free = running.boxes.iter().position(|one| one.0.load(Ordering::Acquire) == NONE);
        let (Some(free), Some(request)) = (free, run.requests.get(number)) else { return false };
        let operation = run.work.operation(request).to_bytes();
        running.boxes[free].0.store(number, Ordering::Release);
        if let Err(error) = bench.kernel.boot_send(&bench.right, &endpoints[free], 0, &operation) {
            refused = Some(error);
        }
        true
    };
    let tick = || {
        bench.kernel.tick(bench.kernel.machine.now());
    };
    let finished = generate(run, &running.board, submit, tick);
    match refused {
        None => Ok(finished),
        Some(error) => Err(bench.failed(&format!("a request was refused: {error}"))),
    }
}
