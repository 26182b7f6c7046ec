//! A server as a process of ours: started on its cores, waited for until it answers, and ended whatever happens.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::process_time::allowed_cores;
use crate::{Client, Data, LoadError, ProcessTime, Protocol};

/// How long a server has to end when it is asked to.
const CONSIDERATION: Duration = Duration::from_secs(5);
/// Between two looks whether it answers, or has ended.
const LOOK: Duration = Duration::from_millis(5);
/// How long one is waited for who took a connection: Linux takes them for a server that does not look yet, and meanwhile nobody hears that somebody wants an end.
const LISTEN: Duration = Duration::from_millis(500);
/// What it said last, when it did not start.
const SAID_BYTES: usize = 600;

/// A server: how it is started, and where it is reached.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name in reports.
    pub name: String,
    /// The executable: a path, or a name that is looked for in `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where it listens when it is ready.
    pub address: SocketAddr,
    /// What it speaks.
    pub protocol: Protocol,
    /// The cores that it and all that it starts may use, by Linux's numbers.
    pub cores: Vec<usize>,
    /// How long it may take until it answers.
    pub patience: Duration,
}

impl Server {
    /// The command, as one would type it.
    #[must_use]
    pub fn command_line(&self) -> String {
        let words = [format!("taskset -c {}", list(&self.cores)), self.program.display().to_string()];
        words.into_iter().chain(self.arguments.iter().map(|word| quoted(word))).collect::<Vec<_>>().join(" ")
    }

    /// Starts it in `folder`, and waits until it answers. `stop`: whether somebody wants an end.
    ///
    /// # Errors
    /// When it cannot be started, ends, is not ready in time, or may use other cores than its own.
    pub fn start(&self, folder: &Path, stop: &dyn Fn() -> bool) -> Result<Running, LoadError> {
        let said = tempfile::tempfile().map_err(LoadError::system("make a temporary file"))?;
        let output =
            || said.try_clone().map(Stdio::from).map_err(LoadError::system("share a temporary file"));
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output()?)
            .stderr(output()?);
        // Ctrl-C is for this process, which then ends the server.
        command.process_group(0);
        let child = on_cores(&self.cores, move || command.spawn())?.map_err(|source| {
            LoadError::Server(format!("cannot start {}: {source}", self.program.display()))
        })?;
        let mut running = Running { child, said, is_reaped: false };
        running.until_ready(self, stop)?;
        let cores = running.cores();
        if !cores.is_subset(&self.cores.iter().copied().collect()) {
            let cores = list(&cores.into_iter().collect::<Vec<_>>());
            return Err(LoadError::Server(format!(
                "it may use the cores {cores}, and should use {} only",
                list(&self.cores)
            )));
        }
        Ok(running)
    }
}

/// A server that runs. Ended when it is dropped, with all that it started: asked to, and killed if it does not.
pub struct Running {
    child: Child,
    /// What it said on its output and on standard error.
    said: File,
    /// Its end was waited for: its number may be another's.
    is_reaped: bool,
}

impl Running {
    fn until_ready(&mut self, server: &Server, stop: &dyn Fn() -> bool) -> Result<(), LoadError> {
        let begin = Instant::now();
        let nothing = Data { keys: 1, value_bytes: 0 };
        loop {
            let failed = |running: &mut Self, what: &str| {
                LoadError::Server(format!("{what}; it said: {}", running.last_words()))
            };
            if self.has_ended() {
                let status = self.reap().map_err(LoadError::system("wait for the server's end"))?;
                return Err(failed(self, &format!("it ended before it was ready, with {status}")));
            }
            match Client::connect_with(server.address, server.protocol, nothing, LISTEN)
                .and_then(|mut client| client.greet())
            {
                Ok(()) => return Ok(()),
                Err(error @ LoadError::Protocol { .. }) => return Err(failed(self, &error.to_string())),
                Err(_) if stop() => return Err(LoadError::Stopped),
                Err(error) if begin.elapsed() > server.patience => {
                    let seconds = server.patience.as_secs();
                    return Err(failed(
                        self,
                        &format!("it did not answer at {} within {seconds} s ({error})", server.address),
                    ));
                }
                Err(_) => std::thread::sleep(LOOK),
            }
        }
    }

    /// Its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// The cores that its threads, and those of what it started, may use.
    #[must_use]
    pub fn cores(&self) -> BTreeSet<usize> {
        allowed_cores(self.child.id())
    }

    /// The processor time that it and what it started have used.
    #[must_use]
    pub fn time(&self) -> ProcessTime {
        ProcessTime::of(self.child.id())
    }

    /// The end of what it said, as one line.
    #[must_use]
    pub fn last_words(&self) -> String {
        // At a place, since the server's descriptors share this one's position.
        let read = || -> io::Result<String> {
            let length = self.said.metadata()?.len();
            let mut bytes = vec![0; SAID_BYTES];
            let read = self.said.read_at(&mut bytes, length.saturating_sub(SAID_BYTES as u64))?;
            Ok(String::from_utf8_lossy(&bytes[..read]).split_whitespace().collect::<Vec<_>>().join(" "))
        };
        let said = read().unwrap_or_default();
        if said.is_empty() { "nothing".to_owned() } else { said }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        // It stays a zombie, so that its number stays its own until `reap`.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        !matches!(waitid(WaitId::Pid(self.pid()), options), Ok(None))
    }

    /// Waits for its end, and ends what is left of its group, which it leads.
    fn reap(&mut self) -> io::Result<ExitStatus> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while matches!(waitid(WaitId::Pid(self.pid()), options), Err(rustix::io::Errno::INTR)) {}
        if !self.is_reaped {
            // Before its number can be given to another.
            let _ = kill_process_group(self.pid(), Signal::KILL);
        }
        self.is_reaped = true;
        self.child.wait()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_reaped {
            return;
        }
        let begin = Instant::now();
        let _ = kill_process(self.pid(), Signal::TERM);
        while !self.has_ended() && begin.elapsed() < CONSIDERATION {
            std::thread::sleep(LOOK);
        }
        let _ = kill_process(self.pid(), Signal::KILL);
        let _ = self.reap();
    }
}

/// Does `work` on a thread that may use these cores only; processes that it starts are confined likewise.
fn on_cores<T: Send>(cores: &[usize], work: impl FnOnce() -> T + Send) -> Result<T, LoadError> {
    let mut set = CpuSet::new();
    for core in cores {
        if *core >= CpuSet::MAX_CPU {
            return Err(LoadError::Argument(format!("there is no core {core}")));
        }
        set.set(*core);
    }
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| sched_setaffinity(None, &set).map(|()| work()));
        let done = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        done.map_err(LoadError::system("confine a server to its cores"))
    })
}

/// A port of 127.0.0.1 that nobody has; somebody may take it before it is used.
///
/// # Errors
/// [`LoadError::System`] if there is none.
pub fn free_port() -> Result<u16, LoadError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(LoadError::system("find a free port"))
}

/// Where a program is, if `PATH` has it.
#[must_use]
pub fn installed(program: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    // Debian keeps servers where users do not look.
    let more = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&folders).chain(more).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Cores as Linux writes them: `0,1`.
fn list(cores: &[usize]) -> String {
    cores.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,@%+".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
