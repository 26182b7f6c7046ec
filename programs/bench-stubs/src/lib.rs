//! Says back what it is told, through the stubs of `wit/examples/exchange.wit`: the other end of the bench of stubs, as `bench-server` is
//! that of raw calls.
#![no_std]
#![forbid(unsafe_code)]

use hallows::{Answer, Error, Message, Server, Start, stub};
use hallows_protocols::exchange::{self, Order, Service};

/// It remembers nothing.
pub struct BenchStubs;

impl Service for BenchStubs {
    #[inline]
    fn confirm(&mut self, _: stub::Client, order: Order) -> Order {
        order
    }

    #[inline]
    fn echo<'m>(&'m mut self, _: stub::Client, bytes: &'m [u8]) -> &'m [u8] {
        bytes
    }
}

impl Server for BenchStubs {
    const INBOX_BYTES: usize = 64;
    const REPLY_BYTES: usize = 64;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self)
    }

    #[inline]
    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        exchange::serve(self, message)
    }
}

hallows::server!(BenchStubs);
