//! The machine's memory as the host sees it: whether there is enough, who may lock it, and what is held until programs need it.

pub mod available;
pub mod heap;
mod hold;
pub mod lock;
mod sealed;

pub use available::{Available, MemoryError, check_available};
pub use hold::Hold;
pub use lock::{LockMeans, Locking, raise_lock_limit};
pub use sealed::Sealed;
