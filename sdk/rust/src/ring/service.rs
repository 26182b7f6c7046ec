//! The side that completes.

use hallows_abi::ring::{self, Doorbell, Rest};
use hallows_abi::{Error, Handle, Transfer};

use super::patience::Patience;
use super::{Bell, CLOSED, Failure, OFFER, Offer, Peer, Shared, WORK};
use super::{Completion, Payload, Submission};
use crate::form::Form;
use crate::server::{Answer, Reply};
use crate::{Endpoint, Window, space};

/// Completions that the client sees at once: so many that what each batch costs is next to nothing, so few that a client on another core has
/// something to do meanwhile.
const BATCH: u64 = 32;
/// So many submissions of one client are served in a row before others have their turn.
const MOST_IN_A_ROW: u64 = 256;

/// The side of a ring that completes: a reactor has one for each client, each in a window of its own.
#[derive(Debug)]
pub struct Service<const WORDS: usize> {
    ring: ring::Service<'static>,
    bell: Bell,
    client: Peer,
    region: Shared,
    window: &'static Window<WORDS>,
    patience: Patience,
    /// How often the client had to be woken.
    rung: u64,
}

/// Whether a message offers a ring.
#[must_use]
pub fn is_offer(bytes: &[u8]) -> bool {
    Offer::parse(bytes).is_some_and(|offer| offer.magic == OFFER)
}

/// A ring that was accepted, and the answer that says so.
#[derive(Debug)]
pub struct Accepted<const WORDS: usize> {
    /// The ring.
    pub ring: Service<WORDS>,
    /// For the answer's capabilities.
    bell: Transfer,
}

impl<const WORDS: usize> Accepted<WORDS> {
    /// The ring, and the message's answer.
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`] if the reply has no room for 8 bytes and a capability; the ring is closed then.
    pub fn answer(self, mut reply: Reply<'_>) -> Result<(Service<WORDS>, Answer<'_>), Error> {
        match reply.give(self.bell).and_then(|()| reply.put(&Offer { magic: OFFER }.emit())) {
            Ok(()) => Ok((self.ring, reply.done())),
            Err(error) => {
                self.ring.close();
                Err(error)
            }
        }
    }
}

impl<const WORDS: usize> Service<WORDS> {
    /// Accepts a ring: the capabilities of a message that [offers one](is_offer), a window that shows nothing, and the badge with which
    /// [`notification`](crate::Server::notification) is to be told of it. Whatever was offered, the capabilities are taken or deleted.
    ///
    /// # Errors
    ///
    /// [`Failure::Layout`] if what was offered is no ring; [`Error::BadArgument`] if the capabilities are not those of an offer, or the region is
    /// larger than the window; [`Error::WrongObject`], [`Error::NoRight`] if they are of another kind, or allow less; what
    /// [`Bell::bound`] gives.
    pub fn accept(
        handles: &[Handle],
        window: &'static Window<WORDS>,
        badge: u64,
    ) -> Result<Accepted<WORDS>, Failure> {
        Self::accept_in(handles, window, badge).inspect_err(|_| {
            for handle in handles {
                // One that is shown in the window is taken out of it by that.
                let _ = space::delete(Endpoint::from_handle(*handle));
            }
        })
    }

    fn accept_in(
        handles: &[Handle],
        window: &'static Window<WORDS>,
        badge: u64,
    ) -> Result<Accepted<WORDS>, Failure> {
        let [region, client] = handles else { return Err(Error::BadArgument.into()) };
        let (region, client) = (Shared::try_from(*region)?, Peer::try_from(*client)?);
        // What a region has is the kernel's word, and does not change.
        let words = usize::try_from(region.size()?).map_err(|_| Error::BadArgument)? / size_of::<u64>();
        region.map_writable(window)?;
        let unmap = |failure: Failure| {
            let _ = region.unmap(window);
            failure
        };
        let memory = window.words().get(..words).unwrap_or_default();
        let ring = ring::Service::new(memory).map_err(|bad| unmap(bad.into()))?;
        let bell = Bell::bound(badge).map_err(|error| unmap(error.into()))?;
        let given = bell.to_give();
        let mut ring = Self { ring, bell, client, region, window, patience: Patience::new(), rung: 0 };
        // It sleeps from the start: the first submission rings.
        match ring.ring.rest(&ring.bell) {
            Ok(Rest::Sleep) => {}
            Ok(Rest::Work) => ring.bell.notification().signal(WORK)?,
            Err(broken) => {
                ring.close();
                return Err(broken.into());
            }
        }
        Ok(Accepted { ring, bell: given })
    }

    /// Hands every submission to `act` and gives the client what it returns, as long as there are some; then looks for more for a while, and sleeps.
    /// To be called when [`notification`](crate::Server::notification) brings this ring's badge, with the bits that it brings. Where a client
    /// never stops, others get their turn in between: this side rings its own bell and is called again.
    ///
    /// `act` sees a submission that is a copy, and a payload that the client may change under it ([`Payload::of`] checks the part).
    ///
    /// Returns how many were served.
    ///
    /// # Errors
    ///
    /// [`Failure::Broken`]: [`close`](Self::close) it. [`Failure::Closed`] if the client closed it. [`Error::Killed`].
    pub fn serve(
        &mut self,
        bits: u64,
        act: impl FnMut(&Submission, Payload<'static>) -> Completion,
    ) -> Result<u64, Failure> {
        self.bell.heard(bits);
        self.serve_some(act).map_err(|failure| self.reason(failure))
    }

    /// Begins a turn with the ring, with the bits that [`notification`](crate::Server::notification) brings, or none: for a service that completes in
    /// another order than it takes, in the place of [`serve`](Self::serve). Then come [`take`](Self::take), [`complete`](Self::complete) and
    /// [`flush`](Self::flush), as often as there is something, and at last [`rest`](Self::rest).
    pub fn begin(&mut self, bits: u64) {
        self.bell.heard(bits);
        self.ring.wake();
    }

    /// The payload: what submissions speak of. The client may change it at any time.
    #[must_use]
    pub const fn payload(&self) -> Payload<'static> {
        self.ring.payload()
    }

    /// Places of each queue: no more can be taken and not completed.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.ring.entries()
    }

    /// Takes a submission, if there is one and room for its completion: a copy, to be checked ([`Payload::of`]).
    ///
    /// # Errors
    ///
    /// [`Failure::Broken`], [`Failure::Closed`].
    #[inline]
    pub fn take(&mut self) -> Result<Option<Submission>, Failure> {
        self.ring.take().map_err(|broken| self.reason(broken.into()))
    }

    /// Completes a submission that was taken. The client sees it after the next [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// [`Failure::Broken`], [`Failure::Closed`]; [`Error::BadState`] if all that was taken is completed.
    #[inline]
    pub fn complete(&mut self, completion: &Completion) -> Result<(), Failure> {
        self.ring.complete(completion).map_err(|refused| self.reason(refused.into()))
    }

    /// Looks for a while whether there is a submission, or whatever else this side waits for.
    ///
    /// # Errors
    ///
    /// [`Failure::Broken`], [`Failure::Closed`].
    pub fn look(&mut self, mut also: impl FnMut() -> bool) -> Result<bool, Failure> {
        let Self { ring, patience, .. } = self;
        let found = patience.look(|| Ok::<_, ring::Broken>(ring.has_submission()? || also()));
        found.map_err(|broken| self.reason(broken.into()))
    }

    /// Ends a turn: says that this side waits for its notification. With [`Rest::Work`] it must not, and looks for submissions again.
    ///
    /// # Errors
    ///
    /// [`Failure::Broken`]; [`Failure::Closed`] if the client closed it.
    pub fn rest(&mut self) -> Result<Rest, Failure> {
        let rest = self.ring.rest(&self.bell).map_err(|broken| self.reason(broken.into()))?;
        if rest == Rest::Sleep && self.bell.says_closed() { Err(Failure::Closed) } else { Ok(rest) }
    }

    /// Ends a turn before there is nothing more to do: another one comes behind whoever waits for this cell already.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`].
    pub fn come_again(&self) -> Result<(), Error> {
        self.bell.notification().signal(WORK)
    }

    /// A client that closes its ring says so before it takes the region away, where zeroes stand then.
    fn reason(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Broken(_) if self.is_closed() => Failure::Closed,
            failure => failure,
        }
    }

    fn serve_some(
        &mut self,
        mut act: impl FnMut(&Submission, Payload<'static>) -> Completion,
    ) -> Result<u64, Failure> {
        self.ring.wake();
        let payload = self.ring.payload();
        let mut served = 0;
        while served < MOST_IN_A_ROW {
            let mut batch = 0;
            while batch < BATCH
                && let Some(submission) = self.ring.take()?
            {
                self.ring.complete(&act(&submission, payload))?;
                batch += 1;
            }
            served += batch;
            if batch > 0 {
                self.flush()?;
            } else if self.patience.look(|| self.ring.has_submission())? {
                continue;
            } else if self.rest()? == Rest::Sleep {
                return Ok(served);
            }
        }
        self.come_again()?;
        Ok(served)
    }

    /// How often the client slept and had to be woken: one notification each.
    #[must_use]
    pub const fn rung(&self) -> u64 {
        self.rung
    }

    /// Whether the client has closed it, as far as it has said so until now.
    fn is_closed(&self) -> bool {
        self.bell.heard(self.bell.notification().poll().unwrap_or(0));
        self.bell.says_closed()
    }

    /// Lets the client see what was completed and taken, and wakes it if it sleeps.
    ///
    /// # Errors
    ///
    /// [`Failure::Closed`] if it is gone.
    pub fn flush(&mut self) -> Result<(), Failure> {
        if self.ring.flush(&self.bell) == Doorbell::Ring {
            self.rung += 1;
            // Who cannot be woken any more is gone.
            self.client.signal(WORK).map_err(|_| Failure::Closed)?;
        }
        Ok(())
    }

    /// Ends the ring: tells the client, and forgets what it gave. The window is free again.
    pub fn close(self) {
        // None of it can be refused for a reason that matters here: what is gone is what is wanted.
        let _ = self.client.signal(CLOSED);
        let _ = self.region.unmap(self.window);
        let _ = space::delete(self.region);
        let _ = space::delete(self.client);
        self.bell.end();
    }
}
