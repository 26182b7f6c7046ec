//! `clock-gettime`: this host's monotonic clock, read without a system call where the vDSO can.

use std::hint::black_box;

use super::priority_text;
use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// Reads the clock, again and again.
#[derive(Default)]
pub struct ClockGettime;

impl Contestant for ClockGettime {
    fn describe(&self) -> Description {
        Description {
            name: "clock-gettime".to_owned(),
            configuration: format!(
                "libc's clock_gettime(CLOCK_MONOTONIC), of the vDSO; one thread, pinned, {}",
                priority_text(Priority::RealtimeIfAllowed)
            ),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        on_core(turn.cores.first(), Priority::RealtimeIfAllowed, || {
            let begin = now()?;
            let mut last = begin;
            let samples = turn.measure(|| {
                last = black_box(now()?);
                Ok(())
            })?;
            // Checked once: a comparison in the loop would be part of the figure.
            if last > begin {
                Ok(samples)
            } else {
                Err(BenchError::Wrong("the monotonic clock stands still".to_owned()))
            }
        })?
    }
}

/// Seconds and nanoseconds.
#[inline]
fn now() -> Result<(i64, i64), BenchError> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is ours and outlives the call.
    match unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) } {
        0 => Ok((time.tv_sec, time.tv_nsec)),
        _ => Err(BenchError::last_os("read the clock")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play_twice;
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn the_clock_is_read() {
        assert!(now().expect("a clock") > (0, 0));
        play_twice(&mut ClockGettime, Sampling::BATCH, 5);
    }
}
