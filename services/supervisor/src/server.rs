//! The program: it holds the cells and serves their fault endpoint, and does what the roster decides.
//!
//! | it is granted | what for |
//! |---|---|
//! | `cell.NAME` (SEND, MANAGE), with the cell's number as badge | asking for a cell's state, restarting it |
//! | `gone.NAME.0`, `gone.NAME.1`, … (SEND) | telling those who depend on it that it stays down (bit 0) |
//! | `ended.NAME` (SEND), if somebody keeps things for it | a message without bytes after each of its lives, in front of all that the next one sends there |
//!
//! On the same endpoint it takes an operator's [`Wish`]es, by a badge that no capability has.
//!
//! Its arguments are the [`Ward`]s' texts. It serves one active endpoint, which the cells' faults come to. A report says
//! the cell's number, and the badges say which cell that is. When everything that is awaited is over it exits, with
//! status 0 if all of it ended as it should, else 1; the machine may then stop.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use hallows_sdk::abi::MAX_BACKTRACE;
use hallows_sdk::{
    Answer, Budget, Cell, CellState, Deadline, Endpoint, Error, FaultReport, Message, Notification, Object,
    Server, Start, Timer, log, process,
};

use crate::{Asked, End, OPERATOR, Roster, Standing, Verdict, Ward, Wish};

/// A cell's capabilities.
struct Held {
    name: String,
    cell: Cell,
    /// As fault reports give it.
    number: u64,
    dependents: Vec<Notification>,
    /// Who keeps things for it.
    keeper: Option<Endpoint>,
    /// When it has missed so many deadlines in one life it begins anew; 0: never.
    most_missed: u32,
    /// How many it had missed when this life began, and by now.
    missed: (u32, u32),
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
        if message.badge == OPERATOR {
            self.asked(message.bytes);
            self.settle();
            return Answer::EMPTY;
        }
        match FaultReport::parse(message.bytes) {
            Some(report) => match self.held.iter().position(|held| held.number == u64::from(report.cell)) {
                Some(place) if report.kind.is_end() => self.ended(place, &report),
                Some(place) => self.missed(place, &report),
                None => log!("cell {} {}, and is nobody that I know", report.cell, report.kind.message()),
            },
            None => log!("{} bytes that are no fault report", message.bytes.len()),
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
        let number = cell.identify()?.badge;
        let place = self.held.len();
        self.roster.add(ward, inspection.generation, now);
        let keeper = start.optional(&format!("ended.{}", ward.name));
        let (name, most_missed) = (ward.name.clone(), ward.policy.missed_deadlines);
        self.held.push(Held { name, cell, number, dependents, keeper, most_missed, missed: (0, 0) });
        // It ended while nobody was here to be told: this supervisor was restarted itself.
        if inspection.state == CellState::Dead {
            self.tell_keeper(place);
            log!("{}: found dead", ward.name);
            let verdict = self.roster.ended(place, inspection.generation, End::Failed, now);
            self.announce(place, verdict, now);
        }
        Ok(())
    }

    /// A cell has missed a deadline. With one too many it is ended, and begins anew.
    fn missed(&mut self, place: usize, report: &FaultReport<'_>) {
        let Some(held) = self.held.get_mut(place) else { return };
        held.missed.1 = report.detail;
        let in_this_life = held.missed.1.saturating_sub(held.missed.0);
        if held.most_missed == 0 || in_this_life < held.most_missed {
            return;
        }
        // Until it has ended it may miss more.
        held.missed.0 = report.detail;
        log!("{} has missed {in_this_life} deadlines in one life: it begins anew", held.name);
        self.wish(place, Wish::Restart, report.at_ns);
    }

    fn ended(&mut self, place: usize, report: &FaultReport<'_>) {
        self.tell_keeper(place);
        if let Some(held) = self.held.get_mut(place) {
            held.missed.0 = held.missed.1;
        }
        let end = End::of(report.kind, report.detail);
        let verdict = self.roster.ended(place, report.generation, end, report.at_ns);
        self.announce(place, verdict, report.at_ns);
    }

    /// Tells who keeps things for a cell that it has ended. Whatever the next life asks of it comes behind that.
    fn tell_keeper(&self, place: usize) {
        let Some(Held { name, keeper: Some(keeper), .. }) = self.held.get(place) else { return };
        // Nobody waits for the answer.
        if let Err(error) = keeper.send(&[], &[], 0) {
            log!("who keeps things for {name} could not be told that it has ended: {error}");
        }
    }

    /// An operator wants something.
    fn asked(&mut self, message: &[u8]) {
        let Some((wish, number)) = Wish::parse(message) else {
            log!("{} bytes of an operator that are no wish", message.len());
            return;
        };
        let Some(place) = self.held.iter().position(|held| held.number == number) else {
            log!("cell {number} is nobody that I look after");
            return;
        };
        // Without a clock there is nothing to do: `settle` says so.
        let Ok(now) = process::now() else { return };
        self.wish(place, wish, now);
    }

    fn wish(&mut self, place: usize, wish: Wish, now: u64) {
        match self.roster.wished(place, wish, now) {
            Some(Asked::Kill) => {
                if let Some(Err(error)) = self.held.get(place).map(|held| held.cell.kill()) {
                    log!("the cell at place {place} could not be ended: {error}");
                }
            }
            Some(Asked::Now(verdict)) => self.announce(place, Some(verdict), now),
            None => {}
        }
    }

    /// Says what was decided, and tells who depends on a cell that stays down.
    fn announce(&self, place: usize, verdict: Option<Verdict>, at_ns: u64) {
        let Some(held) = self.held.get(place) else { return };
        match verdict {
            None | Some(Verdict::Over) => {}
            Some(Verdict::RestartAt(due_ns)) => {
                let pause = Duration::from_nanos(due_ns.saturating_sub(at_ns));
                log!("{} ended; it is restarted in {pause:?}", held.name);
            }
            Some(Verdict::GiveUp) => {
                log!(
                    "{} ended and stays down; those who use it and are told: {}",
                    held.name,
                    held.dependents.len()
                );
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
        while let Some(place) = self.roster.due(now) {
            let Some(held) = self.held.get(place) else { break };
            match held.cell.restart() {
                Ok(generation) => {
                    log!("{} runs again: life {generation}", held.name);
                    self.roster.restarted(place, generation, now);
                }
                Err(Error::Killed) => return Err(Error::Killed),
                Err(error) => {
                    log!("{} could not be restarted: {error}", held.name);
                    let verdict = self.roster.restart_failed(place, now);
                    self.announce(place, verdict, now);
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
