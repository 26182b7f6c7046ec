//! One file for each command.

pub mod bench;
pub mod interface;
pub mod list;
pub mod manual;
pub mod probe;
pub mod ps;
pub mod run;
pub mod stop;
