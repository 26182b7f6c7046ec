//! The search against a core in virtual time that shares its work by quanta, and pays for each time that it stops somebody.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::collections::VecDeque;

use hallows_tuner::{Change, Knob, Objective, QUANTA_NS, Tuner, Window};

const US: u64 = 1_000;
const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
/// What it takes to stop somebody and to go on with another, with what caches lose by that, in ns.
const SWITCH_NS: u64 = 300;

/// Numbers as a seed has them (Steele et al., "Fast splittable pseudorandom number generators", OOPSLA 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// From 0 to 1.
    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// How long requests take: so many of a thousand the first time, the others the second, in ns.
#[derive(Clone, Copy)]
struct Service {
    short_of_1000: u64,
    short_ns: u64,
    long_ns: u64,
}

const HEAVY_TAILED: Service = Service { short_of_1000: 995, short_ns: 2 * US, long_ns: MS };
const ALIKE: Service = Service { short_of_1000: 1_000, short_ns: 20 * US, long_ns: 0 };

impl Service {
    fn mean_ns(self) -> f64 {
        (self.short_of_1000 * self.short_ns + (1_000 - self.short_of_1000) * self.long_ns) as f64 / 1_000.0
    }
}

struct Request {
    came_ns: u64,
    left_ns: u64,
}

/// A core, new work before preempted work, and nobody is stopped while nobody waits.
struct Plant {
    random: Random,
    now_ns: u64,
    next_ns: u64,
    service: Service,
    load: f64,
    /// Closed: so many requests are there at any time. Open: they come as they do.
    closed: Option<usize>,
    fresh: VecDeque<Request>,
    stopped: VecDeque<Request>,
    done: Vec<u64>,
}

impl Plant {
    fn new(seed: u64, service: Service, load: f64) -> Self {
        Self {
            random: Random(seed),
            now_ns: 0,
            next_ns: 0,
            service,
            load,
            closed: None,
            fresh: VecDeque::new(),
            stopped: VecDeque::new(),
            done: Vec::new(),
        }
    }

    fn come(&mut self, came_ns: u64) {
        let is_short = self.random.next() % 1_000 < self.service.short_of_1000;
        let left_ns = if is_short { self.service.short_ns } else { self.service.long_ns };
        self.fresh.push_back(Request { came_ns, left_ns });
    }

    fn arrive(&mut self) {
        if let Some(most) = self.closed {
            while self.fresh.len() + self.stopped.len() < most {
                self.come(self.now_ns);
            }
            return;
        }
        while self.next_ns <= self.now_ns {
            self.come(self.next_ns);
            let mean_ns = self.service.mean_ns() / self.load;
            self.next_ns += (-(1.0 - self.random.part()).ln() * mean_ns) as u64 + 1;
        }
    }

    /// Runs for a window; how long each request took that was done, in ns.
    fn run(&mut self, quantum_ns: u64, span_ns: u64) -> Vec<u64> {
        let end_ns = self.now_ns + span_ns;
        self.done.clear();
        while self.now_ns < end_ns {
            self.arrive();
            let Some(mut request) = self.fresh.pop_front().or_else(|| self.stopped.pop_front()) else {
                self.now_ns = self.next_ns.min(end_ns);
                continue;
            };
            // Alone it runs until somebody comes.
            let most_ns = if self.closed.is_some() || !self.fresh.is_empty() || !self.stopped.is_empty() {
                quantum_ns
            } else {
                quantum_ns.max(self.next_ns.saturating_sub(self.now_ns))
            };
            let ran_ns = request.left_ns.min(most_ns);
            self.now_ns += ran_ns;
            request.left_ns -= ran_ns;
            if request.left_ns == 0 {
                self.done.push(self.now_ns - request.came_ns);
            } else {
                self.now_ns += SWITCH_NS;
                self.stopped.push_back(request);
            }
        }
        std::mem::take(&mut self.done)
    }
}

/// The machine's buckets, nearly: parts of powers of two.
fn buckets(latencies: &[u64]) -> Vec<(u64, u64)> {
    let mut buckets = std::collections::BTreeMap::<u64, u64>::new();
    for latency in latencies {
        let part = latency.next_power_of_two() / 8;
        *buckets.entry(latency.next_multiple_of(part.max(1))).or_default() += 1;
    }
    buckets.into_iter().collect()
}

/// Of the requests.
const SEEDS: std::ops::Range<u64> = 1..9;

const WINDOW_NS: u64 = 20 * MS;

/// What became of a stretch.
#[derive(Debug)]
struct Outcome {
    /// The quantum at its end, in ns.
    quantum_ns: u64,
    done: u64,
    beyond: u64,
    changes: Vec<Change>,
}

fn tuned(tuner: &mut Tuner, objective: Objective, plant: &mut Plant, span_ns: u64) -> Outcome {
    let bound_ns = bound(objective);
    let mut outcome = Outcome { quantum_ns: 0, done: 0, beyond: 0, changes: Vec::new() };
    for _ in 0..span_ns / WINDOW_NS {
        let quantum_ns = tuner.wanted().next().unwrap();
        let before = plant.run(quantum_ns, WINDOW_NS / 4);
        let latencies = plant.run(quantum_ns, WINDOW_NS - WINDOW_NS / 4);
        let all = before.iter().chain(&latencies);
        outcome.done += (before.len() + latencies.len()) as u64;
        outcome.beyond += all.filter(|latency| **latency > bound_ns).count() as u64;
        let count = latencies.len() as u64;
        let span_ns = WINDOW_NS - WINDOW_NS / 4;
        let window = Window::between(objective, span_ns, (0, count), &[], &buckets(&latencies));
        outcome.changes.extend(tuner.saw(window));
    }
    outcome.quantum_ns = tuner.wanted().next().unwrap();
    outcome
}

fn bound(objective: Objective) -> u64 {
    match objective {
        Objective::Tail { bound_ns, .. } => bound_ns,
        Objective::Throughput => u64::MAX,
    }
}

/// How many requests were done, and how many of them took too long, by a quantum that never changes.
fn fixed(quantum_ns: u64, objective: Objective, mut plant: Plant, span_ns: u64) -> (u64, u64) {
    let latencies = plant.run(quantum_ns, span_ns);
    let beyond = latencies.iter().filter(|latency| **latency > bound(objective)).count();
    (latencies.len() as u64, beyond as u64)
}

fn tuner(objective: Objective, now_ns: u64) -> Tuner {
    Tuner::new(objective, vec![Knob::new("quantum", &QUANTA_NS, US, now_ns)])
}

fn part(beyond: u64, done: u64) -> f64 {
    beyond as f64 / done as f64
}

#[test]
fn a_tail_is_kept_within_a_second_wherever_it_begins_and_at_little_cost() {
    let objective: Objective = "p99 < 100us".parse().unwrap();
    let plant = |seed| Plant::new(seed, HEAVY_TAILED, 0.7);
    let kept = |quantum_ns| {
        let (done, beyond) = fixed(quantum_ns, objective, plant(0), 4 * SECOND);
        part(beyond, done) <= 0.01
    };
    assert!(kept(5 * US) && !kept(5 * MS), "short quanta keep it and long ones do not");
    for (seed, begins_ns) in
        SEEDS.flat_map(|seed| [US, 5 * US, 200 * US, 5 * MS, 2 * MS].map(|begins_ns| (seed, begins_ns)))
    {
        let (mut tuner, mut plant) = (tuner(objective, begins_ns), plant(seed));
        tuned(&mut tuner, objective, &mut plant, SECOND);
        let after = tuned(&mut tuner, objective, &mut plant, 4 * SECOND);
        let late = part(after.beyond, after.done);
        assert!(late <= 0.015, "from {begins_ns}, seed {seed}: {late} of all after a second, {after:?}");
        assert!(kept(after.quantum_ns), "from {begins_ns}, seed {seed}: {after:?}");
        assert!(
            after.quantum_ns >= 10 * US,
            "from {begins_ns}, seed {seed}: it pays for what is not asked: {after:?}"
        );
    }
}

#[test]
fn throughput_is_nearly_that_of_the_best_setting_also_while_it_searches() {
    for (seed, service) in SEEDS.flat_map(|seed| [(seed, HEAVY_TAILED), (seed, ALIKE)]) {
        let plant = || Plant { closed: Some(16), ..Plant::new(seed, service, 1.0) };
        let span_ns = 5 * SECOND;
        let of = |quantum_ns| fixed(quantum_ns, Objective::Throughput, plant(), span_ns).0;
        let best = QUANTA_NS.map(of).into_iter().max().unwrap();
        assert!(of(US) * 10 < best * 9, "it makes a difference: {} of {best}", of(US));
        for begins_ns in [US, 50 * US, 5 * MS] {
            let (mut tuner, mut plant) = (tuner(Objective::Throughput, begins_ns), plant());
            let all = tuned(&mut tuner, Objective::Throughput, &mut plant, span_ns);
            assert!(
                all.done * 100 >= best * 95,
                "from {begins_ns}, seed {seed}: {} of {best}, {all:?}",
                all.done
            );
        }
    }
}

#[test]
fn a_shift_of_the_load_is_followed_within_a_second() {
    let objective: Objective = "p99 < 100us".parse().unwrap();
    // All alike: nothing is gained by stopping anybody.
    for seed in SEEDS {
        let (mut tuner, mut plant) = (tuner(objective, 5 * US), Plant::new(seed, ALIKE, 0.4));
        let before = tuned(&mut tuner, objective, &mut plant, 6 * SECOND);
        assert!(before.quantum_ns >= 100 * US, "{before:?}");
        (plant.service, plant.load) = (HEAVY_TAILED, 0.7);
        tuned(&mut tuner, objective, &mut plant, SECOND);
        let after = tuned(&mut tuner, objective, &mut plant, 3 * SECOND);
        assert!(part(after.beyond, after.done) <= 0.015, "{after:?}");
        assert!(after.quantum_ns < before.quantum_ns);
        (plant.service, plant.load) = (ALIKE, 0.4);
        let again = tuned(&mut tuner, objective, &mut plant, 6 * SECOND);
        assert!(again.quantum_ns >= 100 * US, "{again:?}");
    }
}

#[test]
fn what_cannot_be_kept_is_not_made_much_worse_than_by_the_best_setting() {
    let objective: Objective = "p99.9 < 5us".parse().unwrap();
    let span_ns = 4 * SECOND;
    // Where quanta of 1 µs are more than the core can bear, each try leaves a queue behind.
    let losses = SEEDS.map(|seed| {
        let plant = || Plant::new(seed, HEAVY_TAILED, 0.8);
        let of = |quantum_ns| fixed(quantum_ns, objective, plant(), span_ns);
        let best = QUANTA_NS.map(of).map(|(done, beyond)| part(beyond, done)).into_iter().fold(1.0, f64::min);
        let (mut tuner, mut plant) = (tuner(objective, 200 * US), plant());
        tuned(&mut tuner, objective, &mut plant, SECOND);
        let after = tuned(&mut tuner, objective, &mut plant, span_ns);
        part(after.beyond, after.done) - best
    });
    let losses: Vec<f64> = losses.collect();
    assert!(losses.iter().sum::<f64>() / losses.len() as f64 <= 0.05, "{losses:?}");
}

#[test]
fn nothing_changes_for_long_where_nothing_happens() {
    let objective: Objective = "p99.9 < 50us".parse().unwrap();
    let mut tuner = tuner(objective, 5 * US);
    let mut quanta = Vec::new();
    for _ in 0..3_000 {
        quanta.push(tuner.wanted().next().unwrap());
        assert_eq!(
            tuner.saw(Window { span_ns: WINDOW_NS, ..Window::default() }),
            None::<Change>,
            "{quanta:?}"
        );
    }
    let tried = quanta.iter().filter(|quantum| **quantum != 5 * US).count();
    assert!(tried < 300, "{tried} of 3,000 windows");
}

#[test]
fn knobs_take_turns_and_stay_within_their_ladders() {
    let mut tuner = Tuner::new(
        Objective::Throughput,
        vec![Knob::new("a", &[1, 2, 4], 2, 0), Knob::new("b", &[10, 20], 0, 1_000)],
    );
    let (mut random, mut seen) = (Random(3), std::collections::BTreeSet::new());
    for _ in 0..5_000 {
        let wanted: Vec<u64> = tuner.wanted().collect();
        assert!([2, 4].contains(&wanted[0]) && [10, 20, 1_000].contains(&wanted[1]), "{wanted:?}");
        seen.insert(wanted);
        tuner.saw(Window { span_ns: WINDOW_NS, answered: 500 + random.next() % 1_000, ..Window::default() });
    }
    assert!(seen.len() >= 4, "{seen:?}");
}
