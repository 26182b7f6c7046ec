//! A module as the kernel's policy.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU8, Ordering};

use hallows_kernel::{Candidate, Policy, PolicyError};

use crate::function::{Function, Trap};
use crate::input::Seen;
use crate::module::Module;
use crate::{ORDER, QUANTUM_NS};

/// A policy in WebAssembly. Where it has no answer, threads go first, as they come, and run for their class's quantum; the kernel tells of that once.
#[derive(Debug)]
pub struct WasmPolicy {
    name: Box<str>,
    module: Module,
    /// [`NOTHING`], what is to be told (a place in [`TROUBLES`]), or [`TOLD`].
    trouble: AtomicU8,
}

/// All questions were answered.
const NOTHING: u8 = u8::MAX;
/// One was not, and that was told.
const TOLD: u8 = u8::MAX - 1;
/// What there can be to tell.
const TROUBLES: [(&str, Trap); 8] = [
    (ORDER, Trap::Unreachable),
    (ORDER, Trap::DivisionByZero),
    (ORDER, Trap::DivisionOverflow),
    (ORDER, Trap::OutOfBounds),
    (QUANTUM_NS, Trap::Unreachable),
    (QUANTUM_NS, Trap::DivisionByZero),
    (QUANTUM_NS, Trap::DivisionOverflow),
    (QUANTUM_NS, Trap::OutOfBounds),
];

impl WasmPolicy {
    /// A module under a name.
    #[must_use]
    pub fn new(name: &str, module: Module) -> Self {
        Self { name: name.into(), module, trouble: AtomicU8::new(NOTHING) }
    }

    /// Asks, and gives `instead` where there is no answer.
    fn ask(&self, question: &'static str, function: Option<&Function>, seen: &Seen, instead: u64) -> u64 {
        let Some(function) = function else { return instead };
        function.run(seen).unwrap_or_else(|trap| {
            self.note(question, trap);
            instead
        })
    }

    #[cold]
    fn note(&self, question: &'static str, trap: Trap) {
        let place = TROUBLES.iter().position(|known| *known == (question, trap));
        let place = place.and_then(|place| u8::try_from(place).ok()).unwrap_or(0);
        // Relaxed: nothing is handed over with it. The first one is kept.
        let _ = self.trouble.compare_exchange(NOTHING, place, Ordering::Relaxed, Ordering::Relaxed);
    }
}

impl Policy for WasmPolicy {
    fn name(&self) -> &str {
        &self.name
    }

    fn order(&self, candidate: &Candidate<'_>) -> u64 {
        self.ask(ORDER, self.module.order(), &Seen::of(candidate, 0), 0)
    }

    fn quantum_ns(&self, running: &Candidate<'_>, usual_ns: u64) -> u64 {
        self.ask(QUANTUM_NS, self.module.quantum_ns(), &Seen::of(running, usual_ns), usual_ns)
    }

    fn trouble(&self) -> Option<PolicyError> {
        let found = self.trouble.load(Ordering::Relaxed);
        let (question, trap) = TROUBLES.get(usize::from(found))?;
        self.trouble.store(TOLD, Ordering::Relaxed);
        Some(PolicyError::NoAnswer { question, why: trap.words() })
    }
}
