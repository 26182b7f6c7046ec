//! What the jail lets through and what it does not: each attempt is made in a process of its own.
use hallows_compiler::{
    Limit, Limits,
    sandbox::{self, Jail},
};
use std::{
    io::{Read, Write},
    os::unix::process::ExitStatusExt,
    process::{Command, ExitStatus, Stdio},
};

/// Names the attempt that a child process of these tests makes.
const ATTEMPT: &str = "HALLOWS_SANDBOX_ATTEMPT";
/// What an attempt that got through exits with, and one that was refused with an error.
const THROUGH: i32 = 40;
const REFUSED: i32 = 41;

/// Not a test of its own: what the children run.
#[test]
fn attempt() {
    let Ok(attempt) = std::env::var(ATTEMPT) else { return };
    let limits = Limits::DEFAULT.with(Limit::CompilerMemoryBytes, 300 << 20).with(Limit::CompilerSeconds, 2);
    let jail = if attempt == "open without a jail" { Jail::Open } else { Jail::Closed };
    let threads = if attempt == "compute with helpers" { 3 } else { 1 };
    let ended = sandbox::run(jail, &limits, threads, move || {
        let through = try_it(&attempt);
        std::process::exit(if through { THROUGH } else { REFUSED })
    });
    let () = ended.unwrap_or_else(|error| panic!("the jail could not be closed: {error}"));
}

fn try_it(attempt: &str) -> bool {
    match attempt {
        "open" | "open without a jail" => std::fs::File::open("/etc/passwd").is_ok(),
        "create" => std::fs::File::create("/tmp/hallows-escape").is_ok(),
        "list" => std::fs::read_dir("/").is_ok(),
        "execute" => Command::new("/bin/true").status().is_ok(),
        "connect" => std::net::TcpStream::connect("127.0.0.1:1").is_ok(),
        "listen" => std::net::TcpListener::bind("127.0.0.1:0").is_ok(),
        "thread" => std::thread::Builder::new().spawn(|| ()).is_ok(),
        "executable memory" => executable_memory(libc::PROT_READ | libc::PROT_EXEC),
        "memory made executable" => memory_made_executable(),
        // SAFETY: sends no signal, only asks whether it could.
        "signal" => unsafe { libc::kill(libc::getppid(), 0) == 0 },
        "trace" => {
            // SAFETY: asks to attach to process 1; nothing of this process is touched.
            unsafe { libc::ptrace(libc::PTRACE_ATTACH, 1, 0, 0) == 0 }
        }
        "much memory" => std::hint::black_box(vec![1u8; 500 << 20]).len() == 500 << 20,
        "much time" => loop {
            std::hint::black_box(0);
        },
        "inherited file" => {
            let mut byte = [0];
            // SAFETY: `byte` is one writable byte.
            unsafe { libc::read(7, byte.as_mut_ptr().cast(), 1) == 1 }
        }
        "compute" | "compute with helpers" => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text).is_ok();
            let sum: usize = vec![text.len(); 1_000_000].iter().sum();
            read && sum == 5_000_000 && std::io::stdout().write_all(b"done").is_ok()
        }
        other => panic!("no attempt is called {other}"),
    }
}

fn executable_memory(protection: i32) -> bool {
    // SAFETY: asks for a new mapping anywhere.
    let mapping = unsafe {
        libc::mmap(std::ptr::null_mut(), 4096, protection, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
    };
    mapping != libc::MAP_FAILED
}

fn memory_made_executable() -> bool {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping, used by nobody else, is changed.
    unsafe {
        let mapping = libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ, flags, -1, 0);
        mapping != libc::MAP_FAILED && libc::mprotect(mapping, 4096, libc::PROT_READ | libc::PROT_EXEC) == 0
    }
}

fn status_of(attempt: &str) -> ExitStatus {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "attempt", "--test-threads=1", "--nocapture"]).env(ATTEMPT, attempt);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // With it, Rust's allocator reads files for a backtrace before it aborts, and the jail ends the process first.
    command.env_remove("RUST_BACKTRACE");
    let mut child = command.spawn().unwrap();
    // The jail may have ended it by now. Those that get through have read it.
    let _ = child.stdin.take().unwrap().write_all(b"input");
    child.wait().unwrap()
}

#[test]
fn what_compiling_needs_gets_through() {
    assert_eq!(status_of("compute").code(), Some(THROUGH));
    assert_eq!(status_of("compute with helpers").code(), Some(THROUGH));
    assert_eq!(status_of("open without a jail").code(), Some(THROUGH), "else the others prove nothing");
}

#[test]
fn files_cannot_be_opened() {
    for attempt in ["open", "create", "list"] {
        assert_eq!(status_of(attempt).code(), Some(REFUSED), "{attempt}");
    }
    assert!(!std::path::Path::new("/tmp/hallows-escape").exists());
}

#[test]
fn whatever_else_reaches_out_ends_the_process() {
    for attempt in [
        "execute",
        "connect",
        "listen",
        "thread",
        "executable memory",
        "memory made executable",
        "signal",
        "trace",
        "inherited file",
    ] {
        assert_eq!(status_of(attempt).signal(), Some(libc::SIGSYS), "{attempt}");
    }
}

#[test]
fn memory_and_time_end() {
    // Rust's own allocator aborts; the compiler's says why (see the tests with hostile programs).
    assert_eq!(status_of("much memory").signal(), Some(libc::SIGABRT));
    assert_eq!(status_of("much time").signal(), Some(libc::SIGXCPU));
}
