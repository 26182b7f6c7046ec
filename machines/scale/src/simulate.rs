//! One run: a machine of many cores, requests that come to them, and what became of both.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use hallows_counted_atomics::{AtomicU64, listen};
use hallows_counted_kernel::{
    CellSpecification, Configuration, CoreId, Kernel, Machine as _, Part, Service, ThreadId,
};
use hallows_lab::{Asks, Request};

use crate::costs::Costs;
use crate::driver::{self, Come, Driver, ScaleKernel, driver};
use crate::engine::ScaleEngine;
use crate::fiber;
use crate::lines::{LINE, MOST_CORES, Picoseconds};
use crate::machine::{PS, ScaleMachine};
use crate::names::{Count, Names};
use crate::world::{self, Box, NOBODY, Spent, World, charge, pass, sleep_until, world};

/// Cells for each request that a core has at a time when all cores get equally many; where many come, as many times more.
const CELLS: f64 = 12.0;
/// And so many in any case.
const LEAST_CELLS: u32 = 4;
/// The first part of the requests' time is not counted: queues fill.
const WARM_UP: u64 = 10;
/// A run is given up after so many times the time in which its requests come.
const PATIENCE: u64 = 4;

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Setup<'s> {
    /// Cores that work on requests, at most [`Setup::MOST_CORES`].
    pub cores: u32,
    /// The longest that a request runs while others wait, in ns.
    pub quantum_ns: u64,
    /// What things cost.
    pub costs: Costs,
    /// What comes, in order.
    pub requests: &'s [Request],
    /// Which core each comes to.
    pub homes: &'s [u32],
}

impl Setup<'_> {
    /// With a timekeeper, all that there is room for in the table of who has which line.
    pub const MOST_CORES: u32 = MOST_CORES as u32 - 1;
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// For each request, when it was done after it came, in ns; none of one that was not done in time.
    pub latencies_ns: Vec<Option<u64>>,
    /// Requests that were done in the time that counts, in a second.
    pub done_per_second: f64,
    /// How many those were.
    pub done: usize,
    /// How the time of all cores went that was not idle, in the time that counts.
    pub spent: Spent,
    /// That time, in ps.
    pub counted_ps: Picoseconds,
    /// Transfers in that time, by what came.
    pub transfers: BTreeMap<String, Count>,
    /// The line that was on its way for longest, and for which part of the whole time.
    pub busiest: Option<(String, f64)>,
    /// From one look of the timekeeper at all cores to the next, on average, in ns; none if it hardly looked.
    pub look_ns: Option<f64>,
    /// Switches to a thread for each request.
    pub switches: f64,
}

/// Runs it. Everything is a function of what it is given, and of which of the kernel's smaller tables begin in the middle of a cache line, which the
/// allocator decides.
///
/// # Panics
/// More cores than there may be; a home that is none of them.
#[must_use]
pub fn simulate(setup: &Setup<'_>) -> Outcome {
    assert!((1..=Setup::MOST_CORES).contains(&setup.cores), "there are 1 to {} cores", Setup::MOST_CORES);
    let machine = Machine::new(setup);
    charge();
    let outcome = machine.run(setup);
    listen(None);
    machine.end();
    outcome
}

/// What a request costs on one core if it takes no time and nobody else is there: accesses of the kernel, and time by this host's clock, in
/// ns; the mean of so many.
#[must_use]
pub fn path_of_a_request(requests: usize, clock: impl Fn() -> std::time::Duration) -> (f64, f64) {
    let request = Request { arrival_ns: 0, service_ns: 0, class: 0, asks: Asks::Work };
    let (requests, homes) = (vec![request; requests], vec![0; requests]);
    let setup =
        Setup { cores: 1, quantum_ns: 5_000, costs: Costs::ROUND, requests: &requests, homes: &homes };
    let machine = Machine::new(&setup);
    thread_local! { static ACCESSES: Cell<u64> = const { Cell::new(0) } }
    let driver = driver();
    world(|world| world.on = 0);
    let work = |from: usize, to: usize| {
        for _ in from..to {
            driver.hand_over_one(CoreId(0));
            driver.kernel.step(CoreId(0));
        }
    };
    let (warm, half) = (requests.len() / 10, requests.len() / 2);
    work(0, warm);
    let began = clock();
    work(warm, half);
    let took_ns = (clock() - began).as_nanos() as f64 / (half - warm) as f64;
    listen(Some(|_| ACCESSES.set(ACCESSES.get() + 1)));
    work(half, requests.len());
    listen(None);
    world(|world| world.on = NOBODY);
    let accesses = ACCESSES.take() as f64 / (requests.len() - half) as f64;
    machine.end();
    (accesses, took_ns)
}

/// A machine in this host thread's world.
struct Machine {
    driver: Rc<Driver>,
    /// The number of the timekeeper.
    keeper: u32,
}

impl Machine {
    fn new(setup: &Setup<'_>) -> Self {
        let mut come: Vec<Come> = (0..setup.cores).map(|_| Come::default()).collect();
        for (number, home) in setup.homes.iter().enumerate() {
            come[*home as usize].requests.push(number as u32);
        }
        let mut cells = 0;
        let even = setup.requests.len() as f64 / f64::from(setup.cores);
        for one in &mut come {
            one.first = cells;
            one.count = LEAST_CELLS + (CELLS * one.requests.len() as f64 / even).ceil() as u32;
            cells += one.count;
        }
        let keeper = setup.cores;
        let other = world::exchange(Some(World::new(keeper + 1, cells + 1, setup.costs)));
        assert!(other.is_none(), "one simulation at a time on a host thread");
        let configuration = Configuration {
            cores: setup.cores,
            cells: cells + 1,
            objects: cells + 1,
            // The root has a quarter of all, for two capabilities of each cell.
            slots: (16 * (cells + 16)).next_power_of_two(),
            memory_bytes: 1 << 42,
            quantum_ns: setup.quantum_ns,
            trace_records: 256,
            // Who polls a device does not sleep.
            idle_looks: u32::MAX,
            ..Configuration::default()
        };
        let (kernel, boot) = Kernel::new(ScaleEngine, ScaleMachine, configuration);
        let kernel: Arc<ScaleKernel> = Arc::new(kernel);
        let mut driver = Driver {
            kernel,
            boot,
            requests: setup.requests.to_vec(),
            done_ps: RefCell::new(vec![0; setup.requests.len()]),
            cores: come,
            endpoints: Vec::new(),
            boxes: (0..cells).map(|_| Box(AtomicU64::new(Box::FREE))).collect(),
            first_cell: 1,
            done: Cell::new(0),
            running: Cell::new(0),
        };
        let started = make_cells(&mut driver);
        if let Err(error) = started {
            panic!("the machine is too small for its cells: {error}");
        }
        let driver = Rc::new(driver);
        driver::install(Some(Rc::clone(&driver)));
        // Each cell begins on its core: what runs last where is where it runs next.
        for (core, come) in (0..).zip(&driver.cores) {
            for cell in come.first..come.first + come.count {
                start(&driver, cell, CoreId(core));
            }
        }
        Self { driver, keeper }
    }

    /// Makes cores and timekeeper go, and names what they touch.
    fn begin(&self) {
        let kernel = &self.driver.kernel;
        let mut parts = kernel.parts();
        let boxes = &self.driver.boxes;
        parts.push(Part {
            name: "driver's box",
            address: boxes.as_ptr().addr(),
            stride: size_of::<Box>(),
            count: boxes.len(),
            fields: &[],
        });
        let word = |thread| std::ptr::from_ref(kernel.word(ThreadId(thread))).addr() / LINE;
        for core in 0..self.keeper {
            let kernel = Arc::clone(kernel);
            let fiber = fiber::core_fiber(core, move || kernel.run_core(CoreId(core)));
            world(|world| world.actor(core).fiber = Some(fiber));
        }
        let (kernel, keeper) = (Arc::clone(kernel), self.keeper);
        let fiber = fiber::core_fiber(keeper, move || keep_time(&kernel));
        world(|world| {
            world.names = Names::new(parts);
            world.words = (word(0), word(1) - word(0));
            world.actor(keeper).fiber = Some(fiber);
            world.actor(keeper).is_core = false;
            (0..=keeper).for_each(|actor| world.turn(actor, 0));
        });
    }

    fn run(&self, setup: &Setup<'_>) -> Outcome {
        self.begin();
        let driver = &self.driver;
        let ends_ps = setup.requests.last().map_or(0, |request| request.arrival_ns) * PS;
        let counts_from = ends_ps / WARM_UP;
        let step_until = |at: Picoseconds| {
            while driver.done.get() < setup.requests.len() && world(|world| world.next_at()) <= at {
                let Some(actor) = world(World::next) else { break };
                fiber::run_actor(actor);
            }
        };
        let sum = |world: &mut World| {
            let spent = world.actors.iter().filter(|actor| actor.is_core).map(|actor| actor.spent);
            spent.fold(Spent::default(), Spent::plus)
        };
        let counters = || {
            let switches: u64 = driver.kernel.picture_cores().iter().map(|core| core.switches).sum();
            world(|world| (sum(world), world.looks, driver.done.get(), switches))
        };
        step_until(counts_from);
        listen(None);
        let before = counters();
        charge();
        world(|world| world.counting = true);
        step_until(ends_ps);
        world(|world| world.counting = false);
        listen(None);
        let after = counters();
        charge();
        step_until(ends_ps.saturating_mul(PATIENCE));
        let (done, looks) = (after.2 - before.2, after.1 - before.1);
        let counted_ps = ends_ps - counts_from;
        let seconds = counted_ps as f64 / 1e12;
        let done_ps = driver.done_ps.borrow();
        let latencies = setup.requests.iter().zip(done_ps.iter());
        let latencies_ns = latencies
            .map(|(request, done)| (*done > 0).then(|| (done / PS).saturating_sub(request.arrival_ns)))
            .collect();
        world(|world| {
            let whole_ps = world.actors.iter().map(|actor| actor.clock).max().unwrap_or(1).max(1);
            let busiest = world.lines.busiest().map(|(number, occupied)| {
                (world.names.name(number * LINE), occupied as f64 / whole_ps as f64)
            });
            Outcome {
                latencies_ns,
                done_per_second: done as f64 / seconds,
                done,
                spent: after.0.minus(before.0),
                counted_ps,
                transfers: world.names.counts(),
                busiest,
                look_ns: (looks > 1).then(|| counted_ps as f64 / PS as f64 / looks as f64),
                switches: (after.3 - before.3) as f64 / done.max(1) as f64,
            }
        })
    }

    /// Brings all that is there to its end, so that no fiber stands anywhere.
    fn end(self) {
        charge();
        world(|world| world.over = true);
        let interrupt = |world: &mut World| {
            for actor in 0..world.actors.len() as u32 {
                let clock = world.actor(actor).clock;
                world.interrupt(actor, clock);
            }
        };
        world(interrupt);
        while self.driver.running.get() > 0 {
            let Some(actor) = world(World::next) else { break };
            fiber::run_actor(actor);
        }
        self.driver.kernel.shut_down();
        world(|world| {
            for actor in 0..world.actors.len() as u32 {
                let clock = world.actor(actor).clock;
                world.turn(actor, clock);
            }
        });
        while let Some(actor) = world(World::next) {
            if world(|world| world.actor(actor).fiber.is_some()) {
                fiber::run_actor(actor);
            }
        }
        listen(None);
        driver::install(None);
        world::exchange(None);
    }
}

/// Makes a cell for each box.
fn make_cells(driver: &mut Driver) -> Result<(), hallows_abi::Error> {
    let (kernel, boot) = (&driver.kernel, &driver.boot);
    let program = kernel.boot_program(boot, Arc::new(()))?;
    for number in 0..driver.boxes.len() {
        let specification = CellSpecification {
            name: "worker",
            memory_bytes: 1 << 20,
            slots: 8,
            class: Default::default(),
            priority: 0,
            passive: false,
            pinned: None,
            pool: 0,
            time: None,
        };
        let (cell, _) = kernel.boot_cell(boot, &program, None, &specification)?;
        assert_eq!(cell.index(), number + driver.first_cell as usize, "cells are numbered as they are made");
        driver.endpoints.push(kernel.boot_endpoint(boot, cell, Service::Active { limit: 1 })?);
    }
    Ok(())
}

/// Starts a cell on a core, which runs it until it waits.
fn start(driver: &Driver, cell: u32, core: CoreId) {
    let cell = hallows_counted_kernel::CellId(driver.first_cell + cell);
    if let Err(error) = driver.kernel.boot_start(&driver.boot, cell, b"") {
        panic!("cell {cell} does not start: {error}");
    }
    // It lies in the queue of another core, which does not run, so nobody takes it from there before it has waited for long enough.
    for looks_ns in [0, 10_000] {
        driver.kernel.tick(hallows_counted_kernel::Nanos(looks_ns));
    }
    // That core is found by looking at some at a time.
    assert!(driver.cores.iter().any(|_| driver.kernel.step(core)), "cell {cell} did not run on core {core}");
}

/// A timekeeper's loop, on a core of its own.
fn keep_time(kernel: &ScaleKernel) {
    while !kernel.is_stopping() {
        let next = kernel.tick(kernel.machine.now());
        world(|world| world.looks += 1);
        if next.spin {
            pass(world(|world| world.costs.relax_ps));
            continue;
        }
        let at = world(|world| {
            let alarm_at = std::mem::replace(&mut world.alarm_at, Picoseconds::MAX);
            next.at.0.saturating_mul(PS).min(alarm_at)
        });
        if at > world::now_ps() && world(|world| world.on != NOBODY) {
            sleep_until(at);
        }
    }
}
