//! TCP connections.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::ops::Range;

use super::Problem;
use super::bell::{Bell, Shared};
use super::network::{delete, patience};
use super::parts::{Parts, advance};
use super::protocol::{self, Refusal};
use crate::stub::Call;

/// The longest piece that one message carries; what is longer goes in several.
const MOST_BYTES: usize = hallows_abi::MAX_MESSAGE as usize - 64;
/// What stands in a message beside the bytes: more than a tag, a status, a case and a length.
const HEAD_BYTES: usize = 64;

/// A TCP connection, until it is dropped: what was written is still sent then, and if something was not read, the connection is reset.
#[derive(Debug)]
pub struct TcpStream<'e> {
    socket: protocol::Connection,
    bell: Bell<'e>,
    peer: SocketAddr,
    /// The last read gave all that had come, and the bell has not rung since: it will.
    is_drained: bool,
    /// Where messages are put together.
    room: Vec<u8>,
}

impl<'e> TcpStream<'e> {
    pub(super) fn new(
        shared: &Rc<Shared<'e>>,
        socket: protocol::Connection,
        peer: SocketAddr,
    ) -> Result<Self, Problem> {
        let bell = Bell::new(shared).inspect_err(|_| delete(socket))?;
        let stream = Self { socket, bell, peer, is_drained: false, room: Vec::new() };
        stream.bell.give(|bell, deadline| stream.socket.tell(bell, deadline))?;
        Ok(stream)
    }

    /// Who is at the other end.
    #[must_use]
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Waits until the connection is there.
    pub(super) async fn connected(&mut self) -> Result<(), Problem> {
        // Nothing can be written before.
        self.write(&[]).await.map(drop)
    }

    /// Room for a message with so many bytes in it.
    fn room(&mut self, bytes: usize) -> &mut [u8] {
        let length = bytes + HEAD_BYTES;
        if self.room.len() < length {
            self.room = vec![0; length];
        }
        self.room.get_mut(..length).unwrap_or_default()
    }

    /// Waits until bytes have come, and reads some of them; 0: no more will come.
    ///
    /// # Errors
    ///
    /// [`Refusal::Reset`]; [`Refusal::Invalid`] if there is no room for any; [`Problem::Lost`]; those of a call.
    pub async fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Problem> {
        loop {
            // To ask would cost a message.
            if self.is_drained {
                self.changed().await?;
            }
            match self.try_read(bytes)? {
                Some(read) => return Ok(read),
                None => self.changed().await?,
            }
        }
    }

    /// Waits until bytes have come, and gives some of them, at most so many, where the service's answer lies: nobody copies them. None: no more will come.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub async fn receive(&mut self, most: usize) -> Result<&[u8], Problem> {
        let place = loop {
            if self.is_drained {
                self.changed().await?;
            }
            match self.try_receive(most)? {
                Some(place) => break place,
                None => self.changed().await?,
            }
        };
        Ok(self.room.get(place).unwrap_or_default())
    }

    /// Waits until bytes are taken, and writes some from the front; how many.
    ///
    /// # Errors
    ///
    /// [`Refusal::Reset`]; [`Refusal::Finished`]; [`Problem::Lost`]; those of a call.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<usize, Problem> {
        self.write_vectored(&[bytes]).await
    }

    /// As [`write`](Self::write), of bytes that lie in several places, one behind the other.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write).
    pub async fn write_vectored(&mut self, parts: &[&[u8]]) -> Result<usize, Problem> {
        loop {
            match self.try_write_vectored(parts)? {
                Some(written) => return Ok(written),
                None => self.changed().await?,
            }
        }
    }

    /// Reads some of the bytes that have come; 0: no more will come; `None`: not now, [`changed`](Self::changed) waits.
    ///
    /// # Errors
    ///
    /// Those of [`read`](Self::read).
    pub fn try_read(&mut self, bytes: &mut [u8]) -> Result<Option<usize>, Problem> {
        let Some(place) = self.try_receive(bytes.len())? else { return Ok(None) };
        let read = self.room.get(place).unwrap_or_default();
        bytes.get_mut(..read.len()).ok_or(Refusal::TooLong)?.copy_from_slice(read);
        Ok(Some(read.len()))
    }

    /// Where in the room the bytes lie that have come, at most so many.
    fn try_receive(&mut self, most: usize) -> Result<Option<Range<usize>>, Problem> {
        let most = most.min(MOST_BYTES);
        self.bell.shared().check()?;
        let (socket, deadline) = (self.socket, patience()?);
        let room = self.room(most);
        let first = room.as_ptr().addr();
        match socket.read(u32::try_from(most).unwrap_or(u32::MAX), room, deadline)? {
            Ok(read) => {
                let (start, length) = (read.as_ptr().addr() - first, read.len());
                self.is_drained = (1..most).contains(&length);
                Ok(Some(start..start + length))
            }
            Err(Refusal::NotNow) => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Writes some bytes from the front; how many. `None`: not now, [`changed`](Self::changed) waits.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write).
    pub fn try_write(&mut self, bytes: &[u8]) -> Result<Option<usize>, Problem> {
        self.try_write_vectored(&[bytes])
    }

    /// As [`try_write`](Self::try_write), of bytes that lie in several places, one behind the other: they go in one message, and are copied once.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write).
    pub fn try_write_vectored(&mut self, parts: &[&[u8]]) -> Result<Option<usize>, Problem> {
        let parts = Parts::of(parts, MOST_BYTES);
        self.bell.shared().check()?;
        let (socket, deadline) = (self.socket, patience()?);
        let room = self.room(parts.length());
        // What `protocol::Connection::write` does with bytes in one place.
        let call = Call::<0, 0>::new(protocol::tag::CONNECTION_WRITE, deadline);
        let written: Result<u32, Refusal> = call.within(&socket.0, &(parts,), room)?;
        match written {
            Ok(written) => Ok(Some(usize::try_from(written).unwrap_or(usize::MAX))),
            Err(Refusal::NotNow) => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Waits until what could not be read or written may be. Sometimes it may not: whoever waits tries again.
    ///
    /// # Errors
    ///
    /// [`Problem::Lost`].
    pub async fn changed(&mut self) -> Result<(), Problem> {
        self.bell.rung().await?;
        self.is_drained = false;
        Ok(())
    }

    /// Writes all of them.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write): some may have been written then.
    pub async fn write_all(&mut self, mut bytes: &[u8]) -> Result<(), Problem> {
        while !bytes.is_empty() {
            let written = self.write(bytes).await?;
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// Writes all of them, one part behind the other. Nothing of them is left afterwards.
    ///
    /// # Errors
    ///
    /// Those of [`write`](Self::write): what was not written is left then.
    pub async fn write_all_vectored(&mut self, mut parts: &mut [&[u8]]) -> Result<(), Problem> {
        advance(&mut parts, 0);
        while !parts.is_empty() {
            let written = self.write_vectored(parts).await?;
            advance(&mut parts, written);
        }
        Ok(())
    }

    /// No more will be written: the other end reads to its end, and may go on writing.
    ///
    /// # Errors
    ///
    /// [`Refusal::Reset`]; [`Problem::Lost`]; those of a call.
    pub fn finish(&mut self) -> Result<(), Problem> {
        self.bell.shared().check()?;
        Ok(self.socket.finish(patience()?)??)
    }
}

impl Drop for TcpStream<'_> {
    fn drop(&mut self) {
        if let Ok(patience) = patience() {
            // A service that is gone has closed it.
            let _ = self.socket.close(patience);
        }
        delete(self.socket);
    }
}
