//! What there is on a host for a claim to use, read without changing anything.

use std::path::Path;

use rustix::io::Errno;

use super::cpuset::{CpusetError, CpusetTree};
use super::obstacle::Caller;
use super::report::StepName;
use super::settings::{Absent, survey};
use super::{idle, placement};
use crate::host::core_set::CoreSet;
use crate::host::cores::{CoreChoice, Topology, siblings_below};
use crate::host::facts::KernelVersion;
use crate::host::memory::LockMeans;

/// Whether something of the host may be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// It may, as far as the kernel says before it is tried.
    Open,
    /// Not even by root.
    Closed {
        /// The kernel's reason.
        why: String,
    },
    /// Not by this user; what root may do, only root can see.
    Hidden,
}

impl Access {
    /// Whether this process may write a file, without opening it.
    pub(crate) fn of(path: &Path, caller: Caller) -> Self {
        Self::from_result(rustix::fs::access(path, rustix::fs::Access::WRITE_OK), caller)
    }

    fn from_result(result: Result<(), Errno>, caller: Caller) -> Self {
        match result {
            Ok(()) => Self::Open,
            Err(Errno::ACCESS | Errno::PERM) if caller == Caller::Ordinary => Self::Hidden,
            Err(error) => Self::Closed { why: error.to_string() },
        }
    }
}

/// What a process may do for its machine, found by asking the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// Who it is.
    pub caller: Caller,
    /// Whether its threads get real-time priority.
    pub real_time: Access,
    /// How much it may lock.
    pub lock: LockMeans,
}

impl Rights {
    /// Those of this process. Real-time priority is tried on a thread that ends at once.
    pub fn own() -> Self {
        let caller = Caller::own();
        let tried =
            placement::try_real_time().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL));
        Self { caller, real_time: Access::from_result(tried, caller), lock: LockMeans::own() }
    }
}

/// The cpuset tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpusetMeans {
    /// 1 or 2.
    pub version: u32,
    /// Where it is mounted.
    pub mount: String,
    /// Whether groups can be made in it.
    pub access: Access,
    /// What is known to keep these cores from being isolated by it.
    pub obstacle: Option<CpusetError>,
}

/// Everything that decides which tier a machine reaches.
#[derive(Clone, Debug)]
pub struct Means {
    /// The machine's cores.
    pub choice: CoreChoice,
    /// The host's.
    pub topology: Topology,
    /// Hardware threads that share the programs' cores, these included.
    pub siblings: CoreSet,
    /// Its kernel.
    pub kernel: KernelVersion,
    /// The cpuset tree, or why there is none.
    pub cpuset: Result<CpusetMeans, CpusetError>,
    /// Files that would be changed, by step.
    pub settings: Vec<(StepName, Access)>,
    /// Steps without such a file.
    pub absent: Vec<Absent>,
    /// Whether deep sleep can be held off.
    pub idle: Access,
    /// What this process may.
    pub rights: Rights,
}

impl Means {
    /// Reads them; `root` is `/`, or a copy of the kernel's files for tests.
    pub(crate) fn read(
        root: &Path,
        choice: CoreChoice,
        topology: Topology,
        kernel: KernelVersion,
        rights: Rights,
    ) -> Self {
        let caller = rights.caller;
        let (settings, absent) = survey(root, &choice.programs, kernel, &[]);
        let settings =
            settings.into_iter().map(|setting| (setting.step, Access::of(&setting.path, caller))).collect();
        let cpuset = CpusetTree::find(root).map(|tree| {
            let (version, mount) = tree.place();
            CpusetMeans {
                version,
                mount: format!("/{}", mount.strip_prefix(root).unwrap_or(mount).display()),
                access: Access::of(mount, caller),
                obstacle: tree.obstacle(&choice.programs, kernel),
            }
        });
        Self {
            siblings: choice
                .programs
                .iter()
                .fold(CoreSet::new(), |all, core| all.union(&siblings_below(root, core))),
            idle: Access::of(&root.join(idle::FILE), caller),
            choice,
            topology,
            kernel,
            cpuset,
            settings,
            absent,
            rights,
        }
    }
}
