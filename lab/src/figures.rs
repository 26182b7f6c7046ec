//! What latencies amount to.

use hallows_load::percentiles::{BEYOND, Percentiles, histogram, percentile};
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::schedule::Request;

/// This part of the requests, from the first on, is not counted: the contender warms up, and its queues fill.
const WARM_UP: usize = 10;
/// Slowdowns are counted in hundredths.
const SLOWDOWN_PARTS: f64 = 100.0;

/// Latencies and slowdowns of one class.
#[derive(Clone, Debug)]
struct Class {
    latency: Histogram<u64>,
    slowdown: Histogram<u64>,
}

impl Class {
    fn new() -> Self {
        Self { latency: histogram(), slowdown: histogram() }
    }

    fn add(&mut self, latency_ns: u64, service_ns: u64) {
        let slowdown = latency_ns as f64 / service_ns.max(1) as f64 * SLOWDOWN_PARTS;
        // A histogram that grows takes any value.
        let _ = self.latency.record(latency_ns);
        let _ = self.slowdown.record(slowdown.round() as u64);
    }
}

/// How many requests a percentile needs, with the warm-up.
pub(crate) fn requests_for(percent: f64) -> f64 {
    let counted = BEYOND / ((100.0 - percent) / 100.0);
    (counted * WARM_UP as f64 / (WARM_UP - 1) as f64 - 1e-6).ceil()
}

/// What one class of requests saw.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassFigures {
    /// Its name.
    pub class: String,
    /// How many requests of it were counted.
    pub samples: u64,
    /// Latencies, in ns.
    pub latency_ns: Percentiles,
    /// Latencies as multiples of the requests' own times.
    pub slowdown: Percentiles,
}

/// Collects what requests saw.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    classes: Vec<Class>,
    all: Class,
    /// Requests that were not done in time.
    pub(crate) unfinished: u64,
}

impl Figures {
    pub(crate) fn new(classes: usize) -> Self {
        Self { classes: vec![Class::new(); classes], all: Class::new(), unfinished: 0 }
    }

    /// Adds a run; `latency` says what a request saw, in ns.
    pub(crate) fn add(&mut self, requests: &[Request], latency: impl Fn(usize) -> Option<u64>) {
        for (number, request) in requests.iter().enumerate().skip(requests.len() / WARM_UP) {
            let Some(latency_ns) = latency(number) else {
                self.unfinished += 1;
                continue;
            };
            self.all.add(latency_ns, request.service_ns);
            if let Some(class) = self.classes.get_mut(usize::from(request.class)) {
                class.add(latency_ns, request.service_ns);
            }
        }
    }

    /// By class, and of all together under the name `all`, which stands first.
    pub(crate) fn by_class(&self, names: &[&str]) -> Vec<ClassFigures> {
        let figures = |name: &str, class: &Class| ClassFigures {
            class: name.to_owned(),
            samples: class.latency.len(),
            latency_ns: Percentiles::of(&class.latency, 1.0),
            slowdown: Percentiles::of(&class.slowdown, SLOWDOWN_PARTS),
        };
        let all = std::iter::once(figures("all", &self.all));
        let apart = names.iter().zip(&self.classes).filter(|_| names.len() > 1);
        all.chain(apart.map(|(name, class)| figures(name, class))).collect()
    }

    /// The slowdown of all that so many percent have at most; `None` if there are too few samples for that.
    pub(crate) fn slowdown_at(&self, percent: f64) -> Option<f64> {
        percentile(&self.all.slowdown, percent).map(|value| value / SLOWDOWN_PARTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Asks;

    fn requests(count: usize) -> Vec<Request> {
        let request = |number: usize| Request {
            arrival_ns: number as u64,
            service_ns: if number.is_multiple_of(2) { 100 } else { 1_000 },
            class: u8::from(!number.is_multiple_of(2)),
            asks: Asks::Work,
        };
        (0..count).map(request).collect()
    }

    #[test]
    fn figures_are_by_class_without_the_warm_up_and_without_what_was_not_done() {
        let requests = requests(10_000);
        let mut figures = Figures::new(2);
        figures.add(&requests, |number| {
            (number != 9_999).then_some(if number < 1_000 { 1 << 40 } else { 2_000 })
        });
        let by_class = figures.by_class(&["short", "long"]);
        let names: Vec<_> = by_class.iter().map(|class| (class.class.as_str(), class.samples)).collect();
        assert_eq!(names, [("all", 8_999), ("short", 4_500), ("long", 4_499)]);
        assert_eq!(figures.unfinished, 1);
        let near = |found: Option<f64>, expected: f64| {
            found.is_some_and(|found| (found / expected - 1.0).abs() < 0.002)
        };
        assert!(near(by_class[1].slowdown.p50, 20.0) && near(by_class[2].slowdown.max, 2.0));
        assert!(near(by_class[0].latency_ns.max, 2_000.0));
        assert!(near(figures.slowdown_at(90.0), 20.0));
    }

    #[test]
    fn a_percentile_without_enough_samples_beyond_it_is_not_given() {
        let mut figures = Figures::new(1);
        let one_class: Vec<Request> =
            requests(120_000).iter().map(|request| Request { class: 0, ..*request }).collect();
        figures.add(&one_class, |_| Some(1));
        let all = &figures.by_class(&["all"])[0];
        assert!(all.latency_ns.p99_9.is_some() && all.latency_ns.p99_99.is_none());
        assert_eq!(figures.slowdown_at(99.99), None);
        for _ in 0..10 {
            figures.add(&one_class, |_| Some(1));
        }
        assert!(figures.by_class(&["all"])[0].latency_ns.p99_99.is_some());
    }
}
