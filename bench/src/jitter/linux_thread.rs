//! The rival that spins: a thread of Linux with `SCHED_FIFO` and oslat's loop, in a process of its own, which writes what a cell of ours writes.

use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::str::FromStr;

use hallows_bench_kernels::{Histogram, Periods};

use crate::clock::{self, Clock};
use crate::cores::{Core, Priority, realtime_is_allowed, settle};
use crate::error::BenchError;

/// The first period begins so long after the line that says so.
const AHEAD_NS: u64 = 20_000_000;

/// What it does, as text: `CORE,NANOSECONDS,COUNT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The core that it spins on.
    pub core: Core,
    /// In nanoseconds.
    pub period_ns: u64,
    /// How many periods.
    pub count: u64,
}

impl fmt::Display for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{},{},{}", self.core, self.period_ns, self.count)
    }
}

impl FromStr for Run {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fields: Result<Vec<u64>, _> = text.split(',').map(str::parse).collect();
        match fields.as_deref() {
            Ok(&[core, period_ns, count]) if period_ns > 0 => {
                let core = Core(usize::try_from(core).map_err(|_| "there is no such core")?);
                Ok(Self { core, period_ns, count })
            }
            _ => Err("expected CORE,NANOSECONDS,COUNT"),
        }
    }
}

/// Spins for so many periods on a core, and writes what became of them. The calling thread does it: a process of one thread.
///
/// # Errors
/// When the thread cannot be pinned, or nobody takes what it says.
pub fn spin(run: Run, output: &mut dyn Write) -> Result<(), BenchError> {
    let Run { core, period_ns, count } = run;
    let failed = BenchError::system("write what was measured");
    settle(core, Priority::RealtimeIfAllowed)?;
    let clock = Clock::calibrate()?;
    let began = clock::glance();
    // Of 2^32: a multiplication and a shift, as the machine's clock.
    let scale = (clock.nanoseconds(1 << 32)).round() as u128;
    let now_ns = || ((u128::from(clock::glance().wrapping_sub(began)) * scale) >> 32) as u64;
    let microseconds = (AHEAD_NS + count.saturating_mul(period_ns)) / 1_000;
    let report = say(output, &format!("begins {microseconds}\n"))
        .map(|()| {
            let periods = Periods { first_ns: now_ns() + AHEAD_NS, period_ns, count };
            let Ok(record) = periods.spin(|| Ok::<u64, Infallible>(now_ns()));
            record
        })
        .and_then(|record| {
            let mut text = String::new();
            tell_counts(&mut text, "late", &record.late);
            tell_counts(&mut text, "gaps", &record.gaps);
            let look_ns = record.look_ns().unwrap_or(0);
            let _ = writeln!(text, "sums {count} {} {} {look_ns}\nends", record.lost_ns, record.looks);
            say(output, &text)
        });
    report.map_err(failed)
}

/// How such a thread is set up.
#[must_use]
pub fn configuration() -> String {
    let priority =
        if realtime_is_allowed() { "SCHED_FIFO 1" } else { "ordinary priority (SCHED_FIFO not permitted)" };
    format!(
        "a pinned thread of Linux, {priority}, with oslat's loop on the time-stamp counter, the same source as ours"
    )
}

fn say(output: &mut dyn Write, text: &str) -> io::Result<()> {
    output.write_all(text.as_bytes()).and_then(|()| output.flush())
}

fn tell_counts(text: &mut String, what: &str, histogram: &Histogram) {
    text.push_str(what);
    for (time_ns, count) in histogram.counts() {
        // Cannot fail.
        let _ = write!(text, " {time_ns}:{count}");
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cores::Cores;
    use crate::jitter::told::{Line, Told};

    #[test]
    fn a_thread_tells_of_all_its_periods() {
        let core = Cores::default_pair().expect("cores").first();
        let mut output = Vec::new();
        let run = Run { core, period_ns: 200_000, count: 50 };
        assert_eq!(run.to_string().parse(), Ok(run));
        // A thread of its own, which keeps core and priority to itself.
        std::thread::scope(|scope| {
            let spinner = scope.spawn(|| spin(run, &mut output));
            spinner.join().expect("no panic").expect("pinned");
        });
        let text = String::from_utf8(output).expect("text");
        let mut told = Told::default();
        let lines: Vec<Line> = text.lines().map(|line| told.hear(line)).collect();
        assert_eq!(lines, [Line::Begins(30_000), Line::Part, Line::Part, Line::Part, Line::Ends], "{text}");
        // Of a host that takes the core away for long, some are left out.
        assert!((1..=50).contains(&told.late.total()) && told.periods == 50 && told.looks > 50, "{text}");
    }
}
