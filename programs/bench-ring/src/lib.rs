//! Completes what is submitted over one ring, and does nothing with it: the other end of the bench of rings.
//!
//! Serves one endpoint, actively.
#![no_std]
#![forbid(unsafe_code)]

use hallows::ring::{self, Completion};
use hallows::{Answer, Error, Message, Server, Start, Window, log};

/// Words of the ring: that of the bench client.
const WORDS: usize = 2_560;
static RING: Window<WORDS> = Window::new();

/// The ring, once it was offered.
pub struct BenchRing(Option<ring::Service<WORDS>>);

impl Server for BenchRing {
    const INBOX_BYTES: usize = 64;
    const REPLY_BYTES: usize = 64;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self(None))
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        if self.0.is_some() || !ring::is_offer(message.bytes) {
            return Answer::EMPTY;
        }
        let accepted = match ring::Service::accept(message.handles, &RING, 1) {
            Ok(accepted) => accepted,
            Err(failure) => {
                log!("no ring: {failure}");
                return Answer::EMPTY;
            }
        };
        let Ok((ring, answer)) = accepted.answer(message.reply) else { return Answer::EMPTY };
        self.0 = Some(ring);
        answer
    }

    fn notification(&mut self, _: u64, bits: u64) {
        let Some(ring) = &mut self.0 else { return };
        // Each completion says which submission it is of, so that the client can tell.
        let served = ring.serve(bits, |submission, _| Completion {
            token: submission.token,
            detail: submission.argument,
            ..Completion::default()
        });
        if let Err(failure) = served {
            log!("{failure}");
            self.0 = None;
        }
    }
}

hallows::server!(BenchRing);
