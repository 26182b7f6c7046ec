//! Time budgets under faults, kills, chains and helping: nobody gets more than its share, nobody is forgotten, and who stands still holds
//! nothing that others want.

use std::cell::Cell;
use std::rc::Rc;

use hallows_abi::{Error, Handle, NO_DEADLINE};
use hallows_kernel::{CellId, CellSpecification, Class, Configuration, CoreId, TimeBudget};
use hallows_sim::{Faults, Simulation};

use crate::chains::link;
use crate::lives::Supervisor;
use crate::{MANY_STEPS, SharedBooks, call, choices, each_seed, seen};

/// How long a handler may run, in ns: most do less, and some are ended by it.
const HANDLER_NS: u64 = 60_000;
/// The grain of the looks on a machine where little happens, in ns.
const COARSE_NS: u64 = 50_000;

fn specification(priority: u8, time: TimeBudget) -> CellSpecification<'static> {
    let (name, memory_bytes) = ("client", 1 << 20);
    CellSpecification {
        name,
        memory_bytes,
        slots: 0,
        class: Default::default(),
        priority,
        passive: false,
        pinned: None,
        pool: 0,
        time: Some(time),
    }
}

/// At every moment: no server is held by one who stands still, and no debt is larger than the chain allows.
fn hold_invariants(sim: &Simulation, depth: u64) {
    assert_eq!(sim.kernel.throttled_holders(), [], "a throttled thread holds a server");
    for picture in sim.kernel.picture_cells() {
        let Some(time) = picture.time else { continue };
        if time.throttled {
            seen("throttled", 1);
        }
        if time.debt_ns > COARSE_NS {
            seen("in debt", 1);
        }
        let most = depth * HANDLER_NS + COARSE_NS;
        assert!(time.debt_ns <= most, "cell {} owes {} ns of at most {most}", picture.cell, time.debt_ns);
    }
}

#[test]
fn budgets_are_kept_through_chains_and_kills_and_nobody_is_forgotten() {
    let reached = ["call: answered", "call: ServerDied", "throttled", "in debt", "a client was killed"];
    each_seed("budgets_are_kept_through_chains_and_kills_and_nobody_is_forgotten", &reached, |seed| {
        let mut random = choices(seed);
        let faults = Faults::rough(&mut random).with_kills(random.below(2_000), 3);
        let cores = 1 + random.below(4) as u32;
        let configuration = Configuration {
            handler_budget_ns: HANDLER_NS,
            coarse_tick_ns: COARSE_NS,
            ..Configuration::tiny(cores)
        };
        let mut sim = Simulation::new(seed, configuration, faults);
        let books = SharedBooks::default();
        let mut supervisor = Supervisor::new(&mut sim);
        let depth = 1 + random.below(3);
        let (mut next, mut endpoints) = (None, Vec::new());
        for _ in 0..depth {
            let work_ns = if random.below(3) == 0 { 2 * HANDLER_NS } else { 8_000 };
            let program = link(&mut sim, &books, next.is_some().then_some(Handle(3)), work_ns);
            let (cell, rooted) = sim.cell("link", &program, Some(&supervisor.endpoint), true, 3);
            if let Some(next) = &next {
                sim.grant(cell, next);
            }
            let endpoint = sim.passive(cell);
            supervisor.watch(&mut sim, cell, &rooted);
            endpoints.push(endpoint);
            next = Some(endpoint);
            sim.start(cell);
        }
        supervisor.start(&mut sim);
        let clients = 2 + random.below(3);
        let mut cells: Vec<(CellId, Rc<Cell<bool>>)> = Vec::new();
        for _ in 0..clients {
            let (books, rounds) = (Rc::clone(&books), 1 + random.below(6));
            let done = Rc::new(Cell::new(false));
            let finished = Rc::clone(&done);
            let program = sim.main(move |process| {
                for _ in 0..rounds {
                    let endpoint = Handle(3 + process.choose(depth) as u32);
                    let deadline = match process.choose(4) {
                        0 => process.time_ns() + process.choose(20_000),
                        _ => NO_DEADLINE,
                    };
                    if let Err(Error::Killed) = call(&books, process, endpoint, &[], deadline) {
                        return Err(Error::Killed.into());
                    }
                    let rest = process.choose(10_000);
                    process.compute(rest)?;
                    if process.choose(3) == 0 {
                        let until = process.time_ns() + process.choose(30_000);
                        process.wait(until)?;
                    }
                }
                finished.set(true);
                Ok(())
            });
            let budget_ns = 1_000 + random.below(20_000);
            let time = TimeBudget { budget_ns, period_ns: 50_000 + random.below(50_000) };
            let (cell, _) = sim.cell_of(&program, None, &specification(random.below(8) as u8, time));
            for endpoint in &endpoints {
                sim.grant(cell, endpoint);
            }
            sim.victims.push(cell);
            cells.push((cell, done));
        }
        for (cell, _) in &cells {
            sim.start(*cell);
        }
        let over =
            |sim: &Simulation| cells.iter().all(|(cell, done)| done.get() || !sim.kernel.is_live(*cell));
        sim.run_until(MANY_STEPS, |sim| {
            hold_invariants(sim, depth);
            over(sim)
        })
        .unwrap();
        if cells.iter().any(|(_, done)| !done.get()) {
            seen("a client was killed", 1);
        }
        sim.calm();
        sim.run(MANY_STEPS).unwrap();
        books.borrow().close();
        sim.finish(MANY_STEPS).unwrap();
    });
}

/// Spinners of all priorities with budgets that leave something over: in the long run each has its share and not more, and who is below
/// them all has the rest.
#[test]
fn nobody_gets_more_than_its_share_and_nobody_starves() {
    each_seed("nobody_gets_more_than_its_share_and_nobody_starves", &["throttled"], |seed| {
        const PERIODS: u64 = 12;
        let mut random = choices(seed);
        // Late timekeepers and stalled cores make overdrafts, which are paid.
        let faults = Faults {
            pause: random.below(200_000),
            word: random.below(50_000),
            late_tick: random.below(800_000),
            ..Faults::CALM
        };
        let configuration = Configuration { coarse_tick_ns: COARSE_NS, ..Configuration::tiny(1) };
        let mut sim = Simulation::new(seed, configuration, faults);
        let spinner = |sim: &mut Simulation| {
            let computed = Rc::new(Cell::new(0u64));
            let counted = Rc::clone(&computed);
            let program = sim.main(move |process| {
                loop {
                    process.compute(500)?;
                    counted.set(counted.get() + 500);
                }
            });
            (program, computed)
        };
        let mut capped = Vec::new();
        let are_reserved = random.chance(500_000);
        for priority in [7, 5, 5] {
            let period_ns = 60_000 + random.below(60_000);
            let time = TimeBudget { budget_ns: period_ns / (4 + random.below(4)), period_ns };
            let (program, computed) = spinner(&mut sim);
            let capped_only = specification(priority, time);
            // Budgets that are reserved are no more than that, either.
            let reserved =
                CellSpecification { class: Class::RealTime, pinned: Some(CoreId(0)), ..capped_only.clone() };
            let (cell, _) = sim.cell_of(&program, None, if are_reserved { &reserved } else { &capped_only });
            sim.start(cell);
            capped.push((cell, time, computed));
        }
        let (program, rest) = spinner(&mut sim);
        let (low, _) = sim.cell("low", &program, None, false, 0);
        sim.start(low);
        let begin = sim.time_ns();
        sim.run_until(MANY_STEPS, |sim| {
            hold_invariants(sim, 0);
            sim.time_ns() > begin + PERIODS * 120_000
        })
        .unwrap();
        let took = sim.time_ns() - begin;
        for (cell, time, computed) in &capped {
            let allowed = (took / time.period_ns + 2) * time.budget_ns + COARSE_NS;
            assert!(
                computed.get() <= allowed,
                "cell {cell} with {time:?} has had {} of {took} ns",
                computed.get()
            );
            assert!(computed.get() > 0, "cell {cell} starves");
        }
        // Together they may have three quarters.
        assert!(rest.get() > took / 20, "the lowest has had {} of {took} ns", rest.get());
        sim.finish(MANY_STEPS).unwrap();
    });
}
