//! The command under test: started, listened to line by line, and ended whatever happens.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use hallows_linux::host::core_set::CoreId;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};

/// A line that has not come by then never comes: the slowest step takes a tenth of a second on a loaded host.
const PATIENCE: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

/// The command with these arguments.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallows"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// What a command that ends by itself says: standard output, standard error, exit code.
pub fn say(arguments: &[&str]) -> (String, String, i32) {
    say_in(".", arguments)
}

/// What it says in a folder.
pub fn say_in(folder: &str, arguments: &[&str]) -> (String, String, i32) {
    let Output { stdout, stderr, status } = command(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(stdout), text(stderr), status.code().unwrap())
}

/// `ps` of one machine, as JSON.
pub fn ps(pid: i32) -> serde_json::Value {
    let (output, error, code) = say(&["ps", "--json", "--machine", &pid.to_string()]);
    assert_eq!(code, 0, "{error}");
    serde_json::from_str::<serde_json::Value>(&output).unwrap()["machine"].take()
}

/// Asks until a cell of a machine is in this state: one that was started a moment ago is `ready` until a core gets to it.
pub fn await_state(pid: i32, name: &str, state: &str) {
    let began = Instant::now();
    loop {
        let machine = ps(pid);
        let cells = machine["cells"].as_array().unwrap();
        if cells.iter().any(|cell| cell["name"] == name && cell["state"] == state) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{name} is not {state}: {machine}");
    }
}

/// A machine that runs.
pub struct Running {
    parent: Child,
    output: File,
    unread: Vec<u8>,
    /// All that it said.
    pub heard: String,
    /// The system's file, if the test made one.
    _system: Option<tempfile::NamedTempFile>,
}

impl Running {
    /// Boots a system that the test describes.
    pub fn of(system: &str, options: &[&str]) -> Self {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        file.write_all(system.as_bytes()).unwrap();
        let path = file.path().to_str().unwrap().to_owned();
        Self::start(&[&["run", &path], options].concat(), Some(file))
    }

    pub fn start(arguments: &[&str], system: Option<tempfile::NamedTempFile>) -> Self {
        Self::spawn(command(arguments), system)
    }

    /// In a process group of its own, as a shell starts a job.
    pub fn job(arguments: &[&str]) -> Self {
        use std::os::unix::process::CommandExt;
        let mut command = command(arguments);
        command.process_group(0);
        Self::spawn(command, None)
    }

    fn spawn(mut command: Command, system: Option<tempfile::NamedTempFile>) -> Self {
        let (output, input) = std::io::pipe().unwrap();
        command.stdout(input.try_clone().unwrap()).stderr(input);
        let parent = command.spawn().unwrap();
        let output = File::from(std::os::fd::OwnedFd::from(output));
        Self { parent, output, unread: Vec::new(), heard: String::new(), _system: system }
    }

    /// The next line with this in it.
    pub fn hear(&mut self, part: &str) -> String {
        loop {
            let line =
                self.next_line().unwrap_or_else(|| panic!("nothing with `{part}`; heard {}", self.heard));
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Waits for a line with each of these, in whatever order they come.
    pub fn hear_each(&mut self, parts: &[&str]) {
        let mut missing = parts.to_vec();
        while !missing.is_empty() {
            let line = self.next_line();
            let line = line.unwrap_or_else(|| panic!("nothing with {missing:?}; heard {}", self.heard));
            missing.retain(|part| !line.contains(part));
        }
    }

    /// Waits until the machine is claimed and its threads are in place; what it said of that.
    pub fn placed(&mut self) -> String {
        self.hear("hallows: tier ")
    }

    fn next_line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line).into_owned();
                self.heard += &line;
                return Some(line);
            }
            let ready = poll(&mut [PollFd::new(&self.output, PollFlags::IN)], Some(&PATIENCE)).unwrap();
            assert_eq!(ready, 1, "nothing came for a minute; heard {}", self.heard);
            let mut buffer = [0; 4096];
            let bytes = self.output.read(&mut buffer).unwrap();
            self.unread.extend_from_slice(&buffer[..bytes]);
            if bytes == 0 {
                return None;
            }
        }
    }

    pub fn pid(&self) -> i32 {
        self.parent.id().cast_signed()
    }

    /// The machine process: the only child of the parent.
    pub fn machine(&self) -> i32 {
        let pid = self.pid();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let children: Vec<i32> = children.split_whitespace().map(|pid| pid.parse().unwrap()).collect();
        assert_eq!(children.len(), 1, "{children:?}");
        children[0]
    }

    pub fn signal(&self, signal: Signal) {
        send(self.pid(), signal);
    }

    /// Hears it out; its exit code (128 and more for a signal, as in a shell).
    pub fn code(&mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        while self.next_line().is_some() {}
        let status = self.parent.wait().unwrap();
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
    }

    /// Page faults of the thread that drives a core.
    pub fn faults(&self, core: CoreId) -> u64 {
        let machine = self.machine();
        let threads = crate::host::threads(machine);
        let (tid, _) = threads.iter().find(|(_, name)| *name == format!("core-{core}")).unwrap();
        stat(&format!("{machine}/task/{tid}"), 10).parse().unwrap()
    }
}

/// A field of what Linux says of a process or thread, numbered as in proc_pid_stat(5), behind its name.
pub fn stat(of: &str, field: usize) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{of}/stat")).unwrap();
    // The name, the second field, is in brackets and may hold anything.
    stat.rsplit_once(") ").unwrap().1.split(' ').nth(field - 3).unwrap().to_owned()
}

pub fn send(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Waits until a process that is not ours to wait for has ended.
pub fn await_end(pid: i32) {
    let pid = Pid::from_raw(pid).unwrap();
    let Ok(descriptor) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) else {
        return;
    };
    let mut ends = [PollFd::new(&descriptor, PollFlags::IN)];
    assert_eq!(poll(&mut ends, Some(&PATIENCE)).unwrap(), 1, "it goes on");
}

/// Whether none runs.
pub fn no_machine() -> bool {
    say(&["ps", "--json"]).0.is_empty()
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.parent.try_wait(), Ok(None)) {
            let _ = self.parent.kill();
            let _ = self.parent.wait();
            // Only a parent that was killed leaves anything.
            let _ = crate::host::restore();
        }
    }
}
