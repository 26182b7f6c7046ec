//! What Linux counts of a core and of threads while something is measured: read before, read after, subtracted.

pub mod core_time;
pub mod snapshot;
pub mod system_management;
pub mod table;
pub mod threads;

pub use snapshot::{Change, Counted, Snapshot, ThreadChange};
