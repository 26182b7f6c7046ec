//! A process that measures: listened to line by line, its core's counters read while it does, and ended whatever happens.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use hallows_bench::Core;
use hallows_bench::jitter::counters::{Change, Snapshot};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

use super::TurnError;
use super::stops::Stops;

/// What has not happened by then never does: a start takes tenths of a second, on a host that is busy for minutes some seconds.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// How long one who was interrupted by the terminal, as this process was, has to end before he is asked to.
const CONSIDERATION: Duration = Duration::from_millis(500);
/// The part of its time in which counters are read: the end belongs to what comes behind.
const COUNTED: f64 = 0.95;

/// A process that measures.
pub struct Measuring<'a> {
    child: Child,
    output: File,
    unread: Vec<u8>,
    /// What it said on standard error, for when it fails.
    errors: File,
    stops: &'a Stops,
    asks: Signal,
    /// How long it measures, as far as that is known.
    measures: Duration,
}

/// What one hears of it.
pub enum Heard {
    /// A line.
    Line(String),
    /// It has closed its output: it has ended, or is about to.
    End,
    /// The time has come.
    Time,
}

impl<'a> Measuring<'a> {
    /// Starts it. `asks`: the signal by which it can be asked to end.
    pub fn start(command: &mut Command, stops: &'a Stops, asks: Signal) -> Result<Self, TurnError> {
        let mut begin = || -> io::Result<(Child, File, File)> {
            let (output, said) = io::pipe()?;
            let errors = tempfile::tempfile()?;
            let child = command.stdout(said).stderr(Stdio::from(errors.try_clone()?)).spawn()?;
            Ok((child, File::from(OwnedFd::from(output)), errors))
        };
        let begun = begin();
        // The command keeps the pipe's other end open, and nobody would see it closed.
        command.stdout(Stdio::null());
        let (child, output, errors) = begun.map_err(|error| {
            TurnError::Wrong(format!("cannot start {}: {error}", command.get_program().display()))
        })?;
        Ok(Self { child, output, unread: Vec::new(), errors, stops, asks, measures: Duration::ZERO })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its standard input, once.
    pub fn input(&mut self) -> Option<std::process::ChildStdin> {
        self.child.stdin.take()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits a moment, unless a signal wants an end.
    pub fn pause(&self) -> Result<(), TurnError> {
        self.wait_for(None, Some(Instant::now() + Duration::from_millis(2))).map(|_| ())
    }

    /// The next that is heard.
    pub fn hear(&mut self, until: Instant) -> Result<Heard, TurnError> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return Ok(Heard::Line(String::from_utf8_lossy(&line).trim_end().to_owned()));
            }
            if !self.wait_for(Some(&self.output), Some(until))? {
                return Ok(Heard::Time);
            }
            let mut buffer = [0; 4096];
            match self.output.read(&mut buffer) {
                Ok(0) => return Ok(Heard::End),
                Ok(read) => self.unread.extend(&buffer[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(TurnError::wrong(error)),
            }
        }
    }

    /// Whether something can be read before it is time.
    fn wait_for(&self, output: Option<&File>, until: Option<Instant>) -> Result<bool, TurnError> {
        loop {
            if let Some(signal) = self.stops.come() {
                return Err(TurnError::Stopped(signal));
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            let mut sources = vec![PollFd::new(self.stops, PollFlags::IN)];
            sources.extend(output.map(|output| PollFd::new(output, PollFlags::IN)));
            match poll(&mut sources, left.as_ref()) {
                Ok(0) => return Ok(false),
                Ok(_) if sources.get(1).is_some_and(|source| !source.revents().is_empty()) => {
                    return Ok(true);
                }
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(TurnError::wrong(io::Error::from(error))),
            }
        }
    }

    /// Reads the counters of a core and of a process now and when so much time has nearly passed, and hands on what is heard meanwhile.
    pub fn count(
        &mut self,
        core: Core,
        process: u32,
        measures: Duration,
        hear: &mut dyn FnMut(&str),
    ) -> Result<Change, TurnError> {
        self.measures = measures;
        let before = Snapshot::take(core, process);
        let until = Instant::now() + measures.mul_f64(COUNTED);
        loop {
            match self.hear(until)? {
                Heard::Line(line) => hear(&line),
                // Who is done earlier has not been counted in a wrong way, only for less long.
                Heard::Time | Heard::End => return Ok(before.until(&Snapshot::take(core, process))),
            }
        }
    }

    /// Hears it out, and waits for its end, which must be a good one.
    pub fn finish(mut self, hear: &mut dyn FnMut(&str)) -> Result<(), TurnError> {
        // cyclictest goes on until it has all its wake-ups, however many periods it has left out.
        let until = Instant::now() + PATIENCE + self.measures;
        loop {
            match self.hear(until)? {
                Heard::Line(line) => hear(&line),
                Heard::End => break,
                Heard::Time => return Err(TurnError::wrong("it does not end")),
            }
        }
        let status = self.child.wait().map_err(TurnError::wrong)?;
        if status.success() { Ok(()) } else { Err(self.failed(status)) }
    }

    /// It has ended before its time: why.
    pub fn ended(mut self) -> TurnError {
        match self.child.wait() {
            Ok(status) => self.failed(status),
            Err(error) => TurnError::wrong(error),
        }
    }

    fn failed(&mut self, status: ExitStatus) -> TurnError {
        if let Some(signal) = self.stops.come() {
            return TurnError::Stopped(signal);
        }
        let mut said = String::new();
        let read = io::Seek::rewind(&mut self.errors).and_then(|()| self.errors.read_to_string(&mut said));
        let said =
            if read.is_ok() { said.split_whitespace().collect::<Vec<_>>().join(" ") } else { String::new() };
        TurnError::Wrong(format!("it ended with {status}: {said}"))
    }
}

impl Drop for Measuring<'_> {
    fn drop(&mut self) {
        let begin = Instant::now();
        while !self.has_ended() {
            // A machine takes a second signal for impatience; Ctrl-C has reached it as well.
            if self.stops.come().is_none() || begin.elapsed() > CONSIDERATION {
                if let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
                    let _ = kill_process(pid, self.asks);
                }
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
