//! Two machines with a wire between them, each with all of its threads on one core.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::process::{ChildStdout, Command, Stdio};

use hallows_bench::cores::Core;
use hallows_bench::registry::{Place, ours};
use hallows_bench::{BenchError, Samples, Turn};
use tempfile::NamedTempFile;

use super::life::{Ended, machine_of, own_command};
use super::machine::wrong;

/// The device looks for 10 ms before it sleeps, and gives way to whoever has something to do.
const CARD: &str = r#"
[cells.card]
program = "packets"
native = true
core = 0
priority = 1
arguments = ["0", "look=10000"]
serves = { card = "active" }
"#;

/// How a machine is set up, for the report.
const SET_UP: &str = "two times `hallows run --net wire:…`, tier shared, each machine with all of its threads on a core of its own";

/// Samples of a turn: so many are some tens of milliseconds.
const MOST_SAMPLES: usize = 20_000;
/// Who asks goes on until it is ended.
const WITHOUT_END: usize = 0;

/// A cell that has the device for itself.
fn program(arguments: &str) -> String {
    format!(
        r#"{CARD}
[cells.bench-frames]
program = "bench-frames"
core = 0
priority = 2
memory = "16M"
arguments = [{arguments}]
uses = {{ card = "card.card" }}
"#
    )
}

/// A network service at this address, and a program that has a network of it.
fn service(number: u32, rule: &str, program: &str) -> String {
    format!(
        r#"{CARD}
[cells.net]
program = "net"
core = 0
priority = 2
memory = "64M"
slots = 4096
arguments = ["address=10.98.0.{number}/24", "allow=7 {rule}"]
serves = {{ net = {{ kind = "active", queue = 256 }} }}
uses = {{ card = "card.card" }}

[cells.program]
core = 0
memory = "16M"
uses = {{ net = {{ of = "net.net", badge = 7 }} }}
{program}
"#
    )
}

/// A machine that runs, and what it says.
struct Machine {
    lines: Lines<BufReader<ChildStdout>>,
    heard: String,
    ended: Ended,
    _system: NamedTempFile,
}

impl Machine {
    fn start(core: Core, system: &str, wire: &str) -> Result<Self, BenchError> {
        let mut file = tempfile::Builder::new().suffix(".toml").tempfile().map_err(wrong)?;
        file.write_all(system.as_bytes()).map_err(wrong)?;
        let (core, network) = (core.to_string(), format!("wire:{wire}"));
        let mut command = own_command()?;
        command.args(["run", "--quiet", "--tier", "shared", "--memory", "192M", "--net", &network]);
        command.args(["--cores", &core, "--housekeeping", &core]).arg(file.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(wrong)?;
        let output = child.stdout.take().ok_or_else(|| wrong("the machine has no output"))?;
        let lines = BufReader::new(output).lines();
        Ok(Self { lines, heard: String::new(), ended: Ended(child), _system: file })
    }

    /// What stands behind this word, in the next line that has it.
    fn hear(&mut self, word: &str) -> Result<String, BenchError> {
        for line in self.lines.by_ref() {
            let line = line.map_err(wrong)?;
            if let Some((_, rest)) = line.split_once(word) {
                return Ok(rest.to_owned());
            }
            self.heard = self.heard.clone() + &line + "\n";
        }
        Err(wrong(format!("the machine has ended without `{word}`; it said: {}", self.heard)))
    }

    /// The thread that drives a core of it.
    fn thread(&self, core: Core) -> Result<String, BenchError> {
        let tasks = format!("/proc/{}/task", machine_of(self.ended.0.id())?);
        for task in std::fs::read_dir(tasks).map_err(wrong)?.flatten() {
            let name = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            if name.trim_end() == format!("core-{core}") {
                return Ok(task.file_name().to_string_lossy().into_owned());
            }
        }
        Err(wrong(format!("the machine has no thread core-{core}")))
    }

    /// All samples that it tells.
    fn samples(&mut self) -> Result<Vec<u64>, BenchError> {
        let mut samples = Vec::new();
        loop {
            // Both begin with that.
            let line = self.hear("bench: ")?;
            let Some(numbers) = line.strip_prefix("samples") else { return Ok(samples) };
            for number in numbers.split_whitespace() {
                samples.push(number.parse().map_err(wrong)?);
            }
        }
    }
}

/// Starts who answers, and then who asks.
fn pair(turn: &Turn<'_>, far: &str, word: &str, near: &str) -> Result<[Machine; 2], BenchError> {
    let wire = format!("bench-{}", std::process::id());
    let mut answers = Machine::start(turn.cores.second()?, far, &wire)?;
    answers.hear(word)?;
    let asks = Machine::start(turn.cores.first(), near, &wire)?;
    Ok([asks, answers])
}

fn count(turn: &Turn<'_>) -> usize {
    turn.sample_limit.min(MOST_SAMPLES)
}

const READY: &str = "bench: answers";

/// One datagram after another, between programs that have their devices for themselves.
pub fn echo() -> Place<'static> {
    ours(
        format!("{SET_UP}; in each the device and a program in WebAssembly that speaks UDP over it itself"),
        2,
        |turn| {
            let near = program(&format!("\"do=ask\", \"count={}\"", count(turn)));
            let [mut asks, _answers] = pair(turn, &program("\"count=0\""), READY, &near)?;
            asks.samples().map(Samples::in_units)
        },
    )
}

/// What the side that answers has of it.
pub fn one_side() -> Place<'static> {
    ours(
        format!(
            "{SET_UP}; the machine that answers, from when its device has a datagram until it has the answer"
        ),
        2,
        |turn| {
            let far = program(&format!("\"count={}\"", count(turn)));
            let near = program(&format!("\"do=ask\", \"count={WITHOUT_END}\""));
            let [_asks, mut answers] = pair(turn, &far, READY, &near)?;
            answers.samples().map(Samples::in_units)
        },
    )
}

/// The same between programs that have sockets of network services.
pub fn services() -> Place<'static> {
    ours(
        format!("{SET_UP}; in each the device, the network's service and a program with a socket of it"),
        2,
        |turn| {
            let far = service(2, "listen=7", "program = \"echo\"");
            let arguments =
                format!("program = \"bench-frames\"\narguments = [\"do=ask\", \"count={}\"]", count(turn));
            let near = service(1, "connect=10.98.0.2/32", &arguments);
            let [mut asks, _answers] = pair(turn, &far, "echoes on port", &near)?;
            asks.samples().map(Samples::in_units)
        },
    )
}

/// As many datagrams as go, in the shortest frames.
pub fn packets() -> Place<'static> {
    ours(
        format!("{SET_UP}; in each the device and a program in WebAssembly; 96 datagrams under way"),
        2,
        |turn| {
            let near =
                program(&format!("\"do=flood\", \"payload=18\", \"count={}\"", count(turn).min(4_000)));
            let [mut asks, _answers] = pair(turn, &program("\"count=0\""), READY, &near)?;
            asks.samples().map(Samples::in_units)
        },
    )
}

/// Lines of a flood for which system calls are counted: a part of a second.
const COUNTED_LINES: usize = 16;

/// System calls for each million datagrams of the same, of the thread that is the answering machine's core.
pub fn system_calls() -> Place<'static> {
    ours(
        format!(
            "{SET_UP}; as in `packets`; strace(1) counts the system calls of the core of the machine that answers"
        ),
        2,
        |turn| {
            let near = program(&format!("\"do=flood\", \"payload=18\", \"count={WITHOUT_END}\""));
            let [mut asks, answers] = pair(turn, &program("\"count=0\""), READY, &near)?;
            asks.hear("flooded")?;
            let mut counting = Counting::begin(&answers.thread(turn.cores.second()?)?)?;
            let mut packets = 0;
            for _ in 0..COUNTED_LINES {
                packets += asks.hear("flooded ")?.trim_end().parse::<u64>().map_err(wrong)?;
            }
            let calls = counting.end()?;
            Ok(Samples::in_units(vec![(calls * 1_000_000).div_ceil(packets)]))
        },
    )
}

/// Counts system calls of a thread.
struct Counting {
    strace: Ended,
    table: NamedTempFile,
}

impl Counting {
    fn begin(thread: &str) -> Result<Self, BenchError> {
        let table = NamedTempFile::new().map_err(wrong)?;
        let mut command = Command::new("strace");
        command.args(["-c", "-p", thread, "-o"]).arg(table.path());
        let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(|error| {
            BenchError::Unavailable {
                missing: format!("the command strace: {error}"),
                remedy: "install strace".to_owned(),
            }
        })?;
        // It says a line when it has begun, or why it does not.
        let mut said = [0; 256];
        let errors = child.stderr.as_mut().ok_or_else(|| wrong("strace has no output"))?;
        let length = errors.read(&mut said).map_err(wrong)?;
        let (strace, said) = (Ended(child), String::from_utf8_lossy(&said[..length]).into_owned());
        if said.contains("attached") { Ok(Self { strace, table }) } else { Err(wrong(said)) }
    }

    /// How many there were.
    fn end(&mut self) -> Result<u64, BenchError> {
        let pid = i32::try_from(self.strace.0.id()).ok().and_then(rustix::process::Pid::from_raw);
        let pid = pid.ok_or_else(|| wrong("strace has no number"))?;
        rustix::process::kill_process(pid, rustix::process::Signal::INT).map_err(wrong)?;
        self.strace.0.wait().map_err(wrong)?;
        let table = std::fs::read_to_string(self.table.path()).map_err(wrong)?;
        // Without a call there is no table. Its last line has shares, seconds, microseconds, calls, perhaps errors, and a word.
        let Some(total) = table.lines().rfind(|line| line.ends_with("total")) else { return Ok(0) };
        let calls = total.split_whitespace().nth(3).and_then(|calls| calls.parse().ok());
        calls.ok_or_else(|| wrong(format!("strace says: {total}")))
    }
}
