//! `hallows bench`: what RustHallows costs, beside the best Linux can do on the same cores in the same minute.
//!
//! Every bench of the table in `registry` has one contestant called *ours* and some *rivals*, really implemented and tuned
//! as well as is known. They take turns (ours, rival, rival, ours, …), so that a change of the machine's speed hits all of
//! them. What a contestant is: [`Contestant`]; what a bench demands: [`Requirement`]; how the figures are made: the README.
//!
//! Linux on x86_64 only, like the machine that it measures.

pub mod bench;
pub mod clock;
pub mod contestant;
pub mod context_switches;
pub mod cores;
pub mod coreutils;
pub mod environment;
pub mod error;
pub mod first_byte;
pub mod jitter;
pub mod key_values;
pub mod outcome;
pub mod pace;
pub mod published;
pub mod registry;
pub mod report;
pub mod requirement;
pub mod rivals;
pub mod run;
pub mod samples;
pub mod session;
pub mod streams;
pub mod turn;
pub mod unix_programs;
pub mod wakeups;
pub mod web;
pub mod whole_command;
pub mod wire;

pub use bench::Bench;
pub use clock::Clock;
pub use contestant::{Contestant, Description, FromClosure};
pub use cores::{Core, Cores};
pub use error::BenchError;
pub use hallows_bench_kernels as kernels;
pub use outcome::Outcome;
pub use pace::Pace;
pub use registry::{Ours, registry};
pub use requirement::Requirement;
pub use run::{Plan, run};
pub use samples::{Samples, Unit};
pub use session::{Format, session, session_with_lines};
pub use turn::{Sampling, Turn};

/// A WASI program that says hello, as text: what `unix-run` starts.
pub const HELLO: &str = include_str!("hello.wat");
