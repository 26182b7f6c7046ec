//! The command on a terminal: colour there and nowhere else, Ctrl-C by key.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Child;

use libtest_mimic::Trial;
use rustix::event::{PollFd, PollFlags, Timespec};

use crate::running::{Running, command, say};
use crate::test;

pub fn tests() -> Vec<Trial> {
    vec![
        test("errors_are_coloured_on_a_terminal_and_plain_in_a_pipe", colour),
        test("ctrl_c_on_the_terminal_ends_the_machine_with_a_summary", ctrl_c),
        test("a_terminal_that_goes_away_ends_the_machine_cleanly", gone),
        test("the_monitor_completes_names_and_shows_the_log_above_the_line", edited),
        test("a_terminal_that_goes_away_ends_a_monitor_and_not_its_guest_machine", monitor_gone),
        test("a_monitor_on_a_terminal_ends_when_it_is_detached_and_leaves_the_terminal_as_it_was", detached),
        test("ctrl_c_ends_a_command_of_the_monitor_and_neither_it_nor_its_machine", interrupted),
        test("top_takes_the_whole_terminal_and_gives_it_back", top),
    ]
}

/// A pseudo-terminal: the user's end and the program's end.
struct Terminal {
    user: File,
    program: Option<OwnedFd>,
    /// What has come and was not looked at.
    unread: Vec<u8>,
}

/// How long a test waits for a word of the command's.
const MOST_SILENCE: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

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
        Self { user, program: Some(program), unread: Vec::new() }
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

    /// Reads to the end of this, or until nobody has the terminal any more. What came behind it is read next.
    fn read_until(&mut self, part: &str) -> String {
        let mut buffer = [0; 4096];
        loop {
            if let Some(place) = self.unread.windows(part.len()).position(|window| window == part.as_bytes())
            {
                let read: Vec<u8> = self.unread.drain(..place + part.len()).collect();
                return String::from_utf8_lossy(&read).into_owned();
            }
            let mut ends = [PollFd::new(&self.user, PollFlags::IN)];
            let came = rustix::event::poll(&mut ends, Some(&MOST_SILENCE)).unwrap();
            let unread = String::from_utf8_lossy(&self.unread).into_owned();
            assert_eq!(came, 1, "nothing comes any more; {part:?} was waited for: {unread:?}");
            match self.user.read(&mut buffer) {
                Ok(bytes @ 1..) => self.unread.extend_from_slice(&buffer[..bytes]),
                // Linux says EIO when the other end is closed.
                Ok(0) | Err(_) => {
                    self.unread.clear();
                    return unread;
                }
            }
        }
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

fn gone() {
    let mut terminal = Terminal::new();
    let mut child = terminal.start(&["run", "spin", "--tier", "shared"]);
    terminal.read_until("tier ");
    // The other end is closed: a hang-up, and nobody hears the summary.
    drop(terminal);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let (left, _, code) = say(&["restore"]);
    assert!(left.contains("nothing to put back") && code == 0, "{left}");
}

const SERVERS: &str = "[cells.counter]\nprogram = \"counter\"\nserves = { counter = \"active\" }\n";

fn servers() -> Running {
    let mut running = Running::of(SERVERS, &["--tier", "shared"]);
    running.placed();
    running
}

const PROMPT: &str = "hallows> ";

fn edited() {
    let mut running = servers();
    let mut terminal = Terminal::new();
    let mut child = terminal.start(&["attach"]);
    terminal.read_until(PROMPT);
    terminal.user.write_all(b"inspect coun").unwrap();
    terminal.read_until("coun");
    // A line of the log comes while this one is edited.
    assert_eq!(say(&["restart", "counter"]).2, 0);
    let shown = terminal.read_until("counter runs again: life 2");
    assert!(shown.contains("runs again"), "{shown:?}");
    // The line is there again, and is completed and done.
    terminal.user.write_all(b"\t\r").unwrap();
    let shown = terminal.read_until("lives        2") + &terminal.read_until("RIGHTS");
    assert!(!shown.contains("no such cell"), "{shown:?}");
    terminal.read_until(PROMPT);
    terminal.user.write_all(b"\x04").unwrap();
    terminal.read_until("\0 nothing has this");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}

fn monitor_gone() {
    let mut running = servers();
    let mut terminal = Terminal::new();
    let mut child = terminal.start(&["attach"]);
    terminal.read_until(PROMPT);
    drop(terminal);
    child.wait().unwrap();
    let (cells, _, _) = say(&["ps"]);
    assert!(cells.contains("counter"), "{cells}");
    let (output, _, _) = say(&["detach"]);
    assert!(output.contains("no monitor was attached"), "{output}");
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}

fn detached() {
    let mut running = servers();
    let mut terminal = Terminal::new();
    let program = terminal.program.as_ref().unwrap().try_clone().unwrap();
    let before = rustix::termios::tcgetattr(&program).unwrap();
    let mut child = terminal.start(&["attach"]);
    terminal.read_until(PROMPT);
    assert_ne!(
        rustix::termios::tcgetattr(&program).unwrap().local_modes,
        before.local_modes,
        "the test is about what is changed"
    );
    assert!(say(&["detach"]).0.contains("1 monitor detached"));
    let shown = terminal.read_until("it goes on");
    assert!(shown.contains("detached; it goes on"), "{shown:?}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(rustix::termios::tcgetattr(&program).unwrap().local_modes, before.local_modes);
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}

fn interrupted() {
    let mut terminal = Terminal::new();
    let program = terminal.program.as_ref().unwrap().try_clone().unwrap();
    let modes = |program: &OwnedFd| rustix::termios::tcgetattr(program).unwrap().local_modes;
    let usual = modes(&program);
    let mut child = terminal.start(&["--tier", "shared"]);
    terminal.read_until(PROMPT);
    // One that never answers, and one that does nothing but wait.
    terminal.user.write_all(b"start spin --native --serve none=active\r").unwrap();
    terminal.read_until("runs as cell");
    for command in ["send spin.none hello --within 60000", "sleep 60000"] {
        terminal.read_until(PROMPT);
        terminal.user.write_all(format!("{command}\r").as_bytes()).unwrap();
        // The editor gives the terminal back as the command begins: from then on the key is a signal.
        while modes(&program) != usual {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let began = std::time::Instant::now();
        terminal.user.write_all(b"\x03").unwrap();
        let shown = terminal.read_until("interrupted");
        assert!(shown.contains("interrupted"), "{shown:?}");
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "{command}: it ended by itself");
    }
    terminal.read_until(PROMPT);
    terminal.user.write_all(b"cells\r").unwrap();
    let shown = terminal.read_until("counter");
    assert!(shown.contains("counter"), "{shown:?}");
    terminal.read_until(PROMPT);
    // The other end is closed when the command alone has it, and closes it.
    drop(program);
    terminal.user.write_all(b"\x04").unwrap();
    terminal.read_until("\0 nothing has this");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(crate::running::no_machine());
}

fn top() {
    let mut running = servers();
    let mut terminal = Terminal::new();
    let program = terminal.program.as_ref().unwrap().try_clone().unwrap();
    let size = rustix::termios::Winsize { ws_row: 40, ws_col: 140, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(&program, size).unwrap();
    let before = rustix::termios::tcgetattr(&program).unwrap();
    let mut child = terminal.start(&["top", "--interval", "0.1"]);
    // The other screen, and the table on it. The lines above it may name programs, too: whoever runs as it looks.
    let shown = terminal.read_until("P99");
    assert!(shown.contains("\x1b[?1049h") && shown.contains("P99"), "{shown:?}");
    let shown = terminal.read_until("counter");
    assert!(shown.contains("counter"), "{shown:?}");
    terminal.user.write_all(b"h").unwrap();
    // Blanks stay as they are, so words come one by one.
    terminal.read_until("off");
    terminal.user.write_all(b"q").unwrap();
    let end = terminal.read_until("\x1b[?1049l");
    assert!(end.contains("\x1b[?1049l"), "{end:?}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(rustix::termios::tcgetattr(&program).unwrap().local_modes, before.local_modes);
    drop(program);
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(running.code(), 0);
}
