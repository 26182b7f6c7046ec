//! The command on a terminal: colour there and nowhere else, Ctrl-C by key.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Child;

use libtest_mimic::Trial;

use crate::running::{command, say};
use crate::test;

pub fn tests() -> Vec<Trial> {
    vec![
        test("errors_are_coloured_on_a_terminal_and_plain_in_a_pipe", colour),
        test("ctrl_c_on_the_terminal_ends_the_machine_with_a_summary", ctrl_c),
    ]
}

/// A pseudo-terminal: the user's end and the program's end.
struct Terminal {
    user: File,
    program: Option<OwnedFd>,
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
        Self { user, program: Some(program) }
    }

    /// Starts the command with this as its only and controlling terminal.
    fn start(&mut self, arguments: &[&str]) -> Child {
        let program = self.program.take().unwrap();
        let mut command = command(arguments);
        command.env("TERM", "xterm-256color").env_remove("NO_COLOR").env_remove("CLICOLOR").env_remove("CI");
        command.stdin(program.try_clone().unwrap());
        command.stdout(program.try_clone().unwrap()).stderr(program);
        // SAFETY: two system calls between fork and exec; descriptor 0 is open there.
        unsafe {
            command.pre_exec(|| {
                rustix::process::setsid()?;
                Ok(rustix::process::ioctl_tiocsctty(BorrowedFd::borrow_raw(0))?)
            });
        }
        command.spawn().unwrap()
    }

    /// Reads until this has come, or until nobody has the terminal any more.
    fn read_until(&mut self, part: &str) -> String {
        let mut text = Vec::new();
        let mut buffer = [0; 4096];
        while !String::from_utf8_lossy(&text).contains(part) {
            match self.user.read(&mut buffer) {
                Ok(bytes @ 1..) => text.extend_from_slice(&buffer[..bytes]),
                // Linux says EIO when the other end is closed.
                Ok(0) | Err(_) => break,
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

fn colour() {
    let arguments = ["run", "no-such-thing"];
    let (_, piped, code) = say(&arguments);
    assert!(piped.contains("hallows list") && !piped.contains('\x1b'), "{piped:?}");
    assert_eq!(code, 64);
    let mut terminal = Terminal::new();
    let mut child = terminal.start(&arguments);
    let shown = terminal.read_until("\0 nothing has this");
    assert!(shown.contains("\x1b[") && shown.contains("no-such-thing"), "{shown:?}");
    assert_eq!(child.wait().unwrap().code(), Some(64));
}

fn ctrl_c() {
    let mut terminal = Terminal::new();
    let mut child = terminal.start(&["run", "spin", "--tier", "shared"]);
    let start = terminal.read_until("tier ");
    assert!(start.contains("hallows: spin on Linux"), "{start}");
    terminal.user.write_all(b"\x03").unwrap();
    let end = terminal.read_until("\0 nothing has this");
    assert!(end.contains("hallows: after ") && end.contains("the machine ended with code 0"), "{end}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
