//! The side of a ring that submits.

use core::sync::atomic::AtomicU64;

use super::broken::{Broken, Refused};
use super::consumer::Consumer;
use super::entry::{Completion, Submission};
use super::layout::{BadLayout, Layout, Line};
use super::payload::Payload;
use super::producer::Producer;
use super::sleep::{Doorbell, Rest, Sleeper};
use super::word::{Fence, Word};

/// The side of a ring that submits, and takes completions.
///
/// No more is under way than a queue has places, so the service always has room for its completions.
#[derive(Debug)]
pub struct Client<'a, W = AtomicU64> {
    submissions: Producer<'a, Submission, W>,
    completions: Consumer<'a, Completion, W>,
    sleeper: Sleeper<'a, W>,
    payload: Payload<'a, W>,
    entries: u64,
    /// Submitted, and not completed.
    under_way: u64,
}

impl<'a, W: Word> Client<'a, W> {
    /// The client of the ring of this layout, which [`Layout::write`] has put there.
    ///
    /// # Errors
    ///
    /// [`BadLayout::TooLarge`] if the memory is too small for it.
    pub fn new(memory: &'a [W], layout: &Layout) -> Result<Self, BadLayout> {
        let parts = layout.split(memory)?;
        Ok(Self {
            submissions: Producer::new(
                parts.submissions,
                parts.word(Line::SubmissionsProduced)?,
                parts.word(Line::SubmissionsConsumed)?,
            )?,
            completions: Consumer::new(
                parts.completions,
                parts.word(Line::CompletionsProduced)?,
                parts.word(Line::CompletionsConsumed)?,
            )?,
            sleeper: Sleeper::new(parts.word(Line::ClientSleeps)?, parts.word(Line::ServiceSleeps)?),
            payload: Payload(parts.payload),
            entries: u64::from(layout.entries()),
            under_way: 0,
        })
    }

    /// The payload.
    #[must_use]
    pub const fn payload(&self) -> Payload<'a, W> {
        self.payload
    }

    /// Submitted, and not completed.
    #[must_use]
    pub const fn under_way(&self) -> u64 {
        self.under_way
    }

    /// Submits. The service sees it after the next [`flush`](Self::flush).
    ///
    /// # Errors
    ///
    /// [`Refused::Full`] if as many are under way as a queue has places: take completions. [`Refused::Broken`].
    #[inline]
    pub fn submit(&mut self, submission: &Submission) -> Result<(), Refused> {
        if self.under_way >= self.entries {
            return Err(Refused::Full);
        }
        self.submissions.put(submission)?;
        self.under_way += 1;
        Ok(())
    }

    /// Takes a completion, if there is one.
    ///
    /// # Errors
    ///
    /// [`Broken`].
    #[inline]
    pub fn complete(&mut self) -> Result<Option<Completion>, Broken> {
        let Some(completion) = self.completions.take()? else { return Ok(None) };
        match self.under_way.checked_sub(1) {
            Some(rest) => self.under_way = rest,
            None => return Err(self.completions.fail(Broken::Unasked)),
        }
        Ok(Some(completion))
    }

    /// Whether there is a completion to take.
    ///
    /// # Errors
    ///
    /// [`Broken`].
    #[inline]
    pub fn has_completion(&mut self) -> Result<bool, Broken> {
        self.completions.has_some()
    }

    /// Lets the service see what was submitted and taken: once for each batch, and before waiting.
    #[inline]
    pub fn flush(&mut self, fence: &impl Fence) -> Doorbell {
        // First the places of completions: with the submissions the service sees the room that it needs for their completions. Nobody waits
        // for that room alone, so only submissions ring.
        self.completions.release();
        if self.submissions.publish() { self.sleeper.ring(fence) } else { Doorbell::Quiet }
    }

    /// Says that this side is about to wait for its notification; with [`Rest::Work`] it must not, and looks for completions again. After the
    /// wait, however it ends, comes [`wake`](Self::wake).
    ///
    /// # Errors
    ///
    /// [`Broken`].
    pub fn rest(&mut self, fence: &impl Fence) -> Result<Rest, Broken> {
        let lying = self.sleeper.lie_down(fence);
        let found = self.has_completion();
        self.sleeper.decide(lying, found)
    }

    /// Says that this side is awake.
    pub fn wake(&mut self) {
        self.sleeper.get_up();
    }
}
