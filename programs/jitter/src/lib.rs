//! A periodic program that does nothing but be there in time: what `hallows bench jitter` runs. In the end it logs how late it was, as counts.
//!
//! Arguments `how=sleeping|spinning` (sleeping), `period_us=N` (100), `count=N` periods (10,000), `settle_ms=N` (0): so long it does the same before anything is
//! counted. What it logs, a word in front of each line: `begins` with how many microseconds it runs from now, then `late`, `gaps` and `sums`, then `ends`.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;
use core::fmt::Write;

use hallows::{Deadline, Error, Start, println, process};
use hallows_bench_kernels::{Histogram, Periods, Record};

/// Counts of a line, as `TIME:COUNT`: with 20 digits each it is still no longer than the log takes.
const COUNTS_IN_LINE: usize = 20;
/// The first period begins so long after the line that says so: the log has written it by then.
const AHEAD_NS: u64 = 20_000_000;

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let (period_us, count): (u64, u64) = (start.setting("period_us", 100)?, start.setting("count", 10_000)?);
    let settle_ms: u64 = start.setting("settle_ms", 0)?;
    let is_spinning = match start.info().setting("how") {
        None | Some("sleeping") => false,
        Some("spinning") => true,
        Some(how) => {
            println!("how={how}: there are sleeping and spinning");
            return Err(Error::BadArgument);
        }
    };
    let Some(period_ns) = period_us.checked_mul(1_000).filter(|period_ns| *period_ns > 0) else {
        println!("a period has at least one microsecond");
        return Err(Error::BadArgument);
    };
    let settling = Periods {
        first_ns: process::now()? + period_ns,
        period_ns,
        count: settle_ms.saturating_mul(1_000_000) / period_ns,
    };
    let measure = |periods: &Periods| if is_spinning { periods.spin(process::now) } else { sleep(periods) };
    measure(&settling)?;
    println!("begins {}", (AHEAD_NS + count.saturating_mul(period_ns)) / 1_000);
    let periods = Periods { first_ns: process::now()? + AHEAD_NS, period_ns, count };
    // Until then as well: whoever spins does not begin by sleeping.
    let ahead = Periods { first_ns: periods.first_ns, period_ns, count: 1 };
    measure(&ahead)?;
    let record = measure(&periods)?;
    tell(&record, count);
    Ok(())
}

fn sleep(periods: &Periods) -> Result<Record, Error> {
    periods.sleep(process::now, |due_ns| {
        // What else ends a wait comes to nobody who has told nobody of himself.
        while process::now()? < due_ns {
            hallows::wait(&mut [], &mut [], Deadline::at(due_ns))?;
        }
        Ok(())
    })
}

fn tell(record: &Record, count: u64) {
    tell_counts("late", &record.late);
    tell_counts("gaps", &record.gaps);
    println!("sums {count} {} {} {}", record.lost_ns, record.looks, record.look_ns().unwrap_or(0));
    println!("ends");
}

fn tell_counts(what: &str, histogram: &Histogram) {
    let mut counts = histogram.counts().peekable();
    while counts.peek().is_some() {
        let mut line = String::new();
        for (time_ns, count) in counts.by_ref().take(COUNTS_IN_LINE) {
            // Cannot fail.
            let _ = write!(line, " {time_ns}:{count}");
        }
        println!("{what}{line}");
    }
}
