//! Calls a worker again and again, with a pause before each call, and says how long the calls took at the beginning and in the end.
//!
//! Granted: `worker` (SEND and WATCH). Arguments: `steps=N` steps of work in each call (20,000), `pause_us=N` before each (100), `seconds=N` in all (5).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;

use hallows::{Connection, Deadline, Error, Start, log, process};
use hallows_protocols::work::{Request, Response};

/// Of these many calls at the beginning, and in the end, it says how long they took.
const SOME: usize = 1_000;
/// Calls at most: twelve megabytes of how long they took.
const MOST_CALLS: usize = 3_000_000;

/// The duration that so many of a hundred are not longer than, in µs.
fn percentile(of: &[u32], hundredths: usize) -> f32 {
    let mut sorted = of.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() * hundredths / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).map_or(0.0, |ns| *ns as f32 / 1_000.0)
}

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let steps: u32 = start.setting("steps", 20_000)?;
    let pause_ns = start.setting("pause_us", 100_u64)?.saturating_mul(1_000);
    let end_ns =
        process::now()?.saturating_add(start.setting("seconds", 5_u64)?.saturating_mul(1_000_000_000));
    let worker = Connection::granted(&start, "worker")?;
    let mut took: Vec<u32> = Vec::new();
    while process::now()? < end_ns && took.len() < MOST_CALLS {
        let until = process::now()? + pause_ns;
        while process::now()? < until {
            hallows::wait(&mut [], &mut [], Deadline::at(until))?;
        }
        let request = Request { seed: took.len() as u64, steps };
        let began = process::now()?;
        let answer: Response = worker.ask(&request, Deadline::NEVER)?;
        took.push(u32::try_from(process::now()? - began).unwrap_or(u32::MAX));
        if answer.result != request.result() && took.len() % 64 == 1 {
            log!("call {} has a wrong answer", took.len());
            return Err(process::exit(1));
        }
    }
    let some = took.len().min(SOME);
    let (first, last) = (took.get(..some).unwrap_or(&[]), took.get(took.len() - some..).unwrap_or(&[]));
    log!(
        "{} calls: {:.1} us (half of them) and {:.1} us (90 of 100) at first, {:.1} and {:.1} us in the end",
        took.len(),
        percentile(first, 50),
        percentile(first, 90),
        percentile(last, 50),
        percentile(last, 90)
    );
    Ok(())
}
