//! Two machines with a wire between them, each with all of its threads on one core.

use hallows_bench::registry::{Place, ours};
use hallows_bench::streams::per_kib;
use hallows_bench::wire::{FAR_ADDRESS, PORT};
use hallows_bench::{BenchError, Samples, Turn};

use super::machine::wrong;
use super::networked::{DISCARDS, ECHO, ECHOES, READY, answers, asks, datagrams, discard, discarded};
use super::running::{Running, Setting, Which};
use super::strace::Counting;

/// How a machine is set up, for the report.
const SET_UP: &str = "two times `hallows run --net wire:…`, tier shared, each machine with all of its threads on a core of its own";

/// Samples of a turn: so many are some tens of milliseconds.
const MOST_SAMPLES: usize = 20_000;
/// Who asks goes on until it is ended.
const WITHOUT_END: usize = 0;

/// The two machines of a turn.
struct Pair {
    running: Running,
    asks: Which,
    answers: Which,
}

impl Pair {
    /// Starts who answers, and when that has said this word, who asks.
    fn start(turn: &Turn<'_>, far: &str, word: &str, near: &str) -> Result<Self, BenchError> {
        let network = format!("wire:bench-{}", std::process::id());
        let setting = |name, system, core| Setting { name, system, network: &network, core };
        let mut running = Running::new();
        let answers = running.start(&setting("the machine that answers", far, turn.cores.second()?))?;
        running.hear(answers, word)?;
        let asks = running.start(&setting("the machine that asks", near, turn.cores.first()))?;
        Ok(Self { running, asks, answers })
    }

    /// All samples that one of them tells.
    fn samples(&mut self, which: Which) -> Result<Samples, BenchError> {
        let mut samples = Vec::new();
        loop {
            // Both begin with that.
            let line = self.running.hear(which, "bench: ")?;
            let Some(numbers) = line.strip_prefix("samples") else { return Ok(Samples::in_units(samples)) };
            for number in numbers.split_whitespace() {
                samples.push(number.parse().map_err(wrong)?);
            }
        }
    }
}

fn count(turn: &Turn<'_>) -> usize {
    turn.sample_limit.min(MOST_SAMPLES)
}

/// One datagram after another, between programs that have their devices for themselves.
pub fn echo() -> Place<'static> {
    ours(
        format!("{SET_UP}; in each the device and a program in WebAssembly that speaks UDP over it itself"),
        2,
        |turn| {
            let near = datagrams(&format!("\"do=ask\", \"count={}\"", count(turn)));
            let mut pair = Pair::start(turn, &datagrams("\"count=0\""), READY, &near)?;
            pair.samples(pair.asks)
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
            let far = datagrams(&format!("\"count={}\"", count(turn)));
            let near = datagrams(&format!("\"do=ask\", \"count={WITHOUT_END}\""));
            let mut pair = Pair::start(turn, &far, READY, &near)?;
            pair.samples(pair.answers)
        },
    )
}

/// The same between programs that have sockets of network services.
pub fn services() -> Place<'static> {
    ours(
        format!("{SET_UP}; in each the device, the network's service and a program with a socket of it"),
        2,
        |turn| {
            let near =
                format!("program = \"bench-frames\"\narguments = [\"do=ask\", \"count={}\"]", count(turn));
            let mut pair = Pair::start(turn, &answers(ECHO), ECHOES, &asks(&near))?;
            pair.samples(pair.asks)
        },
    )
}

/// So many streams over TCP, between programs that have sockets of network services: the time for each KiB.
pub fn stream(streams: usize) -> Place<'static> {
    ours(
        format!(
            "{SET_UP}; in each the device, the network's service and a program with {streams} of its connections, the one writes and the other reads"
        ),
        2,
        move |turn| {
            let near = format!(
                "program = \"bench-stream\"\narguments = [\"do=send\", \"to={FAR_ADDRESS}:{PORT}\", \"streams={streams}\"]"
            );
            let far = answers(&discard(turn.budget));
            let mut pair = Pair::start(turn, &far, DISCARDS, &asks(&near))?;
            let (nanoseconds, bytes) = discarded(&mut pair.running, pair.answers)?;
            per_kib(nanoseconds, bytes)
        },
    )
}

/// As many datagrams as go, in the shortest frames.
pub fn packets() -> Place<'static> {
    ours(
        format!("{SET_UP}; in each the device and a program in WebAssembly; 96 datagrams under way"),
        2,
        |turn| {
            let count = count(turn).min(4_000);
            let near = datagrams(&format!("\"do=flood\", \"payload=18\", \"count={count}\""));
            let mut pair = Pair::start(turn, &datagrams("\"count=0\""), READY, &near)?;
            pair.samples(pair.asks)
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
            let near = datagrams(&format!("\"do=flood\", \"payload=18\", \"count={WITHOUT_END}\""));
            let Pair { mut running, asks, answers } =
                Pair::start(turn, &datagrams("\"count=0\""), READY, &near)?;
            running.hear(asks, "flooded")?;
            let core = turn.cores.second()?;
            let mut counting = Counting::begin(&running.thread(answers, core)?, core)?;
            let mut packets = 0;
            for _ in 0..COUNTED_LINES {
                packets += running.hear(asks, "flooded ")?.trim_end().parse::<u64>().map_err(wrong)?;
            }
            let calls: u64 = counting.end()?.iter().map(|calls| calls.count).sum();
            Ok(Samples::in_units(vec![(calls * 1_000_000).div_ceil(packets)]))
        },
    )
}
