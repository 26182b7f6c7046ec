//! What came of one contender at one load.

use std::time::Duration;

use hallows_load::percentiles::Percentiles;
use hallows_load::{Class, Measured, Spent};
use serde::Serialize;

/// How a percentile is found; `None`: there are too few samples for it.
pub type Find = fn(&Percentiles) -> Option<f64>;

/// The percentiles that are shown, and how each is found.
pub const PERCENTILES: [(&str, Find); 4] = [
    ("p50", |percentiles| percentiles.p50),
    ("p99", |percentiles| percentiles.p99),
    ("p99.9", |percentiles| percentiles.p99_9),
    ("p99.99", |percentiles| percentiles.p99_99),
];

/// Latencies of one class of requests.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassTimes {
    /// Its name.
    pub class: String,
    /// What its requests ask for.
    pub request: String,
    /// How many were counted.
    pub samples: u64,
    /// From when they were due until they were answered, in ns.
    pub latency_ns: Percentiles,
}

/// How late the generator was itself, in ns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Late {
    /// At half of the requests.
    pub p50: u64,
    /// At 99 % of them.
    pub p99: u64,
    /// At the worst.
    pub max: u64,
}

/// All rounds of a contender at one load.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Requests offered in a second.
    pub offered_per_second: f64,
    /// Right answers in a second.
    pub done_per_second: f64,
    /// Requests that were due, behind the warm-up.
    pub due: u64,
    /// Of them, those that were not answered in time.
    pub unfinished: u64,
    /// Of them, those that were answered wrongly.
    pub wrong: u64,
    /// The first wrong answer.
    pub first_wrong: Option<String>,
    /// How late the generator was.
    pub generator_late_ns: Late,
    /// Part of the time for which it did not look for answers: it worked, or was kept from it.
    pub generator_away: f64,
    /// Whether it was in time. If not, this point is not used.
    pub kept_up: bool,
    /// All requests of the contender's protocol, by class.
    pub classes: Vec<ClassTimes>,
    /// Cores' worth of time that the contender used: 1 is one core all the time.
    pub cores_busy: f64,
    /// The same by names of threads, the most first.
    pub cores_busy_by_thread: Vec<(String, f64)>,
    /// Right answers for each second of a core's time that the contender used.
    pub requests_per_core_second: Option<f64>,
    /// Cores' worth of time that the contenders used whose turn it was not.
    pub others_busy: f64,
}

/// Sums of rounds.
pub(crate) struct Sum {
    measured: Option<Measured>,
    spent: Spent,
    others: Spent,
}

impl Sum {
    pub fn new() -> Self {
        Self { measured: None, spent: Spent::default(), others: Spent::default() }
    }

    /// Adds a round: what was measured, what the contender used meanwhile, and what the others did.
    pub fn add(&mut self, measured: Measured, spent: &Spent, others: &Spent) {
        self.spent.add(spent);
        self.others.add(others);
        match &mut self.measured {
            None => self.measured = Some(measured),
            Some(sum) => sum.add(&measured),
        }
    }

    /// `None`: there was no round.
    pub fn point(&self, offered_per_second: f64, classes: &[Class]) -> Option<Point> {
        let measured = self.measured.as_ref()?;
        let seconds = measured.elapsed.as_secs_f64().max(1e-9);
        let busy = |time: Duration| time.as_secs_f64() / seconds;
        let times = |(class, latency): (&Class, &hdrhistogram::Histogram<u64>)| ClassTimes {
            class: class.name.clone(),
            request: class.request.to_string(),
            samples: latency.len(),
            latency_ns: Percentiles::of(latency, 1.0),
        };
        let late = |percent| measured.late_ns.value_at_percentile(percent);
        Some(Point {
            offered_per_second,
            done_per_second: measured.done_per_second(),
            due: measured.due,
            unfinished: measured.unfinished,
            wrong: measured.wrong,
            first_wrong: measured.first_wrong.clone(),
            generator_late_ns: Late { p50: late(50.0), p99: late(99.0), max: measured.late_ns.max() },
            generator_away: measured.away_part(),
            kept_up: measured.kept_up(),
            classes: classes.iter().zip(&measured.latency_ns).map(times).collect(),
            cores_busy: busy(self.spent.total),
            cores_busy_by_thread: self
                .spent
                .by_name
                .iter()
                .map(|(name, time)| (name.clone(), busy(*time)))
                .collect(),
            requests_per_core_second: (!self.spent.total.is_zero())
                .then(|| measured.answered as f64 / self.spent.total.as_secs_f64()),
            others_busy: busy(self.others.total),
        })
    }
}
