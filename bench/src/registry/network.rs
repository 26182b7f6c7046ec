//! The bench of the network: a datagram from a client of Linux's, and its answer.

use std::time::Duration;

use super::{Beside, ROUNDS, SAMPLE_LIMIT};
use crate::bench::{Bench, BoxedContestant};
use crate::contestant::Renamed;
use crate::requirement::{Requirement, Statistic};
use crate::rivals::SocketEcho;
use crate::samples::Unit;
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
