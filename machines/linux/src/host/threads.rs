//! Threads of the machine: one per core, plus timekeeper, cleaner and control thread.
//!
//! A thread pins itself when it starts. Where the parent takes cores out of Linux's reach, the kernel may refuse that or
//! undo it in between; the parent then places the thread by its id ([`crate::host::tier::HostClaim::place`]). So a
//! thread that could not pin itself starts anyway, and says so in its [`ThreadInfo`].

use std::io;
use std::sync::mpsc;
use std::thread::{Builder, JoinHandle};

use rustix::thread::{gettid, sched_setaffinity, set_current_timer_slack};
use serde::{Deserialize, Serialize};

use super::core_set::{CoreId, CoreSet};

/// What a thread is for, and on which core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "role", content = "core")]
pub enum ThreadRole {
    /// Runs programs.
    Programs(CoreId),
    /// Preempts on time.
    Timekeeper(CoreId),
    /// Keeps memory slots in stock, populates memory.
    Cleaner(CoreId),
    /// Runs services that block in Linux.
    Service(CoreId),
    /// Talks to the parent.
    Control(CoreId),
}

impl ThreadRole {
    /// The core that it belongs on.
    pub fn core(self) -> CoreId {
        match self {
            Self::Programs(core)
            | Self::Timekeeper(core)
            | Self::Cleaner(core)
            | Self::Service(core)
            | Self::Control(core) => core,
        }
    }

    /// The name that `ps -L` and `top` show: at most 15 bytes.
    pub fn name(self) -> String {
        match self {
            Self::Programs(core) => format!("core-{core}"),
            Self::Timekeeper(_) => "timekeeper".to_owned(),
            Self::Cleaner(_) => "cleaner".to_owned(),
            Self::Service(_) => "service".to_owned(),
            Self::Control(_) => "control".to_owned(),
        }
    }
}

/// A thread as the parent needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadInfo {
    /// Its id, as in `/proc/PID/task`.
    pub tid: i32,
    /// What it is for.
    #[serde(flatten)]
    pub role: ThreadRole,
    /// Why it could not pin itself; `None` when it did.
    pub not_pinned: Option<String>,
}

/// What to start.
#[derive(Clone, Copy, Debug)]
pub struct ThreadPlan {
    /// What for, and where.
    pub role: ThreadRole,
    /// Size of the stack in bytes.
    pub stack_bytes: usize,
    /// How much of the stack to touch beforehand, in bytes, so that it takes no page fault later.
    pub prefault_bytes: usize,
}

/// Stack of a machine thread. Programs run on stacks of their own; this one carries the core's loop.
pub const STACK_BYTES: usize = 1 << 20;
/// Part of it that is touched at the start: a core's loop stays well inside.
pub const PREFAULT_BYTES: usize = 256 << 10;

impl ThreadPlan {
    /// A plan with the usual stack.
    pub fn new(role: ThreadRole) -> Self {
        Self { role, stack_bytes: STACK_BYTES, prefault_bytes: PREFAULT_BYTES }
    }
}

/// A started thread.
#[derive(Debug)]
pub struct PinnedThread<Result> {
    /// For joining.
    pub handle: JoinHandle<Result>,
    started: mpsc::Receiver<ThreadInfo>,
}

impl<Result> PinnedThread<Result> {
    /// Waits until the thread has pinned itself and gives what the parent needs to know.
    ///
    /// # Errors
    /// When the thread ended before.
    pub fn info(&self) -> io::Result<ThreadInfo> {
        self.started.recv().map_err(|_| io::Error::other("a thread of the machine ended while it started"))
    }
}

/// Starts a thread that names, pins and prepares itself, then runs `body`. Does not wait for it: start all threads
/// first, then ask each for its [`info`](PinnedThread::info).
///
/// # Errors
/// When Linux refuses the thread (process limit, memory).
pub fn spawn<Body, Result>(plan: ThreadPlan, body: Body) -> io::Result<PinnedThread<Result>>
where
    Body: FnOnce() -> Result + Send + 'static,
    Result: Send + 'static,
{
    let (report, started) = mpsc::sync_channel(1);
    let handle = Builder::new().name(plan.role.name()).stack_size(plan.stack_bytes).spawn(move || {
        let info = prepare(&plan);
        // Nobody may be interested; the thread runs all the same.
        let _ = report.send(info);
        drop(report);
        body()
    })?;
    Ok(PinnedThread { handle, started })
}

/// Makes the calling thread, a process's first one, a thread of the machine: it pins itself, so that the machine is on no
/// core that it was not given. Report it with the others.
pub fn adopt(role: ThreadRole) -> ThreadInfo {
    prepare(&ThreadPlan { role, stack_bytes: 0, prefault_bytes: 0 })
}

fn prepare(plan: &ThreadPlan) -> ThreadInfo {
    let role = plan.role;
    let pinned = sched_setaffinity(None, &CoreSet::from(role.core()).to_cpu_set());
    // Ordinary threads wake up to 50 µs late so that Linux can bundle wake-ups; 1 ns asks it not to. It cannot fail.
    let _ = set_current_timer_slack(std::num::NonZeroU64::new(1));
    let prefault_bytes = plan.prefault_bytes.min(plan.stack_bytes.saturating_sub(STACK_RESERVE_BYTES));
    if prefault_bytes > 0 {
        prefault_stack(prefault_bytes);
    }
    ThreadInfo {
        tid: gettid().as_raw_nonzero().get(),
        role,
        not_pinned: pinned.err().map(|error| format!("cannot run on core {}: {error}", role.core())),
    }
}

/// Part of a stack that is never prefaulted: what is in use already, and the guard's neighbourhood.
const STACK_RESERVE_BYTES: usize = 64 << 10;
/// Stack touched per step of the recursion.
const PREFAULT_STEP_BYTES: usize = 16 << 10;

#[inline(never)]
fn prefault_stack(bytes: usize) {
    let mut step = [0u8; PREFAULT_STEP_BYTES];
    for page in step.chunks_mut(4096) {
        page[0] = 1;
    }
    if bytes > PREFAULT_STEP_BYTES {
        prefault_stack(bytes - PREFAULT_STEP_BYTES);
    }
    // Used after the call, so the recursion is no tail call and every step has its own frame.
    std::hint::black_box(&step);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::files::read_all;

    fn own_status(key: &str) -> String {
        let status = read_all("/proc/thread-self/status".as_ref()).unwrap();
        status.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_owned()
    }

    #[test]
    fn a_thread_runs_on_its_core_under_its_name() {
        let allowed = CoreSet::from_cpu_set(&rustix::thread::sched_getaffinity(None).unwrap());
        let core = allowed.last().unwrap();
        let plan = ThreadPlan::new(ThreadRole::Programs(core));
        let thread = spawn(plan, || (own_status("Cpus_allowed_list:"), own_status("Name:"))).unwrap();
        let info = thread.info().unwrap();
        assert_eq!((info.role, info.not_pinned), (ThreadRole::Programs(core), None));
        assert_eq!(thread.handle.join().unwrap(), (core.to_string(), format!("core-{core}")));
    }

    #[test]
    fn an_adopted_thread_runs_on_its_core() {
        let allowed = CoreSet::from_cpu_set(&rustix::thread::sched_getaffinity(None).unwrap());
        let core = allowed.first().unwrap();
        let adopted =
            std::thread::spawn(move || (adopt(ThreadRole::Control(core)), own_status("Cpus_allowed_list:")));
        let (info, cores) = adopted.join().unwrap();
        assert_eq!((info.not_pinned, cores), (None, core.to_string()));
    }

    #[test]
    fn a_thread_for_a_core_that_is_not_there_says_so_and_runs() {
        let plan = ThreadPlan::new(ThreadRole::Cleaner(CoreId(1023)));
        let thread = spawn(plan, || 7).unwrap();
        assert!(thread.info().unwrap().not_pinned.unwrap().starts_with("cannot run on core 1023"));
        assert_eq!(thread.handle.join().unwrap(), 7);
    }

    #[test]
    fn the_prefaulted_part_of_the_stack_is_resident() {
        let resident = || {
            let plan =
                ThreadPlan { prefault_bytes: 512 << 10, ..ThreadPlan::new(ThreadRole::Control(CoreId(0))) };
            let here = 0u8;
            prefault_stack(plan.prefault_bytes);
            resident_pages_below(&raw const here as usize, plan.prefault_bytes)
        };
        let pages = Builder::new().stack_size(STACK_BYTES).spawn(resident).unwrap().join().unwrap();
        assert_eq!(pages, (512 << 10) / 4096);
    }

    /// Pages in memory among the `bytes` below an address, from `/proc/self/pagemap` (bit 63).
    fn resident_pages_below(address: usize, bytes: usize) -> usize {
        use std::os::unix::fs::FileExt;
        let pagemap = std::fs::File::open("/proc/self/pagemap").unwrap();
        let pages = (address - bytes) / 4096..address / 4096;
        let is_present = |page: &usize| {
            let mut entry = [0u8; 8];
            pagemap.read_exact_at(&mut entry, *page as u64 * 8).unwrap();
            entry[7] & 0x80 != 0
        };
        pages.filter(is_present).count()
    }

    #[test]
    fn thread_infos_survive_the_way_to_the_parent() {
        let info = ThreadInfo { tid: 7, role: ThreadRole::Timekeeper(CoreId(3)), not_pinned: None };
        let text = serde_json::to_string(&info).unwrap();
        assert_eq!(text, r#"{"tid":7,"role":"timekeeper","core":3,"not_pinned":null}"#);
        assert_eq!(serde_json::from_str::<ThreadInfo>(&text).unwrap(), info);
    }
}
