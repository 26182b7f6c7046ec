//! The benches of the network: datagrams and their answers, and streams, over a wire between two machines and from a client of Linux's.

use std::time::Duration;

use super::{Beside, Place, ROUNDS, SAMPLE_LIMIT};
use crate::bench::{Bench, BoxedContestant};
use crate::contestant::Renamed;
use crate::requirement::{Requirement, Statistic};
use crate::rivals::{DatagramPair, Iperf3, SocketBatches, SocketEcho};
use crate::samples::Unit;
use crate::streams::STREAMS;
use crate::turn::Sampling;

/// A round trip takes tens of microseconds: tens of thousands in a turn.
const TURN: Duration = Duration::from_millis(500);

pub(super) fn echo_xdp<'a>(places: Beside<'a>) -> Bench<'a> {
    let Beside { ours, without } = places;
    let mut rivals: Vec<BoxedContestant<'a>> = vec![Box::<SocketEcho>::default()];
    rivals
        .extend(without.map(|plain| -> BoxedContestant<'a> { Box::new(Renamed::new("af-xdp-echo", plain)) }));
    Bench {
        name: "echo-xdp",
        variant: None,
        what: "a datagram of 64 bytes over UDP from a client of Linux's on a pair of interfaces (veth), and back from whoever is at its other end",
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path: "on it: the client's two system calls and Linux's stack on its core, twice through the pair; of ours AF_XDP, the device's cell, the \
            network's cell and the program's, all three on one core, four copies each way. Not on it: waking the client, which looks all the time, and \
            whoever answers, who does so, too (ours for 10 ms in vain); finding out addresses",
        why_rival_is_slow: "a socket's datagram goes through Linux's stack at the far end, too",
        requirements: vec![
            Requirement::AtMostTimesAt(Statistic::P50, "socket-echo", 1.0),
            Requirement::AtMostTimesAt(Statistic::P99, "socket-echo", 1.0 / 3.0),
        ],
        published: &[],
        ours,
        rivals,
    }
}

/// What a round trip between two machines must reach, in nanoseconds.
const WIRE_P50: f64 = 2_000.0;
const WIRE_P99: f64 = 5_000.0;

pub(super) fn echo_wire<'a>(ours: Place<'a>) -> Bench<'a> {
    over_a_wire(
        None,
        "a datagram of 64 bytes over UDP from a program of one machine to a program of another one over a wire of shared memory, and back; \
            the programs have their devices for themselves",
        "on it, in each machine: the device's cell and the program's, which write and check all heads and sums, on one core; the wire twice. Not on it: \
            waking anybody, since both devices look for 10 ms in vain before they sleep",
        ours,
    )
}

pub(super) fn echo_wire_services<'a>(ours: Place<'a>) -> Bench<'a> {
    over_a_wire(
        Some("services"),
        "the same between programs with sockets of network services",
        "on it, in each machine: the device's cell, the network's cell with all of TCP/IP, and the program's, on one core; the wire twice. Not on it: \
            waking anybody; finding out addresses",
        ours,
    )
}

fn over_a_wire<'a>(
    variant: Option<&'static str>,
    what: &'static str,
    path: &'static str,
    ours: Place<'a>,
) -> Bench<'a> {
    Bench {
        name: "echo-wire",
        variant,
        what,
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path,
        why_rival_is_slow: "two system calls on each side, and Linux's stack twice over the pair of interfaces",
        requirements: vec![
            Requirement::AtMost(Statistic::P50, WIRE_P50),
            Requirement::AtMost(Statistic::P99, WIRE_P99),
        ],
        published: &[],
        ours,
        rivals: vec![Box::new(DatagramPair), Box::<SocketEcho>::default()],
    }
}

pub(super) fn echo_wire_one_side<'a>(ours: Place<'a>) -> Bench<'a> {
    Bench {
        name: "echo-wire",
        variant: Some("one-side"),
        what: "what one side has of that round trip: in the machine that answers, from when its device has the datagram until it has the answer",
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path: "on it: the program's cell, the ring between it and the device twice, changing from one to the other and back. Not on it: the wire, and until the \
            device looks",
        why_rival_is_slow: "",
        requirements: vec![Requirement::AtMost(Statistic::P50, WIRE_P50 / 2.0)],
        published: &[],
        ours,
        rivals: Vec::new(),
    }
}

/// Datagrams that are received and answered by one core, in a second.
const PACKETS_PER_SECOND: f64 = 5_000_000.0;
/// As many times those of a loop around Linux's sockets, over AF_XDP.
const PACKETS_TIMES_FASTER: f64 = 2.0;

pub(super) fn packets<'a>(ours: Place<'a>) -> Bench<'a> {
    Bench {
        name: "packets",
        variant: None,
        what: "the time for each of many datagrams in frames of 64 bytes, which one core receives and answers and another one asks for: over a wire between \
            two machines",
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path: "on it: all that either side does, since each waits for the other; a sample is the mean of 256 answers. Not on it: waking anybody",
        why_rival_is_slow: "Linux's stack for each datagram and each answer, however many go by one system call",
        requirements: vec![Requirement::PerSecond(PACKETS_PER_SECOND)],
        published: &[],
        ours,
        rivals: vec![Box::<SocketBatches>::default()],
    }
}

pub(super) fn packets_xdp<'a>(places: Beside<'a>) -> Bench<'a> {
    let Beside { ours, without } = places;
    let sockets =
        without.map(|sockets| -> BoxedContestant<'a> { Box::new(Renamed::new("socket-batches", sockets)) });
    Bench {
        name: "packets",
        variant: Some("xdp"),
        what: "the same over a pair of interfaces (veth), from a sender at its near end that never waits and sends more than is answered",
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path: "on it: all that the core does which answers, until the answer is at the near end: of ours AF_XDP, the device's cell and the program's, of both what \
            Linux does to send a frame over the pair; a sample is the mean of at least 256 answers. Not on it: what the sender's core does, which is all of \
            Linux's work for what comes, until it is in a queue; waking anybody",
        why_rival_is_slow: "Linux's stack for each datagram and each answer, however many go by one system call",
        requirements: vec![Requirement::TimesFasterThan("socket-batches", PACKETS_TIMES_FASTER)],
        published: &[],
        ours,
        rivals: sockets.into_iter().collect(),
    }
}

pub(super) fn system_calls<'a>(ours: Place<'a>) -> Bench<'a> {
    Bench {
        name: "syscalls",
        variant: None,
        what: "system calls for each million datagrams of `packets`, of the core that answers, while both sides have something to do",
        unit: Unit::Calls,
        sampling: Sampling::Single,
        turn_budget: TURN,
        sample_limit: 1,
        rounds: 3,
        path: "on it: every call of the thread that is the machine's core. Not on it: other threads, as the timekeeper, whose calls are not for datagrams",
        why_rival_is_slow: "",
        requirements: vec![Requirement::AtMost(Statistic::Max, 0.0)],
        published: &[],
        ours,
        rivals: Vec::new(),
    }
}

pub(super) fn system_calls_xdp<'a>(ours: Place<'a>) -> Bench<'a> {
    Bench {
        name: "syscalls",
        variant: Some("xdp"),
        what: "system calls for each batch of answers of `packets/xdp`, of the core that answers, while it always has something to do; a batch is what \
            one call sends",
        unit: Unit::Calls,
        sampling: Sampling::Single,
        turn_budget: TURN,
        sample_limit: 1,
        rounds: 3,
        path: "on it: every call of the thread that is the machine's core. Not on it: other threads, whose calls are not for datagrams",
        why_rival_is_slow: "",
        requirements: vec![Requirement::AtMost(Statistic::Max, 1.0)],
        published: &[],
        ours,
        rivals: Vec::new(),
    }
}

/// A stream has a second, as `iperf3` counts whole ones.
const STREAM_TURN: Duration = Duration::from_secs(1);
/// What a stream's bytes may cost of what those of `iperf3` do: as many bytes as four fifths of its.
const STREAM_TIMES: f64 = 1.25;

/// Over what, and how many.
const STREAM_VARIANTS: [[&str; 2]; STREAMS.len()] = [["xdp", "xdp-64"], ["wire", "wire-64"]];

pub(super) fn streams<'a>(
    xdp: [Place<'a>; STREAMS.len()],
    wire: [Place<'a>; STREAMS.len()],
) -> impl Iterator<Item = Bench<'a>> {
    let [over_xdp, over_wire] = STREAM_VARIANTS;
    let xdp = over_xdp.into_iter().zip(STREAMS).zip(xdp).map(|((variant, streams), ours)| {
        stream(
            variant,
            streams,
            "bytes over TCP from a client of Linux's on a pair of interfaces (veth) to whoever is at its other end, who has read them: the time for each KiB \
                (8,192 ns are 1 Gbit/s)",
            "on it: the client's stack and system calls on its core; of ours AF_XDP, the device's cell, the network's cell with all of TCP/IP and the program's, \
                all three on one core, in frames of 1,500 bytes. Not on it: making connections",
            ours,
        )
    });
    let wire = over_wire.into_iter().zip(STREAMS).zip(wire).map(|((variant, streams), ours)| {
        stream(
            variant,
            streams,
            "bytes over TCP from a program of one machine to a program of another one over a wire of shared memory, who has read them: the time for each KiB \
                (8,192 ns are 1 Gbit/s)",
            "on it, in each machine: the device's cell, the network's cell with all of TCP/IP, and the program's, on one core; the wire, in frames of 1,500 bytes. \
                Not on it: making connections",
            ours,
        )
    });
    xdp.chain(wire)
}

fn stream<'a>(
    variant: &'static str,
    streams: usize,
    what: &'static str,
    path: &'static str,
    ours: Place<'a>,
) -> Bench<'a> {
    Bench {
        name: "stream",
        variant: Some(variant),
        what,
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: STREAM_TURN,
        sample_limit: 1,
        rounds: ROUNDS,
        path,
        why_rival_is_slow: "system calls, and copies between processes and Linux",
        requirements: vec![Requirement::AtMostTimes("iperf3", STREAM_TIMES)],
        published: &[],
        ours,
        rivals: vec![Box::new(Iperf3::new(streams))],
    }
}
