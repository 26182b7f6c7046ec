//! The command line: what can be asked, and how it is explained.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use hallows_demo::Own;
use hallows_lab::{Arrivals, Service};
use hallows_linux::host::core_set::CoreSet;
use hallows_linux::host::quantity::ByteSize;
use hallows_linux::host::tier::TierLimit;
use hallows_linux::machine::paths::Requirement;
use hallows_scale::Skew;

use crate::network::Network;
use crate::payload::Asked;
use crate::unix::{Directory, STACKS};

/// An operating system of your own on cores taken from Linux.
///
/// It runs programs as cells: isolated by compilation, calling each other in tens of nanoseconds, preempted every 5 µs.
#[derive(Debug, Parser)]
#[command(name = "hallows", version, propagate_version = true, after_help = AFTER_HELP, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// What to do; if nothing is said, boot the default system and open its monitor.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The machine of the default system.
    #[command(flatten)]
    pub machine: MachineOptions,
    /// A directory that Unix programs may be given which are started in its monitor, and all below it; with `:ro` behind it, only to read.
    #[arg(long = "dir", value_name = "HOST[:ro]")]
    pub directories: Vec<Directory>,
}

const AFTER_HELP: &str = "\
Examples:
  hallows                                 boot the default system and open its monitor
  hallows run calculator                  boot a machine, run a system that comes with it
  hallows run my-system.toml --cores 2-3  run a system of your own on two cores
  hallows run program.wasm -- one two     run one program with arguments
  hallows run sort.wasm --dir . -- -n a   run a Unix program on files of this directory
  hallows new greeter                     begin a program of your own
  hallows build sort.wasm -o sort         one executable of both, to copy to a server
  hallows ps                              what a running machine does (from another terminal)
  hallows paths                           which fast path each of its services took
  hallows top                             the same, live: calls and their latency, cores, memory
  hallows attach                          its monitor: inspect, start, stop, send, faults
  hallows probe                           what this host offers, and what would make it better
  hallows bench protected-call            what it costs, beside Linux
  hallows bench jitter --seconds 60       how late a periodic program is, beside cyclictest; and why
  hallows lab bimodal:0.995:0.5us:500us   tails under load, beside threads, tokio and one queue
  hallows demo tail --html tail.html      slowest answers of servers side by side, with curves
  hallows interface diff old.wit new.wit  whom a change of an interface breaks

Exit codes: 0 well; 1 a figure missed, an interface broken, a host unfit; 1 to 63 the system's own, 0 to 255 a Unix program's; 64 wrong options; 69 cores in use; 70 an error of hallows; 71 the machine \
could not start; 72 a required path was not taken; 128+n ended by signal n.";

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Boot a machine and run a system, or one program, on it.
    Run(Run),
    /// Build one executable that is this system and an application, ready to copy to a server and start.
    Build(Build),
    /// Show what running machines do: tier, cores, timekeeper, memory, cells.
    Ps(Ps),
    /// Show which fast path each service of a running machine really took, and why not a better one.
    Paths(Paths),
    /// End a running machine cleanly.
    Stop(Stop),
    /// Watch a running machine: cells, cores, calls and their latency, memory, restarts.
    Top(Top),
    /// Kill one cell of a running machine.
    Kill(Kill),
    /// Begin a new life of one cell of a running machine.
    Restart(Restart),
    /// Open the monitor of a running machine.
    Attach(Attach),
    /// Close the monitors of a running machine, which goes on.
    Detach(Detach),
    /// Put back what a killed machine left changed on this host.
    Restore,
    /// List the programs and systems that come with hallows.
    List(List),
    /// Say what this host offers a machine, and what would make it offer more.
    Probe(Probe),
    /// Measure, beside Linux in the same run.
    Bench(Bench),
    /// Offer requests at random, from low loads to high ones, to ours and to Linux's ways to work on them; see the tails.
    Lab(Lab),
    /// Show what it is good for, beside Linux's own servers on the same cores.
    #[command(subcommand)]
    Demo(Demo),
    /// Look at interfaces: identity, canonical form, what differs between two, stubs.
    #[command(subcommand)]
    Interface(Interface),
    /// Look at a scheduling policy in WebAssembly: whether it is one, and what it answers.
    #[command(subcommand)]
    Policy(Policy),
    /// Make a project: a program that builds, runs, and has a test.
    New(New),
    /// Print a script that completes this command line in a shell.
    Completions(Completions),
    /// Print the manual page, or write those of all subcommands into a folder.
    Man(Man),
}

/// The memory of a machine that is not told otherwise.
pub const DEFAULT_MEMORY: ByteSize = ByteSize(256 << 20);

/// The quantum of one, in microseconds.
pub const DEFAULT_QUANTUM_US: u64 = 5;

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
    #[arg(long, value_name = "US", default_value_t = DEFAULT_QUANTUM_US, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
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
    /// with `:ro` behind it, only to read. May be given several times. Of a system: one that Unix programs may be given which are started in it.
    #[arg(long = "dir", value_name = "HOST[:GUEST][:ro]")]
    pub directories: Vec<Directory>,
    /// A variable of a Unix program's environment: `NAME=VALUE`, or `NAME` for the value that it has here.
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    pub variables: Vec<OsString>,
    /// What a Unix program may use of its stack; 8M, as on Linux, if not given.
    #[arg(long, value_name = "SIZE", value_parser = stack)]
    pub stack: Option<ByteSize>,
    /// A part of this host's network. `host:PORT` is a port that the system's sockets may listen on, or a program of Unix has as a descriptor, of this host alone; `host:ADDRESS:PORT` of one
    /// address, `host:0.0.0.0:PORT` of all; `host:8080=80` is port 80 for the machine; with `/udp` behind it for datagrams. `host:to=ADDRESS` or
    /// `host:to=ADDRESS/PREFIX` is where programs may connect to over TCP. `tap:NAME` is an interface for
    /// its packet devices, in the order of their numbers; one that is not there is made, which needs root, and goes with the machine. `xdp:NAME` is one
    /// that is there, whose frames are taken from Linux by AF_XDP as long as the machine runs: those of its queue 0, or of `,queue=N` (root). `wire:NAME`
    /// is an end of a wire to another machine of this user, which takes the other. With `,capture=FILE` behind it, a copy of all its frames goes to a
    /// file that tcpdump reads. May be given several times.
    #[arg(long = "net", value_name = "host:PORT|host:to=ADDRESS|tap:NAME|xdp:NAME|wire:NAME")]
    pub networks: Vec<Network>,
    /// The machine.
    #[command(flatten)]
    pub machine: MachineOptions,
    /// Run a program that is linked in, not its WebAssembly.
    #[arg(long)]
    pub native: bool,
    /// Preempt and migrate at every check: finds programs that lean on luck. Slow.
    #[arg(long)]
    pub chaos: bool,
    /// Fail instead of falling back: a service and the least path that it must take, for example `tier=isolated`; `hallows paths --list`
    /// shows all. May be given several times.
    #[arg(long = "require", value_name = "SERVICE=PATH")]
    pub requires: Vec<Requirement>,
    /// Say nothing about the machine itself.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say what the machine is set up with also where a Unix program has the terminal.
    #[arg(short, long)]
    pub verbose: bool,
    /// Leave the machine running in the background, print its process, and return once it has booted. Its output goes where that of the
    /// command goes, unless that is a terminal; `hallows attach` shows its log.
    #[arg(long)]
    pub detach: bool,
    /// This is the process in the background.
    #[arg(long, hide = true, conflicts_with = "detach")]
    pub background: bool,
}

/// Options of `build`.
#[derive(Clone, Debug, Args)]
#[command(after_help = BUILD_HELP)]
pub struct Build {
    /// A system (a name from `hallows list`, or a TOML file), or a program (a name, or a file of WebAssembly).
    #[arg(value_name = "SYSTEM|PROGRAM")]
    pub what: String,
    /// Arguments of the program, in front of those that the executable is started with.
    #[arg(last = true, value_name = "ARGUMENTS")]
    pub arguments: Vec<OsString>,
    /// The executable that is written.
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Replace the file if it is there.
    #[arg(long)]
    pub force: bool,
    /// A directory that a Unix program is given: on the host where it is started, from the directory where it is started.
    #[arg(long = "dir", value_name = "HOST[:GUEST][:ro]")]
    pub directories: Vec<Directory>,
    /// A directory that whoever starts it must name, by `--hallows-dir HOST:GUEST`.
    #[arg(long = "ask-dir", value_name = "GUEST[:ro]")]
    pub asked: Vec<Asked>,
    /// A variable of a Unix program's environment: `NAME=VALUE`, or `NAME` for the value that it has where it is started.
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    pub variables: Vec<OsString>,
    /// What a Unix program may use of its stack; 8M, as on Linux, if not given.
    #[arg(long, value_name = "SIZE", value_parser = stack)]
    pub stack: Option<ByteSize>,
    /// A part of the network of the host where it is started, as with `run`, if nobody says otherwise at the start.
    #[arg(long = "net", value_name = "host:PORT|host:to=ADDRESS|tap:NAME|xdp:NAME|wire:NAME")]
    pub networks: Vec<Network>,
    /// The machine, if nobody says otherwise at the start.
    #[command(flatten)]
    pub machine: MachineOptions,
    /// Fail at the start instead of falling back, as with `run`.
    #[arg(long = "require", value_name = "SERVICE=PATH")]
    pub requires: Vec<Requirement>,
    /// Carry a program that is linked in, not its WebAssembly.
    #[arg(long)]
    pub native: bool,
    /// Say nothing.
    #[arg(short, long)]
    pub quiet: bool,
}

const BUILD_HELP: &str = "\
Examples:
  hallows build calculator -o calculator
  hallows build sort.wasm -o sort --ask-dir /data:ro -- -n
  ./sort --hallows-dir /srv:/data /data/numbers

The executable needs nothing beside it: no cache, no hallows, no compiler's turn on a processor like this one (on another it compiles at its
first start). Its arguments are the program's; options of the machine stand in front of them and begin with --hallows-. See --hallows-help.";

/// Options of `paths`.
#[derive(Clone, Debug, Args)]
#[command(after_help = PATHS_HELP)]
pub struct Paths {
    /// Which machine.
    #[command(flatten)]
    pub which: Which,
    /// Fail with exit code 72 if a service takes a lesser path. May be given several times.
    #[arg(long = "require", value_name = "SERVICE=PATH")]
    pub requires: Vec<Requirement>,
    /// List all services and paths, whatever runs.
    #[arg(long, conflicts_with_all = ["machine", "requires"])]
    pub list: bool,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

const PATHS_HELP: &str = "\
Examples:
  hallows paths --require tier=isolated --require memory=locked
  hallows run trader.toml --require timekeeper=spinning   does not start without

Exit codes: 0; 64 no such machine; 72 a required path was not taken.";

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

/// Options of `top`.
#[derive(Clone, Copy, Debug, Args)]
#[command(after_help = TOP_HELP)]
pub struct Top {
    /// Which machine.
    #[command(flatten)]
    pub which: Which,
    /// Print one sample, taken over one interval, and end.
    #[arg(long)]
    pub once: bool,
    /// One JSON object a sample and line, until interrupted.
    #[arg(long)]
    pub json: bool,
    /// Seconds between samples.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = interval)]
    pub interval: f64,
    /// The column to sort by.
    #[arg(long, value_enum, default_value_t = SortBy::Cpu)]
    pub sort: SortBy,
}

const TOP_HELP: &str = "\
Keys: c, s, m, r, n sort by processor time, calls, memory, restarts, name; h help; q end.

Calls are counted; latencies are estimated from samples, to a quarter of their value. Of a server they are those of the calls that it answered, as its callers saw \
them; of a cell that only calls, those of its calls.";

/// What `top` sorts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SortBy {
    /// Processor time, the most first.
    Cpu,
    /// Calls made and answered in a second, the most first.
    Calls,
    /// Memory, the most first.
    Memory,
    /// Restarts, the most first.
    Restarts,
    /// Name.
    Name,
}

/// Options of `restart`.
#[derive(Clone, Debug, Args)]
pub struct Restart {
    /// The cell: its number or its name.
    pub cell: String,
    /// Which machine.
    #[command(flatten)]
    pub which: Which,
}

/// Options of `attach`.
#[derive(Clone, Copy, Debug, Args)]
#[command(
    after_help = "Without a terminal, commands are read from standard input; the exit code is that of the last one that failed:\n  echo cells | hallows attach"
)]
pub struct Attach {
    /// Which machine.
    #[command(flatten)]
    pub which: Which,
}

/// Options of `detach`.
#[derive(Clone, Copy, Debug, Args)]
pub struct Detach {
    /// Which machine.
    #[command(flatten)]
    pub which: Which,
}

/// Options of `new`.
#[derive(Clone, Debug, Args)]
#[command(after_help = NEW_HELP)]
pub struct New {
    /// Its name, and that of the folder which is made here: a to z, 0 to 9, `-` and `_`.
    #[arg(value_name = "NAME")]
    pub name: String,
    /// A server, and a client that asks it, instead of a program that runs from start to end.
    #[arg(long)]
    pub server: bool,
}

const NEW_HELP: &str = "\
The project has the SDK's sources in it: it builds with the ordinary cargo, without a network.

Example:
  hallows new greeter && cd greeter && cargo test && cargo cell && hallows run system.toml";

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
#[command(after_help = bench_help())]
pub struct Bench {
    /// Which benches; all, if none is named. Also one of a bench's variants, as its report calls it: `wakeup/four-workers`. `jitter` by parts:
    /// `jitter/isolated`, `jitter/sleeping/alone`.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Of `jitter`: how long each measures in each case, in seconds. For p99.99 there must be 50,000 periods.
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0, value_parser = jitter_seconds)]
    pub seconds: f64,
    /// Of `jitter`: the period, in microseconds.
    #[arg(long, value_name = "US", default_value_t = 100, value_parser = clap::value_parser!(u64).range(10..=1_000_000))]
    pub period_us: u64,
    /// This is a rival of `jitter`.
    #[arg(long, hide = true, exclusive = true, value_name = "CORE,NANOSECONDS,COUNT")]
    pub linux_thread: Option<hallows_bench::jitter::linux_thread::Run>,
    /// One JSON object a bench and line.
    #[arg(long)]
    pub json: bool,
    /// The two cores that ours and the rivals run on, for example `0,1`. `jitter` measures on the second; its antagonist has the third, if there is one, else the first.
    #[arg(long, value_name = "LIST")]
    pub cores: Option<CoreSet>,
    /// Write the report to a file instead of the terminal.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also write a page of pictures to a file, which needs nothing beside it.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Measure nothing: make the page of a report that `--json` has written.
    #[arg(long, value_name = "FILE", requires = "html", conflicts_with_all = ["names", "json", "cores", "output"])]
    pub from: Option<PathBuf>,
}

/// The benches that there are, and what to try.
fn bench_help() -> String {
    format!(
        "Benches: {}, {}.\n\n\
         Examples:\n  hallows bench protected-call\n  hallows bench wakeup preemption-loss\n  hallows bench --json --output bench.json\n\n\
         Exit codes: 0 if every figure reached what it must; 1 if one did not.",
        hallows_bench::registry::NAMES.join(", "),
        hallows_bench::jitter::NAME
    )
}

/// Options of `lab`.
#[derive(Clone, Debug, Args)]
pub struct Lab {
    /// How long requests take: `constant:1us`, `exponential:5us`, `bimodal:0.995:0.5us:500us`, `trimodal:0.6:0.3:1us:10us:100us`,
    /// `trace:FILE` with a line `CAME TOOK [CLASS]` in ns for each, or `kv:0.5:keys=50000:scan=50000`: operations on a key-value store, of
    /// which this part are SCANs of so many records.
    #[arg(value_name = "SPEC")]
    pub service: Service,
    /// How requests come: `poisson` or `uniform`.
    #[arg(long, value_name = "HOW", default_value_t = Arrivals::Poisson)]
    pub arrivals: Arrivals,
    /// Loads, from low to high: parts of the time of the core that works, or of all simulated ones [default:
    /// 0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.85,0.9; simulated: 0.5,0.8,0.9,1.1].
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub loads: Option<Vec<f64>>,
    /// Requests in each run [default: 400000; simulated: 120000]. For p99.99 there must be 1,000,000 of them in all rounds that are counted, which are
    /// nine of ten.
    #[arg(long, value_name = "NUMBER")]
    pub requests: Option<usize>,
    /// Runs of each at each load.
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    pub rounds: u32,
    /// Who takes part, besides the models; all, if none is named.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub contenders: Vec<LabContender>,
    /// Policies that are computed; `none` for none.
    #[arg(long, value_name = "NAMES", default_value = "ideal,fcfs-model,quantum-model,srpt-model")]
    pub models: String,
    /// Our quantum, in microseconds.
    #[arg(long, value_name = "MICROSECONDS", default_value_t = DEFAULT_QUANTUM_US, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub quantum: u64,
    /// What counts as well: so many percent of all requests…
    #[arg(long, value_name = "PERCENT", default_value_t = 99.9)]
    pub percentile: f64,
    /// …take at most so many times their own time.
    #[arg(long, value_name = "TIMES", default_value_t = 50.0)]
    pub slowdown: f64,
    /// What random numbers begin with.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// The core that works, then the one that requests come from, for example `0,1`.
    #[arg(long, value_name = "LIST")]
    pub cores: Option<CoreSet>,
    /// Measure nobody: have our kernel's own code work on machines of so many simulated cores, where cache lines cost what they cost on this host.
    #[arg(long, value_name = "LIST", value_delimiter = ',', conflicts_with_all = ["rounds", "contenders", "models", "percentile", "slowdown"])]
    pub simulate: Vec<u32>,
    /// How simulated requests are spread over cores: `even`, or `zipf:EXPONENT`.
    #[arg(long, value_name = "HOW", default_value_t = Skew::Zipf(0.5), requires = "simulate")]
    pub skew: Skew,
    /// What a cache line costs from one simulated core to another, in nanoseconds; measured, if it is not said. All else then costs what it does in tests.
    #[arg(long, value_name = "NANOSECONDS", requires = "simulate", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub transfer: Option<u32>,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
    /// Also write the curves to a file, as SVG.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// Who works on requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LabContender {
    /// A WebAssembly cell for each request.
    Ours,
    /// The same, which first says how long its request takes: the shorter goes first.
    OursDeclared,
    /// One thread that polls and does each to its end.
    Fcfs,
    /// A task for each in tokio.
    Tokio,
    /// A thread for each, by Linux's fair scheduler.
    ThreadsFair,
    /// The same as `SCHED_FIFO`.
    ThreadsFifo,
    /// The same as `SCHED_RR`.
    ThreadsRr,
}

/// Demonstrations.
#[derive(Clone, Debug, Subcommand)]
pub enum Demo {
    /// Send the same requests to servers on the same cores, from low loads to high ones, some of them slow; see what the slowest answers took.
    Tail(Tail),
}

/// Options of `demo tail`.
#[derive(Clone, Debug, Args)]
#[command(after_help = TAIL_HELP)]
pub struct Tail {
    /// Who takes part, by name: `ours`, `redis`, `valkey`, `memcached`, and those of `--with`; all, if none is named.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub contenders: Vec<String>,
    /// Another server that takes part, and how it is started; `{port}` stands for the port of 127.0.0.1 that it must listen on. It speaks RESP, or memcached's
    /// protocol: `NAME=memcached:COMMAND`.
    #[arg(long, value_name = "NAME=COMMAND", value_parser = Own::parse)]
    pub with: Vec<Own>,
    /// How long all of it takes, in seconds, as far as --requests does not say otherwise. p99.9 needs 100,000 requests at a load in all rounds, p99.99 a million.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    pub seconds: f64,
    /// Loads in requests a second, from low to high; if not given, up to where contenders break.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub loads: Option<Vec<f64>>,
    /// Requests to each contender at each load, in all rounds together, instead of as many as come in the time.
    #[arg(long, value_name = "NUMBER")]
    pub requests: Option<u64>,
    /// Turns of each contender at each load.
    #[arg(long, value_name = "NUMBER", default_value_t = 2)]
    pub rounds: u32,
    /// How many of the requests are slow, in percent: they go through all keys.
    #[arg(long, value_name = "PERCENT", default_value_t = 0.5)]
    pub slow: f64,
    /// Keys that are stored.
    #[arg(long, value_name = "NUMBER", default_value_t = 50_000)]
    pub keys: u32,
    /// Bytes of each value.
    #[arg(long, value_name = "BYTES", default_value_t = 64)]
    pub value_bytes: u32,
    /// Connections to a server.
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    pub connections: usize,
    /// Requests under way on one connection at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub pipeline: usize,
    /// How requests come: `poisson` or `uniform`.
    #[arg(long, value_name = "HOW", default_value_t = Arrivals::Poisson)]
    pub arrivals: Arrivals,
    /// What random numbers begin with.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// The cores of every contender, one contender at a time; the two highest, if not given. Ours has its timekeeper on the lowest of them.
    #[arg(long, value_name = "LIST")]
    pub cores: Option<CoreSet>,
    /// The core that requests come from; if not given, one that contenders do not have, if there is one.
    #[arg(long, value_name = "CORE")]
    pub generator_core: Option<usize>,
    /// The core of a neighbour that writes through memory all the time, or `none`; if not given, one that nobody has, if there is one.
    #[arg(long, value_name = "CORE|none", value_parser = neighbour)]
    pub neighbour: Option<Neighbour>,
    /// Do not have redis-benchmark and memtier_benchmark measure as well.
    #[arg(long)]
    pub no_tools: bool,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
    /// Also write a page of curves to a file, which needs nothing beside it.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

const TAIL_HELP: &str = "\
Servers run as processes of yours on 127.0.0.1, with data in memory; they are ended behind it, also by Ctrl-C. Who is not installed is named, with how to get it.

Examples:
  hallows demo tail --html tail.html
  hallows demo tail --seconds 600 --contenders ours,redis
  hallows demo tail --with 'mine=my-server --listen 127.0.0.1:{port}' --contenders mine,redis
  hallows demo tail --slow 0 --neighbour none --loads 20000,40000 --requests 200000";

/// Where a neighbour is; `None`: there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour(pub Option<usize>);

/// What `--neighbour` takes.
fn neighbour(text: &str) -> Result<Neighbour, String> {
    if text == "none" {
        return Ok(Neighbour(None));
    }
    text.parse()
        .map(|core| Neighbour(Some(core)))
        .map_err(|_| "expected the number of a core, or `none`".to_owned())
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
    /// A file of WIT, or a folder whose files are one package; for `show` also a program (.wasm), to see what it uses and serves.
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

/// What can be done with policies.
#[derive(Clone, Debug, Subcommand)]
pub enum Policy {
    /// Say whether a file is a policy, and how long it can take; if it is none, which instruction is against it, and why.
    Check(PolicyCheck),
    /// Print what it answers of a thread.
    Ask(PolicyAsk),
}

/// Options of `policy check`.
#[derive(Clone, Debug, Args)]
pub struct PolicyCheck {
    /// A file of WebAssembly (.wasm or .wat).
    #[arg(value_name = "FILE")]
    pub path: PathBuf,
    /// One JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Options of `policy ask`.
#[derive(Clone, Debug, Args)]
pub struct PolicyAsk {
    /// A file of WebAssembly (.wasm or .wat).
    #[arg(value_name = "FILE")]
    pub path: PathBuf,
    /// The cell that it is of.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub cell: u32,
    /// It was preempted, and not woken.
    #[arg(long)]
    pub preempted: bool,
    /// How long it has said that its work takes, in ns; 0: nothing.
    #[arg(long, value_name = "NS", default_value_t = 0)]
    pub expected_ns: u64,
    /// How long its work was seen to run, in ns.
    #[arg(long, value_name = "NS", default_value_t = 0)]
    pub ran_ns: u64,
    /// The quantum of its class, in ns.
    #[arg(long, value_name = "NS", default_value_t = DEFAULT_QUANTUM_US * 1_000)]
    pub usual_ns: u64,
}

/// What `--tier` takes.
pub fn tier_limit(text: &str) -> Result<TierLimit, String> {
    match text {
        "shared" => Ok(TierLimit::SharedOnly),
        "isolated" | "booted" | "best" => Ok(TierLimit::Best),
        _ => Err("expected `shared` or `best`".to_owned()),
    }
}

/// What `--stack` takes.
pub fn stack(text: &str) -> Result<ByteSize, String> {
    let bytes: ByteSize = text.parse().map_err(|error| format!("{error}"))?;
    if STACKS.contains(&bytes.0) {
        Ok(bytes)
    } else {
        Err(format!("expected {} to {}", ByteSize(*STACKS.start()), ByteSize(*STACKS.end())))
    }
}

fn jitter_seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    if (0.1..=86_400.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("expected 0.1 to 86400 seconds".to_owned())
    }
}

fn interval(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    if (0.1..=3_600.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("expected 0.1 to 3600 seconds".to_owned())
    }
}
