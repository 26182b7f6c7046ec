//! Reports of outcomes: a table for people, one JSON object a line for programs, a page of pictures made from
//! those lines.

pub mod colour;
pub mod html;
pub mod json;
pub(crate) mod numbers;
pub mod text;
pub mod wrap;
