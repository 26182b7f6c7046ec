//! Makes one call and ends: what the bench of starts measures, from the start of a cell to its first call.
//!
//! Granted, if anybody wants to be told: `started`, a notification whose bit 0 it signals.
#![no_std]
#![forbid(unsafe_code)]

use hallows::{Error, Notification, Start};

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    // Reading the start information was the first call.
    match start.optional::<Notification>("started") {
        Some(started) => started.signal(1),
        None => Ok(()),
    }
}
