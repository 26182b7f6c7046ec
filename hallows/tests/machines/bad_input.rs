//! What goes wrong before or beside a program: no permission, too narrow limits, odd files, signals of a shell. Each is an error that says what to do, or
//! what Linux does.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::running::{Running, command, say, say_in, send, stat};
use crate::{root_test, test, two_core_test};

pub fn tests() -> Vec<Trial> {
    vec![
        root_test("what_may_not_be_read_is_said_with_what_to_do", permissions),
        two_core_test("a_core_that_is_closed_to_this_process_is_said_with_those_that_are_not", closed_core),
        test("limits_that_are_too_narrow_are_named", limits),
        test("too_little_memory_says_how_much_is_enough", memory),
        test("a_program_as_text_needs_no_folder_before_its_name", text),
        test("a_directory_as_input_is_one_to_the_program", directory_as_input),
        test("a_key_that_kills_is_the_status_of_that_signal", killed_by_key),
        test("a_program_stops_as_a_job_of_a_shell_and_goes_on", job),
    ]
}

/// A program that does nothing but this.
fn program(body: &str) -> String {
    format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\40\00\00\00\05\00\00\00")
        (data (i32.const 64) "runs\0a")
        (func (export "_start") {body}))"#
    )
}

fn folder(body: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("program.wasm"), program(body)).unwrap();
    folder
}

fn text_of(bytes: &[u8]) -> String {
    // As one line, however wide the message is.
    String::from_utf8_lossy(bytes).replace("\n  │ ", " ")
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Nobody in particular.
const NOBODY: u32 = 65_534;

fn permissions() {
    let folder = folder("");
    let at = |name: &str| folder.path().join(name);
    set_mode(folder.path(), 0o755);
    for name in ["secret.wasm", "secret.toml"] {
        fs::copy(at("program.wasm"), at(name)).unwrap();
        set_mode(&at(name), 0o600);
    }
    for name in ["closed", "cache", "run", "theirs"] {
        fs::create_dir(at(name)).unwrap();
    }
    fs::copy(at("program.wasm"), at("closed/program.wasm")).unwrap();
    set_mode(&at("closed"), 0o700);
    for name in ["cache", "run"] {
        chown(at(name), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    // Where cargo's folder is closed to others, the command is not there for them.
    let own = at("hallows");
    fs::copy(env!("CARGO_BIN_EXE_hallows"), &own).unwrap();
    let run = |cache: &str, arguments: &[&str]| {
        let mut run = Command::new(&own);
        run.arg("run").args(arguments).current_dir(folder.path()).stdin(Stdio::null());
        run.env("XDG_RUNTIME_DIR", at("run")).env("XDG_CACHE_HOME", at(cache)).uid(NOBODY).gid(NOBODY);
        let Output { stdout, stderr, status } = run.output().unwrap();
        assert!(stdout.is_empty());
        (text_of(&stderr), status.code().unwrap())
    };
    assert_eq!(run("cache", &["program.wasm", "--tier", "shared"]), (String::new(), 0));
    for (arguments, expected) in [
        (
            &["secret.wasm"][..],
            "you may not read the program secret.wasm: let its owner permit it (`chmod a+r`",
        ),
        (&["closed/program.wasm"], "you may not read the program closed/program.wasm"),
        (&["secret.toml"], "you may not read the system secret.toml"),
        (&["program.wasm", "--dir", "closed"], "you may not enter it; let its owner permit it, `chmod a+rx`"),
        (&["program.wasm", "--dir", "closed/below"], "you may not enter it"),
        (&["theirs.wasm"], "there is no file theirs.wasm"),
        (&["./theirs"], "./theirs is a directory"),
    ] {
        let (error, code) = run("cache", arguments);
        assert!(error.contains(expected), "{arguments:?}: {error}");
        assert_eq!(code, 64, "{arguments:?}: {error}");
    }
    let (error, code) = run("closed", &["program.wasm"]);
    assert!(error.contains("name a folder that you may write to in XDG_CACHE_HOME") && code == 64, "{error}");
    // Root names it, and the machine, which has given root's power up, may not enter it.
    chown(at("closed"), Some(NOBODY), Some(NOBODY)).unwrap();
    let place = folder.path().to_str().unwrap();
    let (_, error, code) = say_in(place, &["run", "program.wasm", "--dir", "closed"]);
    assert!(error.contains("no root's power") && error.contains("`chmod a+rx`"), "{error}");
    assert_eq!(code, 71);
}

fn closed_core() {
    let allowed = crate::host::topology().allowed;
    let mut cores = allowed.iter().map(|core| core.to_string());
    let (Some(open), Some(closed)) = (cores.next(), cores.next()) else { panic!("two cores") };
    let folder = folder("");
    let place = folder.path().join("program.wasm");
    let mut run = Command::new("taskset");
    run.args(["-c", &open, env!("CARGO_BIN_EXE_hallows"), "run", "--cores", &closed]).arg(place);
    let output = run.stdin(Stdio::null()).output().unwrap();
    let error = text_of(&output.stderr);
    let expected = format!(
        "cores {closed} of --cores are closed to this process (taskset, container or cpuset); it may use {open}"
    );
    assert!(error.contains(&expected), "{error}");
    assert_eq!(output.status.code(), Some(64));
}

/// The command under this limit of a shell.
fn limited(limit: &str, folder: &Path) -> (String, i32) {
    let script = format!("ulimit {limit}; exec {} run program.wasm", env!("CARGO_BIN_EXE_hallows"));
    let mut shell = Command::new("sh");
    let output = shell.args(["-c", &script]).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    (text_of(&output.stderr), output.status.code().unwrap_or(-1))
}

fn limits() {
    let folder = folder("(call $exit (i32.const 7))");
    // Compiled, so that nothing is to be kept.
    assert_eq!(say_in(folder.path().to_str().unwrap(), &["run", "program.wasm"]).2, 7);
    // The soft limit is lifted by itself.
    assert_eq!(limited("-Sn 10", folder.path()), (String::new(), 7));
    let (error, code) = limited("-n 20", folder.path());
    assert!(
        error.contains("this process may have 20 files open, and a machine needs 64")
            && error.contains("ulimit -n"),
        "{error}"
    );
    assert_eq!(code, 64);
    let (error, code) = limited("-f 1", folder.path());
    assert!(error.contains("raise the limit (`ulimit -f`)"), "{error}");
    assert_eq!(code, 64);
}

fn memory() {
    let folder = folder("");
    let description = "stop_after = [\"one\"]\n[cells.one]\nprogram = \"program.wasm\"\nmemory = \"300M\"\n";
    fs::write(folder.path().join("system.toml"), description).unwrap();
    let place = folder.path().to_str().unwrap();
    let (_, error, code) = say_in(place, &["run", "system.toml", "--quiet"]);
    assert_eq!(code, 71);
    let advice = error.split("--memory ").nth(1).and_then(|rest| rest.split(',').next());
    let advice = advice.unwrap_or_else(|| panic!("{error}")).to_owned();
    assert!(error.contains("256 MiB of memory, too little for the cell one"), "{error}");
    // What is said is enough.
    let (output, error, code) = say_in(place, &["run", "system.toml", "--quiet", "--memory", &advice]);
    assert_eq!((output.as_str(), error.as_str(), code), ("", "", 0), "{advice}");
}

fn text() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("seven.wat"), program("(call $exit (i32.const 7))")).unwrap();
    let place = folder.path().to_str().unwrap();
    assert_eq!(say_in(place, &["run", "seven.wat"]), (String::new(), String::new(), 7));
    let system = "stop_after = [\"one\"]\n[cells.one]\nprogram = \"seven.wat\"\nrestart = \"never\"\n";
    fs::write(folder.path().join("system.toml"), system).unwrap();
    let (output, error, code) = say_in(place, &["run", "--quiet", "system.toml"]);
    assert!((output + &error).contains("exited with status 7") && code == 1);
    let (_, error, code) = say_in(place, &["run", "gone.wat"]);
    assert!(error.contains("there is no file gone.wat") && code == 64, "{error}");
    let (_, error, code) = say_in(place, &["run", "/dev/zero"]);
    assert!(error.contains("/dev/zero is a pipe or a device") && code == 64, "{error}");
}

fn directory_as_input() {
    let folder = folder("(call $exit (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))");
    let mut run = command(&["run", folder.path().join("program.wasm").to_str().unwrap()]);
    let output = run.stdin(fs::File::open("/").unwrap()).output().unwrap();
    // `isdir` of WASI.
    assert_eq!(output.status.code(), Some(31), "{output:?}");
}

/// Says that it runs, again and again.
const RUNS: &str = "(loop $on (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable)) (br $on))";

fn killed_by_key() {
    let folder = folder(RUNS);
    let mut running = Running::start(&["run", folder.path().join("program.wasm").to_str().unwrap()], None);
    running.hear("runs");
    running.signal(Signal::QUIT);
    assert_eq!(running.code(), 131);
}

/// Waits until a process is stopped, or is not.
fn await_stop(pid: i32, stopped: bool) {
    let began = Instant::now();
    loop {
        let state = stat(&pid.to_string(), 3);
        if (state == "T") == stopped {
            return;
        }
        assert!(began.elapsed().as_secs() < 60, "{state}");
        std::thread::yield_now();
    }
}

fn job() {
    let folder = folder(RUNS);
    let path = folder.path().join("program.wasm");
    // In a process group of its own, as a shell starts a job.
    let mut running = Running::job(&["run", path.to_str().unwrap()]);
    running.hear("runs");
    let machine = running.machine();
    for _ in 0..2 {
        running.signal(Signal::TSTP);
        await_stop(running.pid(), true);
        await_stop(machine, true);
        running.signal(Signal::CONT);
        await_stop(running.pid(), false);
        await_stop(machine, false);
        running.hear("runs");
    }
    running.signal(Signal::INT);
    assert_eq!(running.code(), 130);
    // A system, which others talk to, is not stopped.
    let mut system = Running::job(&["run", "default"]);
    system.placed();
    system.signal(Signal::TSTP);
    let (shown, error, code) = say(&["ps", "--machine", &system.pid().to_string()]);
    assert!(shown.contains("calculator") && code == 0, "{error}");
    send(system.pid(), Signal::INT);
    assert_eq!(system.code(), 0);
}
