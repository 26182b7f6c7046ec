//! Does the work that requests of `hallows lab` ask for: a message is a number of steps, and when they are done a passive server is called that
//! notes the time.
//!
//! Granted: `done` (SEND).
#![no_std]
#![forbid(unsafe_code)]

use hallows::{Answer, Deadline, Endpoint, Error, Message, Server, Start, println, rights};
use hallows_bench_kernels::chain;

/// Knows whom to tell.
pub struct LabWorker {
    done: Endpoint<rights!(SEND)>,
}

impl Server for LabWorker {
    const INBOX_BYTES: usize = size_of::<u64>();
    const REPLY_BYTES: usize = 0;

    fn new(start: &Start<'_>) -> Result<Self, Error> {
        Ok(Self { done: start.grant("done")? })
    }

    #[inline]
    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        if let Ok(steps) = message.bytes.try_into() {
            chain(u64::from_le_bytes(steps));
        }
        if let Err(error) = self.done.call(&[], &[], &mut [], &mut [], Deadline::NEVER) {
            println!("could not tell that a request is done: {error}");
        }
        // Whoever sent it waits for no answer.
        Answer::Later
    }
}

hallows::server!(LabWorker);
