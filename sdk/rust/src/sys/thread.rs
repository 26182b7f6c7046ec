//! Threads as the machine takes them: starting one, what each has, waiting by a word.

pub mod block;
pub mod local;
mod machine;
pub mod mutex;

pub use block::{Running, start};
pub use machine::{Patience, Waited, notify, wait_by};
