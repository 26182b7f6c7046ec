//! Spins in one of several ways: what the benches of preemption stop.
//!
//! Argument `loop=arithmetic|memory-bound|bulk-memory` (arithmetic).
#![no_std]
#![forbid(unsafe_code)]

use hallows::{Error, Start, log, process};
use hallows_bench_kernels::{Loop, Spinner};

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let name = start.info().setting("loop").unwrap_or(Loop::Arithmetic.name());
    let Some(kind) = Loop::ALL.into_iter().find(|kind| kind.name() == name) else {
        log!(
            "there is no loop `{name}`; there are {}, {} and {}",
            Loop::ALL[0].name(),
            Loop::ALL[1].name(),
            Loop::ALL[2].name()
        );
        return Err(Error::BadArgument);
    };
    let mut spinner = Spinner::new(kind);
    loop {
        spinner.step();
        process::safepoint()?;
    }
}
