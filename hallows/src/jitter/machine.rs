//! Ours: a machine that runs the program `jitter`, booted by `hallows run` as a user would.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hallows_bench::contestant::Description;
use hallows_bench::jitter::case::{Gaps, How, Turn};
use hallows_bench::jitter::told::{Line, Told};
use hallows_linux::host::control::client;
use hallows_linux::host::control::protocol::{Request, Response};
use hallows_linux::host::tier::{TierLimit, TierReport};
use rustix::process::Signal;

use super::child::{Heard, Measuring, PATIENCE};
use super::stops::Stops;
use super::{Assignment, Contender, TurnError};
use crate::commands::stop::directory;

/// How long the program does the same before anything is counted: the machine takes its cores meanwhile, which takes tens of milliseconds; and longer on a host that
/// was too busy for that.
const SETTLES_MS: [u64; 3] = [1_000, 4_000, 16_000];

/// Ours.
pub struct Ours<'a> {
    pub stops: &'a Stops,
}

impl Contender for Ours<'_> {
    fn describe(&self, assignment: &Assignment<'_>) -> Description {
        let how = match assignment.how {
            How::Sleeping => {
                "a deadline of a wait; the timekeeper sleeps until it, while the core looks for work before it sleeps itself"
            }
            How::Spinning => "a loop of readings of the clock; the timekeeper looks once in a millisecond",
        };
        Description {
            name: "ours".to_owned(),
            configuration: format!(
                "`hallows run jitter --tier {}`: a WebAssembly cell alone on core {}, {how}; timekeeper on core {}",
                tier_option(assignment.limit),
                assignment.place.core,
                assignment.place.other_core
            ),
            cores_used: 2,
        }
    }

    fn turn(&mut self, assignment: &Assignment<'_>) -> Result<(Turn, TierReport), TurnError> {
        for settle_ms in SETTLES_MS {
            if let Some(turn) = self.try_turn(assignment, settle_ms)? {
                return Ok(turn);
            }
        }
        Err(TurnError::wrong(
            "the machine had not taken its cores by the time it was to measure: this host is too busy",
        ))
    }
}

const fn tier_option(limit: TierLimit) -> &'static str {
    match limit {
        TierLimit::SharedOnly => "shared",
        TierLimit::Best => "best",
    }
}

impl Ours<'_> {
    /// A turn; `None` if the machine took its cores only when it measured already.
    fn try_turn(
        &self,
        assignment: &Assignment<'_>,
        settle_ms: u64,
    ) -> Result<Option<(Turn, TierReport)>, TurnError> {
        let mut machine = Measuring::start(&mut command(assignment, settle_ms)?, self.stops, Signal::TERM)?;
        let tier = match tier_of(&mut machine)? {
            Some(tier) => tier,
            None => return Err(machine.ended()),
        };
        let mut told = Told::default();
        let now = Instant::now();
        // What it has said by now, it said before the cores were known to be taken.
        while let Heard::Line(line) = machine.hear(now)? {
            if matches!(told.hear(&line), Line::Begins(_)) {
                return Ok(None);
            }
        }
        let measures = loop {
            match machine.hear(now + PATIENCE)? {
                Heard::Line(line) => {
                    if let Line::Begins(microseconds) = told.hear(&line) {
                        break Duration::from_micros(microseconds);
                    }
                }
                Heard::End => return Err(machine.ended()),
                Heard::Time => return Err(TurnError::wrong("the machine's program does not begin")),
            }
        };
        let process = machine_of(machine.pid()).unwrap_or_default();
        let mut has_ended = false;
        let mut hear = |line: &str| has_ended |= told.hear(line) == Line::Ends;
        let change = machine.count(assignment.place.core, process, measures, &mut hear)?;
        machine.finish(&mut hear)?;
        if !has_ended {
            return Err(TurnError::wrong("the machine ended before its program had told all"));
        }
        Ok(Some((turn_of(told, assignment.how, change), tier)))
    }
}

/// What a program has told, as a turn.
pub fn turn_of(told: Told, how: How, change: hallows_bench::jitter::counters::Change) -> Turn {
    let Told { late, gaps, lost_ns, periods, look_ns, .. } = told;
    let gaps = Gaps { lengths: gaps, lost_ns: Some(lost_ns), look_ns: Some(look_ns) };
    Turn { late, periods, gaps: (how == How::Spinning).then_some(gaps), change }
}

fn command(assignment: &Assignment<'_>, settle_ms: u64) -> Result<Command, TurnError> {
    let mut command = Command::new(std::env::current_exe().map_err(TurnError::wrong)?);
    command.args(["run", "jitter", "--quiet", "--tier", tier_option(assignment.limit)]);
    command.args(["--cores", &assignment.place.core.to_string()]);
    command.args(["--housekeeping", &assignment.place.other_core.to_string(), "--"]);
    command.arg(format!("how={}", assignment.how.name()));
    command.arg(format!("period_us={}", assignment.period_us));
    command.arg(format!("count={}", assignment.count));
    command.arg(format!("settle_ms={settle_ms}"));
    command.stdin(Stdio::null());
    Ok(command)
}

/// The tier that a machine has reached, as soon as it has; `None` if it has ended before.
fn tier_of(machine: &mut Measuring<'_>) -> Result<Option<TierReport>, TurnError> {
    let directory = directory().map_err(|failure| TurnError::wrong(failure.message()))?;
    let (begin, pid) = (Instant::now(), machine.pid().cast_signed());
    while begin.elapsed() < PATIENCE {
        let found = client::list(&directory).ok().into_iter().flatten().find(|found| found.pid == pid);
        let answer = found.and_then(|found| client::ask(&found, &Request::Tier).ok());
        if let Some(Response::Tier { report: Some(report), began: true }) = answer {
            return Ok(Some(report));
        }
        if machine.has_ended() {
            return Ok(None);
        }
        machine.pause()?;
    }
    Err(TurnError::wrong("the machine does not come up"))
}

/// The machine process that a parent process has started.
fn machine_of(parent: u32) -> Option<u32> {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}
