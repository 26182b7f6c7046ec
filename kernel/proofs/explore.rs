//! Breadth-first exploration of everything that a system can do within a bound, and random histories far beyond it.

use core::fmt::Debug;
use core::hash::Hash;

use alloc::vec::Vec;
use std::collections::{HashSet, VecDeque};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// A system whose every step is known.
pub trait Model {
    /// The system itself, made anew for every sequence: real code with its oracle.
    type System;
    /// One step.
    type Step: Clone + Debug;
    /// What tells two states apart: everything that a later step can depend on.
    type Key: Eq + Hash;

    /// The system at its start.
    fn start(&self) -> Self::System;
    /// The steps that can be tried in a state.
    fn steps(&self, system: &mut Self::System) -> Vec<Self::Step>;
    /// Takes a step, and panics if what it should do is not what it does.
    fn take(&self, system: &mut Self::System, step: &Self::Step);
    /// The state's key.
    fn key(&self, system: &mut Self::System) -> Self::Key;
}

/// Takes every sequence of at most `depth` steps, each distinct state once; how many states there are. A violated property panics; the
/// sequence that led there is printed.
pub fn explore<M: Model>(model: &M, depth: usize) -> usize {
    let mut seen = HashSet::new();
    let mut frontier: VecDeque<Vec<M::Step>> = VecDeque::from([Vec::new()]);
    seen.insert(model.key(&mut model.start()));
    while let Some(history) = frontier.pop_front() {
        let replay = || {
            let mut system = model.start();
            history.iter().for_each(|step| model.take(&mut system, step));
            system
        };
        if history.len() == depth {
            continue;
        }
        for step in model.steps(&mut replay()) {
            let mut system = replay();
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                model.take(&mut system, &step);
                model.key(&mut system)
            }));
            match outcome {
                Ok(key) => {
                    if seen.insert(key) {
                        let mut longer = history.clone();
                        longer.push(step);
                        frontier.push_back(longer);
                    }
                }
                Err(panic) => {
                    std::eprintln!("after {history:?}, then {step:?}:");
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
    seen.len()
}

/// Steps of a random history.
const LONG: usize = 2_000;

/// Takes random histories of up to [`LONG`] steps; a system that has come to its end begins anew. A violated property panics with the
/// shortest choices that lead there, which `proptest` keeps and tries first the next time.
pub fn wander<M: Model>(model: &M) {
    let choices = proptest::collection::vec(any::<u32>(), LONG / 2..LONG);
    let cases = ProptestConfig { cases: 64, ..ProptestConfig::default() };
    let outcome = TestRunner::new(cases).run(&choices, |choices| {
        let mut system = model.start();
        for choice in choices {
            let steps = model.steps(&mut system);
            match steps.get(choice as usize % steps.len().max(1)) {
                Some(step) => model.take(&mut system, step),
                None => system = model.start(),
            }
        }
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
