//! Time budgets: who has used its own up stands still, in a server at the end of the handler, and what it owes it pays.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hallows_abi::{
    Error, Handle, NO_DEADLINE, NewCell, OnBudget, OnCell, OnNotification, OnObject, OnTimer, Running,
    TimeBudget, Transfer,
};
use hallows_kernel::{
    CellId, CellPicture, CellSpecification, CellState, Configuration, CoreId, Nanos, Rooted, Service,
    TimePicture,
};
use hallows_sim::{Faults, Process, Response, Simulation};

const STEPS: u64 = 400_000;
const US: u64 = 1_000;
const MS: u64 = 1_000_000;
/// The grain that debt has beside what handlers take: the timekeeper's coarse looks.
const GRAIN_NS: u64 = MS;
const FIFTH: TimeBudget = TimeBudget { budget_ns: 200 * US, period_ns: MS };

fn simulation(cores: u32) -> Simulation {
    Simulation::new(1, Configuration::tiny(cores), Faults::CALM)
}

fn specification(priority: u8, time: Option<TimeBudget>) -> CellSpecification<'static> {
    CellSpecification {
        name: "cell",
        memory_bytes: 1 << 20,
        slots: 0,
        class: Default::default(),
        priority,
        passive: false,
        pinned: None,
        pool: 0,
        time,
    }
}

fn picture(sim: &Simulation, cell: CellId) -> CellPicture {
    sim.kernel.picture_cells().into_iter().find(|picture| picture.cell == cell).unwrap()
}

fn time_of(sim: &Simulation, cell: CellId) -> TimePicture {
    picture(sim, cell).time.unwrap()
}

/// A program that computes for ever, and counts what it has.
fn spinner(sim: &mut Simulation) -> (Rooted, Rc<Cell<u64>>) {
    let computed = Rc::new(Cell::new(0));
    let counted = Rc::clone(&computed);
    let program = sim.main(move |process| {
        loop {
            process.compute(500)?;
            counted.set(counted.get() + 500);
        }
    });
    (program, computed)
}

/// A passive server whose handler computes for so long, with such a budget.
fn server(sim: &mut Simulation, work_ns: u64, handler_budget_ns: u64) -> (CellId, Rooted) {
    let program = sim.reactor(move |_| {
        Ok(Box::new(move |process: &mut Process<'_>, _| {
            process.compute(work_ns)?;
            Ok(Response::bytes([7]))
        }))
    });
    let (cell, _) = sim.cell("server", &program, None, true, 0);
    let endpoint = sim.endpoint(cell, Service::Passive { handler_budget_ns });
    sim.start(cell);
    sim.run(STEPS).unwrap();
    (cell, endpoint)
}

#[test]
fn a_cell_with_a_fifth_of_a_core_gets_no_more_and_its_neighbour_has_the_rest() {
    let mut sim = simulation(1);
    // The greedy one has the highest priority: without its budget the other would have nothing.
    let (program, greedy) = spinner(&mut sim);
    let (capped, _) = sim.cell_of(&program, None, &specification(7, Some(FIFTH)));
    sim.start(capped);
    let (program, modest) = spinner(&mut sim);
    let (other, _) = sim.cell_of(&program, None, &specification(0, None));
    sim.start(other);
    let begin = sim.time_ns();
    sim.run_until(STEPS, |sim| sim.time_ns() > begin + 30 * MS).unwrap();
    let took = sim.time_ns() - begin;
    assert!(greedy.get() <= took / 5 + FIFTH.budget_ns, "{} of {took} ns", greedy.get());
    // Looks, switches and the steps of the simulation itself take some of it.
    assert!(greedy.get() >= took / 7, "{} of {took} ns", greedy.get());
    assert!(modest.get() >= took / 2, "{} of {took} ns", modest.get());
    assert!((25..=35).contains(&time_of(&sim, capped).throttlings), "{:?}", time_of(&sim, capped));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_cell_that_runs_alone_stands_still_as_well() {
    let mut sim = simulation(2);
    let (program, computed) = spinner(&mut sim);
    let (capped, _) = sim.cell_of(&program, None, &specification(3, Some(FIFTH)));
    sim.start(capped);
    let begin = sim.time_ns();
    sim.run_until(STEPS, |sim| sim.time_ns() > begin + 30 * MS).unwrap();
    let took = sim.time_ns() - begin;
    assert!(computed.get() <= took / 5 + FIFTH.budget_ns, "{} of {took} ns", computed.get());
    assert!(computed.get() >= took / 7, "{} of {took} ns", computed.get());
    sim.finish(STEPS).unwrap();
}

/// What is always over before its budget could be used up is never seen by a look that comes by then: sightings alone would not do.
#[test]
fn a_cell_that_works_between_the_looks_is_counted_too() {
    let mut sim = simulation(1);
    let worked = Rc::new(Cell::new(0));
    let counted = Rc::clone(&worked);
    let program = sim.main(move |process| {
        loop {
            for _ in 0..30 {
                process.compute(US)?;
                counted.set(counted.get() + US);
            }
            process.wait(process.time_ns() + 10 * US)?;
        }
    });
    let time = TimeBudget { budget_ns: 100 * US, period_ns: MS };
    let (cell, _) = sim.cell_of(&program, None, &specification(3, Some(time)));
    sim.start(cell);
    let begin = sim.time_ns();
    sim.run_until(STEPS, |sim| sim.time_ns() > begin + 30 * MS).unwrap();
    let took = sim.time_ns() - begin;
    assert!(worked.get() <= took / 10 + time.budget_ns, "{} of {took} ns", worked.get());
    assert!(worked.get() >= took / 15, "{} of {took} ns", worked.get());
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_look_for_one_budget_does_not_forget_another() {
    let mut sim = simulation(2);
    let mut cells = Vec::new();
    for (core, budget_us) in [(0, 50), (1, 400)] {
        let (program, _) = spinner(&mut sim);
        let time = TimeBudget { budget_ns: budget_us * US, period_ns: 1_000 * MS };
        let pinned = CellSpecification { pinned: Some(CoreId(core)), ..specification(3, Some(time)) };
        let (cell, _) = sim.cell_of(&program, None, &pinned);
        sim.start(cell);
        cells.push(cell);
    }
    // Each runs alone on its core: nothing but their budgets brings the timekeeper before its coarse look.
    for cell in cells {
        sim.run_until(STEPS, |sim| time_of(sim, cell).throttled).unwrap();
        let time = time_of(&sim, cell);
        assert!(time.debt_ns < GRAIN_NS / 20, "{time:?}");
    }
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_budget_on_a_machine_that_is_busy_elsewhere_does_not_wait_for_the_coarse_look() {
    let mut sim = simulation(2);
    let (program, _) = spinner(&mut sim);
    let busy = CellSpecification { pinned: Some(CoreId(0)), ..specification(3, None) };
    let (busy, _) = sim.cell_of(&program, None, &busy);
    sim.start(busy);
    let begin = sim.time_ns();
    sim.run_until(STEPS, |sim| sim.time_ns() > begin + GRAIN_NS / 10).unwrap();
    let time = TimeBudget { budget_ns: 50 * US, period_ns: 1_000 * MS };
    let capped = CellSpecification { pinned: Some(CoreId(1)), ..specification(3, Some(time)) };
    let (capped, _) = sim.cell_of(&program, None, &capped);
    sim.start(capped);
    sim.run_until(STEPS, |sim| time_of(sim, capped).throttled).unwrap();
    let time = time_of(&sim, capped);
    assert!(time.debt_ns < GRAIN_NS / 20, "{time:?}");
    sim.finish(STEPS).unwrap();
}

#[test]
fn who_runs_out_of_time_inside_of_a_server_completes_the_call_and_pays_afterwards() {
    let mut sim = simulation(1);
    const WORK_NS: u64 = 700 * US;
    let (_, endpoint) = server(&mut sim, WORK_NS, 10 * MS);
    let times = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&times);
    let client = sim.main(move |process| {
        noted.borrow_mut().push(process.time_ns());
        process.wait(process.time_ns() + 3 * MS)?;
        noted.borrow_mut().push(process.time_ns());
        assert_eq!(process.call(Handle(3), &[], &[], NO_DEADLINE)?.bytes, [7]);
        noted.borrow_mut().push(process.time_ns());
        process.check()?;
        Ok(())
    });
    let (client, _) = sim.cell_of(&client, None, &specification(3, Some(FIFTH)));
    sim.grant(client, &endpoint);
    sim.start(client);
    let (server_done, seen) = (Rc::clone(&times), Rc::new(Cell::new(None)));
    let noted = Rc::clone(&seen);
    sim.run_until(STEPS, move |sim| {
        let time = time_of(sim, client);
        assert_eq!(sim.kernel.throttled_holders(), [], "it stands still inside of the server");
        if time.throttled && noted.get().is_none() {
            noted.set(Some(time));
        }
        server_done.borrow().len() == 3
    })
    .unwrap();
    sim.run(STEPS).unwrap();
    let times = times.borrow();
    // The handler was not stopped in the middle: its answer came when the debt was paid, three periods later.
    let debt = seen.get().unwrap();
    assert!((WORK_NS - 2 * FIFTH.budget_ns..=WORK_NS).contains(&debt.debt_ns), "{debt:?}");
    let took = times[2] - times[1];
    assert!((3 * MS..5 * MS).contains(&took), "the call took {took} ns");
    assert_eq!(time_of(&sim, client).throttlings, 1);
    sim.finish(STEPS).unwrap();
}

#[test]
fn debt_is_at_most_what_the_handlers_of_the_chain_may_take() {
    let mut sim = simulation(1);
    const HANDLER_NS: u64 = 400 * US;
    // Never returns by itself.
    let (_, endpoint) = server(&mut sim, 1_000 * MS, HANDLER_NS);
    let (result, noted) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(None)));
    let got = Rc::clone(&result);
    let client = sim.main(move |process| {
        got.set(Some(process.call(Handle(3), &[], &[], NO_DEADLINE).map(|_| ())));
        Ok(())
    });
    let time = TimeBudget { budget_ns: 20 * US, period_ns: 100 * US };
    let (client, _) = sim.cell_of(&client, None, &specification(3, Some(time)));
    sim.grant(client, &endpoint);
    sim.start(client);
    let seen = Rc::clone(&noted);
    let mut most = 0;
    sim.run_until(STEPS, |sim| {
        let time = time_of(sim, client);
        most = most.max(time.debt_ns);
        if time.throttled {
            seen.set(Some(time));
        }
        result.get().is_some()
    })
    .unwrap();
    assert_eq!(result.get(), Some(Err(Error::ServerDied)));
    assert!(noted.get().is_some(), "it has never stood still");
    assert!((HANDLER_NS / 2..=HANDLER_NS + GRAIN_NS).contains(&most), "a debt of {most} ns");
    sim.finish(STEPS).unwrap();
}

#[test]
fn who_has_time_again_and_waits_for_a_core_does_not_stand_still() {
    let mut sim = simulation(1);
    let (program, _) = spinner(&mut sim);
    let (capped, _) = sim.cell_of(&program, None, &specification(1, Some(FIFTH)));
    sim.start(capped);
    sim.run_until(STEPS, |sim| time_of(sim, capped).throttled).unwrap();
    let (above, _) = sim.cell_of(&program, None, &specification(7, None));
    sim.start(above);
    let begin = sim.time_ns();
    sim.run_until(STEPS, |sim| sim.time_ns() > begin + 2 * FIFTH.period_ns).unwrap();
    assert!(picture(&sim, capped).runnable);
    assert!(!time_of(&sim, capped).throttled, "{:?}", time_of(&sim, capped));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_cell_that_stands_still_can_be_killed_at_once() {
    let mut sim = simulation(1);
    let (program, _) = spinner(&mut sim);
    // Nothing for a minute.
    let time = TimeBudget { budget_ns: 100 * US, period_ns: 60_000 * MS };
    let (capped, _) = sim.cell_of(&program, None, &specification(3, Some(time)));
    sim.start(capped);
    sim.run_until(STEPS, |sim| time_of(sim, capped).throttled).unwrap();
    let begin = sim.time_ns();
    assert!(sim.kill(capped));
    sim.run_until(STEPS, |sim| sim.kernel.state(capped) == CellState::Dead).unwrap();
    assert!(sim.time_ns() - begin < MS, "it took {} ns to die", sim.time_ns() - begin);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_restart_does_not_bring_a_new_budget() {
    let mut sim = simulation(1);
    let lives = Rc::new(Cell::new(0));
    let counted = Rc::clone(&lives);
    let program = sim.main(move |process| {
        counted.set(counted.get() + 1);
        loop {
            process.compute(500)?;
        }
    });
    let time = TimeBudget { budget_ns: 100 * US, period_ns: 100 * MS };
    let (capped, rooted) = sim.cell_of(&program, None, &specification(3, Some(time)));
    sim.start(capped);
    sim.run_until(STEPS, |sim| time_of(sim, capped).throttled).unwrap();
    sim.kill(capped);
    sim.run_until(STEPS, |sim| sim.kernel.state(capped) == CellState::Dead).unwrap();
    let restarter = sim.main(|process| {
        process.operate(Handle(3), OnCell::Restart, &[])?;
        Ok(())
    });
    let (restarter, _) = sim.cell_of(&restarter, None, &specification(3, None));
    sim.grant(restarter, &rooted);
    sim.start(restarter);
    sim.run_until(STEPS, |sim| {
        sim.kernel.state(restarter) == CellState::Dead && time_of(sim, capped).throttled
    })
    .unwrap();
    assert_eq!(lives.get(), 1, "its second life has begun");
    // It begins when there is time for it.
    let begun = Rc::clone(&lives);
    sim.run_until(STEPS, |_| begun.get() == 2).unwrap();
    sim.finish(STEPS).unwrap();
}

/// A small cell.
fn create(running: Running) -> OnBudget {
    let new = NewCell { memory_bytes: 1 << 16, slots: Some(8), priority: 0, running };
    OnBudget::CreateCell { with_faults: false, new }
}

#[test]
fn cells_that_come_and_go_with_long_periods_leave_no_queue_behind() {
    let mut sim = simulation(1);
    let (program, _) = spinner(&mut sim);
    let maker = sim.main(|process| {
        let time = TimeBudget { budget_ns: US, period_ns: TimeBudget::MOST_PERIOD_NS };
        let create = create(Running::Active(Some(time)));
        for _ in 0..50 {
            let child = process.make(Handle::BUDGET, create, &[Transfer::copy(Handle(3))])?;
            process.operate(child, OnCell::Start { length: 0 }, &[])?;
            // Time enough to use it up.
            process.wait(process.time_ns() + 50 * US)?;
            process.operate(child, OnObject::Destroy, &[])?;
        }
        process.wait(process.time_ns() + 1_000_000 * MS)?;
        Ok(())
    });
    let (maker, _) = sim.cell_of(&maker, None, &specification(7, None));
    sim.grant(maker, &program);
    sim.start(maker);
    let begin = sim.time_ns();
    sim.run_until(STEPS, |sim| sim.time_ns() > begin + 50 * 60 * US).unwrap();
    assert_eq!(sim.kernel.usage().cells, 1, "{}", sim.picture());
    let due = sim.kernel.usage().due;
    // The maker's wait, and what its last child has left.
    assert!((1..=3).contains(&due), "{due} entries");
    sim.finish(STEPS).unwrap();
}

/// A holder that is helped runs on the time of its helper, as far as that goes.
#[test]
fn who_helps_pays() {
    for helpers in [
        TimeBudget { budget_ns: 900 * US, period_ns: 100 * MS },
        TimeBudget { budget_ns: 60 * US, period_ns: 100 * MS },
    ] {
        let mut sim = simulation(1);
        const WORK_NS: u64 = 400 * US;
        let (_, endpoint) = server(&mut sim, WORK_NS, 10 * MS);
        let inside = Rc::new(Cell::new(false));
        let entered = Rc::clone(&inside);
        let low = sim.main(move |process| {
            entered.set(true);
            process.call(Handle(3), &[], &[], NO_DEADLINE)?;
            entered.set(false);
            Ok(())
        });
        let (low, _) = sim.cell_of(
            &low,
            None,
            &specification(1, Some(TimeBudget { budget_ns: 50 * MS, period_ns: 100 * MS })),
        );
        sim.grant(low, &endpoint);
        sim.start(low);
        let begin = sim.time_ns();
        sim.run_until(STEPS, |sim| sim.time_ns() > begin + 100 * US).unwrap();
        assert!(inside.get());
        let high = sim.main(|process| {
            process.call(Handle(3), &[], &[], NO_DEADLINE)?;
            Ok(())
        });
        let (high, _) = sim.cell_of(&high, None, &specification(7, Some(helpers)));
        sim.grant(high, &endpoint);
        sim.start(high);
        let out = Rc::clone(&inside);
        sim.run_until(STEPS, |_| !out.get()).unwrap();
        let (own, lent) = (time_of(&sim, low).used_ns, time_of(&sim, high));
        // 100 µs of the holder's work were done before somebody helped; the rest is the helper's, if it has so much.
        if helpers.budget_ns > WORK_NS {
            assert!(own < WORK_NS / 2, "the holder has paid {own} ns, its helper {lent:?}");
            assert!(lent.used_ns > WORK_NS / 2, "the helper has paid {lent:?}");
        } else {
            assert!(own > WORK_NS / 2, "the holder has paid {own} ns, its helper {lent:?}");
        }
        sim.finish(STEPS).unwrap();
    }
}

/// A holder that was helped once runs on its own time again when nobody waits for it any more, also if nobody was there to hand over to.
#[test]
fn who_has_given_up_waiting_does_not_pay_any_more() {
    let mut sim = simulation(2);
    const WORK_NS: u64 = 1_200 * US;
    let (_, endpoint) = server(&mut sim, WORK_NS, 10 * MS);
    // Keeps the other core busy until the holder is helped.
    let busy = sim.main(|process| process.compute(200 * US));
    let pinned = CellSpecification { pinned: Some(CoreId(1)), ..specification(3, None) };
    let (busy, _) = sim.cell_of(&busy, None, &pinned);
    sim.start(busy);
    let greedy = sim.main(move |process| {
        process.call(Handle(3), &[], &[], NO_DEADLINE)?;
        loop {
            process.compute(500)?;
        }
    });
    let time = TimeBudget { budget_ns: MS, period_ns: 10 * MS };
    let (greedy, _) = sim.cell_of(&greedy, None, &specification(1, Some(time)));
    sim.grant(greedy, &endpoint);
    sim.start(greedy);
    let begin = sim.time_ns();
    sim.run_until(STEPS, |sim| sim.time_ns() > begin + 50 * US).unwrap();
    let result = Rc::new(Cell::new(None));
    let got = Rc::clone(&result);
    let helper = sim.main(move |process| {
        let deadline = process.time_ns() + 600 * US;
        got.set(Some(process.call(Handle(3), &[], &[], deadline).map(|_| ())));
        process.wait(process.time_ns() + 1_000 * MS)?;
        Ok(())
    });
    let time = TimeBudget { budget_ns: 100 * MS, period_ns: 100 * MS };
    let (helper, _) = sim.cell_of(&helper, None, &specification(7, Some(time)));
    sim.grant(helper, &endpoint);
    sim.start(helper);
    sim.run_until(STEPS, |_| result.get().is_some()).unwrap();
    assert_eq!(result.get(), Some(Err(Error::DeadlinePassed)));
    let helped = time_of(&sim, helper).used_ns;
    assert!(helped > 0);
    let begin = sim.time_ns();
    sim.run_until(STEPS, |sim| sim.time_ns() > begin + 5 * MS).unwrap();
    let paid = time_of(&sim, helper).used_ns;
    assert!(paid < helped + 50 * US, "{paid} ns, {helped} ns of them when it gave up");
    // It has left the server, with a debt: its answer waits for that.
    assert_eq!(time_of(&sim, greedy).throttlings, 1, "{:?}", time_of(&sim, greedy));
    sim.finish(STEPS).unwrap();
}

#[test]
fn messages_to_a_server_that_stands_still_are_answered_when_it_goes_on() {
    let mut sim = simulation(2);
    let program = sim.reactor(|_| {
        Ok(Box::new(|process: &mut Process<'_>, _| {
            process.compute(30 * US)?;
            Ok(Response::bytes([1]))
        }))
    });
    let time = TimeBudget { budget_ns: 50 * US, period_ns: 500 * US };
    let (serving, _) = sim.cell_of(&program, None, &specification(3, Some(time)));
    let endpoint = sim.active(serving, 8);
    sim.start(serving);
    let answered = Rc::new(Cell::new(0));
    for _ in 0..3 {
        let counted = Rc::clone(&answered);
        let client = sim.main(move |process| {
            for _ in 0..10 {
                process.call(Handle(3), &[], &[], NO_DEADLINE)?;
                counted.set(counted.get() + 1);
            }
            Ok(())
        });
        let (client, _) = sim.cell_of(&client, None, &specification(3, None));
        sim.grant(client, &endpoint);
        sim.start(client);
    }
    let begin = sim.time_ns();
    // Comes to rest by itself: nobody waits for ever.
    sim.run(STEPS).unwrap();
    assert_eq!(answered.get(), 30);
    // 30 × 30 µs at 50 µs in 500 µs.
    assert!(sim.time_ns() - begin > 7 * MS, "{} ns", sim.time_ns() - begin);
    sim.finish(STEPS).unwrap();
}

#[test]
fn budgets_that_make_no_sense_are_refused() {
    let mut sim = simulation(1);
    let (program, _) = spinner(&mut sim);
    let least = sim.kernel.shortest_budget_period_ns();
    let bad = [(0, MS), (MS, 0), (MS + 1, MS), (1, least - 1), (MS, TimeBudget::MOST_PERIOD_NS + 1)];
    for (budget_ns, period_ns) in bad {
        let time = Some(TimeBudget { budget_ns, period_ns });
        let made = sim.kernel.boot_cell(&sim.boot, &program, None, &specification(3, time));
        assert_eq!(made.map(|_| ()), Err(Error::BadArgument), "{time:?}");
    }
    let passive = CellSpecification { passive: true, ..specification(3, Some(FIFTH)) };
    assert_eq!(
        sim.kernel.boot_cell(&sim.boot, &program, None, &passive).map(|_| ()),
        Err(Error::BadArgument)
    );
    sim.cell_of(&program, None, &specification(3, Some(TimeBudget { budget_ns: least, period_ns: least })));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_cell_with_a_budget_gives_no_larger_share_to_those_that_it_makes() {
    let mut sim = simulation(1);
    let (program, _) = spinner(&mut sim);
    let results = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&results);
    let maker = sim.main(move |process| {
        let budgets = [None, Some((201, 1_000)), Some((100, 400)), Some((200, 1_000)), Some((10, 500))];
        for time in budgets {
            let time =
                time.map(|(budget, period)| TimeBudget { budget_ns: budget * US, period_ns: period * US });
            let create = create(Running::Active(time));
            let made = process.make(Handle::BUDGET, create, &[Transfer::copy(Handle(3))]);
            noted.borrow_mut().push(made.err());
        }
        // A passive cell has no budget, and an init function of its own, which nobody would pay for.
        let passive = create(Running::Passive);
        let made = process.make(Handle::BUDGET, passive, &[Transfer::copy(Handle(3))]);
        noted.borrow_mut().push(made.err());
        Ok(())
    });
    let (maker, _) = sim.cell_of(&maker, None, &specification(3, Some(FIFTH)));
    sim.grant(maker, &program);
    sim.start(maker);
    sim.run(STEPS).unwrap();
    let refused = Some(Error::NoRight);
    assert_eq!(*results.borrow(), [refused, refused, refused, None, None, refused]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn an_idle_machine_arms_nothing() {
    let mut sim = simulation(2);
    // Everything that could be due: a thread that waits, a timer that has fired, a budget that was used up once.
    let (program, _) = {
        let done = Rc::new(Cell::new(0));
        let program = sim.main(|process| {
            process.compute(300 * US)?;
            process.wait(process.time_ns() + 100 * US)?;
            let bell = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
            process.operate(bell, OnNotification::Bind { badge: 0 }, &[])?;
            let timer =
                process.make(Handle::BUDGET, OnBudget::CreateTimer { bits: 1 }, &[Transfer::copy(bell)])?;
            let at = process.time_ns() + 50 * US;
            process.operate(timer, OnTimer::Arm { at_ns: at, every_ns: 0, slack_ns: 0 }, &[])?;
            process.wait(NO_DEADLINE)?;
            process.wait(NO_DEADLINE)?;
            Ok(())
        });
        (program, done)
    };
    for time in [None, Some(FIFTH)] {
        let (cell, _) = sim.cell_of(&program, None, &specification(3, time));
        sim.start(cell);
    }
    sim.run(STEPS).unwrap();
    // The simulation rests only when nothing is armed. Whenever the timekeeper is asked after that, it wants nothing either.
    let now = sim.time_ns();
    for later in [0, 1, US, MS, 1_000 * MS, 1_000_000 * MS] {
        let next = sim.kernel.tick(Nanos(now + later));
        assert_eq!((next.at, next.spin), (Nanos::NEVER, false), "after {later} ns");
    }
    assert!((0..2).all(|core| sim.kernel.is_idle(CoreId(core))));
    sim.finish(STEPS).unwrap();
}
