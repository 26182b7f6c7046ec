//! Clocks that jump: a host that stood still, or was moved to another.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::cell::Cell;
use std::rc::Rc;

use hallows_kernel::{CellSpecification, Class, Configuration, CoreId, TimeBudget};
use hallows_sim::{Faults, Simulation};

const STEPS: u64 = 4_000_000;
const US: u64 = 1_000;
const MS: u64 = 1_000_000;
const HOUR: i64 = 3_600_000_000_000;

/// Two that compute for ever beside each other, one that waits 100 µs again and again, and one with a reservation. How often each was seen by then.
struct Seen {
    rounds: [Rc<Cell<u64>>; 4],
}

fn start(sim: &mut Simulation) -> Seen {
    let rounds: [Rc<Cell<u64>>; 4] = Default::default();
    for (place, rounds) in rounds.iter().enumerate() {
        let rounds = Rc::clone(rounds);
        let program = sim.main(move |process| {
            loop {
                if place < 2 {
                    process.compute(2 * US)?;
                } else {
                    process.wait(process.time_ns() + 100 * US)?;
                }
                rounds.set(rounds.get() + 1);
            }
        });
        let is_reserved = place == 3;
        let specification = CellSpecification {
            name: "cell",
            memory_bytes: 1 << 20,
            slots: 0,
            class: if is_reserved { Class::RealTime } else { Class::Latency },
            // Who waits goes before who computes.
            priority: if place < 2 { 3 } else { 4 },
            passive: false,
            pinned: is_reserved.then_some(CoreId(0)),
            pool: 0,
            time: is_reserved.then_some(TimeBudget { budget_ns: 100 * US, period_ns: MS }),
        };
        let (cell, _) = sim.cell_of(&program, None, &specification);
        sim.start(cell);
    }
    Seen { rounds }
}

/// Everybody has had turns in so many ns of the time that passes.
fn all_go_on(sim: &mut Simulation, seen: &Seen, ns: u64) {
    let before: Vec<u64> = seen.rounds.iter().map(|rounds| rounds.get()).collect();
    let (begin, switches) = (sim.time_ns(), sim.kernel.picture_cores()[0].switches);
    sim.run_until(STEPS, |sim| sim.time_ns() > begin + ns).unwrap();
    let done: Vec<u64> = seen.rounds.iter().zip(before).map(|(now, before)| now.get() - before).collect();
    let (spinning, waiting) = (ns / (20 * US), ns / (400 * US));
    let is_well =
        done[..2].iter().all(|done| *done >= spinning) && done[2..].iter().all(|done| *done >= waiting);
    assert!(is_well, "{done:?} in {ns} ns");
    assert!(sim.kernel.picture_cores()[0].switches - switches > ns / (20 * US), "quanta are kept");
}

#[test]
fn after_a_jump_ahead_all_go_on() {
    let mut sim = Simulation::new(1, Configuration::tiny(1), Faults::CALM);
    let seen = start(&mut sim);
    all_go_on(&mut sim, &seen, 4 * MS);
    sim.jump(HOUR);
    all_go_on(&mut sim, &seen, 4 * MS);
    sim.finish(STEPS).unwrap();
}

#[test]
fn after_a_jump_back_quanta_are_kept_and_who_waits_does_so_until_his_time_comes_again() {
    let mut sim = Simulation::new(1, Configuration::tiny(1), Faults::CALM);
    let seen = start(&mut sim);
    all_go_on(&mut sim, &seen, 4 * MS);
    let back_ns = 3 * MS;
    sim.jump(-(back_ns as i64));
    let begin = sim.time_ns();
    let (before, switches) = (seen.rounds[2].get(), sim.kernel.picture_cores()[0].switches);
    sim.run_until(STEPS, |sim| sim.time_ns() > begin + 2 * MS).unwrap();
    assert!(seen.rounds[2].get() <= before + 1, "a deadline is a time of the clock");
    assert!(sim.kernel.picture_cores()[0].switches - switches > 100, "quanta are kept meanwhile");
    sim.run_until(STEPS, |sim| sim.time_ns() > begin + 2 * back_ns).unwrap();
    all_go_on(&mut sim, &seen, 4 * MS);
    sim.finish(STEPS).unwrap();
}
