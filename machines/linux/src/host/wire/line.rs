//! A machine's end of a wire, over all that come to the other end: frames while somebody is there, and who sleeps.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use hallows_abi::ring::{Broken, Doorbell, Rest};
use rustix::net::{RecvFlags, recv};

use super::frames::Frames;
use super::view::View;
use super::{End, memory, ring};

/// Rings that are heard at once: more than Linux keeps.
const MOST_RINGS: usize = 16;

/// A machine's end.
#[derive(Debug)]
pub struct Line {
    end: End,
    view: View,
    /// What this end listens to.
    bell: Arc<OwnedFd>,
    joined: Option<Joined>,
    /// It has said that it sleeps, and has not got up.
    sleeps: bool,
}

/// Somebody is there.
#[derive(Debug)]
struct Joined {
    frames: Frames,
    /// What rings the other's bell.
    ringer: OwnedFd,
}

impl Line {
    /// One with nobody at the other end.
    ///
    /// # Errors
    ///
    /// When there are no more addresses.
    pub fn new(end: End, bell: Arc<OwnedFd>) -> io::Result<Self> {
        Ok(Self { end, view: View::reserve()?, bell, joined: None, sleeps: false })
    }

    /// Somebody is there, with whom this memory is shared.
    ///
    /// # Errors
    ///
    /// When it is no memory of a wire, or cannot be mapped; nobody is there then.
    pub fn join(&mut self, memory: &OwnedFd, ringer: OwnedFd) -> io::Result<()> {
        self.part();
        if !memory::is_memory(memory) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.view.show(memory)?;
        let frames = Frames::new(self.view.words(), self.end).inspect_err(|_| self.view.hide());
        self.joined = Some(Joined { frames: frames.map_err(io::Error::other)?, ringer });
        Ok(())
    }

    /// Nobody is there any more.
    pub fn part(&mut self) {
        if self.joined.take().is_some() {
            self.view.hide();
        }
        self.sleeps = false;
    }

    /// Whether somebody is there.
    #[must_use]
    pub const fn is_joined(&self) -> bool {
        self.joined.is_some()
    }

    /// Does something with the frames, if somebody is there; who broke a ring is there no more.
    fn with<T>(&mut self, act: impl FnOnce(&mut Frames) -> Result<T, Broken>) -> Result<Option<T>, Broken> {
        let Some(Joined { frames, .. }) = &mut self.joined else { return Ok(None) };
        if self.sleeps {
            frames.wake();
            self.sleeps = false;
        }
        match act(frames) {
            Ok(done) => Ok(Some(done)),
            Err(broken) => {
                self.part();
                Err(broken)
            }
        }
    }

    /// Sends a frame of so many bytes, which `write` writes; the other end sees it after the next [`flush`](Self::flush). False: there is no room
    /// now. `None`: nobody is there.
    ///
    /// # Errors
    ///
    /// [`Broken`]: whoever was there did what nobody may, and counts as gone.
    pub fn send(&mut self, length: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<Option<bool>, Broken> {
        self.with(|frames| frames.send(length, write))
    }

    /// Lets the other end see what was sent; it is told if it sleeps.
    pub fn flush(&mut self) {
        let Some(Joined { frames, ringer }) = &mut self.joined else { return };
        if frames.flush() == Doorbell::Ring {
            ring(ringer);
        }
    }

    /// Whether a frame has come.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn has_some(&mut self) -> Result<bool, Broken> {
        self.with(Frames::has_some).map(Option::unwrap_or_default)
    }

    /// The next frame that has come.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn receive(&mut self) -> Result<Option<&[u8]>, Broken> {
        let taken = self.with(Frames::receive)?.flatten();
        Ok(taken.zip(self.joined.as_ref()).and_then(|(length, joined)| joined.frames.frame(length)))
    }

    /// Says that this end waits for its bell, which rings from now on; whether there is something already.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn rest(&mut self) -> Result<bool, Broken> {
        // Rings until now are for what is looked at below.
        for _ in 0..MOST_RINGS {
            if recv(&*self.bell, &mut [0_u8; 8], RecvFlags::DONTWAIT).is_err() {
                break;
            }
        }
        let rest = self.with(Frames::rest)?;
        self.sleeps = rest == Some(Rest::Sleep);
        Ok(rest == Some(Rest::Work))
    }
}

#[cfg(test)]
mod tests;
