//! What drives one packet device, without rings and cells.

use hallows_sdk::Error;
use hallows_sdk::packets::Card;

/// A packet device. It never waits: whoever waits for it is told when there is something to receive.
pub(super) trait Device: Send {
    /// What it is.
    fn card(&self) -> Card;

    /// Sends a frame of so many bytes, no more than the device can carry: `write` puts it where it is sent from. It may go out with the next
    /// [`flush`](Self::flush) only.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if there is no room for it now; [`Error::BadArgument`] if it is no frame; [`Error::NotReady`] while the device is down. The frame
    /// may not have been written then.
    fn transmit(&mut self, length: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), Error>;

    /// Has all go out that was sent. False: there is no room for some of it now, and this is to be asked again.
    fn flush(&mut self) -> bool {
        true
    }

    /// Whether there is something to receive, a frame or an error.
    fn has_some(&mut self) -> bool;

    /// Whether that look is a system call, to be made less often than looks at memory.
    fn looks_by_call(&self) -> bool {
        false
    }

    /// The next frame that has come, as long as nothing else is asked of the device. `None`: none has come.
    ///
    /// # Errors
    ///
    /// [`Error::NotReady`] if nothing will come any more.
    fn receive(&mut self) -> Result<Option<&[u8]>, Error>;

    /// Has the cell told, once, when there is something to receive. Where frames come by sending only there is nothing to tell.
    fn tell(&mut self);
}
