//! Which cores a machine gets: what the host has, what was asked for, and the choice.

use std::fs::{DirEntry, read_dir};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::core_set::{CoreId, CoreSet, CoreSetError};
use super::files::{FileError, read_short};
use super::tier::cpuset::machine_of_group;

/// What the host offers this process. Plain data, so that choices can be tested for hosts that are not here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Cores that are switched on.
    pub online: CoreSet,
    /// Cores that this process may run on: its affinity, plus cores that the boot line or a running machine has set
    /// aside. The former may be asked for; the latter have to get as far as their lock, which names that machine.
    pub allowed: CoreSet,
    /// Cores that the boot line took from the scheduler (`isolcpus=`).
    pub isolated: CoreSet,
    /// Cores on which the boot line stops the periodic tick while one thread runs (`nohz_full=`).
    pub tickless: CoreSet,
}

/// Why the host's topology could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TopologyError {
    /// The kernel's files could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The kernel's files hold something else than core lists.
    #[error("{path} is not a list of cores: {source}")]
    Content {
        /// The file.
        path: String,
        /// What is wrong with it.
        source: CoreSetError,
    },
    /// The affinity of this process could not be read.
    #[error("cannot read this process's affinity: {0} (hosts with more than 1024 cores are not supported)")]
    Affinity(rustix::io::Errno),
}

impl Topology {
    /// Reads the host's topology from `/sys/devices/system/cpu` and this process's affinity.
    ///
    /// # Errors
    /// See [`TopologyError`].
    pub fn read() -> Result<Self, TopologyError> {
        let affinity = rustix::thread::sched_getaffinity(None).map_err(TopologyError::Affinity)?;
        Self::read_below(Path::new("/"), &CoreSet::from_cpu_set(&affinity))
    }

    /// The same for a process with this affinity and the kernel's files below `root`, which is `/` or a copy for tests.
    pub(crate) fn read_below(root: &Path, affinity: &CoreSet) -> Result<Self, TopologyError> {
        let cpu = root.join("sys/devices/system/cpu");
        let online = read_core_list(&cpu.join("online"))?;
        let isolated = read_optional_core_list(&cpu.join("isolated"))?.intersection(&online);
        let tickless = read_optional_core_list(&cpu.join("nohz_full"))?.intersection(&online);
        let mut allowed = affinity.union(&isolated).intersection(&online);
        if allowed != online {
            allowed = allowed.union(&cores_of_machines(&root.join("sys/fs/cgroup"))).intersection(&online);
        }
        Ok(Self { online, allowed, isolated, tickless })
    }
}

/// Hardware threads that share `core`'s execution units, itself included; just itself when the kernel does not say.
pub fn siblings_of(core: CoreId) -> CoreSet {
    siblings_below(Path::new("/"), core)
}

/// As [`siblings_of`], with the kernel's files below `root`.
pub(crate) fn siblings_below(root: &Path, core: CoreId) -> CoreSet {
    let path = root.join(format!("sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list"));
    read_core_list(&path).unwrap_or_else(|_| CoreSet::from(core))
}

/// Cores that running machines have isolated: those of the groups that they made, in either cpuset hierarchy.
fn cores_of_machines(cgroups: &Path) -> CoreSet {
    let groups =
        [cgroups.to_owned(), cgroups.join("cpuset")].into_iter().filter_map(|mount| read_dir(mount).ok());
    let of_machine =
        |group: &DirEntry| group.file_name().to_str().is_some_and(|name| machine_of_group(name).is_some());
    groups
        .flatten()
        .flatten()
        .filter(of_machine)
        .filter_map(|group| read_core_list(&group.path().join("cpuset.cpus")).ok())
        .fold(CoreSet::new(), |all, cores| all.union(&cores))
}

fn read_core_list(path: &Path) -> Result<CoreSet, TopologyError> {
    let text = read_short(path)?;
    CoreSet::parse_list(&text)
        .map_err(|source| TopologyError::Content { path: path.display().to_string(), source })
}

/// As [`read_core_list`]; a kernel without the feature has no file (`nohz_full`) or writes `(null)`.
fn read_optional_core_list(path: &Path) -> Result<CoreSet, TopologyError> {
    match read_short(path) {
        Ok(text) if text == "(null)" => Ok(CoreSet::new()),
        Ok(_) => read_core_list(path),
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => Ok(CoreSet::new()),
        Err(error) => Err(error.into()),
    }
}

/// What the user asked for; `None` leaves the choice to [`choose`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CoreRequest {
    /// `--cores`: the cores that belong to programs.
    pub programs: Option<CoreSet>,
    /// `--housekeeping`: the cores of timekeeper and cleaner.
    pub housekeeping: Option<CoreSet>,
}

/// How the timekeeper lives on its core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimekeeperPlace {
    /// On a core without programs: it may spin while microseconds matter.
    OwnCore,
    /// On a core that also runs programs: it may never spin, so quanta are at least [`SHARED_QUANTUM_FLOOR_NS`].
    WithPrograms,
}

/// Shortest quantum where the timekeeper cannot spin, in nanoseconds. A sleeping thread's wake-up costs the core two
/// switches and up to 60 µs of lateness; at one millisecond that stays under a tenth.
pub const SHARED_QUANTUM_FLOOR_NS: u64 = 1_000_000;

/// The cores of one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreChoice {
    /// Cores that run programs and nothing else of the machine (except under [`TimekeeperPlace::WithPrograms`]).
    pub programs: CoreSet,
    /// Cores of timekeeper (the first) and cleaner (the last).
    pub housekeeping: CoreSet,
    /// Whether the timekeeper may spin.
    pub timekeeper: TimekeeperPlace,
    /// Cores that stay with Linux: every online core that is not in `programs`.
    pub linux: CoreSet,
}

/// Why a request for cores cannot be met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoreError {
    /// Cores that do not exist or are switched off.
    #[error("cores {wanted} of {option} are not online; this host has {online}")]
    Offline {
        /// `--cores` or `--housekeeping`.
        option: &'static str,
        /// What was asked for and is not there.
        wanted: CoreSet,
        /// What is there.
        online: CoreSet,
    },
    /// Cores that this process may not use.
    #[error(
        "cores {wanted} of {option} are closed to this process (taskset, container or cpuset); it may use {allowed}"
    )]
    NotAllowed {
        /// `--cores` or `--housekeeping`.
        option: &'static str,
        /// What was asked for and is not allowed.
        wanted: CoreSet,
        /// What is allowed.
        allowed: CoreSet,
    },
    /// No core is left to choose; cannot happen to a process that runs on one.
    #[error("this process may not use any online core; check its cpuset")]
    NoCore,
}

impl CoreChoice {
    /// Core of the timekeeper.
    pub fn timekeeper_core(&self) -> CoreId {
        self.housekeeping.first().or(self.programs.first()).unwrap_or(CoreId(0))
    }

    /// Core of the cleaner.
    pub fn cleaner_core(&self) -> CoreId {
        self.housekeeping.last().unwrap_or(self.timekeeper_core())
    }

    /// Keeps the calling thread, and all threads and processes that it starts from now on, on the housekeeping cores: parent and
    /// compiler take nothing that the machine was not given. (Threads of the machine move on to their own.)
    ///
    /// # Errors
    /// When Linux refuses.
    pub fn confine(&self) -> io::Result<()> {
        let cores = if self.housekeeping.is_empty() { &self.programs } else { &self.housekeeping };
        Ok(rustix::thread::sched_setaffinity(None, &cores.to_cpu_set())?)
    }

    /// For the start of a machine: who is where, and what the timekeeper costs there.
    pub fn lines(&self) -> [String; 2] {
        let programs = named(&self.programs);
        let timekeeper = self.timekeeper_core();
        match self.timekeeper {
            TimekeeperPlace::OwnCore => [
                format!(
                    "programs on {programs}; timekeeper on core {timekeeper} and cleaner on core {} (Linux's)",
                    self.cleaner_core()
                ),
                format!(
                    "the timekeeper sleeps while nothing runs, looks every millisecond while programs run alone, and takes all of \
                     core {timekeeper} while they compete for theirs; `hallows ps` measures it"
                ),
            ],
            TimekeeperPlace::WithPrograms => [
                format!(
                    "programs on {programs}; the timekeeper shares core {timekeeper} with them, so it never spins and \
                     quanta are at least 1 ms (give it a core of its own with --housekeeping)"
                ),
                format!(
                    "the timekeeper sleeps while nothing runs and takes a look's time of core {timekeeper} every millisecond while \
                     programs run; `hallows ps` measures it"
                ),
            ],
        }
    }
}

fn named(cores: &CoreSet) -> String {
    format!("core{} {cores}", if cores.len() == 1 { "" } else { "s" })
}

/// Chooses the cores of a machine; never more than asked for.
///
/// Without a request, programs get the cores that the boot line isolated, else one core (the highest allowed), so that
/// a machine started without thought does not take a large host away from its other users. Housekeeping defaults to
/// the lowest core of Linux's, away from the programs' sibling threads where there is such a core.
///
/// # Errors
/// See [`CoreError`].
pub fn choose(
    request: &CoreRequest,
    topology: &Topology,
    siblings: impl Fn(CoreId) -> CoreSet,
) -> Result<CoreChoice, CoreError> {
    check("--cores", request.programs.as_ref(), topology)?;
    check("--housekeeping", request.housekeeping.as_ref(), topology)?;
    let reserved = request.housekeeping.clone().unwrap_or_default();
    let programs = match &request.programs {
        Some(programs) => programs.clone(),
        None => default_programs(topology, &reserved)?,
    };
    let housekeeping = match &request.housekeeping {
        Some(housekeeping) => housekeeping.clone(),
        None => default_housekeeping(topology, &programs, siblings),
    };
    let timekeeper = match housekeeping.first() {
        Some(core) if !programs.contains(core) => TimekeeperPlace::OwnCore,
        _ => TimekeeperPlace::WithPrograms,
    };
    let linux = topology.online.without(&programs);
    Ok(CoreChoice { programs, housekeeping, timekeeper, linux })
}

fn check(option: &'static str, wanted: Option<&CoreSet>, topology: &Topology) -> Result<(), CoreError> {
    let Some(wanted) = wanted else { return Ok(()) };
    let offline = wanted.without(&topology.online);
    if !offline.is_empty() {
        return Err(CoreError::Offline { option, wanted: offline, online: topology.online.clone() });
    }
    let closed = wanted.without(&topology.allowed);
    if !closed.is_empty() {
        return Err(CoreError::NotAllowed { option, wanted: closed, allowed: topology.allowed.clone() });
    }
    Ok(())
}

fn default_programs(topology: &Topology, reserved: &CoreSet) -> Result<CoreSet, CoreError> {
    let isolated = topology.isolated.intersection(&topology.allowed).without(reserved);
    if !isolated.is_empty() {
        return Ok(isolated);
    }
    let free = topology.allowed.without(reserved);
    free.last().or(topology.allowed.last()).map(CoreSet::from).ok_or(CoreError::NoCore)
}

fn default_housekeeping(
    topology: &Topology,
    programs: &CoreSet,
    siblings: impl Fn(CoreId) -> CoreSet,
) -> CoreSet {
    let free = topology.allowed.without(programs).without(&topology.isolated);
    let beside_programs = programs.iter().fold(CoreSet::new(), |all, core| all.union(&siblings(core)));
    let quiet = free.without(&beside_programs);
    let core = quiet.first().or(free.first()).or(programs.first());
    core.map(CoreSet::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> CoreSet {
        CoreSet::parse_list(text).unwrap()
    }

    fn host(online: &str) -> Topology {
        Topology { online: set(online), allowed: set(online), ..Topology::default() }
    }

    fn request(programs: Option<&str>, housekeeping: Option<&str>) -> CoreRequest {
        CoreRequest { programs: programs.map(set), housekeeping: housekeeping.map(set) }
    }

    fn chosen(request: CoreRequest, topology: &Topology) -> (String, String, TimekeeperPlace, String) {
        let choice = choose(&request, topology, CoreSet::from).unwrap();
        (
            choice.programs.to_string(),
            choice.housekeeping.to_string(),
            choice.timekeeper,
            choice.linux.to_string(),
        )
    }

    #[test]
    fn a_host_of_two_cores_gives_programs_the_second() {
        let choice = chosen(request(None, None), &host("0-1"));
        assert_eq!(choice, ("1".into(), "0".into(), TimekeeperPlace::OwnCore, "0".into()));
    }

    #[test]
    fn a_large_host_gives_one_core_unless_asked() {
        assert_eq!(chosen(request(None, None), &host("0-63")).0, "63");
        let choice = chosen(request(Some("1-3,5"), None), &host("0-63"));
        assert_eq!(choice, ("1-3,5".into(), "0".into(), TimekeeperPlace::OwnCore, "0,4,6-63".into()));
    }

    #[test]
    fn on_one_core_the_timekeeper_shares_it() {
        let expected = ("0".into(), "0".into(), TimekeeperPlace::WithPrograms, String::new());
        assert_eq!(chosen(request(None, None), &host("0")), expected);
    }

    #[test]
    fn a_process_confined_to_one_core_of_many_shares_it() {
        let topology = Topology { allowed: set("2"), ..host("0-3") };
        let choice = chosen(request(None, None), &topology);
        assert_eq!(choice, ("2".into(), "2".into(), TimekeeperPlace::WithPrograms, "0-1,3".into()));
    }

    #[test]
    fn all_cores_given_to_programs_leave_the_timekeeper_among_them() {
        let choice = chosen(request(Some("0-1"), None), &host("0-1"));
        assert_eq!(choice, ("0-1".into(), "0".into(), TimekeeperPlace::WithPrograms, String::new()));
    }

    #[test]
    fn cores_isolated_at_boot_are_the_default() {
        let topology = Topology { isolated: set("2-3"), ..host("0-3") };
        let choice = chosen(request(None, None), &topology);
        assert_eq!(choice, ("2-3".into(), "0".into(), TimekeeperPlace::OwnCore, "0-1".into()));
    }

    #[test]
    fn housekeeping_keeps_away_from_sibling_threads() {
        let siblings = |core: CoreId| CoreSet::from_iter([core, CoreId((core.0 + 4) % 8)]);
        let choice = choose(&request(Some("4-5"), None), &host("0-7"), siblings).unwrap();
        assert_eq!(choice.housekeeping, set("2"));
        let all_beside = choose(&request(Some("4-7"), None), &host("0-7"), siblings).unwrap();
        assert_eq!(all_beside.housekeeping, set("0"));
    }

    #[test]
    fn a_named_housekeeping_core_is_left_out_of_the_programs_default() {
        let choice = chosen(request(None, Some("3")), &host("0-3"));
        assert_eq!(choice, ("2".into(), "3".into(), TimekeeperPlace::OwnCore, "0-1,3".into()));
    }

    #[test]
    fn impossible_requests_name_what_is_possible() {
        let error = choose(&request(Some("1,9"), None), &host("0-1"), CoreSet::from).unwrap_err();
        assert_eq!(error.to_string(), "cores 9 of --cores are not online; this host has 0-1");
        let confined = Topology { allowed: set("0"), ..host("0-1") };
        let error = choose(&request(None, Some("1")), &confined, CoreSet::from).unwrap_err();
        assert!(error.to_string().contains("it may use 0"), "{error}");
    }

    #[test]
    fn cores_of_a_running_machine_are_found_by_its_group() {
        let scratch = crate::host::test_support::Scratch::new("machines-cores");
        for (group, cores) in
            [("hallows-7", "3"), ("hallows-linux", "0-2"), ("cpuset/hallows-8", "5"), ("other", "6")]
        {
            let group = scratch.path().join(group);
            std::fs::create_dir_all(&group).unwrap();
            std::fs::write(group.join("cpuset.cpus"), cores).unwrap();
        }
        assert_eq!(cores_of_machines(scratch.path()), set("3,5"));
    }

    #[test]
    fn this_host_has_the_core_that_this_test_runs_on() {
        let topology = Topology::read().unwrap();
        assert!(!topology.allowed.is_empty());
        assert!(topology.allowed.is_subset(&topology.online));
        for core in topology.online.iter() {
            assert!(siblings_of(core).contains(core));
        }
    }
}
