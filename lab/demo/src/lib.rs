//! `hallows demo tail`: servers side by side, the same requests to each, and what the slowest answers took.
//!
//! [`contenders`] says who takes part and how each is started, [`Placement`] on which cores, [`demonstrate`] runs it, [`report`] shows what came
//! of it. Ours is a server like the others: a command, an address, a protocol.
#![forbid(unsafe_code)]

mod contender;
mod demonstration;
mod placement;
mod plan;
mod point;
pub mod report;
mod tools;
mod verdict;

pub use contender::{Contender, Own, Part, contenders};
pub use demonstration::{Observer, Participant, Report, demonstrate};
pub use placement::{Asked, Placement};
pub use plan::{Plan, QUICK, SLOW};
pub use point::{ClassTimes, Find, Late, PERCENTILES, Point};
pub use tools::Tool;
pub use verdict::{Loss, losses};

/// Why there is no demonstration. Every text says what to do, where something can be done.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Argument(String),
    /// Nobody can be measured.
    #[error("nobody could be measured: {0}")]
    Nobody(String),
    /// Somebody wants an end.
    #[error("interrupted")]
    Stopped,
    /// The load makes no sense, or Linux refused something.
    #[error(transparent)]
    Load(#[from] hallows_load::LoadError),
    /// This host cannot measure.
    #[error(transparent)]
    Bench(#[from] hallows_bench::BenchError),
}
