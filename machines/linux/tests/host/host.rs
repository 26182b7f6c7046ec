//! The host as the tests see it: a snapshot of all that a machine may change, the lock against other test runs, and the end of what a test left.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use hallows_linux::host::cores::Topology;
use hallows_linux::host::facts::HostFacts;
use hallows_linux::host::runtime_dir::RuntimeDir;
use hallows_linux::host::tier::{RestoreError, RestoreReport, Tier, restore_leftovers};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Mount point of the version 1 cpuset tree, where most of these tests run.
pub const CPUSETS: &str = "/sys/fs/cgroup/cpuset";

/// Waits for other runs of these tests on this host.
pub fn lock() -> File {
    let tests = File::create("/tmp/hallows-host-tests.lock").unwrap();
    flock(&tests, FlockOperation::LockExclusive).unwrap();
    tests
}

/// Names the test process in the environment of all that it starts.
const MARK: &str = "HALLOWS_HOST_TEST";

/// Marks whatever this process starts from now on; the process begins anew for that.
pub fn mark_children() {
    let own = std::process::id().to_string();
    if std::env::var(MARK).is_ok_and(|mark| mark == own) {
        return;
    }
    let mut arguments = std::env::args_os();
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.arg0(arguments.next().unwrap()).args(arguments).env(MARK, own);
    panic!("cannot begin anew: {}", again.exec());
}

/// Runs one test: alone on the host's cores, and whatever it leaves behind when it fails is ended, as the next would wait for it for ever.
pub fn run_alone(body: fn()) {
    end_leftovers();
    wait_for_cores();
    if let Err(panic) = std::panic::catch_unwind(body) {
        end_leftovers();
        std::panic::resume_unwind(panic);
    }
}

/// Ends what tests before this one started and left, in the background perhaps; whoever asks has the [`lock`].
fn end_leftovers() {
    let is_left = |pid: i32| {
        let marks = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let mut marks =
            marks.split(|byte| *byte == 0).filter_map(|variable| std::str::from_utf8(variable).ok());
        let mark = marks.find_map(|variable| variable.strip_prefix(MARK)?.strip_prefix('='));
        // A test process, which waits for its turn perhaps, is marked by itself.
        mark.is_some_and(|mark| mark != pid.to_string())
    };
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut has_left = false;
    for pid in pids.filter(|pid| is_left(*pid)) {
        let pid = Pid::from_raw(pid).unwrap();
        let Ok(descriptor) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
        // It may have ended meanwhile, and its name be another's.
        if is_left(pid.as_raw_nonzero().get()) && pidfd_send_signal(&descriptor, Signal::KILL).is_ok() {
            has_left = true;
            let _ = poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], None);
        }
    }
    if has_left {
        let _ = restore();
    }
}

/// Waits until no machine, of somebody who uses this host meanwhile, has a core.
fn wait_for_cores() {
    for core in topology().online.iter() {
        for directory in ["/run/lock", "/tmp"] {
            if let Ok(file) = File::open(format!("{directory}/hallows-cores/core-{core}")) {
                flock(&file, FlockOperation::LockExclusive).unwrap();
            }
        }
    }
}

pub fn topology() -> Topology {
    Topology::read().unwrap()
}

/// What a machine reaches that changes nothing on the host.
pub fn unprivileged_tier() -> Tier {
    if topology().isolated.is_empty() { Tier::Shared } else { Tier::Booted }
}

/// As `hallows restore` does.
pub fn restore() -> Result<Option<RestoreReport>, RestoreError> {
    let directory = RuntimeDir::of_this_user().unwrap();
    restore_leftovers(&directory, &topology().online, HostFacts::read().kernel_version())
}

/// Everything on the host that a machine may change.
#[derive(Debug, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<String, String>);

impl Snapshot {
    pub fn take() -> Self {
        let mut values = BTreeMap::new();
        let mut note = |path: &Path| {
            if let Ok(text) = std::fs::read_to_string(path) {
                values.insert(path.display().to_string(), text.trim().to_owned());
            }
        };
        for entry in std::fs::read_dir("/proc/irq").unwrap().flatten() {
            note(&entry.path().join("smp_affinity_list"));
        }
        for file in [
            "/proc/irq/default_smp_affinity",
            "/sys/devices/virtual/workqueue/cpumask",
            "/proc/sys/kernel/watchdog_cpumask",
            "/proc/sys/kernel/sched_rt_runtime_us",
            "/proc/sys/kernel/timer_migration",
            "/proc/sys/kernel/nmi_watchdog",
            "/proc/sys/vm/nr_hugepages",
            "/proc/sys/vm/stat_interval",
            "/sys/kernel/mm/transparent_hugepage/enabled",
            "/sys/devices/system/cpu/online",
            "/sys/fs/cgroup/cgroup.subtree_control",
        ] {
            note(Path::new(file));
        }
        for core in topology().online.iter() {
            let folder = format!("/sys/devices/system/cpu/cpu{core}");
            for file in ["power/pm_qos_resume_latency_us", "cpufreq/scaling_governor"] {
                note(&Path::new(&folder).join(file));
            }
            for state in std::fs::read_dir(format!("{folder}/cpuidle")).into_iter().flatten().flatten() {
                note(&state.path().join("disable"));
            }
        }
        // The wake-up latency that is asked of idle cores, in µs, as bytes.
        if let Ok(latency) = std::fs::read("/dev/cpu_dma_latency") {
            values.insert("/dev/cpu_dma_latency".to_owned(), format!("{latency:?}"));
        }
        for mount in [CPUSETS, "/sys/fs/cgroup"] {
            for group in std::fs::read_dir(mount).into_iter().flatten().flatten().map(|entry| entry.path()) {
                if group.is_dir() {
                    values.insert(group.display().to_string(), "a group".to_owned());
                }
            }
        }
        for file in ["cpuset.cpus", "cpuset.sched_load_balance", "cpuset.cpu_exclusive"] {
            let path = Path::new(CPUSETS).join(file);
            values.insert(path.display().to_string(), std::fs::read_to_string(&path).unwrap_or_default());
        }
        values.insert("affinity of process 1".to_owned(), allowed_cores(1, 1));
        Self(values)
    }

    /// Whether a machine has changed something.
    pub fn differs_from_now(&self) -> bool {
        *self != Self::take()
    }

    /// Compares with the present state.
    pub fn assert_restored(&self) {
        let now = Self::take();
        let paths: BTreeSet<_> = self.0.keys().chain(now.0.keys()).collect();
        let changes = paths.into_iter().map(|path| (path, self.0.get(path), now.0.get(path)));
        let changes: Vec<_> = changes.filter(|(_, before, now)| before != now).collect();
        assert!(changes.is_empty(), "before and now: {changes:#?}");
    }
}

/// What Linux says of a thread at one moment.
pub struct Status(String);

impl Status {
    /// Of one that has ended: none.
    pub fn of(pid: i32, tid: i32) -> Option<Self> {
        std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/status")).ok().map(Self)
    }

    pub fn field(&self, key: &str) -> &str {
        self.0.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).unwrap().trim()
    }

    pub fn name(&self) -> &str {
        self.field("Name")
    }

    pub fn cores(&self) -> &str {
        self.field("Cpus_allowed_list")
    }
}

/// Of all threads of a process, but for those that end meanwhile: who answers one question does.
pub fn statuses(pid: i32) -> Vec<(i32, Status)> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let tids = tasks.map(|entry| entry.file_name().to_str().unwrap().parse().unwrap());
    tids.filter_map(|tid| Some((tid, Status::of(pid, tid)?))).collect()
}

pub fn allowed_cores(pid: i32, tid: i32) -> String {
    Status::of(pid, tid).unwrap().cores().to_owned()
}

/// The version 1 cpuset of a thread.
pub fn cpuset(pid: i32, tid: i32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/task/{tid}/cpuset")).unwrap().trim().to_owned()
}

/// Threads of a process by name.
pub fn threads(pid: i32) -> Vec<(i32, String)> {
    statuses(pid).into_iter().map(|(tid, status)| (tid, status.name().to_owned())).collect()
}

pub fn has_cpusets_v1() -> bool {
    Path::new(CPUSETS).join("cpuset.cpus").exists()
}
