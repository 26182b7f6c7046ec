//! A queue of an interface over AF_XDP: frames lie in memory that is shared with Linux, and go between that and the client's ring.

use std::sync::{Arc, Mutex, PoisonError};

use hallows_sdk::Error;
use hallows_sdk::packets::{Card, HEAD_BYTES};

use super::checksums;
use super::device::Device;
use crate::host::xdp::socket::XdpSocket;
use crate::services::interrupts::Interrupts;

/// A socket between two lives of whoever drives it.
pub(super) type Shelf = Arc<Mutex<Option<XdpSocket>>>;

/// A queue of an interface that somebody has opened.
#[derive(Debug)]
pub(super) struct Xdp {
    card: Card,
    /// There until this is dropped.
    socket: Option<XdpSocket>,
    /// Where it goes then.
    shelf: Shelf,
    has_partial_checksums: bool,
    interrupts: Arc<Interrupts>,
    /// Its place among the process's interfaces.
    number: usize,
    /// The interface was down, or gone, when it was last asked to send something.
    is_down: bool,
}

impl Xdp {
    /// With the socket on a shelf; `None` if another one has it.
    pub fn new(
        card: Card,
        shelf: &Shelf,
        has_partial_checksums: bool,
        interrupts: Arc<Interrupts>,
        number: usize,
    ) -> Option<Self> {
        let socket = Some(shelf.lock().unwrap_or_else(PoisonError::into_inner).take()?);
        let shelf = shelf.clone();
        Some(Self { card, socket, shelf, has_partial_checksums, interrupts, number, is_down: false })
    }
}

impl Drop for Xdp {
    fn drop(&mut self) {
        *self.shelf.lock().unwrap_or_else(PoisonError::into_inner) = self.socket.take();
    }
}

impl Device for Xdp {
    fn card(&self) -> Card {
        self.card
    }

    fn transmit(&mut self, length: usize, write: &mut dyn FnMut(&mut [u8])) -> Result<(), Error> {
        if length < HEAD_BYTES {
            return Err(Error::BadArgument);
        }
        if self.is_down {
            // It may be up again: what waits goes out then.
            self.flush();
        }
        let socket = self.socket.as_mut().filter(|_| !self.is_down).ok_or(Error::NotReady)?;
        match socket.send(length, write) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Error::Busy),
            Err(_) => Err(Error::TooLong),
        }
    }

    fn flush(&mut self) -> bool {
        let Some(socket) = &mut self.socket else { return true };
        let handed = socket.hand_over();
        self.is_down = handed.is_err();
        // While it is down, there is no use in asking at once.
        handed.unwrap_or(true)
    }

    fn has_some(&mut self) -> bool {
        self.socket.as_mut().is_some_and(XdpSocket::has_some)
    }

    fn receive(&mut self) -> Result<Option<&[u8]>, Error> {
        let Some(frame) = self.socket.as_mut().and_then(XdpSocket::receive) else { return Ok(None) };
        if self.has_partial_checksums {
            checksums::complete(frame);
        }
        Ok(Some(frame))
    }

    fn tell(&mut self) {
        self.interrupts.arm(self.number);
    }
}
