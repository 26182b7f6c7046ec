//! The client's side: finds running machines and asks them.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::protocol::{Request, Response};
use crate::host::files::FileError;
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
        // Nobody listens: its parent was killed before it could remove the file.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
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
    // No timeout: the parent keeps the grace period, and the socket closes when it ends in whatever way.
    converse(machine, &Request::Stop { grace_ns }, None)
        .map_err(|source| ControlError::NoAnswer { pid: machine.pid, source })
}

fn converse(machine: &RunningMachine, request: &Request, timeout: Option<Duration>) -> io::Result<Response> {
    let mut stream = UnixStream::connect(&machine.socket)?;
    stream.set_read_timeout(timeout)?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut answer = String::new();
    if BufReader::new(stream).read_line(&mut answer)? == 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it ended without an answer"));
    }
    Ok(serde_json::from_str(&answer)?)
}
