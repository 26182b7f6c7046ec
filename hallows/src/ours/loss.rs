//! What preemption costs cells that compute: two that share a core, and one that nobody wants to have its core from.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;

use hallows_abi::{EventKind, Handle};
use hallows_bench::kernels::{Kernel, Workload};
use hallows_bench::registry::{Beside, Place};
use hallows_bench::{BenchError, Contestant, Description, Samples, Turn, clock};
use hallows_kernel::{Configuration, Rooted, Service};
use hallows_protocols::compute::{Request, Response};
use hallows_sdk::{Deadline, Endpoint, Form, contents, wait};

use super::SET_UP;
use super::machine::{Bench, Checks, Programs, Time, wrong};

/// Memory of a cell: its input, and room.
const MEMORY: u64 = 16 << 20;
/// One client, which asks each cell once at a time.
const QUEUE: Service = Service::Active { limit: 4 };

/// Turns of 5 µs that last for more than a hundred times as long on average are none: nobody was preempted, and nothing is measured.
const LONGEST_TURN_NS: f64 = 500_000.0;

/// Who runs when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Both cells at a time.
    Together,
    /// One until it is done, then the other.
    InTurn,
    /// Only one.
    Alone(Time),
}

/// A machine with two cells that compute.
struct Pair {
    bench: Bench,
    cells: [Rooted; 2],
    right: u64,
}

/// The same for all contestants that are compared: they differ in nothing but who runs when.
type Shared = Rc<RefCell<Option<Pair>>>;

/// Both cells at a time, and one after the other.
pub fn together(programs: &Arc<Programs>, kernel: Kernel) -> Beside<'static> {
    let pair = Shared::default();
    Beside {
        ours: place(programs, &pair, kernel, How::Together),
        without: place(programs, &pair, kernel, How::InTurn),
    }
}

/// One cell, with a timekeeper and without.
pub fn alone(programs: &Arc<Programs>, kernel: Kernel) -> Beside<'static> {
    let pair = Shared::default();
    let alone = |time| place(programs, &pair, kernel, How::Alone(time));
    Beside { ours: alone(Time::Kept), without: alone(Time::NotKept) }
}

fn place(programs: &Arc<Programs>, pair: &Shared, kernel: Kernel, how: How) -> Place<'static> {
    Some(Box::new(Computing {
        programs: programs.clone(),
        pair: pair.clone(),
        kernel,
        how,
        mean_turn_ns: None,
    }))
}

/// A contestant.
struct Computing {
    programs: Arc<Programs>,
    pair: Shared,
    kernel: Kernel,
    how: How,
    /// How long the cells had the core at a time in the last turn; `None` before the first.
    mean_turn_ns: Option<f64>,
}

impl Contestant for Computing {
    fn describe(&self) -> Description {
        let (mut configuration, cores_used) = match self.how {
            How::Together => (format!("two cells at a time, a quantum of 5 µs; {SET_UP}"), 2),
            How::InTurn => (format!("the same two cells, one until it is done, then the other; {SET_UP}"), 2),
            How::Alone(Time::Kept) => (format!("one cell; another one waits for messages; {SET_UP}"), 2),
            How::Alone(Time::NotKept) => ("the same cells without a timekeeper".to_owned(), 1),
        };
        if let Some(mean_ns) = self.mean_turn_ns {
            configuration +=
                &format!("; what ran had the core for {:.1} µs at a time in the last turn", mean_ns / 1e3);
        }
        Description { name: "ours".to_owned(), configuration, cores_used }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        // On one core quanta are a millisecond long.
        turn.cores.second()?;
        let mut pair = self.pair.borrow_mut();
        let pair = match &mut *pair {
            Some(pair) => pair,
            empty => empty.insert(Pair::new(&self.programs, turn, self.kernel)?),
        };
        let (before, began) = (pair.switches(), clock::glance());
        let samples = pair.measure(turn, self.kernel, self.how)?;
        let took_ns = turn.clock.nanoseconds(clock::glance() - began);
        let mean_turn_ns = took_ns / (pair.switches() - before).max(1) as f64;
        if self.how == How::Together && mean_turn_ns > LONGEST_TURN_NS {
            return Err(wrong(format!(
                "nobody was preempted: turns of 5 µs lasted for {mean_turn_ns:.0} ns"
            )));
        }
        self.mean_turn_ns = Some(mean_turn_ns);
        Ok(samples)
    }
}

impl Pair {
    fn new(programs: &Arc<Programs>, turn: &Turn<'_>, kernel: Kernel) -> Result<Self, BenchError> {
        let bench = Bench::new(programs, turn, Checks::With, Configuration::default())?;
        let cell = || {
            let cell = bench.cell("compute", false, 0, MEMORY)?;
            let endpoint = bench.endpoint(&cell, QUEUE)?;
            bench.start(&cell, &[], &[])?;
            Ok::<_, BenchError>(endpoint)
        };
        let cells = [cell()?, cell()?];
        bench.get_ready(turn)?;
        Ok(Self { bench, cells, right: Workload::prepare(kernel).run() })
    }

    /// Switches to a thread since boot.
    fn switches(&self) -> u64 {
        self.bench.kernel.picture_cores().iter().map(|core| core.switches).sum()
    }

    fn measure(&self, turn: &Turn<'_>, kernel: Kernel, how: How) -> Result<Samples, BenchError> {
        let (results, received) = mpsc::channel();
        let (budget, limit, right) = (turn.clock.ticks(turn.budget), turn.sample_limit, self.right);
        let (time, runs) = match how {
            How::Alone(time) => (time, 1),
            How::Together | How::InTurn => (Time::Kept, 2),
        };
        let [one, other] = &self.cells;
        self.bench.drive_with(turn, time, &[("one", one), ("other", other)], move || {
            let mut ticks = Vec::new();
            // The first one prepares the input.
            let mut failure = run(kernel, right, how).err();
            let until = clock::glance() + budget;
            while failure.is_none() && ticks.len() < limit && clock::glance() < until {
                let begin = clock::begin();
                failure = run(kernel, right, how).err();
                ticks.push(clock::end() - begin);
            }
            let _ = results.send((ticks, failure));
        })?;
        match received.recv().map_err(wrong)? {
            (_, Some(failure)) => Err(self.bench.failed(&failure)),
            (ticks, None) => Ok(turn.single(ticks).shared_by(runs)),
        }
    }
}

/// A run by each cell that takes part; from inside of the driver, which was granted the cells.
fn run(kernel: Kernel, right: u64, how: How) -> Result<(), String> {
    let cells = [0, 1].map(|number| Endpoint::from_handle(Handle(Handle::FIRST_GRANT + number)));
    let request = Request { kernel: kernel as u32, runs: 1 };
    let check = |response: Option<Response>| match response {
        Some(response) if response.checksum == right => Ok(()),
        Some(_) => Err("another checksum than the native run's".to_owned()),
        None => Err("a cell gave no result".to_owned()),
    };
    let ask = |cell: Endpoint| {
        let response = cell.ask::<Request, Response>(&request, Deadline::NEVER);
        check(Some(response.map_err(|error| error.to_string())?))
    };
    let [one, other] = cells;
    match how {
        How::Alone(_) => ask(one),
        How::InTurn => ask(one).and_then(|()| ask(other)),
        How::Together => {
            for cell in cells {
                cell.send(request.emit().as_ref(), &[], 64).map_err(|error| error.to_string())?;
            }
            cells.iter().try_for_each(|_| {
                let mut answer = [0; 64];
                let event = wait(&mut answer, &mut [], Deadline::NEVER).map_err(|error| error.to_string())?;
                match event.kind {
                    EventKind::Answer => check(Response::parse(contents(&event, &answer, &[]).0)),
                    _ => Err("something else than an answer came".to_owned()),
                }
            })
        }
    }
}
