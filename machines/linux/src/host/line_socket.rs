//! JSON lines over a Unix stream socket, with file descriptors if need be, never blocking: for event loops.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest line that is taken from a client of the control socket: requests are short.
pub(crate) const REQUEST_LIMIT_BYTES: usize = 64 << 10;
/// Longest line between parent and machine: a status of 10,000 cells is about 2 MB.
pub(crate) const LINK_LIMIT_BYTES: usize = 16 << 20;
/// Most descriptors in one message; the kernel's own limit is 253 (SCM_MAX_FD).
pub(crate) const MAX_DESCRIPTORS: usize = 64;
/// Bytes asked for in one read.
const READ_BYTES: usize = 64 << 10;

/// Whether incoming descriptors are taken or thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Descriptors {
    /// Taken, in order.
    Accept,
    /// The kernel closes them: the other side has no business to send any.
    Refuse,
}

/// What a look at the socket found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    /// Bytes; there may be more.
    Some,
    /// Nothing at the moment.
    Nothing,
    /// The other side sends no more.
    Closed,
}

/// Why there is no next message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    /// A line that is no such message. It is dropped; the next may be one.
    #[error("{0}")]
    Malformed(serde_json::Error),
    /// More bytes than the limit without a line end: the connection is of no use any more.
    #[error("a line is longer than {limit_bytes} bytes")]
    TooLong {
        /// The limit.
        limit_bytes: usize,
    },
}

impl From<LineError> for io::Error {
    fn from(error: LineError) -> Self {
        invalid(error.to_string())
    }
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct LineSocket {
    socket: OwnedFd,
    descriptors: Descriptors,
    limit_bytes: usize,
    inbox: Vec<u8>,
    /// Start of the inbox that holds no line end.
    scanned: usize,
    received: VecDeque<OwnedFd>,
    outbox: VecDeque<Segment>,
}

#[derive(Debug)]
struct Segment {
    bytes: Vec<u8>,
    sent: usize,
    descriptors: Vec<OwnedFd>,
}

impl LineSocket {
    pub(crate) fn new(socket: OwnedFd, descriptors: Descriptors, limit_bytes: usize) -> Self {
        Self {
            socket,
            descriptors,
            limit_bytes,
            inbox: Vec::new(),
            scanned: 0,
            received: VecDeque::new(),
            outbox: VecDeque::new(),
        }
    }

    /// Takes in what is there, at most one read's worth.
    ///
    /// # Errors
    /// The socket's, but not that nothing is there.
    pub(crate) fn fill(&mut self) -> io::Result<Filled> {
        let start = self.inbox.len();
        self.inbox.resize(start + READ_BYTES, 0);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut control = match self.descriptors {
            Descriptors::Accept => RecvAncillaryBuffer::new(&mut space),
            Descriptors::Refuse => RecvAncillaryBuffer::default(),
        };
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let mut slices = [IoSliceMut::new(&mut self.inbox[start..])];
        let result = recvmsg(&self.socket, &mut slices, &mut control, flags);
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.received.extend(descriptors);
            }
        }
        let bytes = result.as_ref().map_or(0, |message| message.bytes);
        self.inbox.truncate(start + bytes);
        match result {
            Ok(message) if message.bytes == 0 => Ok(Filled::Closed),
            Ok(_) => Ok(Filled::Some),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Filled::Nothing),
            Err(Errno::CONNRESET) => Ok(Filled::Closed),
            Err(error) => Err(error.into()),
        }
    }

    /// The next whole line as a message; `None` when there is none yet.
    ///
    /// # Errors
    /// See [`LineError`].
    pub(crate) fn next<Message: DeserializeOwned>(&mut self) -> Result<Option<Message>, LineError> {
        let Some(end) = self.inbox[self.scanned..].iter().position(|byte| *byte == b'\n') else {
            self.scanned = self.inbox.len();
            if self.inbox.len() > self.limit_bytes {
                return Err(LineError::TooLong { limit_bytes: self.limit_bytes });
            }
            return Ok(None);
        };
        let line: Vec<u8> = self.inbox.drain(..self.scanned + end + 1).collect();
        self.scanned = 0;
        serde_json::from_slice(&line).map(Some).map_err(LineError::Malformed)
    }

    /// The next `count` descriptors that came with messages.
    ///
    /// # Errors
    /// `InvalidData` when fewer came.
    pub(crate) fn take_descriptors(&mut self, count: usize) -> io::Result<Vec<OwnedFd>> {
        if count > self.received.len() {
            return Err(invalid("a message came without its descriptors".to_owned()));
        }
        Ok(self.received.drain(..count).collect())
    }

    /// Whether bytes have come that no message was made of yet.
    pub(crate) fn has_input(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// How many descriptors came that nobody has taken.
    pub(crate) fn untaken_descriptors(&self) -> usize {
        self.received.len()
    }

    /// Closes descriptors that nobody has taken.
    pub(crate) fn forget_descriptors(&mut self) {
        self.received.clear();
    }

    /// Puts a message into the outbox.
    ///
    /// # Errors
    /// `InvalidInput` for more than [`MAX_DESCRIPTORS`].
    pub(crate) fn queue(&mut self, message: &impl Serialize, descriptors: Vec<OwnedFd>) -> io::Result<()> {
        if descriptors.len() > MAX_DESCRIPTORS {
            let text = format!("more than {MAX_DESCRIPTORS} descriptors in one message");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let mut bytes = serde_json::to_vec(message).map_err(io::Error::other)?;
        bytes.push(b'\n');
        self.outbox.push_back(Segment { bytes, sent: 0, descriptors });
        Ok(())
    }

    /// Sends what the socket takes.
    ///
    /// # Errors
    /// The socket's, but not that it is full. `BrokenPipe` when the other side is gone.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while let Some(segment) = self.outbox.front_mut() {
            let borrowed: Vec<_> = segment.descriptors.iter().map(AsFd::as_fd).collect();
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if !borrowed.is_empty() {
                control.push(SendAncillaryMessage::ScmRights(&borrowed));
            }
            let rest = [IoSlice::new(&segment.bytes[segment.sent..])];
            match sendmsg(&self.socket, &rest, &mut control, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
                Ok(bytes) => {
                    segment.sent += bytes;
                    // They went with the first byte.
                    segment.descriptors.clear();
                    if segment.sent == segment.bytes.len() {
                        self.outbox.pop_front();
                    }
                }
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Takes back the first message of those that wait, if nothing of it was sent and descriptors go along: one that Linux refuses to carry for what they are would
    /// be in the way of all behind it.
    ///
    /// # Errors
    /// See [`LineError`]: it is no such message.
    pub(crate) fn take_back<Message: DeserializeOwned>(&mut self) -> Result<Option<Message>, LineError> {
        let can_be = |first: &mut Segment| first.sent == 0 && !first.descriptors.is_empty();
        let Some(first) = self.outbox.pop_front_if(can_be) else { return Ok(None) };
        serde_json::from_slice(&first.bytes).map(Some).map_err(LineError::Malformed)
    }

    /// Whether there is something to send.
    pub(crate) fn has_output(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Bytes that wait to be sent.
    pub(crate) fn output_bytes(&self) -> usize {
        self.outbox.iter().map(|segment| segment.bytes.len() - segment.sent).sum()
    }
}

impl AsFd for LineSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    fn pair(limit_bytes: usize) -> (LineSocket, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (LineSocket::new(ours.into(), Descriptors::Accept, limit_bytes), theirs)
    }

    #[test]
    fn lines_are_found_however_they_are_cut() {
        let (mut socket, mut peer) = pair(100);
        for piece in ["1", "2\n3", "\n\"", "x\"\n"] {
            peer.write_all(piece.as_bytes()).unwrap();
            assert_eq!(socket.fill().unwrap(), Filled::Some);
        }
        assert_eq!(socket.next::<u32>().unwrap(), Some(12));
        assert_eq!(socket.next::<u32>().unwrap(), Some(3));
        assert_eq!(socket.next::<String>().unwrap(), Some("x".into()));
        assert_eq!(socket.next::<u32>().unwrap(), None);
        assert_eq!(socket.fill().unwrap(), Filled::Nothing);
        drop(peer);
        assert_eq!(socket.fill().unwrap(), Filled::Closed);
    }

    #[test]
    fn rubbish_is_an_error_and_the_next_line_still_counts() {
        let (mut socket, mut peer) = pair(100);
        peer.write_all(b"{]\n5\n").unwrap();
        socket.fill().unwrap();
        assert!(matches!(socket.next::<u32>(), Err(LineError::Malformed(_))));
        assert_eq!(socket.next::<u32>().unwrap(), Some(5));
    }

    #[test]
    fn an_endless_line_is_refused() {
        let (mut socket, mut peer) = pair(100);
        peer.write_all(&[b'1'; 200]).unwrap();
        socket.fill().unwrap();
        assert!(socket.next::<u32>().unwrap_err().to_string().contains("longer than 100 bytes"));
    }

    #[test]
    fn a_full_socket_keeps_the_rest_for_later() {
        let (mut socket, mut peer) = pair(100);
        let text = "x".repeat(4 << 20);
        socket.queue(&text, Vec::new()).unwrap();
        socket.flush().unwrap();
        assert!(socket.has_output() && socket.output_bytes() < text.len());
        let mut received = 0;
        let mut buffer = vec![0; 1 << 20];
        while received < text.len() + 3 {
            received += peer.read(&mut buffer).unwrap();
            socket.flush().unwrap();
        }
        assert!(!socket.has_output());
    }

    #[test]
    fn what_linux_does_not_carry_is_taken_back_and_in_nobodys_way() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut sender = LineSocket::new(ours.into(), Descriptors::Refuse, 100);
        let mut receiver = LineSocket::new(theirs.into(), Descriptors::Accept, 100);
        // Linux from 6.7 on passes no io_uring on.
        let ring = io_uring::IoUring::new(1).unwrap();
        // SAFETY: the ring has it open across the call.
        let ring = unsafe { BorrowedFd::borrow_raw(ring.as_raw_fd()) }.try_clone_to_owned().unwrap();
        sender.queue(&1, Vec::new()).unwrap();
        sender.queue(&2, vec![ring]).unwrap();
        sender.queue(&3, Vec::new()).unwrap();
        let refused = sender.flush().is_err();
        if refused {
            assert_eq!(sender.take_back::<u32>().unwrap(), Some(2));
        }
        assert_eq!(sender.take_back::<u32>().unwrap(), None, "no descriptors go along with the rest");
        sender.flush().unwrap();
        while receiver.fill().unwrap() == Filled::Some {}
        let heard: Vec<u32> = std::iter::from_fn(|| receiver.next().unwrap()).collect();
        assert_eq!(heard, if refused { vec![1, 3] } else { vec![1, 2, 3] });
    }

    #[test]
    fn descriptors_arrive_with_their_message() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut sender = LineSocket::new(ours.into(), Descriptors::Refuse, 100);
        let mut receiver = LineSocket::new(theirs.into(), Descriptors::Accept, 100);
        let (read, write) = rustix::pipe::pipe().unwrap();
        sender.queue(&1, vec![read]).unwrap();
        sender.queue(&2, Vec::new()).unwrap();
        sender.flush().unwrap();
        while receiver.next::<u32>().unwrap() != Some(2) {
            receiver.fill().unwrap();
        }
        let received = receiver.take_descriptors(1).unwrap();
        rustix::io::write(&write, b"y").unwrap();
        let mut byte = [0];
        rustix::io::read(&received[0], &mut byte).unwrap();
        assert_eq!(&byte, b"y");
        assert!(receiver.take_descriptors(1).is_err());
    }
}
