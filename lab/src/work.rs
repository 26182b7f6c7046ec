//! What does the work of requests, natively; for every contender the same.
//!
//! A request that only says how long it takes is as many steps of one loop as this processor does natively in that time. One to a store is an operation
//! on it, and takes as long as that takes natively, which is measured before a sweep.

use std::fmt;
use std::sync::Arc;

use crossbeam_epoch::{Guard, default_collector};
use hallows_bench::cores::{Core, Priority, on_core};
use hallows_bench::{Clock, clock, kernels};
use hallows_lab_work::{Answers, Operation, Pin, Store, Times};
use rand::SeedableRng;
use rand::rngs::SmallRng;

use crate::LabError;
use crate::key_value::{KeyValue, OwnTimes};
use crate::schedule::Request;
use crate::service::{Asks, Service};

/// Steps of one measured stretch: a few hundred microseconds.
const STEPS: u64 = 200_000;
/// GETs of one measured stretch: about as long.
const GETS: u32 = 1_000;
/// Stretches; the fastest counts, since all that can happen to one makes it longer.
const STRETCHES: u64 = 50;

/// What does the work of requests.
#[derive(Clone, Debug)]
pub enum Work {
    /// A loop.
    Steps {
        /// How many steps a nanosecond is.
        per_ns: f64,
    },
    /// A store, which all threads share.
    Store(Arc<Shared>),
}

/// A store with what is known of it.
pub struct Shared {
    store: Store<ThisThread>,
    answers: Answers,
    times: OwnTimes,
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").field("times", &self.times).finish_non_exhaustive()
    }
}

/// Pins for whatever thread it is called on.
struct ThisThread;

impl Pin for ThisThread {
    #[inline]
    fn pin(&self) -> Guard {
        crossbeam_epoch::pin()
    }
}

impl Work {
    /// Only steps, and so many in a nanosecond.
    #[must_use]
    pub const fn of_steps(per_ns: f64) -> Self {
        Self::Steps { per_ns }
    }

    /// The work of a service, as fast as native code is on a core.
    ///
    /// # Errors
    /// When a thread cannot run there.
    pub fn calibrate(service: &Service, clock: &Clock, core: Core) -> Result<Self, LabError> {
        on_core(core, Priority::Ordinary, || match service {
            Service::KeyValue(mix) => Self::Store(Arc::new(Shared::calibrate(mix, clock))),
            _ => {
                let fastest = fastest(|_| _ = kernels::chain(STEPS));
                Self::of_steps(STEPS as f64 / clock.nanoseconds(fastest))
            }
        })
        .map_err(LabError::from)
    }

    /// A service with the times that were measured.
    #[must_use]
    pub fn timed(&self, service: &Service) -> Service {
        match (self, service) {
            (Self::Store(shared), Service::KeyValue(mix)) => {
                Service::KeyValue(KeyValue { times: shared.times, ..*mix })
            }
            _ => service.clone(),
        }
    }

    /// What is to be done for a request.
    #[inline]
    #[must_use]
    pub fn operation(&self, request: &Request) -> Operation {
        match (request.asks, self) {
            (Asks::Store(operation), _) => operation,
            (Asks::Work, Self::Steps { per_ns }) => {
                // One at least.
                Operation::Steps(((request.service_ns as f64 * per_ns).round() as u64).max(1))
            }
            (Asks::Work, Self::Store(_)) => Operation::Steps(1),
        }
    }

    /// What operations take natively, for who says how long its work takes before it begins.
    #[must_use]
    pub fn times(&self) -> Times {
        match self {
            Self::Steps { per_ns } => {
                Times { step_ps: (1_000.0 / per_ns).round() as u64, ..Times::default() }
            }
            Self::Store(shared) => {
                let OwnTimes { get_ns, scan_ns } = shared.times;
                Times { get_ns, scan_ns, ..Times::default() }
            }
        }
    }

    /// Does it, natively; what came of it.
    #[inline]
    pub fn perform(&self, request: &Request) -> u64 {
        let store = match self {
            Self::Steps { .. } => None,
            Self::Store(shared) => Some(&shared.store),
        };
        self.operation(request).perform(store).unwrap_or(0)
    }

    /// What must come of it; `None` if that is not known without doing it: of steps.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Option<u64> {
        match (self, request.asks) {
            (Self::Store(shared), Asks::Store(Operation::Get(number))) => shared.answers.get(number),
            (Self::Store(shared), Asks::Store(Operation::Scan { first, records })) => {
                shared.answers.scan(first, records)
            }
            _ => None,
        }
    }
}

impl Shared {
    fn calibrate(mix: &KeyValue, clock: &Clock) -> Self {
        let store = Store::new(default_collector().clone(), ThisThread, mix.records);
        let perform = |operation: Operation| operation.perform(Some(&store)).unwrap_or(0);
        // Random numbers that no request is made of.
        let random = |stretch| SmallRng::seed_from_u64(u64::MAX - stretch);
        let gets = fastest(|stretch| {
            let mut random = random(stretch);
            let mut last = 0;
            for _ in 0..GETS {
                // Which record is next hangs on the last one, so that none begins before the one before it is done.
                let Operation::Get(number) = mix.get(&mut random) else { continue };
                last = perform(Operation::Get((number ^ last as u32) % mix.records));
            }
            std::hint::black_box(last);
        });
        let scan = fastest(|stretch| _ = std::hint::black_box(perform(mix.scan(&mut random(stretch)))));
        let nanoseconds = |ticks: u64, operations: u32| {
            ((clock.nanoseconds(ticks) / f64::from(operations)).round() as u64).max(1)
        };
        let times = OwnTimes { get_ns: nanoseconds(gets, GETS), scan_ns: nanoseconds(scan, 1) };
        Self { store, answers: Answers::of(mix.records), times }
    }
}

/// Ticks of the fastest stretch; each gets its number.
fn fastest(stretch: impl Fn(u64)) -> u64 {
    (0..STRETCHES).map(|number| clock::interval(|| stretch(number))).min().unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibrated(service: &str) -> (Service, Work, Clock) {
        let service: Service = service.parse().expect(service);
        let clock = Clock::calibrate().expect("a clock");
        let core = hallows_bench::Cores::default_pair().expect("cores").first();
        let work = Work::calibrate(&service, &clock, core).expect("work");
        (work.timed(&service), work, clock)
    }

    fn fastest_ns(clock: &Clock, work: impl Fn()) -> f64 {
        clock.nanoseconds((0..20).map(|_| clock::interval(&work)).min().unwrap_or(0))
    }

    #[test]
    fn what_is_said_of_a_request_is_the_time_that_it_was_drawn_with() {
        let expected_ns = |service: &str, asks: &dyn Fn(u64) -> Asks| {
            let (service, work, _) = calibrated(service);
            let service_ns = match service {
                Service::KeyValue(mix) => mix.times.scan_ns,
                _ => 250_000,
            };
            let request = Request { arrival_ns: 0, service_ns, class: 0, asks: asks(service_ns) };
            (work.times().of(work.operation(&request)), service_ns)
        };
        let (expected, ns) = expected_ns("constant:250us", &|_| Asks::Work);
        // A step is rounded to whole picoseconds, a request to whole steps.
        assert!(expected.is_some_and(|expected| expected.abs_diff(ns) < ns / 500), "{expected:?}");
        let scan = Operation::Scan { first: 0, records: 1_500 };
        let (expected, ns) = expected_ns("kv:0.5:keys=2000:scan=1500", &|_| Asks::Store(scan));
        assert_eq!(expected, Some(ns));
    }

    #[test]
    fn work_of_a_millisecond_takes_about_one_at_least() {
        let request = Request { arrival_ns: 0, service_ns: 1_000_000, class: 0, asks: Asks::Work };
        // The host's speed may change between calibration and work.
        let took = (0..10).map(|_| {
            let (_, work, clock) = calibrated("constant:1ms");
            assert_eq!(work.answer(&request), None);
            fastest_ns(&clock, || _ = work.perform(&request))
        });
        let took: Vec<f64> = took.collect();
        assert!(took.iter().any(|took| (900_000.0..2_000_000.0).contains(took)), "{took:?} ns");
    }

    #[test]
    fn operations_on_a_store_take_about_their_time_at_least_and_give_what_is_known() {
        let request =
            |operation| Request { arrival_ns: 0, service_ns: 1, class: 0, asks: Asks::Store(operation) };
        let scan = request(Operation::Scan { first: 500, records: 1_500 });
        // As above.
        let agrees = (0..10).any(|_| {
            let (service, work, clock) = calibrated("kv:0.5:keys=2000:scan=1500");
            let Service::KeyValue(KeyValue { times, .. }) = service else { panic!("{service}") };
            assert_ne!(times, OwnTimes::NOMINAL);
            let took = fastest_ns(&clock, || _ = work.perform(&scan));
            times.get_ns * 10 < times.scan_ns && (0.25..4.0).contains(&(took / times.scan_ns as f64))
        });
        assert!(agrees, "never does a scan take about as long as was measured before");
        let (_, work, _) = calibrated("kv:0.5:keys=2000:scan=1500");
        for operation in
            [Operation::Get(0), Operation::Get(1_999), Operation::Scan { first: 0, records: 1_500 }]
        {
            let request = request(operation);
            assert_eq!(work.operation(&request), operation);
            assert!(work.answer(&request).is_some(), "{operation:?}");
            assert_eq!(work.answer(&request), Some(work.perform(&request)), "{operation:?}");
        }
    }
}
