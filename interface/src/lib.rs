//! Interfaces as data: reads WIT, gives an interface its canonical form and its hash, says what differs between two, and makes stubs.
//!
//! The canonical form and the hash are specified in `docs/interfaces.md`; how values stand in messages is `hallows-wire`'s.
#![forbid(unsafe_code)]

mod canonical;
mod conversion;
mod convert;
pub mod declared;
mod difference;
mod hash;
mod limits;
mod model;
mod package;
mod problem;
pub mod stubs;
mod used;

pub use difference::{Breaks, Difference, differences};
pub use hash::Hash;
pub use model::{
    Case, Field, Function, Interface, Kind, Label, Named, Parameter, Resource, ResourceName, Type,
};
pub use package::Package;
pub use problem::Problem;
