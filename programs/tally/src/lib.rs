//! A server that counts. It provides itself at the registry, or comes after another one of its kind while that is called.
//!
//! Granted: `registry`, a namespace (SEND). Arguments: `version=N`, what it calls itself; `after=N`, without which it is the first: it takes over when the
//! present server has counted so far. It runs actively.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

use core::time::Duration;

use hallows::registry::{Namespace, Problem};
use hallows::stub::Client;
use hallows::{Answer, Budget, Deadline, Endpoint, Error, Message, Server, Start, log, pause};
use hallows_protocols::tally::{self, Service, Standing};

const NEVER: Deadline = Deadline::NEVER;
/// Messages that may wait: more than its clients have under way.
const QUEUE: u16 = 64;
/// How long to wait before the present server is looked at again.
const PATIENCE: Duration = Duration::from_micros(500);

/// How far it has come.
pub struct Tally(Standing);

/// Takes over from the present server, once it has counted so far.
fn take_over(namespace: Namespace, after: u64) -> Result<Endpoint, Problem> {
    let present: tally::Client = namespace.await_provider(NEVER)?;
    let standing = loop {
        let standing = present.look(NEVER)?;
        if standing.count >= after {
            break standing;
        }
        pause(PATIENCE)?;
    };
    let (endpoint, left) = namespace.succeed::<tally::Client>(NEVER)?.take_over(NEVER)?;
    log!("comes after version {}, which has {left} calls to answer yet", standing.version);
    Ok(endpoint)
}

/// The first of its kind.
fn provide(namespace: Namespace) -> Result<Endpoint, Problem> {
    let endpoint = Budget::OWN.create_endpoint(hallows::Service::Active { queue: QUEUE })?;
    namespace.provide::<tally::Client>(endpoint, NEVER)?;
    Ok(endpoint)
}

impl Server for Tally {
    fn new(start: &Start<'_>) -> Result<Self, Error> {
        let namespace = Namespace::granted(start, "registry")?;
        let version = start.setting("version", 1)?;
        let after: u64 = start.setting("after", 0)?;
        let started = if after == 0 { provide(namespace) } else { take_over(namespace, after) };
        started.map_err(Problem::logged)?;
        Ok(Self(Standing { version, count: 0 }))
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        tally::serve(self, message)
    }
}

impl Service for Tally {
    fn add(&mut self, _: Client) -> Standing {
        self.0.count += 1;
        self.0
    }

    fn look(&mut self, _: Client) -> Standing {
        self.0
    }
}

hallows::server!(Tally);
hallows::serves!(tally);
hallows::uses!(hallows::registry::protocol);
