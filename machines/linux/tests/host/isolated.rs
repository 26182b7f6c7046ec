//! Tier `isolated`: the cores are really taken, and the host is really put back, however the machine ends.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use hallows_linux::host::control::{CellSelector, Request, ask};
use hallows_linux::host::core_set::{CoreId, CoreSet};
use hallows_linux::host::process_id::ProcessId;
use hallows_linux::host::tier::{Outcome, StepName, Tier, TierReport};
use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::host::{
    CPUSETS, Snapshot, allowed_cores, cpuset, has_cpusets_v1, restore, statuses, threads, topology,
};
use crate::root_test;
use crate::running::{Running, send, wait_for_end};

pub fn tests() -> Vec<Trial> {
    vec![
        root_test("an_isolated_core_holds_the_machines_thread_and_nothing_else", holds_its_thread),
        root_test("processes_with_narrow_affinity_get_it_back", narrow_affinity),
        root_test("after_kill_9_of_the_machine_the_host_is_as_before", machine_killed),
        root_test("after_kill_9_of_the_parent_restore_puts_the_host_back", parent_killed),
        root_test("after_kill_9_of_the_parent_the_next_start_puts_the_host_back", next_start),
        root_test(
            "after_kill_9_in_the_middle_of_the_claim_restore_puts_the_host_back",
            killed_while_claiming,
        ),
        root_test("a_restarted_machine_gets_the_isolated_cores_again", restarted),
        root_test("a_start_while_the_core_is_isolated_names_the_machine_that_has_it", taken),
        root_test("two_machines_share_a_host_and_the_last_puts_it_back", two_machines)
            .with_ignored_flag(usual_cores().len() < 3),
        root_test("all_cores_of_the_host_cannot_be_isolated", all_cores),
    ]
}

/// The core that the tests take: one that the boot line has left to Linux.
fn core() -> CoreId {
    usual_cores().last().unwrap()
}

fn usual_cores() -> CoreSet {
    let topology = topology();
    topology.online.without(&topology.isolated)
}

fn start() -> Running {
    Running::start(&[&format!("--cores={}", core())])
}

fn assert_isolated(report: &TierReport) {
    assert_eq!(report.tier, Tier::Isolated, "{:#?}", report.lines());
    let mut done = vec![StepName::Cores, StepName::Workqueues, StepName::IdleStates, StepName::Memory];
    done.extend(may_be_real_time().then_some(StepName::Scheduling));
    for step in done {
        assert!(matches!(report.outcome(step), Some(Outcome::Done { .. })), "{step}: {:#?}", report.lines());
    }
    match report.outcome(StepName::Interrupts) {
        Some(Outcome::Done { .. }) => {}
        // Some drivers bind theirs; that has to be said.
        Some(Outcome::Missing { why, .. }) => assert!(why.contains("were refused ("), "{why}"),
        other => panic!("{other:?}"),
    }
}

/// Whether Linux gives this process real-time threads: in a group that has no share of their time it does not, root or not.
fn may_be_real_time() -> bool {
    let becomes = || {
        let parameters = libc::sched_param { sched_priority: 1 };
        // SAFETY: 0 means the calling thread, and `parameters` outlives the call.
        unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) == 0 }
    };
    // A thread of its own, which keeps the priority to itself and ends at once.
    std::thread::spawn(becomes).join().unwrap()
}

fn assert_thread_is_placed(machine: ProcessId) {
    let threads = statuses(machine.pid);
    let own = format!("core-{}", core());
    let (tid, status) = threads.iter().find(|(_, status)| status.name() == own).unwrap();
    assert_eq!(status.cores(), core().to_string());
    // SAFETY: the call only takes a number.
    let scheduler = unsafe { libc::sched_getscheduler(*tid) };
    assert_eq!(scheduler == libc::SCHED_FIFO, may_be_real_time());
    for (_, status) in threads.iter().filter(|(_, status)| !status.name().starts_with("core-")) {
        let (name, cores) = (status.name(), CoreSet::parse_list(status.cores()).unwrap());
        assert!(!cores.contains(core()), "{name} may run on {cores}");
    }
}

fn holds_its_thread() {
    let before = Snapshot::take();
    let mut running = start();
    let machine = running.machine();
    assert_isolated(&running.placed());
    assert_thread_is_placed(machine);
    let linux = topology().online.without(&CoreSet::from(core()));
    let ordinary = linux.without(&topology().isolated).to_string();
    let linux = linux.to_string();
    assert_eq!(allowed_cores(1, 1), ordinary, "process 1 is kept off");
    assert_eq!(allowed_cores(running.pid(), running.pid()), ordinary, "the parent is kept off");
    assert_interrupts_are_moved();
    if has_cpusets_v1() {
        let (tid, _) = threads(machine.pid).into_iter().find(|(_, name)| name.starts_with("core-")).unwrap();
        assert_eq!(cpuset(machine.pid, tid), format!("/hallows-{}", running.pid()));
        assert_eq!(cpuset(machine.pid, machine.pid), "/hallows-linux");
        let value =
            |file: &str| std::fs::read_to_string(format!("{CPUSETS}/{file}")).unwrap().trim().to_owned();
        assert_eq!(value("cpuset.sched_load_balance"), "0");
        assert_eq!(value(&format!("hallows-{}/cpuset.cpus", running.pid())), core().to_string());
        assert_eq!(value(&format!("hallows-{}/cpuset.cpu_exclusive", running.pid())), "1");
        assert_eq!(value("hallows-linux/cpuset.cpus"), linux);
        assert_only_bound_kernel_threads_remain();
    }
    running.signal(Signal::INT);
    assert_eq!(running.code(), Some(0));
    before.assert_restored();
}

/// No interrupt can come to the core except those that their driver has bound, which the kernel refuses to touch.
fn assert_interrupts_are_moved() {
    for entry in std::fs::read_dir("/proc/irq").unwrap().flatten() {
        let path = entry.path().join("smp_affinity_list");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if CoreSet::parse_list(&text).is_ok_and(|cores| cores.contains(core())) {
            assert!(std::fs::write(&path, &text).is_err(), "{} could have been moved", path.display());
        }
    }
}

/// In the root set, only kernel threads that are bound to their cores are left.
fn assert_only_bound_kernel_threads_remain() {
    let tasks = std::fs::read_to_string(format!("{CPUSETS}/tasks")).unwrap();
    for tid in tasks.lines() {
        let Ok(executable) = std::fs::read_link(format!("/proc/{tid}/exe")) else { continue };
        panic!("{} is left in the root cpuset", executable.display());
    }
}

/// A process that may only run on the core that the tests take; ended when dropped.
struct Bystander(Child);

impl Bystander {
    fn start() -> Self {
        let only = CoreSet::from(core()).to_cpu_set();
        let mut command = Command::new("sleep");
        command.arg("1000");
        // SAFETY: one system call between fork and exec.
        unsafe {
            command.pre_exec(move || Ok(rustix::thread::sched_setaffinity(None, &only)?));
        }
        Self(command.spawn().unwrap())
    }

    fn cores(&self) -> String {
        allowed_cores(self.0.id().cast_signed(), self.0.id().cast_signed())
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn narrow_affinity() {
    let bystander = Bystander::start();
    let own = bystander.cores();
    assert_eq!(own, core().to_string());
    let mut running = start();
    running.machine();
    assert_isolated(&running.placed());
    assert_ne!(bystander.cores(), own);
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
    assert_eq!(bystander.cores(), own);
}

fn machine_killed() {
    let before = Snapshot::take();
    let mut running = start();
    let machine = running.machine();
    assert_isolated(&running.placed());
    send(machine.pid, Signal::KILL);
    assert_eq!(running.code(), Some(137));
    before.assert_restored();
}

/// Kills the parent of an isolated machine, which leaves the host changed.
fn leave_leftovers(before: &Snapshot) -> i32 {
    let mut running = start();
    let machine = running.machine();
    assert_isolated(&running.placed());
    let pid = running.pid();
    running.signal(Signal::KILL);
    running.status();
    wait_for_end(machine);
    assert_ne!(*before, Snapshot::take(), "the test is about what is left");
    // Its drop would restore the host before the test can.
    std::mem::forget(running);
    pid
}

fn parent_killed() {
    let before = Snapshot::take();
    let pid = leave_leftovers(&before);
    let report = restore().unwrap().unwrap();
    assert_eq!(report.dead_machines, [pid]);
    assert_eq!(report.failures, Vec::<String>::new());
    before.assert_restored();
    assert_eq!(restore().unwrap(), None);
}

fn next_start() {
    let before = Snapshot::take();
    let pid = leave_leftovers(&before);
    let mut running = Running::start(&["--shared"]);
    assert!(running.hear("leftovers").contains(&pid.to_string()));
    running.machine();
    before.assert_restored();
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
    before.assert_restored();
}

fn killed_while_claiming() {
    let before = Snapshot::take();
    let running = start();
    // The journal is the first thing that is written; the changes follow it for some milliseconds.
    wait_for_file(std::path::Path::new("/run/hallows/host.json"));
    running.signal(Signal::KILL);
    drop(running);
    restore().unwrap();
    before.assert_restored();
}

/// Waits until a file appears in its directory.
fn wait_for_file(path: &std::path::Path) {
    use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
    let events = init(CreateFlags::CLOEXEC).unwrap();
    let watched = WatchFlags::MOVED_TO | WatchFlags::CREATE;
    add_watch(&events, path.parent().unwrap(), watched).unwrap();
    while !path.exists() {
        let mut buffer = [0u8; 4096];
        rustix::io::read(&events, &mut buffer).unwrap();
    }
}

fn restarted() {
    let before = Snapshot::take();
    let mut running = Running::start(&[&format!("--cores={}", core()), "--restart=2"]);
    running.machine();
    assert_isolated(&running.placed());
    let crash = Request::Kill { cell: CellSelector::Name("everything".to_owned()) };
    ask(&running.control(), &crash).unwrap();
    let second = running.machine();
    assert_isolated(&running.placed());
    assert_thread_is_placed(second);
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
    before.assert_restored();
}

fn taken() {
    let mut first = start();
    first.machine();
    assert_isolated(&first.placed());
    let mut second = start();
    let error = second.hear("error");
    assert!(error.contains(&format!("core {} is in use by process {} (", core(), first.pid())), "{error}");
    assert_eq!(second.code(), Some(69));
    first.signal(Signal::TERM);
    assert_eq!(first.code(), Some(0));
}

fn two_machines() {
    let before = Snapshot::take();
    let mut first = start();
    first.machine();
    assert_isolated(&first.placed());
    let other = usual_cores().iter().rev().nth(1).unwrap();
    let mut second = Running::start(&[&format!("--cores={other}")]);
    let machine = second.machine();
    assert_isolated(&second.placed());
    let ordinary = |taken: &[CoreId]| usual_cores().without(&taken.iter().copied().collect()).to_string();
    assert_eq!(allowed_cores(1, 1), ordinary(&[core(), other]));
    first.signal(Signal::TERM);
    assert_eq!(first.code(), Some(0));
    assert_eq!(allowed_cores(1, 1), ordinary(&[other]));
    let (tid, _) = threads(machine.pid).into_iter().find(|(_, name)| name.starts_with("core-")).unwrap();
    assert_eq!(allowed_cores(machine.pid, tid), other.to_string());
    second.signal(Signal::TERM);
    assert_eq!(second.code(), Some(0));
    before.assert_restored();
}

fn all_cores() {
    let before = Snapshot::take();
    let mut running = Running::start(&[&format!("--cores={}", topology().online)]);
    let report = running.placed();
    assert_eq!(report.tier, Tier::Shared);
    let Some(Outcome::Missing { why, .. }) = report.outcome(StepName::Cores) else { panic!("{report:?}") };
    assert!(why.contains("Linux must keep one"), "{why}");
    before.assert_restored();
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
}
