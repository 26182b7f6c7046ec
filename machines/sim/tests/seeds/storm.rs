//! A storm: programs that do anything with anything, in cells that create, feed, kill and bury each other. No result is
//! expected of any single call; the kernel must stay whole, come to rest, and give everything back.

use hallows_abi::{Code, Error, EventKind, Handle, Operation, Rights, Transfer, TransferMode};
use hallows_kernel::{CellSpecification, Configuration, CoreId, TimeBudget};
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

/// What kind of object a handle names, as a number; 0 if none.
fn kind_of(process: &mut Process<'_>, handle: Handle) -> Result<u8, Halt> {
    // An endpoint would send the question to its server.
    match process.operate(Handle::SELF, Code::Identify, [u64::from(handle.0), 0, 0], &[]).or_killed()? {
        Ok((reply, _)) => Ok(reply.a as u8),
        Err(_) => Ok(0),
    }
}

/// Mostly an operation that the object takes, sometimes any.
fn code_for(process: &mut Process<'_>, handle: Handle) -> Result<Code, Halt> {
    const SELF: &[Code] = &[
        Code::Copy,
        Code::Mint,
        Code::Move,
        Code::Copy,
        Code::Mint,
        Code::Delete,
        Code::Revoke,
        Code::StartInfo,
        Code::Yield,
        Code::Now,
        Code::Random,
        Code::Log,
        Code::Recognise,
        Code::Watch,
        Code::Destroy,
    ];
    const BUDGET: &[Code] = &[
        Code::CreateEndpoint,
        Code::CreateNotification,
        Code::CreateTimer,
        Code::CreateRegion,
        Code::CreateCell,
        Code::CreateCell,
        Code::CreateCell,
        Code::Split,
        Code::Query,
    ];
    const NOTIFICATION: &[Code] = &[Code::Signal, Code::Bind, Code::Poll, Code::Destroy];
    const TIMER: &[Code] = &[Code::Arm, Code::Arm, Code::Disarm, Code::Destroy];
    const REGION: &[Code] = &[Code::Map, Code::Unmap, Code::Size, Code::Destroy];
    const CELL: &[Code] = &[
        Code::Grant,
        Code::Grant,
        Code::Start,
        Code::Start,
        Code::Restart,
        Code::Restart,
        Code::Inspect,
        Code::Kill,
        Code::Destroy,
    ];
    let fitting = match kind_of(process, handle)? {
        _ if handle == Handle::SELF => SELF,
        2 => NOTIFICATION,
        3 => TIMER,
        4 => BUDGET,
        5 => REGION,
        6 => CELL,
        _ => &Code::ALL,
    };
    let codes = if process.choose(8) == 0 { &Code::ALL } else { fitting };
    let code = codes[process.choose(codes.len() as u64) as usize];
    // What ends something is allowed, but not as often as everything else: a storm on a dead machine proves little.
    let ends = matches!(code, Code::Exit | Code::Kill | Code::Destroy | Code::Delete | Code::Move);
    Ok(if ends && process.choose(12) != 0 { Code::Null } else { code })
}

/// Mostly arguments that the operation takes.
fn arguments_of(bag: &Bag, process: &Process<'_>, code: Code) -> [u64; 3] {
    let any = [0; 3].map(|_: u64| argument(bag, process));
    if process.choose(8) == 0 {
        return any;
    }
    let handle = u64::from(bag.pick(process).0);
    match code {
        Code::Copy
        | Code::Move
        | Code::Delete
        | Code::Revoke
        | Code::Recognise
        | Code::Watch
        | Code::Destroy => [handle, 0, 0],
        Code::Mint => [handle, process.choose(128), process.choose(3)],
        Code::CreateEndpoint => [process.choose(2), 1 + process.choose(3), 0],
        Code::CreateRegion => [1 + process.choose(9_000), 0, 0],
        Code::CreateCell => {
            // Active, passive, or with a time budget.
            let form = match process.choose(4) {
                passive @ 0..=1 => passive,
                2 => 0,
                _ => {
                    let budget_ns = 1_000 * (1 + process.choose(50));
                    TimeBudget { budget_ns, period_ns: 50_000 }.to_argument().unwrap_or(0)
                }
            };
            [40_000, process.choose(4) << 32 | 16, form]
        }
        Code::Split => [process.choose(200_000), 0, 0],
        Code::Arm => [process.time_ns() + process.choose(9_000), process.choose(2) * 700, 0],
        Code::Map | Code::Unmap => [12_288, process.choose(2), 0],
        _ => any,
    }
}

/// Mostly the object and the capabilities that the operation wants, if the program has them.
fn fit(
    bag: &Bag,
    process: &mut Process<'_>,
    code: Code,
    handle: Handle,
    transfers: Vec<Transfer>,
) -> Result<(Handle, Vec<Transfer>), Halt> {
    let wanted: &[u8] = match code {
        Code::CreateTimer | Code::Watch => &[2],
        Code::CreateCell => &[7, 1],
        Code::CreateEndpoint => &[6],
        Code::Grant => &[0],
        _ => return Ok((handle, transfers)),
    };
    let mut fitting = Vec::new();
    for kind in wanted {
        for _ in 0..6 {
            let candidate = bag.pick(process);
            if *kind == 0 || kind_of(process, candidate)? == *kind {
                fitting.push(Transfer::copy(candidate));
                break;
            }
        }
    }
    Ok((handle, if process.choose(8) == 0 { transfers } else { fitting }))
}

/// One thing, with whatever comes to hand.
fn act(bag: &mut Bag, process: &mut Process<'_>) -> Result<(), Halt> {
    process.check()?;
    let deadline = process.time_ns() + process.choose(8_000);
    let (handle, transfers) = (bag.pick(process), bag.transfers(process));
    let result = match process.choose(10) {
        0..=4 => {
            let code = code_for(process, handle)?;
            let arguments = arguments_of(bag, process, code);
            let (handle, transfers) = fit(bag, process, code, handle, transfers)?;
            let result = process.call(handle, &Operation { code, arguments }.emit(), &transfers, deadline);
            if let Ok(received) = &result {
                seen(&format!("{code:?}"), 1);
                for handle in &received.handles {
                    bag.keep(process, *handle);
                }
                let made = received
                    .bytes
                    .get(..4)
                    .map_or(0, |bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
                if matches!(code, Code::Copy | Code::Mint | Code::Move) {
                    bag.keep(process, Handle(made));
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
        "Copy",
        "Mint",
        "Move",
        "Delete",
        "Revoke",
        "CreateEndpoint",
        "CreateNotification",
        "CreateTimer",
        "CreateRegion",
        "CreateCell",
        "Split",
        "Watch",
        "Destroy",
        "Signal",
        "Bind",
        "Poll",
        "Arm",
        "Grant",
        "Start",
        "Kill",
        "Restart",
        "Map",
        "Unmap",
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
        let configuration = Configuration { handler_budget_ns: 60_000, ..Configuration::tiny(cores) };
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
            let specification = CellSpecification {
                name: "storm",
                memory_bytes: 1 << 20,
                slots: 16,
                priority: random.below(8) as u8,
                passive,
                pinned: (random.below(4) == 0).then(|| CoreId(random.below(u64::from(cores)) as u32)),
                // Some stand still between any two steps.
                time: (!passive && random.below(3) == 0)
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
            let child = process.make(
                Handle::BUDGET,
                Code::CreateCell,
                [65_536, 0, 0],
                &[Transfer::copy(Handle(3))],
            )?;
            process.operate(child, Code::Start, [0; 3], &[])?;
            let rest = process.choose(5_000);
            process.compute(rest)?;
            process.operate(Handle::SELF, Code::Delete, [u64::from(child.0), 0, 0], &[])?;
            assert_eq!(
                process.operate(child, Code::Inspect, [0; 3], &[]).or_killed()?.map(|_| ()),
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
