//! Reports of outcomes: a table for people, one JSON object a line for programs.

pub mod colour;
pub mod json;
pub(crate) mod numbers;
pub mod text;
pub mod wrap;
