//! What programs and the kernel agree on: the calls, their arguments, events, errors and object operations.
//!
//! Three calls and their fusions are the whole interface (`import "hallows"`): `send`, `answer`, `wait`,
//! `call` = send + wait for that answer, `answer_wait` = answer + wait. Everything else is a message to a kernel
//! object: an [`Operation`] sent to a capability, which is a call of a function of an interface in `wit/kernel`.
//!
//! | import | parameters | result |
//! |---|---|---|
//! | `send` | endpoint `i32`, bytes `i64`, transfers `i64`, room `i32` | token, or error |
//! | `answer` | token `i64`, bytes `i64`, transfers `i64` | 0, or error |
//! | `wait` | event `i32`, buffer `i64`, handles `i64`, deadline `i64` | 0, or error |
//! | `call` | endpoint `i32`, bytes `i64`, transfers `i64`, reply `i64`, handles `i64`, deadline `i64` | [`Outcome`], or error |
//! | `answer_wait` | token, bytes, transfers (as `answer`), event, buffer, handles, deadline (as `wait`) | 0, or error |
//!
//! Threads of one program share its memory, which the kernel sees nothing of: what they need of the engine are imports of programs with a `shared`
//! memory, beside the interface.
//!
//! | import | parameters | result |
//! |---|---|---|
//! | `thread_start` | top of the new thread's stack `i32`, its block `i32` | its number `i64`, or error |
//! | `thread_block` | – | the calling thread's block `i32`; 0 of the first |
//! | `atomic_wait32`, `atomic_wait64`, `atomic_notify` | as the instructions `memory.atomic.wait32` and so on, which become calls of them | theirs |
//! | `memory_grow` | as `memory.grow`, which becomes a call of it | its |
//!
//! Every result of the five is an `i64`; a negative one is `-(Error as i64)`. A range of memory travels as one [`Span`] in an `i64`.
//! A deadline is absolute, in nanoseconds of the machine's monotonic clock; `i64::MAX` means none.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation
    )
)]

#[cfg(test)]
extern crate std;

mod codec;
mod error;
mod event;
mod fault;
mod handle;
mod limits;
mod operation;
mod outcome;
mod printable;
mod program;
mod rights;
pub mod ring;
mod span;
mod time_budget;
mod trace;
mod transfer;

pub use codec::{Reader, Writer};
pub use error::Error;
pub use event::{Event, EventKind};
pub use fault::{FaultKind, FaultReport};
pub use handle::Handle;
pub use limits::*;
pub use operation::{
    Access, Account, AnswerForm, CellState, Emitted, Function, INTERFACES, Identity, Inspection, NewCell,
    ObjectKind, OnBudget, OnCell, OnEndpoint, OnNotification, OnObject, OnRegion, OnSpace, OnTimer,
    Operation, Reply, Running, Serving,
};
pub use outcome::{Outcome, decode_result, encode_result};
pub use printable::{Printable, PrintableWriter};
pub use program::{
    DEFERRED, HANDLE_EXPORT, INBOX_EXPORT, INIT_EXPORT, Inbox, MAIN_EXPORT, Returned, STACK_POINTER_EXPORT,
    THREAD_EXPORT, THREAD_IS_OVER,
};
pub use rights::Rights;
pub use span::Span;
pub use time_budget::TimeBudget;
pub use trace::{TraceKind, TraceRecord};
pub use transfer::{Transfer, TransferMode};

/// The module name that programs import the calls from.
pub const IMPORT_MODULE: &str = "hallows";

/// A deadline that never comes, in nanoseconds.
pub const NO_DEADLINE: u64 = i64::MAX as u64;
