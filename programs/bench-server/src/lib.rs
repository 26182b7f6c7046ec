//! Says back what it is told: the other end of the benches of calls. The answer is the message where it lies, so that
//! the only copies are the kernel's.
#![no_std]
#![forbid(unsafe_code)]

use hallows::{Answer, Error, Message, Server, Start};

/// It remembers nothing.
pub struct BenchServer;

impl Server for BenchServer {
    // The longest message of the bench client.
    const INBOX_BYTES: usize = 4_096;
    // Nothing is ever put together.
    const REPLY_BYTES: usize = 0;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self)
    }

    #[inline]
    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        Answer::bytes(message.bytes)
    }
}

hallows::server!(BenchServer);
