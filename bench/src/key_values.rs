//! Key-value servers as processes, asked over sockets of the loopback interface by the laboratory's generator: what `kv` and `kv-tail` compare.

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use hallows_load::{
    Arrivals, Class, Client, Data, Load, LoadError, Measured, Pace, ProcessTime, Protocol, Request, Running,
    Server, Waiting, free_port, generate,
};

use crate::contestant::{Contestant, Description};
use crate::cores::{Cores, Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;
use crate::whole_command::find;

/// Bytes of each value.
const VALUE_BYTES: u32 = 64;
/// A machine of ours may have to compile its programs first.
const PATIENCE: Duration = Duration::from_secs(120);
/// What a load begins with and is not counted.
const WARM_UP: Duration = Duration::from_millis(200);
/// How long answers are waited for behind the end of a load.
const GRACE: Duration = Duration::from_secs(2);
/// How long each is asked for what it can at most.
const TRIAL: Duration = Duration::from_secs(2);
/// The part of it that is offered.
const LOAD: f64 = 0.7;
/// What goes through all keys, among the quick requests.
const SLOW: f64 = 0.005;
/// Connections of `kv-tail`.
const CONNECTIONS: usize = 50;

/// A server that speaks one of the protocols.
pub struct KeyValues<'a> {
    name: &'static str,
    configuration: String,
    cores_used: u32,
    protocol: Protocol,
    start: Start<'a>,
}

/// How it is started on a port, and which of a turn's cores it may use.
type Start<'a> = Box<dyn Fn(u16, &Cores) -> Result<Command, BenchError> + 'a>;

/// A command, and its cores.
pub struct Command {
    /// The executable.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The cores that it and what it starts may use.
    pub cores: Vec<usize>,
}

impl<'a> KeyValues<'a> {
    /// Ours, which speaks RESP: how it is set up, and how it is started.
    pub fn ours(
        configuration: impl Into<String>,
        start: impl Fn(u16, &Cores) -> Result<Command, BenchError> + 'a,
    ) -> Self {
        Self {
            name: "ours",
            configuration: configuration.into(),
            cores_used: 2,
            protocol: Protocol::Resp,
            start: Box::new(start),
        }
    }

    /// `redis-server`, or `valkey-server`: a cache, nothing of which is written to a disk.
    #[must_use]
    pub fn redis(name: &'static str, package: &'static str) -> Self {
        let arguments = "--bind 127.0.0.1 --save '' --appendonly no --loglevel warning";
        Self {
            name,
            configuration: format!("`{name} {arguments}`, its one thread for commands on the second core"),
            cores_used: 1,
            protocol: Protocol::Resp,
            start: Box::new(move |port, cores| {
                let port = port.to_string();
                let settings =
                    ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning"];
                linux(name, package, ["--port", &port].into_iter().chain(settings), cores)
            }),
        }
    }

    /// memcached with one thread.
    #[must_use]
    pub fn memcached() -> Self {
        let arguments = "-l 127.0.0.1 -U 0 -t 1 -m 256 -c 4096";
        Self {
            name: "memcached",
            configuration: format!("`memcached {arguments}` on the second core"),
            cores_used: 1,
            protocol: Protocol::Memcached,
            start: Box::new(move |port, cores| {
                let port = port.to_string();
                // Without a user it does not run as root.
                let user = if nix::unistd::geteuid().is_root() { &["-u", "root"][..] } else { &[] };
                let settings = arguments.split(' ').chain(user.iter().copied());
                linux("memcached", "memcached", ["-p", &port].into_iter().chain(settings), cores)
            }),
        }
    }

    fn start(&self, cores: &Cores, data: Data) -> Result<Started, BenchError> {
        let port = free_port().map_err(failed)?;
        let Command { program, arguments, cores } = (self.start)(port, cores)?;
        let server = Server {
            name: self.name.to_owned(),
            program,
            arguments,
            address: ([127, 0, 0, 1], port).into(),
            protocol: self.protocol,
            cores,
            patience: PATIENCE,
        };
        let folder = tempfile::tempdir().map_err(BenchError::system("make a temporary folder"))?;
        let running = server.start(folder.path(), &|| false).map_err(failed)?;
        let mut client = Client::connect(server.address, server.protocol, data).map_err(failed)?;
        client.fill(&|| false).map_err(failed)?;
        Ok(Started { running, server, data, _folder: folder })
    }

    fn describe(&self) -> Description {
        Description {
            name: self.name.to_owned(),
            configuration: self.configuration.clone(),
            cores_used: self.cores_used,
        }
    }
}

/// One of Linux's on the second core; the first one is the generator's.
fn linux<'w>(
    program: &str,
    package: &str,
    arguments: impl Iterator<Item = &'w str>,
    cores: &Cores,
) -> Result<Command, BenchError> {
    let program = find(program, package)?;
    let arguments = arguments.map(|word| if word == "''" { String::new() } else { word.to_owned() });
    Ok(Command { program, arguments: arguments.collect(), cores: vec![cores.second()?.0] })
}

fn failed(error: LoadError) -> BenchError {
    BenchError::Wrong(error.to_string())
}

/// A server that runs and has all keys.
struct Started {
    running: Running,
    server: Server,
    data: Data,
    /// Where it runs, until it has ended.
    _folder: tempfile::TempDir,
}

impl Started {
    /// Offers a load from the first core, where the generator sleeps between requests: it may be shared with what looks after time. In an open loop it is a real-time thread
    /// where that is allowed: otherwise Linux lets others of the core finish their slices first, some milliseconds.
    fn asked(&self, shape: Shape<'_>, cores: &Cores) -> Result<Measured, BenchError> {
        let load = Load {
            address: self.server.address,
            protocol: self.server.protocol,
            data: self.data,
            classes: shape.classes,
            pace: shape.pace,
            connections: shape.connections,
            depth: shape.depth,
            lasts: WARM_UP + shape.counted,
            warm_up: WARM_UP,
            grace: GRACE,
            waiting: Waiting::Sleep,
            seed: 1,
        };
        let priority = match shape.pace {
            Pace::Open { .. } => Priority::RealtimeIfAllowed,
            Pace::Closed => Priority::Ordinary,
        };
        let run = || generate(&load, &|| self.running.has_ended());
        let measured = on_core(cores.first(), priority, run)?
            .map_err(|error| BenchError::Wrong(format!("{error}; it said: {}", self.running.last_words())))?;
        match measured.first_wrong {
            Some(wrong) => Err(BenchError::Wrong(wrong)),
            None => Ok(measured),
        }
    }
}

/// What is asked of a server.
#[derive(Clone, Copy)]
struct Shape<'s> {
    classes: &'s [Class],
    pace: Pace,
    connections: usize,
    depth: usize,
    counted: Duration,
}

/// A contestant of `kv`: what a request costs the server, in ns of its processor time, all its threads and processes together, while one thread asks as fast as it can.
pub struct PerRequest<'a> {
    server: KeyValues<'a>,
    class: Class,
    connections: usize,
    depth: usize,
}

impl<'a> PerRequest<'a> {
    /// So many connections with so many requests under way on each.
    #[must_use]
    pub fn new(server: KeyValues<'a>, request: Request, connections: usize, depth: usize) -> Self {
        let class = Class { name: request.to_string(), share: 1.0, request };
        Self { server, class, connections, depth }
    }
}

impl Contestant for PerRequest<'_> {
    fn describe(&self) -> Description {
        self.server.describe()
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let started = self.server.start(turn.cores, Data { keys: 10_000, value_bytes: VALUE_BYTES })?;
        let shape = Shape {
            classes: std::slice::from_ref(&self.class),
            pace: Pace::Closed,
            connections: self.connections,
            depth: self.depth,
            counted: turn.budget,
        };
        let before: ProcessTime = started.running.time();
        let measured = started.asked(shape, turn.cores)?;
        let spent = started.running.time().since(&before).total;
        if measured.answered == 0 {
            return Err(BenchError::Wrong("nothing was answered".to_owned()));
        }
        Ok(Samples::scaled(vec![spent.as_nanos() as u64], 1.0 / measured.answered as f64))
    }
}

/// What all contestants of `kv-tail` are offered: a part of what the slowest of them can.
pub struct Offered<'a> {
    servers: Vec<Rc<KeyValues<'a>>>,
    classes: [Class; 2],
    per_second: Cell<Option<f64>>,
}

impl<'a> Offered<'a> {
    /// Of these servers.
    #[must_use]
    pub fn to(servers: Vec<Rc<KeyValues<'a>>>) -> Rc<Self> {
        let class = |name: &str, share, request| Class { name: name.to_owned(), share, request };
        let classes = [class("GET", 1.0 - SLOW, Request::Get), class("KEYS", SLOW, Request::Search)];
        Rc::new(Self { servers, classes, per_second: Cell::new(None) })
    }

    const DATA: Data = Data { keys: 50_000, value_bytes: VALUE_BYTES };

    fn shape(&self, pace: Pace, counted: Duration) -> Shape<'_> {
        Shape { classes: &self.classes, pace, connections: CONNECTIONS, depth: 1, counted }
    }

    /// Requests in a second, found out once.
    fn per_second(&self, cores: &Cores) -> Result<f64, BenchError> {
        if let Some(known) = self.per_second.get() {
            return Ok(known);
        }
        let mut least = f64::INFINITY;
        for server in &self.servers {
            let started = match server.start(cores, Self::DATA) {
                Err(BenchError::Unavailable { .. }) => continue,
                started => started?,
            };
            let measured = started.asked(self.shape(Pace::Closed, TRIAL), cores)?;
            least = least.min(measured.done_per_second());
        }
        if !least.is_finite() || least < 1.0 {
            return Err(BenchError::Wrong("nobody answered anything".to_owned()));
        }
        self.per_second.set(Some(LOAD * least));
        Ok(LOAD * least)
    }
}

/// A contestant of `kv-tail`: how long each GET took from when it was due, in ns, at a load with slow requests in it.
pub struct Tail<'a> {
    server: Rc<KeyValues<'a>>,
    offered: Rc<Offered<'a>>,
}

impl<'a> Tail<'a> {
    /// This one of those that the load is offered to.
    #[must_use]
    pub fn new(server: Rc<KeyValues<'a>>, offered: Rc<Offered<'a>>) -> Self {
        Self { server, offered }
    }
}

impl Contestant for Tail<'_> {
    fn describe(&self) -> Description {
        self.server.describe()
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        // Who is not here has no figure, and the others are not held up.
        let started = self.server.start(turn.cores, Offered::DATA)?;
        drop(started);
        let per_second = self.offered.per_second(turn.cores)?;
        let pace = Pace::Open { arrivals: Arrivals::Poisson, per_second };
        let started = self.server.start(turn.cores, Offered::DATA)?;
        let measured = started.asked(self.offered.shape(pace, turn.budget), turn.cores)?;
        if measured.unfinished > 0 {
            return Err(BenchError::Wrong(format!(
                "of {} requests, {per_second:.0} a second, {} were not answered within {GRACE:?}",
                measured.due, measured.unfinished
            )));
        }
        if !measured.kept_up() {
            let late_us = measured.late_ns.value_at_percentile(99.0) / 1_000;
            return Err(BenchError::Wrong(format!(
                "the generator was late itself ({late_us} µs at p99): stop what else runs, or try again"
            )));
        }
        let quick = measured.latency_ns.first().map(|latency| {
            let values = latency.iter_recorded();
            let values = values.flat_map(|one| {
                std::iter::repeat_n(one.value_iterated_to(), one.count_since_last_iteration() as usize)
            });
            values.collect()
        });
        Ok(Samples::in_units(quick.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::turn::Sampling;

    fn play(contestant: &mut dyn Contestant) -> Result<Vec<f64>, BenchError> {
        let (cores, clock) = (Cores::default_pair()?, Clock::calibrate()?);
        let budget = Duration::from_millis(300);
        let turn = Turn { cores: &cores, clock: &clock, sampling: Sampling::Single, budget, sample_limit: 1 };
        contestant.turn(&turn).map(|samples| samples.values().collect())
    }

    fn rivals() -> [KeyValues<'static>; 3] {
        [
            KeyValues::redis("redis-server", "redis-server"),
            KeyValues::redis("valkey-server", "valkey"),
            KeyValues::memcached(),
        ]
    }

    /// Whether a host lacks what a contestant needs, and is told how to get it.
    fn is_told_what_is_missing(error: &BenchError) -> bool {
        let BenchError::Unavailable { remedy, .. } = error else { return false };
        remedy.contains("apt-get install") || remedy.contains("--cores")
    }

    #[test]
    fn whoever_is_installed_is_asked_and_of_others_it_is_said_how_to_get_them() {
        for (server, request) in rivals().into_iter().zip([Request::Get, Request::Set, Request::Get]) {
            match play(&mut PerRequest::new(server, request, 3, 2)) {
                // A request takes system calls.
                Ok(samples) => assert!(samples.len() == 1 && samples[0] > 100.0, "{samples:?}"),
                Err(error) => assert!(is_told_what_is_missing(&error), "{error}"),
            }
        }
    }

    #[test]
    fn a_load_is_found_and_offered_or_it_is_said_why_not() {
        let [redis, ..] = rivals().map(Rc::new);
        let offered = Offered::to(vec![redis.clone()]);
        match play(&mut Tail::new(redis, offered.clone())) {
            Ok(samples) => {
                let per_second = offered.per_second.get().expect("it was found");
                assert!(samples.len() > 10 && per_second > 10.0, "{} {per_second}", samples.len());
            }
            Err(error) => {
                let why = error.to_string();
                // The latter on a busy host.
                let is_busy = why.contains("late itself") || why.contains("not answered");
                assert!(is_told_what_is_missing(&error) || is_busy, "{why}");
            }
        }
    }

    #[test]
    fn a_server_that_does_not_start_is_an_error_with_what_it_said() {
        let broken = KeyValues::ours("none", |_, cores| {
            Ok(Command {
                program: PathBuf::from("/bin/sh"),
                arguments: vec!["-c".to_owned(), "echo no such thing; exit 3".to_owned()],
                cores: vec![cores.second()?.0],
            })
        });
        let error = play(&mut PerRequest::new(broken, Request::Get, 1, 1)).expect_err("it ends");
        let is_told = error.to_string().contains("no such thing");
        assert!(is_told || is_told_what_is_missing(&error), "{error}");
    }
}
