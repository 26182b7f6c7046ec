//! TCP ports that are listened on.

use alloc::rc::Rc;
use core::net::SocketAddr;

use super::bell::{Bell, Shared};
use super::network::{delete, patience};
use super::protocol::{self, Refusal};
use super::{Problem, TcpStream};
use crate::stub::Own;

/// A TCP port that is listened on, until it is dropped.
#[derive(Debug)]
pub struct TcpListener<'e> {
    socket: protocol::Listener,
    shared: Rc<Shared<'e>>,
    bell: Bell<'e>,
}

impl<'e> TcpListener<'e> {
    pub(super) fn new(shared: &Rc<Shared<'e>>, socket: protocol::Listener) -> Result<Self, Problem> {
        let bell = Bell::new(shared).inspect_err(|_| delete(socket))?;
        let listener = Self { socket, shared: shared.clone(), bell };
        listener.bell.give(|bell, deadline| listener.socket.tell(bell, deadline))?;
        Ok(listener)
    }

    /// Waits for the next connection; and who is at its other end.
    ///
    /// # Errors
    ///
    /// [`Refusal::Full`]; [`Problem::Lost`]; those of a call.
    pub async fn accept(&mut self) -> Result<(TcpStream<'e>, SocketAddr), Problem> {
        loop {
            self.shared.check()?;
            match self.socket.accept(patience()?)? {
                Ok(protocol::Accepted { stream: Own(stream), peer }) => {
                    let peer = peer.into();
                    return Ok((TcpStream::new(&self.shared, stream, peer)?, peer));
                }
                Err(Refusal::NotNow) => self.bell.rung().await?,
                Err(refusal) => return Err(refusal.into()),
            }
        }
    }
}

impl Drop for TcpListener<'_> {
    fn drop(&mut self) {
        if let Ok(patience) = patience() {
            // A service that is gone has closed it.
            let _ = self.socket.close(patience);
        }
        delete(self.socket);
    }
}
