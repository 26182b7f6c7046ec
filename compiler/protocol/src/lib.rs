//! What the compiler's parent asks for and what the sandboxed compiler answers.
//!
//! The request is a list of arguments ([`Request::to_arguments`]); the program's bytes go to standard input; the
//! artefact comes from standard output with exit status 0, or one line of JSON, a [`CompileError`], from
//! standard error with another status.
#![forbid(unsafe_code)]

mod error;
mod limits;
mod request;

pub use error::CompileError;
pub use limits::{Limit, Limits};
pub use request::{ArgumentError, Request};
