//! Does the work that requests of `hallows lab` ask for: a message is an operation, and when it is done a passive server is called with what came of it,
//! which notes the time.
//!
//! Granted: `done` (SEND). Arguments: `records=NUMBER`, how many its store has; without it, or with 0, it has no store, and can do steps only. `step_ps=N`,
//! `get_ns=N`, `scan_ns=N`: what operations take; it then says how long its work takes before it begins, and nothing of those that are not given.
#![no_std]
#![forbid(unsafe_code)]

use core::time::Duration;

use hallows::{Answer, Deadline, Endpoint, Error, Message, Server, Start, println, process, rights};
use hallows_lab_work::{LocalHandle, Operation, Store, Times};

/// Knows whom to tell, and has a store of its own: cells share no memory.
pub struct LabWorker {
    done: Endpoint<rights!(SEND)>,
    store: Option<Store<LocalHandle>>,
    times: Times,
}

impl Server for LabWorker {
    const INBOX_BYTES: usize = Operation::BYTES;
    const REPLY_BYTES: usize = 0;

    fn new(start: &Start<'_>) -> Result<Self, Error> {
        let records: u32 = start.setting("records", 0)?;
        let times = Times {
            step_ps: start.setting("step_ps", 0)?,
            get_ns: start.setting("get_ns", 0)?,
            scan_ns: start.setting("scan_ns", 0)?,
        };
        let store = (records > 0).then(|| Store::alone(records));
        Ok(Self { done: start.grant("done")?, store, times })
    }

    #[inline]
    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        let operation = Operation::from_bytes(message.bytes);
        if let Some(expected_ns) = operation.and_then(|operation| self.times.of(operation))
            && let Err(error) = process::expect(Duration::from_nanos(expected_ns))
        {
            println!("could not say how long a request takes: {error}");
        }
        // What is not understood is answered with nothing, which is never right.
        let performed = operation.and_then(|operation| operation.perform(self.store.as_ref()));
        let answer = performed.map(u64::to_le_bytes);
        let bytes = answer.as_ref().map_or(&[][..], |answer| answer);
        if let Err(error) = self.done.call(bytes, &[], &mut [], &mut [], Deadline::NEVER) {
            println!("could not tell that a request is done: {error}");
        }
        // Whoever sent it waits for no answer.
        Answer::Later
    }
}

hallows::server!(LabWorker);
