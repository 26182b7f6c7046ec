//! The parent's loop: waits for signals, the machine, the console and clients at once, and does what each asks for.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::asked::Asked;
use super::claimer::Claimer;
use super::console::Console;
use super::end::{Crashes, Ended, MachineEnd};
use super::error::SuperviseError;
use super::monitors::Monitors;
use super::signals::{Signals, Stops, Wish};
use super::spawn::{Machine, spawn};
use super::terminal::Terminal;
use super::{Event, Launch};
use crate::host::control::protocol::{PROTOCOL, Request, Response};
use crate::host::control::server::{ConnectionId, ControlServer};
use crate::host::line_socket::{Filled, LineError};
use crate::host::link::{Envelope, FromMachine, ToMachine, WireWord};
use crate::host::tier::TierReport;
use crate::host::wire::{Meeting, News, Part};

/// A place in the loop that something can happen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Signals,
    MachineEnded,
    Leash,
    Link,
    Console,
    Input,
    Output,
    Claimer,
    Control(Option<ConnectionId>),
    Wire(usize, Part),
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
    let signals = Signals::take(launch.stops())
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
        asked: Asked::default(),
        stoppers: Vec::new(),
        monitors: Monitors::default(),
        link_is_open: true,
        news: BTreeMap::new(),
        began: false,
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
    asked: Asked,
    /// Clients that wait for the machine's end.
    stoppers: Vec<ConnectionId>,
    monitors: Monitors,
    link_is_open: bool,
    /// What became of wires and was not said to the machine, the latest of each by the interface's number: one that hears nothing is told no more when it does.
    news: BTreeMap<usize, News>,
    /// The machine has booted.
    began: bool,
    /// The signal that asked for an end, first.
    stopped_by: Option<i32>,
}

impl Supervisor {
    fn run(mut self, on_event: &mut dyn FnMut(Event<'_>)) -> Result<Ended, SuperviseError> {
        self.launch.wires.iter_mut().for_each(Meeting::begin);
        self.tell_size();
        let end = loop {
            for (source, events) in self.wait()? {
                self.serve(source, events, on_event);
            }
            self.serve_monitors();
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
        if let Some(leash) = &self.launch.leash {
            sources.push((Source::Leash, PollFd::new(leash, PollFlags::IN)));
        }
        if self.link_is_open {
            let mut interest = PollFlags::IN;
            interest.set(PollFlags::OUT, self.machine.link.has_output());
            sources.push((Source::Link, PollFd::new(&self.machine.link, interest)));
        }
        let interest = self.console.machine_interest();
        if !interest.is_empty() {
            sources.push((Source::Console, PollFd::new(&self.machine.console, interest)));
        }
        let stdin = io::stdin();
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
        for (number, wire) in self.launch.wires.iter().enumerate() {
            sources.extend(wire.interests().map(|(part, descriptor, interest)| {
                (Source::Wire(number, part), PollFd::from_borrowed_fd(descriptor, interest))
            }));
        }
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
            Source::Leash => self.feel_leash(),
            Source::Link => {
                self.serve_link();
            }
            Source::Console => {
                self.console.write_machine(self.machine.console.as_fd());
                self.console.read_machine(self.machine.console.as_fd());
            }
            Source::Input => {
                // As Linux stops a process that reads its terminal in the background; being continued, it looks again.
                if self.console.read_input(self.machine.console.as_fd()) {
                    self.suspend(libc::SIGTTIN);
                }
            }
            Source::Output => self.console.write_output(),
            Source::Claimer => self.hear_claimer(on_event),
            Source::Control(None) => self.control.accept(),
            Source::Control(Some(id)) => {
                let request = self.control.serve(id, events);
                self.handle_requests(id, request);
            }
            Source::Wire(number, part) => self.serve_wire(number, part),
        }
    }

    fn serve_wire(&mut self, number: usize, part: Part) {
        let Some(wire) = self.launch.wires.get_mut(number) else { return };
        if let Some(news) = wire.serve(part) {
            self.news.insert(wire.interface(), news);
            self.tell_news();
        }
    }

    /// Tells of wires, when the machine has taken what was said to it before.
    fn tell_news(&mut self) {
        while self.link_is_open
            && !self.machine.link.has_output()
            && let Some((interface, news)) = self.news.pop_first()
        {
            let (what, files) = match news {
                News::Met { memory, ringer } => (WireWord::Met, vec![memory, ringer]),
                News::Parted => (WireWord::Parted, Vec::new()),
                News::Unfit { why } => (WireWord::Unfit { why }, Vec::new()),
            };
            self.tell_with(&ToMachine::Wire { interface, what }, files);
        }
    }

    fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Stop { signal } if self.stopping == Stopping::No => {
                self.stopped_by = Some(signal);
                self.ask_to_stop(self.launch.grace);
            }
            Wish::Stop { .. } => self.kill(),
            Wish::Kill { signal } => {
                self.stopped_by.get_or_insert(signal);
                self.kill();
            }
            Wish::Suspend => self.suspend(libc::SIGTSTP),
            Wish::Resized => self.tell_size(),
            Wish::Continued => {
                self.console.resume_input();
                if let Some(terminal) = &self.terminal {
                    terminal.apply();
                }
            }
        }
    }

    /// Stops with the machine, until somebody continues this process.
    fn suspend(&mut self, signal: i32) {
        if self.launch.stops() != Stops::AsAJob || self.stopping != Stopping::No {
            return;
        }
        self.machine.stop();
        self.signals.suspend(signal);
        self.machine.go_on();
    }

    /// Who started this machine has left it to itself, or has gone without a word.
    fn feel_leash(&mut self) {
        let Some(leash) = self.launch.leash.take() else { return };
        let has_word = matches!(rustix::io::read(&leash, &mut [0; 1]), Ok(1));
        if !has_word && self.stopping == Stopping::No {
            self.ask_to_stop(self.launch.grace);
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
        self.tell_with(message, Vec::new());
    }

    fn tell_with(&mut self, message: &ToMachine, files: Vec<OwnedFd>) {
        let envelope = Envelope { descriptors: files.len(), message };
        if self.machine.link.queue(&envelope, files).and_then(|()| self.flush_link()).is_err() {
            // It has ended or is about to; its pidfd says so.
            self.link_is_open = false;
        }
    }

    /// Sends what the machine takes. A message whose descriptors Linux does not carry, as it may be with those of others, is answered here.
    ///
    /// # Errors
    /// The socket's: there is nobody at the other end.
    fn flush_link(&mut self) -> io::Result<()> {
        use io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected};
        loop {
            let Err(error) = self.machine.link.flush() else { return Ok(()) };
            if matches!(error.kind(), BrokenPipe | ConnectionReset | NotConnected) {
                return Err(error);
            }
            let Some(refused) = self.machine.link.take_back::<Envelope<ToMachine>>()? else {
                return Err(error);
            };
            match refused.message {
                ToMachine::Request { id, .. } => {
                    if let Some(connection) = self.asked.answered(id) {
                        let error = format!("Linux does not pass the files on to the machine: {error}");
                        self.reply(connection, &Response::Failed { error });
                    }
                }
                ToMachine::Wire { interface, .. } => {
                    let why = format!("Linux does not pass on what it gave: {error}");
                    let what = WireWord::Unfit { why };
                    let message = Envelope { descriptors: 0, message: ToMachine::Wire { interface, what } };
                    self.machine.link.queue(&message, Vec::new())?;
                }
                ToMachine::Tier(_) | ToMachine::Stop { .. } | ToMachine::WindowSize { .. } => {}
            }
        }
    }

    fn serve_link(&mut self) -> Filled {
        let filled = self.flush_link().and_then(|()| self.machine.link.fill());
        let filled = filled.unwrap_or(Filled::Closed);
        self.link_is_open &= filled != Filled::Closed;
        self.tell_news();
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
            FromMachine::Begun => self.began = true,
            FromMachine::Step(step) => self.claimer.record(step),
            FromMachine::Reply { id, response } => {
                if let Some(connection) = self.asked.answered(id) {
                    self.reply(connection, &response);
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
                    let response = Response::Tier { report: self.tier.clone(), began: self.began };
                    request = self.control.answer(connection, &response);
                }
                Request::Stop { grace_ns } => {
                    self.stoppers.push(connection);
                    let grace = grace_ns.map_or(self.launch.grace, Duration::from_nanos);
                    if self.stopping == Stopping::No {
                        self.ask_to_stop(grace);
                    }
                }
                Request::Version => {
                    let hallows = env!("CARGO_PKG_VERSION").to_owned();
                    let response =
                        Response::Version { protocol: PROTOCOL, hallows, seal: self.launch.seal.clone() };
                    request = self.control.answer(connection, &response);
                }
                Request::Log { after, waits } => match self.console.log().read(after) {
                    None if waits => self.monitors.listen(connection, after),
                    found => {
                        let response = found.unwrap_or_else(|| self.console.log().read_now(after));
                        request = self.control.answer(connection, &response);
                    }
                },
                Request::Attach { owns } => {
                    let monitor = self.monitors.attach(connection, owns);
                    request = self.control.answer(connection, &Response::Attached { monitor });
                }
                Request::AwaitDetach => {
                    if !self.monitors.await_detach(connection) {
                        let error = "this connection is no monitor's: attach first".to_owned();
                        request = self.control.answer(connection, &Response::Failed { error });
                    }
                }
                Request::Detach { monitor } => {
                    let (monitors, told) = self.monitors.detach(monitor);
                    for other in told {
                        self.reply(other, &Response::Detached { monitors: 1 });
                    }
                    request = self.control.answer(connection, &Response::Detached { monitors });
                }
                asked => {
                    let files = match asked.files() {
                        0 => Vec::new(),
                        count => self.control.take_files(connection, count),
                    };
                    match self.asked.admit(connection, &asked, self.machine.link.output_bytes()) {
                        Ok(id) => self.tell_with(&ToMachine::Request { id, request: asked }, files),
                        Err(error) => {
                            request = self.control.answer(connection, &Response::Failed { error });
                        }
                    }
                }
            }
        }
    }

    /// Answers a connection, and goes on with what it asks next.
    fn reply(&mut self, connection: ConnectionId, response: &Response) {
        let next = self.control.answer(connection, response);
        self.handle_requests(connection, next);
    }

    /// Gives monitors what is new in the log, and ends the machine if its owner has gone without leaving it to itself.
    fn serve_monitors(&mut self) {
        let log = self.console.log();
        for (connection, after) in self.monitors.take_listeners(|after| log.read(after).is_some()) {
            let response = self.console.log().read_now(after);
            self.reply(connection, &response);
        }
        let owner_is_gone = self.monitors.forget(|connection| !self.control.is_connected(connection));
        if owner_is_gone && self.stopping == Stopping::No {
            self.ask_to_stop(self.launch.grace);
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
        for connection in self.asked.take_all() {
            self.control.answer(connection, &response);
        }
        self.serve_monitors();
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
        self.news.clear();
        self.launch.wires.iter_mut().for_each(Meeting::begin);
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
        let Self { began, stopped_by, .. } = self;
        Ended { end, began, stopped_by, restarts: self.crashes.restarts, restored }
    }
}
