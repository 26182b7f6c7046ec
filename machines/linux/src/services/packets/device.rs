//! What drives one packet device, without rings and cells.

use hallows_sdk::Error;
use hallows_sdk::packets::Card;

/// A packet device. It never waits: whoever waits for it is told when there is something to receive.
pub(super) trait Device: Send {
    /// What it is.
    fn card(&self) -> Card;

    /// Sends a frame, which is no longer than the device can carry.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if there is no room for it now; [`Error::BadArgument`] if it is no frame; [`Error::NotReady`] while the device is down.
    fn transmit(&mut self, frame: &[u8]) -> Result<(), Error>;

    /// Puts the next frame that has come to the front of `room`; how long it is. `None`: none has come. One that is longer than the room is dropped:
    /// [`Error::TooLong`].
    ///
    /// # Errors
    ///
    /// As said; [`Error::NotReady`] if nothing will come any more.
    fn receive(&mut self, room: &mut [u8]) -> Result<Option<usize>, Error>;

    /// Has the cell told, once, when there is something to receive. Where frames come by sending only there is nothing to tell.
    fn tell(&mut self);
}
