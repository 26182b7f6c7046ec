//! A parent process under test: started, listened to line by line, and ended with everything put back whatever happens.

use std::io::Read;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};

use hallows_linux::host::control::RunningMachine;
use hallows_linux::host::process_id::ProcessId;
use hallows_linux::host::runtime_dir::RuntimeDir;
use hallows_linux::host::tier::TierReport;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

/// A line that has not come by then never comes: the slowest step takes a tenth of a second on a loaded host.
const PATIENCE: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

pub struct Running {
    parent: Child,
    pub stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    unread: Vec<u8>,
    /// Lines that came and were not waited for yet.
    waiting: Vec<String>,
    /// All lines, for messages.
    heard: Vec<String>,
}

/// This program as a parent process.
pub fn parent(options: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("parent").args(options);
    command
}

impl Running {
    pub fn start(options: &[&str]) -> Self {
        Self::start_command(parent(options))
    }

    pub fn start_command(command: Command) -> Self {
        Self::start_with_input(command, Stdio::piped())
    }

    pub fn start_with_input(mut command: Command, input: Stdio) -> Self {
        command.stdin(input).stdout(Stdio::piped());
        let mut parent = command.spawn().unwrap();
        let (stdin, stdout) = (parent.stdin.take(), parent.stdout.take().unwrap());
        Self { parent, stdin, stdout, unread: Vec::new(), waiting: Vec::new(), heard: Vec::new() }
    }

    /// The rest of the next line that starts with a word. Lines of parent and machine come in any order, so each is kept
    /// until it is asked for.
    pub fn hear(&mut self, word: &str) -> String {
        let after_word = |line: &String| Some(line.strip_prefix(word)?.strip_prefix(' ')?.to_owned());
        loop {
            if let Some(place) = self.waiting.iter().position(|line| after_word(line).is_some()) {
                return after_word(&self.waiting.remove(place)).unwrap();
            }
            let line =
                self.next_line().unwrap_or_else(|| panic!("no line `{word}`; heard {:#?}", self.heard));
            self.heard.push(line.clone());
            self.waiting.push(line);
        }
    }

    fn next_line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line = self.unread.drain(..=end).collect::<Vec<_>>();
                return Some(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.read_some() == 0 {
                return None;
            }
        }
    }

    fn read_some(&mut self) -> usize {
        let ready = poll(&mut [PollFd::new(&self.stdout, PollFlags::IN)], Some(&PATIENCE)).unwrap();
        assert_eq!(ready, 1, "nothing came for a minute; heard {:#?}", self.heard);
        let mut buffer = [0; 65536];
        let bytes = self.stdout.read(&mut buffer).unwrap();
        self.unread.extend_from_slice(&buffer[..bytes]);
        bytes
    }

    /// Everything until the parent closes its output.
    pub fn hear_all(&mut self) -> Vec<u8> {
        while self.read_some() > 0 {}
        std::mem::take(&mut self.unread)
    }

    /// Waits until the machine is jailed and gives its pid.
    pub fn machine(&mut self) -> ProcessId {
        ProcessId::of(self.hear("machine").parse().unwrap()).unwrap()
    }

    /// Waits until the threads are in place and gives the tier report.
    pub fn placed(&mut self) -> TierReport {
        serde_json::from_str(&self.hear("placed")).unwrap()
    }

    pub fn pid(&self) -> i32 {
        self.parent.id().cast_signed()
    }

    /// The machine as a client of this user sees it.
    pub fn control(&self) -> RunningMachine {
        let directory = RuntimeDir::of_this_user().unwrap();
        hallows_linux::host::control::client::choose(&directory, Some(self.pid())).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        send(self.pid(), signal);
    }

    /// Waits for the end of the parent and gives its exit code.
    pub fn code(&mut self) -> Option<i32> {
        self.status().code()
    }

    pub fn status(&mut self) -> ExitStatus {
        // Heard out first: it may be writing its last lines.
        while let Some(line) = self.next_line() {
            self.heard.push(line);
        }
        self.parent.wait().unwrap()
    }
}

/// A user without rights, with a copy of this program that everybody may execute.
pub struct OrdinaryUser {
    program: PathBuf,
}

impl OrdinaryUser {
    const ID: u32 = 65534;

    pub fn new() -> Self {
        let program = std::env::temp_dir().join(format!("hallows-host-test-{}", std::process::id()));
        std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        Self { program }
    }

    pub fn start(&self) -> Running {
        let mut command = Command::new("setpriv");
        command
            .arg(format!("--reuid={}", Self::ID))
            .arg(format!("--regid={}", Self::ID))
            .arg("--clear-groups");
        command.arg("--").arg(&self.program).arg("parent");
        command.env_remove("XDG_RUNTIME_DIR").current_dir("/");
        Running::start_command(command)
    }
}

impl Drop for OrdinaryUser {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.program);
        let _ = std::fs::remove_dir_all(format!("/tmp/hallows-{}", Self::ID));
    }
}

pub fn send(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Waits until a process has ended.
pub fn wait_for_end(process: ProcessId) {
    let Some(pidfd) = process.open() else { return };
    let ready = poll(&mut [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)], Some(&PATIENCE)).unwrap();
    assert_eq!(ready, 1, "process {} does not end", process.pid);
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.parent.try_wait(), Ok(None)) {
            let _ = self.parent.kill();
            let _ = self.parent.wait();
        }
        // Does nothing unless the parent was killed, here or by the test.
        let _ = crate::host::restore();
    }
}
