//! The program: it holds the cells and serves their fault endpoint, and does what the roster decides.
//!
//! | it is granted | what for |
//! |---|---|
//! | `cell.NAME` (SEND, MANAGE) | asking for a cell's state, restarting it |
//! | `gone.NAME.0`, `gone.NAME.1`, … (SEND) | telling those who depend on it that it stays down (bit 0) |
//!
//! Its arguments are the [`Ward`]s' texts. It serves one endpoint, which the cells' faults come to: the badge of a cell's
//! capability is the number of its argument, from 1. When everything that is awaited is over it exits, with status 0 if
//! all of it ended as it should, else 1; the machine may then stop.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use hallows_sdk::abi::MAX_BACKTRACE;
use hallows_sdk::{
    Answer, Budget, Cell, Deadline, Error, FaultReport, Message, Notification, Server, Start, State, Timer,
    log, process,
};

use crate::{End, Roster, Standing, Verdict, Ward};

/// A cell's capabilities.
struct Held {
    name: String,
    cell: Cell,
    dependents: Vec<Notification>,
}

/// See the module's description.
pub struct Supervisor {
    roster: Roster,
    held: Vec<Held>,
    timer: Timer,
}

impl Server for Supervisor {
    const INBOX_BYTES: usize = FaultReport::HEADER + MAX_BACKTRACE as usize;
    // Nobody reads an answer.
    const REPLY_BYTES: usize = 0;

    fn new(start: &Start<'_>) -> Result<Self, Error> {
        let alarm = Budget::OWN.create_notification()?;
        alarm.bind(0)?;
        let timer = Budget::OWN.create_timer(alarm, 1)?;
        let mut supervisor = Self { roster: Roster::new(), held: Vec::new(), timer };
        for argument in start.info().arguments() {
            let ward: Ward = argument.parse().map_err(|error| {
                log!("{error}");
                Error::BadArgument
            })?;
            supervisor.take_charge(start, &ward)?;
        }
        supervisor.settle();
        Ok(supervisor)
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        let number = usize::try_from(message.badge).ok().and_then(|badge| badge.checked_sub(1));
        match (number, FaultReport::parse(message.bytes)) {
            (Some(number), Some(report)) if number < self.held.len() => self.ended(number, &report),
            _ => log!(
                "a message that is no cell's fault: badge {}, {} bytes",
                message.badge,
                message.bytes.len()
            ),
        }
        self.settle();
        Answer::EMPTY
    }

    fn notification(&mut self, _: u64, _: u64) {
        self.settle();
    }
}

impl Supervisor {
    fn take_charge(&mut self, start: &Start<'_>, ward: &Ward) -> Result<(), Error> {
        let cell: Cell = start.grant(&format!("cell.{}", ward.name))?;
        let mut dependents = Vec::new();
        for number in 0..ward.dependents {
            dependents.push(start.grant(&format!("gone.{}.{number}", ward.name))?);
        }
        let now = process::now()?;
        let inspection = cell.inspect()?;
        let number = self.held.len();
        self.roster.add(ward, inspection.generation, now);
        self.held.push(Held { name: ward.name.clone(), cell, dependents });
        // It ended while nobody was here to be told: this supervisor was restarted itself.
        if inspection.state == Some(State::Dead) {
            log!("{}: found dead", ward.name);
            let verdict = self.roster.ended(number, inspection.generation, End::Failed, now);
            self.announce(number, verdict, now);
        }
        Ok(())
    }

    fn ended(&mut self, number: usize, report: &FaultReport<'_>) {
        let end = End::of(report.kind, report.detail);
        let verdict = self.roster.ended(number, report.generation, end, report.at_ns);
        if let Some(held) = self.held.get(number)
            && verdict.is_some()
            && end != End::Done
        {
            let (name, kind, life) = (&held.name, report.kind.message(), report.generation);
            match report.detail {
                0 => log!("{name} {kind} in life {life}"),
                detail => log!("{name} {kind} with status {detail} in life {life}"),
            }
        }
        self.announce(number, verdict, report.at_ns);
    }

    /// Says what was decided, and tells who depends on a cell that stays down.
    fn announce(&self, number: usize, verdict: Option<Verdict>, at_ns: u64) {
        let Some(held) = self.held.get(number) else { return };
        match verdict {
            None | Some(Verdict::Over) => {}
            Some(Verdict::RestartAt(due_ns)) => {
                let pause = Duration::from_nanos(due_ns.saturating_sub(at_ns));
                log!("{} is restarted in {pause:?}", held.name);
            }
            Some(Verdict::GiveUp) => {
                log!("{} stays down; {} told", held.name, held.dependents.len());
                for dependent in &held.dependents {
                    if let Err(error) = dependent.signal(1) {
                        log!("who depends on {} could not be told: {error}", held.name);
                    }
                }
            }
        }
    }

    /// Does what is due, sets the timer for what is due next, and ends when there is nothing left to wait for.
    fn settle(&mut self) {
        let Err(error) = self.restart_due() else { return };
        // Without a clock or a timer no restart ever comes again: better a supervisor that is seen to have failed.
        if error != Error::Killed {
            log!("cannot go on: {error}");
            let _ = process::exit(1);
        }
    }

    fn restart_due(&mut self) -> Result<(), Error> {
        let now = process::now()?;
        while let Some(number) = self.roster.due(now) {
            let Some(held) = self.held.get(number) else { break };
            match held.cell.restart() {
                Ok(generation) => {
                    log!("{} runs again: life {generation}", held.name);
                    self.roster.restarted(number, generation, now);
                }
                Err(Error::Killed) => return Err(Error::Killed),
                Err(error) => {
                    log!("{} could not be restarted: {error}", held.name);
                    let verdict = self.roster.restart_failed(number, now);
                    self.announce(number, verdict, now);
                }
            }
        }
        match self.roster.next_due_ns() {
            Some(due_ns) => self.timer.arm(Deadline::at(due_ns), None)?,
            None => self.timer.disarm()?,
        }
        match self.roster.standing() {
            Standing::GoesOn => Ok(()),
            Standing::Done => Err(process::exit(0)),
            Standing::Failed => Err(process::exit(1)),
        }
    }
}

hallows_sdk::server!(Supervisor);
