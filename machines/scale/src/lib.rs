//! Scale, simulated: the kernel's own code on 64 to 1,024 cores, in virtual time that cache lines cost.
//!
//! The kernel is compiled once more from its own files, with atomics and locks that say what they touch (`atomics`, `kernel`). Each core is a fiber in
//! [`hallows_counted_kernel::Kernel::run_core`]; an access to a cache line that another core has takes the time that this host measures for it, and
//! lines that many want are waited for. So where it saturates is found and not assumed. What is not modelled: `docs/scale.md`.

mod calibrate;
mod costs;
mod driver;
mod engine;
mod fiber;
mod lines;
mod machine;
mod names;
mod report;
mod simulate;
mod skew;
mod sweep;
mod world;

pub use calibrate::{Calibration, calibrate};
pub use costs::Costs;
pub use lines::{LINE, Lines, Outcome as LineOutcome, Picoseconds, Use};
pub use names::Count;
pub use report::{json, svg, text};
pub use simulate::{Outcome, Setup, simulate};
pub use skew::{FORMS as SKEWS, Skew};
pub use sweep::{Plan, Point, Progress, Report, sweep};
pub use world::Spent;
