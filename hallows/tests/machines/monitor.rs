//! The monitor and its kin: commands from a pipe, `top`, `restart`, machines in the background.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::{Pid, Signal};

use crate::running::{Running, await_end, await_state, command, no_machine, ps, say, send, stat};
use crate::test;

pub fn tests() -> Vec<Trial> {
    vec![
        test("cells_endpoints_and_capabilities_are_shown_to_a_script", shown),
        test("what_is_wrong_with_a_command_is_said_with_what_was_perhaps_meant", wrong),
        test("a_message_is_answered_and_a_crash_is_an_error_and_a_fault", messages),
        test("a_cell_is_restarted_by_its_supervisor_and_stays_down_when_it_is_stopped", lives),
        test("what_the_system_cannot_do_without_is_not_ended_alone", system_cells),
        test("a_program_is_started_with_what_it_is_given_and_goes_when_it_is_stopped", started),
        test("a_unix_program_is_started_in_a_machine_that_runs_and_its_output_is_in_the_log", unix),
        test("what_a_unix_program_cannot_be_given_in_a_machine_that_runs_is_said", unix_refused),
        test("a_unix_program_is_given_directories_that_the_machine_lends_and_no_others", unix_directories),
        test("top_tells_calls_and_their_latency", top),
        test("hallows_alone_boots_the_default_system_and_ends_it_with_its_monitor", alone),
        test("a_machine_that_is_detached_outlives_its_monitor", detached),
        test("an_owner_that_was_detached_ends_nothing_when_it_quits", detached_owner),
        test("what_clients_leave_behind_holds_up_nobody", left_behind),
        test("a_machine_whose_owner_is_killed_ends_and_that_of_a_guest_goes_on", owner_killed),
        test("a_cell_that_misses_too_many_deadlines_begins_anew", deadlines_missed),
        test("a_machine_is_started_in_the_background", background),
        test("a_start_in_the_background_that_fails_says_why", background_fails),
    ]
}

/// Servers to look at.
const SERVERS: &str = "\
[cells.calculator]
program = \"calculator\"
serves = { calc = \"passive\" }
[cells.counter]
program = \"counter\"
serves = { counter = \"active\" }
restart = \"on-fault\"
";
const SHARED: [&str; 2] = ["--tier", "shared"];
/// One and five more, as the counter's messages are laid out: an action in four bytes, an amount in eight.
const ADD_FIVE: &str = "0x01000000_0500000000000000";
const CRASH: &str = "0x02000000_0000000000000000";

fn servers() -> Running {
    let mut running = Running::of(SERVERS, &SHARED);
    running.placed();
    for name in ["calculator", "counter"] {
        await_state(running.pid(), name, "waiting");
    }
    running
}

fn with_input(arguments: &[&str], input: &str) -> Output {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end before it has read all; it says why.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// What a monitor says to these commands: standard output, standard error, exit code.
fn attach(commands: &str) -> (String, String, i32) {
    parts(with_input(&["attach"], commands))
}

/// What the monitor of one machine says to them.
pub fn attach_to(machine: i32, commands: &str) -> (String, String, i32) {
    parts(with_input(&["attach", "--machine", &machine.to_string()], commands))
}

fn parts(Output { stdout, stderr, status }: Output) -> (String, String, i32) {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(stdout), text(stderr), status.code().unwrap())
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn cell<'a>(cells: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    cells.as_array().unwrap().iter().find(|cell| cell["name"] == name).unwrap()
}

fn shown() {
    let mut running = servers();
    let (output, error, code) =
        attach("# a comment\n\ncells\nendpoints\ninspect counter\ncaps supervisor\nmachine\nhelp\n");
    assert_eq!((error.as_str(), code), ("", 0), "{output}");
    for part in [
        "calculator.calc\ncounter.counter\n",
        "part of the system",
        "serves       counter.counter",
        "(itself)",
        "cell.counter",
        "(its budget)",
        "tier shared",
        "End a cell and keep it down",
    ] {
        assert!(output.contains(part), "{part}: {output}");
    }
    let (output, error, code) =
        attach("cells --json\ninspect calculator --json\ncaps supervisor --json\nendpoints --json\n");
    assert_eq!((error.as_str(), code), ("", 0), "{output}");
    let mut lines = output.lines().map(json);
    let cells = lines.next().unwrap();
    assert_eq!(cell(&cells, "supervisor")["is_system"], true);
    assert_eq!(cell(&cells, "calculator")["serves"][0], "calculator.calc");
    let calculator = lines.next().unwrap();
    assert_eq!((&calculator["name"], &calculator["state"]), (&"calculator".into(), &"waiting".into()));
    let capabilities: Vec<_> = lines.clone().filter(|line| line["kind"].is_string()).collect();
    let of_counter = capabilities.iter().find(|capability| capability["name"] == "cell.counter").unwrap();
    assert_eq!((&of_counter["kind"], &of_counter["object"]), (&"cell".into(), &"counter".into()));
    assert!(of_counter["rights"].as_array().unwrap().contains(&"manage".into()), "{of_counter}");
    assert_eq!(lines.next_back().unwrap(), serde_json::json!(["calculator.calc", "counter.counter"]));
    // A guest's end is not the machine's.
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}

fn wrong() {
    let mut running = servers();
    for (line, part) in [
        ("insepct counter", "inspect"),
        ("inspect cuonter", "did you mean counter?"),
        ("inspect 77", "no such cell as number 77"),
        ("send calculator.clac 0x", "did you mean calculator.calc?"),
        ("send counter 0x1", "two hexadecimal digits"),
        ("send supervisor.faults 0x", "no endpoint supervisor.faults"),
        ("start calcluator", "did you mean calculator?"),
        ("start ./no-such.wasm", "cannot read the program ./no-such.wasm"),
        ("start calculator --native --serve calc=sideways", "passive or active"),
        ("start calculator-client --native --use calc=nobody.calc", "no endpoint nobody.calc"),
        ("start spin --native --as a.b", "the dot"),
        ("start supervisor --native", "no program supervisor is linked in"),
        ("start spin --native --memory 100G", "has no room"),
        ("send 'counter", "quote"),
    ] {
        let (output, error, code) = attach(&format!("{line}\ncells\n"));
        assert!(error.contains(part), "{line}: {error}");
        assert_eq!(code, 64, "{line}: {error}");
        assert!(output.contains("counter"), "it goes on after an error: {output}");
    }
    let (_, _, code) = attach("cells\nquit\nno-such-command\n");
    assert_eq!(code, 0, "what is behind quit is not read");
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}

fn messages() {
    let mut running = servers();
    let began = Instant::now();
    let (output, error, code) =
        attach(&format!("send counter {ADD_FIVE}\nsend counter.counter {ADD_FIVE} --json\nfaults\n"));
    assert_eq!((error.as_str(), code), ("", 0));
    assert!(output.contains("8 bytes after") && output.contains("0x 05 00 00 00 00 00 00 00"), "{output}");
    assert!(output.contains("no cell has faulted"), "{output}");
    let answer = json(output.lines().find(|line| line.starts_with('{')).unwrap());
    assert_eq!(answer["hex"], "0a00000000000000");
    assert!(answer["took_ns"].as_u64().unwrap() > 0);
    // Nobody stays behind, once the core is done with it.
    let is_left =
        || ps(running.pid())["cells"].as_array().unwrap().iter().any(|cell| cell["name"] == "messenger");
    while is_left() {
        assert!(began.elapsed() < Duration::from_secs(60), "it stays");
    }
    let (_, error, code) = attach(&format!("send counter {CRASH}\n"));
    assert!(error.contains("ended with an error") && error.contains("server"), "{error}");
    assert_eq!(code, 64);
    let (output, _, _) = attach("faults\nfaults --json\ninspect counter\n");
    assert!(output.contains("(counter), life 1:") && output.contains("last faults:"), "{output}");
    let fault = json(output.lines().find(|line| line.starts_with('{')).unwrap());
    assert_eq!(
        (&fault["sequence"], &fault["name"], &fault["life"]),
        (&1.into(), &"counter".into(), &1.into())
    );
    assert!(!fault["backtrace"].as_array().unwrap().is_empty(), "{fault}");
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}

fn lives() {
    let mut running = servers();
    let pid = running.pid();
    let restarts = |name: &str| cell(&ps(pid)["cells"], name)["restarts"].as_u64().unwrap();
    assert_eq!(say(&["restart", "calculator"]), (String::new(), String::new(), 0));
    assert_eq!(restarts("calculator"), 1);
    running.hear("calculator runs again: life 2");
    // Its state of the life before is gone.
    let (output, error, code) =
        attach(&format!("send counter {ADD_FIVE}\nrestart counter\nsend counter {ADD_FIVE}\n"));
    assert_eq!((error.as_str(), code), ("", 0));
    assert_eq!(output.matches("0x 05 00 00 00 00 00 00 00").count(), 2, "{output}");
    let (_, error, code) = attach("stop counter\ncells\n");
    assert_eq!((error.as_str(), code), ("", 0));
    assert_eq!(cell(&ps(pid)["cells"], "counter")["state"], "ended");
    let (_, error, code) = attach(&format!("send counter {ADD_FIVE}\n"));
    assert!(error.contains("ended with an error") && code == 64, "{error}");
    let (_, error, code) = attach("kill counter\n");
    assert!(error.contains("counter is over already") && code == 64, "{error}");
    // And yet it can be brought back, and is supervised again.
    let (output, error, code) = attach(&format!("restart counter\nsend counter {ADD_FIVE}\n"));
    assert!(output.contains("0x 05") && code == 0, "{error}");
    attach(&format!("send counter {CRASH}\n"));
    running.hear("counter runs again: life 4");
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}

fn system_cells() {
    let mut running = servers();
    for verb in ["kill", "restart"] {
        let (_, error, code) = say(&[verb, "supervisor"]);
        assert!(
            error.contains("supervisor is a part of the system") && error.contains("hallows stop"),
            "{error}"
        );
        assert_eq!(code, 64);
    }
    let (_, error, code) = attach("stop supervisor\n");
    assert!(error.contains("part of the system") && code == 64, "{error}");
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}

fn started() {
    let mut running = servers();
    let start = "start calculator-client rounds=3 --use calc=calculator.calc";
    let (output, error, code) = attach(&format!("{start} --as asks\n{start} --as asks\n"));
    assert_eq!((error.as_str(), code), ("", 0), "{output}");
    assert!(output.contains("asks runs as cell") && output.contains("asks-2 runs as cell"), "{output}");
    running.hear("21 answers, all of them right");
    running.hear("21 answers, all of them right");
    let (output, error, code) = attach("stop asks\nstop asks-2\ncells\n");
    assert_eq!((error.as_str(), code), ("", 0));
    assert!(!output.contains("asks"), "{output}");
    // Without its capability it says what it lacks.
    let (_, error, code) = attach("start calculator-client --native --as lacks\n");
    assert_eq!((error.as_str(), code), ("", 0));
    running.hear("lacks: needs a capability called `calc`");
    // A server that was started can be called, and started again.
    let (output, error, code) = attach(&format!(
        "start counter --as more --serve counter=active\nsend more.counter {ADD_FIVE}\nrestart more\nsend more {ADD_FIVE}\n"
    ));
    assert_eq!((error.as_str(), code), ("", 0), "{output}");
    assert_eq!(output.matches("0x 05 00 00 00 00 00 00 00").count(), 2, "{output}");
    // Again and again: what is stopped is given back.
    let again = "start spin --native\nstop spin\n".repeat(80);
    let (_, error, code) = attach(&again);
    assert_eq!((error.as_str(), code), ("", 0));
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}

/// Says the name of the program, then each argument and variable on a line of its own, and exits with a status, in the middle of a line.
const UNIX: &str = r#"(module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $arguments (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 32) "unended")
    (func $must (param i32) (if (local.get 0) (then unreachable)))
    ;; Texts at an address, each with a zero byte behind it, which becomes the end of a line.
    (func $lines (param $at i32) (param $length i32) (local $place i32)
        (local.set $place (local.get $at))
        (block $done (loop $next
            (br_if $done (i32.eq (local.get $place) (i32.add (local.get $at) (local.get $length))))
            (if (i32.eqz (i32.load8_u (local.get $place))) (then (i32.store8 (local.get $place) (i32.const 10))))
            (local.set $place (i32.add (local.get $place) (i32.const 1)))
            (br $next)))
        (call $say (i32.const 1) (local.get $at) (local.get $length)))
    (func $say (param $to i32) (param $at i32) (param $length i32)
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $length))
        (call $must (call $write (local.get $to) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func (export "_start")
        (call $must (call $sizes (i32.const 16) (i32.const 20)))
        (call $must (call $arguments (i32.const 1024) (i32.const 4096)))
        (call $lines (i32.const 4096) (i32.load (i32.const 20)))
        (call $must (call $environ_sizes (i32.const 16) (i32.const 20)))
        (call $must (call $environ (i32.const 1024) (i32.const 4096)))
        (call $lines (i32.const 4096) (i32.load (i32.const 20)))
        ;; A time of day after 2001, a number that is hardly 0, an input at its end, no directory.
        (call $must (call $time (i32.const 0) (i64.const 1) (i32.const 48)))
        (call $must (i64.lt_u (i64.load (i32.const 48)) (i64.const 1000000000000000000)))
        (call $must (call $random (i32.const 48) (i32.const 8)))
        (call $must (i64.eqz (i64.load (i32.const 48))))
        (i32.store (i32.const 0) (i32.const 48))
        (i32.store (i32.const 4) (i32.const 8))
        (call $must (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (call $must (i32.load (i32.const 8)))
        (call $must (i32.ne (call $prestat (i32.const 3) (i32.const 64)) (i32.const 8)))
        (call $say (i32.const 2) (i32.const 32) (i32.const 7))
        (call $exit (i32.sub (i32.load (i32.const 16)) (i32.const -1)))))"#;

/// The folder that this is in, and its path as a word of a line.
fn unix_program() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tells.wat");
    std::fs::write(&path, UNIX).unwrap();
    (folder, path.to_str().unwrap().to_owned())
}

fn unix() {
    let mut running = servers();
    let pid = running.pid();
    let (_folder, program) = unix_program();
    let start = format!("start {program} one 'two words' --env A=1 --env B=2 --env A=3");
    let (output, error, code) = attach(&format!("{start}\n"));
    assert_eq!((error.as_str(), code), ("", 0));
    assert!(output.contains("tells runs as cell"), "{output}");
    // As lines of others are, in their order; the end of the program is the end of its last one.
    for line in ["tells.wat", "one", "two words", "A=3", "B=2", "unended"] {
        assert_eq!(running.hear("tells: "), format!("tells: {line}\n"));
    }
    running.hear("(tells) exited with status 3");
    assert_eq!(cell(&ps(pid)["cells"], "tells")["last_fault"], "exited with status 3 (life 1)");
    let (output, error, code) = attach("cells\nsend tells.desk 0x00\nkill tells.desk\nstop tells.desk\n");
    assert!(output.contains("tells.desk") && output.contains("exited with status 3"), "{output}");
    assert!(error.contains("no endpoint tells.desk") && error.matches("part of the system").count() == 2);
    assert_eq!(code, 64, "{error}");
    // Another life has the same, and beside it another program of that name.
    let (output, error, code) = attach(&format!("restart tells\n{start} --stack 64K --memory 4M\n"));
    assert_eq!((error.as_str(), code), ("", 0));
    assert!(output.contains("tells-2 runs as cell"), "{output}");
    let ends = ["(tells) exited with status 3", "(tells-2) exited with status 3"];
    running.hear_each(&["tells: unended", "tells-2: unended", ends[0], ends[1]]);
    let (output, error, code) = attach("stop tells\nstop tells-2\ncells\nlog 2\n");
    assert_eq!((error.as_str(), code), ("", 0));
    assert!(!output.contains("tells.desk") && !output.contains("was killed"), "{output}");
    // What is stopped is given back, with what served it.
    let again = format!("start {program} --memory 1M\nstop tells\n").repeat(80);
    let (_, error, code) = attach(&again);
    assert_eq!((error.as_str(), code), ("", 0));
    assert_eq!(ps(pid)["cells"].as_array().unwrap().len(), 3);
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}

/// Opens `made` in descriptor 3 and appends a byte; its status is 0, or the error that it got.
const APPENDS: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "made")
    (func $must (param i32) (if (local.get 0) (then (call $exit (local.get 0)))))
    (func (export "_start")
        ;; Made if it is not there; to write, behind what it has.
        (call $must (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 1) (i64.const 64) (i64.const 64)
            (i32.const 1) (i32.const 32)))
        (i32.store (i32.const 0) (i32.const 64))
        (i32.store (i32.const 4) (i32.const 1))
        (call $must (call $write (i32.load (i32.const 32)) (i32.const 0) (i32.const 1) (i32.const 8)))
        (call $exit (i32.const 0))))"#;

/// What WASI calls Linux's EACCES and EROFS.
const ACCESS: u32 = 2;
const READ_ONLY: u32 = 69;

fn unix_directories() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["lent", "lent/below", "fixed", "other"] {
        std::fs::create_dir(place(name)).unwrap();
    }
    std::fs::write(place("appends.wat"), APPENDS).unwrap();
    let lends = [place("lent"), format!("{}:ro", place("fixed"))];
    let mut running =
        Running::of(SERVERS, &[&SHARED[..], &["--dir", &lends[0], "--dir", &lends[1]]].concat());
    running.placed();
    // Without Landlock there is one wall less: the service serves what it was handed.
    let has_walls = hallows_linux::host::jail::JailMeans::own().landlock > 0;
    let start = |directory: &str| {
        attach(&format!("start {} --as appends --dir {}\n", place("appends.wat"), place(directory)))
    };
    let refused = if has_walls { ACCESS } else { 0 };
    for (directory, status) in
        [("lent:.", 0), ("lent/below:/data", 0), ("lent:.:ro", READ_ONLY), ("fixed:.", refused)]
    {
        let (_, error, code) = start(directory);
        assert_eq!((error.as_str(), code), ("", 0), "{directory}");
        running.hear(&format!("(appends) exited with status {status}\n"));
        assert_eq!(attach("stop appends\n").2, 0);
    }
    let made = |name: &str| std::fs::read(place(name)).ok();
    assert_eq!((made("lent/made"), made("lent/below/made")), (Some(b"m".to_vec()), Some(b"m".to_vec())));
    assert_eq!(made("fixed/made").is_none(), has_walls);
    // Not what lies beside or above, whoever has opened it.
    if has_walls {
        for directory in ["other:.", ".:."] {
            let (_, error, code) = start(directory);
            assert!(error.contains("this machine reaches") && code == 64, "{error}");
        }
    }
    // Each life has the same.
    let again = format!("start {} --as again --dir {}:.\n", place("appends.wat"), place("lent"));
    for command in [again.as_str(), "restart again\n", "restart again\n"] {
        let (output, error, code) = attach(&format!("{command}cells\n"));
        assert_eq!((error.as_str(), code), ("", 0));
        assert!(output.contains("again.host") && output.contains("again.desk"), "{output}");
        running.hear("(again) exited with status 0\n");
    }
    assert_eq!(made("lent/made"), Some(b"mmmm".to_vec()));
    let (output, _, code) = attach("stop again\ncells\nlog 1\n");
    assert!(!output.contains("again.") && !output.contains("was killed") && code == 0, "{output}");
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}

fn unix_refused() {
    let mut running = servers();
    let (_folder, program) = unix_program();
    let unix = format!("start {program}");
    for (line, part) in [
        (format!("{unix} --use calc=calculator.calc"), "calls no endpoint and serves none"),
        (format!("{unix} --serve calc=passive"), "calls no endpoint and serves none"),
        (format!("{unix} --stack 1K"), "64 KiB"),
        (format!("{unix} --memory 100G"), "has no room"),
        (format!("{unix} --dir /"), "this machine lends no directories"),
        (format!("{unix} --dir /no-such"), "it is not there"),
        (format!("{unix} --dir /tmp:x --dir /:x"), "two directories have the name x"),
        ("start calculator --dir /tmp".to_owned(), "is not a program of Unix"),
        ("start calculator --env A=1".to_owned(), "is not a program of Unix"),
        ("start spin --native --stack 1M".to_owned(), "is not a program of Unix"),
    ] {
        let (_, error, code) = attach(&format!("{line}\n"));
        assert!(error.replace("\n  │ ", " ").contains(part), "{line}: {error}");
        assert_eq!(code, 64, "{line}: {error}");
    }
    // Nothing of them stays.
    assert_eq!(ps(running.pid())["cells"].as_array().unwrap().len(), 3);
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}

fn top() {
    let system = format!(
        "{SERVERS}[cells.client]\nprogram = \"calculator-client\"\nmemory = \"8M\"\narguments = [\"rounds=1000000000\"]\nuses = {{ calc = \"calculator.calc\" }}\n"
    );
    let mut running = Running::of(&system, &SHARED);
    running.placed();
    let number = |cell: &serde_json::Value, key: &str| cell[key].as_f64().unwrap();
    // The two counts are read one after the other: what the host does in between counts for one of them.
    let mut samples = (0..20).map(|_| {
        let (output, error, code) = say(&["top", "--json", "--once", "--interval", "0.3"]);
        assert_eq!(code, 0, "{error}");
        json(&output)
    });
    let agree = |sample: &serde_json::Value| {
        let (client, calculator) = (cell(&sample["cells"], "client"), cell(&sample["cells"], "calculator"));
        let answered = number(calculator, "answers_per_second") / number(client, "calls_per_second");
        number(client, "calls_per_second") > 1_000.0 && (0.9..1.1).contains(&answered)
    };
    let sample = samples.find(agree).expect("as many answers as calls in some sample");
    let (client, calculator) = (cell(&sample["cells"], "client"), cell(&sample["cells"], "calculator"));
    for cell in [client, calculator] {
        assert!(number(cell, "p50_ns") > 0.0 && number(cell, "p50_ns") <= number(cell, "p99_ns"), "{cell}");
    }
    assert!(number(client, "percent") > 0.0, "{client}");
    assert!(sample["interval_ns"].as_u64().unwrap() >= 300_000_000, "{sample}");
    let (output, _, code) = say(&["top", "--once", "--interval", "0.1", "--sort", "calls"]);
    assert_eq!(code, 0);
    for part in ["CALLS/S", "P99", "core ", "calculator", "supervisor"] {
        assert!(output.contains(part), "{part}: {output}");
    }
    let (_, _, code) = say(&["top", "--interval", "0"]);
    assert_eq!(code, 64);
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}

fn alone() {
    let (output, error, code) = parts(with_input(&SHARED, &format!("cells\nsend counter {ADD_FIVE}\nlog\n")));
    assert_eq!(code, 0, "{error}");
    assert!(
        output.contains("calculator") && output.contains("0x 05") && output.contains("hallows: "),
        "{output}"
    );
    assert!(error.contains("hallows: tier "), "{error}");
    assert!(no_machine(), "it ends with its monitor");
    let (_, _, code) = parts(with_input(&SHARED, "kill nobody\n"));
    assert_eq!(code, 64);
    assert!(no_machine());
}

fn detached() {
    let (output, error, code) = parts(with_input(&SHARED, "detach\n"));
    assert!(output.contains("goes on") && code == 0, "{output}{error}");
    let (cells, _, _) = say(&["ps"]);
    assert!(cells.contains("counter"), "{cells}");
    let (output, _, code) = attach("cells\nhalt\n");
    assert!(output.contains("bank") && code == 0, "{output}");
    assert!(no_machine());
}

/// A monitor that has answered one command and waits for the next.
fn monitor(arguments: &[&str]) -> Child {
    let mut child = command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.as_mut().unwrap().write_all(b"endpoints\n").unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(!line.is_empty());
    child
}

fn detached_owner() {
    let mut owner =
        command(&SHARED).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    owner.stdin.take().unwrap().write_all(b"endpoints\nsleep 10000\n").unwrap();
    let mut line = String::new();
    BufReader::new(owner.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    // While it sleeps; its input is at its end already.
    assert!(say(&["detach"]).0.contains("1 monitor detached"));
    assert_eq!(owner.wait().unwrap().code(), Some(0));
    assert!(!no_machine(), "it was not its owner's any more");
    assert_eq!(say(&["stop"]).2, 0);
}

/// A server that answers nobody, and one that could.
const DEAF: &str = "[cells.deaf]\nprogram = \"spin\"\nserves = { ear = \"active\" }\n\
                    [cells.counter]\nprogram = \"counter\"\nserves = { counter = \"active\" }\n";

fn left_behind() {
    let mut running = Running::of(DEAF, &SHARED);
    running.placed();
    let directory = hallows_linux::host::runtime_dir::RuntimeDir::of_this_user().unwrap();
    let socket = directory.path().join(format!("machine-{}.sock", running.pid()));
    // More than there is room for: each asks for what takes a minute, and goes.
    let ask = b"{\"op\":\"send\",\"endpoint\":\"deaf.ear\",\"hex\":\"00\",\"patience_ns\":60000000000}\n";
    for _ in 0..200 {
        let mut client = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        client.write_all(ask).unwrap();
    }
    // One that stays is told, and not left waiting.
    let mut client = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    client.write_all(ask).unwrap();
    let mut answer = String::new();
    BufReader::new(client).read_line(&mut answer).unwrap();
    assert!(answer.contains("too many requests wait"), "{answer}");
    let began = Instant::now();
    await_state(running.pid(), "counter", "waiting");
    assert_eq!(say(&["kill", "counter"]).2, 0);
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0, "it ended by itself");
    assert!(began.elapsed() < Duration::from_secs(30), "nobody waited a minute for anybody");
}

fn owner_killed() {
    let mut owner = monitor(&SHARED);
    let pid = {
        let (output, _, _) = say(&["ps", "--json"]);
        i32::try_from(json(&output)["pid"].as_i64().unwrap()).unwrap()
    };
    let mut guest = monitor(&["attach"]);
    guest.kill().unwrap();
    guest.wait().unwrap();
    let mut guest = monitor(&["attach"]);
    // Two are attached.
    let (output, _, code) = say(&["detach"]);
    assert!(
        output.contains("2 monitors detached") && output.contains(&pid.to_string()) && code == 0,
        "{output}"
    );
    // Both end, although nothing has come to the end of what they read.
    for monitor in [&mut guest, &mut owner] {
        assert!(monitor.stdin.is_some());
        let pidfd =
            rustix::process::pidfd_open(Pid::from_child(monitor), rustix::process::PidfdFlags::empty());
        let minute = rustix::event::Timespec { tv_sec: 60, tv_nsec: 0 };
        let pidfd = pidfd.unwrap();
        let mut ends = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
        assert_eq!(rustix::event::poll(&mut ends, Some(&minute)).unwrap(), 1, "it goes on");
        assert_eq!(monitor.wait().unwrap().code(), Some(0));
    }
    assert!(!no_machine(), "it was detached before its owner ended");
    assert_eq!(say(&["stop"]).2, 0);
    let mut owner = monitor(&SHARED);
    let (output, _, _) = say(&["ps", "--json"]);
    let pid = i32::try_from(json(&output)["pid"].as_i64().unwrap()).unwrap();
    owner.kill().unwrap();
    owner.wait().unwrap();
    await_end(pid);
    assert!(no_machine());
}

/// One that wants all of its core and has a tenth of it.
const GREEDY: &str = "[cells.greedy]\nprogram = \"spin\"\nclass = \"real-time\"\ncore = 0\ntime = \"1ms/10ms\"\n\
                      restart = { missed_deadlines = 4 }\n[cells.patient]\nprogram = \"spin\"\nclass = \"real-time\"\n\
                      core = 0\ntime = \"1ms/10ms\"\n";

fn deadlines_missed() {
    let mut running = Running::of(GREEDY, &SHARED);
    for _ in 0..2 {
        running.hear("greedy has missed 4 deadlines in one life: it begins anew");
    }
    let machine = ps(running.pid());
    let restarts = |name: &str| cell(&machine["cells"], name)["restarts"].as_u64().unwrap();
    assert!(restarts("greedy") >= 1 && restarts("patient") == 0, "{machine}");
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}

fn background() {
    let began = Instant::now();
    let (output, error, code) = say(&[&["run", "default", "--detach"][..], &SHARED].concat());
    assert_eq!(code, 0, "{error}");
    assert!(error.contains("hallows: tier "), "{error}");
    let pid: i32 = output.trim().parse().unwrap();
    await_state(pid, "counter", "waiting");
    // It is no part of this terminal's session.
    let session = |of: &str| stat(of, 6);
    assert_ne!(session(&pid.to_string()), session("self"));
    // A line takes its way through the machine's console.
    let log = || parts(with_input(&["attach", "--machine", &pid.to_string()], "log 100\n"));
    loop {
        let said = log();
        if said.0.contains("jailed") {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "nothing in the log of a jail: {said:?}");
    }
    // As a service manager does.
    send(pid, Signal::TERM);
    await_end(pid);
    let (left, error, _) = say(&["ps", "--json", "--machine", &pid.to_string()]);
    assert!(left.is_empty(), "{left}{error}");
}

fn background_fails() {
    let (output, error, code) = say(&["run", "no-such-system", "--detach"]);
    assert!(output.is_empty() && error.contains("hallows list"), "{output}{error}");
    assert_eq!(code, 64);
    // A system that is over at once.
    let (_, error, code) = say(&[&["run", "give-up", "--detach", "--quiet"][..], &SHARED].concat());
    assert!(code == 1 || code == 0, "its own code, or it was seen to run: {code} {error}");
    while !no_machine() {
        std::thread::sleep(Duration::from_millis(10));
    }
}
