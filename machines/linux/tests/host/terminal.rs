//! The user's terminal: its signals, its size, its mode.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::Signal;
use rustix::termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::running::{Running, parent};
use crate::test;

pub fn tests() -> Vec<Trial> {
    vec![
        test("ctrl_c_on_the_terminal_stops_the_machine_cleanly", ctrl_c),
        test("ctrl_z_does_not_stop_the_parent", ctrl_z),
        test("a_machine_that_wants_keys_gets_them_and_the_terminal_is_put_back", keys),
        test("the_machine_learns_the_size_of_the_terminal", window),
    ]
}

/// A pseudo-terminal: the user's end and the program's end.
struct Terminal {
    user: File,
    program: OwnedFd,
}

impl Terminal {
    fn new() -> Self {
        let (mut user, mut program) = (0, 0);
        let (name, settings, size) = (std::ptr::null_mut(), std::ptr::null(), std::ptr::null());
        // SAFETY: the first two point to valid places for the answer; the others are optional.
        assert_eq!(unsafe { libc::openpty(&mut user, &mut program, name, settings, size) }, 0);
        // SAFETY: both were opened just now and have no other owner.
        let (user, program) = unsafe { (File::from_raw_fd(user), OwnedFd::from_raw_fd(program)) };
        for end in [user.as_fd(), program.as_fd()] {
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC).unwrap();
        }
        Self { user, program }
    }

    /// Starts a parent whose controlling terminal this is.
    fn start(&self, options: &[&str]) -> Running {
        let mut command = parent(options);
        let program = self.program.try_clone().unwrap();
        // SAFETY: two system calls between fork and exec; descriptor 0 is open there.
        unsafe {
            command.pre_exec(|| {
                rustix::process::setsid()?;
                Ok(rustix::process::ioctl_tiocsctty(BorrowedFd::borrow_raw(0))?)
            });
        }
        Running::start_with_input(command, Stdio::from(program))
    }

    fn settings(&self) -> Termios {
        tcgetattr(&self.program).unwrap()
    }

    fn reads_lines(&self) -> bool {
        self.settings().local_modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    fn type_keys(&mut self, keys: &[u8]) {
        self.user.write_all(keys).unwrap();
    }
}

fn ctrl_c() {
    let mut terminal = Terminal::new();
    let mut running = terminal.start(&["--shared"]);
    running.machine();
    terminal.type_keys(b"\x03");
    running.hear("asked to stop within");
    assert_eq!(running.code(), Some(0));
}

fn ctrl_z() {
    let mut terminal = Terminal::new();
    let mut running = terminal.start(&["--shared"]);
    running.machine();
    terminal.type_keys(b"\x1a");
    // It is still there to serve this.
    terminal.type_keys(b"\x03");
    assert_eq!(running.code(), Some(0));
}

fn keys() {
    let mut terminal = Terminal::new();
    assert!(terminal.reads_lines());
    let mut running = terminal.start(&["--shared", "--keys"]);
    running.hear("keys");
    // The line and the wish reach the parent in two ways: it may print the one before it grants the other.
    let patience = Instant::now() + Duration::from_secs(30);
    while terminal.reads_lines() {
        assert!(Instant::now() < patience, "nobody changed the terminal's settings");
        std::thread::yield_now();
    }
    // Ctrl-C is a key like any other now.
    terminal.type_keys(b"\x03x");
    assert_eq!((running.hear("key"), running.hear("key")), ("3".to_owned(), "120".to_owned()));
    terminal.type_keys(b"q");
    assert_eq!(running.code(), Some(0));
    assert!(terminal.reads_lines());
}

fn window() {
    let terminal = Terminal::new();
    let size = |columns, rows| Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal.user, size(80, 24)).unwrap();
    let mut running = terminal.start(&["--shared"]);
    assert_eq!(running.hear("window"), "80 x 24");
    tcsetwinsize(&terminal.user, size(132, 50)).unwrap();
    assert_eq!(running.hear("window"), "132 x 50");
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(0));
}
