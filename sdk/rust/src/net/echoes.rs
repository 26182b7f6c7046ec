//! Pings.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;

use super::Problem;
use super::bell::{Bell, Shared};
use super::network::{delete, patience};
use super::protocol::{self, Refusal};

/// Room for the longest echo and what stands beside it in a message.
const ROOM_BYTES: usize = hallows_abi::MAX_MESSAGE as usize;

/// Echoes of ICMP from one address, until it is dropped.
#[derive(Debug)]
pub struct Echoes<'e> {
    socket: protocol::Echoes,
    bell: Bell<'e>,
    /// Where messages are put together.
    room: Vec<u8>,
}

impl<'e> Echoes<'e> {
    pub(super) fn new(shared: &Rc<Shared<'e>>, socket: protocol::Echoes) -> Result<Self, Problem> {
        let bell = Bell::new(shared).inspect_err(|_| delete(socket))?;
        let echoes = Self { socket, bell, room: vec![0; ROOM_BYTES] };
        echoes.bell.give(|bell, deadline| echoes.socket.tell(bell, deadline))?;
        Ok(echoes)
    }

    /// Asks the address to send these bytes back, when there is room for them. They come with this number.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooLong`] if they do not fit into a frame; [`Problem::Lost`]; those of a call.
    pub async fn send(&mut self, number: u16, bytes: &[u8]) -> Result<(), Problem> {
        loop {
            self.bell.shared().check()?;
            match self.socket.send(number, bytes, &mut self.room, patience()?)? {
                Ok(()) => return Ok(()),
                Err(Refusal::NotNow) => self.bell.rung().await?,
                Err(refusal) => return Err(refusal.into()),
            }
        }
    }

    /// Waits for an echo: its number, and how many bytes it has, of which as many as have room are put into `bytes`.
    ///
    /// # Errors
    ///
    /// [`Problem::Lost`]; those of a call.
    pub async fn receive(&mut self, bytes: &mut [u8]) -> Result<(u16, usize), Problem> {
        loop {
            self.bell.shared().check()?;
            match self.socket.receive(&mut self.room, patience()?)? {
                Ok(protocol::Echo { number, bytes: received }) => {
                    for (place, byte) in bytes.iter_mut().zip(received) {
                        *place = *byte;
                    }
                    return Ok((number, received.len()));
                }
                Err(Refusal::NotNow) => {}
                Err(refusal) => return Err(refusal.into()),
            }
            self.bell.rung().await?;
        }
    }
}

impl Drop for Echoes<'_> {
    fn drop(&mut self) {
        if let Ok(patience) = patience() {
            // A service that is gone has closed it.
            let _ = self.socket.close(patience);
        }
        delete(self.socket);
    }
}
