//! The client's side: finds running machines and asks them.

use std::io::{self, BufRead, BufReader, IoSlice, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::protocol::{Request, Response};
use crate::host::files::FileError;
use crate::host::line_socket::MAX_DESCRIPTORS;
use crate::host::process_id::ProcessId;
use crate::host::runtime_dir::RuntimeDir;

/// How long an answer may take. A machine answers within milliseconds; a stopped (SIGSTOP) one never does.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A machine of this user that runs now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningMachine {
    /// Pid of its parent process: the machine's name in commands.
    pub pid: i32,
    /// Its control socket.
    pub socket: PathBuf,
}

/// Why a machine could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// None runs.
    #[error(
        "no machine of yours is running; start one with `hallows run` (root's machines are only seen by root)"
    )]
    NoMachine,
    /// None with that pid runs.
    #[error("no machine with pid {wanted} is running; running: {running}")]
    NoSuchMachine {
        /// What was asked for.
        wanted: i32,
        /// What there is.
        running: String,
    },
    /// Several run.
    #[error("several machines are running ({running}); name one with --machine PID")]
    WhichMachine {
        /// Their pids.
        running: String,
    },
    /// The conversation failed.
    #[error("the machine with pid {pid} does not answer: {source}")]
    NoAnswer {
        /// Which.
        pid: i32,
        /// Why.
        source: io::Error,
    },
    /// The runtime directory could not be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The machines of this user that run now, oldest pid first. Sockets of machines that are gone are removed.
///
/// # Errors
/// When the directory cannot be read.
pub fn list(directory: &RuntimeDir) -> Result<Vec<RunningMachine>, ControlError> {
    let path = directory.path();
    let entries = std::fs::read_dir(path).map_err(|error| FileError::new("list", path, error))?;
    let mut machines: Vec<_> = entries.flatten().filter_map(|entry| running_machine(&entry.path())).collect();
    machines.sort_by_key(|machine| machine.pid);
    Ok(machines)
}

/// Pid of the parent that a control socket's name tells; `None` for other files.
pub(super) fn pid_of_socket(socket: &Path) -> Option<i32> {
    socket.file_name()?.to_str()?.strip_prefix("machine-")?.strip_suffix(".sock")?.parse().ok()
}

fn running_machine(socket: &Path) -> Option<RunningMachine> {
    let pid = pid_of_socket(socket)?;
    match UnixStream::connect(socket) {
        Ok(_) => Some(RunningMachine { pid, socket: socket.to_owned() }),
        // Nobody listens: its parent was killed before it could remove the file. Or it lives, and is about to listen.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && ProcessId::of(pid).is_none() => {
            let _ = std::fs::remove_file(socket);
            None
        }
        Err(_) => None,
    }
}

/// The machine with a pid; without one, the only machine.
///
/// # Errors
/// When there is none, or more than one.
pub fn choose(directory: &RuntimeDir, pid: Option<i32>) -> Result<RunningMachine, ControlError> {
    let machines = list(directory)?;
    let running = || machines.iter().map(|machine| machine.pid.to_string()).collect::<Vec<_>>().join(", ");
    match (pid, machines.as_slice()) {
        (_, []) => Err(ControlError::NoMachine),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(ControlError::WhichMachine { running: running() }),
        (Some(wanted), _) => {
            let machine = machines.iter().find(|machine| machine.pid == wanted);
            machine.cloned().ok_or_else(|| ControlError::NoSuchMachine { wanted, running: running() })
        }
    }
}

/// Asks a machine and waits for its answer, at most ten seconds.
///
/// # Errors
/// [`ControlError::NoAnswer`].
pub fn ask(machine: &RunningMachine, request: &Request) -> Result<Response, ControlError> {
    converse(machine, request, Some(ANSWER_TIMEOUT))
        .map_err(|source| ControlError::NoAnswer { pid: machine.pid, source })
}

/// Ends a machine and waits until it has ended and the host is restored.
///
/// # Errors
/// [`ControlError::NoAnswer`].
pub fn stop(machine: &RunningMachine, grace: Option<Duration>) -> Result<Response, ControlError> {
    let grace_ns = grace.map(|grace| u64::try_from(grace.as_nanos()).unwrap_or(u64::MAX));
    let parent = Pid::from_raw(machine.pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
    // No timeout: the parent keeps the grace period, and the socket closes when it ends in whatever way.
    let response = converse(machine, &Request::Stop { grace_ns }, None)
        .map_err(|source| ControlError::NoAnswer { pid: machine.pid, source })?;
    // Its cores are free for the next machine when its parent has ended, which has nothing more to do.
    if let (Some(parent), Ok(most)) = (parent, Timespec::try_from(ANSWER_TIMEOUT)) {
        let _ = poll(&mut [PollFd::new(&parent, PollFlags::IN)], Some(&most));
    }
    Ok(response)
}

fn converse(machine: &RunningMachine, request: &Request, timeout: Option<Duration>) -> io::Result<Response> {
    let mut connection = Connection {
        machine: machine.clone(),
        stream: BufReader::new(UnixStream::connect(&machine.socket)?),
    };
    connection.converse(request, &[], timeout)
}

/// A connection that is kept: for a monitor, which asks often, and which a machine knows by it.
#[derive(Debug)]
pub struct Connection {
    machine: RunningMachine,
    stream: BufReader<UnixStream>,
}

impl Connection {
    /// To a machine.
    ///
    /// # Errors
    /// [`ControlError::NoAnswer`].
    pub fn open(machine: &RunningMachine) -> Result<Self, ControlError> {
        let stream = UnixStream::connect(&machine.socket);
        let stream = stream.map_err(|source| ControlError::NoAnswer { pid: machine.pid, source })?;
        Ok(Self { machine: machine.clone(), stream: BufReader::new(stream) })
    }

    /// Asks and waits for the answer, at most ten seconds.
    ///
    /// # Errors
    /// [`ControlError::NoAnswer`]; the connection is of no use then.
    pub fn ask(&mut self, request: &Request) -> Result<Response, ControlError> {
        self.ask_for(request, &[], Some(ANSWER_TIMEOUT))
    }

    /// Asks, with open files if need be, and waits for the answer as long as that; for ever, without.
    ///
    /// # Errors
    /// As [`Connection::ask`].
    pub fn ask_for(
        &mut self,
        request: &Request,
        files: &[OwnedFd],
        timeout: Option<Duration>,
    ) -> Result<Response, ControlError> {
        self.converse(request, files, timeout)
            .map_err(|source| ControlError::NoAnswer { pid: self.machine.pid, source })
    }

    /// As [`Connection::ask_for`], and gives up as soon as `stop` can be read.
    ///
    /// # Errors
    /// As [`Connection::ask`]; when it was given up, the kind of its source is [`io::ErrorKind::Interrupted`].
    pub fn ask_unless(
        &mut self,
        request: &Request,
        files: &[OwnedFd],
        timeout: Option<Duration>,
        stop: BorrowedFd<'_>,
    ) -> Result<Response, ControlError> {
        let answer = self.send(request, files).and_then(|()| self.receive(timeout, Some(stop)));
        answer.map_err(|source| ControlError::NoAnswer { pid: self.machine.pid, source })
    }

    /// Asks, and leaves the answer to [`Connection::hear`]: the connection can be read when it is there, or when the machine has ended.
    ///
    /// # Errors
    /// As [`Connection::ask`].
    pub fn ask_later(&mut self, request: &Request) -> Result<(), ControlError> {
        self.send(request, &[]).map_err(|source| ControlError::NoAnswer { pid: self.machine.pid, source })
    }

    /// The answer to [`Connection::ask_later`].
    ///
    /// # Errors
    /// As [`Connection::ask`].
    pub fn hear(&mut self) -> Result<Response, ControlError> {
        self.receive(Some(ANSWER_TIMEOUT), None)
            .map_err(|source| ControlError::NoAnswer { pid: self.machine.pid, source })
    }

    /// The same, however long it takes.
    ///
    /// # Errors
    /// As [`Connection::ask`].
    pub fn await_answer(&mut self) -> Result<Response, ControlError> {
        self.receive(None, None).map_err(|source| ControlError::NoAnswer { pid: self.machine.pid, source })
    }

    fn converse(
        &mut self,
        request: &Request,
        files: &[OwnedFd],
        timeout: Option<Duration>,
    ) -> io::Result<Response> {
        self.send(request, files)?;
        self.receive(timeout, None)
    }

    fn send(&mut self, request: &Request, files: &[OwnedFd]) -> io::Result<()> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        let stream = self.stream.get_mut();
        let sent = if files.is_empty() { 0 } else { send_with(stream, &line, files)? };
        stream.write_all(line.get(sent..).unwrap_or_default())
    }

    fn receive(&mut self, timeout: Option<Duration>, stop: Option<BorrowedFd<'_>>) -> io::Result<Response> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut answer = Vec::new();
        loop {
            if self.stream.buffer().is_empty() {
                self.await_bytes(deadline, stop)?;
            }
            let part = self.stream.fill_buf()?;
            if part.is_empty() {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ended without an answer"));
            }
            let end = part.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(part.len(), |end| end + 1);
            answer.extend_from_slice(part.get(..taken).unwrap_or_default());
            self.stream.consume(taken);
            if end.is_some() {
                return Ok(serde_json::from_slice(&answer)?);
            }
        }
    }

    /// Waits until there is something to read.
    fn await_bytes(&self, deadline: Option<Instant>, stop: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let mut ends = vec![PollFd::new(self.stream.get_ref(), PollFlags::IN)];
        ends.extend(stop.map(|stop| PollFd::from_borrowed_fd(stop, PollFlags::IN)));
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut ends, left.as_ref()) {
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok(0) => return Err(io::Error::new(io::ErrorKind::TimedOut, "it takes too long")),
                // An answer that is there counts, whatever else is.
                Ok(_) if ends.first().is_some_and(|stream| !stream.revents().is_empty()) => return Ok(()),
                Ok(_) => return Err(io::Error::new(io::ErrorKind::Interrupted, "interrupted")),
            }
        }
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.get_ref().as_fd()
    }
}

/// Sends the beginning of a line, and open files with it; how many bytes went.
fn send_with(stream: &UnixStream, line: &[u8], files: &[OwnedFd]) -> io::Result<usize> {
    let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&files));
    Ok(sendmsg(stream, &[IoSlice::new(line)], &mut control, SendFlags::NOSIGNAL)?)
}
