//! Makes as many calls as it is told to and times them in batches: what the benches of calls measure, as a program sees it. The
//! clock is read around a batch, by a kernel call.
//!
//! Granted: `target`, the endpoint of a bench server (of `bench-stubs` for calls through stubs, of `bench-ring` for rings), passive or active. It must be active
//! itself.
#![no_std]
#![forbid(unsafe_code)]

use core::hint::black_box;

use hallows::ring::{self, Bell, Failure, Submission};
use hallows::{Answer, Deadline, Endpoint, Error, Message, Server, Start, Window, process};
use hallows_protocols::bench::{Kind, MAX_BATCHES, MAX_BYTES, Request, Response, batches};
use hallows_protocols::exchange::{self, Order, Side};

/// Words of the ring: five pages, of which the queues take nearly all.
const RING_WORDS: usize = 2_560;
static RING: Window<RING_WORDS> = Window::new();
/// Entries of each queue: more than are ever under way.
const RING_ENTRIES: u32 = 256;
/// Entries that stay under way: one batch on its way there, one in work, one on its way back, so that neither side waits for the other.
const STREAM_ENTRIES: u64 = 96;

/// What it calls, and with what.
pub struct BenchClient {
    target: Endpoint,
    message: [u8; MAX_BYTES],
    /// Made when it is first asked for.
    ring: Option<ring::Client<RING_WORDS>>,
    /// Entries that went over it, and that came back.
    submitted: u64,
    completed: u64,
}

impl Server for BenchClient {
    const INBOX_BYTES: usize = 64;
    const REPLY_BYTES: usize = 64 + 4 * MAX_BATCHES;

    fn new(start: &Start<'_>) -> Result<Self, Error> {
        let target = start.grant("target")?;
        let mut message = [0; MAX_BYTES];
        for (position, byte) in message.iter_mut().enumerate() {
            // Cut to a byte on purpose: any pattern will do that is not the same everywhere.
            *byte = (position * 7) as u8;
        }
        Ok(Self { target, message, ring: None, submitted: 0, completed: 0 })
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        batches(message, |request, response| self.timed(request, response))
    }
}

impl BenchClient {
    /// One batch; how long it took, in nanoseconds.
    fn timed(&mut self, request: &Request, response: &mut Response) -> Result<u32, Error> {
        let mut reply = [0; MAX_BYTES];
        if matches!(Kind::from_number(request.kind), Some(Kind::Ring | Kind::RingStream)) {
            self.open()?;
        }
        let begin = process::now()?;
        let batch = match (Kind::from_number(request.kind), self.message.get(..request.bytes as usize)) {
            (Some(Kind::Null), _) => batch(request.count, process::null),
            (Some(Kind::Call64), _) => self.batch_64(request.count),
            (Some(Kind::StubRecord), _) => batch(request.count, || confirm(self.target)),
            (Some(Kind::StubBytes), _) => self.batch_bytes(request.count, &mut reply),
            (Some(Kind::Ring), _) => self.batch_ring(request.count, 0),
            (Some(Kind::RingStream), _) => self.batch_ring(request.count, STREAM_ENTRIES),
            (Some(Kind::Call), Some(bytes)) => batch(request.count, || call(self.target, bytes, &mut reply)),
            _ => return Err(Error::BadArgument),
        };
        let end = process::now()?;
        response.succeeded += batch.succeeded;
        response.error = batch.error;
        Ok(u32::try_from(end - begin).unwrap_or(u32::MAX))
    }
}

/// Calls so often; stops at the first error.
#[inline]
fn batch(count: u32, mut call: impl FnMut() -> Result<(), Error>) -> Response {
    for succeeded in 0..count {
        if let Err(error) = call() {
            return Response { succeeded, error: u32::from(error.number()) };
        }
    }
    Response { succeeded: count, error: 0 }
}

/// One call; the answer must be the message.
#[inline]
fn call(target: Endpoint, message: &[u8], reply: &mut [u8]) -> Result<(), Error> {
    let reply = reply.get_mut(..message.len()).ok_or(Error::TooLong)?;
    // Looked at in one place, which is not what the last answer left there: comparing all would be measured too.
    if let Some(byte) = reply.last_mut() {
        *byte = 0;
    }
    let outcome = target.call(message, &[], reply, &mut [], Deadline::NEVER)?;
    let as_due = outcome.length as usize == message.len() && black_box(&*reply).last() == message.last();
    if as_due { Ok(()) } else { Err(Error::Refused) }
}

impl BenchClient {
    /// The length is known to the compiler, as it is in programs that call with messages of fixed layout.
    fn batch_64(&self, count: u32) -> Response {
        let mut message = [0; 64];
        message.copy_from_slice(self.message.get(..64).unwrap_or(&[0; 64]));
        let mut reply = [0; 64];
        batch(count, || call(self.target, &message, &mut reply))
    }
}

/// Bytes of a list in a message of 64: what tag and length leave.
const STUB_BYTES: usize = 56;

impl BenchClient {
    /// The same number of bytes as [`Self::batch_64`], through stubs.
    fn batch_bytes(&self, count: u32, room: &mut [u8]) -> Response {
        let mut bytes = [0; STUB_BYTES];
        bytes.copy_from_slice(self.message.get(..STUB_BYTES).unwrap_or(&[0; STUB_BYTES]));
        batch(count, || {
            let answer = exchange::Client(self.target).echo(&bytes, room, Deadline::NEVER)?;
            let as_due = answer.len() == bytes.len() && black_box(answer).last() == bytes.last();
            if as_due { Ok(()) } else { Err(Error::Refused) }
        })
    }
}

impl BenchClient {
    /// Makes the ring, if there is none yet.
    fn open(&mut self) -> Result<(), Error> {
        if self.ring.is_none() {
            let call = |bytes: &[u8], transfers: &[_], reply: &mut [u8], handles: &mut [_]| {
                self.target.call(bytes, transfers, reply, handles, Deadline::NEVER)
            };
            self.ring = Some(ring::Client::offer(&RING, RING_ENTRIES, Bell::bound(1)?, call)?);
        }
        Ok(())
    }

    /// Submits so many at once, and takes what comes back until no more than some are under way.
    fn batch_ring(&mut self, count: u32, stay: u64) -> Response {
        match self.over_ring(count, stay) {
            Ok(()) => Response { succeeded: count, error: 0 },
            Err(failure) => Response { succeeded: 0, error: u32::from(Error::from(failure).number()) },
        }
    }

    fn over_ring(&mut self, count: u32, stay: u64) -> Result<(), Failure> {
        let ring = self.ring.as_mut().ok_or(Error::BadState)?;
        for _ in 0..count {
            let number = self.submitted;
            ring.submit(&Submission { token: number, argument: !number, ..Submission::default() })?;
            self.submitted += 1;
        }
        ring.flush()?;
        while ring.under_way() > stay {
            ring.wait(Deadline::NEVER)?;
            // No more than that: a batch that takes what the next one would makes that one look free.
            while ring.under_way() > stay
                && let Some(completion) = ring.complete()?
            {
                if completion.token != self.completed || completion.detail != !completion.token {
                    return Err(Error::Refused.into());
                }
                self.completed += 1;
            }
        }
        Ok(())
    }
}

/// One call with a record, which the compiler does not know, so that all of its fields are put and taken.
#[inline]
fn confirm(target: Endpoint) -> Result<(), Error> {
    let order = black_box(Order {
        id: 1,
        account: 2,
        instrument: 3,
        price: 4,
        quantity: 5,
        placed_ns: 6,
        expires_ns: 7,
        side: Side::Sell,
        is_hidden: true,
        gateway: 8,
    });
    let answer = black_box(exchange::Client(target).confirm(order, Deadline::NEVER)?);
    if answer.gateway == order.gateway { Ok(()) } else { Err(Error::Refused) }
}

hallows::server!(BenchClient);
