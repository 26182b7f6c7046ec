//! One connection of the generator: what is to be sent, what was received, and which requests wait for their answers.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::LoadError;

/// A server that listens takes a connection at once, or when it is done with what it does.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request that was handed over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnderWay {
    /// When it was due, in ns from the start.
    pub due_ns: u64,
    /// Which class it is of.
    pub class: u8,
    /// Which key it is about.
    pub key: u32,
}

/// A connection that never blocks.
pub(crate) struct Connection {
    pub socket: TcpStream,
    /// Requests that the socket has not taken yet.
    unsent: Vec<u8>,
    /// What was received and not understood yet.
    pub received: Vec<u8>,
    /// In the order in which they were sent, which is that of their answers.
    pub waiting: VecDeque<UnderWay>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Result<Self, LoadError> {
        let open = || -> io::Result<TcpStream> {
            let socket = TcpStream::connect_timeout(&address, PATIENCE)?;
            socket.set_nodelay(true)?;
            socket.set_nonblocking(true)?;
            Ok(socket)
        };
        let socket = open().map_err(LoadError::system("connect to the server"))?;
        Ok(Self { socket, unsent: Vec::new(), received: Vec::new(), waiting: VecDeque::new() })
    }

    /// Hands a request over; `write` writes it.
    pub fn send(&mut self, request: UnderWay, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), LoadError> {
        write(&mut self.unsent);
        self.waiting.push_back(request);
        self.flush()
    }

    /// Sends as much as the socket takes.
    pub fn flush(&mut self) -> Result<(), LoadError> {
        let mut sent = 0;
        while sent < self.unsent.len() {
            match self.socket.write(&self.unsent[sent..]) {
                Ok(0) => return Err(self.closed()),
                Ok(taken) => sent += taken,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(LoadError::system("ask the server")(error)),
            }
        }
        self.unsent.drain(..sent);
        Ok(())
    }

    /// Receives once into `buffer`. `false`: nothing more is there.
    pub fn receive(&mut self, buffer: &mut [u8]) -> Result<bool, LoadError> {
        loop {
            match self.socket.read(buffer) {
                Ok(0) => return Err(self.closed()),
                Ok(read) => {
                    self.received.extend(&buffer[..read]);
                    // A stream that gave less than it was asked for has no more (epoll(7), "Questions and answers", 9).
                    return Ok(read == buffer.len());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(LoadError::system("hear the server's answer")(error)),
            }
        }
    }

    fn closed(&self) -> LoadError {
        LoadError::Closed { waiting: self.waiting.len() }
    }
}
