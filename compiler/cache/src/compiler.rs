//! The compiler process: started, fed, watched, judged.
use crate::{CompileError, Limit, Limits, Settings, pipes};
use hallows_compiler_protocol::Request;
use rustix::{
    fs::{MemfdFlags, SealFlags},
    process::{Pid, Resource, Rlimit, Signal},
};
use std::{
    fs::File,
    io::{self, Write},
    os::{fd::AsRawFd, unix::process::ExitStatusExt},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Address space for the compiler's own code and for each thread's stack and allocator, beside the memory that it
/// may allocate. It sets itself a closer limit; this one holds if it does not.
const ADDRESS_SPACE_RESERVE_BYTES: u64 = 1 << 30;
/// The compiler's own bound on what it says; more is cut.
const ERROR_BYTES: usize = 64 << 10;

/// The compiler's executable.
#[derive(Debug)]
pub struct Compiler {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Path(PathBuf),
    /// Embedded in this process; put into a memory file on first use.
    Bytes {
        executable: &'static [u8],
        file: OnceLock<File>,
    },
}

impl Compiler {
    /// An executable in the file system.
    pub fn from_path(path: PathBuf) -> Compiler {
        Compiler { source: Source::Path(path) }
    }

    /// An executable embedded in this one; it runs without ever being a file.
    pub fn from_bytes(executable: &'static [u8]) -> Compiler {
        Compiler { source: Source::Bytes { executable, file: OnceLock::new() } }
    }

    /// Compiles in a process of its own; the artefact is neither checked nor sealed.
    pub(crate) fn compile(
        &self,
        program: &[u8],
        settings: &Settings,
        limits: &Limits,
        threads: u32,
    ) -> Result<Vec<u8>, CompileError> {
        let request = Request { settings: *settings, limits: limits.clone(), threads };
        let wall_seconds = limits.get(Limit::WallSeconds);
        let began = Instant::now();
        let deadline = began + Duration::from_secs(wall_seconds);
        let mut running = Running(self.start(&request)?);
        running.limit(limits, threads)?;
        // An artefact is no larger than the memory it was made in.
        let bound = usize::try_from(limits.get(Limit::CompilerMemoryBytes)).unwrap_or(usize::MAX);
        let exchange = pipes::exchange(&mut running.0, program, bound, ERROR_BYTES, deadline);
        let outcome = exchange.map_err(|error| CompileError::Host {
            what: "talking to the compiler".into(),
            message: error.to_string(),
        })?;
        let Some(said) = outcome else {
            return Err(CompileError::TimedOut { limit: Limit::WallSeconds, seconds: wall_seconds });
        };
        if said.overflowed {
            return Err(CompileError::Crashed { how: "its output does not end".into() });
        }
        // Its pipes are closed: it has ended, or closed them and hangs, for which it has no time left.
        let Some(status) = running.wait_until(deadline) else {
            return Err(CompileError::TimedOut { limit: Limit::WallSeconds, seconds: wall_seconds });
        };
        judge(status, &said.errors, began.elapsed(), limits)?;
        Ok(said.output)
    }

    fn start(&self, request: &Request) -> Result<Child, CompileError> {
        let path = match &self.source {
            Source::Path(path) => path.clone(),
            Source::Bytes { executable, file } => {
                let file = match file.get() {
                    Some(file) => file,
                    None => {
                        let made = memory_file(executable).map_err(|error| CompileError::Host {
                            what: "putting the compiler into a memory file".into(),
                            message: error.to_string(),
                        })?;
                        file.get_or_init(|| made)
                    }
                };
                // The child has the descriptor until the moment it executes it.
                PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
            }
        };
        let mut command = Command::new(&path);
        command.args(request.to_arguments()).env_clear().current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(|error| CompileError::Host {
            what: format!("starting the compiler {}", path.display()),
            message: error.to_string(),
        })
    }
}

/// A file in memory that holds `executable` and cannot be changed any more.
fn memory_file(executable: &[u8]) -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels from 6.3 want it said that the file may be executed; older ones do not know the word.
    let descriptor = rustix::fs::memfd_create("hallows-compiler", flags | MemfdFlags::EXEC)
        .or_else(|_| rustix::fs::memfd_create("hallows-compiler", flags))?;
    let mut file = File::from(descriptor);
    file.write_all(executable)?;
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&file, seals)?;
    Ok(file)
}

/// A process that is killed and waited for when it is no longer wanted.
struct Running(Child);

impl Running {
    /// The limits that the compiler sets for itself, set from outside, before it gets the first byte.
    fn limit(&mut self, limits: &Limits, threads: u32) -> Result<(), CompileError> {
        let error = |message: String| CompileError::Host { what: "limiting the compiler".into(), message };
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| error("it has no process id".into()))?;
        let reserve = ADDRESS_SPACE_RESERVE_BYTES.saturating_mul(1 + u64::from(threads));
        let memory = limits.get(Limit::CompilerMemoryBytes).saturating_add(reserve);
        // It gets SIGXCPU by its own limit first, and says so.
        let seconds = limits.get(Limit::CompilerSeconds).saturating_add(1);
        let both = |value| Rlimit { current: Some(value), maximum: Some(value) };
        for (resource, limit) in
            [(Resource::As, both(memory)), (Resource::Cpu, both(seconds)), (Resource::Core, both(0))]
        {
            match rustix::process::prlimit(Some(pid), resource, limit) {
                // It has lowered its own limit already, and raising one again takes privilege.
                Ok(_) | Err(rustix::io::Errno::PERM) => {}
                // It has ended already; what it said tells why.
                Err(rustix::io::Errno::SRCH) => {}
                Err(failure) => return Err(error(failure.to_string())),
            }
        }
        Ok(())
    }

    /// Its status, if it ends in time.
    fn wait_until(&mut self, deadline: Instant) -> Option<ExitStatus> {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).ok()?)?;
        // Its pidfd becomes readable when it ends; without one (an old kernel) the answer is one blocking wait.
        if let Ok(pidfd) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
            while matches!(self.0.try_wait(), Ok(None)) {
                let left = deadline.checked_duration_since(Instant::now())?;
                pipes::wait_readable(&pidfd, left).ok()?;
            }
        }
        self.0.wait().ok()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has been waited for, which is what they are for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What its end says, after so much time.
fn judge(status: ExitStatus, errors: &str, took: Duration, limits: &Limits) -> Result<(), CompileError> {
    if status.success() {
        return Ok(());
    }
    if let Some(error) = CompileError::from_output(errors) {
        return Err(error);
    }
    let signal = status.signal();
    let limit = Limit::CompilerSeconds;
    // Linux kills a process that was in a long system call when its time was up, without the signal before.
    let is_over = took >= Duration::from_secs(limits.get(limit));
    if signal == Some(Signal::XCPU.as_raw()) || is_over && signal == Some(Signal::KILL.as_raw()) {
        return Err(CompileError::TimedOut { limit, seconds: limits.get(limit) });
    }
    let last = errors.lines().next_back().unwrap_or("it said nothing");
    let how = match signal {
        Some(signal) if signal == Signal::SYS.as_raw() => {
            format!("it made a system call that its sandbox forbids: {last}")
        }
        Some(signal) => format!("signal {signal}: {last}"),
        None => format!("{status}: {last}"),
    };
    Err(CompileError::Crashed { how })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        path::Path,
        sync::{Mutex, MutexGuard, PoisonError},
    };

    /// Held while a test writes and starts an executable: a child forked meanwhile by another would have it open
    /// for writing, and the kernel refuses to execute such a file.
    static STARTING: Mutex<()> = Mutex::new(());

    fn one_at_a_time() -> MutexGuard<'static, ()> {
        STARTING.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A compiler that is this shell script.
    fn script(directory: &Path, text: &str) -> Compiler {
        use std::os::unix::fs::OpenOptionsExt;
        let path = directory.join("compiler.sh");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o700).open(&path).unwrap();
        file.write_all(format!("#!/bin/sh\n{text}\n").as_bytes()).unwrap();
        Compiler::from_path(path)
    }

    fn compile(text: &str, program: &[u8], limits: &Limits) -> Result<Vec<u8>, CompileError> {
        let _one = one_at_a_time();
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings::new(crate::Platform::Linux, crate::CpuFeatures::BASELINE).unwrap();
        script(directory.path(), text).compile(program, &settings, limits, 1)
    }

    #[test]
    fn who_is_killed_when_its_time_is_over_has_timed_out() {
        use std::os::unix::process::ExitStatusExt;
        let limits = Limits::DEFAULT.with(Limit::CompilerSeconds, 30);
        let killed = |seconds| {
            judge(ExitStatus::from_raw(Signal::KILL.as_raw()), "", Duration::from_secs(seconds), &limits)
        };
        assert_eq!(killed(31), Err(CompileError::TimedOut { limit: Limit::CompilerSeconds, seconds: 30 }));
        assert!(matches!(killed(29), Err(CompileError::Crashed { .. })), "{:?}", killed(29));
    }

    #[test]
    fn input_and_output_larger_than_pipes_pass() {
        let program: Vec<u8> = (0..3_000_000u32).map(|at| (at * 7 % 251) as u8).collect();
        assert_eq!(compile("exec /bin/cat", &program, &Limits::DEFAULT), Ok(program));
    }

    #[test]
    fn a_compiler_that_does_not_read_is_still_heard() {
        let error = CompileError::Invalid { offset: Some(3), message: "no".into() };
        let text = format!("exec 0<&-\necho '{}' >&2\nexit 1", error.to_line().trim_end());
        assert_eq!(compile(&text, &vec![0; 3_000_000], &Limits::DEFAULT), Err(error));
    }

    #[test]
    fn a_compiler_that_hangs_is_killed_in_time() {
        let limits = Limits::DEFAULT.with(Limit::WallSeconds, 1);
        let timed_out = Err(CompileError::TimedOut { limit: Limit::WallSeconds, seconds: 1 });
        let started = Instant::now();
        assert_eq!(compile("exec /bin/sleep 600", b"", &limits), timed_out);
        // One that closed its pipes, too.
        assert_eq!(compile("exec 0<&- 1<&- 2<&-\nexec /bin/sleep 600", b"", &limits), timed_out);
        assert!(started.elapsed() < Duration::from_secs(60), "far from the 600 s that it wanted");
    }

    #[test]
    fn a_compiler_that_dies_is_reported_with_its_last_words() {
        let crashed = |how: &str| Err(CompileError::Crashed { how: how.into() });
        assert_eq!(compile("echo hm >&2\nkill -SEGV $$", b"", &Limits::DEFAULT), crashed("signal 11: hm"));
        assert_eq!(compile("exit 9", b"", &Limits::DEFAULT), crashed("exit status: 9: it said nothing"));
        let limits = Limits::DEFAULT.with(Limit::CompilerSeconds, 7);
        let timed_out = CompileError::TimedOut { limit: Limit::CompilerSeconds, seconds: 7 };
        assert_eq!(compile("kill -XCPU $$", b"", &limits), Err(timed_out));
    }

    #[test]
    fn output_without_end_is_cut_off() {
        let limits = Limits::DEFAULT.with(Limit::CompilerMemoryBytes, 1_000_000);
        let error = CompileError::Crashed { how: "its output does not end".into() };
        assert_eq!(compile("exec /bin/cat /dev/zero", b"", &limits), Err(error));
    }

    #[test]
    fn a_missing_compiler_is_named() {
        let _one = one_at_a_time();
        let settings = Settings::new(crate::Platform::Linux, crate::CpuFeatures::BASELINE).unwrap();
        let compiler = Compiler::from_path("/nowhere/hallows-compiler".into());
        let error = compiler.compile(b"", &settings, &Limits::DEFAULT, 1).unwrap_err();
        assert!(error.to_string().contains("/nowhere/hallows-compiler"), "{error}");
    }

    #[test]
    fn an_embedded_compiler_runs_from_memory() {
        let _one = one_at_a_time();
        // Any executable that takes all arguments and ends well.
        let executable: &'static [u8] = std::fs::read("/bin/true").unwrap().leak();
        let settings = Settings::new(crate::Platform::Linux, crate::CpuFeatures::BASELINE).unwrap();
        let compiler = Compiler::from_bytes(executable);
        for _ in 0..2 {
            assert_eq!(compiler.compile(b"x", &settings, &Limits::DEFAULT, 1), Ok(vec![]));
        }
    }
}
