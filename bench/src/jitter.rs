//! `hallows bench jitter`: how late a periodic program is, what takes a spinning one's core away, and what could be done about it.
//!
//! Not a bench of medians: distributions with counters of Linux beside them. A [`case::Case`] is a tier, a way to be there in time (sleeping or spinning) and what runs
//! beside; in each, ours and rivals take turns. What starts ours and takes cores for rivals is in `hallows`; here is what is measured, read, judged and said.

pub mod advice;
pub mod antagonist;
pub mod case;
pub mod counters;
pub mod cyclictest;
pub mod distribution;
pub mod json;
pub mod linux_thread;
pub mod oslat;
mod picture;
pub mod text;
pub mod told;
pub mod verdict;

/// The name by which it is asked for.
pub const NAME: &str = "jitter";
