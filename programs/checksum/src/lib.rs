//! Computes checksums of what lies in the payload of rings, for several clients at once: one message from each, and no other after it.
//!
//! It believes nothing that a client writes. A client that breaks its ring loses it; the others do not notice. A client that offers
//! another ring has that instead of its first one, so nobody has more than one, and a client that begins another life has it again.
//!
//! Serves one endpoint, actively. It says when a ring is broken.
#![no_std]
#![forbid(unsafe_code)]

use hallows::ring::{self, Completion, Failure, Payload, Submission, operation};
use hallows::{Answer, Endpoint, Error, Handle, Message, Server, Start, Window, log, space};
use hallows_protocols::checksum::{CHECKSUM, MOST_BYTES, of_part};

/// How many clients it has at most.
const CLIENTS: usize = 4;
/// Words of the largest ring: 64 KiB.
const WORDS: usize = 8_192;

static WINDOWS: [Window<WORDS>; CLIENTS] = [const { Window::new() }; CLIENTS];

/// A ring, and whose it is.
struct Open {
    ring: ring::Service<WORDS>,
    /// The badge of the client's endpoint.
    client: u64,
    /// The badge of its notification: another one for each ring, so that what was meant for one that is closed is not taken for the next.
    badge: u64,
}

/// The rings that it serves, each in the window of its place.
pub struct Checksum {
    open: [Option<Open>; CLIENTS],
    last_badge: u64,
}

impl Server for Checksum {
    const INBOX_BYTES: usize = 64;
    const REPLY_BYTES: usize = 64;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self { open: [const { None }; CLIENTS], last_badge: 0 })
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        let Some(place) = self.place_for(message.badge).filter(|_| ring::is_offer(message.bytes)) else {
            drop_all(message.handles);
            return Answer::EMPTY;
        };
        self.close(place);
        let Some(window) = WINDOWS.get(place) else { return Answer::EMPTY };
        self.last_badge += 1;
        let accepted = match ring::Service::accept(message.handles, window, self.last_badge) {
            Ok(accepted) => accepted,
            Err(failure) => {
                log!("no ring for client {}: {failure}", message.badge);
                return Answer::EMPTY;
            }
        };
        let Ok((ring, answer)) = accepted.answer(message.reply) else { return Answer::EMPTY };
        if let Some(open) = self.open.get_mut(place) {
            *open = Some(Open { ring, client: message.badge, badge: self.last_badge });
        }
        answer
    }

    fn notification(&mut self, badge: u64, bits: u64) {
        let of_badge = |open: &Option<Open>| open.as_ref().is_some_and(|open| open.badge == badge);
        let Some(place) = self.open.iter().position(of_badge) else { return };
        let Some(Some(open)) = self.open.get_mut(place) else { return };
        match open.ring.serve(bits, checksum) {
            Ok(_) => {}
            Err(Failure::Closed) => self.close(place),
            Err(failure) => {
                log!("client {}: {failure}", open.client);
                self.close(place);
            }
        }
    }
}

impl Checksum {
    /// The place of a client's ring, or a free one.
    fn place_for(&self, client: u64) -> Option<usize> {
        let of_client = |open: &Option<Open>| open.as_ref().is_some_and(|open| open.client == client);
        self.open.iter().position(of_client).or_else(|| self.open.iter().position(Option::is_none))
    }

    fn close(&mut self, place: usize) {
        if let Some(open) = self.open.get_mut(place).and_then(Option::take) {
            open.ring.close();
        }
    }
}

/// Deletes capabilities that nobody asked for.
fn drop_all(handles: &[Handle]) {
    for handle in handles {
        // Only a kernel that takes no more calls from this cell refuses, and then it is over anyway.
        let _ = space::delete(Endpoint::from_handle(*handle));
    }
}

fn checksum(submission: &Submission, payload: Payload<'_>) -> Completion {
    let token = submission.token;
    match submission.operation {
        operation::NOTHING => Completion { token, ..Completion::default() },
        CHECKSUM if submission.length > MOST_BYTES => Completion::failed(token, Error::TooLong),
        CHECKSUM => match payload.of(submission) {
            Ok(part) => Completion {
                token,
                result: i64::from(submission.length),
                detail: u64::from(of_part(part)),
                flags: 0,
            },
            Err(_) => Completion::failed(token, Error::BadSpan),
        },
        _ => Completion::failed(token, Error::UnknownOperation),
    }
}

hallows::server!(Checksum);
