//! Does the work that requests of `hallows lab` ask for: a message is an operation, and when it is done a passive server is called with what came of it,
//! which notes the time.
//!
//! Granted: `done` (SEND). Argument: `records=NUMBER`, how many its store has; without it, or with 0, it has no store, and can do steps only.
#![no_std]
#![forbid(unsafe_code)]

use hallows::{Answer, Deadline, Endpoint, Error, Message, Server, Start, log, println, rights};
use hallows_lab_work::{LocalHandle, Operation, Store};

/// Knows whom to tell, and has a store of its own: cells share no memory.
pub struct LabWorker {
    done: Endpoint<rights!(SEND)>,
    store: Option<Store<LocalHandle>>,
}

impl Server for LabWorker {
    const INBOX_BYTES: usize = Operation::BYTES;
    const REPLY_BYTES: usize = 0;

    fn new(start: &Start<'_>) -> Result<Self, Error> {
        let records = start.info().setting("records").map_or(Ok(0), str::parse);
        let records = records.map_err(|_| {
            log!("records=NUMBER says how many records the store has");
            Error::BadArgument
        })?;
        let store = (records > 0).then(|| Store::alone(records));
        Ok(Self { done: start.grant("done")?, store })
    }

    #[inline]
    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        // What is not understood is answered with nothing, which is never right.
        let performed =
            Operation::from_bytes(message.bytes).and_then(|operation| operation.perform(self.store.as_ref()));
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
