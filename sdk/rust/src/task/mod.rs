//! Async programs: many calls, timers and clients at once, in one thread of a cell, with structured concurrency.
//!
//! [`Events`] shares the cell's events out to the futures that wait for them; an `async fn` that [`#[main]`](crate::main) stands on is
//! given one. [`scope`] starts tasks and ends after the last of them: none outlives it, however it ends. A future that is dropped gives
//! up what it waited for: an answer that comes later is thrown away, with the capabilities in it. So to cancel is to drop,
//! and a deadline ([`Events::with_deadline`]) is a race against a timer.
//!
//! ```
//! use core::time::Duration;
//! use hallows_sdk::{Deadline, Endpoint, Error, Start, println, rights, task};
//!
//! #[hallows_sdk::main(crate = hallows_sdk)]
//! async fn ask_both(start: Start<'_>, events: &task::Events) -> Result<(), Error> {
//!     let near: Endpoint<rights!(SEND)> = start.grant("near")?;
//!     let far: Endpoint<rights!(SEND)> = start.grant("far")?;
//!     let limit = Deadline::after(Duration::from_millis(2))?;
//!     task::scope(async |scope| {
//!         for (name, endpoint) in [("near", near), ("far", far)] {
//!             scope.spawn(async move {
//!                 match events.with_deadline(limit, events.call(endpoint, b"hello", &[], 64)).await {
//!                     Ok(Ok(answer)) => println!("{name} says {:?}", answer.text()),
//!                     Ok(Err(error)) | Err(error) => println!("{name} says nothing: {}", error.message()),
//!                 }
//!             });
//!         }
//!     })
//!     .await;
//!     Ok(())
//! }
//!
//! # fn main() {
//! use hallows_testing::{Machine, Says};
//! let ended = Machine::new()
//!     .endpoint("near", |_| Says::After(Duration::from_millis(1), b"hi".to_vec()))
//!     .endpoint("far", |_| Says::After(Duration::from_secs(1), b"hi".to_vec()))
//!     .run(|| PROGRAM.run());
//! assert_eq!(ended.log, ["near says Some(\"hi\")", "far says nothing: deadline passed"]);
//! # }
//! ```
//!
//! All of it is safe Rust: a scope's tasks live in the future of the scope, so what they borrow outlives them, and a future that is
//! forgotten is one that nobody polls any more. It allocates: one block for each task and each answer. What is under way is bounded by the
//! kernel: by the room in queues ([`Error::Busy`], after which a call tries again) and by the cell's memory.

mod answer;
mod events;
mod flag;
mod listener;
mod request;
mod scope;
mod select;
mod sleep;
mod through;

use crate::Error;

pub use answer::Answered;
pub use events::Events;
pub use listener::Listener;
pub use request::Request;
pub use scope::{Cancelled, Scope, Task, scope};
pub use select::{Either, join, race};
pub use through::Through;

/// Runs an async function to its end, with events of its own.
///
/// # Errors
///
/// Those of [`Events::block_on`].
pub fn run<T>(body: impl AsyncFnOnce(&Events) -> T) -> Result<T, Error> {
    let events = Events::new();
    events.block_on(body(&events))
}
