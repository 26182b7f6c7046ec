//! Unix programs as their users run them: arguments, streams, files of granted directories, exit codes. What is no more than one call is written out
//! here as text; the rest is coreutils as others wrote and built it, whose output is compared with this host's.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::running::{Running, command, say, say_in};
use crate::test;

/// Where `scripts/artifacts.sh` puts coreutils, from this crate's folder.
const COREUTILS: &str = "../target/unix/bin/coreutils.wasm";

pub fn tests() -> Vec<Trial> {
    let mut tests = vec![
        test("a_unix_program_writes_to_both_streams_and_its_status_is_the_commands", streams),
        test("a_unix_program_reads_its_input_to_the_end", input),
        test("what_is_written_to_nowhere_costs_no_switch_of_threads", nowhere),
        test("a_trap_of_a_unix_program_is_told_and_is_a_failure", trap),
        test("what_a_unix_program_cannot_be_given_is_said_before_anything_starts", refused),
        test("a_unix_program_that_is_interrupted_says_so_by_its_code", interrupted),
        test("what_serves_a_unix_program_is_not_ended_alone", served),
        test("what_is_no_program_is_said_to_be_none", no_program),
        test("a_program_that_needs_what_nobody_offers_is_told_what", lacking),
    ];
    let whole = |name, body: fn()| test(name, body).with_ignored_flag(!coreutils().is_file());
    tests.extend([
        test("two_unix_programs_share_a_core_in_a_pipeline", pipeline),
        whole("coreutils_computes_what_this_hosts_does", coreutils_agrees),
        whole("coreutils_changes_files_of_a_granted_directory_only", coreutils_changes),
        whole("nothing_of_a_granted_directory_leads_out_of_it", coreutils_is_kept_in),
        whole("a_directory_that_is_granted_for_reading_is_not_changed", coreutils_reads_only),
        whole("ten_thousand_arguments_and_bytes_that_are_no_text_arrive", arguments),
        whole("who_reads_no_more_ends_the_writer", broken_pipe),
        whole("a_full_disk_is_an_error_of_the_program", full_disk),
    ]);
    tests
}

/// A program of a few calls.
const PROGRAM: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "to the output\n")
    (data (i32.const 96) "to the errors\n")
    (func $say (param $fd i32) (param $from i32) (param $length i32)
        (i32.store (i32.const 0) (local.get $from))
        (i32.store (i32.const 4) (local.get $length))
        (if (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable)))
    (func (export "_start") BODY))"#;

/// A file of it with this body.
pub fn program(body: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".wasm").tempfile().unwrap();
    file.write_all(PROGRAM.replace("BODY", body).as_bytes()).unwrap();
    file
}

pub fn path(file: &tempfile::NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

fn streams() {
    let say_both = "(call $say (i32.const 1) (i32.const 64) (i32.const 14)) (call $say (i32.const 2) (i32.const 96) (i32.const 14))";
    for (end, code) in [
        ("", 0),
        ("(call $exit (i32.const 0))", 0),
        ("(call $exit (i32.const 3))", 3),
        ("(call $exit (i32.const 200))", 200),
    ] {
        let file = program(&format!("{say_both} {end}"));
        let said = say(&["run", path(&file)]);
        assert_eq!(said, ("to the output\n".to_owned(), "to the errors\n".to_owned(), code));
    }
    // What the machine has to say goes to the errors.
    let file = program(say_both);
    let (output, error, code) = say(&["run", "--verbose", path(&file)]);
    assert_eq!((output.as_str(), code), ("to the output\n", 0));
    assert!(error.contains("to the errors\n") && error.contains("jailed:"), "{error}");
}

fn input() {
    // Reads 1,000 bytes at most at a time and writes them.
    let copy = "(loop $more
        (i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 1000))
        (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))
        (if (i32.load (i32.const 8)) (then
            (call $say (i32.const 1) (i32.const 1024) (i32.load (i32.const 8))) (br $more))))";
    let file = program(copy);
    let text: Vec<u8> =
        (0..100_000_u32).map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    let output = with_input(command(&["run", path(&file)]), &text);
    assert_eq!((output.stdout == text, output.status.code()), (true, Some(0)), "{output:?}");
    // And with none at all.
    let (output, error, code) = say(&["run", path(&file)]);
    assert_eq!((output, error, code), (String::new(), String::new(), 0));
}

/// Had each of a million writes gone to another thread and back, Linux had switched twice as often; whoever else is there switches far less.
const FEW_SWITCHES: u64 = 1_000_000;

/// How often Linux has switched threads since it was booted.
fn switches() -> u64 {
    let counts = fs::read_to_string("/proc/stat").unwrap();
    let count = counts.lines().find_map(|line| line.strip_prefix("ctxt ")).unwrap();
    count.parse().unwrap()
}

/// A million bytes, one by one, to the output; then a word to the errors, and a status.
fn nowhere() {
    let writes = "(local $left i32) (local.set $left (i32.const 1000000))
        (loop $more
            (call $say (i32.const 1) (i32.const 64) (i32.const 1))
            (if (i32.ne (i32.load (i32.const 8)) (i32.const 1)) (then unreachable))
            (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (call $say (i32.const 2) (i32.const 96) (i32.const 14))
        (call $exit (i32.const 7))";
    let file = program(writes);
    let run = |errors: Stdio| {
        let before = switches();
        let output = command(&["run", path(&file)]).stdout(Stdio::null()).stderr(errors).output().unwrap();
        (String::from_utf8(output.stderr).unwrap(), output.status.code(), switches() - before)
    };
    // The first one compiles.
    assert_eq!(run(Stdio::null()).1, Some(7));
    let (errors, code, switched) = run(Stdio::piped());
    assert_eq!((errors.as_str(), code), ("to the errors\n", Some(7)));
    assert!(switched < FEW_SWITCHES, "{switched} switches");
    let (errors, code, switched) = run(Stdio::null());
    assert_eq!((errors.as_str(), code), ("", Some(7)));
    assert!(switched < FEW_SWITCHES, "{switched} switches");
    // The errors alone, which are written to before the end, and more than one message of them.
    let large = program(
        "(call $say (i32.const 2) (i32.const 64) (i32.const 65400)) (call $say (i32.const 1) (i32.const 64) (i32.const 14))",
    );
    let output = command(&["run", path(&large)]).stderr(Stdio::null()).output().unwrap();
    assert_eq!((output.stdout.as_slice(), output.status.code()), (&b"to the output\n"[..], Some(0)));
    // A device that is open for reading only takes nothing, as anywhere.
    let refused = program(
        "(i32.store (i32.const 4) (i32.const 1))
        (call $exit (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))",
    );
    let read_only = fs::File::open("/dev/null").unwrap();
    let output = command(&["run", path(&refused)]).stdout(read_only).output().unwrap();
    assert!(output.status.code().is_some_and(|code| code != 0), "{output:?}");
}

fn pipeline() {
    let first = program("(call $say (i32.const 1) (i32.const 64) (i32.const 14))");
    let second = program(
        "(i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const 1000))
         (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))
         (call $say (i32.const 1) (i32.const 1024) (i32.load (i32.const 8)))",
    );
    let (output, input) = std::io::pipe().unwrap();
    let mut left = command(&["run", path(&first)]).stdout(input).spawn().unwrap();
    let right = command(&["run", path(&second)]).stdin(output).output().unwrap();
    assert_eq!(right.stdout, b"to the output\n", "{right:?}");
    assert_eq!((right.status.code(), left.wait().unwrap().code()), (Some(0), Some(0)));
}

/// Runs a command whose input is this.
fn with_input(mut command: Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // It may end before it has read all.
        scope.spawn(move || drop(pipe.write_all(input)));
        child.wait_with_output().unwrap()
    })
}

fn trap() {
    let file = program("unreachable");
    let (output, error, code) = say(&["run", path(&file)]);
    assert_eq!((output.as_str(), code), ("", 1));
    assert!(error.contains("unreachable") || error.contains("trap"), "{error}");
}

fn interrupted() {
    let file = program("(call $say (i32.const 1) (i32.const 64) (i32.const 14)) (loop $again (br $again))");
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut running = Running::start(&["run", path(&file)], None);
        running.hear("to the output");
        running.signal(signal);
        assert_eq!(running.code(), code);
    }
}

fn refused() {
    let file = program("");
    for (options, expected) in [
        (&["--dir", "/no/such/place"][..], "/no/such/place: it is not there"),
        (&["--dir", "/etc/passwd"], "not a directory"),
        (&["--dir", "a:b:c"], "HOST:GUEST"),
        (&["--dir", "/tmp:/t", "--dir", "/etc:/t"], "two directories have the name /t"),
        (&["--memory", "lots"], "lots"),
    ] {
        let (output, error, code) = say(&[&["run", path(&file)], options].concat());
        assert!(error.contains(expected), "{options:?}: {error}");
        assert_eq!((output.as_str(), code), ("", 64), "{options:?}");
    }
    let (_, error, code) = say(&["run", "spin", "--dir", "."]);
    assert!(error.contains("not a program of Unix") && code == 64, "{error}");
}

fn served() {
    let file = program("(loop $for_ever (br $for_ever))");
    let name = file.path().file_stem().unwrap().to_str().unwrap().to_owned();
    let mut running = Running::start(&["run", "--verbose", path(&file)], None);
    running.placed();
    for service in ["host", "host-input", "host-output"] {
        let (output, error, code) = say(&["kill", service]);
        assert!(
            output.is_empty() && error.contains(&format!("{service} is a part of the system")),
            "{error}"
        );
        assert_eq!(code, 64);
    }
    assert_eq!(say(&["kill", &name]), (String::new(), String::new(), 0));
    assert_eq!(running.code(), 1);
}

fn no_program() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // An executable of this host, nothing at all, a program that ends in the middle.
    let elf = write("elf.wasm", &fs::read("/proc/self/exe").unwrap()[..4096]);
    let empty = write("empty.wasm", b"");
    let cut = write("cut.wasm", b"\0asm\x01\0\0\0\x01\x10");
    for path in [elf, empty, cut] {
        let (output, error, code) = say(&["run", &path]);
        assert!(error.contains(&path) && error.contains("cannot compile"), "{error}");
        assert_eq!((output.as_str(), code), ("", 64));
    }
    let (_, error, code) = say(&["run", "./no-such.wasm"]);
    assert!(error.contains("there is no file ./no-such.wasm") && code == 64, "{error}");
}

fn lacking() {
    let text = PROGRAM.replace("BODY", "").replace("\"fd_read\"", "\"fd_levitate\"");
    let mut file = tempfile::Builder::new().suffix(".wasm").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let (output, error, code) = say(&["run", path(&file)]);
    assert!(error.contains("fd_levitate"), "{error}");
    assert!(output.is_empty() && code != 0);
}

fn coreutils() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(COREUTILS)
}

/// Coreutils in a folder, given that folder.
fn tool(folder: &Path, options: &[&str], arguments: &[&str]) -> (String, String, i32) {
    let wasm = coreutils();
    let all = [&["run", wasm.to_str().unwrap()], options, &["--"], arguments].concat();
    say_in(folder.to_str().unwrap(), &all)
}

/// A program of this host's in that folder.
fn host(folder: &Path, arguments: &[&str]) -> String {
    let output =
        Command::new(arguments[0]).args(&arguments[1..]).current_dir(folder).env("LC_ALL", "C").output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

/// A folder with some files in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("below")).unwrap();
    let numbers = |seed: u32, count: u32| -> String {
        (0..count).map(|line| format!("{}\n", (line + seed).wrapping_mul(2_654_435_761) % 100_003)).collect()
    };
    fs::write(folder.path().join("numbers"), numbers(1, 20_000)).unwrap();
    fs::write(folder.path().join("below/more"), numbers(7, 500)).unwrap();
    fs::write(folder.path().join("empty"), "").unwrap();
    // Larger than any message.
    fs::write(folder.path().join("large"), vec![b'x'; 3_000_001]).unwrap();
    folder
}

fn coreutils_agrees() {
    let folder = folder();
    let same = [
        &["sort", "-n", "numbers"][..],
        &["sort", "-r", "numbers", "below/more"],
        &["wc", "-l", "-c", "numbers", "below/more", "empty", "large"],
        &["sha256sum", "numbers", "large", "empty"],
        &["head", "-n", "3", "below/more"],
        &["tail", "-n", "3", "numbers"],
        &["cut", "-c", "1-2", "below/more"],
        &["uniq", "-c", "below/more"],
        &["cat", "numbers", "empty", "below/more"],
        &["seq", "5"],
        &["basename", "a/b.c"],
        &["expr", "6", "*", "7"],
        &["ls", "-1"],
        &["ls", "-1", "below"],
    ];
    for arguments in same {
        let (output, error, code) = tool(folder.path(), &["--dir", "."], arguments);
        assert_eq!(code, 0, "{arguments:?}: {error}");
        assert!(output == host(folder.path(), arguments), "{arguments:?} differs: {output:.200}");
    }
    let (_, error, code) = tool(folder.path(), &["--dir", "."], &["cat", "nothing"]);
    assert!(error.contains("No such file") && code == 1, "{error}");
    // The environment is what is given, and no more.
    let said = tool(folder.path(), &["--env", "COLOUR=none"], &["printenv"]);
    assert_eq!(said.0, "COLOUR=none\n", "{}", said.1);
}

fn coreutils_changes() {
    let folder = folder();
    let done = |arguments: &[&str]| {
        let (output, error, code) = tool(folder.path(), &["--dir", "below:."], arguments);
        assert_eq!((output.as_str(), code), ("", 0), "{arguments:?}: {error}");
    };
    let below = folder.path().join("below");
    done(&["cp", "more", "copy"]);
    assert_eq!(fs::read(below.join("copy")).unwrap(), fs::read(below.join("more")).unwrap());
    done(&["mkdir", "-p", "a/b"]);
    done(&["mv", "copy", "a/b/moved"]);
    assert!(!below.join("copy").exists() && below.join("a/b/moved").is_file());
    done(&["sort", "-n", "more", "-o", "sorted"]);
    assert_eq!(fs::read_to_string(below.join("sorted")).unwrap(), host(&below, &["sort", "-n", "more"]));
    done(&["truncate", "-s", "5", "sorted"]);
    assert_eq!(fs::metadata(below.join("sorted")).unwrap().len(), 5);
    done(&["ln", "more", "link"]);
    done(&["rm", "-r", "a", "link"]);
    assert_eq!(host(&below, &["ls"]), "more\nsorted\n");
    // By another name; and beside the granted directory there is nothing.
    let (output, error, code) = tool(folder.path(), &["--dir", "below:/work"], &["ls", "/work"]);
    assert_eq!((output.as_str(), code), ("more\nsorted\n", 0), "{error}");
    let (_, error, code) = tool(folder.path(), &["--dir", "below:/work"], &["cat", "/numbers"]);
    assert!(error.contains("/numbers") && code == 1, "{error}");
}

fn coreutils_is_kept_in() {
    let folder = folder();
    let below = folder.path().join("below");
    std::os::unix::fs::symlink("../numbers", below.join("up")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", below.join("root")).unwrap();
    std::os::unix::fs::symlink("more", below.join("inside")).unwrap();
    for way in ["up", "root", "../numbers", "below/../../numbers", "/etc/passwd", "a/../../numbers"] {
        let (output, error, code) = tool(&below, &["--dir", "."], &["cat", way]);
        assert!(output.is_empty() && code == 1, "{way}: {output}{error}");
    }
    let (output, error, code) = tool(&below, &["--dir", "."], &["wc", "-l", "inside"]);
    assert_eq!((output.as_str(), code), ("500 inside\n", 0), "{error}");
    for arguments in [
        &["cp", "more", "../out"][..],
        &["mv", "more", "../out"],
        &["rm", "../numbers"],
        &["touch", "../out"],
    ] {
        let (_, error, code) = tool(&below, &["--dir", "."], arguments);
        assert!(code != 0, "{arguments:?}: {error}");
    }
    assert!(
        !folder.path().join("out").exists()
            && folder.path().join("numbers").exists()
            && below.join("more").exists()
    );
}

fn coreutils_reads_only() {
    let folder = folder();
    let before = host(folder.path(), &["sha256sum", "numbers", "below/more"]);
    for arguments in [
        &["rm", "numbers"][..],
        &["touch", "new"],
        &["mkdir", "new"],
        &["cp", "numbers", "new"],
        &["mv", "numbers", "new"],
        &["truncate", "-s", "0", "numbers"],
        &["ln", "numbers", "new"],
        &["rmdir", "below"],
    ] {
        let (_, error, code) = tool(folder.path(), &["--dir", ".:ro"], arguments);
        assert!(code != 0, "{arguments:?}: {error}");
    }
    assert_eq!(host(folder.path(), &["ls", "-1"]), "below\nempty\nlarge\nnumbers\n");
    assert_eq!(tool(folder.path(), &["--dir", ".:ro"], &["sha256sum", "numbers", "below/more"]).0, before);
}

fn arguments() {
    let wasm = coreutils();
    let many: Vec<String> = (0..10_000).map(|number| format!("argument-{number}")).collect();
    let mut run = command(&["run", wasm.to_str().unwrap(), "--", "echo"]);
    let output = run.args(&many).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), many.join(" "));
    // Rust's library for WASI takes arguments as they are; what echo makes of them is its affair, but it neither traps nor hangs.
    let wrong = std::ffi::OsString::from_vec(vec![b'a', 0xff, b'b']);
    let output = command(&["run", wasm.to_str().unwrap(), "--", "echo"]).arg(&wrong).output().unwrap();
    assert!(output.status.code().is_some(), "{output:?}");
    if output.status.success() {
        assert_eq!(output.stdout, b"a\xffb\n");
    }
    // A program of hallows says that it takes none such.
    let output = command(&["run", "counter-client", "--"]).arg(&wrong).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&output.stderr).contains("UTF-8"), "{output:?}");
}

fn broken_pipe() {
    let wasm = coreutils();
    let mut run = command(&["run", wasm.to_str().unwrap(), "--", "yes"]);
    let mut child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 2];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"y\n");
    // The pipe is closed now: the program finds out and ends, and so does the machine.
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), None, "{status:?}");
}

fn full_disk() {
    let wasm = coreutils();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut run = command(&["run", wasm.to_str().unwrap(), "--", "seq", "100000"]);
    let output = run.stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_ne!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("space"), "{output:?}");
}
