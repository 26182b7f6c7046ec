//! The demonstration: all are started and filled with the same, each is looked at alone, then loads go from low to high, in turns.

use std::time::{Duration, Instant};

use hallows_bench::cores::{Priority, on_core, realtime_is_allowed};
use hallows_bench::environment::Environment;
use hallows_bench::jitter::antagonist::beside;
use hallows_bench::rivals::short_slices::ask_for_short_slices;
use hallows_bench::{Clock, Core, Cores};
use hallows_load::{
    Class, Client, Load, LoadError, Measured, Pace, ProcessTime, Running, Server, Spent, Waiting, generate,
};
use serde::Serialize;
use tempfile::TempDir;

use crate::plan::loads;
use crate::point::Sum;
use crate::tools::{self, Tool};
use crate::{Contender, DemoError, Part, Plan, Point};

/// How long a contender's most is looked for: some hundred slow requests.
const CLOSED: Duration = Duration::from_millis(700);
/// Slow requests that are asked alone; the median counts.
const ALONE: u32 = 9;
/// How long answers are waited for behind a run: what takes longer was not in time for anybody.
const GRACE: Duration = Duration::from_millis(500);
/// Shorter no run is, and longer none that is given no number of requests.
const SHORTEST: Duration = Duration::from_millis(200);
/// See [`SHORTEST`].
const LONGEST: Duration = Duration::from_secs(600);
/// Part of the time that is left which runs take: connecting and waiting for the last answers is the rest.
const RUNNING: f64 = 0.93;

/// Who took part, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Participant {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub part: Part,
    /// What it speaks.
    pub protocol: String,
    /// What it says its version is.
    pub version: String,
    /// The command that it was started with.
    pub command: String,
    /// The cores that its threads may use, as Linux said when it was ready.
    pub cores: Vec<usize>,
    /// What its slow requests ask for.
    pub slow_request: String,
    /// How long one takes when nothing else is asked, in ns.
    pub slow_alone_ns: Option<f64>,
    /// Requests of this mix in a second at most: a closed loop over all connections.
    pub capacity_per_second: Option<f64>,
    /// What other tools say of it.
    pub tools: Vec<Tool>,
    /// By load, from low to high.
    pub points: Vec<Point>,
    /// The load from which on it left requests unanswered, and was not offered more.
    pub broke_at: Option<f64>,
    /// Why it was not measured, or not to the end.
    pub failed: Option<String>,
}

impl Participant {
    /// What came of it at a load.
    #[must_use]
    pub fn at(&self, load: f64) -> Option<&Point> {
        self.points.iter().find(|point| point.offered_per_second == load)
    }
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The command that makes it again.
    pub command: String,
    /// Processor and Linux.
    pub environment: String,
    /// Which core is whose.
    pub placement: String,
    /// What is stored, what is asked, and how.
    pub setting: String,
    /// Part of the requests that are slow.
    pub slow: f64,
    /// Loads that were offered, in requests a second.
    pub loads: Vec<f64>,
    /// Turns of each at each load.
    pub rounds: u32,
    /// How long all of it took, in seconds.
    pub seconds: f64,
    /// Who took part.
    pub participants: Vec<Participant>,
    /// Who did not, and how to get him; tools, too.
    pub absent: Vec<String>,
}

/// Whoever runs.
struct Live {
    /// Which participant.
    place: usize,
    server: Server,
    running: Running,
    classes: Vec<Class>,
    /// It gets no more.
    is_out: bool,
}

/// Where it is told what happens, and whether somebody wants an end.
pub struct Observer<'o> {
    /// Gets a line for each step.
    pub tell: &'o mut (dyn FnMut(&str) + Send),
    /// Whether somebody wants an end.
    pub stop: &'o (dyn Fn() -> bool + Sync),
}

/// Runs a demonstration. `command` is what makes it again. Whatever was started is ended when this returns, whatever it returns.
///
/// # Errors
/// When the plan makes no sense, nobody can be measured, or somebody wants an end. A contender that fails is named in the report, and the others go on.
pub fn demonstrate(
    plan: &Plan,
    contenders: &[Contender],
    command: &str,
    observer: &mut Observer<'_>,
) -> Result<Report, DemoError> {
    plan.check()?;
    let begin = Instant::now();
    let environment = Environment::observe(&Cores::default_pair()?, &Clock::calibrate()?)?;
    let is_virtual = if environment.virtual_machine { "virtual machine" } else { "real machine" };
    let debug =
        if cfg!(debug_assertions) { " · built for debugging: these figures mean nothing" } else { "" };
    let mut report = Report {
        command: command.to_owned(),
        environment: format!("{} · {is_virtual} · Linux {}{debug}", environment.processor, environment.linux),
        placement: plan.placement.to_string(),
        setting: setting(plan),
        slow: plan.slow,
        loads: Vec::new(),
        rounds: plan.rounds,
        seconds: 0.0,
        participants: Vec::new(),
        absent: Vec::new(),
    };
    let run = || -> Result<(), DemoError> {
        let folder = tempfile::tempdir().map_err(LoadError::system("make a temporary folder"))?;
        let mut live = start(plan, contenders, &folder, &mut report, observer)?;
        if live.is_empty() {
            let failed = report
                .participants
                .iter()
                .filter_map(|one| Some(format!("{}: {}", one.name, one.failed.as_ref()?)));
            let why: Vec<_> = report.absent.iter().cloned().chain(failed).collect();
            return Err(DemoError::Nobody(why.join("; ")));
        }
        if plan.tools {
            report.absent.extend(tools::absent());
        }
        let priority =
            if plan.placement.neighbour_is_shared() { Priority::WhenIdle } else { Priority::Ordinary };
        let neighbour = plan.placement.neighbour.map(Core);
        if neighbour.is_some() {
            (observer.tell)("the neighbour takes its memory");
        }
        let until = begin + Duration::from_secs_f64(plan.seconds);
        beside(neighbour, priority, || {
            alone(plan, &mut live, &mut report, observer)?;
            sweep(plan, &mut live, &mut report, until, observer)
        })?
    };
    on_core(Core(plan.placement.generator), Priority::Ordinary, run)??;
    report.seconds = begin.elapsed().as_secs_f64();
    Ok(report)
}

fn setting(plan: &Plan) -> String {
    let Plan { data, connections, depth, arrivals, slow, .. } = plan;
    format!(
        "{} keys with values of {} bytes; {connections} connections, at most {depth} under way on each; {arrivals} arrivals; {} % of the requests are slow, the rest are GETs",
        data.keys,
        data.value_bytes,
        (slow * 1e6).round() / 1e4
    )
}

/// Starts and fills all that are there.
fn start(
    plan: &Plan,
    contenders: &[Contender],
    folder: &TempDir,
    report: &mut Report,
    observer: &mut Observer<'_>,
) -> Result<Vec<Live>, DemoError> {
    let mut live = Vec::new();
    for contender in contenders {
        let server = match &contender.server {
            Ok(server) => server,
            Err(why) => {
                report.absent.push(format!("{}: {why}", contender.name));
                continue;
            }
        };
        (observer.tell)(&format!("{}: starts, and is filled with {} keys", contender.name, plan.data.keys));
        let place = report.participants.len();
        report.participants.push(Participant {
            name: contender.name.clone(),
            part: contender.part,
            protocol: server.protocol.to_string(),
            version: contender.version.clone(),
            command: server.command_line(),
            cores: Vec::new(),
            slow_request: Plan::slow_request(server.protocol).to_string(),
            slow_alone_ns: None,
            capacity_per_second: None,
            tools: Vec::new(),
            points: Vec::new(),
            broke_at: None,
            failed: None,
        });
        match start_one(plan, server, folder, observer) {
            Ok(running) => {
                report.participants[place].cores = running.cores().into_iter().collect();
                live.push(Live {
                    place,
                    server: server.clone(),
                    running,
                    classes: plan.classes(server.protocol),
                    is_out: false,
                });
            }
            Err(LoadError::Stopped) => return Err(DemoError::Stopped),
            Err(error) => report.participants[place].failed = Some(error.to_string()),
        }
    }
    Ok(live)
}

fn start_one(
    plan: &Plan,
    server: &Server,
    folder: &TempDir,
    observer: &Observer<'_>,
) -> Result<Running, LoadError> {
    let own = folder.path().join(&server.name);
    std::fs::create_dir(&own).map_err(LoadError::system("make a temporary folder"))?;
    let running = server.start(&own, observer.stop)?;
    Client::connect(server.address, server.protocol, plan.data)?.fill(observer.stop)?;
    Ok(running)
}

/// Looks at each alone: a slow request, the most that it can, what tools say.
fn alone(
    plan: &Plan,
    live: &mut [Live],
    report: &mut Report,
    observer: &mut Observer<'_>,
) -> Result<(), DemoError> {
    for one in live {
        let participant = &mut report.participants[one.place];
        (observer.tell)(&format!(
            "{}: how long a slow request takes, and how many requests a second it can at most",
            participant.name
        ));
        let looked = || -> Result<(Option<f64>, f64), DemoError> {
            let slow_ns = if plan.slow > 0.0 { Some(slow_alone(plan, &one.server)?) } else { None };
            let closed = Load {
                pace: Pace::Closed,
                lasts: CLOSED,
                warm_up: CLOSED / 7,
                ..load(plan, one, 1.0, CLOSED, 0)
            };
            Ok((slow_ns, offer(&closed, plan, observer)?.done_per_second()))
        };
        match looked() {
            Ok((slow_ns, per_second)) => {
                participant.slow_alone_ns = slow_ns;
                participant.capacity_per_second = Some(per_second);
            }
            Err(error) => {
                fails(participant, one, error)?;
                continue;
            }
        }
        if plan.tools {
            (observer.tell)(&format!("{}: what other tools say of it", participant.name));
            participant.tools = tools::measure(&one.server, plan, observer.stop)?;
        }
    }
    Ok(())
}

fn slow_alone(plan: &Plan, server: &Server) -> Result<f64, LoadError> {
    let mut client = Client::connect(server.address, server.protocol, plan.data)?;
    let key = |number| (u64::from(number) * u64::from(plan.data.keys) / u64::from(ALONE)) as u32;
    let mut times = (0..ALONE)
        .map(|number| client.ask(Plan::slow_request(server.protocol), key(number)))
        .collect::<Result<Vec<_>, _>>()?;
    times.sort();
    Ok(times[times.len() / 2].as_nanos() as f64)
}

/// It is named with what went wrong, and gets no more; unless somebody wants an end.
fn fails(participant: &mut Participant, one: &mut Live, error: DemoError) -> Result<(), DemoError> {
    if matches!(error, DemoError::Stopped | DemoError::Load(LoadError::Stopped)) {
        return Err(DemoError::Stopped);
    }
    one.is_out = true;
    let ended = if one.running.has_ended() { "; the server has ended" } else { "" };
    participant.failed = Some(format!("{error}{ended}; it said: {}", one.running.last_words()));
    Ok(())
}

fn sweep(
    plan: &Plan,
    live: &mut [Live],
    report: &mut Report,
    until: Instant,
    observer: &mut Observer<'_>,
) -> Result<(), DemoError> {
    let capacities: Vec<f64> = report.participants.iter().filter_map(|one| one.capacity_per_second).collect();
    report.loads = plan.loads.clone().unwrap_or_else(|| loads(&capacities));
    let all = report.loads.clone();
    for (number, per_second) in all.iter().copied().enumerate() {
        let turns = live.iter().filter(|one| !one.is_out).count() * plan.rounds as usize;
        let lasts = match plan.requests {
            Some(requests) => requests as f64 / per_second / f64::from(plan.rounds),
            None => {
                until.saturating_duration_since(Instant::now()).as_secs_f64() * RUNNING
                    / ((all.len() - number) * turns.max(1)) as f64
            }
        };
        let longest = if plan.requests.is_some() { Duration::from_secs(3_600) } else { LONGEST };
        let lasts = Duration::from_secs_f64(lasts).clamp(SHORTEST, longest);
        let mut sums: Vec<Sum> = live.iter().map(|_| Sum::new()).collect();
        for round in 0..plan.rounds {
            // There and back, so that nobody is always the first.
            let forward = round.is_multiple_of(2);
            let places: Vec<usize> =
                (0..live.len()).map(|place| if forward { place } else { live.len() - 1 - place }).collect();
            for place in places.into_iter().filter(|place| !live[*place].is_out).collect::<Vec<_>>() {
                let name = &report.participants[live[place].place].name;
                let step = format!(
                    "load {} of {} ({per_second} requests/s), round {} of {}: {name}",
                    number + 1,
                    all.len(),
                    round + 1,
                    plan.rounds
                );
                (observer.tell)(&step);
                let offered =
                    load(plan, &live[place], per_second, lasts, (number as u64) << 16 | u64::from(round));
                match turn(live, place, &offered, plan, observer) {
                    Ok((measured, spent, others)) => sums[place].add(measured, &spent, &others),
                    Err(error) => {
                        fails(&mut report.participants[live[place].place], &mut live[place], error)?
                    }
                }
            }
        }
        for (one, sum) in live.iter_mut().zip(sums) {
            let Some(point) = sum.point(per_second, &one.classes) else { continue };
            let participant = &mut report.participants[one.place];
            if point.unfinished > 0 {
                one.is_out = true;
                participant.broke_at = Some(per_second);
            }
            participant.points.push(point);
        }
    }
    Ok(())
}

/// A run, on a thread of its own that wakes as soon as Linux allows; of what it starts there is nothing. One that sleeps until requests are due is a real-time thread where
/// that is allowed: otherwise Linux lets others of its core finish their slices first, some milliseconds, which would stand in the tails of all.
fn offer(load: &Load<'_>, plan: &Plan, observer: &Observer<'_>) -> Result<Measured, DemoError> {
    let stop = observer.stop;
    let is_prompt = load.waiting == Waiting::Sleep && load.pace != Pace::Closed && realtime_is_allowed();
    let priority = if is_prompt { Priority::RealtimeIfAllowed } else { Priority::Ordinary };
    on_core(Core(plan.placement.generator), priority, || {
        if !is_prompt {
            ask_for_short_slices()?;
        }
        Ok(generate(load, &|| stop())?)
    })?
}

/// One run, and what everybody used meanwhile: the one whose turn it is, and the others together.
fn turn(
    live: &[Live],
    place: usize,
    offered: &Load<'_>,
    plan: &Plan,
    observer: &Observer<'_>,
) -> Result<(Measured, Spent, Spent), DemoError> {
    let times = || live.iter().map(|one| one.running.time()).collect::<Vec<ProcessTime>>();
    let before = times();
    let measured = offer(offered, plan, observer)?;
    let spent: Vec<Spent> = times().iter().zip(&before).map(|(after, before)| after.since(before)).collect();
    let mut others = Spent::default();
    for (_, other) in spent.iter().enumerate().filter(|(number, _)| *number != place) {
        others.add(other);
    }
    Ok((measured, spent[place].clone(), others))
}

fn load<'l>(plan: &Plan, one: &'l Live, per_second: f64, lasts: Duration, seed: u64) -> Load<'l> {
    let placement = &plan.placement;
    let is_alone = !placement.generator_is_shared() && placement.neighbour != Some(placement.generator);
    Load {
        address: one.server.address,
        protocol: one.server.protocol,
        data: plan.data,
        classes: &one.classes,
        pace: Pace::Open { arrivals: plan.arrivals, per_second },
        connections: plan.connections,
        depth: plan.depth,
        lasts,
        // As in the laboratory: the first tenth.
        warm_up: lasts / 10,
        grace: GRACE,
        waiting: if is_alone { Waiting::Spin } else { Waiting::Sleep },
        seed: plan.seed.wrapping_add(seed),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use hallows_load::percentiles::Percentiles;

    use super::*;
    use crate::{ClassTimes, Late};

    fn point(load: f64, quick_ns: f64, per_core: f64) -> Point {
        let times = |class: &str, request: &str, at: f64| ClassTimes {
            class: class.to_owned(),
            request: request.to_owned(),
            samples: 20_000,
            latency_ns: Percentiles {
                p50: Some(at),
                p99: Some(at * 3.0),
                p99_9: (load > 1_500.0).then_some(at * 9.0),
                p99_99: None,
                max: Some(at * 20.0),
                mean: Some(at),
            },
        };
        Point {
            offered_per_second: load,
            done_per_second: load,
            due: 20_000,
            unfinished: 0,
            wrong: 0,
            first_wrong: None,
            generator_late_ns: Late { p50: 5_000, p99: 40_000, max: 300_000 },
            generator_away: 0.3,
            kept_up: true,
            classes: vec![times("quick", "GET", quick_ns), times("slow", "KEYS", 9e6)],
            cores_busy: 0.5,
            cores_busy_by_thread: vec![("main".to_owned(), 0.5)],
            requests_per_core_second: Some(per_core),
            others_busy: 0.001,
        }
    }

    fn participant(name: &str, part: Part, points: Vec<Point>) -> Participant {
        Participant {
            name: name.to_owned(),
            part,
            protocol: "RESP".to_owned(),
            version: format!("{name} <1.0>"),
            command: format!("taskset -c 0,1 {name} --port 7"),
            cores: vec![0, 1],
            slow_request: "KEYS".to_owned(),
            slow_alone_ns: Some(9e6),
            capacity_per_second: Some(20_000.0),
            tools: vec![Tool {
                tool: "redis-benchmark".to_owned(),
                command: "redis-benchmark -p 7".to_owned(),
                said: Ok("9 GETs/s".to_owned()),
            }],
            points,
            broke_at: None,
            failed: None,
        }
    }

    /// Ours loses at the lower load only: p50 and p99 by the same factor, of which p99 is made equal.
    pub(crate) fn report() -> Report {
        let mut redis = participant(
            "redis",
            Part::Rival,
            vec![point(1_000.0, 50_000.0, 30_000.0), point(2_000.0, 900_000.0, 20_000.0)],
        );
        redis.points[0].classes[0].latency_ns.p99 = Some(300_000.0);
        redis.points[1].unfinished = 3;
        redis.broke_at = Some(2_000.0);
        let ours = participant(
            "ours",
            Part::Ours,
            vec![point(1_000.0, 100_000.0, 25_000.0), point(2_000.0, 110_000.0, 26_000.0)],
        );
        Report {
            command: "hallows demo tail".to_owned(),
            environment: "a processor".to_owned(),
            placement: "every contender has 2 cores (0,1)".to_owned(),
            setting: "1000 keys".to_owned(),
            slow: 0.005,
            loads: vec![1_000.0, 2_000.0],
            rounds: 2,
            seconds: 12.5,
            participants: vec![ours, redis],
            absent: vec![
                "valkey: valkey-server is not installed; to see it here: apt-get install valkey".to_owned(),
            ],
        }
    }
}
