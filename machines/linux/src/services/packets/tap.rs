//! A TAP interface: its other end is an interface of Linux's, whose frames come and go by one descriptor.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use hallows_sdk::Error;
use hallows_sdk::packets::Card;
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
}

impl Tap {
    pub const fn new(
        card: Card,
        descriptor: Arc<OwnedFd>,
        interrupts: Arc<Interrupts>,
        number: usize,
    ) -> Self {
        Self { card, descriptor, interrupts, number }
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

    fn transmit(&mut self, frame: &[u8]) -> Result<(), Error> {
        retry_on_intr(|| write(&*self.descriptor, frame)).map(drop).map_err(refusal)
    }

    fn receive(&mut self, room: &mut [u8]) -> Result<Option<usize>, Error> {
        match retry_on_intr(|| read(&*self.descriptor, &mut *room)) {
            // Linux cuts a frame that is longer to the room, and says so by no sign: the room is for the longest.
            Ok(length) => Ok(Some(length)),
            Err(Errno::AGAIN) => Ok(None),
            Err(error) => Err(refusal(error)),
        }
    }

    fn tell(&mut self) {
        self.interrupts.arm(self.number);
    }
}
