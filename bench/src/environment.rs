//! The machine that figures were made on, for the head of a report.

use std::fmt;
use std::fs;

use crate::clock::{self, Clock};
use crate::cores::{Cores, realtime_is_allowed};
use crate::error::BenchError;

/// What a reader must know to compare figures with his own.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The processor's name for itself.
    pub processor: String,
    /// Linux's release.
    pub linux: String,
    /// Whether there is a hypervisor below.
    pub virtual_machine: bool,
    /// The cores of the run.
    pub cores: Cores,
    /// Whether rivals run with real-time priority.
    pub realtime_rivals: bool,
    /// The clock.
    pub clock: Clock,
    /// How far the two cores' clocks are apart, in nanoseconds; `None` with one core.
    pub clock_offset_ns: Option<f64>,
}

impl Environment {
    /// Looks around and compares the clocks of the first two cores.
    ///
    /// # Errors
    /// If `/proc` cannot be read or a thread not pinned.
    pub fn observe(cores: &Cores, clock: &Clock) -> Result<Self, BenchError> {
        let processors =
            fs::read_to_string("/proc/cpuinfo").map_err(BenchError::system("read /proc/cpuinfo"))?;
        let linux = fs::read_to_string("/proc/sys/kernel/osrelease")
            .map_err(BenchError::system("read /proc/sys/kernel/osrelease"))?;
        let field = |name: &str| {
            let line =
                processors.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name));
            line.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
        };
        let clock_offset_ns =
            cores.second().ok().map(|second| clock::offset_ns(clock, cores.first(), second)).transpose()?;
        Ok(Self {
            processor: field("model name").to_owned(),
            linux: linux.trim().to_owned(),
            virtual_machine: field("flags").split_whitespace().any(|flag| flag == "hypervisor"),
            cores: cores.clone(),
            realtime_rivals: realtime_is_allowed(),
            clock: *clock,
            clock_offset_ns,
        })
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.virtual_machine { "virtual machine" } else { "real machine" };
        let priority =
            if self.realtime_rivals { "SCHED_FIFO" } else { "ordinary priority (SCHED_FIFO not permitted)" };
        writeln!(formatter, "{} · {place} · Linux {}", self.processor, self.linux)?;
        write!(
            formatter,
            "cores {} for ours and rivals alike · rivals at {priority} · clock: time-stamp counter at {:.3} GHz, an empty interval measures {:.0} ns",
            self.cores,
            self.clock.ticks_per_second() / 1e9,
            self.clock.read_cost_ns(),
        )?;
        match self.clock_offset_ns {
            Some(offset) => writeln!(formatter, ", {offset:+.0} ns between the cores")?,
            None => writeln!(formatter)?,
        }
        if cfg!(debug_assertions) {
            writeln!(formatter, "built for debugging: these figures mean nothing; build with --release")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_names_cores_and_clock() {
        let (cores, clock) = (Cores::default_pair().expect("cores"), Clock::calibrate().expect("clock"));
        let text = Environment::observe(&cores, &clock).expect("observed").to_string();
        assert!(text.contains(&format!("cores {cores}")), "{text}");
        assert!(text.contains("GHz"), "{text}");
    }
}
