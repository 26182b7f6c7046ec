//! UDP ports.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;

use super::Problem;
use super::bell::{Bell, Shared};
use super::network::{delete, patience};
use super::protocol::{self, Refusal};

/// Room for the longest datagram and what stands beside it in a message.
const ROOM_BYTES: usize = hallows_abi::MAX_MESSAGE as usize;

/// A UDP port, until it is dropped.
#[derive(Debug)]
pub struct UdpSocket<'e> {
    socket: protocol::Datagrams,
    bell: Bell<'e>,
    /// Where messages are put together.
    room: Vec<u8>,
}

impl<'e> UdpSocket<'e> {
    pub(super) fn new(shared: &Rc<Shared<'e>>, socket: protocol::Datagrams) -> Result<Self, Problem> {
        let bell = Bell::new(shared).inspect_err(|_| delete(socket))?;
        let port = Self { socket, bell, room: vec![0; ROOM_BYTES] };
        port.bell.give(|bell, deadline| port.socket.tell(bell, deadline))?;
        Ok(port)
    }

    /// The port.
    ///
    /// # Errors
    ///
    /// [`Problem::Lost`]; those of a call.
    pub fn port(&self) -> Result<u16, Problem> {
        self.bell.shared().check()?;
        Ok(self.socket.port(patience()?)?)
    }

    /// Sends a datagram, when there is room for it.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotPermitted`] if the destination may not be reached and has not sent anything here; [`Refusal::TooLong`],
    /// [`Refusal::Unreachable`], [`Refusal::Invalid`]; [`Problem::Lost`]; those of a call.
    pub async fn send_to(&mut self, bytes: &[u8], to: SocketAddr) -> Result<(), Problem> {
        loop {
            self.bell.shared().check()?;
            match self.socket.send(to.into(), bytes, &mut self.room, patience()?)? {
                Ok(()) => return Ok(()),
                Err(Refusal::NotNow) => self.bell.rung().await?,
                Err(refusal) => return Err(refusal.into()),
            }
        }
    }

    /// Waits for a datagram: its bytes, as many as have room (the others are lost), and who sent it.
    ///
    /// # Errors
    ///
    /// [`Problem::Lost`]; those of a call.
    pub async fn receive_from(&mut self, bytes: &mut [u8]) -> Result<(usize, SocketAddr), Problem> {
        loop {
            self.bell.shared().check()?;
            match self.socket.receive(&mut self.room, patience()?)? {
                Ok(protocol::Datagram { peer, bytes: received }) => {
                    let length = received.len().min(bytes.len());
                    for (place, byte) in bytes.iter_mut().zip(received) {
                        *place = *byte;
                    }
                    return Ok((length, peer.into()));
                }
                Err(Refusal::NotNow) => {}
                Err(refusal) => return Err(refusal.into()),
            }
            self.bell.rung().await?;
        }
    }
}

impl Drop for UdpSocket<'_> {
    fn drop(&mut self) {
        if let Ok(patience) = patience() {
            // A service that is gone has closed it.
            let _ = self.socket.close(patience);
        }
        delete(self.socket);
    }
}
