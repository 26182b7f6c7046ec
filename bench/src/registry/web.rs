//! The bench of web servers over sockets.

use std::time::Duration;

use crate::bench::{Bench, BoxedContestant};
use crate::requirement::Requirement;
use crate::samples::Unit;
use crate::turn::Sampling;
use crate::web::{PerRequest, WebServer};

/// wrk counts whole seconds, and one has some ten thousand requests.
const TURN: Duration = Duration::from_secs(2);
/// A server is started for each.
const ROUNDS: u32 = 5;

/// How many connections there are.
const SHAPES: [(&str, usize); 2] = [("64", 64), ("500", 500)];

/// All of them; `ours` makes ours anew for each.
pub(super) fn benches<'a>(ours: Option<&dyn Fn() -> WebServer<'a>>) -> Vec<Bench<'a>> {
    SHAPES.into_iter().map(|shape| http(shape, ours.map(|ours| ours()))).collect()
}

fn http<'a>((variant, connections): (&'static str, usize), ours: Option<WebServer<'a>>) -> Bench<'a> {
    let contestant =
        |server: WebServer<'a>| -> BoxedContestant<'a> { Box::new(PerRequest::new(server, connections)) };
    Bench {
        name: "http",
        variant: Some(variant),
        what: "a file of 1 KiB over HTTP/1.1: the server's processor time for each request",
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: TURN,
        sample_limit: 1,
        rounds: ROUNDS,
        path: "on it: all that the server's processes and threads do, as Linux counts it, its time in Linux and ours' timekeeper with it, \
               while wrk keeps the variant's connections busy over the loopback interface, each of which goes on for all of its requests. \
               Not on it: wrk; a network; disks: both have the file in memory",
        why_rival_is_slow: "both spend most of a request in Linux's TCP: more than ten times is no figure to believe",
        requirements: vec![Requirement::TimesFasterThan("nginx", 1.0)],
        published: &[],
        ours: ours.map(contestant),
        rivals: vec![contestant(WebServer::nginx())],
    }
}
