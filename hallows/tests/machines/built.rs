//! Executables that `hallows build` makes: they run elsewhere, without anything beside them, as what they were made of; damaged ones say so.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use libtest_mimic::Trial;

use crate::running::say;
use crate::test;

pub fn tests() -> Vec<Trial> {
    vec![
        test("an_executable_that_was_built_runs_where_there_is_nothing_else", alone),
        test("a_built_unix_program_takes_arguments_input_and_directories", unix),
        test("a_built_system_carries_the_files_that_it_names", system),
        test("a_program_that_is_linked_in_is_built_too", native),
        test("a_file_that_was_cut_off_or_changed_says_so", damaged),
        test("an_executable_that_was_built_is_for_whom_the_user_makes_files", mask),
        test("a_machine_of_an_executable_says_that_it_takes_no_programs", sealed),
        test("what_run_refuses_is_not_built_and_nothing_is_overwritten", refused),
    ]
}

/// Says its first argument and what the file `word` of its directory begins with; its status is 7.
const PROGRAM: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "word")
    (func $say (param $from i32) (param $length i32)
        (i32.store (i32.const 16) (local.get $from))
        (i32.store (i32.const 20) (local.get $length))
        (if (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)) (then unreachable)))
    (func (export "_start")
        ;; All arguments, one behind the other with zero bytes between.
        (if (call $sizes (i32.const 32) (i32.const 36)) (then unreachable))
        (if (call $args (i32.const 1024) (i32.const 8192)) (then unreachable))
        (call $say (i32.const 8192) (i32.load (i32.const 36)))
        ;; Of the directory that it has been given, if any.
        (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0)
                (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 40)))
            (then
                (i32.store (i32.const 16) (i32.const 512))
                (i32.store (i32.const 20) (i32.const 64))
                (if (call $read (i32.load (i32.const 40)) (i32.const 16) (i32.const 1) (i32.const 24)) (then unreachable))
                (call $say (i32.const 512) (i32.load (i32.const 24)))))
        (call $exit (i32.const 7))))"#;

/// A folder with a program in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("program.wasm"), PROGRAM).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Builds an executable there; its path.
    fn build(&self, what: &str, options: &[&str]) -> PathBuf {
        let output = self.text("built");
        let (said, error, code) = say(&[&["build", what, "-o", &output], options].concat());
        assert_eq!(code, 0, "{error}");
        assert!(said.contains("--hallows-help"), "{said}");
        output.into()
    }
}

/// Runs an executable from a folder of its own, without any variable of the environment: what it says and its status.
fn run(executable: &Path, arguments: &[&str]) -> (String, String, i32) {
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("app");
    fs::copy(executable, &copy).unwrap();
    let folder = elsewhere.path().join("working");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("word"), "of the working directory").unwrap();
    let mut command = Command::new(&copy);
    command.args(arguments).env_clear().current_dir(&folder).stdin(Stdio::null());
    let Output { stdout, stderr, status } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(stdout), unwrapped(&text(stderr)), status.code().unwrap())
}

/// A message in one line, as it was before it was made to fit a terminal.
fn unwrapped(error: &str) -> String {
    error.replace("\n  │ ", " ")
}

fn alone() {
    let folder = Folder::new();
    let built = folder.build("calculator", &["--tier", "shared", "--memory", "64M"]);
    let (output, error, code) = run(&built, &[]);
    let (same, _, same_code) = say(&["run", "calculator", "--tier", "shared", "--memory", "64M"]);
    assert_eq!((code, same_code), (0, 0), "{error}");
    // Times differ from run to run, and how often nothing else does.
    let words = |text: &str| {
        let letters = |word: &&str| !word.contains(|letter: char| letter.is_ascii_digit());
        text.split_whitespace().filter(letters).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(words(&output), words(&same), "{output}\n{same}");
    let (output, _, code) = run(&built, &["--hallows-verify"]);
    assert!(code == 0 && output.contains("all bytes are as they were built"), "{output}");
    let (help, _, code) = run(&built, &["--hallows-help"]);
    assert!(code == 0 && help.contains("--hallows-cores") && help.contains("a system"), "{help}");
    let (_, error, code) = run(&built, &["an-argument"]);
    assert!(code == 64 && error.contains("takes no arguments"), "{error}");
    let (_, error, code) = run(&built, &["--hallows-nothing"]);
    assert!(code == 64 && error.contains("--hallows-nothing") && error.contains("--hallows-help"), "{error}");
    let (_, error, code) = run(&built, &["--hallows-cores", "9999"]);
    assert!(code == 64 && error.contains("9999"), "{error}");
}

fn unix() {
    let folder = Folder::new();
    fs::create_dir(folder.path("data")).unwrap();
    fs::write(folder.path("data/word"), "of the data").unwrap();
    let built = folder.build(&folder.text("program.wasm"), &["--", "first"]);
    // Its own options, and what looks like ours behind them, are the program's.
    let (output, error, code) = run(&built, &["--help", "machine-process", "--hallows-help"]);
    assert_eq!(
        (output.as_str(), code),
        ("program.wasm\0first\0--help\0machine-process\0--hallows-help\0", 7),
        "{error}"
    );
    assert_eq!(error, "", "a Unix program has the terminal for itself");
    // A directory that is named as it is built is that of where it is started.
    fs::remove_file(&built).unwrap();
    let built = folder.build(&folder.text("program.wasm"), &["--dir", ".:/data:ro"]);
    assert_eq!(run(&built, &[]).0, "program.wasm\0of the working directory");
    let data = format!("{}:/data", folder.text("data"));
    assert_eq!(run(&built, &["--hallows-dir", &data]).0, "program.wasm\0of the data");
    // One that is asked for must be said.
    fs::remove_file(&built).unwrap();
    let built = folder.build(&folder.text("program.wasm"), &["--ask-dir", "/data:ro"]);
    let (_, error, code) = run(&built, &[]);
    assert!(code == 64 && error.contains("--hallows-dir HOST:/data"), "{error}");
    assert_eq!(run(&built, &["--hallows-dir", &data, "x"]).0, "program.wasm\0x\0of the data");
    let (help, _, _) = run(&built, &["--hallows-help"]);
    assert!(help.contains("--hallows-dir HOST:/data"), "{help}");
    let (_, error, code) = run(&built, &["--hallows-dir", "/nowhere:/data"]);
    assert!(code == 64 && error.contains("/nowhere") && error.contains("not there"), "{error}");
}

fn system() {
    let folder = Folder::new();
    let wasm = r#"(module (memory (export "memory") 1) (func (export "hallows_main")))"#;
    fs::create_dir(folder.path("programs")).unwrap();
    fs::write(folder.path("programs/mine.wasm"), wasm).unwrap();
    let text = "stop_after = [\"mine\", \"client\"]\n[cells.mine]\nprogram = \"programs/mine.wasm\"\nrestart = \"never\"\n\
                [cells.client]\nprogram = \"counter-client\"\nuses = { counter = \"counter.counter\" }\nrestart = \"never\"\n\
                [cells.counter]\nprogram = \"counter\"\nserves = { counter = \"active\" }\n";
    fs::write(folder.path("mine.toml"), text).unwrap();
    let built = folder.build(&folder.text("mine.toml"), &["--tier", "shared", "--memory", "64M"]);
    // It carries them: the files may go.
    fs::remove_dir_all(folder.path("programs")).unwrap();
    fs::remove_file(folder.path("mine.toml")).unwrap();
    let (output, error, code) = run(&built, &["--hallows-quiet"]);
    assert_eq!(code, 0, "{output}{error}");
    assert!(output.contains("the counter counts again from 1"), "{output}");
    assert_eq!(error, "");
}

fn native() {
    let folder = Folder::new();
    let machine = ["--native", "--tier", "shared", "--memory", "64M"];
    let built = folder.build("hog", &[&machine[..], &["--", "ticks=1"]].concat());
    let (output, error, code) = run(&built, &["--hallows-quiet"]);
    assert_eq!((error.as_str(), code), ("", 0), "{output}");
    let (same, _, _) = say(&[&["run", "hog"], &machine[..], &["--", "ticks=1"]].concat());
    let own = |text: &str| text.lines().filter(|line| line.starts_with("hog:")).count();
    assert_eq!(own(&output), own(&same), "{output}\n{same}");
    assert!(!output.is_empty());
}

fn mask() {
    let folder = Folder::new();
    for (mask, mode) in [("077", 0o700), ("022", 0o755), ("002", 0o775)] {
        let line = format!("umask {mask} && exec \"$@\"");
        let (program, output) = (folder.text("program.wasm"), folder.text("built"));
        let hallows = env!("CARGO_BIN_EXE_hallows");
        let build = ["-c", &line, "sh", hallows, "build", &program, "-o", &output, "--force", "--quiet"];
        assert!(Command::new("sh").args(build).status().unwrap().success());
        assert_eq!(fs::metadata(folder.path("built")).unwrap().permissions().mode() & 0o777, mode);
    }
}

fn sealed() {
    let folder = Folder::new();
    let system = "[cells.counter]\nprogram = \"counter\"\nserves = { counter = \"active\" }\n";
    fs::write(folder.path("mine.toml"), system).unwrap();
    let built = folder.build(&folder.text("mine.toml"), &["--tier", "shared", "--memory", "64M"]);
    let mut machine = Command::new(&built).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(machine.stderr.take().unwrap());
    let mut lines = lines.lines().map(|line| line.unwrap());
    assert!(lines.any(|line| line.contains("hallows: tier ")));
    let mut attach = crate::running::command(&["attach"]);
    attach.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut attach = attach.spawn().unwrap();
    attach.stdin.take().unwrap().write_all(b"start spin\nstart spin --native --as other\n").unwrap();
    let Output { stdout, stderr, status } = attach.wait_with_output().unwrap();
    let (output, error) =
        (String::from_utf8(stdout).unwrap(), unwrapped(&String::from_utf8(stderr).unwrap()));
    assert!(
        error.contains("`hallows build` made") && !error.contains("compile the program again"),
        "{error}"
    );
    assert!(output.contains("other runs as cell"), "{output}{error}");
    assert_eq!(status.code(), Some(64));
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(machine.wait().unwrap().code(), Some(0));
}

fn damaged() {
    let folder = Folder::new();
    let built = folder.build(&folder.text("program.wasm"), &[]);
    let whole = fs::read(&built).unwrap();
    let original = fs::metadata(env!("CARGO_BIN_EXE_hallows")).unwrap().len() as usize;
    assert!(whole.len() > original);
    let with = |bytes: &[u8]| {
        // Written anew each time: an executable that runs cannot be written to.
        let path = folder.path("damaged");
        let _ = fs::remove_file(&path);
        fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    for length in [original, original + 1, (original + whole.len()) / 2, whole.len() - 1] {
        let (_, error, code) = run(&with(&whole[..length]), &[]);
        assert!(
            code == 71 && error.contains("damaged") && error.contains("cut off"),
            "{length}: {code} {error}"
        );
    }
    let (_, error, code) = run(&with(&[&whole[..], b"more"].concat()), &[]);
    assert!(code == 71 && error.contains("put behind it"), "{error}");
    for place in [original, original + 9, (original + whole.len()) / 2, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[place] ^= 0x10;
        let (_, error, code) = run(&with(&flipped), &[]);
        assert!(code == 71 && error.contains("bytes were changed"), "byte {place}: {code} {error}");
    }
    // The mark itself: found where the two executables differ first.
    let plain = fs::read(env!("CARGO_BIN_EXE_hallows")).unwrap();
    let mark = plain.iter().zip(&whole).position(|(one, other)| one != other).unwrap();
    let mut flipped = whole.clone();
    flipped[mark] ^= 1;
    let (_, error, code) = run(&with(&flipped), &[]);
    assert!(code == 71 && error.contains("the mark"), "{code} {error}");
    // The executable's own bytes are not read at every start; asked to, it finds them. The last page before the payload is names of sections.
    let mut flipped = whole.clone();
    flipped[original - 1] ^= 1;
    let flipped = with(&flipped);
    let (_, error, code) = run(&flipped, &["--hallows-verify"]);
    assert!(code == 71 && error.contains("own bytes were changed"), "{code} {error}");
    assert_eq!(run(&with(&whole), &["--hallows-verify"]).2, 0);
}

fn refused() {
    let folder = Folder::new();
    let output = folder.text("built");
    let refuse = |arguments: &[&str], part: &str| {
        let (said, error, code) = say(&[&["build", "-o", &output], arguments].concat());
        let error = unwrapped(&error);
        assert!(code == 64 && error.contains(part), "{arguments:?}: {code} {said}{error}");
        assert!(!folder.path("built").exists(), "{arguments:?} left a file");
    };
    refuse(&["nothing"], "there is no system and no program nothing");
    refuse(&["./nothing.wasm"], "there is no file");
    fs::write(folder.path("text.wasm"), "no program").unwrap();
    refuse(&[&folder.text("text.wasm")], "cannot compile");
    refuse(&["counter-client", "--dir", "."], "not a program of Unix");
    refuse(&["counter-client", "--ask-dir", "/data"], "not a program of Unix");
    // What could never be started.
    let unix = folder.text("program.wasm");
    refuse(&[&unix, "--ask-dir", "/d", "--ask-dir", "/d"], "two directories have the name /d");
    refuse(&[&unix, "--dir", ".:/d", "--ask-dir", "/d:ro"], "two directories have the name /d");
    let many: Vec<String> = (0..33).map(|number| format!("/d{number}")).collect();
    let many: Vec<&str> = many.iter().flat_map(|guest| ["--ask-dir", guest]).collect();
    refuse(&[&[&*unix][..], &many].concat(), "33 directories are more than the 32");
    let long = format!("/{}", "x".repeat(8_192));
    refuse(&[&unix, "--ask-dir", &long], "longer than 8192 bytes");
    let (_, error, code) = say(&["build", "-o", "/nowhere/built", &folder.text("program.wasm")]);
    assert!(code == 64 && unwrapped(&error).contains("cannot write /nowhere/built"), "{error}");
    // Nothing is lost: neither a file that is there, nor one that a link leads to.
    fs::write(folder.path("built"), "precious").unwrap();
    let program = folder.text("program.wasm");
    let (_, error, code) = say(&["build", "-o", &output, &program]);
    assert!(code == 64 && unwrapped(&error).contains("--force"), "{error}");
    assert_eq!(fs::read(folder.path("built")).unwrap(), b"precious");
    assert_eq!(
        say(&["build", "-o", &output, &program, "--force", "--quiet"]),
        (String::new(), String::new(), 0)
    );
    assert_eq!(run(Path::new(&output), &[]).2, 7);
    // Nothing of the work is left beside it.
    let left: Vec<_> =
        fs::read_dir(folder.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{left:?}");
}
