//! Machines from small to large, each offered loads from low to high.

use std::collections::BTreeMap;

use hallows_lab::{Arrivals, Costs as ModelCosts, Model, Offer, Request, Service};
use serde::Serialize;

use crate::calibrate::Calibration;
use crate::names::Count;
use crate::simulate::{Outcome, Setup, simulate};
use crate::skew::Skew;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How long requests take.
    pub service: Service,
    /// How they come.
    pub arrivals: Arrivals,
    /// How they are spread over cores.
    pub skew: Skew,
    /// Machines, by their cores.
    pub cores: Vec<u32>,
    /// Parts of the time of all cores.
    pub loads: Vec<f64>,
    /// Requests in each run.
    pub requests: usize,
    /// The longest that a request runs while others wait, in ns.
    pub quantum_ns: u64,
    /// What random numbers begin with.
    pub seed: u64,
}

/// What became of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Cores that work on requests; one more looks after time.
    pub cores: u32,
    /// Part of the time of all cores that requests take.
    pub load: f64,
    /// Requests that come in a second.
    pub offered_per_second: f64,
    /// Requests that are done in a second.
    pub done_per_second: f64,
    /// The same of cores that cost nothing: all that comes, as far as there are cores for it.
    pub ideal_per_second: f64,
    /// The former as a part of the latter.
    pub efficiency: f64,
    /// Requests that were not done in time.
    pub unfinished: u64,
    /// Latencies, in ns: p50, p99, p99.9. The last ones only where 100 samples lie beyond.
    pub latency_ns: [Option<f64>; 3],
    /// Latencies as multiples of the requests' own time.
    pub slowdown: [Option<f64>; 3],
    /// Those of ideal processor sharing with as many cores.
    pub ideal_slowdown: [Option<f64>; 3],
    /// What each request took of its core's time beside its own, in ns: in the kernel, for cache lines, waiting for lines that others were
    /// getting, waiting for locks.
    pub kernel_ns: f64,
    /// See `kernel_ns`.
    pub transfers_ns: f64,
    /// See `kernel_ns`.
    pub queues_ns: f64,
    /// See `kernel_ns`.
    pub locks_ns: f64,
    /// Cache lines that cores with requests got from others, for each request.
    pub transfers_per_request: f64,
    /// All transfers for each request, by what came: to cores with requests, to cores without, to the timekeeper.
    pub by_field: BTreeMap<String, [f64; 3]>,
    /// The line that was on its way for longest.
    pub busiest_line: String,
    /// For which part of the time: 1 is saturated.
    pub busiest_line_busy: f64,
    /// From one look of the timekeeper at all cores to the next, in ns: the shortest quantum that there is.
    pub look_ns: Option<f64>,
    /// Switches to a thread for each request.
    pub switches_per_request: f64,
}

/// All that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// How long requests take.
    pub service: String,
    /// How they come.
    pub arrivals: String,
    /// How they are spread over cores.
    pub skew: String,
    /// Requests in each run.
    pub requests: usize,
    /// The quantum, in ns.
    pub quantum_ns: u64,
    /// What random numbers begin with.
    pub seed: u64,
    /// What things cost, and what was measured for that.
    pub calibration: Calibration,
    /// By cores, then by load.
    pub points: Vec<Point>,
}

/// What is being done, for who waits.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Cores of the machine.
    pub cores: u32,
    /// Its load.
    pub load: f64,
    /// Runs before this one, and all that there are.
    pub done: usize,
    /// See `done`.
    pub of: usize,
}

/// The percentiles of a point.
pub(crate) const PERCENTS: [f64; 3] = [50.0, 99.0, 99.9];
/// Samples that must lie beyond one.
const BEYOND: f64 = 100.0;
/// The first tenth warms up.
const WARM_UP: usize = 10;
/// A load that is more than all time; beyond it there is nothing to see.
const HIGHEST_LOAD: f64 = 2.0;

impl Plan {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// What does not.
    pub fn check(&self) -> Result<(), String> {
        if let Some(cores) = self.cores.iter().find(|cores| !(1..=Setup::MOST_CORES).contains(*cores)) {
            return Err(format!(
                "a machine of {cores} cores cannot be simulated; 1 to {} can",
                Setup::MOST_CORES
            ));
        }
        if let Some(load) = self.loads.iter().find(|load| !(**load > 0.0 && **load <= HIGHEST_LOAD)) {
            return Err(format!("a load of {load} cannot be simulated: more than 0, at most {HIGHEST_LOAD}"));
        }
        if self.cores.is_empty() || self.loads.is_empty() || self.requests < 100 {
            return Err("at least one machine, one load and 100 requests are needed".to_owned());
        }
        Ok(())
    }
}

/// Simulates all of it.
#[must_use]
pub fn sweep(plan: &Plan, calibration: Calibration, mut tell: impl FnMut(Progress)) -> Report {
    let of = plan.cores.len() * plan.loads.len();
    let runs = plan.cores.iter().flat_map(|cores| plan.loads.iter().map(|load| (*cores, *load)));
    let points = runs.enumerate().map(|(done, (cores, load))| {
        tell(Progress { cores, load, done, of });
        point(plan, &calibration, cores, load)
    });
    Report {
        points: points.collect(),
        service: plan.service.to_string(),
        arrivals: plan.arrivals.to_string(),
        skew: plan.skew.to_string(),
        requests: plan.requests,
        quantum_ns: plan.quantum_ns,
        seed: plan.seed,
        calibration,
    }
}

fn point(plan: &Plan, calibration: &Calibration, cores: u32, load: f64) -> Point {
    let offer = Offer {
        service: &plan.service,
        arrivals: plan.arrivals,
        load,
        cores,
        requests: plan.requests,
        seed: plan.seed,
    };
    let requests = offer.requests();
    let homes = Skew::homes(&plan.skew.parts(cores, plan.seed), requests.len(), plan.seed.wrapping_add(1));
    let setup = Setup {
        cores,
        quantum_ns: plan.quantum_ns,
        costs: calibration.costs,
        requests: &requests,
        homes: &homes,
    };
    let found = simulate(&setup);
    let free = ModelCosts { quantum_ns: plan.quantum_ns, start_ns: 0, stop_ns: 0 };
    let ideal = Model::Ideal.latencies(&offer, &requests, free).into_iter().map(Some).collect::<Vec<_>>();
    let capacity = f64::from(cores) / plan.service.mean_ns() * 1e9;
    summary(&offer, &requests, &found, &ideal, capacity)
}

fn summary(
    offer: &Offer<'_>,
    requests: &[Request],
    found: &Outcome,
    ideal: &[Option<u64>],
    capacity: f64,
) -> Point {
    let counted = &requests[requests.len() / WARM_UP..];
    // What really came in the time that counts: the draw has its own mean.
    let offered_per_second = counted.len() as f64 / (found.counted_ps as f64 / 1e12);
    let ideal_per_second = offered_per_second.min(capacity);
    let per_request = |ps: u64| ps as f64 / 1_000.0 / found.done.max(1) as f64;
    let parts = |count: &Count| {
        [count.busy, count.idle, count.timekeeper].map(|one| one as f64 / found.done.max(1) as f64)
    };
    let (busiest_line, busiest_line_busy) = found.busiest.clone().unwrap_or_default();
    Point {
        cores: offer.cores,
        load: offer.load,
        offered_per_second,
        done_per_second: found.done_per_second,
        ideal_per_second,
        efficiency: found.done_per_second / ideal_per_second,
        unfinished: found.latencies_ns.iter().filter(|latency| latency.is_none()).count() as u64,
        latency_ns: percentiles(requests, &found.latencies_ns, |latency, _| latency),
        slowdown: percentiles(requests, &found.latencies_ns, |latency, service| latency / service),
        ideal_slowdown: percentiles(requests, ideal, |latency, service| latency / service),
        kernel_ns: per_request(found.spent.kernel),
        transfers_ns: per_request(found.spent.transfers),
        queues_ns: per_request(found.spent.queues),
        locks_ns: per_request(found.spent.locks),
        transfers_per_request: found.transfers.values().map(|count| count.busy).sum::<u64>() as f64
            / found.done.max(1) as f64,
        by_field: found.transfers.iter().map(|(name, count)| (name.clone(), parts(count))).collect(),
        busiest_line,
        busiest_line_busy,
        look_ns: found.look_ns,
        switches_per_request: found.switches,
    }
}

/// Of all requests but those that warm up. One that was not done took longer than all that were.
fn percentiles(
    requests: &[Request],
    latencies: &[Option<u64>],
    value: impl Fn(f64, f64) -> f64,
) -> [Option<f64>; 3] {
    let counted = requests.iter().zip(latencies).skip(requests.len() / WARM_UP);
    let mut values: Vec<f64> = counted
        .map(|(request, latency)| {
            latency.map_or(f64::INFINITY, |latency| value(latency as f64, request.service_ns.max(1) as f64))
        })
        .collect();
    values.sort_by(f64::total_cmp);
    PERCENTS.map(|percent| {
        let beyond = values.len() as f64 * (100.0 - percent) / 100.0 + 1e-6;
        let place = (values.len() as f64 * percent / 100.0) as usize;
        values.get(place).copied().filter(|value| beyond >= BEYOND && value.is_finite())
    })
}

#[cfg(test)]
mod tests {
    use hallows_lab::Asks;

    use super::*;

    #[test]
    fn percentiles_are_given_where_there_are_samples_and_who_is_not_done_is_late() {
        let request = Request { arrival_ns: 0, service_ns: 10, class: 0, asks: Asks::Work };
        let requests = vec![request; 20_000];
        let mut latencies: Vec<_> = (0..20_000).map(|_| Some(20)).collect();
        let slowdown = |latency: f64, service: f64| latency / service;
        assert_eq!(percentiles(&requests, &latencies, slowdown), [Some(2.0), Some(2.0), None]);
        // 2 % of those that count.
        latencies[2_000..2_360].fill(None);
        assert_eq!(percentiles(&requests, &latencies, slowdown), [Some(2.0), None, None]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let plan = Plan {
            service: "constant:1us".parse().expect("a form"),
            arrivals: Arrivals::Poisson,
            skew: Skew::Even,
            cores: vec![64],
            loads: vec![0.5],
            requests: 1_000,
            quantum_ns: 5_000,
            seed: 1,
        };
        assert_eq!(plan.check(), Ok(()));
        for wrong in [
            Plan { cores: vec![64, 0], ..plan.clone() },
            Plan { cores: vec![100_000], ..plan.clone() },
            Plan { loads: vec![0.0], ..plan.clone() },
            Plan { loads: vec![f64::NAN], ..plan.clone() },
            Plan { loads: Vec::new(), ..plan.clone() },
            Plan { requests: 10, ..plan.clone() },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }
}
