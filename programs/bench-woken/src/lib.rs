//! Asks to be woken, says how long that took, pauses and works, again and again: a worker of schbench, for `hallows bench wakeup`.
//!
//! Granted: `messenger` (SEND), which wakes it with the time at which it did, and `notes` (SEND), a passive server that is told each time how many ns it
//! took until this ran, 8 bytes, little-endian. Argument: `pause_us=N` (100).
#![no_std]
#![forbid(unsafe_code)]

use core::time::Duration;

use hallows::{Deadline, Endpoint, Error, Start, pause, process, rights};
use hallows_bench_kernels::Matrices;

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let messenger: Endpoint<rights!(SEND)> = start.grant("messenger")?;
    let notes: Endpoint<rights!(SEND)> = start.grant("notes")?;
    let between = Duration::from_micros(start.setting("pause_us", 100)?);
    let mut matrices = Matrices::new();
    let right = matrices.multiply();
    loop {
        let mut began = [0; 8];
        messenger.call(&[], &[], &mut began, &mut [], Deadline::NEVER)?;
        let took_ns = process::now()?.saturating_sub(u64::from_le_bytes(began));
        notes.call(&took_ns.to_le_bytes(), &[], &mut [], &mut [], Deadline::NEVER)?;
        pause(between)?;
        if matrices.multiply() != right {
            return Err(process::crash("a product of matrices is not what it was before"));
        }
    }
}
