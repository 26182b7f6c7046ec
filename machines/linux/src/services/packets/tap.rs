//! A TAP interface: its other end is an interface of Linux's, whose frames come and go by one descriptor.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use hallows_sdk::Error;
use hallows_sdk::packets::{Card, MOST_FRAME_BYTES};
use rustix::io::{Errno, read, retry_on_intr, write};

use super::device::Device;
use crate::services::interrupts::Interrupts;

/// An interface that somebody has opened: every read takes one frame and every write sends one, and none waits.
#[derive(Debug)]
pub(super) struct Tap {
    card: Card,
    descriptor: Arc<OwnedFd>,
    interrupts: Arc<Interrupts>,
    /// Its place among the process's interfaces.
    number: usize,
    /// Room for a frame that goes.
    going: Box<[u8]>,
    /// Room for one that comes.
    coming: Box<[u8]>,
    /// It has come, so long; or an error.
    came: Option<Result<usize, Error>>,
}

impl Tap {
    pub fn new(card: Card, descriptor: Arc<OwnedFd>, interrupts: Arc<Interrupts>, number: usize) -> Self {
        let [going, coming] = [0; 2].map(|byte| vec![byte; MOST_FRAME_BYTES].into_boxed_slice());
        Self { card, descriptor, interrupts, number, going, coming, came: None }
    }
}

/// What Linux's word means for a frame.
const fn refusal(error: Errno) -> Error {
    match error {
        Errno::AGAIN | Errno::NOBUFS | Errno::NOMEM => Error::Busy,
        Errno::INVAL => Error::BadArgument,
        // The interface is down, or has been taken away.
        _ => Error::NotReady,
    }
}

impl Device for Tap {
    fn card(&self) -> Card {
        self.card
    }

    fn transmit(&mut self, length: usize, write_frame: &mut dyn FnMut(&mut [u8])) -> Result<(), Error> {
        let frame = self.going.get_mut(..length).ok_or(Error::TooLong)?;
        write_frame(frame);
        retry_on_intr(|| write(&*self.descriptor, &*frame)).map(drop).map_err(refusal)
    }

    fn has_some(&mut self) -> bool {
        if self.came.is_none() {
            self.came = match retry_on_intr(|| read(&*self.descriptor, &mut *self.coming)) {
                // Linux cuts a frame that is longer to the room, and says so by no sign: the room is for the longest.
                Ok(length) => Some(Ok(length)),
                Err(Errno::AGAIN) => None,
                Err(error) => Some(Err(refusal(error))),
            };
        }
        self.came.is_some()
    }

    fn looks_by_call(&self) -> bool {
        true
    }

    fn receive(&mut self) -> Result<Option<&[u8]>, Error> {
        self.has_some();
        let Some(came) = self.came.take() else { return Ok(None) };
        Ok(self.coming.get(..came?))
    }

    fn tell(&mut self) {
        self.interrupts.arm(self.number);
    }
}
