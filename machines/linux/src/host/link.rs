//! What parent and machine tell each other, and the machine's end of the socket.
//!
//! The parent does not trust the machine: it takes no descriptors from it, checks every thread id that it reports, and
//! ignores lines that it does not understand.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, poll};
use serde::{Deserialize, Serialize};

use super::control::protocol::{Request, Response};
use super::line_socket::{Descriptors, Filled, LINK_LIMIT_BYTES, LineSocket};
use super::threads::ThreadInfo;
use super::tier::{Step, TierReport};

/// From the parent to the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum ToMachine {
    /// The tier that was reached: sent when the machine's threads have been placed.
    Tier(TierReport),
    /// A request from the control socket; answer it with [`FromMachine::Reply`] under the same number.
    Request {
        /// Number of the request.
        id: u64,
        /// What is asked.
        request: Request,
    },
    /// End cleanly within the grace period; the process is killed after it.
    Stop {
        /// Nanoseconds of the grace period.
        grace_ns: u64,
    },
    /// Size of the terminal, at the start and when it changes.
    WindowSize {
        /// Characters in a line.
        columns: u16,
        /// Lines.
        rows: u16,
    },
    /// Something became of a wire.
    Wire {
        /// Which of the machine's interfaces it is.
        interface: usize,
        /// What.
        what: WireWord,
    },
}

/// What becomes of a wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WireWord {
    /// Another machine is there. Its memory, and what rings its bell, come along.
    Met,
    /// It is gone.
    Parted,
    /// Somebody was there who cannot be at the other end.
    Unfit {
        /// Why.
        why: String,
    },
}

/// From the machine to the parent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum FromMachine {
    /// All threads of the machine have started. The parent now claims the host's cores and moves the threads to where they
    /// belong, some 20 ms at tier `isolated`; [`ToMachine::Tier`] says when that is done. Send the steps of the set-up before.
    Threads {
        /// Each of them.
        threads: Vec<ThreadInfo>,
    },
    /// The machine has booted: its programs run. What ends before this has run nothing.
    Begun,
    /// How a step of the set-up went that only the machine can do (locking its memory): part of the tier report.
    Step(Step),
    /// Answer to [`ToMachine::Request`].
    Reply {
        /// Number of the request.
        id: u64,
        /// The answer.
        response: Response,
    },
    /// How the terminal treats keys from now on.
    Terminal {
        /// Lines or single keys.
        mode: TerminalMode,
    },
}

/// How the terminal treats keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminalMode {
    /// As the user had it: line by line, Ctrl-C is a signal to the parent.
    Cooked,
    /// Key by key, without echo; Ctrl-C arrives as the byte 3.
    Raw,
}

/// A message with the number of descriptors that travel with it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Envelope<Message> {
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) descriptors: usize,
    #[serde(flatten)]
    pub(crate) message: Message,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The machine's receiving end. One thread waits on it.
#[derive(Debug)]
pub struct LinkReceiver {
    socket: LineSocket,
}

/// The machine's sending end. Any thread may send; a message is sent whole before the next.
#[derive(Clone, Debug)]
pub struct LinkSender {
    socket: Arc<Mutex<LineSocket>>,
}

/// Makes both ends from the inherited socket.
pub(crate) fn machine_end(socket: OwnedFd) -> io::Result<(LinkReceiver, LinkSender)> {
    let sending = LineSocket::new(socket.try_clone()?, Descriptors::Refuse, LINK_LIMIT_BYTES);
    let receiving = LineSocket::new(socket, Descriptors::Accept, LINK_LIMIT_BYTES);
    Ok((LinkReceiver { socket: receiving }, LinkSender { socket: Arc::new(Mutex::new(sending)) }))
}

impl LinkReceiver {
    /// Waits for the next message; `None` when the parent is gone (the machine then gets SIGKILL from the kernel).
    /// Descriptors that came with it (program files, for example) are the caller's.
    ///
    /// # Errors
    /// The socket's, or `InvalidData`.
    pub fn receive(&mut self) -> io::Result<Option<(ToMachine, Vec<OwnedFd>)>> {
        loop {
            if let Some(envelope) = self.socket.next::<Envelope<ToMachine>>()? {
                let descriptors = self.socket.take_descriptors(envelope.descriptors)?;
                return Ok(Some((envelope.message, descriptors)));
            }
            wait_for(&self.socket, PollFlags::IN)?;
            if self.socket.fill()? == Filled::Closed {
                return Ok(None);
            }
        }
    }
}

impl LinkSender {
    /// Sends a message; blocks while the parent is busy and the socket full.
    ///
    /// # Errors
    /// The socket's: the parent is gone.
    pub fn send(&self, message: FromMachine) -> io::Result<()> {
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        socket.queue(&Envelope { descriptors: 0, message }, Vec::new())?;
        socket.flush()?;
        while socket.has_output() {
            wait_for(&*socket, PollFlags::OUT)?;
            socket.flush()?;
        }
        Ok(())
    }
}

fn wait_for(socket: &impl AsFd, readiness: PollFlags) -> io::Result<()> {
    loop {
        match poll(&mut [PollFd::new(socket, readiness)], None) {
            Err(rustix::io::Errno::INTR) => {}
            other => return other.map(drop).map_err(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn messages_cross_the_link_whole_and_in_order() {
        let (parent, machine) = UnixStream::pair().unwrap();
        let mut parent = LineSocket::new(parent.into(), Descriptors::Refuse, LINK_LIMIT_BYTES);
        let (mut receiver, sender) = machine_end(machine.into()).unwrap();
        let size = ToMachine::WindowSize { columns: 80, rows: 24 };
        let stop = ToMachine::Stop { grace_ns: 5 };
        for message in [&size, &stop] {
            parent.queue(&Envelope { descriptors: 0, message }, Vec::new()).unwrap();
        }
        parent.flush().unwrap();
        assert_eq!(receiver.receive().unwrap().unwrap().0, size);
        assert_eq!(receiver.receive().unwrap().unwrap().0, stop);
        sender.send(FromMachine::Terminal { mode: TerminalMode::Raw }).unwrap();
        parent.fill().unwrap();
        let answer = parent.next::<Envelope<FromMachine>>().unwrap().unwrap();
        assert_eq!(answer.message, FromMachine::Terminal { mode: TerminalMode::Raw });
        drop(parent);
        assert!(receiver.receive().unwrap().is_none());
        assert!(sender.send(FromMachine::Terminal { mode: TerminalMode::Cooked }).is_err());
    }

    #[test]
    fn a_file_for_a_program_arrives_with_its_message() {
        let (parent, machine) = UnixStream::pair().unwrap();
        let mut parent = LineSocket::new(parent.into(), Descriptors::Refuse, LINK_LIMIT_BYTES);
        let (mut receiver, _sender) = machine_end(machine.into()).unwrap();
        let file = rustix::fs::memfd_create(c"program", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        rustix::io::write(&file, b"code").unwrap();
        let message = ToMachine::Request { id: 1, request: Request::Ps };
        parent.queue(&Envelope { descriptors: 1, message: &message }, vec![file]).unwrap();
        parent.flush().unwrap();
        let (received, files) = receiver.receive().unwrap().unwrap();
        assert_eq!(received, message);
        let mut content = [0; 4];
        rustix::io::pread(&files[0], &mut content, 0).unwrap();
        assert_eq!(&content, b"code");
    }
}
