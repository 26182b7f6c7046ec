//! The messenger: a program that makes one call for an operator, and ends.
//!
//! It is a cell like any other: its call waits, is refused and ends by its deadline as a program's would, and what the answer brings dies with
//! it. The message and its answer go by a table of this process, under a number that is the cell's argument.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hallows_sdk::abi::{Handle, MAX_MESSAGE};
use hallows_sdk::native::{NativeProgram, NativeStyle};
use hallows_sdk::{Deadline, Endpoint, Error, Start, process};

/// The name that the endpoint is granted under.
pub(super) const TO: &str = "to";

/// The program.
pub(super) static MESSENGER: NativeProgram = NativeProgram {
    name: "hallows-messenger",
    style: NativeStyle::Main(|| hallows_sdk::program::run(deliver)),
};

/// Capabilities that an answer may bring: they are taken, so that it is no error, and die with the cell.
const ROOM_FOR_HANDLES: usize = 8;

/// The answer's bytes, and how long it took in ns.
pub(super) type Answer = Result<(Vec<u8>, u64), Error>;

struct Posted {
    bytes: Vec<u8>,
    patience: Duration,
    answer: Sender<Answer>,
}

/// Messages that their cells have not taken yet.
static POSTED: Mutex<(u64, BTreeMap<u64, Posted>)> = Mutex::new((0, BTreeMap::new()));

/// A message that waits for a cell of its own. Withdrawn when dropped.
pub(super) struct Letter {
    number: u64,
    /// Where the answer comes.
    pub(super) answer: Receiver<Answer>,
}

impl Letter {
    /// Posts a message.
    pub(super) fn post(bytes: Vec<u8>, patience: Duration) -> Self {
        let (answer, receiver) = channel();
        let mut posted = POSTED.lock().unwrap_or_else(PoisonError::into_inner);
        posted.0 += 1;
        let number = posted.0;
        posted.1.insert(number, Posted { bytes, patience, answer });
        Self { number, answer: receiver }
    }

    /// The argument of the cell that is to deliver it.
    pub(super) fn argument(&self) -> String {
        format!("message={}", self.number)
    }
}

impl Drop for Letter {
    fn drop(&mut self) {
        POSTED.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&self.number);
    }
}

fn deliver(start: &Start<'_>) -> Result<(), Error> {
    let number: u64 = start.setting("message", 0)?;
    let posted = POSTED.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&number);
    let Some(Posted { bytes, patience, answer }) = posted else { return Ok(()) };
    let called = call(start, &bytes, patience);
    let killed = called == Err(Error::Killed);
    // Who asked may have given up.
    let _ = answer.send(called);
    if killed { Err(Error::Killed) } else { Ok(()) }
}

fn call(start: &Start<'_>, bytes: &[u8], patience: Duration) -> Answer {
    let endpoint: Endpoint = start.grant(TO)?;
    let (mut reply, mut handles) = (vec![0; MAX_MESSAGE as usize], [Handle(0); ROOM_FOR_HANDLES]);
    let (deadline, began_ns) = (Deadline::after(patience)?, process::now()?);
    let outcome = endpoint.call(bytes, &[], &mut reply, &mut handles, deadline)?;
    let took_ns = process::now()?.saturating_sub(began_ns);
    reply.truncate(outcome.length as usize);
    Ok((reply, took_ns))
}
