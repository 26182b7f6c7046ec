//! One run: requests come when it was decided, whatever the contender does, and it says when each was done.
//!
//! A latency counts from when its request was to come, not from when it was handed over, so a contender that falls behind is not measured only
//! while it keeps up (coordinated omission; Tene, "How NOT to Measure Latency", 2013). Only when the host takes the generator's core away are all
//! requests that have not come yet put off by as long: clients would not have stood still, and no contender has anything to do with it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use hallows_bench::cores::Core;
use hallows_bench::{Clock, clock};

use crate::LabError;
use crate::schedule::Request;
use crate::work::Work;

/// Longer than this behind the last request nobody waits for those that are not done, at least.
const GRACE_LEAST: Duration = Duration::from_millis(500);
/// Or, if that is longer, this part of the run.
const GRACE_PART: u64 = 4;

/// What the generator does between two readings of its clock, besides handing over, takes no longer: else its core was taken away.
const TAKEN_AWAY: Duration = Duration::from_micros(20);

/// What a contender gets.
#[derive(Clone, Copy)]
pub struct Run<'r> {
    /// All requests.
    pub requests: &'r [Request],
    /// What does the work of requests.
    pub work: &'r Work,
    /// The clock.
    pub clock: Clock,
    /// Where requests come from, and whatever of a contender looks after time: one thread, which spins.
    pub housekeeping: Core,
    /// Where requests are worked on.
    pub worker: Core,
}

impl Run<'_> {
    /// Whether all answers are right, as far as it is known what is.
    ///
    /// # Errors
    /// [`LabError::WrongAnswer`] with the first that is not.
    pub(crate) fn check(&self, finished: &Finished) -> Result<(), LabError> {
        let done = finished.latency_ns.iter().zip(&finished.answers).enumerate();
        for ((number, (_, answer)), request) in
            done.zip(self.requests).filter(|((_, (latency, _)), _)| latency.is_some())
        {
            let right = self.work.answer(request);
            if let Some(right) = right
                && right != *answer
            {
                return Err(LabError::WrongAnswer { number, found: *answer, right });
            }
        }
        Ok(())
    }
}

/// When what was done; shared by the generator and those that work.
#[derive(Debug)]
pub struct Board {
    /// What is known of each request.
    requests: Vec<Done>,
    /// How many are.
    count: Padded<AtomicUsize>,
}

/// A request on the board.
#[derive(Debug, Default)]
struct Done {
    /// The counter when it was done; 0: it is not.
    at: AtomicU64,
    /// What came of it.
    answer: AtomicU64,
}

/// On a cache line of its own, and apart from the line beside it, which processors fetch together.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Padded<T>(pub T);

impl Board {
    /// Nothing is done yet.
    #[must_use]
    pub fn new(requests: usize) -> Self {
        Self { requests: (0..requests).map(|_| Done::default()).collect(), count: Padded::default() }
    }

    /// The request of this number is done now, and this came of it.
    #[inline]
    pub fn done(&self, number: usize, answer: u64) {
        if let Some(request) = self.requests.get(number) {
            request.answer.store(answer, Ordering::Relaxed);
            // Release: who sees that it is done sees what came of it, also when nobody waits for the rest.
            request.at.store(clock::glance(), Ordering::Release);
            // Release: who has seen all of them counted reads their times.
            self.count.0.fetch_add(1, Ordering::Release);
        }
    }
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Finished {
    /// From when each request was to come until it was done, in ns; `None` for one that was not done in time.
    pub latency_ns: Vec<Option<u64>>,
    /// What came of each; nothing is known of one that was not done in time.
    pub answers: Vec<u64>,
    /// By how much the generator was late for each, in ns: what is not the contender's.
    pub late_ns: Vec<u64>,
    /// From the first request's time until all was done or given up, in ns.
    pub elapsed_ns: u64,
    /// For how long in all the host took the generator's core away, in ns: requests were put off by it.
    pub put_off_ns: u64,
}

/// The generator: calls `submit` with the number of each request when it is to come, until `submit` takes it; and `meanwhile` all the time. Runs on
/// the calling thread, which spins, until all is done or has taken too long.
pub fn generate(
    run: &Run<'_>,
    board: &Board,
    mut submit: impl FnMut(usize) -> bool,
    mut meanwhile: impl FnMut(),
) -> Finished {
    let ticks = |ns: u64| run.clock.ticks(Duration::from_nanos(ns));
    let mut due: Vec<u64> = run.requests.iter().map(|request| ticks(request.arrival_ns)).collect();
    let last = due.last().copied().unwrap_or(0);
    let patience = (last / GRACE_PART).max(run.clock.ticks(GRACE_LEAST));
    let taken_away = run.clock.ticks(TAKEN_AWAY);
    let mut late = vec![0; due.len()];
    let (mut next, mut put_off) = (0, 0);
    // The first request is not in the past.
    let start = clock::glance() + run.clock.ticks(Duration::from_micros(100));
    let now = || clock::glance().saturating_sub(start);
    let mut before = now();
    loop {
        meanwhile();
        let after = now();
        if after.saturating_sub(before) > taken_away {
            put_off += after - before;
        }
        before = after;
        match due.get_mut(next) {
            Some(at) if *at + put_off <= after => {
                if submit(next) {
                    *at += put_off;
                    late[next] = after - *at;
                    next += 1;
                }
                // To hand over is the contender's.
                before = now();
            }
            Some(_) => std::hint::spin_loop(),
            // Acquire: as in `done`.
            None if board.count.0.load(Ordering::Acquire) == run.requests.len() => break,
            None => {}
        }
        if before > last + put_off + patience {
            break;
        }
    }
    let nanoseconds = |ticks: u64| run.clock.nanoseconds(ticks) as u64;
    let elapsed_ns = nanoseconds(now());
    // Acquire: as in `done`. Answers are read behind it.
    let latency = |(at, request): (&u64, &Done)| match request.at.load(Ordering::Acquire) {
        0 => None,
        done => Some(nanoseconds(done.saturating_sub(start + at))),
    };
    let latency_ns = due.iter().zip(&board.requests).map(latency).collect();
    Finished {
        latency_ns,
        answers: board.requests.iter().map(|request| request.answer.load(Ordering::Relaxed)).collect(),
        late_ns: late.into_iter().map(nanoseconds).collect(),
        elapsed_ns,
        put_off_ns: nanoseconds(put_off),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Asks;

    #[test]
    fn latencies_count_from_when_requests_were_to_come_and_what_is_not_done_has_none() {
        let clock = Clock::calibrate().expect("a clock");
        let request = |arrival_ns| Request { arrival_ns, service_ns: 1_000, class: 0, asks: Asks::Work };
        let requests: Vec<Request> = (0..100).map(|number| request(number * 10_000)).collect();
        let run = Run {
            requests: &requests,
            work: &Work::of_steps(1.0),
            clock,
            housekeeping: Core(0),
            worker: Core(0),
        };
        let board = Board::new(requests.len());
        // To be handed the first takes 500 µs, and then it is not taken yet; the last is never done.
        let (mut submitted, mut refused) = (0, false);
        let finished = generate(
            &run,
            &board,
            |number| {
                if !std::mem::replace(&mut refused, true) {
                    let begin = clock::glance();
                    while clock::glance() - begin < clock.ticks(Duration::from_micros(500)) {
                        std::hint::spin_loop();
                    }
                    return false;
                }
                if number != 99 {
                    board.done(number, number as u64);
                }
                submitted += 1;
                true
            },
            || {},
        );
        assert_eq!(submitted, 100);
        let first = finished.latency_ns[0];
        assert!(first.is_some_and(|latency| latency > 400_000), "{first:?}");
        assert!(finished.late_ns[0] > 400_000);
        assert_eq!(finished.latency_ns[99], None);
        assert!((0..99).all(|number| finished.answers[number] == number as u64));
        assert!(finished.latency_ns[..99].iter().all(Option::is_some));
        assert!(finished.elapsed_ns > 1_000_000);
    }

    #[test]
    fn requests_are_put_off_while_the_generators_core_is_taken_away() {
        let clock = Clock::calibrate().expect("a clock");
        let request = |arrival_ns| Request { arrival_ns, service_ns: 1_000, class: 0, asks: Asks::Work };
        let requests: Vec<Request> = (0..20).map(|number| request(number * 100_000)).collect();
        let run = Run {
            requests: &requests,
            work: &Work::of_steps(1.0),
            clock,
            housekeeping: Core(0),
            worker: Core(0),
        };
        let board = Board::new(requests.len());
        let submit = |number| {
            board.done(number, number as u64);
            true
        };
        let mut pauses = 0;
        let finished = generate(&run, &board, submit, || {
            pauses += 1;
            if pauses == 100 {
                std::thread::sleep(Duration::from_millis(30));
            }
        });
        // Two clocks, which differ by some thousandths.
        assert!(finished.put_off_ns >= 29_900_000, "{}", finished.put_off_ns);
        assert!(finished.elapsed_ns >= 31_800_000);
        // All would be that late, had they not been put off. While one is handed over the host may take the core away once more.
        let slow = finished.latency_ns.iter().flatten().filter(|latency| **latency >= 30_000_000).count();
        assert!(slow <= 1, "{:?}", finished.latency_ns);
    }
}
