//! The parent's loop: waits for signals, the machine, the console and clients at once, and does what each asks for.

use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::claimer::Claimer;
use super::console::Console;
use super::end::{Crashes, Ended, MachineEnd};
use super::error::SuperviseError;
use super::signals::{Signals, Wish};
use super::spawn::{Machine, spawn};
use super::terminal::Terminal;
use super::{Event, Launch};
use crate::host::control::protocol::{Request, Response};
use crate::host::control::server::{ConnectionId, ControlServer};
use crate::host::line_socket::{Filled, LineError};
use crate::host::link::{Envelope, FromMachine, ToMachine};
use crate::host::tier::TierReport;

/// A place in the loop that something can happen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Signals,
    MachineEnded,
    Link,
    Console,
    Input,
    Output,
    Claimer,
    Control(Option<ConnectionId>),
}

/// How far the machine is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopping {
    /// Nobody wants it to end.
    No,
    /// It was asked to, and will be killed at the deadline.
    Asked { deadline: Instant },
    /// It was killed.
    Killed,
}

/// Runs a machine until it has ended for good and the host is given back.
pub(super) fn run(launch: Launch, on_event: &mut dyn FnMut(Event<'_>)) -> Result<Ended, SuperviseError> {
    let signals = Signals::take()
        .map_err(|source| SuperviseError::System { what: "take over the process's signals", source })?;
    let control = ControlServer::bind(&launch.directory, rustix::process::getpid().as_raw_nonzero().get())?;
    let machine = spawn(&launch.config, &launch.attachments)?;
    let claimer = Claimer::start(&launch)
        .map_err(|source| SuperviseError::System { what: "start a thread", source })?;
    let supervisor = Supervisor {
        crashes: Crashes::new(launch.restart),
        console: Console::new(launch.streams),
        launch,
        signals,
        control,
        machine,
        claimer,
        terminal: Terminal::find(),
        stopping: Stopping::No,
        tier: None,
        asked: BTreeMap::new(),
        stoppers: Vec::new(),
        next_request: 0,
        link_is_open: true,
        stopped_by: None,
    };
    supervisor.run(on_event)
}

struct Supervisor {
    launch: Launch,
    signals: Signals,
    control: ControlServer,
    machine: Machine,
    claimer: Claimer,
    console: Console,
    terminal: Option<Terminal>,
    stopping: Stopping,
    crashes: Crashes,
    tier: Option<TierReport>,
    /// Requests that the machine has not answered yet.
    asked: BTreeMap<u64, ConnectionId>,
    /// Clients that wait for the machine's end.
    stoppers: Vec<ConnectionId>,
    next_request: u64,
    link_is_open: bool,
    /// The signal that asked for a clean end.
    stopped_by: Option<i32>,
}

impl Supervisor {
    fn run(mut self, on_event: &mut dyn FnMut(Event<'_>)) -> Result<Ended, SuperviseError> {
        self.tell_size();
        let end = loop {
            for (source, events) in self.wait()? {
                self.serve(source, events, on_event);
            }
            self.enforce_deadline();
            // Looked at last: what the machine said before it ended has been heard by then.
            if self.machine_has_ended() {
                let end = self.finish_machine();
                if self.stopping != Stopping::No || !self.crashes.restarts_after(end, Instant::now()) {
                    break end;
                }
                on_event(Event::Restarting { end });
                self.restart()?;
            }
        };
        Ok(self.finish(end, on_event))
    }

    /// Waits until something happens, and says where.
    fn wait(&self) -> Result<Vec<(Source, PollFlags)>, SuperviseError> {
        let mut sources: Vec<(Source, PollFd<'_>)> = vec![
            (Source::Signals, PollFd::new(&self.signals, PollFlags::IN)),
            (Source::MachineEnded, PollFd::new(&self.machine.pidfd, PollFlags::IN)),
            (Source::Claimer, PollFd::new(&self.claimer, PollFlags::IN)),
        ];
        if self.link_is_open {
            let mut interest = PollFlags::IN;
            interest.set(PollFlags::OUT, self.machine.link.has_output());
            sources.push((Source::Link, PollFd::new(&self.machine.link, interest)));
        }
        let interest = self.console.machine_interest();
        if !interest.is_empty() {
            sources.push((Source::Console, PollFd::new(&self.machine.console, interest)));
        }
        let stdin = std::io::stdin();
        if self.console.wants_input() {
            sources.push((Source::Input, PollFd::new(&stdin, PollFlags::IN)));
        }
        if let Some(output) = self.console.wants_output() {
            sources.push((Source::Output, PollFd::from_borrowed_fd(output, PollFlags::OUT)));
        }
        let control = self.control.interests();
        sources.extend(control.map(|(id, descriptor, interest)| {
            (Source::Control(id), PollFd::from_borrowed_fd(descriptor.as_fd(), interest))
        }));
        let timeout = self.time_left();
        let (names, mut descriptors): (Vec<_>, Vec<_>) = sources.into_iter().unzip();
        match poll(&mut descriptors, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(SuperviseError::system("wait for events")(error)),
        }
        let events = descriptors.iter().map(PollFd::revents);
        Ok(names.into_iter().zip(events).filter(|(_, events)| !events.is_empty()).collect())
    }

    fn time_left(&self) -> Option<Timespec> {
        let Stopping::Asked { deadline } = self.stopping else { return None };
        let left = deadline.saturating_duration_since(Instant::now());
        let seconds = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
        Some(Timespec { tv_sec: seconds, tv_nsec: i64::from(left.subsec_nanos()) })
    }

    fn serve(&mut self, source: Source, events: PollFlags, on_event: &mut dyn FnMut(Event<'_>)) {
        match source {
            Source::Signals => {
                while let Some(wish) = self.signals.next() {
                    self.grant(wish);
                }
            }
            Source::MachineEnded => {}
            Source::Link => {
                self.serve_link();
            }
            Source::Console => {
                self.console.write_machine(self.machine.console.as_fd());
                self.console.read_machine(self.machine.console.as_fd());
            }
            Source::Input => self.console.read_input(self.machine.console.as_fd()),
            Source::Output => self.console.write_output(),
            Source::Claimer => self.hear_claimer(on_event),
            Source::Control(None) => self.control.accept(),
            Source::Control(Some(id)) => {
                let request = self.control.serve(id, events);
                self.handle_requests(id, request);
            }
        }
    }

    fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Stop { signal } if self.stopping == Stopping::No => {
                self.stopped_by = Some(signal);
                self.ask_to_stop(self.launch.grace);
            }
            Wish::Stop { .. } | Wish::Kill => self.kill(),
            Wish::Resized => self.tell_size(),
            Wish::Continued => {
                self.console.resume_input();
                if let Some(terminal) = &self.terminal {
                    terminal.apply();
                }
            }
        }
    }

    fn ask_to_stop(&mut self, grace: Duration) {
        let grace_ns = u64::try_from(grace.as_nanos()).unwrap_or(u64::MAX);
        self.tell(&ToMachine::Stop { grace_ns });
        let now = Instant::now();
        self.stopping = Stopping::Asked { deadline: now.checked_add(grace).unwrap_or(now) };
    }

    fn kill(&mut self) {
        self.machine.kill();
        self.stopping = Stopping::Killed;
    }

    fn enforce_deadline(&mut self) {
        if let Stopping::Asked { deadline } = self.stopping
            && Instant::now() >= deadline
        {
            self.kill();
        }
    }

    fn tell_size(&mut self) {
        if let Some((columns, rows)) = self.terminal.as_ref().and_then(Terminal::size) {
            self.tell(&ToMachine::WindowSize { columns, rows });
        }
    }

    fn tell(&mut self, message: &ToMachine) {
        let envelope = Envelope { descriptors: 0, message };
        if self.machine.link.queue(&envelope, Vec::new()).and_then(|()| self.machine.link.flush()).is_err() {
            // It has ended or is about to; its pidfd says so.
            self.link_is_open = false;
        }
    }

    fn serve_link(&mut self) -> Filled {
        let filled = self.machine.link.flush().and_then(|()| self.machine.link.fill());
        let filled = filled.unwrap_or(Filled::Closed);
        self.link_is_open &= filled != Filled::Closed;
        loop {
            match self.machine.link.next::<Envelope<FromMachine>>() {
                Ok(Some(envelope)) => self.hear_machine(envelope.message),
                Ok(None) => return filled,
                // The machine is not trusted to talk sense.
                Err(LineError::Malformed(_)) => {}
                Err(LineError::TooLong { .. }) => {
                    self.link_is_open = false;
                    return Filled::Closed;
                }
            }
        }
    }

    fn hear_machine(&mut self, message: FromMachine) {
        match message {
            FromMachine::Threads { threads } => self.claimer.place(self.machine.pid(), threads),
            FromMachine::Step(step) => self.claimer.record(step),
            FromMachine::Reply { id, response } => {
                if let Some(connection) = self.asked.remove(&id) {
                    let next = self.control.answer(connection, &response);
                    self.handle_requests(connection, next);
                }
            }
            FromMachine::Terminal { mode } => {
                if let Some(terminal) = &mut self.terminal {
                    terminal.set_mode(mode);
                }
            }
        }
    }

    fn hear_claimer(&mut self, on_event: &mut dyn FnMut(Event<'_>)) {
        while let Some(report) = self.claimer.next() {
            self.tell(&ToMachine::Tier(report.clone()));
            on_event(Event::Tier(&report));
            self.tier = Some(report);
        }
    }

    /// Handles a client's request, and those that it has sent behind it, as far as they are answered here.
    fn handle_requests(&mut self, connection: ConnectionId, request: Option<Request>) {
        let mut request = request;
        while let Some(asked) = request.take() {
            match asked {
                Request::Tier => {
                    let response = Response::Tier { report: self.tier.clone() };
                    request = self.control.answer(connection, &response);
                }
                Request::Stop { grace_ns } => {
                    self.stoppers.push(connection);
                    let grace = grace_ns.map_or(self.launch.grace, Duration::from_nanos);
                    if self.stopping == Stopping::No {
                        self.ask_to_stop(grace);
                    }
                }
                asked => {
                    let id = self.next_request;
                    self.next_request += 1;
                    self.asked.insert(id, connection);
                    self.tell(&ToMachine::Request { id, request: asked });
                }
            }
        }
    }

    fn machine_has_ended(&self) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        matches!(poll(&mut [PollFd::new(&self.machine.pidfd, PollFlags::IN)], Some(&now)), Ok(1..))
    }

    /// Hears out a machine that has ended.
    fn finish_machine(&mut self) -> MachineEnd {
        while self.serve_link() == Filled::Some {}
        self.console.finish(self.machine.console.as_fd());
        let response = Response::Failed { error: "the machine ended before it could answer".to_owned() };
        for connection in std::mem::take(&mut self.asked).into_values() {
            self.control.answer(connection, &response);
        }
        self.machine.wait()
    }

    fn restart(&mut self) -> Result<(), SuperviseError> {
        self.machine = spawn(&self.launch.config, &self.launch.attachments)?;
        self.link_is_open = true;
        self.claimer.adopt(self.machine.pid());
        self.console.change_machine(self.machine.console.as_fd());
        if let Some(terminal) = &mut self.terminal {
            terminal.set_mode(crate::host::link::TerminalMode::Cooked);
        }
        self.tell_size();
        if let Some(report) = self.tier.clone() {
            self.tell(&ToMachine::Tier(report));
        }
        Ok(())
    }

    fn finish(mut self, end: MachineEnd, on_event: &mut dyn FnMut(Event<'_>)) -> Ended {
        let restored = self.claimer.release();
        on_event(Event::Released(&restored));
        for connection in self.stoppers {
            self.control.answer(connection, &Response::Done);
        }
        Ended { end, stopped_by: self.stopped_by, restarts: self.crashes.restarts, restored }
    }
}
