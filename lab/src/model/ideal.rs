//! Processor sharing without a quantum: at any time all requests that are there get the same part of the cores, and none more than one core.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::schedule::Request;

/// Latencies in ns, rounded up.
///
/// All that are there get on equally, so each is done when what one of them has got since it came is its own time: one number for all, and the next
/// to be done is the one with the least sum of both.
pub(super) fn latencies(requests: &[Request], cores: u32) -> Vec<u64> {
    let mut latencies = vec![0; requests.len()];
    let mut there: BinaryHeap<Reverse<(Key, usize)>> = BinaryHeap::new();
    // What each that was there from the start has got by now, and now, in ns.
    let (mut got, mut now) = (0.0, 0.0);
    let rate = |there: usize| (f64::from(cores) / there as f64).min(1.0);
    let mut next = 0;
    loop {
        let done = there.peek().map(|Reverse((Key(goal), _))| now + (goal - got) / rate(there.len()));
        match (requests.get(next), done) {
            (None, None) => return latencies,
            (Some(request), done) if done.is_none_or(|done| (request.arrival_ns as f64) < done) => {
                let at = request.arrival_ns as f64;
                if !there.is_empty() {
                    got += (at - now) * rate(there.len());
                }
                now = at;
                there.push(Reverse((Key(got + request.service_ns as f64), next)));
                next += 1;
            }
            (_, done) => {
                if let (Some(done), Some(Reverse((Key(goal), number)))) = (done, there.pop()) {
                    (now, got) = (done, goal);
                    let taken = now - requests[number].arrival_ns as f64;
                    latencies[number] = (taken.round() as u64).max(requests[number].service_ns);
                }
            }
        }
    }
}

/// A time that is a number.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Key(f64);

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Asks;

    fn request(arrival_ns: u64, service_ns: u64) -> Request {
        Request { arrival_ns, service_ns, class: 0, asks: Asks::Work }
    }

    #[test]
    fn two_on_one_core_take_twice_as_long_while_both_are_there() {
        // Together until 200, when the short one is done; the long one has 900 left.
        assert_eq!(latencies(&[request(0, 1_000), request(0, 100)], 1), [1_100, 200]);
        assert_eq!(latencies(&[request(0, 1_000), request(500, 100)], 1), [1_100, 200]);
        assert_eq!(latencies(&[request(0, 1_000), request(0, 100)], 2), [1_000, 100]);
        assert_eq!(latencies(&[request(0, 300), request(0, 300), request(0, 300)], 2), [450, 450, 450]);
    }
}
