//! Unix programs in systems: beside cells of hallows, several at once, with files and streams of their own, under the supervisor; and the stack that
//! they have.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use libtest_mimic::Trial;

use crate::running::{Running, command, ps, say, say_in};
use crate::test;

pub fn tests() -> Vec<Trial> {
    let lua = |name, body: fn()| test(name, body).with_ignored_flag(!Path::new(LUA).is_file());
    vec![
        lua("unix_programs_run_beside_cells_each_with_its_own_files_and_streams", beside),
        lua("the_example_of_a_system_with_unix_programs_runs", example),
        test("a_unix_program_of_a_system_is_restarted_and_ps_says_how_it_ended", restarted),
        test("what_a_killed_program_had_open_is_closed_and_its_next_life_opens_it_again", closed),
        test("what_a_system_cannot_give_is_said_before_anything_starts", refused),
        test("a_built_system_gives_directories_of_where_it_is_started", built),
        test("a_unix_program_has_the_stack_of_linux_or_what_is_asked_for", stack),
    ]
}

/// Where `scripts/artifacts.sh` puts it.
const LUA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/unix/bin/lua.wasm");

/// A program of a few calls, whose directory is descriptor 3.
const PROGRAM: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "word")
    (data (i32.const 96) "opened\n")
    (func $said
        (i32.store (i32.const 0) (i32.const 96))
        (i32.store (i32.const 4) (i32.const 7))
        (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable)))
    (func $opened
        (if (call $open (i32.const 3) (i32.const 0) (i32.const 64) (i32.const 4) (i32.const 0) (i64.const 2) (i64.const 2)
            (i32.const 0) (i32.const 40)) (then unreachable)))
    (func $deep (param i64) (result i64)
        (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 0))
            (else (i64.add (i64.const 1) (call $deep (i64.sub (local.get 0) (i64.const 1)))))))
    (func (export "_start") BODY))"#;

/// Opens `word`, says so, and runs until it is killed.
const OPENS: &str = "(call $opened) (call $said) (loop $for_ever (br $for_ever))";

/// A folder with this program in it.
fn folder(body: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "program.wasm", &PROGRAM.replace("BODY", body));
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).unwrap();
}

const BESIDE: &str = r#"
stop_after = ["client", "writer", "reader"]

[cells.calculator]
program = "calculator"
serves = { calc = "passive" }

[cells.client]
program = "calculator-client"
arguments = ["rounds=10"]
uses = { calc = "calculator.calc" }

[cells.writer]
program = "LUA"
dirs = ["below:."]
env = ["COLOUR=blue", "COLOUR=green"]
arguments = ["write.lua", 7]
stderr = "null"

[cells.reader]
program = "LUA"
dirs = ["below:/data:ro", "below:/again"]
stdin = "console"
arguments = ["-"]
memory = "32M"
"#;

const WRITES: &str = r#"
print("writer", arg[0], arg[1], os.getenv("COLOUR"), io.read())
io.stderr:write("to nowhere\n")
local out = assert(io.open("made", "w")) out:write("made\n") out:close()
"#;

const READS: &str = r#"
print("reader", #arg, io.open("/data/write.lua", "r") ~= nil, io.open("/data/new", "w"))
print(io.open("/again/here", "w") ~= nil, io.open("write.lua"))
"#;

fn beside() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("below")).unwrap();
    write(folder.path(), "below/write.lua", WRITES);
    write(folder.path(), "system.toml", &BESIDE.replace("LUA", LUA));
    // Directories count from the description's folder, wherever the command is started.
    let path = folder.path().join("system.toml");
    let mut run = command(&["run", "--quiet", path.to_str().unwrap()]);
    let mut child = run.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(READS.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    for said in [
        "client: 70 answers, all of them right\n",
        "writer\twrite.lua\t7\tgreen\tnil\n",
        "reader\t0\ttrue\tnil\t/data/new: Read-only file system\t69\n",
        "true\tnil\twrite.lua: No such file or directory\t44\n",
    ] {
        assert!(text.contains(said), "{said} is not in {output:?}");
    }
    assert!(!String::from_utf8_lossy(&output.stderr).contains("nowhere"), "{output:?}");
    assert_eq!(fs::read_to_string(folder.path().join("below/made")).unwrap(), "made\n");
    assert!(folder.path().join("below/here").is_file());
}

fn example() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../programs/systems/unix");
    let (output, error, code) = say(&["run", "--quiet", folder.join("system.toml").to_str().unwrap()]);
    assert!(output.contains("client: 7000 answers, all of them right"), "{output}{error}");
    let poem = fs::read_to_string(folder.join("texts/sea.txt")).unwrap();
    let words = poem.split_whitespace().count();
    assert!(output.contains(&format!("sea.txt has {words} words\n")), "{output}{error}");
    assert_eq!(code, 0, "{output}{error}");
}

const RESTARTED: &str = r#"
[cells.fails]
program = "program.wasm"
memory = "1M"
restart = { give_up_after = 3, back_off_ms = 1, minimum_run_ms = 60000 }

[cells.traps]
program = "traps.wasm"
restart = "never"
"#;

fn restarted() {
    let folder = folder("(call $said) (call $exit (i32.const 3))");
    write(folder.path(), "traps.wasm", &PROGRAM.replace("BODY", "unreachable"));
    write(folder.path(), "system.toml", RESTARTED);
    let path = folder.path().join("system.toml");
    let mut running = Running::start(&["run", path.to_str().unwrap()], None);
    running.hear("fails ended and stays down");
    assert_eq!(running.heard.matches("opened\n").count(), 3, "{}", running.heard);
    if !running.heard.contains("traps ended and stays down") {
        running.hear("traps ended and stays down");
    }
    let status = ps(running.pid());
    let cells = status["cells"].as_array().unwrap();
    let cell =
        |name: &str| cells.iter().find(|cell| cell["name"] == name).unwrap_or_else(|| panic!("{name}"));
    let fails = cell("fails");
    assert_eq!((&fails["state"], &fails["restarts"]), (&"ended".into(), &2.into()), "{fails}");
    assert!(fails["last_fault"].as_str().unwrap().contains("exited with status 3"), "{fails}");
    assert!(cell("traps")["last_fault"].as_str().unwrap().contains("unreachable"), "{}", cell("traps"));
    // A machine's pid, as a person sees it.
    let (shown, _, _) = say(&["ps", "--machine", &running.pid().to_string()]);
    let line = shown.lines().find(|line| line.contains(" fails ")).unwrap();
    assert!(line.contains("last fault: exited with status 3"), "{line}");
    // What serves it is the system's.
    let (_, error, code) = say(&["kill", "fails.host", "--machine", &running.pid().to_string()]);
    assert!(error.contains("fails.host is a part of the system") && code == 64, "{error}");
}

const OPENED: &str = r#"
[cells.opens]
program = "program.wasm"
dirs = ["below"]
restart = "never"
"#;

fn closed() {
    let folder = folder(OPENS);
    fs::create_dir(folder.path().join("below")).unwrap();
    write(folder.path(), "below/word", "text");
    write(folder.path(), "system.toml", OPENED);
    let path = folder.path().join("system.toml");
    let word = folder.path().join("below/word");
    let mut running = Running::start(&["run", path.to_str().unwrap()], None);
    let machine = running.pid().to_string();
    let open = |running: &Running| {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", running.machine())).unwrap();
        descriptors.flatten().filter(|one| fs::read_link(one.path()).is_ok_and(|to| to == word)).count()
    };
    running.hear("opened");
    for _ in 0..3 {
        assert_eq!(open(&running), 1);
        assert_eq!(say(&["restart", "opens", "--machine", &machine]).2, 0);
        // The file of its new life, and that alone: the service was told before.
        running.hear("opened");
    }
    assert_eq!(open(&running), 1);
    assert_eq!(say(&["kill", "opens", "--machine", &machine]).2, 0);
    // It is told when the supervisor has been.
    let began = std::time::Instant::now();
    while open(&running) != 0 {
        assert!(began.elapsed().as_secs() < 60, "the file stays open");
        std::thread::yield_now();
    }
}

fn refused() {
    let folder = folder("");
    let cell = |keys: &str| format!("[cells.one]\nprogram = \"program.wasm\"\n{keys}\n");
    let two = |keys: &str| cell(keys) + "[cells.two]\nprogram = \"program.wasm\"\n" + keys;
    for (description, expected) in [
        (cell("dirs = [\"gone\"]"), "one: cannot give the program the directory"),
        (cell("dirs = [\"a:b:c\"]"), "`a:b:c` is no directory to give"),
        (cell("dirs = [\".:/a\", \".:/a\"]"), "two directories have the name /a"),
        (cell("env = [\"=1\"]"), "`=1` is no variable"),
        (cell("stack = \"63M\""), "cannot have a stack of 66060288 bytes"),
        (cell("stdin = \"file\""), "unknown variant `file`, expected `console` or `null`"),
        (cell("serves = { files = \"active\" }"), "which serves nobody"),
        (two("stdin = \"console\""), "`one` reads the console's input already"),
        (
            "[cells.one]\nprogram = \"spin\"\nenv = [\"A=1\"]\n".to_owned(),
            "takes no `env`: its program is not one of Unix",
        ),
        (
            "[cells.one]\nprogram = \"calculator\"\nnative = true\ndirs = [\".\"]\n".to_owned(),
            "a native program takes no `dirs`",
        ),
        (
            cell("memory = \"200M\"") + "[cells.two]\nprogram = \"program.wasm\"\nmemory = \"200M\"",
            "--memory",
        ),
    ] {
        write(folder.path(), "system.toml", &description);
        let (output, error, code) =
            say_in(folder.path().to_str().unwrap(), &["run", "system.toml", "--quiet"]);
        assert!(error.contains(expected), "{description}: {error}");
        assert!(output.is_empty() && (code == 64 || code == 71), "{description}: {output}");
    }
    // What only a program that runs alone is given so.
    write(folder.path(), "system.toml", &cell(""));
    for option in [&["--env", "A=1"][..], &["--stack", "1M"], &["--", "argument"]] {
        let all = [&["run", "system.toml"], option].concat();
        let (_, error, code) = say_in(folder.path().to_str().unwrap(), &all);
        assert!(error.contains("its description has what its cells are given") && code == 64, "{error}");
    }
}

fn built() {
    let folder = folder("(call $opened) (call $said)");
    write(
        folder.path(),
        "system.toml",
        "stop_after = [\"one\"]\n[cells.one]\nprogram = \"program.wasm\"\ndirs = [\"words\"]\n",
    );
    let place = folder.path().to_str().unwrap();
    let (_, error, code) = say_in(place, &["build", "system.toml", "-o", "built"]);
    assert_eq!(code, 0, "{error}");
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(elsewhere.path().join("words")).unwrap();
    write(elsewhere.path(), "words/word", "text");
    let start = |at: &Path| {
        let built = folder.path().join("built");
        let mut start = std::process::Command::new(built);
        start.args(["--hallows-quiet"]).current_dir(at).stdin(Stdio::null()).output().unwrap()
    };
    let output = start(elsewhere.path());
    assert_eq!((output.stdout.as_slice(), output.status.code()), (&b"opened\n"[..], Some(0)), "{output:?}");
    let output = start(folder.path());
    let error = String::from_utf8_lossy(&output.stderr).replace("\n  │ ", " ");
    assert!(error.contains("the directory words: it is not there"), "{error}");
    assert_eq!(output.status.code(), Some(64));
}

/// Depths that need some 1 MiB, some 3 MiB, and some 16 MiB, at 24 bytes and more a call.
const DEPTHS: [u64; 3] = [45_000, 120_000, 700_000];

fn stack() {
    let [some, much, most] = DEPTHS.map(|depth| {
        let deep = format!(
            "(if (i64.ne (call $deep (i64.const {depth})) (i64.const {depth})) (then unreachable)) (call $exit (i32.const 7))"
        );
        folder(&deep)
    });
    let run = |folder: &tempfile::TempDir, options: &[&str]| {
        let program = folder.path().join("program.wasm");
        say(&[&["run"], options, &[program.to_str().unwrap()]].concat())
    };
    let overflows = |(output, error, code): (String, String, i32)| {
        assert!(error.contains("overflowed its stack") && error.contains("deep + 0x"), "{error}");
        assert_eq!((output.as_str(), code), ("", 1));
    };
    let fits = |said: (String, String, i32)| assert_eq!(said, (String::new(), String::new(), 7));
    fits(run(&some, &[]));
    fits(run(&much, &[]));
    overflows(run(&most, &[]));
    fits(run(&most, &["--stack", "62M"]));
    overflows(run(&some, &["--stack", "512K"]));
    overflows(run(&much, &["--stack", "1M"]));
    let (_, error, code) = run(&some, &["--stack", "1G"]);
    assert!(error.contains("expected 64 KiB to 62 MiB") && code == 64, "{error}");
    let (_, error, code) = say(&["run", "spin", "--stack", "1M"]);
    assert!(error.contains("no --stack") && code == 64, "{error}");
    // Of two cells with one program, each has its own; what one used is not the other's.
    let system = "stop_after = [\"small\", \"large\"]
[cells.small]\nprogram = \"program.wasm\"\nstack = \"1M\"\nrestart = \"never\"
[cells.large]\nprogram = \"program.wasm\"\nstack = \"9M\"\nrestart = \"never\"\n";
    write(much.path(), "system.toml", system);
    let (output, error, code) = say_in(much.path().to_str().unwrap(), &["run", "--quiet", "system.toml"]);
    let said = output + &error;
    assert!(
        said.contains("(small) overflowed its stack") && said.contains("(large) exited with status 7"),
        "{said}"
    );
    assert_eq!(code, 1);
}
