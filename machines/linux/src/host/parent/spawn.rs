//! Starts the machine process: the same program again, with nothing but the descriptors that are meant for it.

use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::process::{PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::end::MachineEnd;
use super::error::SuperviseError;
use crate::host::child::{
    CONFIG_DESCRIPTOR, CONSOLE_DESCRIPTOR, FIRST_ATTACHMENT, LINK_DESCRIPTOR, MACHINE_NAME,
    MACHINE_SUBCOMMAND, MAX_ATTACHMENTS,
};
use crate::host::line_socket::{Descriptors, LINK_LIMIT_BYTES, LineSocket};
use crate::host::memory::raise_lock_limit;

/// A running machine process.
#[derive(Debug)]
pub(super) struct Machine {
    child: Child,
    /// Readable when the process has ended.
    pub(super) pidfd: OwnedFd,
    /// Messages to and from it.
    pub(super) link: LineSocket,
    /// Its console.
    pub(super) console: OwnedFd,
}

/// Starts the machine process with a configuration and open files.
pub(super) fn spawn(config: &[u8], attachments: &[OwnedFd]) -> Result<Machine, SuperviseError> {
    if attachments.len() > MAX_ATTACHMENTS {
        return Err(SuperviseError::TooManyAttachments { given: attachments.len(), most: MAX_ATTACHMENTS });
    }
    let (link, machine_link) = UnixStream::pair().map_err(SuperviseError::Spawn)?;
    let (console, machine_console) = UnixStream::pair().map_err(SuperviseError::Spawn)?;
    let config = sealed_file(config).map_err(SuperviseError::Spawn)?;
    let mut inherited = vec![machine_link.as_raw_fd(), machine_console.as_raw_fd(), config.as_raw_fd()];
    inherited.extend(attachments.iter().map(AsRawFd::as_raw_fd));
    let child = start(inherited, attachments.len()).map_err(SuperviseError::Spawn)?;
    // The number cannot have been given away: it is ours to wait for.
    let pid = rustix::process::Pid::from_child(&child);
    let pidfd =
        pidfd_open(pid, PidfdFlags::empty()).map_err(SuperviseError::system("watch the machine process"))?;
    let link = LineSocket::new(link.into(), Descriptors::Refuse, LINK_LIMIT_BYTES);
    Ok(Machine { child, pidfd, link, console: console.into() })
}

fn start(mut inherited: Vec<RawFd>, attachments: usize) -> io::Result<Child> {
    let parent = rustix::process::getpid();
    let mut command = Command::new("/proc/self/exe");
    command.arg0(MACHINE_NAME).arg(MACHINE_SUBCOMMAND).arg(attachments.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::from(io::stderr().as_fd().try_clone_to_owned()?));
    // SAFETY: the closure runs between fork and exec and only makes system calls; it neither allocates nor takes locks.
    // The descriptors stay open until `spawn` returns.
    unsafe {
        command.pre_exec(move || {
            prepare(parent)?;
            arrange(&mut inherited)
        });
    }
    command.spawn()
}

/// What the machine process has to be before it runs.
fn prepare(parent: rustix::process::Pid) -> io::Result<()> {
    // The terminal's signals go to the parent alone, which asks the machine to stop.
    rustix::process::setpgid(None, None)?;
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have ended before the line above.
    if rustix::process::getppid() != Some(parent) {
        return Err(io::ErrorKind::NotFound.into());
    }
    // While root; the machine drops its rights before it locks.
    raise_lock_limit();
    Ok(())
}

/// Puts the descriptors at their places and hides all others.
fn arrange(inherited: &mut [RawFd]) -> io::Result<()> {
    // Cannot overflow: there are fewer than a hundred.
    let end = LINK_DESCRIPTOR + inherited.len() as RawFd;
    debug_assert_eq!(
        [LINK_DESCRIPTOR, CONSOLE_DESCRIPTOR, CONFIG_DESCRIPTOR, FIRST_ATTACHMENT],
        [3, 4, 5, 6]
    );
    // First out of the way of all places, then to them.
    for descriptor in inherited.iter_mut() {
        // SAFETY: duplicates an open descriptor of this process.
        *descriptor = check(unsafe { libc::fcntl(*descriptor, libc::F_DUPFD_CLOEXEC, end) })?;
    }
    for (place, descriptor) in (LINK_DESCRIPTOR..).zip(inherited.iter()) {
        // SAFETY: in this freshly forked process nobody owns the places any more.
        check(unsafe { libc::dup2(*descriptor, place) })?;
    }
    // Not closed but marked: the standard library's own descriptor reports a failed exec. Kernels before 5.11 do not
    // know the flag; there only what was opened without close-on-exec by others stays open.
    // SAFETY: marks descriptors of this process; nothing is closed before exec.
    unsafe {
        libc::syscall(libc::SYS_close_range, end, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
    }
    Ok(())
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// A file in memory that nobody can change any more.
fn sealed_file(content: &[u8]) -> io::Result<OwnedFd> {
    let file = memfd_create(c"hallows-config", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    let mut file = std::fs::File::from(file);
    file.write_all(content)?;
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file.into())
}

impl Machine {
    /// Its process id.
    pub(super) fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Lets none of its threads run.
    pub(super) fn stop(&self) {
        let _ = pidfd_send_signal(&self.pidfd, Signal::STOP);
    }

    /// Lets them run again.
    pub(super) fn go_on(&self) {
        let _ = pidfd_send_signal(&self.pidfd, Signal::CONT);
    }

    /// Ends it at once.
    pub(super) fn kill(&self) {
        // Refused when it has ended already.
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
    }

    /// Waits for its end; at once when `pidfd` is readable.
    pub(super) fn wait(&mut self) -> MachineEnd {
        // It cannot fail for a child that was not waited for before; a later call gives the same answer.
        MachineEnd::of(self.child.wait().unwrap_or_else(|_| {
            use std::os::unix::process::ExitStatusExt;
            ExitStatus::from_raw(libc::SIGKILL)
        }))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Ends it when the parent fails; does nothing to one that has ended.
        self.kill();
        self.wait();
    }
}
