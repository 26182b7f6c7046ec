//! Starting and keeping: programs, ten thousand cells, the machine itself, an idle machine.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hallows_bench::cores::{Priority, on_core, on_cores, settle};
use hallows_bench::registry::{Place, ours};
use hallows_bench::{BenchError, Samples, clock, context_switches, first_byte};
use hallows_kernel::{Configuration, Service};
use hallows_linux::platform::TrapStack;
use hallows_sdk::native::{NativeAnswer, NativeInbox, NativeProgram, NativeReactor, NativeStyle};

use super::SET_UP;
use super::machine::{Bench, Checks, Programs, wrong};

/// When the last program called for the first time, in ticks.
static FIRST_CALL: AtomicU64 = AtomicU64::new(0);

/// A passive server of the bench that notes the time of its call.
static STOPWATCH: NativeProgram = NativeProgram {
    name: "bench-stopwatch",
    style: NativeStyle::Reactor(NativeReactor {
        state_bytes: 0,
        init: || std::ptr::dangling_mut(),
        inbox: no_inbox,
        handle: note_time,
        release: |_| {},
    }),
};

fn no_inbox(_: *mut ()) -> NativeInbox {
    NativeInbox {
        buffer: std::ptr::dangling_mut(),
        buffer_length: 0,
        handles: std::ptr::dangling_mut(),
        handles_length: 0,
    }
}

fn note_time(_: *mut (), _: u32, _: u64, _: u64, _: u32, _: u32) -> NativeAnswer {
    FIRST_CALL.store(clock::end(), Ordering::Relaxed);
    NativeAnswer::Now { bytes: std::ptr::dangling(), length: 0, transfers: 0 }
}

/// Starts one after another before the stock is looked at: a quarter of what it may be.
const BURST: usize = 64;

/// Memory of a started program: one page, and its objects.
const MEMORY: u64 = 128 << 10;

/// Starts and ends programs on the first core, cleans slots on the second, until the turn is over.
fn lives(
    programs: &Arc<Programs>,
    turn: &hallows_bench::Turn<'_>,
    mut life: impl FnMut(&Bench, &dyn Fn() -> Result<u64, BenchError>) -> Result<Samples, BenchError> + Send,
) -> Result<Samples, BenchError> {
    let bench = Bench::new(programs, turn, Checks::With, Configuration::default())?;
    let watch = bench.native(&STOPWATCH, 0)?;
    let watched = bench.endpoint(&watch, Service::Passive { handler_budget_ns: 0 })?;
    bench.start(&watch, &[], &[])?;
    let stop = AtomicBool::new(false);
    let second = turn.cores.second().unwrap_or(turn.cores.first());
    // From asking to the first call, and then the program's end.
    let one = || -> Result<u64, BenchError> {
        let begin = clock::begin();
        let cell = bench.cell("first-call", false, 0, MEMORY)?;
        bench.start(&cell, &[], &[("watch", &watched)])?;
        bench.settle();
        bench.kernel.boot_destroy(&bench.right, &cell.rooted);
        Ok(FIRST_CALL.load(Ordering::Relaxed).saturating_sub(begin))
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _ = settle(second, Priority::Ordinary);
            // The machine's cleaner: it sleeps until it is wanted.
            while !stop.load(Ordering::SeqCst) && hallows_linux::platform::wait_for_cleaning() {
                while hallows_engine::clean() && !stop.load(Ordering::SeqCst) {
                    std::hint::spin_loop();
                }
            }
        });
        let measured = {
            let Ok(_stack) = TrapStack::install() else { return Err(wrong("no memory for a trap stack")) };
            settle(turn.cores.first(), Priority::Ordinary)?;
            bench.settle();
            life(&bench, &one)
        };
        stop.store(true, Ordering::SeqCst);
        hallows_linux::platform::stop_cleaning();
        measured
    })
}

/// From asking for a program to its first call.
pub fn spawn(programs: &Arc<Programs>) -> Place<'static> {
    let programs = programs.clone();
    ours(SET_UP, 2, move |turn| {
        lives(&programs, turn, |_, one| {
            let mut ticks = turn.sample_buffer();
            for _ in 0..1_000 {
                one()?;
            }
            let until = clock::glance() + turn.clock.ticks(turn.budget);
            while ticks.len() < turn.sample_limit && clock::glance() < until {
                // From stock is what is measured here: a burst, and then the cleaner has its time.
                while hallows_engine::counters().instances < BURST && clock::glance() < until {
                    std::hint::spin_loop();
                }
                for _ in 0..BURST {
                    ticks.push(one()?);
                }
            }
            Ok(turn.single(ticks))
        })
    })
}

/// Whole lives, one after another.
pub fn spawn_sustained(programs: &Arc<Programs>) -> Place<'static> {
    let programs = programs.clone();
    ours(SET_UP, 2, move |turn| lives(&programs, turn, |_, one| turn.measure(|| one().map(|_| ()))))
}

/// How many cells are alive at once.
const CELLS: u32 = 10_000;

/// Ten thousand servers that wait.
pub fn cells(programs: &Arc<Programs>) -> Place<'static> {
    let programs = programs.clone();
    let set_up = "10,000 active WebAssembly servers, started and waiting; the touched pages of their own memories are counted too";
    ours(set_up, 1, move |turn| {
        let configuration = Configuration {
            cells: CELLS + 100,
            objects: CELLS + 100,
            // A space each, and as many again for the root, for what is held, and for rounding.
            slots: (CELLS + 100) * 64 * 4,
            memory_bytes: 16 << 30,
            ..Configuration::default()
        };
        on_core(turn.cores.first(), Priority::Ordinary, || {
            let Ok(_stack) = TrapStack::install() else { return Err(wrong("no memory for a trap stack")) };
            let before = resident_bytes()?;
            let bench = Bench::new(&programs, turn, Checks::With, configuration)?;
            let mut alive = Vec::new();
            for _ in 0..CELLS {
                let cell = bench.cell("bench-server", false, 0, 1 << 20)?;
                bench.endpoint(&cell, Service::Active { limit: 16 })?;
                bench.start(&cell, &[], &[])?;
                bench.settle();
                alive.push(cell);
            }
            if !alive.iter().all(|cell| bench.kernel.is_live(cell.id)) {
                return Err(wrong("some of the cells have ended"));
            }
            let bytes = resident_bytes()?.saturating_sub(before) / u64::from(CELLS);
            for cell in alive {
                bench.kernel.boot_destroy(&bench.right, &cell.rooted);
                bench.settle();
            }
            while hallows_engine::clean() {}
            Ok(Samples::in_units(vec![bytes]))
        })?
    })
}

fn resident_bytes() -> Result<u64, BenchError> {
    let text = std::fs::read_to_string("/proc/self/statm").map_err(wrong)?;
    let pages: u64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    Ok(pages * hallows_engine::PAGE_BYTES as u64)
}

/// Logs a word and ends.
const HELLO: &str = r#"(module
    (import "hallows" "call" (func $call (param i32 i64 i64 i64 i64 i64) (result i64)))
    (memory (export "memory") 1 1)
    (data (i32.const 0) "\1a\00\00\00")
    (data (i32.const 32) "hello")
    (func (export "hallows_main")
        (drop (call $call (i32.const 1) (i64.const 0x2500000000) (i64.const 0) (i64.const 0) (i64.const 0)
            (i64.const 0x7fffffffffffffff)))))"#;

/// This executable.
pub(super) fn own_command() -> Result<Command, BenchError> {
    Ok(Command::new(std::env::current_exe().map_err(wrong)?))
}

/// The whole command, from starting the process to the first program's first word.
pub fn boot() -> Place<'static> {
    ours("`hallows run --quiet hello.wat`, at the best tier", 2, move |turn| {
        let mut file = tempfile::Builder::new().suffix(".wasm").tempfile().map_err(wrong)?;
        file.write_all(HELLO.as_bytes()).map_err(wrong)?;
        on_cores(turn.cores, || {
            let command = || -> Result<Command, BenchError> {
                let mut command = own_command()?;
                command.args(["run", "--quiet"]).arg(file.path()).stdin(Stdio::null());
                Ok(command)
            };
            first_byte::ticks_to_first_byte(&mut command()?)?;
            let mut ticks = Vec::new();
            let until = clock::glance() + turn.clock.ticks(turn.budget);
            while ticks.len() < turn.sample_limit && clock::glance() < until {
                ticks.push(first_byte::ticks_to_first_byte(&mut command()?)?);
            }
            Ok(turn.single(ticks))
        })?
    })
}

/// A machine whose cells wait for messages that never come.
const IDLE: &str = "[cells.calculator]\nprogram = \"calculator\"\nserves = { calc = \"active\" }\n";

/// An idle machine's wake-ups.
pub fn idle() -> Place<'static> {
    ours("`hallows run` with a server that nobody calls, and its supervisor", 2, move |turn| {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile().map_err(wrong)?;
        file.write_all(IDLE.as_bytes()).map_err(wrong)?;
        let child = own_command()?
            .args(["run", "--quiet"])
            .arg(file.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(wrong)?;
        let child = Ended(child);
        let machine = machine_of(child.0.id())?;
        // Boot and claim are over, and the timekeeper has found that nothing runs.
        std::thread::sleep(std::time::Duration::from_secs(2));
        let switches = context_switches::during(machine, turn.budget)?;
        Ok(Samples::in_units(vec![switches.voluntary + switches.involuntary]))
    })
}

/// A machine's parent process, which is asked to end, and waited for, when this is dropped.
pub(super) struct Ended(pub Child);

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.0.wait();
    }
}

/// The machine process that a parent process has started.
pub(super) fn machine_of(parent: u32) -> Result<u32, BenchError> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let begin = std::time::Instant::now();
    loop {
        let text = std::fs::read_to_string(&path).map_err(wrong)?;
        if let Some(child) = text.split_whitespace().next() {
            return child.parse().map_err(wrong);
        }
        if begin.elapsed().as_secs() > 5 {
            return Err(wrong("the machine process did not start within 5 s"));
        }
        std::thread::yield_now();
    }
}
