//! Wake-ups in the shape of schbench: a messenger and its workers in cells, on one core.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hallows_abi::Error;
use hallows_bench::registry::{Place, ours};
use hallows_bench::wakeups::{PAUSE, WARM_UP};
use hallows_bench::{BenchError, Samples};
use hallows_kernel::{Configuration, CoreId, Service};
use hallows_sdk::native::{NativeProgram, NativeReactor, NativeStyle};
use hallows_sdk::{Answer, Message, Server, Start};

use super::machine::{Bench, Cell, Checks, Programs, Time, wrong};

/// Memory of each cell: what the programs start with, and room.
const MEMORY: u64 = 4 << 20;

/// Without a sample a turn goes on, for so many times its length at most.
const PATIENCE: u32 = 20;

/// What workers have said.
struct Noted {
    /// So many are not counted any more.
    warm_up: usize,
    /// How long it took each time, in ns; no more than it has room for.
    took_ns: Vec<u64>,
}

/// Of the turn that is being measured. A static, since a native program has no other way to its bench.
static NOTED: Mutex<Noted> = Mutex::new(Noted { warm_up: 0, took_ns: Vec::new() });

fn noted() -> MutexGuard<'static, Noted> {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A passive server that workers tell how long it took until they ran.
struct Notes;

impl Server for Notes {
    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self)
    }

    #[inline]
    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        let mut noted = noted();
        match message.bytes.try_into().map(u64::from_le_bytes) {
            Ok(_) if noted.warm_up > 0 => noted.warm_up -= 1,
            Ok(took_ns) if noted.took_ns.len() < noted.took_ns.capacity() => noted.took_ns.push(took_ns),
            _ => {}
        }
        Answer::bytes(&[])
    }
}

static NOTES: NativeProgram =
    NativeProgram { name: "bench-notes", style: NativeStyle::Reactor(NativeReactor::of::<Notes, 8, 8>()) };

/// From when the messenger begins to wake a worker until that runs.
pub fn wakeup(programs: &Arc<Programs>, workers: usize) -> Place<'static> {
    let programs = programs.clone();
    let set_up = format!(
        "{workers} WebAssembly cells and their messenger, which they call and which answers all of them at once, on one core; kernel and engine of this \
         executable; timekeeper on the second core"
    );
    ours(set_up, 2, move |turn| {
        // Without it nobody would end a pause in time.
        turn.cores.second()?;
        let bench = Bench::new(&programs, turn, Checks::With, Configuration::default())?;
        let cells = cells(&bench, workers)?;
        *noted() = Noted { warm_up: WARM_UP * workers, took_ns: turn.sample_buffer() };
        std::thread::scope(|scope| {
            let over = scope.spawn(|| {
                std::thread::sleep(turn.budget);
                // A host that is busy may let the first ones wait for that long.
                for _ in 0..PATIENCE {
                    if noted().took_ns.is_empty() {
                        std::thread::sleep(turn.budget);
                    }
                }
                let took_ns = std::mem::take(&mut noted().took_ns);
                let live = cells.iter().all(|cell| bench.kernel.is_live(cell.id));
                bench.kernel.shut_down();
                if live { Ok(took_ns) } else { Err(bench.failed("a worker or the messenger has ended")) }
            });
            bench.on_core(turn, Time::Kept, || bench.kernel.run_core(CoreId(0)))?;
            over.join().map_err(|_| wrong("who ends the turn panicked"))?.map(Samples::in_units)
        })
    })
}

/// The messenger and its workers, started.
fn cells(bench: &Bench, workers: usize) -> Result<Vec<Cell>, BenchError> {
    let notes = bench.native(&NOTES, 0)?;
    let told = bench.endpoint(&notes, Service::Passive { handler_budget_ns: 0 })?;
    bench.start(&notes, &[], &[])?;
    let messenger = bench.cell("bench-messenger", false, 0, MEMORY)?;
    let asked = bench.endpoint(&messenger, Service::Active { limit: 64 })?;
    bench.start(&messenger, &[], &[])?;
    let mut cells = vec![messenger];
    let pause = format!("pause_us={}", PAUSE.as_micros());
    for _ in 0..workers {
        let worker = bench.cell("bench-woken", false, 0, MEMORY)?;
        bench.start(&worker, &[&pause], &[("messenger", &asked), ("notes", &told)])?;
        cells.push(worker);
    }
    Ok(cells)
}
