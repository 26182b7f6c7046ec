//! Scheduling classes: reservations that are kept whatever others do, the earliest deadline first, and batch work that gets what is left.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hallows_abi::{
    Error, FaultKind, FaultReport, Handle, NO_DEADLINE, NewCell, OnBudget, Running, TimeBudget, Transfer,
};
use hallows_kernel::{CellId, CellPicture, CellSpecification, Class, Configuration, CoreId, Rooted, Service};
use hallows_sim::{Faults, Process, Response, Simulation};

const STEPS: u64 = 2_000_000;
const US: u64 = 1_000;
const MS: u64 = 1_000_000;

fn simulation(cores: u32) -> Simulation {
    Simulation::new(1, Configuration::tiny(cores), Faults::CALM)
}

fn time(budget_us: u64, period_us: u64) -> TimeBudget {
    TimeBudget { budget_ns: budget_us * US, period_ns: period_us * US }
}

fn of_class(class: Class, priority: u8) -> CellSpecification<'static> {
    CellSpecification {
        name: "cell",
        memory_bytes: 1 << 20,
        slots: 0,
        class,
        priority,
        passive: false,
        pinned: None,
        pool: 0,
        time: None,
    }
}

fn reserved(priority: u8, core: u32, time: TimeBudget) -> CellSpecification<'static> {
    CellSpecification { pinned: Some(CoreId(core)), time: Some(time), ..of_class(Class::RealTime, priority) }
}

fn picture(sim: &Simulation, cell: CellId) -> CellPicture {
    sim.kernel.picture_cells().into_iter().find(|picture| picture.cell == cell).unwrap()
}

/// Computes for ever, and counts what it has.
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

/// What a periodic program has seen: jobs done, and by how much the latest one was behind its deadline, in ns (0: none was).
#[derive(Debug, Default)]
struct Seen {
    jobs: Cell<u64>,
    latest_ns: Cell<u64>,
}

/// Computes for `work_us` in each period, beginning at a multiple of it, and is to be done by the period's end.
fn periodic(sim: &mut Simulation, work_us: u64, period_us: u64) -> (Rooted, Rc<Seen>) {
    let seen = Rc::new(Seen::default());
    let noted = Rc::clone(&seen);
    let program = sim.main(move |process| {
        let period_ns = period_us * US;
        let mut release_ns = (process.time_ns() / period_ns + 1) * period_ns;
        loop {
            while process.time_ns() < release_ns {
                process.wait(release_ns)?;
            }
            process.compute(work_us * US)?;
            noted.jobs.set(noted.jobs.get() + 1);
            let late_ns = process.time_ns().saturating_sub(release_ns + period_ns);
            noted.latest_ns.set(noted.latest_ns.get().max(late_ns));
            release_ns += period_ns;
        }
    });
    (program, seen)
}

fn run_for(sim: &mut Simulation, ns: u64) {
    let begin = sim.time_ns();
    sim.run_until(STEPS, |sim| sim.time_ns() > begin + ns).unwrap();
}

/// Who was done, one after another.
type Done = Rc<RefCell<Vec<&'static str>>>;

/// Wakes up at multiples of 20 ms, at the same time as all others like it, and computes.
fn at_once(sim: &mut Simulation, name: &'static str, done: &Done) -> Rooted {
    let done = Rc::clone(done);
    sim.main(move |process| {
        loop {
            let at_ns = (process.time_ns() / (20 * MS) + 1) * 20 * MS;
            while process.time_ns() < at_ns {
                process.wait(at_ns)?;
            }
            process.compute(200 * US)?;
            done.borrow_mut().push(name);
        }
    })
}

#[test]
fn of_those_with_one_priority_the_earliest_deadline_goes_first_and_no_later_one_interrupts_it() {
    let rounds = |priorities: [u8; 3]| {
        let (mut sim, done) = (simulation(1), Done::default());
        let periods = [("late", 12_000), ("early", 3_000), ("middle", 6_000)];
        for ((name, period_us), priority) in periods.into_iter().zip(priorities) {
            let program = at_once(&mut sim, name, &done);
            let (cell, _) = sim.cell_of(&program, None, &reserved(priority, 0, time(900, period_us)));
            sim.start(cell);
        }
        run_for(&mut sim, 90 * MS);
        sim.finish(STEPS).unwrap();
        done.take()
    };
    let equal = rounds([3, 3, 3]);
    assert!(
        equal.len() >= 12 && equal.chunks_exact(3).all(|round| round == ["early", "middle", "late"]),
        "{equal:?}"
    );
    // A higher priority goes before all deadlines.
    let fixed = rounds([5, 3, 4]);
    assert!(
        fixed.len() >= 12 && fixed.chunks_exact(3).all(|round| round == ["late", "middle", "early"]),
        "{fixed:?}"
    );
}

#[test]
fn a_core_is_not_reserved_twice_and_what_was_is_free_when_its_cell_ends() {
    let mut sim = simulation(2);
    let (program, _) = spinner(&mut sim);
    let make = |sim: &Simulation, core, time| {
        sim.kernel.boot_cell(&sim.boot, &program, None, &reserved(3, core, time))
    };
    let (_, half) = make(&sim, 0, time(500, 1_000)).unwrap();
    let (_, most) = make(&sim, 0, time(400, 1_000)).unwrap();
    assert_eq!(make(&sim, 0, time(101, 1_000)).unwrap_err(), Error::BudgetExhausted);
    // All of it may be.
    let (_, rest) = make(&sim, 0, time(100, 1_000)).unwrap();
    assert_eq!(make(&sim, 0, time(1, 1_000_000)).unwrap_err(), Error::BudgetExhausted);
    // Another core has its own time.
    let (_, other) = make(&sim, 1, time(1_000, 1_000)).unwrap();
    sim.kernel.boot_destroy(&sim.boot, &most);
    let (_, again) = make(&sim, 0, time(400, 1_000)).unwrap();
    for cell in [half, rest, other, again] {
        sim.kernel.boot_destroy(&sim.boot, &cell);
    }
    let usage = sim.kernel.picture_cells();
    assert!(usage.is_empty(), "{usage:?}");
    let (_, all) = make(&sim, 0, time(1_000, 1_000)).unwrap();
    sim.kernel.boot_destroy(&sim.boot, &all);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_reservation_is_of_one_core_with_a_budget_and_for_who_runs_by_himself() {
    let mut sim = simulation(2);
    let (program, _) = spinner(&mut sim);
    let good = reserved(3, 1, time(500, 1_000));
    for bad in [
        CellSpecification { pinned: None, ..good.clone() },
        CellSpecification { time: None, ..good.clone() },
        CellSpecification { passive: true, ..good.clone() },
        CellSpecification { pinned: Some(CoreId(2)), ..good.clone() },
        CellSpecification { priority: 8, ..good.clone() },
        CellSpecification { time: Some(time(2, 1)), ..good.clone() },
        CellSpecification { time: Some(TimeBudget { budget_ns: 0, period_ns: MS }), ..good.clone() },
        CellSpecification { time: Some(TimeBudget { budget_ns: 1, period_ns: 1_000 }), ..good },
    ] {
        let refused = sim.kernel.boot_cell(&sim.boot, &program, None, &bad);
        assert_eq!(refused.unwrap_err(), Error::BadArgument, "{bad:?}");
    }
    sim.finish(STEPS).unwrap();
}

#[test]
fn whatever_others_do_a_reservation_is_kept() {
    let mut sim = simulation(1);
    let mut others = Vec::new();
    // One that wants far more than it has reserved, one of the latency class at the highest priority, one of the batch class.
    for specification in
        [reserved(3, 0, time(300, 1_000)), of_class(Class::Latency, 7), of_class(Class::Batch, 7)]
    {
        let (program, computed) = spinner(&mut sim);
        let (cell, _) = sim.cell_of(&program, None, &specification);
        sim.start(cell);
        others.push((cell, computed));
    }
    let (program, seen) = periodic(&mut sim, 150, 2_000);
    let (cell, _) = sim.cell_of(&program, None, &reserved(3, 0, time(450, 2_000)));
    sim.start(cell);
    run_for(&mut sim, 60 * MS);
    assert!(seen.jobs.get() >= 28, "{seen:?}");
    assert_eq!((seen.latest_ns.get(), picture(&sim, cell).missed), (0, 0), "{seen:?}");
    // Who wants more than it has reserved stands still for the rest of each period, and misses what it was woken for each time.
    let greedy = picture(&sim, others[0].0);
    // The simulation itself takes a good part of it.
    assert!((8 * MS..=20 * MS).contains(&others[0].1.get()), "{} ns", others[0].1.get());
    assert!((50..=65).contains(&greedy.missed) && greedy.class == Class::RealTime, "{greedy:?}");
    // The rest is the latency class's, which never ends, so nothing is left for batch work.
    assert!(
        others[1].1.get() >= 10 * MS && others[2].1.get() == 0,
        "{} and {} ns",
        others[1].1.get(),
        others[2].1.get()
    );
    sim.finish(STEPS).unwrap();
}

#[test]
fn batch_work_has_what_is_left_and_makes_nobody_wait() {
    let mut sim = simulation(1);
    let mut batch = Vec::new();
    for priority in [0, 7] {
        let (program, computed) = spinner(&mut sim);
        let (cell, _) = sim.cell_of(&program, None, &of_class(Class::Batch, priority));
        sim.start(cell);
        batch.push(computed);
    }
    // Wakes up every 200 µs, at the lowest priority of its class.
    let latest = Rc::new(Cell::new(0));
    let noted = Rc::clone(&latest);
    let program = sim.main(move |process| {
        loop {
            let at_ns = process.time_ns() + 200 * US;
            process.wait(at_ns)?;
            noted.set(noted.get().max(process.time_ns().saturating_sub(at_ns)));
            process.compute(50 * US)?;
        }
    });
    let (cell, _) = sim.cell_of(&program, None, &of_class(Class::Latency, 0));
    sim.start(cell);
    run_for(&mut sim, 20 * MS);
    let (one, other) = (batch[0].get(), batch[1].get());
    // Priorities mean nothing there, and both have about half.
    assert!(one + other >= 12 * MS && one.abs_diff(other) <= MS, "{one} and {other} ns");
    // Not until the end of a quantum of the batch class, nor of its own.
    assert!(latest.get() < 20 * US, "{} ns", latest.get());
    sim.finish(STEPS).unwrap();
}

#[test]
fn batch_work_takes_turns_seldom() {
    let switches = |class| {
        let mut sim = simulation(1);
        for _ in 0..2 {
            let (program, _) = spinner(&mut sim);
            let (cell, _) = sim.cell_of(&program, None, &of_class(class, 3));
            sim.start(cell);
        }
        run_for(&mut sim, 10 * MS);
        let switches = sim.kernel.picture_cores()[0].switches;
        sim.finish(STEPS).unwrap();
        switches
    };
    let (batch, latency) = (switches(Class::Batch), switches(Class::Latency));
    assert!((80..=120).contains(&batch) && latency > 10 * batch, "{batch} and {latency}");
}

#[test]
fn who_holds_a_server_that_a_reservation_needs_is_lent_its_class() {
    let mut sim = simulation(1);
    let program = sim.reactor(|_| {
        Ok(Box::new(|process: &mut Process<'_>, _| {
            process.compute(20 * US)?;
            Ok(Response::bytes([7]))
        }))
    });
    let (server, _) = sim.cell("server", &program, None, true, 0);
    let endpoint = sim.endpoint(server, Service::Passive { handler_budget_ns: 10 * MS });
    sim.start(server);
    sim.run(STEPS).unwrap();
    // Batch work that is nearly always inside of the server.
    let handle = Rc::new(Cell::new(None));
    let used = Rc::clone(&handle);
    let program = sim.main(move |process| {
        loop {
            process.call(used.get().unwrap(), &[1], &[], NO_DEADLINE)?;
        }
    });
    let (batch, _) = sim.cell_of(&program, None, &of_class(Class::Batch, 0));
    handle.set(Some(sim.grant(batch, &endpoint)));
    sim.start(batch);
    // What would keep batch work from ever leaving the server.
    let (program, _) = spinner(&mut sim);
    let (hog, _) = sim.cell_of(&program, None, &of_class(Class::Latency, 7));
    let taken = Rc::new(RefCell::new(Vec::new()));
    let (noted, own) = (Rc::clone(&taken), Rc::new(Cell::new(None)));
    let used = Rc::clone(&own);
    let program = sim.main(move |process| {
        loop {
            let begin = process.time_ns();
            process.call(used.get().unwrap(), &[1], &[], NO_DEADLINE)?;
            noted.borrow_mut().push(process.time_ns() - begin);
            process.wait(process.time_ns() + 500 * US)?;
        }
    });
    let (caller, _) = sim.cell_of(&program, None, &reserved(0, 0, time(200, 1_000)));
    own.set(Some(sim.grant(caller, &endpoint)));
    run_for(&mut sim, MS);
    sim.start(hog);
    sim.start(caller);
    run_for(&mut sim, 20 * MS);
    let taken = taken.borrow();
    // The handler that runs when it comes, and its own.
    assert!(taken.len() >= 20 && taken.iter().all(|taken| *taken <= 60 * US), "{taken:?}");
    assert_eq!(picture(&sim, caller).missed, 0);
    drop(taken);
    sim.finish(STEPS).unwrap();
}

#[test]
fn what_a_program_makes_is_of_its_class_but_for_reservations() {
    for (class, expected) in
        [(Class::Batch, Class::Batch), (Class::Latency, Class::Latency), (Class::RealTime, Class::Latency)]
    {
        let mut sim = simulation(1);
        let (child_program, _) = spinner(&mut sim);
        let made = Rc::new(Cell::new(None));
        let (noted, handle) = (Rc::clone(&made), Rc::new(Cell::new(None)));
        let used = Rc::clone(&handle);
        let program = sim.main(move |process| {
            let new = |priority| {
                let running = Running::Active(Some(TimeBudget { budget_ns: 10 * US, period_ns: MS }));
                let new = NewCell { memory_bytes: 1 << 16, slots: Some(8), priority, running };
                OnBudget::CreateCell { with_faults: false, new }
            };
            let own = Handle::BUDGET;
            let program = Transfer::copy(used.get().unwrap());
            noted.set(Some(process.make(own, new(2), &[program]).is_ok()));
            // What it made lives as long as it does.
            loop {
                process.compute(US)?;
            }
        });
        let specification = match class {
            Class::RealTime => reserved(2, 0, time(500, 1_000)),
            class => CellSpecification { time: Some(time(500, 1_000)), ..of_class(class, 2) },
        };
        let (cell, _) = sim.cell_of(&program, None, &specification);
        handle.set(Some(sim.grant(cell, &child_program)));
        sim.start(cell);
        sim.run_until(STEPS, |_| made.get().is_some()).unwrap();
        assert_eq!(made.get(), Some(true), "{class:?}");
        let classes: Vec<_> = sim
            .kernel
            .picture_cells()
            .into_iter()
            .filter(|picture| picture.cell != cell)
            .map(|picture| picture.class)
            .collect();
        assert!(classes.contains(&expected), "{class:?}: {classes:?}");
        sim.finish(STEPS).unwrap();
    }
}

/// A passive server whose handler computes for so long; its endpoint.
fn server(sim: &mut Simulation, work_us: u64, handler_budget_ns: u64) -> Rooted {
    let program = sim.reactor(move |_| {
        Ok(Box::new(move |process: &mut Process<'_>, _| {
            process.compute(work_us * US)?;
            Ok(Response::bytes([7]))
        }))
    });
    let (server, _) = sim.cell("server", &program, None, true, 0);
    let endpoint = sim.endpoint(server, Service::Passive { handler_budget_ns });
    sim.start(server);
    sim.run(STEPS).unwrap();
    endpoint
}

/// A handle that a program finds when it runs, since its cell is made of it.
type Granted = Rc<Cell<Option<Handle>>>;

#[test]
fn who_uses_more_than_it_has_inside_of_a_server_comes_behind_who_has_time() {
    let mut sim = simulation(1);
    let endpoint = server(&mut sim, 500_000, 100_000 * MS);
    let handle = Granted::default();
    let used = Rc::clone(&handle);
    let program = sim.main(move |process| {
        process.call(used.get().unwrap(), &[1], &[], NO_DEADLINE)?;
        Ok(())
    });
    let (greedy, _) = sim.cell_of(&program, None, &reserved(3, 0, time(10, 1_000)));
    handle.set(Some(sim.grant(greedy, &endpoint)));
    let (program, seen) = periodic(&mut sim, 200, 2_000);
    let (cell, _) = sim.cell_of(&program, None, &reserved(3, 0, time(500, 2_000)));
    sim.start(cell);
    run_for(&mut sim, 10 * MS);
    sim.start(greedy);
    run_for(&mut sim, 60 * MS);
    assert!(seen.jobs.get() >= 33, "{seen:?}");
    assert_eq!((seen.latest_ns.get(), picture(&sim, cell).missed), (0, 0));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_lent_rank_ends_with_the_server_that_it_was_lent_for() {
    let mut sim = simulation(1);
    let shared = server(&mut sim, 20, MS);
    // A server of the batch cell's own: its handler uses the shared one, and then computes for as long as it likes.
    let handle = Granted::default();
    let inner = Rc::clone(&handle);
    let program = sim.reactor(move |_| {
        let inner = Rc::clone(&inner);
        Ok(Box::new(move |process: &mut Process<'_>, _| {
            for _ in 0..200 {
                process.call(inner.get().unwrap(), &[1], &[], NO_DEADLINE)?;
            }
            loop {
                process.compute(500)?;
            }
        }))
    });
    let (outer, _) = sim.cell("outer", &program, None, true, 0);
    let outer_endpoint = sim.endpoint(outer, Service::Passive { handler_budget_ns: 1_000 * MS });
    handle.set(Some(sim.grant(outer, &shared)));
    sim.start(outer);
    sim.run(STEPS).unwrap();
    let handle = Granted::default();
    let used = Rc::clone(&handle);
    let program = sim.main(move |process| {
        process.call(used.get().unwrap(), &[1], &[], NO_DEADLINE)?;
        Ok(())
    });
    let (batch, _) = sim.cell_of(&program, None, &of_class(Class::Batch, 0));
    handle.set(Some(sim.grant(batch, &outer_endpoint)));
    sim.start(batch);
    // Waits for the shared server again and again, and lends its rank each time.
    let (handle, calls) = (Granted::default(), Rc::new(Cell::new(0)));
    let (used, noted) = (Rc::clone(&handle), Rc::clone(&calls));
    let program = sim.main(move |process| {
        loop {
            process.call(used.get().unwrap(), &[1], &[], NO_DEADLINE)?;
            noted.set(noted.get() + 1);
            process.wait(process.time_ns() + 500 * US)?;
        }
    });
    let (caller, _) = sim.cell_of(&program, None, &reserved(0, 0, time(200, 1_000)));
    handle.set(Some(sim.grant(caller, &shared)));
    let (program, seen) = periodic(&mut sim, 200, 2_000);
    let (other, _) = sim.cell_of(&program, None, &reserved(0, 0, time(500, 2_000)));
    sim.start(other);
    sim.start(caller);
    run_for(&mut sim, 60 * MS);
    assert!(calls.get() > 60 && seen.jobs.get() >= 28, "{} calls, {seen:?}", calls.get());
    assert_eq!(seen.latest_ns.get(), 0);
    sim.finish(STEPS).unwrap();
}

#[test]
fn who_holds_a_server_for_one_of_its_own_rank_goes_before_deadlines_in_between() {
    let mut sim = simulation(1);
    let endpoint = server(&mut sim, 100, MS);
    let worst = Rc::new(Cell::new(0));
    let mut waiting = None;
    // A holder with a late deadline, one with an early one that waits for it, and in between one that computes for long.
    for (offset_us, work_us, reservation) in
        [(0, None, time(400, 20_000)), (50, None, time(300, 1_000)), (80, Some(1_400), time(1_500, 6_000))]
    {
        let (handle, noted) = (Granted::default(), Rc::clone(&worst));
        let used = Rc::clone(&handle);
        let program = sim.main(move |process| {
            loop {
                let at_ns = (process.time_ns() / (20 * MS) + 1) * 20 * MS + offset_us * US;
                while process.time_ns() < at_ns {
                    process.wait(at_ns)?;
                }
                match work_us {
                    Some(work_us) => process.compute(work_us * US)?,
                    None => _ = process.call(used.get().unwrap(), &[1], &[], NO_DEADLINE)?,
                }
                if offset_us == 50 {
                    noted.set(noted.get().max(process.time_ns() - at_ns));
                }
            }
        });
        let (cell, _) = sim.cell_of(&program, None, &reserved(3, 0, reservation));
        handle.set(Some(sim.grant(cell, &endpoint)));
        sim.start(cell);
        waiting = if offset_us == 50 { Some(cell) } else { waiting };
    }
    run_for(&mut sim, 100 * MS);
    assert!((100 * US..=MS).contains(&worst.get()), "{} ns", worst.get());
    assert_eq!(picture(&sim, waiting.unwrap()).missed, 0);
    sim.finish(STEPS).unwrap();
}

/// What waits for an active server is not done: its deadline stays that of what it was woken for.
#[test]
fn who_waits_for_an_answer_until_after_its_deadline_has_missed_it() {
    let mut sim = simulation(2);
    let program = sim.reactor(|_| {
        Ok(Box::new(|process: &mut Process<'_>, _| {
            process.compute(3 * MS)?;
            Ok(Response::bytes([7]))
        }))
    });
    let (slow, _) = sim.cell_of(
        &program,
        None,
        &CellSpecification { pinned: Some(CoreId(1)), ..of_class(Class::Latency, 3) },
    );
    let endpoint = sim.active(slow, 4);
    sim.start(slow);
    let handle = Granted::default();
    let used = Rc::clone(&handle);
    let program = sim.main(move |process| {
        loop {
            process.call(used.get().unwrap(), &[1], &[], NO_DEADLINE)?;
            process.wait(process.time_ns() + MS)?;
        }
    });
    let (caller, _) = sim.cell_of(&program, None, &reserved(3, 0, time(200, 1_000)));
    handle.set(Some(sim.grant(caller, &endpoint)));
    sim.start(caller);
    run_for(&mut sim, 40 * MS);
    assert!(picture(&sim, caller).missed >= 4, "{:?}", picture(&sim, caller));
    sim.finish(STEPS).unwrap();
}

#[test]
fn the_end_of_a_life_in_time_is_no_miss_in_the_next() {
    let mut sim = simulation(1);
    let lives = Rc::new(Cell::new(0));
    let counted = Rc::clone(&lives);
    let program = sim.main(move |process| {
        counted.set(counted.get() + 1);
        process.compute(10 * US)?;
        if counted.get() == 1 {
            return Ok(());
        }
        loop {
            process.wait(process.time_ns() + 300 * MS)?;
        }
    });
    let (cell, _) = sim.cell_of(&program, None, &reserved(3, 0, time(200, 1_000)));
    sim.start(cell);
    sim.run(STEPS).unwrap();
    // Time goes on while something runs.
    let (program, _) = periodic(&mut sim, 10, 1_000);
    let (clock, _) = sim.cell_of(&program, None, &of_class(Class::Latency, 3));
    sim.start(clock);
    run_for(&mut sim, 10 * MS);
    sim.restart(cell).unwrap();
    run_for(&mut sim, 2 * MS);
    assert_eq!((lives.get(), picture(&sim, cell).missed), (2, 0));
    sim.finish(STEPS).unwrap();
}

#[test]
fn who_gets_the_faults_of_a_cell_is_told_of_each_deadline_that_it_misses() {
    let mut sim = simulation(2);
    let told = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&told);
    let program = sim.reactor(move |_| {
        let noted = Rc::clone(&noted);
        Ok(Box::new(move |_, incoming| {
            let report = FaultReport::parse(&incoming.bytes).unwrap();
            noted.borrow_mut().push((report.kind, report.cell, report.generation, report.detail));
            Ok(Response::bytes([]))
        }))
    });
    let (monitor, _) = sim.cell("monitor", &program, None, false, 3);
    let faults = sim.active(monitor, 64);
    sim.start(monitor);
    // Half of its jobs take longer than it has.
    let program = sim.main(move |process| {
        for job in 1..=10 {
            while process.time_ns() < job * MS {
                process.wait(job * MS)?;
            }
            process.compute(if job % 2 == 0 { 50 } else { 400 } * US)?;
        }
        Ok(())
    });
    let (late, _) = sim.cell_of(&program, Some(&faults), &reserved(3, 0, time(200, 1_000)));
    sim.start(late);
    sim.run(STEPS).unwrap();
    let told = told.take();
    let missed: Vec<_> = told.iter().filter(|(kind, ..)| *kind == FaultKind::DeadlineMissed).collect();
    let (seen, last) = (picture(&sim, late).missed, told.last().unwrap());
    assert!(missed.len() >= 4 && missed.len() as u64 == seen, "{told:?}");
    assert!((1..).zip(&missed).all(|(count, one)| (one.1, one.2, one.3) == (late.0, 1, count)), "{told:?}");
    assert_eq!((last.0, last.2), (FaultKind::Returned, 1), "its end comes last: {told:?}");
    sim.finish(STEPS).unwrap();
}
