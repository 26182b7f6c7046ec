//! Reports of outcomes: a table for people, one JSON object a line for programs.

pub mod json;
pub(crate) mod numbers;
pub mod text;
mod wrap;
