//! Tier `shared`: machines of ordinary users, jail, console, one core.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use hallows_linux::host::jail::JailReport;
use hallows_linux::host::process_id::ProcessId;
use hallows_linux::host::tier::{Outcome, StepName};
use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::host::{Snapshot, statuses, threads};
use crate::running::{OrdinaryUser, Running, parent};
use crate::{root_test, test};

pub fn tests() -> Vec<Trial> {
    vec![
        test("a_machine_runs_jailed_at_tier_shared_and_changes_nothing", jailed_at_tier_shared),
        root_test("an_ordinary_user_gets_a_machine_and_is_told_what_is_missing", ordinary_user),
        test("on_one_core_the_timekeeper_shares_it_and_says_so", one_core)
            .with_ignored_flag(!crate::host::topology().isolated.is_empty()),
        test("the_console_carries_bytes_both_ways_and_the_end_of_input", console),
        test("the_machine_process_refuses_to_be_started_by_hand", by_hand),
        test("cores_of_another_machine_are_refused_by_its_pid", taken_cores),
    ]
}

fn assert_jailed(machine: ProcessId) {
    for (_, status) in statuses(machine.pid) {
        let name = status.name();
        assert_eq!(status.field("Seccomp"), "2", "{name}");
        assert_eq!(status.field("NoNewPrivs"), "1", "{name}");
        assert_eq!(status.field("CapEff").trim_matches('0'), "", "{name}");
        assert_eq!(status.field("CapPrm").trim_matches('0'), "", "{name}");
    }
}

fn jailed_at_tier_shared() {
    let before = Snapshot::take();
    let mut running = Running::start(&["--shared"]);
    let jail: JailReport = serde_json::from_str(&running.hear("jailed")).unwrap();
    let machine = running.machine();
    let report = running.placed();
    before.assert_restored();
    assert_jailed(machine);
    assert_eq!(report.tier, crate::host::unprivileged_tier());
    // Link, console, configuration, the three standard streams, and what the machine itself opened.
    assert!((6..16).contains(&jail.open_descriptors), "{jail:?}");
    let names: Vec<_> = threads(machine.pid).into_iter().map(|(_, name)| name).collect();
    for (_, status) in statuses(machine.pid) {
        let name = status.name();
        let core = name.strip_prefix("core-").map_or_else(|| report.housekeeping.to_string(), str::to_owned);
        assert_eq!(status.cores(), core, "{name} is where it was said to be");
    }
    assert!(names.contains(&"timekeeper".to_owned()), "{names:?}");
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
    before.assert_restored();
}

fn ordinary_user() {
    let before = Snapshot::take();
    let user = OrdinaryUser::new();
    let mut running = user.start();
    let machine = running.machine();
    let report = running.placed();
    assert_eq!(report.tier, crate::host::unprivileged_tier());
    for step in [StepName::Workqueues, StepName::Interrupts, StepName::Scheduling] {
        let Some(Outcome::Missing { why, remedy }) = report.outcome(step) else {
            panic!("{step}: {report:?}")
        };
        assert!(why.contains("only root") && remedy.contains("sudo"), "{why}; {remedy}");
    }
    assert_jailed(machine);
    assert!(std::path::Path::new(&format!("/tmp/hallows-65534/machine-{}.sock", running.pid())).exists());
    running.signal(Signal::INT);
    assert_eq!(running.code(), Some(0));
    before.assert_restored();
}

fn one_core() {
    let core = crate::host::topology().allowed.first().unwrap();
    let mut command = parent(&["--shared"]);
    let only = hallows_linux::host::core_set::CoreSet::from(core).to_cpu_set();
    // SAFETY: one system call between fork and exec.
    unsafe {
        command.pre_exec(move || Ok(rustix::thread::sched_setaffinity(None, &only)?));
    }
    let mut running = Running::start_command(command);
    let line = running.hear("cores");
    assert!(
        line.contains(&format!("shares core {core}")) && line.contains("quanta are at least 1 ms"),
        "{line}"
    );
    let machine = running.machine();
    running.placed();
    for (_, status) in statuses(machine.pid) {
        assert_eq!(status.cores(), core.to_string(), "{}", status.name());
    }
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
}

fn console() {
    let mut running = Running::start(&["--shared", "--echo"]);
    running.machine();
    running.placed();
    // The last line before the echo.
    running.hear("attached");
    // More than fits into any buffer on the way.
    let text: Vec<u8> = (0..4_000_000u32).map(|number| b'a' + (number % 23) as u8).collect();
    let mut stdin = running.stdin.take().unwrap();
    let sent = text.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&sent).unwrap());
    let heard = running.hear_all();
    writer.join().unwrap();
    let (echoed, rest) = heard.split_at(text.len().min(heard.len()));
    assert!(echoed == text, "{} of {} bytes came back", echoed.len(), text.len());
    assert!(rest.starts_with(b"released "), "{:?}", String::from_utf8_lossy(rest));
    assert_eq!(running.code(), Some(7));
}

fn by_hand() {
    let program = std::env::current_exe().unwrap();
    for arguments in [&["machine-process"][..], &["machine-process", "0"], &["machine-process", "99999"]] {
        // By its name alone is a machine process one: a user's program may have any arguments.
        let mut command = Command::new(&program);
        let output = command.arg0("hallows-machine").args(arguments).stdin(Stdio::null()).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{error}");
        assert!(error.contains("use `hallows run`"), "{error}");
    }
}

fn taken_cores() {
    let mut first = Running::start(&["--shared"]);
    first.machine();
    let mut second = Running::start(&["--shared"]);
    let error = second.hear("error");
    assert!(error.contains(&format!("is in use by process {} (", first.pid())), "{error}");
    assert_eq!(second.code(), Some(69));
    first.signal(Signal::TERM);
    assert_eq!(first.code(), Some(0));
    let mut third = Running::start(&["--shared"]);
    third.machine();
    third.signal(Signal::TERM);
    assert_eq!(third.code(), Some(0));
}
