//! A periodic program: wakes up at the beginning of each period, works, and says in the end how late it woke up and how often it was not done by the
//! period's end.
//!
//! Arguments `period_us=N` (1,000), `jobs=N` (1,000) and `steps=N` (10,000): the steps of one job's work, some of which a nanosecond has.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::vec::Vec;

use hallows::{Deadline, Error, Start, println, process};
use hallows_bench_kernels::chain;

/// Jobs at most: four megabytes of what they were late by.
const MOST_JOBS: u64 = 1_000_000;

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let (period_us, jobs): (u64, u64) = (start.setting("period_us", 1_000)?, start.setting("jobs", 1_000)?);
    let steps = start.setting("steps", 10_000)?;
    let Some(period_ns) = period_us.checked_mul(1_000).filter(|period| *period > 0) else {
        println!("a period has at least one microsecond");
        return Err(Error::BadArgument);
    };
    if !(1..=MOST_JOBS).contains(&jobs) {
        println!("there are between 1 and {MOST_JOBS} jobs");
        return Err(Error::BadArgument);
    }
    let mut late_by: Vec<u32> = Vec::with_capacity(jobs as usize);
    let (mut missed, mut due) = (0, process::now()? + period_ns);
    for _ in 0..jobs {
        // What else ends a wait comes to nobody who has told nobody of himself.
        while process::now()? < due {
            hallows::wait(&mut [], &mut [], Deadline::at(due))?;
        }
        late_by.push(u32::try_from(process::now()? - due).unwrap_or(u32::MAX));
        chain(steps);
        missed += u64::from(process::now()? > due + period_ns);
        due += period_ns;
    }
    late_by.sort_unstable();
    let at = |thousandths: usize| {
        late_by.get((late_by.len() * thousandths / 1_000).min(late_by.len() - 1)).copied()
    };
    println!(
        "{jobs} jobs, one in {period_us} us: woken up {} ns late (half of them), {} ns (99 of 100), {} ns (999 of 1,000), {} ns at most; {missed} were not done in time",
        at(500).unwrap_or(0),
        at(990).unwrap_or(0),
        at(999).unwrap_or(0),
        at(1_000).unwrap_or(0),
    );
    Ok(())
}
