//! The parent process: starts the machine, holds the terminal and the control socket, puts the host back.
//!
//! # Why the machine is a fresh execution of the same program
//!
//! The machine process is started by executing `/proc/self/exe` again with a hidden subcommand, not by `fork` alone.
//! A bare fork is only sound while the process has one thread, copies the parent's heap with everything in it into the
//! process that runs untrusted programs, and gives both the same address layout. Executing costs a millisecond and
//! gives the machine nothing but the descriptors that are meant for it. It works from a program with threads too, and
//! `/proc/self/exe` stays right when the file was replaced or removed meanwhile.
//!
//! # How it ends
//!
//! SIGINT, SIGTERM and SIGHUP, and `stop` on the control socket, ask the machine to end cleanly within a grace period. A
//! second signal, SIGQUIT, or the end of the period kill it. In all cases, and when the machine crashes or is killed
//! from outside, the host is put back before the parent ends. If the parent itself is killed, the kernel kills the machine
//! (`PR_SET_PDEATHSIG`), and the next start or `hallows restore` puts the host back.
//!
//! | exit code | meaning |
//! |---|---|
//! | 0 | the machine ended well, by itself or because it was asked to |
//! | 1–63 | the machine's own code |
//! | 64 | bad options (the command's, not used here) |
//! | 69 | the cores are in use by another machine |
//! | 71 | the machine could not be started |
//! | 72 | a service did not take the path that was required |
//! | 128 + n | the machine was ended by signal n: 134 a panic, 137 killed (by force, by the OOM killer, by somebody) |

mod asked;
mod claimer;
mod console;
mod end;
mod error;
mod log;
mod monitors;
mod signals;
mod spawn;
mod supervisor;
mod terminal;

use std::os::fd::OwnedFd;
use std::time::Duration;

pub use end::{Ended, MachineEnd, RestartPolicy};
pub use error::SuperviseError;
pub(super) use signals::without_signals;

use super::core_locks::CoreLocks;
use super::cores::{CoreChoice, Topology};
use super::facts::KernelVersion;
use super::runtime_dir::RuntimeDir;
use super::tier::{RestoreError, RestoreReport, TierLimit, TierReport, restore_leftovers};
use super::wire::Meeting;

/// Grace period of a clean stop.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(5);

/// A machine to be started.
#[derive(Debug)]
pub struct Launch {
    /// Where its socket and the journal live.
    pub directory: RuntimeDir,
    /// Its cores.
    pub cores: CoreChoice,
    /// The host's cores.
    pub topology: Topology,
    /// The host's kernel.
    pub kernel: KernelVersion,
    /// How far to go.
    pub limit: TierLimit,
    /// What the machine is to be: bytes for [`MachineProcess::config`](super::child::MachineProcess::config).
    pub config: Vec<u8>,
    /// Open files that the machine needs: programs, sockets. It cannot open any itself once it is jailed. At most 64.
    pub attachments: Vec<OwnedFd>,
    /// Whether no other machine may have these cores. Only a machine that changes nothing on the host ([`TierLimit::SharedOnly`]) may share them.
    pub owns_cores: bool,
    /// What becomes of the standard streams.
    pub streams: Streams,
    /// Grace period of a clean stop.
    pub grace: Duration,
    /// What to do when it crashes.
    pub restart: RestartPolicy,
    /// A mark of the key that compiled programs must be sealed with, which does not give it away; for clients.
    pub seal: String,
    /// The reading end of a pipe of who started a machine in the background: one byte leaves the machine to itself, the pipe's end without one
    /// asks it to end cleanly.
    pub leash: Option<OwnedFd>,
    /// Its ends of wires to other machines.
    pub wires: Vec<Meeting>,
}

impl Launch {
    /// What the terminal's signals do that stop jobs. A machine that has taken anything from the host, or that others talk to, goes on.
    fn stops(&self) -> signals::Stops {
        let takes_nothing = self.limit == TierLimit::SharedOnly;
        match self.streams {
            Streams::Program { .. } if takes_nothing => signals::Stops::AsAJob,
            _ => signals::Stops::Never,
        }
    }
}

/// Who uses the parent's standard streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Streams {
    /// The parent: standard input goes to the machine's console, whose lines go to standard output.
    #[default]
    Console,
    /// A program in the machine, through descriptors of its own: what the machine has to say goes to standard error. The parent carries standard
    /// input only where it must.
    Program {
        /// It must: the machine is in the background, and cannot read a terminal.
        carries_input: bool,
    },
    /// As [`Streams::Console`], but standard input is a program's, who reads it through a descriptor of its own.
    System {
        /// As in [`Streams::Program`].
        carries_input: bool,
    },
}

/// What the caller may want to tell the user while a machine runs.
#[derive(Debug)]
pub enum Event<'a> {
    /// A killed machine had left changes on the host, and they have been put back.
    LeftoversRestored(&'a RestoreReport),
    /// Such changes could not be put back.
    LeftoversRemain(&'a RestoreError),
    /// The claim is complete and the machine's threads are in place.
    Tier(&'a TierReport),
    /// The machine crashed and is started again.
    Restarting {
        /// How it ended.
        end: MachineEnd,
    },
    /// The host has been put back.
    Released(&'a RestoreReport),
}

/// Starts a machine and stays until it has ended and the host is as it was. Call it on the main thread (the kernel ends the
/// machine with the thread that started it), before SIGINT and the like are used for anything else.
///
/// # Errors
/// See [`SuperviseError`]; nothing runs and nothing is changed then.
pub fn supervise(launch: Launch, on_event: &mut dyn FnMut(Event<'_>)) -> Result<Ended, SuperviseError> {
    match restore_leftovers(&launch.directory, &launch.topology.online, launch.kernel) {
        Ok(Some(report)) => on_event(Event::LeftoversRestored(&report)),
        Ok(None) => {}
        Err(error) => on_event(Event::LeftoversRemain(&error)),
    }
    let owns = launch.owns_cores || launch.limit != TierLimit::SharedOnly;
    let locks = owns.then(|| CoreLocks::take(&launch.cores)).transpose()?;
    let ended = supervisor::run(launch, on_event)?;
    // Kept until the host is put back: only then may another machine have the cores.
    drop(locks);
    Ok(ended)
}
