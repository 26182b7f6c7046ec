//! A simulated machine: the real kernel, virtual time, seeded chance and faults, any number of cores, one host thread.
//!
//! Every core is a fiber in [`hallows_kernel::Kernel::run_core`], every thread of execution a fiber inside of it, and
//! between any two steps of any of them the simulation may switch to another core, let time pass, call the timekeeper,
//! set a preemption word or kill a cell. What happens is a function of the seed alone, so every failure can be replayed.
#![deny(clippy::unwrap_used)]

mod engine;
mod fiber;
mod machine;
mod memory;
mod process;
mod program;
mod random;
mod simulation;
mod world;

pub use engine::{Range, SimEngine, SimProgram};
pub use machine::SimMachine;
pub use process::{Process, Received};
pub use program::{Ending, Halt, Handler, Incoming, Response};
pub use random::Random;
pub use simulation::{Faults, Simulation, Trouble};

/// The simulated kernel.
pub type SimKernel = hallows_kernel::Kernel<SimEngine>;
