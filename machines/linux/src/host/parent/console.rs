//! Carries bytes between the user's standard streams and the machine's console, without ever blocking.
//!
//! The machine does not get the terminal itself: it could not use it without blocking unless it changed flags that the
//! user's shell shares.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, fstat};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};

use super::Streams;
use super::log::Log;

/// Bytes carried at a time.
const CHUNK_BYTES: usize = 64 << 10;
/// Bytes that a pipe takes without blocking when it is ready to be written to (POSIX's PIPE_BUF on Linux).
const SAFE_WRITE_BYTES: usize = 4096;
/// How long the last output may take at the end: a paused terminal must not keep the host's cores.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Both directions.
#[derive(Debug)]
pub(super) struct Console {
    input: Input,
    /// Read from standard input, not yet taken by the machine.
    to_machine: Vec<u8>,
    output: Output,
    /// Written by the machine, not yet taken by standard output.
    to_user: Vec<u8>,
    /// The machine has closed its console.
    machine_is_silent: bool,
    /// What the machine has said.
    log: Log,
}

/// Standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input {
    /// There may be more.
    Open,
    /// It belongs to another foreground process at the moment.
    Suspended,
    /// There is no more.
    Ended,
    /// The machine reads it.
    NotOurs,
}

/// What a look at the machine's console found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Something,
    Nothing,
}

/// Standard output or error, in a way that writing cannot block.
#[derive(Debug)]
enum Output {
    /// An open file of our own for the same pipe or terminal: non-blocking without changing the shell's.
    Own(OwnedFd),
    /// A socket: each call says that it must not block.
    Socket(OwnedFd),
    /// A file, or something that could not be opened again: written in pieces that fit.
    Shared(OwnedFd),
    /// Gone.
    Closed,
}

impl Console {
    pub(super) fn new(streams: Streams) -> Self {
        let carries_input = match streams {
            Streams::Console => true,
            Streams::Program { carries_input } | Streams::System { carries_input } => carries_input,
        };
        Self {
            input: if carries_input { Input::Open } else { Input::NotOurs },
            to_machine: Vec::new(),
            output: match streams {
                Streams::Console | Streams::System { .. } => Output::open(&io::stdout(), c"/proc/self/fd/1"),
                Streams::Program { .. } => Output::open(&io::stderr(), c"/proc/self/fd/2"),
            },
            to_user: Vec::new(),
            machine_is_silent: false,
            log: Log::default(),
        }
    }

    /// What the machine has said.
    pub(super) const fn log(&self) -> &Log {
        &self.log
    }

    /// Another machine process takes the place of one that crashed.
    pub(super) fn change_machine(&mut self, machine: BorrowedFd<'_>) {
        self.machine_is_silent = false;
        self.write_machine(machine);
    }

    /// Whether standard input is to be read: there may be more of it, and room for it.
    pub(super) fn wants_input(&self) -> bool {
        self.input == Input::Open && self.to_machine.is_empty()
    }

    /// Standard output, while something waits for it.
    pub(super) fn wants_output(&self) -> Option<BorrowedFd<'_>> {
        if self.to_user.is_empty() { None } else { self.output.descriptor() }
    }

    /// What to wait for on the machine's console.
    pub(super) fn machine_interest(&self) -> PollFlags {
        let mut interest = PollFlags::empty();
        interest.set(PollFlags::IN, self.to_user.is_empty() && !self.machine_is_silent);
        interest.set(PollFlags::OUT, !self.to_machine.is_empty());
        interest
    }

    /// Reads standard input and passes it on. Whether it belongs to another process that is in the foreground.
    pub(super) fn read_input(&mut self, machine: BorrowedFd<'_>) -> bool {
        let mut buffer = vec![0; CHUNK_BYTES];
        match rustix::io::read(io::stdin(), &mut buffer) {
            Ok(0) => self.end_input(machine),
            Ok(bytes) => {
                self.to_machine.extend_from_slice(&buffer[..bytes]);
                self.write_machine(machine);
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            // In the background, until the process is continued in the foreground.
            Err(Errno::IO) => self.input = Input::Suspended,
            Err(_) => self.end_input(machine),
        }
        self.input == Input::Suspended
    }

    /// The process is in the foreground again: input may be readable.
    pub(super) fn resume_input(&mut self) {
        if self.input == Input::Suspended {
            self.input = Input::Open;
        }
    }

    /// Passes on what the machine has not taken yet.
    pub(super) fn write_machine(&mut self, machine: BorrowedFd<'_>) {
        while !self.to_machine.is_empty() {
            match send(machine, &self.to_machine, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(bytes) => drop(self.to_machine.drain(..bytes)),
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                Err(_) => self.to_machine.clear(),
            }
        }
        self.finish_input(machine);
    }

    fn end_input(&mut self, machine: BorrowedFd<'_>) {
        self.input = Input::Ended;
        self.finish_input(machine);
    }

    fn finish_input(&self, machine: BorrowedFd<'_>) {
        if self.input == Input::Ended && self.to_machine.is_empty() {
            // Refused when the machine is gone.
            let _ = shutdown(machine, Shutdown::Write);
        }
    }

    /// Reads the machine's output and passes it on.
    pub(super) fn read_machine(&mut self, machine: BorrowedFd<'_>) {
        self.listen(machine);
    }

    fn listen(&mut self, machine: BorrowedFd<'_>) -> Said {
        let mut buffer = vec![0; CHUNK_BYTES];
        match recv(machine, &mut buffer[..], RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN | Errno::INTR) => Said::Nothing,
            Ok((0, _)) | Err(_) => {
                self.machine_is_silent = true;
                Said::Nothing
            }
            Ok((bytes, _)) => {
                self.log.add(&buffer[..bytes]);
                self.to_user.extend_from_slice(&buffer[..bytes]);
                self.write_output();
                Said::Something
            }
        }
    }

    /// Passes on what standard output has not taken yet.
    pub(super) fn write_output(&mut self) {
        while !self.to_user.is_empty() {
            match self.output.write(&self.to_user) {
                Ok(bytes) => drop(self.to_user.drain(..bytes)),
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                Err(_) => {
                    self.output = Output::Closed;
                    self.to_user.clear();
                }
            }
            if matches!(self.output, Output::Shared(_)) {
                // Only a fresh look says whether the next piece fits.
                return;
            }
        }
    }

    /// The machine has ended: takes all its last words and writes them, within a second.
    pub(super) fn finish(&mut self, machine: BorrowedFd<'_>) {
        let deadline = Instant::now() + LAST_WORDS;
        loop {
            if self.to_user.is_empty() && self.listen(machine) == Said::Nothing {
                return;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let Some(output) = self.wants_output() else { continue };
            let timeout =
                Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() };
            let ready = poll(&mut [PollFd::from_borrowed_fd(output, PollFlags::OUT)], Some(&timeout));
            if !matches!(ready, Ok(1..)) {
                return;
            }
            self.write_output();
        }
    }
}

impl Output {
    /// Of a standard stream, which has this name in `/proc`.
    fn open(stream: &impl AsFd, name: &CStr) -> Self {
        let Ok(shared) = stream.as_fd().try_clone_to_owned() else { return Self::Closed };
        let kind = fstat(&shared).map(|status| FileType::from_raw_mode(status.st_mode));
        match kind {
            Ok(FileType::Socket) => Self::Socket(shared),
            Ok(FileType::Fifo | FileType::CharacterDevice) => {
                let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
                // Refused for a terminal of another user (after `su`), for example.
                match rustix::fs::open(name, flags, Mode::empty()) {
                    Ok(own) => Self::Own(own),
                    Err(_) => Self::Shared(shared),
                }
            }
            Ok(_) => Self::Shared(shared),
            Err(_) => Self::Closed,
        }
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Own(own) => Some(own.as_fd()),
            Self::Socket(stdout) | Self::Shared(stdout) => Some(stdout.as_fd()),
            Self::Closed => None,
        }
    }

    fn write(&self, bytes: &[u8]) -> Result<usize, Errno> {
        match self {
            Self::Own(own) => rustix::io::write(own, bytes),
            Self::Socket(stdout) => send(stdout, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
            Self::Shared(stdout) => rustix::io::write(stdout, &bytes[..bytes.len().min(SAFE_WRITE_BYTES)]),
            Self::Closed => Ok(bytes.len()),
        }
    }
}
