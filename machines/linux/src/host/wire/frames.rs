//! Frames over the two rings of a wire: what goes is submitted to one, as its client, and what comes is taken from the other, as its service.
//!
//! Both are [`hallows_abi::ring`] as it is, with frames as [`operation::WRITE`] and one place in the payload for each entry. The other end may write
//! anything anywhere at any time: a frame is copied out once, and its length is the copy's.

use std::sync::atomic::AtomicU64;

use hallows_abi::Error;
use hallows_abi::ring::{
    BadLayout, Broken, Client, Completion, Doorbell, Fence, ProcessorFence, Refused, Rest, Service,
    Submission, operation,
};
use hallows_sdk::packets::HEAD_BYTES;

use super::End;
use super::memory::{self, FRAMES, PLACE_BYTES};

/// Frames under way from which on one looks for places that are free again: so many that a look finds several.
const MANY: u64 = FRAMES as u64 / 4;
const MOST_BYTES: usize = PLACE_BYTES as usize;
/// What is passed over of a peer who writes no frames before others have their turn: a card's turn has some hundreds of these.
const MOST_NONSENSE: u32 = 8;

/// One end's rings.
#[derive(Debug)]
pub(super) struct Frames {
    going: Client<'static>,
    coming: Service<'static>,
    /// The place of the next frame that goes.
    next: u32,
    /// A frame on its way between shared memory and somebody's.
    frame: Box<[u8; MOST_BYTES]>,
}

/// For completions: nobody sleeps until one comes, so nobody has to be seen to sleep.
struct NoFence;

impl Fence for NoFence {
    fn full(&self) -> bool {
        false
    }
}

impl Frames {
    /// The rings of new memory, for this end.
    ///
    /// # Errors
    ///
    /// [`BadLayout`] if no rings stand there.
    pub fn new(words: &'static [AtomicU64], end: End) -> Result<Self, BadLayout> {
        let (layout, going) = memory::ring(words, end)?;
        let (_, coming) = memory::ring(words, end.other())?;
        Ok(Self {
            going: Client::new(going, &layout)?,
            coming: Service::new(coming)?,
            next: 0,
            frame: Box::new([0; MOST_BYTES]),
        })
    }

    /// Sends a frame of so many bytes, which `write` writes; the other end sees it after the next [`flush`](Self::flush). False: there is no room now.
    ///
    /// # Errors
    ///
    /// [`Broken`].
    pub fn send(&mut self, length: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<bool, Broken> {
        if self.going.under_way() >= MANY {
            while self.going.complete()?.is_some() {}
        }
        // Completed in the order in which they were sent, so the oldest place is free if any is. Who completes in another gets other frames.
        let place = self.next;
        let offset = u64::from(place) * u64::from(PLACE_BYTES);
        let Some(frame) = self.frame.get_mut(..length) else { return Ok(false) };
        let submission = Submission {
            operation: operation::WRITE,
            length: u32::try_from(length).unwrap_or(0),
            token: place.into(),
            offset,
            ..Submission::default()
        };
        if self.going.under_way() >= u64::from(FRAMES) {
            return Ok(false);
        }
        write(frame);
        if let Ok(part) = self.going.payload().of(&submission) {
            part.write(frame);
        }
        match self.going.submit(&submission) {
            Ok(()) => {
                self.next = (place + 1) % FRAMES;
                Ok(true)
            }
            Err(Refused::Broken(broken)) => Err(broken),
            Err(_) => Ok(false),
        }
    }

    /// Lets the other end see what was sent, and that places are free again; whether its bell is to be rung.
    pub fn flush(&mut self) -> Doorbell {
        // What this says is for who waits for completions: nobody.
        let _ = self.coming.flush(&NoFence);
        self.going.flush(&ProcessorFence)
    }

    /// Whether a frame has come.
    ///
    /// # Errors
    ///
    /// [`Broken`].
    pub fn has_some(&mut self) -> Result<bool, Broken> {
        self.coming.has_submission()
    }

    /// Takes the next frame that has come; its length, for [`frame`](Self::frame). What is none is refused and passed over, up to [`MOST_NONSENSE`] in a row: behind
    /// those there may be others, as [`has_some`](Self::has_some) says.
    ///
    /// # Errors
    ///
    /// [`Broken`].
    pub fn receive(&mut self) -> Result<Option<usize>, Broken> {
        for _ in 0..MOST_NONSENSE {
            let Some(submission) = self.coming.take()? else { return Ok(None) };
            let copied = self.copy(&submission);
            let completion = match copied {
                Ok(length) => Completion {
                    token: submission.token,
                    result: i64::try_from(length).unwrap_or(0),
                    ..Completion::default()
                },
                Err(error) => Completion::failed(submission.token, error),
            };
            // Of other reasons there are none: there is room for what was taken.
            if let Err(Refused::Broken(broken)) = self.coming.complete(&completion) {
                return Err(broken);
            }
            if let Ok(length) = copied {
                return Ok(Some(length));
            }
        }
        Ok(None)
    }

    /// The frame that was taken last, of so many bytes, until another one comes or goes.
    pub fn frame(&self, length: usize) -> Option<&[u8]> {
        self.frame.get(..length)
    }

    /// Copies a frame out; its length.
    fn copy(&mut self, submission: &Submission) -> Result<usize, Error> {
        if submission.operation != operation::WRITE {
            return Err(Error::UnknownOperation);
        }
        let part = self.coming.payload().of(submission).map_err(|_| Error::BadSpan)?;
        if part.len() < HEAD_BYTES {
            return Err(Error::BadArgument);
        }
        let room = self.frame.get_mut(..part.len()).ok_or(Error::TooLong)?;
        Ok(part.read(room))
    }

    /// Says that this end waits for its bell; with [`Rest::Work`] it must not, and looks for frames again. Then comes [`wake`](Self::wake).
    ///
    /// # Errors
    ///
    /// [`Broken`].
    pub fn rest(&mut self) -> Result<Rest, Broken> {
        self.coming.rest(&ProcessorFence)
    }

    /// Says that this end is awake.
    pub fn wake(&mut self) {
        self.coming.wake();
    }
}

#[cfg(test)]
mod tests;
