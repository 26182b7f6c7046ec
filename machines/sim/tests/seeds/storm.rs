//! A storm: programs that do anything with anything, in cells that create, feed, kill and bury each other. No result is
//! expected of any single call; the kernel must stay whole, come to rest, and give everything back.

use hallows_abi::{
    Error, EventKind, Function, Handle, NewCell, ObjectKind, OnBudget, OnCell, OnSpace, Operation, Reply,
    Rights, Running, TimeBudget, Transfer, TransferMode,
};
use hallows_kernel::{CellSpecification, Class, Configuration, CoreId, Pool};
use hallows_sim::{Faults, Halt, Incoming, Process, Response, Simulation, Trouble};

use crate::lives::OrKilled;
use crate::{MANY_STEPS, choices, each_seed, seen};

/// What a program of the storm has and remembers.
#[derive(Default)]
struct Bag {
    handles: Vec<Handle>,
    tokens: Vec<u64>,
}

/// More than this is forgotten: handles that are kept for ever would only be stale.
const BAG: usize = 24;

impl Bag {
    /// A bag with what every cell has and what boot granted.
    fn of_grants(grants: u32) -> Self {
        Self { handles: (1..3 + grants).map(Handle).collect(), tokens: Vec::new() }
    }

    fn keep(&mut self, process: &Process<'_>, handle: Handle) {
        if self.handles.len() < BAG {
            self.handles.push(handle);
        } else {
            let place = process.choose(BAG as u64) as usize;
            self.handles[place] = handle;
        }
    }

    /// Mostly a handle that it has, sometimes a made-up one.
    fn pick(&self, process: &Process<'_>) -> Handle {
        if self.handles.is_empty() || process.choose(20) == 0 {
            return Handle(process.choose(1 << 32) as u32);
        }
        self.handles[process.choose(self.handles.len() as u64) as usize]
    }

    fn transfers(&self, process: &Process<'_>) -> Vec<Transfer> {
        // Nine is one too many.
        let count = [0, 0, 0, 1, 1, 2, 3, 9][process.choose(8) as usize];
        (0..count)
            .map(|_| Transfer {
                handle: self.pick(process),
                rights: if process.choose(3) == 0 { Rights(process.choose(128) as u16) } else { Rights::ALL },
                mode: if process.choose(6) == 0 { TransferMode::Move } else { TransferMode::Copy },
            })
            .collect()
    }

    fn take(&mut self, process: &Process<'_>, incoming: &Incoming) {
        if incoming.kind == EventKind::Message {
            self.tokens.push(incoming.token);
        }
        for handle in &incoming.handles {
            self.keep(process, *handle);
        }
    }
}

fn argument(bag: &Bag, process: &Process<'_>) -> u64 {
    match process.choose(6) {
        0 => 0,
        1 => process.choose(8),
        2 => process.time_ns() + process.choose(20_000),
        3 => 1 << process.choose(64),
        4 => u64::from(bag.pick(process).0),
        // Memory of a child: enough for its program.
        _ => 65_536,
    }
}

/// What kind of object a handle names, if it names any.
fn kind_of(process: &mut Process<'_>, handle: Handle) -> Result<Option<ObjectKind>, Halt> {
    // An endpoint would send the question to its server.
    let asked = process.operate(Handle::SELF, OnSpace::Identify { what: handle }, &[]).or_killed()?;
    Ok(asked.ok().and_then(|(reply, _)| reply.identity()).map(|identity| identity.kind))
}

/// Mostly a function that the object has, sometimes any.
fn function_for(process: &mut Process<'_>, handle: Handle) -> Result<Function, Halt> {
    const SELF: &[Function] = &[
        Function::SpaceCopy,
        Function::SpaceMint,
        Function::SpaceMove,
        Function::SpaceCopy,
        Function::SpaceMint,
        Function::SpaceDelete,
        Function::SpaceRevoke,
        Function::SpaceStartInfo,
        Function::SpaceYield,
        Function::SpaceExpect,
        Function::SpaceNow,
        Function::SpaceRandom,
        Function::SpaceLog,
        Function::EndpointRecognise,
        Function::EndpointWatch,
        Function::EndpointDestroy,
    ];
    const BUDGET: &[Function] = &[
        Function::BudgetCreateEndpoint,
        Function::BudgetCreateNotification,
        Function::BudgetCreateTimer,
        Function::BudgetCreateRegion,
        Function::BudgetCreateCell,
        Function::BudgetCreateCell,
        Function::BudgetCreateCell,
        Function::BudgetSplit,
        Function::BudgetQuery,
    ];
    const NOTIFICATION: &[Function] = &[
        Function::NotificationSignal,
        Function::NotificationBind,
        Function::NotificationPoll,
        Function::ObjectDestroy,
    ];
    const TIMER: &[Function] =
        &[Function::TimerArm, Function::TimerArm, Function::TimerDisarm, Function::ObjectDestroy];
    const REGION: &[Function] =
        &[Function::RegionMap, Function::RegionUnmap, Function::RegionSize, Function::ObjectDestroy];
    const CELL: &[Function] = &[
        Function::CellGrant,
        Function::CellGrant,
        Function::CellStart,
        Function::CellStart,
        Function::CellRestart,
        Function::CellRestart,
        Function::CellInspect,
        Function::CellKill,
        Function::ObjectDestroy,
    ];
    let fitting = match kind_of(process, handle)? {
        _ if handle == Handle::SELF => SELF,
        Some(ObjectKind::Notification) => NOTIFICATION,
        Some(ObjectKind::Timer) => TIMER,
        Some(ObjectKind::Budget) => BUDGET,
        Some(ObjectKind::Region) => REGION,
        Some(ObjectKind::Cell) => CELL,
        _ => &Function::ALL,
    };
    let functions = if process.choose(8) == 0 { &Function::ALL } else { fitting };
    let function = functions[process.choose(functions.len() as u64) as usize];
    // What ends something is allowed, but not as often as everything else: a storm on a dead machine proves little.
    let ends = matches!(
        function,
        Function::SpaceExit
            | Function::CellKill
            | Function::ObjectDestroy
            | Function::EndpointDestroy
            | Function::SpaceDelete
            | Function::SpaceMove
    );
    Ok(if ends && process.choose(12) != 0 { Function::ObjectNull } else { function })
}

/// An operation of a function, mostly with parameters that it takes, and that fit the number of capabilities that come along.
fn operation_of(bag: &Bag, process: &Process<'_>, function: Function, given: usize) -> Operation {
    let any = Operation::from_words(function, || argument(bag, process));
    if process.choose(8) == 0 {
        return any;
    }
    let handle = u64::from(bag.pick(process).0);
    let mut words = match function {
        Function::SpaceMint => vec![handle, process.choose(128), process.choose(3)],
        Function::SpaceCopy
        | Function::SpaceMove
        | Function::SpaceDelete
        | Function::SpaceRevoke
        | Function::EndpointRecognise
        | Function::EndpointWatch
        | Function::EndpointDestroy => vec![handle],
        // What is not served by another cell has no handler budget of its choice.
        Function::BudgetCreateEndpoint => match process.choose(2) {
            0 => vec![0, 1 + process.choose(3), given as u64],
            _ => vec![1, 0, given as u64],
        },
        Function::BudgetCreateRegion => vec![1 + process.choose(9_000)],
        Function::BudgetCreateCell => {
            // Active, passive, or with a time budget.
            let form = [0, 1, 0, 2][process.choose(4) as usize];
            let budget_ns = 1_000 * (1 + process.choose(50));
            let with_faults = u64::from(given == 2);
            vec![with_faults, 40_000, 16, process.choose(4), form, budget_ns, 50_000]
        }
        Function::BudgetSplit => vec![process.choose(200_000)],
        Function::TimerArm => vec![process.time_ns() + process.choose(9_000), process.choose(2) * 700],
        Function::RegionMap => vec![12_288, process.choose(2)],
        Function::RegionUnmap => vec![12_288],
        Function::CellGrant => vec![process.choose(128), process.choose(3)],
        // Behind both there is no text.
        Function::CellStart | Function::SpaceLog => vec![0],
        _ => return any,
    }
    .into_iter();
    Operation::from_words(function, || words.next().unwrap_or(0))
}

/// Mostly the capabilities that a function wants, if the program has them.
fn fitting(
    bag: &Bag,
    process: &mut Process<'_>,
    function: Function,
    transfers: Vec<Transfer>,
) -> Result<Vec<Transfer>, Halt> {
    let wanted: &[Option<ObjectKind>] = match function {
        Function::BudgetCreateTimer | Function::EndpointWatch => &[Some(ObjectKind::Notification)],
        Function::BudgetCreateCell => &[Some(ObjectKind::Program), Some(ObjectKind::Endpoint)],
        Function::BudgetCreateEndpoint | Function::EndpointReassign => &[Some(ObjectKind::Cell)],
        Function::CellGrant => &[None],
        _ => &[],
    };
    let mut fitting = Vec::new();
    for kind in wanted {
        for _ in 0..6 {
            let candidate = bag.pick(process);
            if kind.is_none() || kind_of(process, candidate)? == *kind {
                fitting.push(Transfer::copy(candidate));
                break;
            }
        }
    }
    Ok(if process.choose(8) == 0 { transfers } else { fitting })
}

/// One thing, with whatever comes to hand.
fn act(bag: &mut Bag, process: &mut Process<'_>) -> Result<(), Halt> {
    process.check()?;
    let deadline = process.time_ns() + process.choose(8_000);
    let (handle, transfers) = (bag.pick(process), bag.transfers(process));
    let result = match process.choose(10) {
        0..=4 => {
            let function = function_for(process, handle)?;
            let transfers = fitting(bag, process, function, transfers)?;
            let operation = operation_of(bag, process, function, transfers.len());
            let result = process.call(handle, &operation.emit(), &transfers, deadline);
            if let Ok(received) = &result {
                seen(&format!("{function:?}"), 1);
                for handle in &received.handles {
                    bag.keep(process, *handle);
                }
                if let Operation::Space(_) = operation
                    && let Some(Reply::Handle(made)) = Reply::parse(operation.answer(), &received.bytes)
                {
                    bag.keep(process, made);
                }
            }
            result.map(|_| ())
        }
        5 | 6 => {
            let length = process.choose(5_000) as usize;
            let message = process.range(0, length.min(4_096))?;
            let reply = process.range(4_096, process.choose(4_096) as usize)?;
            let result = process.call_ranges(handle, message, &transfers, reply, deadline);
            if let Ok(received) = &result {
                for handle in &received.handles {
                    bag.keep(process, *handle);
                }
            }
            result.map(|_| ())
        }
        7 => {
            let room = process.choose(200) as u32;
            process.send(handle, &[7; 40], &transfers, room).map(|_| ())
        }
        8 => match process.wait(deadline) {
            Ok(incoming) => {
                bag.take(process, &incoming);
                Ok(())
            }
            Err(error) => Err(error),
        },
        _ => {
            let token = match bag.tokens.pop() {
                Some(token) if process.choose(10) != 0 => token,
                _ => process.choose(1 << 40),
            };
            process.answer(token, &[9; 60], &transfers)
        }
    };
    match result.or_killed()? {
        Ok(()) => seen("did", 1),
        Err(error) => seen(&format!("error: {error:?}"), 1),
    }
    let work = process.choose(400);
    process.compute(work)
}

fn main_program(sim: &mut Simulation, grants: u32, rounds: u64) -> hallows_kernel::Rooted {
    sim.main(move |process| {
        let mut bag = Bag::of_grants(grants);
        for _ in 0..rounds {
            act(&mut bag, process)?;
        }
        Ok(())
    })
}

fn reactor_program(sim: &mut Simulation, grants: u32) -> hallows_kernel::Rooted {
    sim.reactor(move |process| {
        let mut bag = Bag::of_grants(grants);
        // Its init function may use every call.
        act(&mut bag, process)?;
        Ok(Box::new(move |process: &mut Process<'_>, incoming: Incoming| {
            bag.take(process, &incoming);
            for _ in 0..process.choose(3) {
                act(&mut bag, process)?;
            }
            if process.choose(4) == 0 && incoming.token != 0 {
                return Ok(Response::Deferred);
            }
            // Its sender may have too little room, and its capabilities may be of anybody.
            let mut transfers = bag.transfers(process);
            transfers.truncate(8);
            Ok(Response::Answer(vec![3; process.choose(300) as usize], transfers))
        }))
    })
}

#[test]
fn a_storm_of_anything_leaves_the_kernel_whole() {
    let reached: Vec<&str> = vec![
        "did",
        "SpaceCopy",
        "SpaceMint",
        "SpaceMove",
        "SpaceDelete",
        "SpaceRevoke",
        "SpaceIdentify",
        "SpaceStartInfo",
        "SpaceLog",
        "BudgetCreateEndpoint",
        "BudgetCreateNotification",
        "BudgetCreateTimer",
        "BudgetCreateRegion",
        "BudgetCreateCell",
        "BudgetSplit",
        "BudgetQuery",
        "EndpointWatch",
        "EndpointDestroy",
        "EndpointReassign",
        "EndpointRecognise",
        "ObjectDestroy",
        "NotificationSignal",
        "NotificationBind",
        "NotificationPoll",
        "TimerArm",
        "TimerDisarm",
        "CellGrant",
        "CellStart",
        "CellKill",
        "CellRestart",
        "CellInspect",
        "RegionMap",
        "RegionUnmap",
        "error: BadHandle",
        "error: NoRight",
        "error: WrongObject",
        "error: Busy",
        "error: DeadlinePassed",
        "error: Deadlock",
        "error: ServerDied",
        "error: Gone",
        "error: BadToken",
        "error: SpaceFull",
        "error: BudgetExhausted",
        "error: TableFull",
        "error: NotInHandler",
        "error: BadState",
        "error: NotReady",
        "error: TooLong",
        "error: AnswerTooLong",
    ];
    each_seed("a_storm_of_anything_leaves_the_kernel_whole", &reached, |seed| {
        let mut random = choices(seed);
        let faults =
            Faults::rough(&mut random).with_kills(random.below(500), 3).with_faults(random.below(60));
        let faults = Faults { too_deep: random.below(20_000), ..faults };
        let cores = 1 + random.below(4) as u32;
        // Some machines have pools.
        let mut pool = |cores| Pool { cores, lends: random.below(2) == 0 };
        let pools =
            if cores > 1 && seed.is_multiple_of(2) { vec![pool(1), pool(cores - 1)] } else { Vec::new() };
        let pool_count = pools.len().max(1) as u64;
        let configuration = Configuration { handler_budget_ns: 60_000, pools, ..Configuration::tiny(cores) };
        let mut sim = Simulation::new(seed, configuration, faults);
        const GRANTS: u32 = 9;
        let main = main_program(&mut sim, GRANTS, 20 + random.below(120));
        let reactor = reactor_program(&mut sim, GRANTS);
        let notification = sim.kernel.boot_notification(&sim.boot).unwrap();
        let mut cells = Vec::new();
        let mut rooted = Vec::new();
        let mut endpoints = Vec::new();
        for place in 0..5u32 {
            let passive = place < 2;
            let program = if place < 3 { &reactor } else { &main };
            let faults = endpoints.last().filter(|_| place == 3);
            // Few free slots, so that spaces fill up.
            let class = match random.below(4) {
                0 => Class::Batch,
                // One of them has a reservation: others would find the core taken.
                1 if place == 4 => Class::RealTime,
                _ => Class::Latency,
            };
            let is_reserved = class == Class::RealTime;
            let specification = CellSpecification {
                name: "storm",
                memory_bytes: 1 << 20,
                slots: 16,
                class,
                priority: random.below(8) as u8,
                passive,
                pinned: (random.below(4) == 0 || is_reserved)
                    .then(|| CoreId(random.below(u64::from(cores)) as u32)),
                pool: random.below(pool_count) as u32,
                // Some stand still between any two steps.
                time: (!passive && (random.below(3) == 0 || is_reserved))
                    .then(|| TimeBudget { budget_ns: 1 + random.below(50_000), period_ns: 50_000 }),
            };
            let (cell, root) = sim.cell_of(program, faults, &specification);
            endpoints.push(if passive { sim.passive(cell) } else { sim.active(cell, 1) });
            cells.push(cell);
            rooted.push(root);
        }
        for cell in &cells {
            for endpoint in &endpoints {
                sim.grant(*cell, endpoint);
            }
            sim.grant(*cell, &notification);
            sim.grant(*cell, &main);
            sim.grant(*cell, &reactor);
            // Some cell, perhaps itself, to do with as it likes.
            let other = rooted[random.below(5) as usize];
            sim.grant(*cell, &other);
            sim.make_fragile(*cell);
            sim.victims.push(*cell);
        }
        for cell in &cells {
            sim.start(*cell);
        }
        match sim.run(MANY_STEPS / 10) {
            Ok(()) => {}
            // A periodic timer of a cell that lives goes on for ever; it ends with the cell.
            Err(Trouble::NoEnd(_)) if sim.kernel.usage().timers > 0 => {}
            Err(trouble) => panic!("{trouble:?}"),
        }
        sim.finish(MANY_STEPS).unwrap();
    });
}

#[test]
fn deletion_of_the_last_capability_ends_what_it_names() {
    each_seed("deletion_of_the_last_capability_ends_what_it_names", &["child ended"], |seed| {
        let mut random = choices(seed);
        let faults = Faults::rough(&mut random);
        let mut sim = Simulation::new(seed, Configuration::tiny(1 + random.below(3) as u32), faults);
        let child = sim.main(|process| {
            loop {
                process.compute(1_000)?;
            }
        });
        let parent = sim.main(move |process| {
            let running = Running::Active(None);
            let new = NewCell { memory_bytes: 65_536, slots: None, priority: 0, running };
            let child = process.make(
                Handle::BUDGET,
                OnBudget::CreateCell { with_faults: false, new },
                &[Transfer::copy(Handle(3))],
            )?;
            process.operate(child, OnCell::Start { length: 0 }, &[])?;
            let rest = process.choose(5_000);
            process.compute(rest)?;
            process.operate(Handle::SELF, OnSpace::Delete { what: child }, &[])?;
            assert_eq!(
                process.operate(child, OnCell::Inspect, &[]).or_killed()?.map(|_| ()),
                Err(Error::BadHandle)
            );
            process.compute(20_000)?;
            Ok(())
        });
        let (cell, _) = sim.cell("parent", &parent, None, false, 3);
        sim.grant(cell, &child);
        sim.start(cell);
        sim.run(MANY_STEPS).unwrap();
        assert_eq!(sim.kernel.usage().cells, 1, "the child lives on: {}", sim.picture());
        seen("child ended", 1);
        sim.finish(MANY_STEPS).unwrap();
    });
}
