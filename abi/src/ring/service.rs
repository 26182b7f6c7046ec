//! The side of a ring that completes.

use core::sync::atomic::AtomicU64;

use super::broken::{Broken, Refused};
use super::consumer::Consumer;
use super::entry::{Completion, Submission};
use super::layout::{BadLayout, Layout, Line};
use super::payload::Payload;
use super::producer::Producer;
use super::sleep::{Doorbell, Rest, Sleeper};
use super::word::{Fence, Word};

/// The side of a ring that takes submissions, and completes each once, in any order.
///
/// It takes nothing that it has no room to complete: a client that leaves its completions where they are waits for itself.
#[derive(Debug)]
pub struct Service<'a, W = AtomicU64> {
    submissions: Consumer<'a, Submission, W>,
    completions: Producer<'a, Completion, W>,
    sleeper: Sleeper<'a, W>,
    payload: Payload<'a, W>,
    entries: u64,
    /// How many were taken, how many of them completed, and how many may be taken without a look at the room for completions: three that only
    /// rise, since of two that change together one load follows two stores, and waits for them.
    taken: u64,
    completed: u64,
    may_take: u64,
}

impl<'a, W: Word> Service<'a, W> {
    /// The service of the ring that this memory says it is.
    ///
    /// # Errors
    ///
    /// [`BadLayout`]: whatever stands there.
    pub fn new(memory: &'a [W]) -> Result<Self, BadLayout> {
        let layout = Layout::read(memory)?;
        let parts = layout.split(memory)?;
        Ok(Self {
            submissions: Consumer::new(
                parts.submissions,
                parts.word(Line::SubmissionsProduced)?,
                parts.word(Line::SubmissionsConsumed)?,
            )?,
            completions: Producer::new(
                parts.completions,
                parts.word(Line::CompletionsProduced)?,
                parts.word(Line::CompletionsConsumed)?,
            )?,
            sleeper: Sleeper::new(parts.word(Line::ServiceSleeps)?, parts.word(Line::ClientSleeps)?),
            payload: Payload(parts.payload),
            entries: u64::from(layout.entries()),
            taken: 0,
            completed: 0,
            may_take: u64::from(layout.entries()),
        })
    }

    /// The payload.
    #[must_use]
    pub const fn payload(&self) -> Payload<'a, W> {
        self.payload
    }

    /// Places of each queue.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Taken, and not completed.
    #[must_use]
    pub const fn under_way(&self) -> u64 {
        self.taken - self.completed
    }

    /// Takes a submission, if there is one and room for its completion. It is a copy: what it says is checked after this, by who uses it
    /// ([`Payload::of`]). Between two calls of [`flush`](Self::flush) it gives no more than a queue has places.
    ///
    /// # Errors
    ///
    /// [`Broken`].
    #[inline]
    pub fn take(&mut self) -> Result<Option<Submission>, Broken> {
        if self.taken == self.may_take && !self.has_room()? {
            return Ok(None);
        }
        let Some(submission) = self.submissions.take()? else { return Ok(None) };
        self.taken += 1;
        Ok(Some(submission))
    }

    /// Completes a submission that was taken. The client sees it after the next [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// [`Refused::NothingTaken`] if all that was taken is completed; [`Refused::Broken`].
    #[inline]
    pub fn complete(&mut self, completion: &Completion) -> Result<(), Refused> {
        if self.taken == self.completed {
            return Err(Refused::NothingTaken);
        }
        self.completions.put(completion)?;
        self.completed += 1;
        Ok(())
    }

    /// Whether there is a submission to take, and room for its completion.
    ///
    /// # Errors
    ///
    /// [`Broken`].
    #[inline]
    pub fn has_submission(&mut self) -> Result<bool, Broken> {
        // The room is looked at second: whoever sees a submission sees the completions that its client took before.
        Ok(self.submissions.has_some()? && (self.taken != self.may_take || self.has_room()?))
    }

    /// Lets the client see what was completed and taken: once for each batch, and before waiting.
    #[inline]
    pub fn flush(&mut self, fence: &impl Fence) -> Doorbell {
        // A client waits for completions only: where nothing is under way there is room to submit.
        self.submissions.release();
        if self.completions.publish() { self.sleeper.ring(fence) } else { Doorbell::Quiet }
    }

    /// Says that this side is about to wait for its notification; with [`Rest::Work`] it must not, and looks for submissions again. After the
    /// wait, however it ends, comes [`wake`](Self::wake).
    ///
    /// # Errors
    ///
    /// [`Broken`].
    pub fn rest(&mut self, fence: &impl Fence) -> Result<Rest, Broken> {
        let lying = self.sleeper.lie_down(fence);
        let found = self.has_submission();
        self.sleeper.decide(lying, found)
    }

    /// Says that this side is awake.
    pub fn wake(&mut self) {
        self.sleeper.get_up();
    }

    /// Looks how many more can be completed than were taken.
    fn has_room(&mut self) -> Result<bool, Broken> {
        let room = self.completions.room()?.saturating_sub(self.under_way());
        self.may_take = self.taken + room;
        Ok(room > 0)
    }
}
