//! Pools of cores: who runs where, how cores are lent to those whose threads wait, and how soon they are taken back.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use hallows_abi::{Error, Handle, NO_DEADLINE};
use hallows_kernel::{CellSpecification, Class, Configuration, CoreId, Pool, Rooted};
use hallows_sim::{Faults, Response, Simulation};

const STEPS: u64 = 4_000_000;
const US: u64 = 1_000;
const MS: u64 = 1_000_000;

/// A machine of two pools.
fn simulation(pools: [(u32, bool); 2], faults: Faults) -> Simulation {
    let pools: Vec<Pool> = pools.into_iter().map(|(cores, lends)| Pool { cores, lends }).collect();
    let cores = pools.iter().map(|pool| pool.cores).sum();
    Simulation::new(1, Configuration { pools, ..Configuration::tiny(cores) }, faults)
}

fn of_pool(pool: u32, priority: u8) -> CellSpecification<'static> {
    CellSpecification {
        name: "cell",
        memory_bytes: 1 << 20,
        slots: 0,
        class: Class::Latency,
        priority,
        passive: false,
        pinned: None,
        pool,
        time: None,
    }
}

fn run_for(sim: &mut Simulation, ns: u64) {
    let begin = sim.time_ns();
    sim.run_until(STEPS, |sim| sim.time_ns() > begin + ns).unwrap();
}

/// On which cores a program ran.
type Cores = Rc<RefCell<BTreeSet<u32>>>;

/// Computes for ever.
fn spinner(sim: &mut Simulation, cores: &Cores) -> Rooted {
    let cores = Rc::clone(cores);
    sim.main(move |process| {
        loop {
            process.compute(US)?;
            cores.borrow_mut().insert(process.core().0);
        }
    })
}

fn spin(sim: &mut Simulation, specification: &CellSpecification<'_>, count: usize) -> Cores {
    let cores = Cores::default();
    for _ in 0..count {
        let program = spinner(sim, &cores);
        let (cell, _) = sim.cell_of(&program, None, specification);
        sim.start(cell);
    }
    cores
}

#[test]
fn threads_stay_on_the_cores_of_their_pool() {
    for chaos in [false, true] {
        let mut sim = simulation([(2, false), (2, false)], Faults { chaos, ..Faults::CALM });
        let second = spin(&mut sim, &of_pool(1, 7), 6);
        run_for(&mut sim, MS);
        assert_eq!(*second.borrow(), BTreeSet::from([2, 3]), "the others are idle");
        let first = spin(&mut sim, &of_pool(0, 0), 3);
        run_for(&mut sim, MS);
        assert_eq!(*first.borrow(), BTreeSet::from([0, 1]));
        assert_eq!(*second.borrow(), BTreeSet::from([2, 3]));
        sim.finish(STEPS).unwrap();
    }
}

#[test]
fn there_is_no_thread_of_a_pool_that_there_is_not() {
    let mut sim = simulation([(1, true), (1, true)], Faults::CALM);
    let program = spinner(&mut sim, &Cores::default());
    let refused = sim.kernel.boot_cell(&sim.boot, &program, None, &of_pool(2, 3));
    assert_eq!(refused.unwrap_err(), Error::BadArgument);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_pinned_thread_is_of_the_pool_of_its_core() {
    let mut sim = simulation([(1, false), (1, false)], Faults::CALM);
    let pinned = CellSpecification { pinned: Some(CoreId(1)), ..of_pool(0, 3) };
    let cores = spin(&mut sim, &pinned, 1);
    let others = spin(&mut sim, &of_pool(1, 3), 1);
    run_for(&mut sim, MS);
    assert_eq!((cores.take(), others.take()), (BTreeSet::from([1]), BTreeSet::from([1])));
    assert!(sim.kernel.picture_cores().iter().all(|core| core.loans == 0));
    sim.finish(STEPS).unwrap();
}

#[test]
fn an_idle_core_is_lent_within_ten_microseconds_to_threads_that_wait_and_only_then() {
    let mut sim = simulation([(1, true), (1, false)], Faults::CALM);
    // One alone wants no other core.
    let alone = spin(&mut sim, &of_pool(1, 3), 1);
    run_for(&mut sim, MS);
    assert_eq!(alone.take(), BTreeSet::from([1]));
    let lent = Cores::default();
    let program = spinner(&mut sim, &lent);
    let (cell, _) = sim.cell_of(&program, None, &of_pool(1, 3));
    let begin = sim.time_ns();
    sim.start(cell);
    sim.run_until(STEPS, |sim| sim.kernel.picture_cores()[0].loans > 0).unwrap();
    let took_ns = sim.time_ns() - begin;
    // Half of it is the time that must have been waited for.
    assert!((5 * US..10 * US).contains(&took_ns), "{took_ns} ns");
    run_for(&mut sim, MS);
    // Both run all the time now, and nobody is waited for.
    let running = sim.kernel.picture_cores().iter().filter(|core| core.running.is_some()).count();
    assert!(running == 2 && sim.kernel.picture_cores().iter().all(|core| core.waiting == 0));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_lent_core_is_taken_back_within_five_microseconds_whatever_the_priorities() {
    let mut sim = simulation([(1, true), (1, false)], Faults::CALM);
    // Of the highest priority; who lends is of the lowest.
    let guests = spin(&mut sim, &of_pool(1, 7), 3);
    let latest = Rc::new(Cell::new((0, 0)));
    let noted = Rc::clone(&latest);
    let program = sim.main(move |process| {
        for round in 1..50 {
            let at_ns = process.time_ns() + 100 * US;
            process.wait(at_ns)?;
            let late_ns = process.time_ns() - at_ns;
            noted.set((round, noted.get().1.max(late_ns)));
            process.compute(20 * US)?;
        }
        Ok(())
    });
    let (owner, _) = sim.cell_of(&program, None, &of_pool(0, 0));
    run_for(&mut sim, MS);
    assert!(guests.borrow().contains(&0), "the core is lent");
    sim.start(owner);
    sim.run_until(STEPS, |_| latest.get().0 == 49).unwrap();
    assert!(latest.get().1 < 5 * US, "{} ns", latest.get().1);
    // In the meantime it was lent again and again.
    assert!(sim.kernel.picture_cores()[0].loans > 40, "{:?}", sim.kernel.picture_cores());
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_pool_that_does_not_lend_keeps_its_cores() {
    let mut sim = simulation([(1, false), (1, true)], Faults::CALM);
    let waiting = spin(&mut sim, &of_pool(1, 3), 4);
    run_for(&mut sim, MS);
    assert_eq!(waiting.take(), BTreeSet::from([1]));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_guest_calls_servers_and_goes_home_when_it_waits() {
    let mut sim = simulation([(1, true), (1, false)], Faults::CALM);
    let server = sim.reactor(|_| {
        Ok(Box::new(|process, message| {
            process.compute(2 * US)?;
            Ok(Response::bytes(message.bytes))
        }))
    });
    let (server, _) = sim.cell_of(&server, None, &of_pool(1, 3));
    let endpoint = sim.active(server, 8);
    sim.start(server);
    let answers = Rc::new(Cell::new(0));
    for _ in 0..4 {
        let noted = Rc::clone(&answers);
        let program = sim.main(move |process| {
            for round in 0..50_u8 {
                process.compute(20 * US)?;
                assert_eq!(process.call(Handle(3), &[round], &[], NO_DEADLINE)?.bytes, [round]);
                noted.set(noted.get() + 1);
            }
            Ok(())
        });
        let (cell, _) = sim.cell_of(&program, None, &of_pool(1, 3));
        sim.grant(cell, &endpoint);
        sim.start(cell);
    }
    sim.run_until(STEPS, |_| answers.get() == 200).unwrap();
    assert!(sim.kernel.picture_cores()[0].loans > 0);
    sim.finish(STEPS).unwrap();
}
