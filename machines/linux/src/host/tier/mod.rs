//! How well a machine's cores are its own, and how they get there and back.
//!
//! | tier | what Linux still does on the programs' cores | needs |
//! |---|---|---|
//! | `shared` | everything: threads are pinned, but other processes may run there too | nothing |
//! | `isolated` | per-core kernel work, the periodic tick | root, cpusets |
//! | `booted` | next to nothing, with `nohz_full` not even the tick | the boot line |
//!
//! Steps that can be taken at any tier (interrupts, workqueues, idle states, real-time priority, locked memory) are
//! taken where allowed and reported one by one, each missing one with the reason and the remedy: [`TierReport`].
//!
//! # Putting it back
//!
//! What is changed on the host belongs to no single machine: two machines may have moved the same interrupt. So there
//! is one [`journal`] for the host, with the original of everything that was changed and the claims of all running
//! machines. Every change is the same act: lock the journal, write down originals and intentions, sync it to storage,
//! then make the host agree with it ([`host_state`]). A machine that ends removes its claim and does the same; a
//! machine that was killed is found dead by whoever comes next. Without claims, what was changed becomes original again.

pub mod boot;
pub mod claim;
pub mod cpuset;
mod cpuset_v1;
mod cpuset_v2;
pub mod forecast;
pub mod host_state;
pub mod idle;
pub mod journal;
pub mod means;
mod obstacle;
pub mod placement;
pub mod report;
pub mod settings;

pub use claim::{HostClaim, TierLimit};
pub use forecast::forecast;
pub use host_state::{RestoreError, RestoreReport, restore_leftovers};
pub use means::{Access, CpusetMeans, Means, Rights};
pub use obstacle::Caller;
pub use report::{Outcome, Step, StepName, Tier, TierReport};
