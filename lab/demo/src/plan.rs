//! What is asked of everybody.

use hallows_load::{Arrivals, Class, Data, Protocol, Request};

use crate::{DemoError, Placement};

/// Name of the class of quick requests.
pub const QUICK: &str = "quick";
/// Name of the class of slow ones.
pub const SLOW: &str = "slow";
/// Keys that memcached, which has no command over all keys, is asked for at once.
const MEMCACHED_KEYS: u32 = 1_000;

/// A plan.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is stored.
    pub data: Data,
    /// Part of the requests that are slow.
    pub slow: f64,
    /// Connections to a server.
    pub connections: usize,
    /// Requests under way on each at most.
    pub depth: usize,
    /// How requests come.
    pub arrivals: Arrivals,
    /// Requests in a second, from low to high; `None`: by what contenders can.
    pub loads: Option<Vec<f64>>,
    /// Requests at each load to each contender, in all rounds together; `None`: as many as come in the time.
    pub requests: Option<u64>,
    /// How long all of it takes, in seconds, as far as `requests` does not say otherwise.
    pub seconds: f64,
    /// Turns of each contender at each load.
    pub rounds: u32,
    /// What random numbers begin with.
    pub seed: u64,
    /// Which core is whose.
    pub placement: Placement,
    /// Whether tools that others made measure, too.
    pub tools: bool,
}

impl Plan {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`DemoError::Argument`].
    pub fn check(&self) -> Result<(), DemoError> {
        let refuse = |what: &str| Err(DemoError::Argument(what.to_owned()));
        if !(0.0..=0.5).contains(&self.slow) {
            return refuse("between 0 and 50 percent of the requests are slow");
        }
        if !(1_000..=10_000_000).contains(&self.data.keys) || !(1..=65_536).contains(&self.data.value_bytes) {
            return refuse("there are 1,000 to 10,000,000 keys, with values of 1 to 65,536 bytes");
        }
        if !(1..=10_000).contains(&self.connections) || !(1..=1_000).contains(&self.depth) {
            return refuse("there are 1 to 10,000 connections, with 1 to 1,000 requests under way on each");
        }
        if let Some(loads) = &self.loads
            && (loads.is_empty()
                || !loads.iter().all(|load| (1.0..=1e7).contains(load))
                || !loads.is_sorted_by(|one, other| one < other))
        {
            return refuse(
                "loads are numbers of requests in a second, from 1 to 10,000,000, written from the lowest to the highest",
            );
        }
        if self.requests.is_some_and(|requests| !(100..=1_000_000_000).contains(&requests)) {
            return refuse("there are 100 to 1,000,000,000 requests at each load");
        }
        if !(5.0..=86_400.0).contains(&self.seconds) {
            return refuse("a demonstration takes 5 to 86,400 seconds");
        }
        if !(1..=100).contains(&self.rounds) {
            return refuse("there are 1 to 100 rounds");
        }
        Ok(())
    }

    /// What somebody who speaks this is asked: the quick, then the slow, if there are any.
    #[must_use]
    pub fn classes(&self, protocol: Protocol) -> Vec<Class> {
        let class = |name: &str, share, request| Class { name: name.to_owned(), share, request };
        let quick = class(QUICK, 1.0 - self.slow, Request::Get);
        if self.slow == 0.0 {
            return vec![quick];
        }
        vec![quick, class(SLOW, self.slow, Self::slow_request(protocol))]
    }

    /// What is slow: what goes through all keys, where a protocol has that.
    #[must_use]
    pub const fn slow_request(protocol: Protocol) -> Request {
        match protocol {
            Protocol::Resp => Request::Search,
            Protocol::Memcached => Request::GetMany(MEMCACHED_KEYS),
        }
    }
}

/// The loads at which contenders of these capacities, in requests a second, are compared: up to where the least of them breaks, and on to the best.
#[must_use]
pub(crate) fn loads(capacities: &[f64]) -> Vec<f64> {
    let least = capacities.iter().copied().reduce(f64::min).unwrap_or(1_000.0);
    let most = capacities.iter().copied().reduce(f64::max).unwrap_or(1_000.0);
    let mut loads: Vec<f64> = [0.2, 0.5, 0.7, 0.9].map(|part| rounded(part * least)).to_vec();
    // Who can hardly more than the others breaks with them.
    if most > 1.25 * least {
        loads.extend([0.7, 0.95].map(|part| rounded(part * most)));
    } else {
        loads.push(rounded(1.05 * most));
    }
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    loads
}

/// To two digits: a load that can be typed.
fn rounded(load: f64) -> f64 {
    let load = load.max(1.0);
    let unit = 10f64.powi(load.log10().floor() as i32 - 1);
    ((load / unit).round() * unit).round().max(1.0)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn plan() -> Plan {
        Plan {
            data: Data { keys: 1_000, value_bytes: 64 },
            slow: 0.005,
            connections: 10,
            depth: 1,
            arrivals: Arrivals::Poisson,
            loads: None,
            requests: None,
            seconds: 10.0,
            rounds: 2,
            seed: 1,
            placement: Placement { contenders: vec![0], generator: 0, neighbour: None },
            tools: false,
        }
    }

    #[test]
    fn loads_go_to_where_the_weakest_breaks_and_on_to_the_strongest() {
        assert_eq!(loads(&[10_000.0, 50_000.0]), [2_000.0, 5_000.0, 7_000.0, 9_000.0, 35_000.0, 48_000.0]);
        assert_eq!(loads(&[10_000.0]), [2_000.0, 5_000.0, 7_000.0, 9_000.0, 11_000.0]);
        assert_eq!(loads(&[3.0]), [1.0, 2.0, 3.0]);
        assert!(loads(&[]).is_sorted());
    }

    #[test]
    fn shares_of_classes_are_one_together() {
        for protocol in [Protocol::Resp, Protocol::Memcached] {
            for slow in [0.0, 0.005, 0.5] {
                let classes = Plan { slow, ..plan() }.classes(protocol);
                assert!((classes.iter().map(|class| class.share).sum::<f64>() - 1.0).abs() < 1e-12);
                assert_eq!(classes.len(), if slow == 0.0 { 1 } else { 2 });
            }
        }
    }

    #[test]
    fn plans_that_make_no_sense_are_refused() {
        let good = plan();
        good.check().expect("it is well");
        for bad in [
            Plan { slow: 0.6, ..good.clone() },
            Plan { slow: f64::NAN, ..good.clone() },
            Plan { data: Data { keys: 10, value_bytes: 1 }, ..good.clone() },
            Plan { data: Data { keys: 1_000, value_bytes: 0 }, ..good.clone() },
            Plan { connections: 0, ..good.clone() },
            Plan { depth: 0, ..good.clone() },
            Plan { loads: Some(vec![]), ..good.clone() },
            Plan { loads: Some(vec![2.0, 1.0]), ..good.clone() },
            Plan { loads: Some(vec![f64::INFINITY]), ..good.clone() },
            Plan { requests: Some(1), ..good.clone() },
            Plan { seconds: 1.0, ..good.clone() },
            Plan { rounds: 0, ..good.clone() },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
    }
}
