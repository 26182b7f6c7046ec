//! Datagrams in the shortest frames from Linux's end of a pair of interfaces, more than the far end answers: a sender over AF_XDP that never waits, the same
//! for a machine and for a loop around sockets. So it is the core that answers which says how many there are.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hallows_bench::contestant::{Contestant, Description};
use hallows_bench::cores::{Core, Priority, on_core};
use hallows_bench::registry::Place;
use hallows_bench::rivals::answered_in_batches;
use hallows_bench::wire::{FAR_ADDRESS, FAR_CARD, NEAR_ADDRESS, NEAR_CARD, NEAR_INTERFACE, PORT, Wire};
use hallows_bench::{BenchError, Samples, Turn, clock};
use hallows_linux::host::xdp;
use hallows_linux::host::xdp::socket::XdpSocket;

use super::machine::wrong;
use super::network::{SET_UP, answering, made};
use super::networked::{READY, datagrams};
use super::strace::{Calls, Counting};

/// With a frame's checksum, 64 bytes.
const FRAME_BYTES: usize = 60;
/// Where heads of IPv4 and UDP and the payload begin.
const IPV4: usize = 14;
const UDP: usize = 34;
const PAYLOAD: usize = 42;
/// The sender's port.
const ASKING: u16 = 7_777;
/// Different datagrams: each carries its number.
const NUMBERS: u16 = 1_024;
/// Frames that are sent before it is looked whether some have come.
const BATCH: usize = 32;
/// Answers between two samples.
const ANSWERS: u64 = 256;
/// Without an answer for so long there will be none.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long system calls are counted.
const COUNTED: Duration = Duration::from_millis(500);

type Frame = [u8; FRAME_BYTES];

/// The one's complement sum of RFC 1071.
fn checksum(words: impl IntoIterator<Item = u16>) -> u16 {
    let sum: u32 = words.into_iter().map(u32::from).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !(((folded & 0xffff) + (folded >> 16)) as u16)
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]))
}

/// A datagram of UDP over IPv4 (RFC 768, RFC 791) from the near end to the far one, with all its sums.
fn ask(number: u16, addresses: [[u8; 4]; 2]) -> Frame {
    let mut frame = [0xa5; FRAME_BYTES];
    let [from, to] = addresses;
    let length = |start: usize| ((FRAME_BYTES - start) as u16).to_be_bytes();
    let begin = [
        &FAR_CARD[..],
        &NEAR_CARD,
        &[8, 0, 0x45, 0],
        &length(IPV4),
        // No pieces, 64 steps, UDP.
        &[0, 0, 0x40, 0, 64, 17, 0, 0],
        &from,
        &to,
        &ASKING.to_be_bytes(),
        &PORT.to_be_bytes(),
        &length(UDP),
        &[0, 0],
        &number.to_be_bytes(),
    ];
    let begin = begin.concat();
    frame[..begin.len()].copy_from_slice(&begin);
    let head = checksum(words(&frame[IPV4..UDP]));
    frame[IPV4 + 10..IPV4 + 12].copy_from_slice(&head.to_be_bytes());
    let pseudo_head = [17, (FRAME_BYTES - UDP) as u16];
    // None of these is one whose sum is 0, which would say that there is none.
    let datagram = checksum(words(&frame[IPV4 + 12..]).chain(pseudo_head));
    frame[UDP + 6..UDP + 8].copy_from_slice(&datagram.to_be_bytes());
    frame
}

/// Whether a frame is the answer to one of them.
fn is_answer(frame: &[u8], asked: &[Frame]) -> bool {
    let Some(payload) = frame.get(PAYLOAD..FRAME_BYTES) else { return false };
    let Some(question) = asked.get(usize::from(u16::from_be_bytes([payload[0], payload[1]]))) else {
        return false;
    };
    let turned = |first: usize, second: usize, length: usize| {
        frame[first..first + length] == question[second..second + length]
    };
    frame[12..15] == question[12..15]
        && frame[23] == question[23]
        && turned(0, 6, 6)
        && turned(IPV4 + 12, IPV4 + 16, 4)
        && turned(IPV4 + 16, IPV4 + 12, 4)
        && turned(UDP, UDP + 2, 2)
        && turned(UDP + 2, UDP, 2)
        && payload == &question[PAYLOAD..]
}

/// What was sent, and how much of it was answered.
#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    answered: AtomicU64,
}

impl Counts {
    // Relaxed, here and below: numbers of one thread, which another one looks at.
    fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}

/// The sender, which has the interface of the near end.
struct Sender<'c> {
    socket: XdpSocket,
    /// Held, and nothing else.
    _link: OwnedFd,
    asked: Vec<Frame>,
    next: usize,
    counts: &'c Counts,
}

impl<'c> Sender<'c> {
    /// Takes the interface, from a thread at the near end.
    fn open(counts: &'c Counts) -> Result<Self, BenchError> {
        let address = |text: &str| text.parse::<std::net::Ipv4Addr>().map(|address| address.octets());
        let addresses = [address(NEAR_ADDRESS).map_err(wrong)?, address(FAR_ADDRESS).map_err(wrong)?];
        let opened = xdp::open(NEAR_INTERFACE, 0).map_err(wrong)?;
        let socket = XdpSocket::take_over(Arc::new(opened.socket), &opened.memory, opened.traits.chunk_bytes)
            .map_err(wrong)?;
        let asked = (0..NUMBERS).map(|number| ask(number, addresses)).collect();
        Ok(Self { socket, _link: opened.link, asked, next: 0, counts })
    }

    /// Sends some, and takes what has come; how many answers.
    fn step(&mut self) -> Result<u64, BenchError> {
        let Self { socket, asked, next, counts, .. } = self;
        let (mut sent, mut answered) = (0, 0);
        for _ in 0..BATCH {
            let frame = &asked[*next];
            if !socket.send(FRAME_BYTES, &mut |place| place.copy_from_slice(frame)).map_err(wrong)? {
                break;
            }
            *next = (*next + 1) % asked.len();
            sent += 1;
        }
        socket.hand_over().map_err(wrong)?;
        while let Some(frame) = socket.receive() {
            answered += u64::from(is_answer(frame, asked));
        }
        counts.sent.fetch_add(sent, Ordering::Relaxed);
        counts.answered.fetch_add(answered, Ordering::Relaxed);
        Ok(answered)
    }

    /// Floods until `ends` says so, which is asked after every [`ANSWERS`] with the ticks that each of these has taken.
    fn flood(&mut self, turn: &Turn<'_>, mut ends: impl FnMut(u64) -> bool) -> Result<(), BenchError> {
        let patience = turn.clock.ticks(PATIENCE);
        let (mut began, mut done) = (clock::glance(), 0);
        loop {
            done += self.step()?;
            let now = clock::glance();
            if done >= ANSWERS {
                if ends((now - began) / done) {
                    return Ok(());
                }
                (began, done) = (now, 0);
            } else if now - began > patience {
                return Err(wrong(format!("{done} datagrams were answered in {PATIENCE:?}")));
            }
        }
    }
}

/// The time for each answer, for a turn; from a thread at the near end, on the first core.
fn measured(wire: &Wire, turn: &Turn<'_>, counts: &Counts) -> Result<Samples, BenchError> {
    let flood = || {
        let mut ticks = turn.sample_buffer();
        let began = clock::glance();
        let budget = turn.clock.ticks(turn.budget);
        Sender::open(counts)?.flood(turn, |each| {
            let now = clock::glance();
            if now >= began + budget / 10 {
                ticks.push(each);
            }
            ticks.len() >= turn.sample_limit || now >= began + budget
        })?;
        Ok(turn.single(ticks))
    };
    wire.near(|| on_core(turn.cores.first(), Priority::Ordinary, flood)?)?
}

/// A contestant of `packets/xdp`.
struct Flooded<F> {
    configuration: String,
    wire: Option<Wire>,
    counts: Counts,
    turn: F,
}

/// Measures who answers at the far end of a wire.
trait Answering: FnMut(&Wire, &Turn<'_>, &Counts) -> Result<Samples, BenchError> {}
impl<F: FnMut(&Wire, &Turn<'_>, &Counts) -> Result<Samples, BenchError>> Answering for F {}

fn flooded(configuration: String, turn: impl Answering + 'static) -> Place<'static> {
    Some(Box::new(Flooded { configuration, wire: None, counts: Counts::default(), turn }))
}

impl<F: Answering> Contestant for Flooded<F> {
    fn describe(&self) -> Description {
        let configuration = format!(
            "{}; asked from the first core over AF_XDP by a thread that never waits",
            self.configuration
        );
        Description { name: "ours".to_owned(), configuration, cores_used: 2 }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        turn.cores.second()?;
        (self.turn)(made(&mut self.wire)?, turn, &self.counts)
    }

    fn remark(&self) -> Option<String> {
        let (sent, answered) = (self.counts.sent.load(Ordering::Relaxed), self.counts.answered());
        (sent > 0).then(|| {
            format!(
                "{:.0} % of {sent} datagrams were answered: where it is nearly all, the sender is what limits",
                answered as f64 * 100.0 / sent as f64
            )
        })
    }
}

/// A machine whose program has the device for itself.
pub fn packets() -> Place<'static> {
    flooded(format!("{SET_UP}; the device and a program in WebAssembly"), |wire, turn, counts| {
        let _machine = answering(wire, turn, &datagrams("\"count=0\""), READY)?;
        measured(wire, turn, counts)
    })
}

/// A loop around a socket of Linux's.
pub fn socket_batches() -> Place<'static> {
    let configuration =
        "a thread of the second core: recvmmsg of up to 64 without waiting, and sendmmsg of as many"
            .to_owned();
    flooded(configuration, |wire, turn, counts| {
        answered_in_batches(wire, turn.cores.second()?, || measured(wire, turn, counts))
    })
}

/// A contestant of `syscalls/xdp`.
#[derive(Default)]
struct Counted {
    wire: Option<Wire>,
    calls: u64,
    batches: u64,
    datagrams: u64,
    /// Calls that send no batch, of the last turn.
    others: Vec<Calls>,
}

impl Contestant for Counted {
    fn describe(&self) -> Description {
        let configuration = format!(
            "{SET_UP}; as in `packets/xdp`; strace(1) counts the system calls of that core, of which each `sendto` is a batch"
        );
        Description { name: "ours".to_owned(), configuration, cores_used: 2 }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let core = turn.cores.second()?;
        let wire = made(&mut self.wire)?;
        let (running, machine) = answering(wire, turn, &datagrams("\"count=0\""), READY)?;
        let thread = running.thread(machine, core)?;
        let (counts, stop) = (Counts::default(), AtomicBool::new(false));
        let flood = || Sender::open(&counts)?.flood(turn, |_| stop.load(Ordering::Relaxed));
        let (calls, datagrams) = std::thread::scope(|scope| {
            let flooding =
                scope.spawn(|| wire.near(|| on_core(turn.cores.first(), Priority::Ordinary, flood)?)?);
            // It has begun, or has ended with an error.
            while counts.answered() < ANSWERS && !flooding.is_finished() {
                std::thread::sleep(Duration::from_millis(1));
            }
            let counted = count(&thread, core, &counts);
            stop.store(true, Ordering::Relaxed);
            flooding.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            counted
        })?;
        let batches: u64 = calls.iter().filter(|calls| calls.name == "sendto").map(|calls| calls.count).sum();
        if batches == 0 || datagrams == 0 {
            return Err(wrong(format!("{datagrams} datagrams were answered by {calls:?}")));
        }
        self.others = calls.into_iter().filter(|calls| calls.name != "sendto").collect();
        let calls = batches + self.others.iter().map(|calls| calls.count).sum::<u64>();
        self.calls += calls;
        self.batches += batches;
        self.datagrams += datagrams;
        Ok(Samples::scaled(vec![calls], 1.0 / batches as f64))
    }

    fn remark(&self) -> Option<String> {
        let Self { calls, batches, datagrams, others, .. } = self;
        let others: Vec<_> = others.iter().map(|calls| format!("{} {}", calls.name, calls.count)).collect();
        let others = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
        let each = |of: u64, all: u64| of as f64 / all as f64;
        (*batches > 0).then(|| {
            format!(
                "a batch had {:.1} datagrams on average, and {:.0} calls were made for each million of them; calls that sent none, in the last turn: {others}",
                each(*datagrams, *batches),
                each(*calls, *datagrams) * 1e6
            )
        })
    }
}

/// System calls of a thread for a while, and how many answers came meanwhile.
fn count(thread: &str, core: Core, counts: &Counts) -> Result<(Vec<Calls>, u64), BenchError> {
    let mut counting = Counting::begin(thread, core)?;
    let before = counts.answered();
    std::thread::sleep(COUNTED);
    let answered = counts.answered() - before;
    Ok((counting.end()?, answered))
}

/// System calls of the core of such a machine.
pub fn system_calls() -> Place<'static> {
    Some(Box::<Counted>::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_question_turned_back_and_nothing_else() {
        let addresses = [[10, 99, 0, 1], [10, 99, 0, 2]];
        let asked: Vec<Frame> = (0..NUMBERS).map(|number| ask(number, addresses)).collect();
        for question in &asked {
            // RFC 1071: with its own sum all of it sums to nothing.
            assert_eq!(checksum(words(&question[IPV4..UDP])), 0);
            let pseudo_head = [17, (FRAME_BYTES - UDP) as u16];
            assert_eq!(checksum(words(&question[IPV4 + 12..]).chain(pseudo_head)), 0);
            assert_ne!(question[UDP + 6..UDP + 8], [0, 0]);
            assert!(!is_answer(question, &asked));
            let mut answer = *question;
            for (first, second, length) in [(0, 6, 6), (26, 30, 4), (34, 36, 2)] {
                let (before, behind) = answer.split_at_mut(second);
                before[first..first + length].swap_with_slice(&mut behind[..length]);
            }
            assert!(is_answer(&answer, &asked));
        }
        let mut answer = asked[7];
        for (first, second, length) in [(0, 6, 6), (26, 30, 4), (34, 36, 2)] {
            let (before, behind) = answer.split_at_mut(second);
            before[first..first + length].swap_with_slice(&mut behind[..length]);
        }
        for place in (0..6).chain(12..15).chain([23]).chain(26..38).chain(PAYLOAD + 2..FRAME_BYTES) {
            let mut other = answer;
            other[place] ^= 0x10;
            assert!(!is_answer(&other, &asked), "byte {place}");
        }
        assert!(!is_answer(&answer[..FRAME_BYTES - 1], &asked));
        answer[PAYLOAD..PAYLOAD + 2].copy_from_slice(&NUMBERS.to_be_bytes());
        assert!(!is_answer(&answer, &asked), "nobody asked that");
    }
}
