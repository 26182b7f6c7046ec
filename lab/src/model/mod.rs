//! Policies in virtual time: the same requests on cores that cost nothing, or what is said, so that a policy is seen and not a machine.
//!
//! What a model says is what its policy can reach; it is no measurement, and reports say so.

mod fcfs;
mod ideal;
mod quantum;
mod reserved;
mod shortest;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::str::FromStr;

use crate::LabError;
use crate::schedule::{Offer, Request};

/// A policy that there is a model of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Processor sharing without a quantum and without costs: all that are there get the same part of the cores at any time. What "ideal" means in
    /// reports.
    Ideal,
    /// One queue, first come, first served, to the end.
    Fcfs,
    /// By quanta, new work before preempted work, no preemption when nobody waits: ours.
    Quantum,
    /// Shortest remaining time first: the best mean, by who knows each request's time before.
    Shortest,
    /// Cores reserved for classes of short requests, as DARC does (Demoulin et al., "When Idling is Ideal", SOSP 2021).
    Reserved,
}

impl Model {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ideal, Self::Fcfs, Self::Quantum, Self::Shortest, Self::Reserved];

    /// Its name in reports and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ideal => "ideal",
            Self::Fcfs => "fcfs-model",
            Self::Quantum => "quantum-model",
            Self::Shortest => "srpt-model",
            Self::Reserved => "darc-model",
        }
    }

    /// Latencies of all requests of an offer, in ns.
    #[must_use]
    pub fn latencies(self, offer: &Offer<'_>, requests: &[Request], costs: Costs) -> Vec<u64> {
        match self {
            Self::Ideal => ideal::latencies(requests, offer.cores),
            Self::Fcfs => simulate(requests, offer.cores, &mut fcfs::Fcfs::default(), costs),
            Self::Quantum => {
                simulate(requests, offer.cores, &mut quantum::Quantum::new(costs.quantum_ns), costs)
            }
            Self::Shortest => simulate(requests, offer.cores, &mut shortest::Shortest::default(), costs),
            Self::Reserved => {
                let mut policy =
                    reserved::Reserved::new(offer.service.classes().len(), requests, offer.cores);
                simulate(requests, offer.cores, &mut policy, costs)
            }
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Model {
    type Err = LabError;

    fn from_str(text: &str) -> Result<Self, LabError> {
        Self::ALL.into_iter().find(|model| model.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|model| model.name()).collect();
            LabError::Argument(format!("there is no model '{text}'; there are {}", names.join(", ")))
        })
    }
}

/// What a simulated core costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// The longest that a request runs while others wait, in ns.
    pub quantum_ns: u64,
    /// To begin with a request or to go on with one, in ns.
    pub start_ns: u64,
    /// To stop one before its end, in ns.
    pub stop_ns: u64,
}

/// A request that is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Which.
    pub number: usize,
    /// What is left of it, in ns.
    pub left_ns: u64,
    /// Its class.
    pub class: u8,
}

/// Decides who runs where. A small state machine that knows no clock.
pub trait Policy {
    /// A request came.
    fn arrived(&mut self, job: Job);
    /// One was stopped before its end.
    fn stopped(&mut self, job: Job);
    /// Whom a core that is free runs next, and for how long at most, in ns.
    fn pick(&mut self, core: u32) -> Option<(Job, u64)>;
    /// Whether anybody waits whom this core could run.
    fn waits(&self, core: u32) -> bool;
    /// The core to be stopped at once for who has just come, if there is none free; what each runs, with what would be left of it now.
    fn interrupts(&self, _running: &[Job]) -> Option<u32> {
        None
    }
}

/// What a core does.
#[derive(Clone, Copy, Debug)]
struct Running {
    job: Job,
    /// When it began to run, costs behind it, in ns.
    since_ns: u64,
    /// From when on it stops for who waits, in ns.
    quantum_ends_ns: u64,
    /// Tells this slice from those before it.
    slice: u64,
}

/// The simulated cores.
struct World<'p> {
    policy: &'p mut dyn Policy,
    costs: Costs,
    cores: Vec<Option<Running>>,
    /// Ends of slices: when, core, slice.
    ends: BinaryHeap<Reverse<(u64, u32, u64)>>,
    slices: u64,
    done_ns: Vec<u64>,
}

/// Runs all requests by a policy; their latencies in ns.
fn simulate(requests: &[Request], cores: u32, policy: &mut dyn Policy, costs: Costs) -> Vec<u64> {
    let mut world = World {
        policy,
        costs,
        cores: vec![None; cores as usize],
        ends: BinaryHeap::new(),
        slices: 0,
        done_ns: vec![0; requests.len()],
    };
    let mut next = 0;
    loop {
        let end = world.ends.peek().map(|Reverse((at, ..))| *at);
        match (requests.get(next), end) {
            (None, None) => break,
            // Ends first: the core is free for who comes at that very time.
            (Some(request), end) if end.is_none_or(|end| request.arrival_ns < end) => {
                let job = Job { number: next, left_ns: request.service_ns, class: request.class };
                world.arrive(request.arrival_ns, job);
                next += 1;
            }
            _ => world.end_slice(),
        }
    }
    requests.iter().zip(world.done_ns).map(|(request, done)| done - request.arrival_ns).collect()
}

impl World<'_> {
    fn arrive(&mut self, now: u64, job: Job) {
        self.policy.arrived(job);
        for core in 0..self.cores.len() as u32 {
            if self.cores[core as usize].is_none() && self.begin(now, core) {
                return;
            }
        }
        let over = |core: &u32| {
            self.cores[*core as usize].is_some_and(|running| running.quantum_ends_ns <= now)
                && self.policy.waits(*core)
        };
        if let Some(core) = (0..self.cores.len() as u32).find(over) {
            return self.stop(now, core);
        }
        let left = |running: &Option<Running>| {
            running.map(|running| Job { left_ns: left(&running, now), ..running.job })
        };
        let running: Option<Vec<Job>> = self.cores.iter().map(left).collect();
        if let Some(core) = running.and_then(|running| self.policy.interrupts(&running)) {
            self.stop(now, core);
        }
    }

    /// Has a free core run whoever is next.
    fn begin(&mut self, now: u64, core: u32) -> bool {
        let Some((job, most_ns)) = self.policy.pick(core) else { return false };
        let since_ns = now + self.costs.start_ns;
        self.slices += 1;
        let quantum_ends_ns = since_ns.saturating_add(most_ns);
        self.cores[core as usize] = Some(Running { job, since_ns, quantum_ends_ns, slice: self.slices });
        self.ends.push(Reverse((since_ns + job.left_ns.min(most_ns), core, self.slices)));
        true
    }

    /// Stops what a core runs before its end, and has it run whoever is next.
    fn stop(&mut self, now: u64, core: u32) {
        if let Some(running) = self.cores[core as usize].take() {
            self.policy.stopped(Job { left_ns: left(&running, now), ..running.job });
            self.begin(now.max(running.since_ns) + self.costs.stop_ns, core);
        }
    }

    fn end_slice(&mut self) {
        let Some(Reverse((now, core, slice))) = self.ends.pop() else { return };
        let Some(running) = self.cores[core as usize].filter(|running| running.slice == slice) else {
            return;
        };
        let left_ns = left(&running, now);
        if left_ns == 0 {
            self.done_ns[running.job.number] = now;
            self.cores[core as usize] = None;
            self.begin(now, core);
        } else if self.policy.waits(core) {
            self.stop(now, core);
        } else {
            // Nobody waits: it goes on until its end, or until somebody comes.
            self.ends.push(Reverse((now + left_ns, core, slice)));
        }
    }
}

/// What is left at a time of what a core runs, in ns.
fn left(running: &Running, now: u64) -> u64 {
    running.job.left_ns - now.saturating_sub(running.since_ns).min(running.job.left_ns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Service;
    use hallows_load::Arrivals;

    const FREE: Costs = Costs { quantum_ns: 1_000, start_ns: 0, stop_ns: 0 };

    fn offer(service: &Service, load: f64, cores: u32, requests: usize) -> Offer<'_> {
        Offer { service, arrivals: Arrivals::Poisson, load, cores, requests, seed: 3 }
    }

    fn mean(latencies: &[u64]) -> f64 {
        latencies.iter().map(|latency| *latency as f64).sum::<f64>() / latencies.len() as f64
    }

    #[test]
    fn mean_latencies_are_those_of_queueing_theory() {
        let exponential: Service = "exponential:10us".parse().expect("a form");
        let constant: Service = "constant:10us".parse().expect("a form");
        for load in [0.3, 0.7] {
            let mean_of = |service, model: Model| {
                let offer = offer(service, load, 1, 400_000);
                mean(&model.latencies(&offer, &offer.requests(), FREE))
            };
            // M/M/1 and M/G/1 by processor sharing: S / (1 - load). M/D/1: Pollaczek and Khinchine.
            let shared = 10_000.0 / (1.0 - load);
            let constant_fcfs = 10_000.0 * (1.0 + load / (2.0 * (1.0 - load)));
            for (found, expected) in [
                (mean_of(&exponential, Model::Fcfs), shared),
                (mean_of(&exponential, Model::Ideal), shared),
                (mean_of(&constant, Model::Ideal), shared),
                (mean_of(&constant, Model::Fcfs), constant_fcfs),
                (mean_of(&constant, Model::Shortest), constant_fcfs),
            ] {
                assert!((found - expected).abs() < 0.04 * expected, "{load}: {found}, not {expected}");
            }
            assert!(mean_of(&exponential, Model::Shortest) < shared);
        }
    }

    #[test]
    fn who_is_alone_takes_as_long_as_it_does_and_all_work_is_done_once() {
        let service: Service = "trimodal:0.3:0.3:1us:10us:100us".parse().expect("a form");
        for model in Model::ALL {
            for cores in [1, 3] {
                let offer = offer(&service, 0.6, cores, 5_000);
                let requests = offer.requests();
                let latencies = model.latencies(&offer, &requests, FREE);
                let slowest =
                    requests.iter().zip(&latencies).find(|(request, latency)| request.service_ns > **latency);
                assert_eq!(slowest, None, "{model} on {cores}");
                let apart: Vec<Request> = requests
                    .iter()
                    .enumerate()
                    .map(|(number, request)| Request { arrival_ns: number as u64 * 1_000_000, ..*request })
                    .collect();
                let alone = model.latencies(&offer, &apart, FREE);
                assert!(
                    apart.iter().zip(alone).all(|(request, latency)| latency == request.service_ns),
                    "{model} on {cores}"
                );
            }
        }
    }

    #[test]
    fn short_quanta_are_nearly_ideal_and_costs_make_all_slower() {
        let service: Service = "bimodal:0.95:1us:50us".parse().expect("a form");
        let offer = offer(&service, 0.7, 1, 100_000);
        let requests = offer.requests();
        let short = |latencies: Vec<u64>| {
            let of_short = requests.iter().zip(latencies).filter(|(request, _)| request.class == 0);
            mean(&of_short.map(|(_, latency)| latency).collect::<Vec<_>>())
        };
        let ideal = short(Model::Ideal.latencies(&offer, &requests, FREE));
        let quantum = short(Model::Quantum.latencies(&offer, &requests, FREE));
        let costly = Costs { start_ns: 100, stop_ns: 100, ..FREE };
        let fcfs = short(Model::Fcfs.latencies(&offer, &requests, FREE));
        // New work goes before preempted work, which is better for short requests than to share.
        assert!(quantum < 1.1 * ideal, "{quantum} beside {ideal}");
        assert!(short(Model::Quantum.latencies(&offer, &requests, costly)) > quantum);
        assert!(fcfs > 5.0 * quantum, "{fcfs} beside {quantum}");
    }

    #[test]
    fn reserved_cores_keep_short_requests_from_waiting_for_long_ones() {
        let service: Service = "bimodal:0.995:500ns:500us".parse().expect("a form");
        let offer = offer(&service, 0.7, 8, 200_000);
        let requests = offer.requests();
        let worst_short = |model: Model| {
            let mut short: Vec<u64> = requests
                .iter()
                .zip(model.latencies(&offer, &requests, FREE))
                .filter(|(request, _)| request.class == 0)
                .map(|(_, latency)| latency)
                .collect();
            short.sort_unstable();
            short[short.len() * 999 / 1_000]
        };
        let (reserved, fcfs) = (worst_short(Model::Reserved), worst_short(Model::Fcfs));
        assert!(reserved * 10 < fcfs, "{reserved} beside {fcfs}");
    }
}
