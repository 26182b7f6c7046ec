//! Machines in the background: the parent process is started without a terminal, and who started it returns once the machine has booted.
//!
//! Two things tie the two until then. A *leash*, a pipe that is the new process's standard input: if it closes without a word, nobody knows of the
//! machine, and it ends. And a file in memory, its standard error, which keeps what it says at its start: it is bounded, no program is given it,
//! and nothing of it is read later.

use std::ffi::OsString;
use std::fs::File;
use std::io::{IsTerminal, PipeWriter, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hallows_linux::host::control::client::{self, RunningMachine};
use hallows_linux::host::control::protocol::{Request, Response};
use rustix::fs::{FileType, MemfdFlags, Mode, OFlags, SealFlags};

use super::stop::directory;
use crate::cli::{MachineOptions, Run};
use crate::failure::{Failure, SOFTWARE};
use crate::unix::Directory;

/// How often one looks whether the machine has booted: a start takes tens of milliseconds.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The most that is kept of what the process in the background says at its start.
const SAID_BYTES: usize = 64 << 10;

/// What has become of a start.
pub enum Launched {
    /// The machine runs; its parent has said this so far.
    Running(RunningMachine, String, Leash),
    /// It has ended already, with this code.
    Ended(u8),
}

/// A machine in the background ends when this is dropped, also by the end of this process, and was not let go before.
#[derive(Debug)]
#[must_use = "dropped, it ends the machine"]
pub struct Leash(PipeWriter);

impl Leash {
    /// Leaves the machine to itself, or to its owner.
    pub fn let_go(mut self) {
        // A machine that has ended meanwhile hears nothing, and needs nothing.
        let _ = self.0.write_all(&[1]);
    }
}

/// `hallows run … --detach`: starts the same command in the background, and says where it is.
///
/// # Errors
/// When it cannot be started. What is wrong with the command itself, the process in the background has said, and its code is given.
pub fn detached(options: &Run) -> Result<u8, Failure> {
    let mut arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    // The program's own arguments come behind `--`, so the first one is ours.
    if let Some(place) = arguments.iter().position(|argument| argument == "--detach") {
        arguments[place] = OsString::from("--background");
    }
    match start(&arguments)? {
        Launched::Running(machine, said, leash) => {
            leash.let_go();
            if !options.quiet {
                let _ = std::io::stderr().write_all(said.as_bytes());
            }
            let _ = writeln!(std::io::stdout(), "{}", machine.pid);
            Ok(0)
        }
        Launched::Ended(code) => Ok(code),
    }
}

/// Starts the default system in the background.
///
/// # Errors
/// When it cannot be started.
pub fn default_system(options: &MachineOptions, directories: &[Directory]) -> Result<Launched, Failure> {
    let mut arguments: Vec<OsString> =
        ["run", crate::systems::DEFAULT, "--background"].map(Into::into).to_vec();
    let mut give =
        |name: &str, value: String| arguments.extend([OsString::from(name), OsString::from(value)]);
    for (name, cores) in [("--cores", &options.cores), ("--housekeeping", &options.housekeeping)] {
        if let Some(cores) = cores {
            give(name, cores.to_string());
        }
    }
    give("--memory", format!("{}B", options.memory.0));
    give("--quantum-us", options.quantum_us.to_string());
    if let Some(tier) = options.tier {
        let shared = tier == hallows_linux::host::tier::TierLimit::SharedOnly;
        give("--tier", if shared { "shared" } else { "best" }.to_owned());
    }
    for directory in directories {
        arguments.extend([OsString::from("--dir"), directory.to_lend()]);
    }
    start(&arguments)
}

/// The process in the background, until its machine has booted.
#[derive(Debug)]
pub struct Background {
    /// Closes without a word when nobody knows of this machine.
    leash: OwnedFd,
    /// What this process says at its start goes there: not to a file of the user's.
    said: Option<OwnedFd>,
}

/// In the process in the background: it has no terminal, so nobody's hang-up or Ctrl-C reaches it.
///
/// # Errors
/// When it was not started by [`start`].
pub fn leave_terminal() -> Result<Background, Failure> {
    let by_hand = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("--background is for hallows itself; use --detach ({error})"))
    };
    let stdin = std::io::stdin();
    let kind = rustix::fs::fstat(&stdin).map(|status| FileType::from_raw_mode(status.st_mode));
    if !matches!(kind, Ok(FileType::Fifo)) {
        return Err(by_hand(&"nobody holds it"));
    }
    rustix::process::setsid().map_err(|error| by_hand(&error))?;
    let leash = stdin.as_fd().try_clone_to_owned().map_err(refused)?;
    rustix::stdio::dup2_stdin(nowhere(OFlags::RDONLY)?).map_err(|error| refused(error.into()))?;
    let stderr = std::io::stderr();
    let said =
        if is_file(&stderr) { None } else { Some(stderr.as_fd().try_clone_to_owned().map_err(refused)?) };
    Ok(Background { leash, said })
}

impl Background {
    /// What the machine's parent watches: see [`hallows_linux::host::parent::Launch::leash`].
    ///
    /// # Errors
    /// When this process may have no more open files.
    pub fn leash(&self) -> Result<OwnedFd, Failure> {
        self.leash.try_clone().map_err(refused)
    }

    /// Does what gives programs the streams of this process, which are nobody's but theirs then: its own words would not stay bounded.
    ///
    /// # Errors
    /// Those of `act`; when there is no `/dev/null`.
    pub fn hiding_its_words<T>(&self, act: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        let Some(said) = &self.said else { return act() };
        self.fall_silent()?;
        let done = act();
        rustix::stdio::dup2_stderr(said).map_err(|error| refused(error.into()))?;
        done
    }

    /// What this process says from now on, nobody reads: it goes to nowhere, if it does not go to a file of the user's.
    ///
    /// # Errors
    /// When there is no `/dev/null`.
    pub fn fall_silent(&self) -> Result<(), Failure> {
        if self.said.is_none() {
            return Ok(());
        }
        rustix::stdio::dup2_stderr(nowhere(OFlags::WRONLY)?).map_err(|error| refused(error.into()))
    }
}

fn nowhere(direction: OFlags) -> Result<OwnedFd, Failure> {
    rustix::fs::open(c"/dev/null", direction | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| refused(error.into()))
}

fn refused(error: std::io::Error) -> Failure {
    Failure::other(SOFTWARE, format!("cannot start a machine in the background: {error}"))
}

fn start(arguments: &[OsString]) -> Result<Launched, Failure> {
    let directory = directory()?;
    let mut said = bounded_file().map_err(refused)?;
    let stdout = if is_file(&std::io::stdout()) { Stdio::inherit() } else { Stdio::null() };
    let keeps_errors = is_file(&std::io::stderr());
    let stderr =
        if keeps_errors { Stdio::inherit() } else { Stdio::from(said.try_clone().map_err(refused)?) };
    let (held, leash) = std::io::pipe().map_err(refused)?;
    let leash = Leash(leash);
    // Whatever fails behind this drops the leash.
    let mut child = Command::new("/proc/self/exe")
        .args(arguments)
        .stdin(held)
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
        .map_err(refused)?;
    loop {
        if let Some(status) = child.try_wait().map_err(refused)? {
            let _ = std::io::stderr().write_all(text(&mut said).as_bytes());
            let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
            return Ok(Launched::Ended(u8::try_from(code).unwrap_or(u8::MAX)));
        }
        if let Some(machine) = booted(&directory, &child) {
            return Ok(Launched::Running(machine, text(&mut said), leash));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A file in memory that takes so many bytes and no more.
fn bounded_file() -> std::io::Result<File> {
    let file = rustix::fs::memfd_create("hallows-said", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    rustix::fs::ftruncate(&file, SAID_BYTES as u64)?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file.into())
}

/// The child's machine, once it has its cores and has booted.
fn booted(directory: &hallows_linux::host::runtime_dir::RuntimeDir, child: &Child) -> Option<RunningMachine> {
    let pid = child.id().cast_signed();
    let machine = client::list(directory).ok()?.into_iter().find(|machine| machine.pid == pid)?;
    match client::ask(&machine, &Request::Tier) {
        Ok(Response::Tier { report: Some(_), began: true }) => Some(machine),
        _ => None,
    }
}

/// What was written so far: the file is as long as it can get, and its position is that of all who write.
fn text(said: &mut File) -> String {
    let length = said.stream_position().unwrap_or(0).min(SAID_BYTES as u64);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(SAID_BYTES)];
    let length = said.read_at(&mut bytes, 0).unwrap_or(0);
    String::from_utf8_lossy(bytes.get(..length).unwrap_or_default()).into_owned()
}

/// Whether a stream is a file, which may be written to as long as the machine runs: a terminal goes away, and who reads a pipe waits for its
/// end.
fn is_file(stream: &(impl AsFd + IsTerminal)) -> bool {
    let file: Option<OwnedFd> = stream.as_fd().try_clone_to_owned().ok();
    file.is_some_and(|file| {
        File::from(file).metadata().is_ok_and(|metadata| metadata.is_file() && metadata.nlink() > 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_at_a_start_is_kept_and_bounded() {
        let mut said = bounded_file().expect("memory");
        let mut child = said.try_clone().expect("a descriptor");
        assert_eq!(text(&mut said), "");
        child.write_all(b"one line\n").expect("fits");
        assert_eq!(text(&mut said), "one line\n");
        let much = vec![b'x'; 2 * SAID_BYTES];
        assert!(child.write_all(&much).is_err(), "it takes no more");
        assert_eq!(text(&mut said).len(), SAID_BYTES);
        assert_eq!(said.metadata().expect("a length").len(), SAID_BYTES as u64);
    }
}
