//! Machines for programs that use this library: described step by step, run, and what became of them.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Termination};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use hallows_linux::host::core_set::CoreSet;
use hallows_linux::host::cores::TimekeeperPlace;
use hallows_linux::host::parent::MachineEnd;
use hallows_linux::host::quantity::ByteSize;
use hallows_linux::host::tier::{Tier as Reached, TierLimit};
use hallows_linux::machine::paths::{NOT_TAKEN, Requirement};
use hallows_sdk::native::NativeProgram;

use crate::cli::{DEFAULT_MEMORY, DEFAULT_QUANTUM_US, MachineOptions};
use crate::commands::run::{Finished, Place, Settings, boot};
use crate::compile::Compiler;
use crate::embedded;
use crate::failure::{Failure, SOFTWARE, USAGE};
use crate::network::Network;
use crate::process::NOT_STARTED;
use crate::system::{PolicySource, ProgramSource, Programs, System};
use crate::unix::{Directory, Invocation};

/// Cores are in use by another machine.
const CORES_TAKEN: u8 = 69;

/// A machine to be: what it runs, and on how much of this host. Made by [`Machine::linux`], started by [`Machine::run`].
///
/// Whatever is wrong (`cores("x")`) is remembered and becomes the error of [`Machine::run`], so that a description reads in one go.
#[derive(Debug)]
#[must_use = "nothing starts before `run`"]
pub struct Machine {
    options: MachineOptions,
    runs: Option<Runs>,
    carried: Vec<(String, Arc<[u8]>)>,
    policies: Vec<(String, Arc<[u8]>)>,
    invocation: Invocation,
    requires: Vec<Requirement>,
    tells: bool,
    wrong: Option<Error>,
}

/// What a machine runs.
#[derive(Debug)]
enum Runs {
    Program(Program),
    System { file: PathBuf, text: String },
}

/// A program that is to run alone on a machine.
#[derive(Clone, Debug)]
pub struct Program(Source);

#[derive(Clone, Debug)]
enum Source {
    File(PathBuf),
    Wasm { name: String, bytes: Arc<[u8]> },
    Native(String),
}

impl Program {
    /// WebAssembly (binary or text) in a file, which is read when the machine starts. Programs of Unix (WASI preview 1) and of hallows.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// WebAssembly in memory, for example by `include_bytes!`. The name is for people, and a Unix program's argument 0.
    pub fn wasm(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self(Source::Wasm { name: name.into(), bytes: bytes.into().into() })
    }

    /// A program that is linked into this executable; it must have been given to [`init`](crate::init).
    #[must_use]
    pub fn native(program: &'static NativeProgram) -> Self {
        Self(Source::Native(program.name.to_owned()))
    }
}

impl From<&str> for Program {
    /// A file.
    fn from(path: &str) -> Self {
        Self::file(path)
    }
}

impl From<&Path> for Program {
    fn from(path: &Path) -> Self {
        Self::file(path)
    }
}

impl From<PathBuf> for Program {
    fn from(path: PathBuf) -> Self {
        Self::file(path)
    }
}

impl From<&'static NativeProgram> for Program {
    fn from(program: &'static NativeProgram) -> Self {
        Self::native(program)
    }
}

/// What a Unix program may do in a directory that it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Look at everything below it, change nothing.
    ReadOnly,
    /// Also change it.
    ReadWrite,
}

/// How far cores are taken from Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Pin threads, change nothing on the host. Needs no privilege, and what a Unix program gets if nothing else is asked for.
    Shared,
    /// As far as this user may: root takes the cores out of Linux's scheduling while the machine runs.
    Best,
}

impl Machine {
    /// A machine of threads of Linux: on the highest core, with 256 MiB of memory, unless more is asked for.
    pub fn linux() -> Self {
        let options = MachineOptions {
            cores: None,
            housekeeping: None,
            memory: DEFAULT_MEMORY,
            tier: None,
            quantum_us: DEFAULT_QUANTUM_US,
        };
        let invocation = Invocation::default();
        Self {
            options,
            runs: None,
            carried: Vec::new(),
            policies: Vec::new(),
            invocation,
            requires: Vec::new(),
            tells: false,
            wrong: None,
        }
    }

    /// Remembers the first thing that is wrong.
    fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, what: &str, text: &str) -> Option<T> {
        let parsed = text.parse();
        match parsed {
            Ok(value) => Some(value),
            Err(error) => {
                self.is_wrong(format!("{what}(\"{text}\"): {error}"));
                None
            }
        }
    }

    fn is_wrong(&mut self, what: String) {
        self.wrong.get_or_insert_with(|| Error::usage(what));
    }

    /// The cores that belong to programs: a list as `"1-3,5"`. All other threads of this process leave them.
    pub fn cores(mut self, list: &str) -> Self {
        self.options.cores = self.parsed::<CoreSet>("cores", list);
        self
    }

    /// The cores of timekeeper and cleaner, which are Linux's; the lowest, if not given.
    pub fn housekeeping(mut self, list: &str) -> Self {
        self.options.housekeeping = self.parsed::<CoreSet>("housekeeping", list);
        self
    }

    /// Memory of all programs together, as `"512M"` or `"2G"`.
    pub fn memory(mut self, size: &str) -> Self {
        self.options.memory = self.parsed::<ByteSize>("memory", size).unwrap_or(DEFAULT_MEMORY);
        self
    }

    /// How far to take the cores from Linux.
    pub fn tier(mut self, tier: Tier) -> Self {
        self.options.tier = Some(match tier {
            Tier::Shared => TierLimit::SharedOnly,
            Tier::Best => TierLimit::Best,
        });
        self
    }

    /// How long a program runs while another waits for its core: 1 µs to 1 s, 5 µs if not given.
    pub fn quantum(mut self, quantum: Duration) -> Self {
        match u64::try_from(quantum.as_micros()) {
            Ok(quantum_us @ 1..=1_000_000) => self.options.quantum_us = quantum_us,
            _ => self.is_wrong(format!("quantum({quantum:?}): a quantum is 1 µs to 1 s")),
        }
        self
    }

    /// Runs one program: a path, a [`Program`], or a [`NativeProgram`].
    pub fn program(self, program: impl Into<Program>) -> Self {
        self.runs(Runs::Program(program.into()))
    }

    /// Runs a system: a description as `docs/programs.md` has it. It may use the programs of hallows, native ones that are linked in, those of
    /// [`Machine::wasm`] by name, and files, whose paths count from the working directory.
    pub fn system(self, text: impl Into<String>) -> Self {
        self.runs(Runs::System { file: PathBuf::from("system.toml"), text: text.into() })
    }

    /// Runs a system from a file; paths in it count from its folder.
    pub fn system_file(mut self, path: impl Into<PathBuf>) -> Self {
        let file = path.into();
        match std::fs::read_to_string(&file) {
            Ok(text) => self.runs(Runs::System { file, text }),
            Err(error) => {
                self.is_wrong(format!("system_file({}): {error}", file.display()));
                self
            }
        }
    }

    fn runs(mut self, runs: Runs) -> Self {
        if self.runs.is_some() {
            self.is_wrong(
                "a machine runs one program or one system: give several programs as the cells of a system"
                    .to_owned(),
            );
        }
        self.runs = Some(runs);
        self
    }

    /// WebAssembly that a [system](Machine::system) may use under this name, as one of the programs that hallows carries. It goes before one of
    /// those with the same name.
    pub fn wasm(mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let (name, bytes) = (name.into(), bytes.into());
        if self.carried.iter().any(|(known, _)| *known == name) {
            self.is_wrong(format!("wasm(\"{name}\"): there is one of that name already"));
        }
        self.carried.push((name, bytes.into()));
        self
    }

    /// A scheduling policy in WebAssembly (binary or text) that a [system](Machine::system) may choose under this name. Unlike one that is linked in
    /// ([`init_with`](crate::init_with)) it is verified, and can neither keep a core nor end the machine. The guide is `docs/policies.md`.
    pub fn policy(mut self, name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        let (name, bytes) = (name.into(), bytes.into());
        let is_known = |known: &str| known == name;
        if self.policies.iter().any(|(known, _)| is_known(known))
            || embedded::policy_names().into_iter().any(is_known)
        {
            self.is_wrong(format!("policy(\"{name}\"): there is one of that name already"));
        }
        self.policies.push((name, bytes.into()));
        self
    }

    /// An argument of the program.
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.invocation.arguments.push(argument.into());
        self
    }

    /// Arguments of the program.
    pub fn arguments(mut self, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.invocation.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// A variable of a Unix program's environment. It has no others.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let name = name.as_ref();
        if name.is_empty() || name.as_encoded_bytes().contains(&b'=') {
            self.is_wrong(format!("env(\"{}\"): a variable has a name, without `=`", name.display()));
        }
        let mut variable = name.to_owned();
        variable.push("=");
        variable.push(value);
        self.invocation.variables.push(variable);
        self
    }

    /// What a Unix program may use of its stack, as `"64K"` or `"16M"`: 64 KiB to 62 MiB; 8 MiB, as on Linux, if not given. In a system its
    /// description says it, cell by cell.
    pub fn stack(mut self, size: &str) -> Self {
        match crate::cli::stack(size) {
            Ok(bytes) => self.invocation.stack_bytes = Some(bytes.0),
            Err(error) => self.is_wrong(format!("stack(\"{size}\"): {error}")),
        }
        self
    }

    /// Gives a Unix program a directory of this host, which it knows as `guest`. It reaches no other file. A system lends it to Unix programs that
    /// are started in its monitor; its description gives its cells what they have.
    pub fn directory(mut self, host: impl Into<PathBuf>, guest: impl Into<String>, access: Access) -> Self {
        let read_only = access == Access::ReadOnly;
        self.invocation.directories.push(Directory { host: host.into(), guest: guest.into(), read_only });
        self
    }

    /// Gives a system a part of this host's network, as `hallows run --net` does: `"host:6379"` is a port of this host alone for its cell that runs
    /// `sockets`, `"host:0.0.0.0:6379"` of all its addresses, `"tap:NAME"` an interface for one that runs `packets`,
    /// `"xdp:NAME"` the frames of one that the host has, `"wire:NAME"` a wire to another machine of this host.
    pub fn network(mut self, part: &str) -> Self {
        let network = self.parsed::<Network>("network", part);
        self.invocation.networks.extend(network);
        self
    }

    /// Fails at the start instead of falling back: a service and the least path that it must take, for example `require("tier",
    /// "isolated")`. `hallows paths --list` shows all.
    pub fn require(mut self, service: &str, path: &str) -> Self {
        let requirement = self.parsed::<Requirement>("require", &format!("{service}={path}"));
        self.requires.extend(requirement);
        self
    }

    /// Says on standard error what the machine is set up with and how it ended, as `hallows run` does. It is silent otherwise.
    pub const fn tell(mut self) -> Self {
        self.tells = true;
        self
    }

    /// Boots the machine and stays until it has ended and this host is as it was.
    ///
    /// Call it on the main thread: Linux ends the machine with the thread that started it. Meanwhile SIGINT, SIGTERM and SIGHUP ask the machine
    /// to end, standard streams are carried to and from it, and `hallows ps` shows it. Afterwards this process stays on the cores that are Linux's.
    ///
    /// # Errors
    /// [`Error`]: nothing ran, and nothing of this host is changed. A program that fails is no error: see [`Ended::code`].
    pub fn run(self) -> Result<Ended, Error> {
        if !embedded::is_linked() {
            return Err(Error::not_initialised());
        }
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        if !rustix::thread::gettid().eq(&rustix::process::getpid()) {
            return Err(Error::usage(
                "Machine::run belongs on the main thread: Linux ends the machine with the thread that started it".to_owned(),
            ));
        }
        let Some(runs) = self.runs else {
            return Err(Error::usage(
                "this machine has nothing to run: give it a program(…) or a system(…)".to_owned(),
            ));
        };
        let system = system(runs, &self.carried, &self.policies)?;
        let place = Place::take(&self.options)?;
        let compiler = Compiler::open(!self.tells)?;
        let settings = Settings {
            machine: self.options,
            chaos: false,
            quiet: !self.tells,
            verbose: self.tells,
            requires: self.requires,
            background: None,
        };
        let finished = boot(place, &system, &self.invocation, &compiler, settings)?;
        Ended::of(&finished)
    }
}

/// The system that is meant, with what the user carries in its place.
fn system(
    runs: Runs,
    carried: &[(String, Arc<[u8]>)],
    policies: &[(String, Arc<[u8]>)],
) -> Result<System, Error> {
    let natives = embedded::native_names();
    let twice = natives.iter().enumerate().find(|(place, name)| natives[..*place].contains(*name));
    if let Some((_, name)) = twice {
        return Err(Error::usage(format!(
            "two native programs are called {name}: rename the package of yours (hallows has some of its own, see `hallows list`)"
        )));
    }
    match runs {
        Runs::Program(Program(Source::File(path))) => {
            if !path.is_file() {
                return Err(Error::usage(format!("there is no file {}", path.display())));
            }
            let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            Ok(System::of_one(&name, ProgramSource::File(path)))
        }
        Runs::Program(Program(Source::Wasm { name, bytes })) => {
            Ok(System::of_one(&name.clone(), ProgramSource::Carried { name, wasm: bytes }))
        }
        Runs::Program(Program(Source::Native(name))) => {
            if !natives.contains(&name.as_str()) {
                return Err(Error::usage(format!(
                    "the native program {name} is not linked in: give it to hallows::init, which the machine process begins with"
                )));
            }
            Ok(System::of_one(&name.clone(), ProgramSource::Native(name)))
        }
        Runs::System { file, text } => {
            let built_in: Vec<&str> =
                carried.iter().map(|(name, _)| name.as_str()).chain(embedded::names()).collect();
            let carried_as = |source: &ProgramSource| {
                let ProgramSource::BuiltIn(wanted) = source else { return None };
                let (name, wasm) = carried.iter().find(|(name, _)| name == wanted)?;
                Some(ProgramSource::Carried { name: name.clone(), wasm: wasm.clone() })
            };
            let declared = |source: &ProgramSource| {
                embedded::declared(&carried_as(source).unwrap_or_else(|| source.clone()))
            };
            let policy_names: Vec<&str> = embedded::policy_names()
                .into_iter()
                .chain(policies.iter().map(|(name, _)| name.as_str()))
                .collect();
            let programs = Programs {
                built_in: &built_in,
                native: &natives,
                policies: &policy_names,
                declared: &declared,
            };
            let mut system =
                System::parse(&file, &text, programs).map_err(|problem| Failure::system(*problem))?;
            system.replace_sources(carried_as);
            system.replace_policies(|source| {
                let PolicySource::Named(wanted) = source else { return None };
                let (name, wasm) = policies.iter().find(|(name, _)| name == wanted)?;
                Some(PolicySource::Carried { name: name.clone(), wasm: wasm.clone() })
            });
            Ok(system)
        }
    }
}

/// A machine that has ended, with this host as it was before. Displayed, it is a line for people.
///
/// Returned from `main`, it is the process's exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit code of a command that ran it: 0 well; 1 to 63 the system's own, 0 to 255 a Unix program's; 128 + n if signal n ended it.
    pub code: u8,
    /// The signal that asked the machine to end cleanly, if one did (SIGINT is 2).
    pub stopped_by: Option<i32>,
    /// The signal that killed the machine process: 6 is a panic inside of it.
    pub killed_by: Option<i32>,
    /// How long the machine was there, from its start to its end.
    pub took: Duration,
    /// `shared`, `isolated` or `booted`: how well its cores were its own. Nothing if it was over before that was known.
    pub tier: Option<&'static str>,
    /// Programs ran on these cores, as `"1-3"`.
    pub cores: String,
    /// Timekeeper and cleaner ran on these.
    pub housekeeping: String,
    /// Whether the timekeeper had a core without programs, so that quanta are microseconds.
    pub keeps_microseconds: bool,
}

impl Ended {
    fn of(finished: &Finished) -> Result<Self, Error> {
        let code = finished.exit_code();
        let ended = &finished.ended;
        // Whoever asked it to end before it had booted has what was asked for; all else was not.
        if !ended.began && ended.end != MachineEnd::Exited(0) {
            let why = match ended.end {
                // The machine process has said why.
                MachineEnd::Exited(_) => "as said on standard error".to_owned(),
                MachineEnd::Signalled(signal) => format!("it was ended by signal {signal} before"),
            };
            return Err(Failure::other(
                ended.exit_code(),
                format!("the machine could not be started, {why}"),
            )
            .into());
        }
        Ok(Self {
            code,
            stopped_by: ended.stopped_by,
            killed_by: match ended.end {
                MachineEnd::Exited(_) => None,
                MachineEnd::Signalled(signal) => Some(signal),
            },
            took: finished.took,
            tier: finished.tier.as_ref().map(|report| match report.tier {
                Reached::Shared => "shared",
                Reached::Isolated => "isolated",
                Reached::Booted => "booted",
            }),
            cores: finished.choice.programs.to_string(),
            housekeeping: finished.choice.housekeeping.to_string(),
            keeps_microseconds: finished.choice.timekeeper == TimekeeperPlace::OwnCore,
        })
    }

    /// Whether all went well: code 0.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.code == 0
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "after {:.1} s the machine ", self.took.as_secs_f64())?;
        match self.killed_by {
            Some(signal) => write!(formatter, "was ended by signal {signal}")?,
            None => write!(formatter, "ended with code {}", self.code)?,
        }
        write!(formatter, "; programs on cores {}, timekeeper on {}", self.cores, self.housekeeping)?;
        self.tier.map_or(Ok(()), |tier| write!(formatter, ", tier {tier}"))
    }
}

impl Termination for Ended {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

/// Why a machine did not start. [`fmt::Display`] is one sentence; [`fmt::Debug`], which is what `main` prints, shows the place of a mistake in a
/// description, too.
pub struct Error {
    kind: ErrorKind,
    failure: Failure,
}

/// What to do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// [`init`](crate::init) was not called: a mistake in `main`.
    NotInitialised,
    /// What was asked for cannot be: wrong cores, no such file, no program, a description with a mistake.
    Usage,
    /// Another machine has the cores.
    CoresTaken,
    /// A service did not take the path that was required.
    PathNotTaken,
    /// This host refused something, or hallows has a defect.
    Host,
}

impl Error {
    fn usage(message: String) -> Self {
        Failure::usage(message).into()
    }

    fn not_initialised() -> Self {
        let failure = Failure::usage(
            "call hallows::init(&[…]) as the first statement of main: the machine is this executable started again, and begins there",
        );
        Self { kind: ErrorKind::NotInitialised, failure }
    }

    /// What to do about it.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The exit code that `hallows run` has for it: 64, 69, 70, 71, 72.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        self.failure.code
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let kind = match failure.code {
            USAGE => ErrorKind::Usage,
            CORES_TAKEN => ErrorKind::CoresTaken,
            NOT_TAKEN => ErrorKind::PathNotTaken,
            SOFTWARE | NOT_STARTED => ErrorKind::Host,
            _ => ErrorKind::Host,
        };
        Self { kind, failure }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.failure.message())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.failure.report())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_mistake_of_a_description_is_the_error() {
        hallows_test_init();
        let wrong = |machine: Machine| machine.run().expect_err("is wrong").to_string();
        assert!(wrong(Machine::linux().cores("one").memory("much")).contains("cores(\"one\")"));
        assert!(wrong(Machine::linux().memory("2")).contains("has no unit"));
        for (size, why) in
            [("8", "has no unit"), ("63K", "expected"), ("63M", "expected"), ("deep", "stack(")]
        {
            let error = wrong(Machine::linux().stack(size));
            assert!(error.starts_with("stack(") && error.contains(why), "{error}");
        }
        // It is on no main thread, and nothing else is wrong with it.
        assert!(wrong(Machine::linux().program("a.wat").stack("62M")).contains("main thread"));
        assert!(wrong(Machine::linux().quantum(Duration::from_secs(2))).contains("1 µs to 1 s"));
        assert!(wrong(Machine::linux().env("A=B", "c")).contains("without `=`"));
        assert!(wrong(Machine::linux().network("host:http")).contains("host:PORT"));
        assert!(wrong(Machine::linux().require("tier", "golden")).contains("tier"));
        let twice = Machine::linux().program("a.wasm").system("");
        assert!(wrong(twice).contains("one program or one system"));
        let twice = Machine::linux().wasm("a", *b"").wasm("a", *b"");
        assert!(wrong(twice).contains("one of that name"));
    }

    fn hallows_test_init() {
        // What `init` does in a process that is no machine's.
        embedded::link(&[], &[]);
    }

    #[test]
    fn a_system_may_use_what_its_user_carries() {
        let carried = [("client".to_owned(), Arc::from(*b"wasm"))];
        let text = "[cells.client]\nprogram = \"client\"\n[cells.other]\nprogram = \"counter\"\n";
        let runs = Runs::System { file: "system.toml".into(), text: text.to_owned() };
        let system = system(runs, &carried, &[]).expect("is well");
        let sources: Vec<_> = system.cells.iter().map(|cell| &cell.program).collect();
        let wasm = Arc::from(*b"wasm");
        assert_eq!(*sources[0], ProgramSource::Carried { name: "client".to_owned(), wasm });
        assert_eq!(*sources[1], ProgramSource::BuiltIn("counter".to_owned()));
    }

    #[test]
    fn mistakes_in_a_description_are_shown_where_they_are() {
        let runs =
            Runs::System { file: "mine.toml".into(), text: "[cells.a]\nprogram = \"nothing\"\n".to_owned() };
        let error = system(runs, &[], &[]).expect_err("no such program");
        assert_eq!(error.kind(), ErrorKind::Usage);
        let shown = format!("{error:?}");
        assert!(shown.contains("mine.toml") && shown.contains("nothing"), "{shown}");
    }
}
