//! The generator: one thread that sends requests when they are due and takes answers as they come.
//!
//! Nothing is queued in here: while no connection has room, the next request stays due, and its latency counts from then. So memory is bounded by
//! connections and their depth, however far a server falls behind.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use rustix::io::Errno;
use rustix::thread::set_current_timer_slack;

use crate::connection::{Connection, UnderWay};
use crate::load::{Load, Pace, Waiting};
use crate::percentiles::histogram;
use crate::protocol::{Answer, shown};
use crate::{LoadError, Request};

/// How often the generator looks whether somebody wants an end.
const LOOK_NS: u64 = 10_000_000;
/// Bytes that are received at once: several answers, or a good part of a long one.
const BUFFER: usize = 64 << 10;
/// What the generator may be late by at p99: twice what a sleep of Linux's takes on a busy virtual machine. Above it, a figure needs another reason.
const LATE_NS: f64 = 200_000.0;
/// Or, if that is more, this part of the p99 that it measures: then it does not make the figure.
const LATE_PART: f64 = 0.1;
/// Part of the time for which the generator may be away: with more, answers wait for it as often as for the server.
const AWAY_PART: f64 = 0.8;

/// What came of a run. Counted are the requests that were due behind the warm-up.
#[derive(Clone, Debug)]
pub struct Measured {
    /// For each class, from when its requests were due until they were answered, in ns.
    pub latency_ns: Vec<Histogram<u64>>,
    /// What the generator is to blame for, and not the server, in ns: from when a request was due until it was handed over, without the time in which no
    /// connection had room, but with that in which the generator could have handed something over and was not there.
    pub late_ns: Histogram<u64>,
    /// Requests that were due in the time that is counted.
    pub due: u64,
    /// Of them, those without an answer at the end.
    pub unfinished: u64,
    /// Of them, those with a wrong answer. Their latencies are not counted.
    pub wrong: u64,
    /// The first wrong answer, and to what.
    pub first_wrong: Option<String>,
    /// Right answers that came in the time that is counted.
    pub done: u64,
    /// That time.
    pub counted: Duration,
    /// All right answers, also those of the warm-up.
    pub answered: u64,
    /// From the start until the last answer, or until no more were waited for.
    pub elapsed: Duration,
    /// For how long of it the generator did not look for answers: it worked, or was kept from it.
    pub away: Duration,
}

impl Measured {
    /// Right answers in a second.
    #[must_use]
    pub fn done_per_second(&self) -> f64 {
        self.done as f64 / self.counted.as_secs_f64().max(1e-9)
    }

    /// Latencies of all classes together.
    #[must_use]
    pub fn all_ns(&self) -> Histogram<u64> {
        let mut all = histogram();
        // A histogram that grows takes any value, also in another one.
        self.latency_ns.iter().for_each(|class| _ = all.add(class));
        all
    }

    /// Adds another run of the same load.
    pub fn add(&mut self, other: &Self) {
        let pairs = self.latency_ns.iter_mut().zip(&other.latency_ns);
        pairs.for_each(|(own, other)| _ = own.add(other));
        let _ = self.late_ns.add(&other.late_ns);
        self.due += other.due;
        self.unfinished += other.unfinished;
        self.wrong += other.wrong;
        self.first_wrong = self.first_wrong.take().or_else(|| other.first_wrong.clone());
        self.done += other.done;
        self.counted += other.counted;
        self.answered += other.answered;
        self.elapsed += other.elapsed;
        self.away += other.away;
    }

    /// Part of the time for which the generator was away.
    #[must_use]
    pub fn away_part(&self) -> f64 {
        self.away.as_secs_f64() / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// Whether the generator was in time: late by at most 0.2 ms at p99, or by a tenth of the p99 that it measured, and away for at most 80 % of the time. If it was
    /// not, the latencies are its own as well as the server's. In a closed loop the generator is always away when the server is quicker than itself.
    #[must_use]
    pub fn kept_up(&self) -> bool {
        let late_ns = self.late_ns.value_at_percentile(99.0) as f64;
        late_ns <= LATE_NS.max(LATE_PART * self.all_ns().value_at_percentile(99.0) as f64)
            && self.away_part() <= AWAY_PART
    }
}

/// Offers a load. `stop` is asked now and then whether somebody wants an end. The calling thread runs where it may; who wants it elsewhere pins it first.
///
/// # Errors
/// When the load makes no sense, the server closes a connection or speaks another protocol, or somebody wants an end.
pub fn generate(load: &Load<'_>, stop: &dyn Fn() -> bool) -> Result<Measured, LoadError> {
    load.check()?;
    let slack = NonZeroU64::new(1);
    // Linux may put wake-ups together within 50 µs, if a thread does not say otherwise; it is good for this one also behind the run.
    set_current_timer_slack(slack).map_err(LoadError::system("have exact timers"))?;
    let mut run = Run::begin(load)?;
    run.go(stop)?;
    Ok(run.end())
}

struct Run<'l> {
    load: &'l Load<'l>,
    epoll: rustix::fd::OwnedFd,
    connections: Vec<Connection>,
    /// Connections that have room, the one that has waited longest first.
    room: VecDeque<usize>,
    /// Since when some connection has, in ns.
    room_since_ns: u64,
    /// Until when the generator was not there although some connection had room.
    absent_until_ns: u64,
    random: SmallRng,
    next_due_ns: f64,
    start: Instant,
    under_way: usize,
    measured: Measured,
    /// What must be answered; one buffer for all.
    right: Vec<u8>,
}

impl<'l> Run<'l> {
    fn begin(load: &'l Load<'l>) -> Result<Self, LoadError> {
        let epoll =
            epoll::create(epoll::CreateFlags::CLOEXEC).map_err(LoadError::system("watch connections"))?;
        let open = |place: usize| -> Result<Connection, LoadError> {
            let connection = Connection::open(load.address)?;
            // Told once for each change, so that what a socket is watched for never changes.
            let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
            epoll::add(&epoll, &connection.socket, epoll::EventData::new_u64(place as u64), flags)
                .map_err(LoadError::system("watch a connection"))?;
            Ok(connection)
        };
        let connections = (0..load.connections).map(open).collect::<Result<Vec<_>, _>>()?;
        let measured = Measured {
            latency_ns: vec![histogram(); load.classes.len()],
            late_ns: histogram(),
            due: 0,
            unfinished: 0,
            wrong: 0,
            first_wrong: None,
            done: 0,
            counted: load.lasts - load.warm_up,
            answered: 0,
            elapsed: Duration::ZERO,
            away: Duration::ZERO,
        };
        let mut run = Self {
            load,
            epoll,
            connections,
            room: (0..load.connections).collect(),
            room_since_ns: 0,
            absent_until_ns: 0,
            random: SmallRng::seed_from_u64(load.seed),
            next_due_ns: 0.0,
            start: Instant::now(),
            under_way: 0,
            measured,
            right: Vec::new(),
        };
        run.draw();
        Ok(run)
    }

    fn go(&mut self, stop: &dyn Fn() -> bool) -> Result<(), LoadError> {
        let last_ns = nanoseconds(self.load.lasts);
        let give_up_ns = last_ns + nanoseconds(self.load.grace);
        let mut buffer = vec![0; BUFFER];
        let mut events = Vec::with_capacity(256);
        let mut look_ns = LOOK_NS;
        let mut back_ns = self.now_ns();
        loop {
            self.hand_over(last_ns)?;
            let now_ns = self.now_ns();
            let comes_no_more = self.due_ns(now_ns) > last_ns;
            if (comes_no_more && self.under_way == 0) || now_ns > give_up_ns {
                return Ok(());
            }
            if now_ns >= look_ns {
                if stop() {
                    return Err(LoadError::Stopped);
                }
                look_ns = self.now_ns() + LOOK_NS;
            }
            let now_ns = self.now_ns();
            self.measured.away += Duration::from_nanos(now_ns - back_ns);
            let something_ns = if self.room.is_empty() || comes_no_more {
                look_ns
            } else {
                self.due_ns(now_ns).min(look_ns)
            };
            self.wait(&mut events, something_ns.saturating_sub(now_ns))?;
            back_ns = self.now_ns();
            if events.is_empty() {
                // Nothing came, and it slept longer than it wanted.
                self.measured.away += Duration::from_nanos(back_ns.saturating_sub(something_ns.max(now_ns)));
            }
            if !self.room.is_empty() {
                self.absent_until_ns = back_ns;
            }
            for event in events.drain(..) {
                let epoll::Event { data, .. } = event;
                self.attend(data.u64() as usize, &mut buffer)?;
            }
        }
    }

    /// Hands over what is due, as far as connections have room.
    fn hand_over(&mut self, last_ns: u64) -> Result<(), LoadError> {
        loop {
            let now_ns = self.now_ns();
            let due_ns = self.due_ns(now_ns);
            if due_ns > now_ns.min(last_ns) {
                return Ok(());
            }
            let Some(place) = self.room.pop_front() else { return Ok(()) };
            if self.is_counted(due_ns) {
                self.measured.due += 1;
                let late_ns = now_ns.saturating_sub(due_ns.max(self.room_since_ns));
                // A histogram that grows takes any value, here and below.
                let _ =
                    self.measured.late_ns.record(late_ns.max(self.absent_until_ns.saturating_sub(due_ns)));
            }
            let (class, key) = self.draw_request();
            let Load { protocol, data, classes, depth, .. } = self.load;
            let connection = &mut self.connections[place];
            connection.send(UnderWay { due_ns, class, key }, |out| {
                protocol.ask(*data, classes[usize::from(class)].request, key, out);
            })?;
            self.under_way += 1;
            if connection.waiting.len() < *depth {
                self.room.push_back(place);
            }
            self.draw();
        }
    }

    /// Takes what a connection has received, and sends what it could not send.
    fn attend(&mut self, place: usize, buffer: &mut [u8]) -> Result<(), LoadError> {
        self.connections[place].flush()?;
        loop {
            let more = self.connections[place].receive(buffer)?;
            self.answers(place)?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Reads the answers that are there.
    fn answers(&mut self, place: usize) -> Result<(), LoadError> {
        let now_ns = self.now_ns();
        let Load { protocol, data, classes, depth, .. } = self.load;
        let connection = &mut self.connections[place];
        let had_room = connection.waiting.len() < *depth;
        let mut at = 0;
        while at < connection.received.len() {
            let received = &connection.received[at..];
            let Some(request) = connection.waiting.front() else {
                return Err(LoadError::Protocol {
                    protocol: protocol.name(),
                    what: format!("it said {} without being asked", shown(received)),
                });
            };
            let asked = classes[usize::from(request.class)].request;
            self.right.clear();
            protocol.right(*data, asked, request.key, &mut self.right);
            let counts = nanoseconds(self.load.warm_up) <= request.due_ns;
            match protocol.read(received, &self.right) {
                Answer::Incomplete => break,
                Answer::Right(length) => {
                    at += length;
                    self.measured.answered += 1;
                    if counts {
                        let _ = self.measured.latency_ns[usize::from(request.class)]
                            .record(now_ns.saturating_sub(request.due_ns));
                    }
                    self.measured.done += u64::from(
                        (nanoseconds(self.load.warm_up)..=nanoseconds(self.load.lasts)).contains(&now_ns),
                    );
                }
                Answer::Wrong(length) => {
                    self.measured.wrong += u64::from(counts);
                    let what = || wrong(asked, request.key, &received[..length]);
                    self.measured.first_wrong.get_or_insert_with(what);
                    at += length;
                }
                Answer::Malformed => {
                    return Err(LoadError::Protocol { protocol: protocol.name(), what: shown(received) });
                }
            }
            connection.waiting.pop_front();
            self.under_way -= 1;
        }
        connection.received.drain(..at);
        if !had_room && connection.waiting.len() < *depth {
            if self.room.is_empty() {
                self.room_since_ns = now_ns;
            }
            self.room.push_back(place);
        }
        Ok(())
    }

    /// Passes at most so much time, or until something has come.
    fn wait(&self, events: &mut Vec<epoll::Event>, most_ns: u64) -> Result<(), LoadError> {
        let failed = LoadError::system("wait for answers");
        if self.load.waiting == Waiting::Sleep && most_ns > 0 {
            let timeout = Timespec {
                tv_sec: (most_ns / 1_000_000_000) as i64,
                tv_nsec: (most_ns % 1_000_000_000) as i64,
            };
            // epoll itself sleeps for whole milliseconds.
            match poll(&mut [PollFd::new(&self.epoll, PollFlags::IN)], Some(&timeout)) {
                Ok(0) | Err(Errno::INTR) => return Ok(()),
                Ok(_) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(events), Some(&at_once)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// When the next request is due.
    fn due_ns(&self, now_ns: u64) -> u64 {
        match self.load.pace {
            Pace::Open { .. } => self.next_due_ns as u64,
            Pace::Closed => now_ns,
        }
    }

    /// Draws when the next request is due.
    fn draw(&mut self) {
        if let Pace::Open { arrivals, per_second } = self.load.pace {
            self.next_due_ns += arrivals.gap_ns(1e9 / per_second, &mut self.random);
        }
    }

    /// Draws what a request is: its class and its key.
    fn draw_request(&mut self) -> (u8, u32) {
        let mut drawn: f64 = self.random.random();
        let class = self.load.classes.iter().position(|class| {
            drawn -= class.share;
            drawn < 0.0
        });
        // Shares add up to 1 but for rounding.
        let class = class.unwrap_or(self.load.classes.len() - 1);
        (u8::try_from(class).unwrap_or(u8::MAX), self.random.random_range(0..self.load.data.keys))
    }

    fn is_counted(&self, due_ns: u64) -> bool {
        due_ns >= nanoseconds(self.load.warm_up)
    }

    fn now_ns(&self) -> u64 {
        nanoseconds(self.start.elapsed())
    }

    /// Counts what has no answer, also what was due and never had room.
    fn end(mut self) -> Measured {
        let warm_up_ns = nanoseconds(self.load.warm_up);
        let waiting = self.connections.iter().flat_map(|connection| &connection.waiting);
        self.measured.unfinished = waiting.filter(|request| request.due_ns >= warm_up_ns).count() as u64;
        self.measured.elapsed = self.start.elapsed();
        if let Pace::Open { per_second, .. } = self.load.pace {
            // As many as come in that time on average: to draw them one by one could take for ever.
            let left_ns = nanoseconds(self.load.lasts) as f64 - self.next_due_ns.max(warm_up_ns as f64);
            let never_sent = (left_ns.max(0.0) * per_second / 1e9).round() as u64;
            self.measured.due += never_sent;
            self.measured.unfinished += never_sent;
        }
        self.measured
    }
}

fn wrong(asked: Request, key: u32, answer: &[u8]) -> String {
    format!("to {asked} of key {key}: {}", shown(answer))
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
