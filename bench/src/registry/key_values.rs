//! The benches of key-value servers over sockets.

use std::rc::Rc;
use std::time::Duration;

use hallows_load::Request;

use crate::bench::{Bench, BoxedContestant};
use crate::key_values::{KeyValues, Offered, PerRequest, Tail};
use crate::requirement::{Requirement, Statistic};
use crate::samples::Unit;
use crate::turn::Sampling;

/// A load is long beside its beginning, in which connections are made.
const TURN: Duration = Duration::from_millis(800);
/// Fewer turns than others have: a server is started for each.
const ROUNDS: u32 = 3;
/// At some thousand requests a second, enough of them for a p99.9.
const TAIL_TURN: Duration = Duration::from_secs(8);
/// How many times as many requests ours serves in a second of a core's time.
const TIMES: f64 = 1.5;
/// Ours at most this part of a rival's.
const TAIL_PART: f64 = 1.0 / 20.0;

const RIVALS: [&str; 3] = ["redis-server", "valkey-server", "memcached"];

fn rivals<'a>() -> [KeyValues<'a>; 3] {
    [
        KeyValues::redis("redis-server", "redis-server"),
        KeyValues::redis("valkey-server", "valkey"),
        KeyValues::memcached(),
    ]
}

/// What is asked, with how many connections, and how many requests under way on each.
const SHAPES: [(&str, Request, usize, usize); 12] = [
    ("get-1", Request::Get, 1, 1),
    ("get-50", Request::Get, 50, 1),
    ("get-500", Request::Get, 500, 1),
    ("get-1-pipelined", Request::Get, 1, 16),
    ("get-50-pipelined", Request::Get, 50, 16),
    ("get-500-pipelined", Request::Get, 500, 16),
    ("set-1", Request::Set, 1, 1),
    ("set-50", Request::Set, 50, 1),
    ("set-500", Request::Set, 500, 1),
    ("set-1-pipelined", Request::Set, 1, 16),
    ("set-50-pipelined", Request::Set, 50, 16),
    ("set-500-pipelined", Request::Set, 500, 16),
];

/// All of them; `ours` makes ours anew for each.
pub(super) fn benches<'a>(ours: Option<&dyn Fn() -> KeyValues<'a>>) -> Vec<Bench<'a>> {
    let mut benches: Vec<_> = SHAPES.into_iter().map(|shape| kv(shape, ours.map(|ours| ours()))).collect();
    benches.push(kv_tail(ours.map(|ours| ours())));
    benches
}

fn kv<'a>(
    (variant, request, connections, depth): (&'static str, Request, usize, usize),
    ours: Option<KeyValues<'a>>,
) -> Bench<'a> {
    let contestant = |server: KeyValues<'a>| -> BoxedContestant<'a> {
        Box::new(PerRequest::new(server, request, connections, depth))
    };
    Bench {
        name: "kv",
        variant: Some(variant),
        what: match request {
            Request::Set => "a SET of 64 bytes over a socket: the server's processor time for each",
            _ => "a GET of 64 bytes over a socket: the server's processor time for each",
        },
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: TURN,
        sample_limit: 1,
        rounds: ROUNDS,
        path: "on it: all that the server's processes and threads do, as Linux counts it, its time in Linux and ours' timekeeper \
               with it, while a closed loop of the variant's connections (pipelined: 16 requests on each) asks as fast as one thread can over \
               the loopback interface. Not on it: the generator; a network; disks",
        why_rival_is_slow: "both spend most of a request in Linux's TCP: more than ten times is no figure to believe",
        requirements: RIVALS.map(|rival| Requirement::TimesFasterThan(rival, TIMES)).to_vec(),
        published: &[],
        ours: ours.map(contestant),
        rivals: rivals().map(contestant).into(),
    }
}

fn kv_tail<'a>(ours: Option<KeyValues<'a>>) -> Bench<'a> {
    let ours = ours.map(Rc::new);
    // memcached has nothing that goes through all keys.
    let [redis, valkey, _] = rivals().map(Rc::new);
    let rivals = [redis, valkey];
    let offered = Offered::to(ours.iter().chain(&rivals).cloned().collect());
    let contestant =
        |server: Rc<KeyValues<'a>>| -> BoxedContestant<'a> { Box::new(Tail::new(server, offered.clone())) };
    let requirement = |rival| Requirement::AtMostTimesAt(Statistic::P99_9, rival, TAIL_PART);
    Bench {
        name: "kv-tail",
        variant: None,
        what: "a GET over a socket, from when it was due until its answer was read, 0.5 % of the requests being KEYS over 50,000 \
               keys, at 70 % of the load that the slowest contestant can bear",
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: TAIL_TURN,
        sample_limit: 1,
        rounds: ROUNDS,
        path: "on it: the loopback interface, the server, the requests that wait before it, and how late the generator is (no more \
               than 0.2 ms or a tenth at p99, else there is no figure; it is a SCHED_FIFO thread where that is allowed). Not on it: a network; disks. Random arrivals, 50 connections",
        why_rival_is_slow: "one thread of its does one command after the other, so GETs wait for KEYS; ours does slow commands in pieces",
        requirements: rivals.iter().zip(RIVALS).map(|(_, name)| requirement(name)).collect(),
        published: &[],
        ours: ours.map(contestant),
        rivals: rivals.map(contestant).into(),
    }
}
