//! Places of ended objects at which others live by now: who still has a name of the one before, or waits for it, does not reach the next.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hallows_abi::{
    Error, Handle, NO_DEADLINE, NewCell, OnBudget, OnCell, OnEndpoint, OnNotification, OnObject, Rights,
    Running, Serving, Transfer,
};
use hallows_kernel::{CellId, Configuration, Rooted};
use hallows_sim::{Faults, Response, Simulation};

const STEPS: u64 = 2_000_000;

/// The badges of messages that a server got.
type Badges = Rc<RefCell<Vec<u64>>>;

/// What a call came to.
type Outcome = Rc<RefCell<Option<Result<Vec<u8>, Error>>>>;

/// A server that computes for so long for each message, and notes its badge; started.
fn server(sim: &mut Simulation, name: &str, passive: bool, work_ns: u64) -> (CellId, Rooted, Badges) {
    let badges = Badges::default();
    let program = {
        let badges = Rc::clone(&badges);
        sim.reactor(move |_| {
            let badges = Rc::clone(&badges);
            Ok(Box::new(move |process, message| {
                badges.borrow_mut().push(message.badge);
                process.compute(work_ns)?;
                Ok(Response::bytes(*b"answer"))
            }))
        })
    };
    let (cell, rooted) = sim.cell(name, &program, None, passive, 3);
    sim.start(cell);
    (cell, rooted, badges)
}

/// A cell that waits for so long, then calls an endpoint through a capability with this badge; started.
fn caller(sim: &mut Simulation, endpoint: &Rooted, badge: u64, after_ns: u64) -> Outcome {
    let outcome = Outcome::default();
    let program = {
        let outcome = Rc::clone(&outcome);
        sim.main(move |process| {
            let at = process.time_ns() + after_ns;
            process.wait(at)?;
            let result = process.call(Handle(3), b"message", &[], NO_DEADLINE);
            *outcome.borrow_mut() = Some(result.map(|received| received.bytes));
            Ok(())
        })
    };
    let (cell, _) = sim.cell("caller", &program, None, false, 3);
    sim.grant_some(cell, endpoint, Rights::SEND, badge);
    sim.start(cell);
    outcome
}

/// Who serves the endpoint that is made at the place of the first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Passive,
    Active,
    TheSame,
}

/// A passive server has two callers, of whom one waits, when its endpoint is destroyed and another made at its place. What the one that
/// waited came to.
fn waiting_while_an_endpoint_makes_place(next: Next) -> Result<Vec<u8>, Error> {
    let mut sim = Simulation::new(3, Configuration::tiny(2), Faults::CALM);
    let (slow, slow_rooted, badges) = server(&mut sim, "slow", true, 4_000_000);
    let (other, other_rooted, other_badges) = server(&mut sim, "other", next != Next::Active, 0);
    let endpoint = sim.passive(slow);
    sim.run(STEPS).unwrap();
    let first = caller(&mut sim, &endpoint, 1, 0);
    let second = caller(&mut sim, &endpoint, 2, 1_000);
    let made = Rc::new(Cell::new(false));
    let program = {
        let made = Rc::clone(&made);
        sim.main(move |process| {
            let at = process.time_ns() + 600_000;
            process.wait(at)?;
            process.operate(Handle::SELF, OnEndpoint::Destroy { endpoint: Handle(3) }, &[])?;
            let serving = match next {
                Next::Active => Serving::Active { queue: 4 },
                Next::Passive | Next::TheSame => Serving::Passive { handler_budget_ns: None },
            };
            let create = OnBudget::CreateEndpoint { serving, of_another: true };
            process.make(Handle::BUDGET, create, &[Transfer::copy(Handle(4))])?;
            made.set(true);
            // It keeps the endpoint for longer than the callers take.
            let at = process.time_ns() + 60_000_000;
            process.wait(at)?;
            Ok(())
        })
    };
    let (cell, _) = sim.cell("replacer", &program, None, false, 7);
    sim.grant(cell, &endpoint);
    sim.grant(cell, if next == Next::TheSame { &slow_rooted } else { &other_rooted });
    sim.start(cell);
    sim.run_until(STEPS, |_| made.get()).unwrap();
    assert_eq!(badges.borrow().as_slice(), [1], "one is inside, one waits");
    assert_eq!((first.borrow().is_none(), second.borrow().is_none()), (true, true));
    assert_eq!(sim.kernel.usage().endpoints, 1, "at the place of the one before");
    sim.run(STEPS).unwrap();
    assert_eq!(first.borrow_mut().take(), Some(Ok(b"answer".to_vec())), "who is inside is answered");
    assert_eq!(badges.borrow().as_slice(), [1], "nobody came behind it");
    assert!(
        other_badges.borrow().is_empty(),
        "somebody came by an endpoint of which nobody has a capability"
    );
    let outcome = second.borrow_mut().take();
    sim.kill(other);
    sim.finish(STEPS).unwrap();
    outcome.expect("the call returned")
}

#[test]
fn who_waited_for_an_ended_endpoint_does_not_enter_the_server_of_the_next_at_its_place() {
    assert_eq!(waiting_while_an_endpoint_makes_place(Next::Passive), Err(Error::Gone));
}

#[test]
fn who_waited_for_an_ended_endpoint_does_not_run_inside_of_an_active_server_at_its_place() {
    assert_eq!(waiting_while_an_endpoint_makes_place(Next::Active), Err(Error::Gone));
}

#[test]
fn who_waited_for_an_ended_endpoint_does_not_come_in_by_the_next_of_the_same_server() {
    assert_eq!(waiting_while_an_endpoint_makes_place(Next::TheSame), Err(Error::Gone));
}

/// A program may keep the capability of a cell that it has destroyed, and another's cell lives at that place by the time it uses it.
#[test]
fn a_capability_of_an_ended_cell_makes_no_endpoint_that_the_next_at_its_place_serves() {
    let mut sim = Simulation::new(3, Configuration::tiny(1), Faults::CALM);
    let nothing = sim.main(|_| Ok(()));
    let (stage, result) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(None)));
    let maker = {
        let (stage, result) = (Rc::clone(&stage), Rc::clone(&result));
        let program = sim.main(move |process| {
            let program = [Transfer::copy(Handle(3))];
            let new =
                NewCell { memory_bytes: 1 << 16, slots: None, priority: 0, running: Running::Active(None) };
            let create = OnBudget::CreateCell { with_faults: false, new };
            let made = process.make(Handle::BUDGET, create, &program)?;
            process.operate(made, OnObject::Destroy, &[])?;
            stage.set(1);
            while stage.get() == 1 {
                let at = process.time_ns() + 10_000;
                process.wait(at)?;
            }
            let cell = [Transfer::copy(made)];
            let create = OnBudget::CreateEndpoint { serving: Serving::Active { queue: 4 }, of_another: true };
            *result.borrow_mut() = Some(process.make(Handle::BUDGET, create, &cell));
            Ok(())
        });
        let (cell, _) = sim.cell("maker", &program, None, false, 3);
        sim.grant(cell, &nothing);
        sim.start(cell);
        cell
    };
    sim.run_until(STEPS, |_| stage.get() == 1).unwrap();
    let (next, ..) = server(&mut sim, "next", false, 0);
    assert_eq!(next.0, maker.0 + 1, "it lives where the destroyed one did");
    let endpoints = sim.kernel.usage().endpoints;
    stage.set(2);
    sim.run(STEPS).unwrap();
    assert_eq!(result.borrow_mut().take(), Some(Err(Error::Gone)));
    assert_eq!(sim.kernel.usage().endpoints, endpoints, "the next one serves what it served");
    sim.finish(STEPS).unwrap();
}

#[test]
fn who_signals_learns_that_nobody_hears_any_more_until_somebody_binds_anew() {
    let mut sim = Simulation::new(1, Configuration::tiny(2), Faults::CALM);
    let bell = sim.kernel.boot_notification(&sim.boot).unwrap();
    let told = Rc::new(RefCell::new(Vec::new()));
    let hearer = |sim: &mut Simulation| {
        let notes = Rc::clone(&told);
        let program = sim.main(move |process| {
            process.operate(Handle(3), OnNotification::Bind { badge: 5 }, &[])?;
            let event = process.wait(NO_DEADLINE)?;
            notes.borrow_mut().push(event.value);
            Ok(())
        });
        let (cell, _) = sim.cell("hearer", &program, None, false, 3);
        sim.grant_some(cell, &bell, Rights::RECEIVE, 0);
        sim.start(cell);
        cell
    };
    let ring = |sim: &mut Simulation, bits: u64| {
        let answer = Rc::new(RefCell::new(None));
        let noted = Rc::clone(&answer);
        let program = sim.main(move |process| {
            *noted.borrow_mut() =
                Some(process.operate(Handle(3), OnNotification::Signal { bits }, &[]).map(drop));
            Ok(())
        });
        let (cell, _) = sim.cell("ringer", &program, None, false, 3);
        sim.grant_some(cell, &bell, Rights::SEND, 0);
        sim.start(cell);
        sim.run(STEPS).unwrap();
        answer.take().unwrap()
    };
    assert_eq!(ring(&mut sim, 1), Ok(()), "nobody has bound it yet");
    hearer(&mut sim);
    sim.run(STEPS).unwrap();
    // It was told of the first, and has ended.
    assert_eq!(ring(&mut sim, 2), Err(Error::Gone));
    hearer(&mut sim);
    sim.run(STEPS).unwrap();
    assert_eq!(*told.borrow(), [1, 2], "what was signalled in between is told");
    sim.finish(STEPS).unwrap();
}

#[test]
fn cells_that_have_nobody_but_each_other_end_with_the_one_that_they_were_made_by() {
    for starts in [false, true] {
        let mut sim = Simulation::new(5, Configuration::tiny(2), Faults::CALM);
        let child = sim.main(|process| {
            loop {
                process.wait(NO_DEADLINE)?;
            }
        });
        let maker = sim.main(move |process| {
            // The second out of a part that was split off.
            let part = process.make(Handle::BUDGET, OnBudget::Split { bytes: 200_000 }, &[])?;
            let mut made = Vec::new();
            for budget in [Handle::BUDGET, part] {
                let running = Running::Active(None);
                let new = NewCell { memory_bytes: 65_536, slots: None, priority: 0, running };
                let operation = OnBudget::CreateCell { with_faults: false, new };
                made.push(process.make(budget, operation, &[Transfer::copy(Handle(3))])?);
            }
            for (one, other) in [(0, 1), (1, 0), (0, 0)] {
                let grant = OnCell::Grant { rights: Rights::ALL, badge: 0 };
                process.operate(made[one], grant, &[Transfer::copy(made[other])])?;
            }
            for cell in made.iter().filter(|_| starts) {
                process.operate(*cell, OnCell::Start { length: 0 }, &[])?;
            }
            process.wait(NO_DEADLINE)?;
            Ok(())
        });
        let (cell, rooted) = sim.cell("maker", &maker, None, false, 3);
        sim.grant(cell, &child);
        sim.start(cell);
        sim.run(STEPS).unwrap();
        // A new life of the maker loses them, but they have each other.
        assert_eq!(sim.kernel.usage().cells, 3);
        sim.kill(cell);
        sim.run(STEPS).unwrap();
        assert_eq!(sim.kernel.usage().cells, 3);
        let before = sim.memory_taken();
        sim.kernel.boot_destroy(&sim.boot, &rooted);
        sim.run(STEPS).unwrap();
        assert_eq!(sim.kernel.usage().cells, 0, "{}", sim.picture());
        assert!(sim.memory_taken() < before);
        sim.finish(STEPS).unwrap();
    }
}
