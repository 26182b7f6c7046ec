//! What a cache line from another core and a request's way through the kernel cost on this host.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hallows_bench::cores::{Priority, on_core};
use hallows_bench::{BenchError, Cores};
use serde::Serialize;

use crate::costs::Costs;
use crate::machine::PS;
use crate::simulate::path_of_a_request;

/// Each is measured so often, and the median counts: somebody else may have a core meanwhile.
const ROUNDS: usize = 15;
/// Round trips of a line in each.
const TRIPS: u64 = 20_000;
/// Requests in each.
const REQUESTS: usize = 20_000;
/// Readings of the clock in each.
const READINGS: u32 = 10_000;

/// What was measured, and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// One way of a line that two cores write in turns and look at all the time, in ns.
    pub one_way_ns: f64,
    /// A request's way through driver, kernel and fibers on one core, without any work, in ns.
    pub request_ns: f64,
    /// The kernel's and the driver's accesses to shared memory on that way.
    pub request_accesses: f64,
    /// A reading of the clock, in ns.
    pub clock_ns: f64,
    /// What the simulated cores are charged.
    pub costs: Costs,
}

/// On a line of its own, and without a neighbour that is fetched with it.
#[repr(align(128))]
struct Alone(AtomicU64);

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Measures on the first two of these cores.
///
/// # Errors
/// There is only one, or they cannot be had.
pub fn calibrate(cores: &Cores) -> Result<Calibration, BenchError> {
    let one_way_ns = one_way_ns(cores)?;
    let (paths, clocks): (Vec<_>, Vec<_>) = on_core(cores.first(), Priority::RealtimeIfAllowed, || {
        (0..ROUNDS)
            .map(|_| {
                let began = Instant::now();
                (path_of_a_request(REQUESTS, || began.elapsed()), clock_ns())
            })
            .unzip()
    })?;
    let request_accesses = paths.first().map_or(1.0, |(accesses, _)| *accesses);
    let request_ns = median(paths.iter().map(|(_, took_ns)| *took_ns).collect());
    Ok(Calibration::of(one_way_ns, request_ns, request_accesses, median(clocks)))
}

impl Calibration {
    /// What follows from such measurements.
    #[must_use]
    pub fn of(one_way_ns: f64, request_ns: f64, request_accesses: f64, clock_ns: f64) -> Self {
        let ps = |ns: f64| (ns * PS as f64).round().max(1.0) as u64;
        let costs = Costs {
            // All instructions on the way are told by its accesses.
            access_ps: ps(request_ns / request_accesses.max(1.0)),
            // One way of the line is two transfers: to who reads it, and alone to who then writes it.
            transfer_ps: ps(one_way_ns / 2.0),
            clock_ps: ps(clock_ns),
            ..Costs::ROUND
        };
        Self { one_way_ns, request_ns, request_accesses, clock_ns, costs }
    }

    /// Without measuring: a transfer takes so long, in ns, and everything else what it does in [`Costs::ROUND`].
    #[must_use]
    pub fn with_transfer(nanoseconds: f64) -> Self {
        let ns = |ps: u64| ps as f64 / PS as f64;
        let costs = Costs { transfer_ps: (nanoseconds * PS as f64).round().max(1.0) as u64, ..Costs::ROUND };
        let (one_way_ns, clock_ns) = (2.0 * nanoseconds, ns(costs.clock_ps));
        Self { one_way_ns, request_ns: 0.0, request_accesses: 0.0, clock_ns, costs }
    }
}

fn clock_ns() -> f64 {
    let began = Instant::now();
    for _ in 0..READINGS {
        black_box(Instant::now());
    }
    began.elapsed().as_nanos() as f64 / f64::from(READINGS)
}

/// Two cores write a line in turns, each as soon as it sees that the other has.
fn one_way_ns(cores: &Cores) -> Result<f64, BenchError> {
    let other = cores.second()?;
    let (line, ready) = (Alone(AtomicU64::new(0)), Alone(AtomicU64::new(0)));
    let trips = TRIPS * ROUNDS as u64;
    std::thread::scope(|scope| {
        let answers = scope.spawn(|| {
            on_core(other, Priority::RealtimeIfAllowed, || {
                ready.0.store(1, Ordering::Release);
                for number in 0..trips {
                    until(&line.0, 2 * number + 1);
                    line.0.store(2 * number + 2, Ordering::Release);
                }
            })
            // Who waits for it is to know.
            .inspect_err(|_| ready.0.store(2, Ordering::Release))
        });
        while ready.0.load(Ordering::Acquire) == 0 {
            std::thread::yield_now();
        }
        let took = match ready.0.load(Ordering::Acquire) {
            1 => on_core(cores.first(), Priority::RealtimeIfAllowed, || {
                let mut took = Vec::new();
                for round in 0..ROUNDS as u64 {
                    let began = Instant::now();
                    for number in round * TRIPS..(round + 1) * TRIPS {
                        line.0.store(2 * number + 1, Ordering::Release);
                        until(&line.0, 2 * number + 2);
                    }
                    took.push(began.elapsed());
                }
                took
            }),
            _ => Ok(Vec::new()),
        };
        match answers.join() {
            Ok(answered) => answered?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
        let one_way = |took: Duration| took.as_nanos() as f64 / (2 * TRIPS) as f64;
        Ok(median(took?.into_iter().map(one_way).collect()))
    })
}

fn until(line: &AtomicU64, value: u64) {
    while line.load(Ordering::Acquire) != value {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_what_simulated_cores_are_charged() {
        let found = Calibration::of(120.0, 300.0, 100.0, 25.0);
        assert_eq!(
            (found.costs.transfer_ps, found.costs.access_ps, found.costs.clock_ps),
            (60_000, 3_000, 25_000)
        );
        assert_eq!(Calibration::with_transfer(80.0).costs, Costs { transfer_ps: 80_000, ..Costs::ROUND });
    }

    #[test]
    fn a_requests_way_has_the_same_accesses_each_time() {
        let began = Instant::now();
        let [first, second] = [1, 2].map(|_| path_of_a_request(1_000, || began.elapsed()));
        assert!(first.0 == second.0 && first.0 > 10.0, "{first:?} {second:?}");
        assert!(first.1 > 0.0);
    }
}
