//! Machines in the background, and what ties them to who starts them: until they have booted, and no longer.

use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};

use libtest_mimic::Trial;
use rustix::process::{Pid, Signal};

use crate::running::{await_end, command, no_machine, say, send};
use crate::test;
use crate::unix::{path, program};

pub fn tests() -> Vec<Trial> {
    vec![
        test("a_unix_program_in_the_background_writes_to_nowhere_and_takes_no_memory", errors_nobody_reads),
        test("a_machine_ends_whose_starter_is_gone_before_it_has_booted", starter_gone),
        test("background_is_not_for_people", by_hand),
    ]
}

const SHARED: [&str; 2] = ["--tier", "shared"];
/// As much as a start in the background keeps of what it says.
const KEPT_BYTES: u64 = 64 << 10;

/// Files in memory that a process holds for what is said at a start, and their lengths in bytes.
fn kept_by(pid: i32) -> Vec<u64> {
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten().map(|entry| entry.path());
    let is_kept = |path: &std::path::PathBuf| {
        std::fs::read_link(path).is_ok_and(|name| name.to_string_lossy().contains("hallows-said"))
    };
    files.filter(is_kept).map(|path| std::fs::metadata(path).unwrap().len()).collect()
}

fn errors_nobody_reads() {
    // Three megabytes to the errors, a word to the output, and no end.
    let body = "(local $left i32) (local.set $left (i32.const 50))
        (loop $more
            (call $say (i32.const 2) (i32.const 64) (i32.const 65000))
            (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (call $say (i32.const 1) (i32.const 64) (i32.const 14))
        (loop $ever (br $ever))";
    let file = program(body);
    let output = tempfile::NamedTempFile::new().unwrap();
    // Who starts it reads its errors to their end: nobody but it has them.
    let started = command(&["run", path(&file), "--detach"])
        .stdout(output.reopen().unwrap())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!((started.status.code(), started.stderr.as_slice()), (Some(0), &b""[..]));
    let pid: i32 = loop {
        let mut said = String::new();
        File::open(output.path()).unwrap().read_to_string(&mut said).unwrap();
        if said.contains("to the output") {
            break said.lines().find_map(|line| line.parse().ok()).unwrap();
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    let machine = child_of(pid).unwrap();
    for process in [pid, machine] {
        let kept = kept_by(process);
        assert!(kept.iter().all(|bytes| *bytes <= KEPT_BYTES), "{process}: {kept:?}");
    }
    let errors = std::fs::read_link(format!("/proc/{pid}/fd/2")).unwrap();
    assert_eq!(errors.to_str(), Some("/dev/null"));
    assert_eq!(say(&["stop"]).2, 0);
    assert!(no_machine());
}

/// A process's child, once it has one.
fn child_of(pid: i32) -> Option<i32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// Starts a machine, stops its parent process in both senses of the word, and ends who started it meanwhile. A machine that has booted before
/// this test got so far is stopped, and another started.
fn abandon(arguments: &[&str], signal: Signal) {
    let began = (0..20).any(|_| {
        let began = try_to_abandon(arguments, signal);
        if !began {
            let _ = say(&["stop"]);
        }
        assert!(no_machine(), "{arguments:?}");
        began
    });
    assert!(began, "it always boots first: {arguments:?}");
}

/// False: the machine has booted before.
fn try_to_abandon(arguments: &[&str], signal: Signal) -> bool {
    let mut starter: Child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    let pid = starter.id().cast_signed();
    // Once it is another program: before, who starts it takes no signals.
    let is_started = |child: &i32| {
        std::fs::read_to_string(format!("/proc/{child}/cmdline"))
            .is_ok_and(|line| line.contains("--background"))
    };
    let parent = loop {
        if let Some(child) = child_of(pid).filter(is_started) {
            break child;
        }
        if let Some(status) = starter.try_wait().unwrap() {
            assert!(status.success(), "it started nothing");
            return false;
        }
    };
    send(parent, Signal::STOP);
    // As a terminal does it: to all of the group.
    rustix::process::kill_process_group(Pid::from_raw(pid).unwrap(), signal).unwrap();
    let has_booted = starter.wait().unwrap().success();
    // It may have ended with who started it, and its name have been given back.
    let _ = rustix::process::kill_process(Pid::from_raw(parent).unwrap(), Signal::CONT);
    if !has_booted {
        await_end(parent);
    }
    !has_booted
}

fn starter_gone() {
    for signal in [Signal::INT, Signal::HUP, Signal::KILL] {
        abandon(&[&["run", "default", "--detach"][..], &SHARED].concat(), signal);
        abandon(&SHARED, signal);
    }
}

fn by_hand() {
    let (_, error, code) = say(&["run", "default", "--background"]);
    assert!(code == 64 && error.contains("--detach"), "{error}");
}
