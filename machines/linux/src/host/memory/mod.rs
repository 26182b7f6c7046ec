//! The machine's memory: reserved at the start, populated in the background, locked where Linux allows.

pub mod available;
pub mod lock;
pub mod reserve;

pub use available::{MemoryError, check_available};
pub use lock::{LockReport, lock_everything, raise_lock_limit};
pub use reserve::{Backing, Population, Reserve};
