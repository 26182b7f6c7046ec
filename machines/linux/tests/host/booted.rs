//! Tier `booted`: cores that the boot line isolated. Runs where there are any (see in-vm.py beside these tests).

use hallows_linux::host::tier::{Outcome, StepName, Tier, TierReport};
use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::host::{Snapshot, statuses, topology};
use crate::running::{OrdinaryUser, Running};
use crate::test;

pub fn tests() -> Vec<Trial> {
    let is_booted = !topology().isolated.is_empty();
    let tests = [
        test("cores_isolated_at_boot_are_the_default_and_need_no_cpuset", by_root),
        test("an_ordinary_user_may_use_cores_isolated_at_boot", by_ordinary_user),
    ];
    tests.into_iter().map(|test| test.with_ignored_flag(!is_booted)).collect()
}

fn assert_booted(report: &TierReport) {
    assert_eq!(report.tier, Tier::Booted, "{:#?}", report.lines());
    assert_eq!(report.programs, topology().isolated);
    assert!(matches!(report.outcome(StepName::Cores), Some(Outcome::Done { .. })), "{:#?}", report.lines());
    let tick = report.outcome(StepName::Tick);
    assert_eq!(matches!(tick, Some(Outcome::Done { .. })), report.programs.is_subset(&topology().tickless));
}

fn assert_pinned(pid: i32) {
    for (_, status) in statuses(pid) {
        if let Some(core) = status.name().strip_prefix("core-") {
            assert_eq!(status.cores(), core);
        }
    }
}

fn by_root() {
    let before = Snapshot::take();
    let mut running = Running::start(&[]);
    let machine = running.machine();
    assert_booted(&running.placed());
    assert_pinned(machine.pid);
    assert!(!std::path::Path::new(&format!("/sys/fs/cgroup/hallows-{}", running.pid())).exists());
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
    before.assert_restored();
}

fn by_ordinary_user() {
    let user = OrdinaryUser::new();
    let mut running = user.start();
    let machine = running.machine();
    assert_booted(&running.placed());
    assert_pinned(machine.pid);
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
}
