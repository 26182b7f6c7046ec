//! One file for each command.

pub mod attach;
pub mod bench;
pub mod build;
pub mod demo;
pub mod interface;
pub mod lab;
pub mod launch;
pub mod list;
pub mod manual;
pub mod new;
pub mod paths;
pub mod policy;
pub mod probe;
pub mod ps;
pub mod run;
pub mod show;
pub mod stop;
pub mod top;
