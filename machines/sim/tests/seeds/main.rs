//! Whole systems under seeds: every scenario runs on the real kernel over thousands of simulated machines, each with its
//! own order of steps and its own faults. `SEEDS=n` runs n seeds of each scenario, `SEED=n` replays one.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

mod budgets;
mod capabilities;
mod chains;
mod deadlocks;
mod floods;
mod helping;
mod lives;
mod messages;
mod places;
mod refusals;
mod replacement;
mod storm;
mod times;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use hallows_abi::{Error, NO_DEADLINE, Transfer};
use hallows_kernel::Configuration;
use hallows_sim::{Faults, Process, Random, Received, Simulation};

/// A bound on the steps of a run that is far above what any scenario needs: who passes it hangs.
const MANY_STEPS: u64 = 2_000_000;

/// Seeds of each scenario when `SEEDS` names no number: half a minute of two cores.
const DEFAULT_SEEDS: u64 = 10_000;

thread_local! {
    /// What happened in all seeds of the test that this host thread runs.
    static SEEN: RefCell<BTreeMap<String, u64>> = const { RefCell::new(BTreeMap::new()) };
}

/// Notes that something happened which the seeds together must reach.
fn seen(what: &str, times: u64) {
    SEEN.with_borrow_mut(|seen| *seen.entry(what.to_owned()).or_default() += times);
}

/// Ends the process when a seed hangs inside of the kernel, where no count of steps sees it: with a word on how to replay it.
struct Watch(Arc<(Mutex<Option<u64>>, Condvar)>);

impl Watch {
    /// Thousands of times what a seed takes.
    const PATIENCE: Duration = Duration::from_secs(60);

    fn over(name: &str) -> Self {
        let shared = Arc::new((Mutex::new(Some(u64::MAX)), Condvar::new()));
        let (watched, name) = (Arc::clone(&shared), name.to_owned());
        std::thread::spawn(move || {
            let mut present = watched.0.lock().unwrap();
            while let Some(seed) = *present {
                let waited =
                    watched.1.wait_timeout_while(present, Self::PATIENCE, |now| *now == Some(seed)).unwrap();
                present = waited.0;
                if waited.1.timed_out() && seed != u64::MAX {
                    eprintln!(
                        "it hangs; replay with: SEED={seed} cargo test -p hallows-sim --test seeds -- {name}"
                    );
                    std::process::abort();
                }
            }
        });
        Self(shared)
    }

    fn begin(&self, seed: u64) {
        *self.0.0.lock().unwrap() = Some(seed);
        self.0.1.notify_one();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap() = None;
        self.0.1.notify_one();
    }
}

/// Runs a scenario under every seed; a failing one says how to replay it. Over many seeds, everything in `reached` must have
/// happened: a scenario that never comes to what it is for proves nothing.
fn each_seed(name: &str, reached: &[&str], scenario: impl Fn(u64)) {
    /// So few seeds reach all that a scenario is for.
    const ENOUGH: u64 = 200;
    SEEN.with_borrow_mut(BTreeMap::clear);
    let number = |variable| std::env::var(variable).ok().and_then(|text: String| text.parse::<u64>().ok());
    let seeds = match (number("SEED"), number("SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, count) => 0..count.unwrap_or(DEFAULT_SEEDS),
    };
    let many = seeds.end - seeds.start >= ENOUGH;
    let watch = Watch::over(name);
    for seed in seeds {
        watch.begin(seed);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| scenario(seed))) {
            eprintln!("replay with: SEED={seed} cargo test -p hallows-sim --test seeds -- {name}");
            resume_unwind(panic);
        }
    }
    SEEN.with_borrow(|seen| {
        println!("{name}: {seen:?}");
        for what in reached {
            assert!(!many || seen.contains_key(*what), "no seed came to: {what}; only to {seen:?}");
        }
    });
}

/// A stream for what the scenario itself decides; not the one that the simulation uses.
fn choices(seed: u64) -> Random {
    Random::new(seed ^ 0x5ce7_a210)
}

/// A small machine of 1 to 4 cores on which everything goes wrong that a correct system must not notice.
fn rough_machine(seed: u64, random: &mut Random) -> Simulation {
    let faults = Faults::rough(random);
    let cores = 1 + u32::try_from(random.below(4)).unwrap();
    Simulation::new(seed, Configuration::tiny(cores), faults)
}

/// What every message and its answer must satisfy, whatever goes wrong.
#[derive(Default)]
struct Books {
    next: u64,
    /// Calls that have not returned.
    open: u64,
    /// How often a server received each message.
    received: BTreeMap<u64, u32>,
    /// Results of calls, by error.
    results: BTreeMap<Option<u8>, u64>,
    /// Sends whose answer has not come: by cell, life of the program and token.
    owed: BTreeMap<(u32, u64, u64), u64>,
}

type SharedBooks = Rc<RefCell<Books>>;

/// The answer that every server of the scenarios gives to a message.
fn answer_to(id: u64) -> [u8; 8] {
    id.rotate_left(17).wrapping_mul(3).to_le_bytes()
}

fn id_of(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes[..8].try_into().unwrap())
}

impl Books {
    fn id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// A server has received a message: never twice.
    fn receive(&mut self, bytes: &[u8]) -> u64 {
        let id = id_of(bytes);
        let count = self.received.entry(id).or_default();
        *count += 1;
        assert_eq!(*count, 1, "message {id} was received twice");
        id
    }

    fn was_received(&self, id: u64) -> bool {
        self.received.contains_key(&id)
    }

    /// How many calls ended so.
    fn count(&self, result: Option<Error>) -> u64 {
        self.results.get(&result.map(Error::number)).copied().unwrap_or(0)
    }

    /// A call has returned.
    fn result(&mut self, id: u64, result: &Result<Received, Error>) {
        self.open -= 1;
        let error = result.as_ref().err().copied();
        seen(&error.map_or_else(|| "call: answered".to_owned(), |error| format!("call: {error:?}")), 1);
        *self.results.entry(error.map(Error::number)).or_default() += 1;
        match result {
            Ok(received) => {
                assert!(self.was_received(id), "message {id} was answered and never received");
                assert_eq!(received.bytes, answer_to(id), "message {id} got another's answer");
            }
            Err(
                Error::Busy
                | Error::NotReady
                | Error::Gone
                | Error::Deadlock
                | Error::NoRight
                | Error::BadHandle,
            ) => {
                assert!(!self.was_received(id), "message {id} was refused with {error:?} and received");
            }
            Err(_) => {}
        }
    }

    /// Nobody waits for anything any more.
    fn close(&self) {
        assert_eq!(self.open, 0, "calls did not return");
    }
}

/// A call of which the books know: the result is right, and comes once.
fn call(
    books: &SharedBooks,
    process: &mut Process<'_>,
    endpoint: hallows_abi::Handle,
    transfers: &[Transfer],
    deadline_ns: u64,
) -> Result<Received, Error> {
    let id = {
        let mut books = books.borrow_mut();
        books.open += 1;
        books.id()
    };
    let result = process.call(endpoint, &id.to_le_bytes(), transfers, deadline_ns);
    books.borrow_mut().result(id, &result);
    if let Err(Error::DeadlinePassed) = result {
        assert!(process.time_ns() >= deadline_ns, "a deadline came too early");
        assert_ne!(deadline_ns, NO_DEADLINE, "a call without a deadline came to it");
    }
    result
}
