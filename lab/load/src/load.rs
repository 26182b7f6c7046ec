//! What is offered to a server.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::{Arrivals, Data, LoadError, Protocol};

/// Most connections: each is a descriptor and some buffers of this process.
const MOST_CONNECTIONS: usize = 10_000;
/// Most requests under way on one connection.
const MOST_DEPTH: usize = 1_000;
/// Longest a run.
const LONGEST: Duration = Duration::from_secs(3_600);

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Request {
    /// The value of a key.
    Get,
    /// To store the value that a key has anyway, so that answers to GETs stay what they are.
    Set,
    /// What goes through all keys and answers with one of them: RESP's `KEYS` with a pattern that only one matches.
    Search,
    /// The values of so many keys, one behind the other, at once.
    GetMany(u32),
}

impl fmt::Display for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Get => formatter.write_str("GET"),
            Self::Set => formatter.write_str("SET"),
            Self::Search => formatter.write_str("KEYS"),
            Self::GetMany(keys) => write!(formatter, "GET of {keys} keys"),
        }
    }
}

/// Requests of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Class {
    /// Its name in reports.
    pub name: String,
    /// Its part of all requests; those of all classes together are 1.
    pub share: f64,
    /// What its requests ask for.
    pub request: Request,
}

/// When requests come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// So many in a second, whatever becomes of those before them.
    Open {
        /// How they are spread.
        arrivals: Arrivals,
        /// How many.
        per_second: f64,
    },
    /// Each as soon as a connection has room for it: what a server can at most. Latencies are those of its own queue.
    Closed,
}

/// How the generator's thread passes the time until something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It looks all the time: precise, and for a core that nobody else needs.
    Spin,
    /// It sleeps until then: somebody else has the core meanwhile.
    Sleep,
}

/// A run.
#[derive(Clone, Debug)]
pub struct Load<'l> {
    /// Where the server listens.
    pub address: SocketAddr,
    /// What it speaks.
    pub protocol: Protocol,
    /// What it stores.
    pub data: Data,
    /// Kinds of requests.
    pub classes: &'l [Class],
    /// When they come.
    pub pace: Pace,
    /// Over how many connections; a request takes one that has room.
    pub connections: usize,
    /// Requests under way on one connection at most; more than 1 is pipelining.
    pub depth: usize,
    /// For how long requests come.
    pub lasts: Duration,
    /// This first part of the time is not counted.
    pub warm_up: Duration,
    /// How long answers are waited for behind it.
    pub grace: Duration,
    /// How the time passes.
    pub waiting: Waiting,
    /// What random numbers begin with.
    pub seed: u64,
}

impl Load<'_> {
    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`LoadError::Argument`].
    pub fn check(&self) -> Result<(), LoadError> {
        let refuse = |what: String| Err(LoadError::Argument(what));
        let shares: f64 = self.classes.iter().map(|class| class.share).sum();
        if self.classes.len() > usize::from(u8::MAX)
            || !self.classes.iter().all(|class| (0.0..=1.0).contains(&class.share))
            || (shares - 1.0).abs() > 1e-6
        {
            return refuse("shares of classes are between 0 and 1, and together 1".to_owned());
        }
        if let Pace::Open { per_second, .. } = self.pace
            && !(1.0..=1e8).contains(&per_second)
        {
            return refuse(format!("{per_second} requests in a second: there are between 1 and 100,000,000"));
        }
        if !(1..=MOST_CONNECTIONS).contains(&self.connections) || !(1..=MOST_DEPTH).contains(&self.depth) {
            return refuse(format!(
                "there are 1 to {MOST_CONNECTIONS} connections with 1 to {MOST_DEPTH} requests on each"
            ));
        }
        if self.data.keys == 0 || self.data.value_bytes > 1 << 20 {
            return refuse("there is at least one key, and a value has at most 1 MiB".to_owned());
        }
        if self.lasts > LONGEST || self.warm_up >= self.lasts {
            return refuse("a run is longer than its warm-up, and at most an hour".to_owned());
        }
        self.classes.iter().try_for_each(|class| self.protocol.check(class.request))
    }
}
