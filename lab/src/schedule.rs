//! When requests come and what each of them is: decided before a run, so that every contender gets the same.

use hallows_load::Arrivals;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::service::{Asks, Service};

/// A request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// When it comes, in ns from the start.
    pub arrival_ns: u64,
    /// How long it takes when nothing else runs, in ns.
    pub service_ns: u64,
    /// Which of the service's classes it is of.
    pub class: u8,
    /// What it is for.
    pub asks: Asks,
}

/// What is offered.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer<'s> {
    /// How long requests take.
    pub service: &'s Service,
    /// How they come. A trace has its own times, which are stretched to the load.
    pub arrivals: Arrivals,
    /// Part of the time of all cores that the requests take, at best: 1 is all of it.
    pub load: f64,
    /// Cores that work on requests.
    pub cores: u32,
    /// How many requests.
    pub requests: usize,
    /// What the random numbers begin with.
    pub seed: u64,
}

impl Offer<'_> {
    /// Requests in a second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.load * f64::from(self.cores) / self.service.mean_ns() * 1e9
    }

    /// All requests, in the order in which they come.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        let mut random = SmallRng::seed_from_u64(self.seed);
        let gap_ns = self.service.mean_ns() / (self.load * f64::from(self.cores));
        let stretch = match self.service {
            Service::Trace(trace) => {
                let recorded: u64 = trace.requests.iter().map(|request| request.gap_ns).sum();
                gap_ns * trace.requests.len() as f64 / recorded as f64
            }
            _ => 1.0,
        };
        let mut at = 0.0;
        (0..self.requests)
            .map(|number| {
                at += match (self.service, self.arrivals) {
                    (Service::Trace(trace), _) => {
                        trace.requests[number % trace.requests.len()].gap_ns as f64 * stretch
                    }
                    (_, arrivals) => arrivals.gap_ns(gap_ns, &mut random),
                };
                let (asks, service_ns, class) = self.service.draw(number, &mut random);
                Request { arrival_ns: at as u64, service_ns, class, asks }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(service: &str, arrivals: Arrivals) -> (Service, Arrivals) {
        (service.parse().expect(service), arrivals)
    }

    #[test]
    fn requests_come_in_order_and_are_as_much_as_was_asked_for() {
        for (service, arrivals) in [
            offered("constant:1us", Arrivals::Uniform),
            offered("exponential:5us", Arrivals::Poisson),
            offered("bimodal:0.9:1us:10us", Arrivals::Poisson),
            offered("kv:0.5:keys=100", Arrivals::Poisson),
        ] {
            for (load, cores) in [(0.5, 1), (0.9, 4)] {
                let offer = Offer { service: &service, arrivals, load, cores, requests: 300_000, seed: 7 };
                let requests = offer.requests();
                assert!(requests.is_sorted_by_key(|request| request.arrival_ns));
                let work: f64 = requests.iter().map(|request| request.service_ns as f64).sum();
                let time = requests.last().expect("some").arrival_ns as f64 * f64::from(cores);
                assert!((work / time - load).abs() < 0.02 * load, "{service} {load}: {}", work / time);
                // Not `assert_eq`, which would print them all.
                assert!(requests == offer.requests(), "{service}: not the same each time");
                let others = Offer { seed: 8, ..offer.clone() }.requests();
                assert!(
                    arrivals == Arrivals::Uniform || requests != others,
                    "{service}: the same for another seed"
                );
            }
        }
    }

    #[test]
    fn gaps_at_random_are_exponential_and_uniform_ones_all_the_same() {
        let service: Service = "constant:1us".parse().expect("a form");
        let gaps = |arrivals| {
            let offer =
                Offer { service: &service, arrivals, load: 0.5, cores: 1, requests: 200_000, seed: 1 };
            let requests = offer.requests();
            requests
                .windows(2)
                .map(|pair| (pair[1].arrival_ns - pair[0].arrival_ns) as f64)
                .collect::<Vec<_>>()
        };
        assert!(gaps(Arrivals::Uniform).iter().all(|gap| (gap - 2_000.0).abs() <= 1.0));
        let random = gaps(Arrivals::Poisson);
        let longer = random.iter().filter(|gap| **gap > 2_000.0).count() as f64 / random.len() as f64;
        assert!((longer - (-1f64).exp()).abs() < 0.01, "{longer}");
    }

    #[test]
    fn a_trace_is_stretched_to_the_load_and_repeated() {
        use crate::service::{Recorded, Trace};
        let recorded = |gap_ns, service_ns| Recorded { gap_ns, service_ns, class: 0 };
        let requests = vec![recorded(0, 100), recorded(50, 300)];
        let service =
            Service::Trace(Trace { path: "t".to_owned(), requests, classes: vec!["all".to_owned()] });
        let offer = Offer {
            service: &service,
            arrivals: Arrivals::Poisson,
            load: 0.5,
            cores: 1,
            requests: 4,
            seed: 1,
        };
        let arrivals: Vec<u64> = offer.requests().iter().map(|request| request.arrival_ns).collect();
        assert_eq!(arrivals, [0, 800, 800, 1_600]);
    }
}
