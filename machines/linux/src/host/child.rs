//! The machine process's side of its start: what it inherits from the parent.
//!
//! Call [`machine_process`] first thing in `main`. In the machine process it gives what the parent passed on; in any
//! other process it gives nothing and costs nothing.

use std::ffi::OsString;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use rustix::fs::{FileType, fstat};
use rustix::io::{FdFlags, fcntl_setfd};

use super::link::{LinkReceiver, LinkSender, machine_end};

/// Name of the machine process, where others have their executable's: no program of a user's is called so by accident, whatever
/// arguments it has.
pub const MACHINE_NAME: &str = "hallows-machine";
/// First argument of the machine process. Not a command for people.
pub const MACHINE_SUBCOMMAND: &str = "machine-process";

/// Where the parent puts the descriptors; attachments follow.
pub(crate) const LINK_DESCRIPTOR: RawFd = 3;
pub(crate) const CONSOLE_DESCRIPTOR: RawFd = 4;
pub(crate) const CONFIG_DESCRIPTOR: RawFd = 5;
pub(crate) const FIRST_ATTACHMENT: RawFd = 6;
/// More attachments than this are sent over the link later.
pub(crate) const MAX_ATTACHMENTS: usize = 64;

/// What a machine process gets from its parent. Standard input is empty; standard output and error are the parent's
/// standard error, for last words.
#[derive(Debug)]
pub struct MachineProcess {
    /// What the machine is to be, as the caller of [`supervise`](super::parent::supervise) wrote it.
    pub config: Vec<u8>,
    /// Open files that came along, in the order of the launch. A restarted machine gets the same open files: read them
    /// by position (`pread`), the cursor is where the machine before left it.
    pub attachments: Vec<OwnedFd>,
    /// The terminal: a stream of bytes both ways, which the parent carries to standard output and from standard input.
    /// End of file: there is no more input.
    pub console: OwnedFd,
    /// Messages from the parent.
    pub receiver: LinkReceiver,
    /// Messages to the parent.
    pub sender: LinkSender,
}

/// Why this process is no machine process although its arguments say so.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// Started by hand.
    #[error("`{MACHINE_SUBCOMMAND}` is for `hallows` itself; use `hallows run`")]
    ByHand,
    /// What it inherited cannot be used.
    #[error("cannot take over what the parent process passed on: {0}")]
    Inherited(#[from] io::Error),
}

/// In the machine process: what the parent passed on. `None` in any other process.
///
/// Call it once, before anything else opens files: it takes the descriptors from 3 on.
pub fn machine_process() -> Option<Result<MachineProcess, ChildError>> {
    let mut arguments = std::env::args_os();
    let is_machine = arguments.next()? == MACHINE_NAME && arguments.next()? == MACHINE_SUBCOMMAND;
    is_machine.then(|| take_over(arguments.next()))
}

fn take_over(attachments: Option<OsString>) -> Result<MachineProcess, ChildError> {
    let attachments: usize =
        attachments.and_then(|count| count.to_str()?.parse().ok()).ok_or(ChildError::ByHand)?;
    if attachments > MAX_ATTACHMENTS {
        return Err(ChildError::ByHand);
    }
    let link = inherited(LINK_DESCRIPTOR, Some(FileType::Socket))?;
    let console = inherited(CONSOLE_DESCRIPTOR, Some(FileType::Socket))?;
    let config = inherited(CONFIG_DESCRIPTOR, Some(FileType::RegularFile))?;
    let attachments = (FIRST_ATTACHMENT..).take(attachments);
    let attachments = attachments.map(|descriptor| inherited(descriptor, None)).collect::<Result<_, _>>()?;
    let (receiver, sender) = machine_end(link)?;
    Ok(MachineProcess { config: read_from_start(&config)?, attachments, console, receiver, sender })
}

fn inherited(descriptor: RawFd, kind: Option<FileType>) -> Result<OwnedFd, ChildError> {
    // SAFETY: only looked at; a number that is not open gives an error.
    let borrowed = unsafe { std::os::fd::BorrowedFd::borrow_raw(descriptor) };
    let status = fstat(borrowed).map_err(|_| ChildError::ByHand)?;
    if kind.is_some_and(|kind| FileType::from_raw_mode(status.st_mode) != kind) {
        return Err(ChildError::ByHand);
    }
    fcntl_setfd(borrowed, FdFlags::CLOEXEC).map_err(io::Error::from)?;
    // SAFETY: it is open, and `machine_process` is documented to run before anything else could own it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn read_from_start(file: &OwnedFd) -> io::Result<Vec<u8>> {
    let length = usize::try_from(fstat(file)?.st_size).unwrap_or(0);
    let mut content = vec![0; length];
    let mut read = 0;
    while read < length {
        match rustix::io::pread(file, &mut content[read..], read as u64)? {
            0 => break,
            bytes => read += bytes,
        }
    }
    content.truncate(read);
    Ok(content)
}
