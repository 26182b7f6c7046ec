//! Lives of cells: a supervisor restarts what ends, each end is reported once, and names of an earlier life are stale.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hallows_abi::{
    Error, EventKind, FaultKind, FaultReport, Handle, NO_DEADLINE, OnCell, OnObject, Operation, Rights,
};
use hallows_kernel::{CellId, CellState, Configuration, Rooted};
use hallows_sim::{Faults, Halt, Process, Simulation};

use crate::{Books, MANY_STEPS, answer_to, choices, each_seed, seen};

/// A cell that restarts the cells it watches when they fault or are killed.
pub struct Supervisor {
    /// Where faults go.
    pub endpoint: Rooted,
    cell: CellId,
    handles: Rc<RefCell<BTreeMap<u32, Handle>>>,
    /// Ends that were reported: cell and life.
    pub reports: Rc<RefCell<BTreeMap<(u32, u32), FaultKind>>>,
}

impl Supervisor {
    pub fn new(sim: &mut Simulation) -> Self {
        let handles = Rc::new(RefCell::new(BTreeMap::<u32, Handle>::new()));
        let reports = Rc::new(RefCell::new(BTreeMap::new()));
        let (known, noted) = (Rc::clone(&handles), Rc::clone(&reports));
        let program = sim.main(move |process| {
            loop {
                let event = process.wait(NO_DEADLINE)?;
                assert_eq!(event.kind, EventKind::Message);
                let Some(report) = FaultReport::parse(&event.bytes) else { panic!("no fault report") };
                let again = noted.borrow_mut().insert((report.cell, report.generation), report.kind);
                assert_eq!(again, None, "an end was reported twice");
                process.answer(event.token, &[], &[])?;
                assert_eq!(process.answer(event.token, &[], &[]).or_killed()?, Err(Error::BadToken));
                let handle = known.borrow()[&report.cell];
                match process.operate(handle, OnCell::Restart, &[]) {
                    Ok((reply, _)) => assert!(reply.life() > Some(report.generation)),
                    Err(error) => panic!("cell {} cannot be restarted: {error:?}", report.cell),
                }
            }
        });
        let (cell, _) = sim.cell("supervisor", &program, None, false, 7);
        let endpoint = sim.active(cell, 1);
        Self { endpoint, cell, handles, reports }
    }

    pub fn watch(&mut self, sim: &mut Simulation, cell: CellId, rooted: &Rooted) {
        let handle = sim.grant(self.cell, rooted);
        self.handles.borrow_mut().insert(cell.0, handle);
    }

    pub fn start(&self, sim: &mut Simulation) {
        sim.start(self.cell);
    }
}

/// Takes the one error out that ends the program.
pub trait OrKilled<T> {
    fn or_killed(self) -> Result<Result<T, Error>, Halt>;
}

impl<T> OrKilled<T> for Result<T, Error> {
    fn or_killed(self) -> Result<Self, Halt> {
        match self {
            Err(Error::Killed) => Err(Halt::Killed),
            other => Ok(other),
        }
    }
}

#[test]
fn every_end_is_reported_once_and_tokens_of_earlier_lives_are_stale() {
    each_seed(
        "every_end_is_reported_once_and_tokens_of_earlier_lives_are_stale",
        &["call: ServerDied", "call: NotReady", "call: Killed", "stale token"],
        |seed| {
            let mut random = choices(seed);
            let faults = Faults::rough(&mut random)
                .with_kills(random.below(20_000), 10)
                .with_faults(random.below(40_000));
            let cores = 1 + random.below(3) as u32;
            let mut sim = Simulation::new(seed, Configuration::tiny(cores), faults);
            let books = Rc::new(RefCell::new(Books::default()));
            let mut supervisor = Supervisor::new(&mut sim);
            let tokens = Rc::new(RefCell::new(BTreeSet::new()));
            let (served, kept) = (Rc::clone(&books), Rc::clone(&tokens));
            let program = sim.main(move |process| {
                // What an earlier life received, this one cannot answer.
                let stale: Vec<u64> = kept.borrow_mut().iter().copied().collect();
                kept.borrow_mut().clear();
                for token in stale {
                    seen("stale token", 1);
                    assert_eq!(process.answer(token, b"late", &[]).or_killed()?, Err(Error::BadToken));
                }
                loop {
                    let event = process.wait(NO_DEADLINE)?;
                    kept.borrow_mut().insert(event.token);
                    let id = served.borrow_mut().receive(&event.bytes);
                    let work = process.choose(2_000);
                    process.compute(work)?;
                    // The sender may have given up or died.
                    match process.answer(event.token, &answer_to(id), &[]).or_killed()? {
                        Ok(()) | Err(Error::BadToken) => {}
                        Err(error) => panic!("an answer failed with {error:?}"),
                    }
                    kept.borrow_mut().remove(&event.token);
                }
            });
            let (server, rooted) = sim.cell("server", &program, Some(&supervisor.endpoint), false, 3);
            let endpoint = sim.active(server, 2);
            supervisor.watch(&mut sim, server, &rooted);
            supervisor.start(&mut sim);
            sim.make_fragile(server);
            sim.victims.push(server);
            sim.start(server);
            for _ in 0..1 + random.below(3) {
                let (books, rounds) = (Rc::clone(&books), 1 + random.below(10));
                let client = sim.main(move |process: &mut Process<'_>| {
                    for _ in 0..rounds {
                        let result = crate::call(&books, process, Handle(3), &[], NO_DEADLINE).or_killed()?;
                        match result {
                            Ok(_) | Err(Error::ServerDied | Error::NotReady | Error::Busy) => {}
                            Err(error) => panic!("a call failed with {error:?}"),
                        }
                        process.compute(300)?;
                    }
                    Ok(())
                });
                let (cell, _) = sim.cell("client", &client, None, false, 3);
                sim.grant_some(cell, &endpoint, Rights::SEND, 0);
                sim.victims.push(cell);
                sim.start(cell);
            }
            sim.run(MANY_STEPS).unwrap();
            books.borrow().close();
            assert_eq!(sim.kernel.state(server), CellState::Running);
            let lives =
                sim.kernel.picture_cells().iter().find(|cell| cell.cell == server).map(|cell| cell.life);
            let reported = supervisor.reports.borrow().len() as u32;
            assert_eq!(lives, Some(reported + 1), "some end was not reported");
            sim.finish(MANY_STEPS).unwrap();
        },
    );
}

#[test]
fn a_start_and_an_end_of_the_same_cell_at_the_same_time_leave_no_zombie() {
    each_seed(
        "a_start_and_an_end_of_the_same_cell_at_the_same_time_leave_no_zombie",
        &["started", "restarted", "killed", "destroyed"],
        |seed| {
            let mut random = choices(seed);
            let faults = Faults { pause: 300_000, ..Faults::rough(&mut random) };
            let cores = 2 + random.below(3) as u32;
            let mut sim = Simulation::new(seed, Configuration::tiny(cores), faults);
            let program = sim.main(|process| {
                loop {
                    process.compute(500)?;
                }
            });
            let (child, rooted) = sim.cell("child", &program, None, false, 0);
            let starter = sim.main(|process| {
                for operation in [OnCell::Start { length: 0 }, OnCell::Restart, OnCell::Restart] {
                    let rest = process.choose(2_000);
                    process.compute(rest)?;
                    match process.operate(Handle(3), operation, &[]).or_killed()? {
                        Ok(_) => seen(if operation != OnCell::Restart { "started" } else { "restarted" }, 1),
                        Err(Error::BadState | Error::Gone) => {}
                        Err(error) => panic!("a start failed with {error:?}"),
                    }
                }
                Ok(())
            });
            let destroys = random.below(2) == 0;
            let ender = sim.main(move |process| {
                for round in 0..4 {
                    let rest = process.choose(2_000);
                    process.compute(rest)?;
                    let destroy = destroys && round == 3;
                    let kill = OnCell::Kill.into();
                    let operation: Operation = if destroy { OnObject::Destroy.into() } else { kill };
                    process.operate(Handle(3), operation, &[])?;
                    seen(if destroy { "destroyed" } else { "killed" }, 1);
                }
                Ok(())
            });
            let controllers = [starter, ender].map(|program| {
                let (cell, _) = sim.cell("controller", &program, None, false, 3);
                sim.grant(cell, &rooted);
                sim.start(cell);
                cell
            });
            sim.run_until(MANY_STEPS, |sim| controllers.iter().all(|cell| !sim.kernel.is_live(*cell)))
                .unwrap();
            if !destroys {
                sim.kill(child);
            }
            sim.run(MANY_STEPS).unwrap();
            assert!(!sim.kernel.is_live(child), "the child lives on: {}", sim.picture());
            sim.finish(MANY_STEPS).unwrap();
        },
    );
}
