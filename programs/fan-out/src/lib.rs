//! Spreads work over all the workers that it was granted, gathers the results, and says how many a second.
//!
//! Granted: `worker0`, `worker1`, … (SEND and WATCH), as many as there are. Arguments: `count=N` pieces of work (10,000) of
//! `steps=N` steps (1,000) each. Every 64th result is checked by doing the work again.
#![no_std]
#![forbid(unsafe_code)]

use core::fmt::Write;
use core::time::Duration;

use hallows::{
    Budget, Deadline, Endpoint, Error, Event, EventKind, Form, Notification, Start, Token, contents, log,
    process, rights, wait,
};
use hallows_protocols::work::{Request, Response};

/// The most workers: more than a small machine has cores.
const MOST_WORKERS: usize = 16;
/// Pieces of work under way at each worker: one that it works on, and enough behind it that it never waits for us.
const WINDOW: usize = 4;
/// How long without any event before it gives up: far longer than a piece of work takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A worker's endpoint.
type Reached = Endpoint<rights!(SEND | WATCH)>;

/// A piece of work that a worker has.
#[derive(Clone, Copy)]
struct UnderWay {
    token: Token,
    seed: u64,
}

struct Worker {
    endpoint: Reached,
    under_way: [Option<UnderWay>; WINDOW],
    done: u64,
}

struct FanOut {
    workers: [Option<Worker>; MOST_WORKERS],
    steps: u32,
    /// The next seed to give away; there are `count` of them.
    next: u64,
    count: u64,
    /// Pieces whose worker was not there or died with them: to be given away again.
    lost: [Option<u64>; MOST_WORKERS * WINDOW],
    finished: u64,
}

/// `worker` and a number, without a heap.
struct Name {
    bytes: [u8; 16],
    length: usize,
}

impl Name {
    fn of_worker(number: usize) -> Self {
        let mut name = Self { bytes: [0; 16], length: 0 };
        // It fits: numbers are below MOST_WORKERS.
        let _ = write!(name, "worker{number}");
        name
    }

    fn text(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or("")
    }
}

impl Write for Name {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let end = self.length + text.len();
        self.bytes.get_mut(self.length..end).ok_or(core::fmt::Error)?.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

impl FanOut {
    /// Takes the next piece of work.
    fn piece(&mut self) -> Option<u64> {
        if let Some(seed) = self.lost.iter_mut().find_map(Option::take) {
            return Some(seed);
        }
        let seed = (self.next < self.count).then_some(self.next)?;
        self.next += 1;
        Some(seed)
    }

    fn put_back(&mut self, seed: u64) {
        // There is room: a piece was under way before, and there are as many places as can be.
        if let Some(place) = self.lost.iter_mut().find(|place| place.is_none()) {
            *place = Some(seed);
        }
    }

    /// Gives every worker as much as its window takes.
    fn fill(&mut self) -> Result<(), Error> {
        for number in 0..MOST_WORKERS {
            while let Some(place) = self.free_place(number) {
                let Some(seed) = self.piece() else { return Ok(()) };
                let steps = self.steps;
                let Some(worker) = self.workers[number].as_mut() else { break };
                match worker.endpoint.send(&Request { seed, steps }.emit(), &[], 8) {
                    Ok(token) => worker.under_way[place] = Some(UnderWay { token, seed }),
                    // Full, or not there just now: an answer or its watch says when to try again.
                    Err(Error::Busy | Error::NotReady) => {
                        self.put_back(seed);
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    fn free_place(&self, number: usize) -> Option<usize> {
        self.workers[number].as_ref()?.under_way.iter().position(Option::is_none)
    }

    /// Notes an answer; an error of the program if it is wrong.
    fn gather(&mut self, event: &Event, bytes: &[u8]) -> Result<(), Error> {
        let workers = self.workers.iter_mut().flatten();
        let found = workers.into_iter().find_map(|worker| {
            let due = |place: &&mut Option<UnderWay>| place.is_some_and(|piece| piece.token.0 == event.token);
            let piece = worker.under_way.iter_mut().find(due)?.take()?;
            Some((worker, piece.seed))
        });
        let Some((worker, seed)) = found else { return Ok(()) };
        let result = match (event.status, Response::parse(bytes)) {
            (None, Some(response)) => response.result,
            (Some(Error::ServerDied | Error::NotReady), _) => {
                self.put_back(seed);
                return Ok(());
            }
            (status, _) => {
                log!("a worker gave no result for piece {seed}: {status:?}");
                return Err(process::exit(1));
            }
        };
        worker.done += 1;
        self.finished += 1;
        if seed % 64 == 0 && result != (Request { seed, steps: self.steps }).result() {
            log!("a worker gave a wrong result for piece {seed}");
            return Err(process::exit(1));
        }
        Ok(())
    }

    fn run(&mut self) -> Result<(), Error> {
        let mut buffer = [0; 64];
        while self.finished < self.count {
            self.fill()?;
            let event = wait(&mut buffer, &mut [], Deadline::after(PATIENCE)?)?;
            match event.kind {
                EventKind::Answer => self.gather(&event, contents(&event, &buffer, &[]).0)?,
                EventKind::Deadline => return Err(Error::DeadlinePassed),
                EventKind::Notification | EventKind::Message => {}
            }
        }
        Ok(())
    }
}

fn workers(start: &Start<'_>, told: Notification) -> Result<[Option<Worker>; MOST_WORKERS], Error> {
    let mut workers = [const { None }; MOST_WORKERS];
    for (number, place) in workers.iter_mut().enumerate() {
        let Some(endpoint) = start.optional::<Reached>(Name::of_worker(number).text()) else { break };
        endpoint.watch(told)?;
        *place = Some(Worker { endpoint, under_way: [None; WINDOW], done: 0 });
    }
    Ok(workers)
}

#[hallows::main]
fn main(start: Start<'_>) -> Result<(), Error> {
    let count = start.setting("count", 10_000)?;
    let steps = start.setting("steps", 1_000)?;
    let told = Budget::OWN.create_notification()?;
    told.bind(0)?;
    let workers = workers(&start, told)?;
    let number = workers.iter().flatten().count();
    if number == 0 {
        // Says which name is missing.
        return start.grant::<Reached>("worker0").map(|_| ());
    }
    let lost = [None; MOST_WORKERS * WINDOW];
    let mut fan_out = FanOut { workers, steps, next: 0, count, lost, finished: 0 };
    let before = process::now()?;
    fan_out.run()?;
    let nanoseconds = process::now()?.saturating_sub(before).max(1);
    let rate = u128::from(count) * 1_000_000_000 / u128::from(nanoseconds);
    log!(
        "{count} pieces of {steps} steps by {number} workers in {} µs: {rate} a second",
        nanoseconds / 1_000
    );
    for (number, worker) in fan_out.workers.iter().flatten().enumerate() {
        log!("worker{number} did {}", worker.done);
    }
    Ok(())
}
