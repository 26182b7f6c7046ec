//! The side that submits.

use hallows_abi::ring::{self, Doorbell, Layout, Rest};
use hallows_abi::{Error, EventKind, Handle, Outcome, Rights, Transfer};

use super::patience::Patience;
use super::{Bell, CLOSED, Failure, OFFER, Offer, Peer, WORK};
use super::{Completion, Payload, Submission};
use crate::form::Form;
use crate::{Budget, Deadline, Object, Region, Window, space, wait};

/// The side of a ring that submits, in a region of its own.
#[derive(Debug)]
pub struct Client<const WORDS: usize> {
    ring: ring::Client<'static>,
    bell: Bell,
    service: Peer,
    region: Region,
    window: &'static Window<WORDS>,
    patience: Patience,
    /// This side has said that it sleeps, and has not got up.
    sleeps: bool,
    /// It has rung its own bell, and has not got up.
    comes_again: bool,
    /// How often the service had to be woken.
    rung: u64,
}

impl<const WORDS: usize> Client<WORDS> {
    /// Makes a ring with so many entries in each queue (a power of two) and the rest of the window as payload, and offers it: the closure calls the
    /// service with this message and these capabilities.
    ///
    /// The window shows nothing else yet, and shows the ring until it is [closed](Self::close).
    ///
    /// # Errors
    ///
    /// [`Failure::Layout`] if the queues do not fit; what the call gives; [`Error::Refused`] if the service does not take it;
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`]; [`Error::Unsupported`] where the machine
    /// has no regions.
    pub fn offer(
        window: &'static Window<WORDS>,
        entries: u32,
        bell: Bell,
        call: impl FnOnce(&[u8], &[Transfer], &mut [u8], &mut [Handle]) -> Result<Outcome, Error>,
    ) -> Result<Self, Failure> {
        let layout = Layout::filling(entries, size_of::<Window<WORDS>>() as u64)?;
        let region = Budget::OWN.create_region(size_of::<Window<WORDS>>() as u64)?;
        match Self::offer_in(region, window, &layout, &bell, call) {
            Ok((ring, service)) => Ok(Self {
                ring,
                bell,
                service,
                region,
                window,
                patience: Patience::new(),
                sleeps: false,
                comes_again: false,
                rung: 0,
            }),
            Err(failure) => {
                // Both are this cell's own, so they go.
                let _ = region.destroy();
                let _ = space::delete(region);
                bell.end();
                Err(failure)
            }
        }
    }

    fn offer_in(
        region: Region,
        window: &'static Window<WORDS>,
        layout: &Layout,
        bell: &Bell,
        call: impl FnOnce(&[u8], &[Transfer], &mut [u8], &mut [Handle]) -> Result<Outcome, Error>,
    ) -> Result<(ring::Client<'static>, Peer), Failure> {
        region.map_writable(window)?;
        layout.write(window.words())?;
        let ring = ring::Client::new(window.words(), layout)?;
        let given = [region.share_with(Rights::READ | Rights::WRITE), bell.to_give()];
        let (mut reply, mut handles) = ([0; 8], [Handle::NULL]);
        let outcome = call(&Offer { magic: OFFER }.emit(), &given, &mut reply, &mut handles)?;
        let answer = reply.get(..outcome.length as usize).and_then(Offer::parse);
        if answer.is_none_or(|answer| answer.magic != OFFER) || outcome.handles != 1 {
            return Err(Error::Refused.into());
        }
        Ok((ring, Peer::try_from(handles[0])?))
    }

    /// The payload: what submissions speak of.
    #[must_use]
    pub const fn payload(&self) -> Payload<'static> {
        self.ring.payload()
    }

    /// Submitted, and not completed.
    #[must_use]
    pub const fn under_way(&self) -> u64 {
        self.ring.under_way()
    }

    /// How often the service slept and had to be woken: one notification each.
    #[must_use]
    pub const fn rung(&self) -> u64 {
        self.rung
    }

    /// Submits. The service sees it after the next [`flush`](Self::flush), which [`wait`](Self::wait) does too: submit whole batches.
    ///
    /// # Errors
    ///
    /// [`Failure::Full`] if as many are under way as a queue has places; [`Failure::Broken`].
    #[inline]
    pub fn submit(&mut self, submission: &Submission) -> Result<(), Failure> {
        Ok(self.ring.submit(submission)?)
    }

    /// Takes a completion, if there is one.
    ///
    /// # Errors
    ///
    /// [`Failure::Broken`].
    #[inline]
    pub fn complete(&mut self) -> Result<Option<Completion>, Failure> {
        Ok(self.ring.complete()?)
    }

    /// Lets the service see what was submitted and taken, and wakes it if it sleeps. Who has said that it sleeps may do so without getting up, as a
    /// reactor that was told of something else.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] or [`Error::BadHandle`] if the service is gone.
    #[inline]
    pub fn flush(&mut self) -> Result<(), Failure> {
        // One that was taken before is for a sleep that is over.
        self.bell.has_taken_ring();
        if self.ring.flush(&self.bell) == Doorbell::Ring {
            self.rung += 1;
            self.service.signal(WORK)?;
        }
        // The fence has taken the ring that would have ended this very sleep, and the service rings once for each; or this side's own.
        if (self.sleeps || self.comes_again) && self.bell.has_taken_ring() {
            self.come_again()?;
        }
        Ok(())
    }

    /// Waits until there is a completion: looks for a while, then sleeps until the service rings. For mains that wait for nothing else: an event
    /// of another kind that comes while it sleeps is an error and is lost. The [`Bell`] is [bound](Bell::bound).
    ///
    /// # Errors
    ///
    /// [`Error::DeadlinePassed`]; [`Failure::Closed`] if the service closed the ring; [`Failure::Broken`]; [`Error::BadState`] if another
    /// event came; those of [`flush`](Self::flush).
    pub fn wait(&mut self, deadline: Deadline) -> Result<(), Failure> {
        loop {
            if self.settle()? == Rest::Work {
                // Else the bell was rung for something before, and it looks once more.
                if self.ring.has_completion()? {
                    return Ok(());
                }
                continue;
            }
            let event = wait(&mut [], &mut [], deadline);
            self.get_up();
            let event = event?;
            match event.kind {
                EventKind::Notification => self.bell.heard(event.value),
                EventKind::Deadline => return Err(Error::DeadlinePassed.into()),
                EventKind::Message | EventKind::Answer => return Err(Error::BadState.into()),
            }
        }
    }

    /// Waits until there is a completion, in an async program; the listener is that of this ring's [`Bell`].
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait), but for deadline and other events, which are the program's
    /// ([`with_deadline`](crate::task::Events::with_deadline)). A ring of which a wait was dropped stays in order.
    #[cfg(feature = "task")]
    pub async fn arrival(&mut self, listener: &mut crate::task::Listener<'_>) -> Result<(), Failure> {
        loop {
            if self.settle()? == Rest::Work {
                // As in `wait`.
                if self.ring.has_completion()? {
                    return Ok(());
                }
                continue;
            }
            let bits = listener.bits().await;
            self.get_up();
            self.bell.heard(bits);
        }
    }

    /// Begins a turn with the ring, in a reactor: with the bits that [`notification`](crate::Server::notification) brought, or none. The turn ends
    /// with [`settle`](Self::settle).
    pub fn begin(&mut self, bits: u64) {
        self.bell.heard(bits);
        self.get_up();
    }

    fn get_up(&mut self) {
        self.ring.wake();
        (self.sleeps, self.comes_again) = (false, false);
    }

    /// Another turn comes, behind whoever waits for this cell already: for a reactor that ends one before there is nothing more to do.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`].
    pub fn come_again(&mut self) -> Result<(), Error> {
        self.comes_again = true;
        self.bell.notification().signal(WORK)
    }

    /// Lets the service see everything, looks for completions for a while, and says that this side waits for its notification. With [`Rest::Work`]
    /// it must not, and looks again: there is a completion, or somebody has rung before. For reactors, whose turn ends with it; [`wait`](Self::wait) and [`arrival`](Self::arrival) are for
    /// others.
    ///
    /// # Errors
    ///
    /// [`Failure::Closed`] if the service closed the ring; [`Failure::Broken`]; those of [`flush`](Self::flush).
    pub fn settle(&mut self) -> Result<Rest, Failure> {
        self.flush()?;
        if self.patience.look(|| self.ring.has_completion())? {
            return Ok(Rest::Work);
        }
        let rest = self.ring.rest(&self.bell)?;
        if rest == Rest::Sleep && self.bell.says_closed() {
            self.get_up();
            return Err(Failure::Closed);
        }
        self.sleeps = rest == Rest::Sleep;
        Ok(rest)
    }

    /// Ends the ring: tells the service, and takes the region back from it.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`].
    pub fn close(self) -> Result<(), Error> {
        // A service that is gone needs to be told nothing.
        let _ = self.service.signal(CLOSED);
        let _ = space::delete(self.service);
        self.bell.end();
        self.region.unmap(self.window)?;
        self.region.destroy()?;
        space::delete(self.region)
    }
}
