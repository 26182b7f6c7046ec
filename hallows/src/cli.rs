//! The command line: what can be asked, and how it is explained.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hallows_linux::host::core_set::CoreSet;
use hallows_linux::host::quantity::ByteSize;
use hallows_linux::host::tier::TierLimit;

use crate::unix::Directory;

/// An operating system of your own on cores taken from Linux.
///
/// It runs programs as cells: isolated by compilation, calling each other in tens of nanoseconds, preempted every 5 µs.
#[derive(Debug, Parser)]
#[command(name = "hallows", version, propagate_version = true, after_help = AFTER_HELP)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  hallows run calculator                  boot a machine, run a system that comes with it
  hallows run my-system.toml --cores 2-3  run a system of your own on two cores
  hallows run program.wasm -- one two     run one program with arguments
  hallows run sort.wasm --dir . -- -n a   run a Unix program on files of this directory
  hallows ps                              what a running machine does (from another terminal)
  hallows probe                           what this host offers, and what would make it better
  hallows bench protected-call            what it costs, beside Linux
  hallows interface diff old.wit new.wit  whom a change of an interface breaks

Exit codes: 0 well; 1 a figure missed, an interface broken, a host unfit; 1 to 63 the system's own, 0 to 255 a Unix program's; 64 wrong options; 69 cores in use; 70 an error of hallows; 71 the machine \
could not start; 128+n ended by signal n.";

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Boot a machine and run a system, or one program, on it.
    Run(Run),
    /// Show what running machines do: tier, cores, timekeeper, memory, cells.
    Ps(Ps),
    /// End a running machine cleanly.
    Stop(Stop),
    /// Kill one cell of a running machine.
    Kill(Kill),
    /// Put back what a killed machine left changed on this host.
    Restore,
    /// List the programs and systems that come with hallows.
    List(List),
    /// Say what this host offers a machine, and what would make it offer more.
    Probe(Probe),
    /// Measure, beside Linux in the same run.
    Bench(Bench),
    /// Look at interfaces: identity, canonical form, what differs between two, stubs.
    #[command(subcommand)]
    Interface(Interface),
    /// Print a script that completes this command line in a shell.
    Completions(Completions),
    /// Print the manual page, or write those of all subcommands into a folder.
    Man(Man),
}

/// The memory of a machine that is not told otherwise.
pub const DEFAULT_MEMORY: ByteSize = ByteSize(256 << 20);

/// The cores and the memory of a machine.
#[derive(Clone, Debug, Args)]
pub struct MachineOptions {
    /// Cores that belong to programs, for example `1-3,5`; the highest one, if not given.
    #[arg(long, value_name = "LIST")]
    pub cores: Option<CoreSet>,
    /// Cores of timekeeper and cleaner; the lowest of Linux's, if not given.
    #[arg(long, value_name = "LIST")]
    pub housekeeping: Option<CoreSet>,
    /// Memory of all cells together, for example `512M` or `2G`.
    #[arg(long, value_name = "SIZE", default_value_t = DEFAULT_MEMORY)]
    pub memory: ByteSize,
    /// How far to take the cores from Linux: `shared` only pins threads, `best` also moves Linux away (needs root). If not given: `shared` for a
    /// Unix program, which often is over before the cores were taken, else `best`.
    #[arg(long, value_name = "TIER", value_parser = tier_limit)]
    pub tier: Option<TierLimit>,
    /// How long a program runs while another waits for its core, in microseconds.
    #[arg(long, value_name = "US", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub quantum_us: u64,
}

/// Options of `run`.
#[derive(Clone, Debug, Args)]
pub struct Run {
    /// A system (a name from `hallows list`, or a TOML file), or a program (a name, or a file of WebAssembly).
    #[arg(value_name = "SYSTEM|PROGRAM")]
    pub what: String,
    /// Arguments of the program.
    #[arg(last = true, value_name = "ARGUMENTS")]
    pub arguments: Vec<OsString>,
    /// A directory that a Unix program is given, and all below it: `HOST`, or `HOST:GUEST` if the program shall know it by another name;
    /// with `:ro` behind it, only to read. May be given several times.
    #[arg(long = "dir", value_name = "HOST[:GUEST][:ro]")]
    pub directories: Vec<Directory>,
    /// A variable of a Unix program's environment: `NAME=VALUE`, or `NAME` for the value that it has here.
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    pub variables: Vec<OsString>,
    /// The machine.
    #[command(flatten)]
    pub machine: MachineOptions,
    /// Run a program that is linked in, not its WebAssembly.
    #[arg(long)]
    pub native: bool,
    /// Preempt and migrate at every check: finds programs that lean on luck. Slow.
    #[arg(long)]
    pub chaos: bool,
    /// Say nothing about the machine itself.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say what the machine is set up with also where a Unix program has the terminal.
    #[arg(short, long)]
    pub verbose: bool,
}

/// Which machine to talk to.
#[derive(Clone, Copy, Debug, Args)]
pub struct Which {
    /// The machine's process, where several run (`hallows ps` shows it).
    #[arg(long, value_name = "PID")]
    pub machine: Option<i32>,
}

/// Options of `ps`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Ps {
    /// Which machine; all, if not given.
    #[command(flatten)]
    pub which: Which,
    /// One JSON object a machine and line.
    #[arg(long)]
    pub json: bool,
}

/// Options of `stop`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Stop {
    /// Which machine.
    #[command(flatten)]
    pub which: Which,
}

/// Options of `kill`.
#[derive(Clone, Debug, Args)]
pub struct Kill {
    /// The cell: its number or its name.
    pub cell: String,
    /// Which machine.
    #[command(flatten)]
    pub which: Which,
}

/// Options of `completions`.
#[derive(Clone, Copy, Debug, Args)]
#[command(
    after_help = "Example:\n  hallows completions bash > ~/.local/share/bash-completion/completions/hallows"
)]
pub struct Completions {
    /// Which shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Options of `man`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  hallows man | man -l -\n  hallows man --folder ~/.local/share/man/man1")]
pub struct Man {
    /// Write `hallows.1`, `hallows-run.1` and so on there.
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
}

/// Options of `list`.
#[derive(Clone, Copy, Debug, Args)]
pub struct List {
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Options of `probe`.
#[derive(Clone, Copy, Debug, Args)]
#[command(after_help = PROBE_HELP)]
pub struct Probe {
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

const PROBE_HELP: &str = "\
Nothing is changed, and no privilege is needed; what only root can see is said to be so.

Exit codes: 0 if nothing fails; 1 if hallows cannot run here.";

/// Options of `bench`.
#[derive(Clone, Debug, Args)]
pub struct Bench {
    /// Which benches; all, if none is named.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// One JSON object a bench and line.
    #[arg(long)]
    pub json: bool,
    /// The two cores that ours and the rivals run on, for example `0,1`.
    #[arg(long, value_name = "LIST")]
    pub cores: Option<CoreSet>,
    /// Write the report to a file instead of the terminal.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// What can be done with interfaces.
#[derive(Clone, Debug, Subcommand)]
pub enum Interface {
    /// Print the hash that an interface is known by.
    Hash(InterfaceHash),
    /// Print the canonical form: all in which a caller can notice a difference.
    Show(InterfaceShow),
    /// Say what differs between two interfaces and whom it breaks; exit code 1 if something does.
    Diff(InterfaceDiff),
    /// Make stubs: types, a client, and a trait for the server.
    Stubs(InterfaceStubs),
}

/// Where interfaces are.
#[derive(Clone, Debug, Args)]
pub struct InterfaceSource {
    /// A file of WIT, or a folder whose files are one package.
    #[arg(value_name = "WIT")]
    pub path: PathBuf,
    /// Which of its interfaces.
    #[arg(long, value_name = "NAME")]
    pub interface: Option<String>,
}

/// Options of `interface hash`.
#[derive(Clone, Debug, Args)]
pub struct InterfaceHash {
    /// Which; all, if not named.
    #[command(flatten)]
    pub source: InterfaceSource,
    /// Twelve digits instead of sixty-four: for people.
    #[arg(long, conflicts_with = "json")]
    pub short: bool,
    /// One JSON object an interface and line.
    #[arg(long)]
    pub json: bool,
}

/// Options of `interface show`.
#[derive(Clone, Debug, Args)]
pub struct InterfaceShow {
    /// Which; all, if not named.
    #[command(flatten)]
    pub source: InterfaceSource,
    /// One JSON object an interface and line, with the tags of its functions.
    #[arg(long)]
    pub json: bool,
}

/// Options of `interface diff`.
#[derive(Clone, Debug, Args)]
pub struct InterfaceDiff {
    /// What it was: a file of WIT, or a folder.
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,
    /// What it is.
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
    /// Which interface of both; all, if not named.
    #[arg(long, value_name = "NAME")]
    pub interface: Option<String>,
    /// One JSON object a difference and line.
    #[arg(long)]
    pub json: bool,
}

/// Options of `interface stubs`.
#[derive(Clone, Debug, Args)]
pub struct InterfaceStubs {
    /// Which; needed where there are several.
    #[command(flatten)]
    pub source: InterfaceSource,
    /// The programming language.
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    pub lang: Language,
    /// Write to a file instead of the terminal; untouched if it has them already.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// A programming language that stubs are made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Rust, for `hallows-sdk`.
    Rust,
}

fn tier_limit(text: &str) -> Result<TierLimit, String> {
    match text {
        "shared" => Ok(TierLimit::SharedOnly),
        "isolated" | "booted" | "best" => Ok(TierLimit::Best),
        _ => Err("expected `shared` or `best`".to_owned()),
    }
}
