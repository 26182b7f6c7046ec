//! One connection that asks and waits: to fill a store, and to see what one request takes when there is no other.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::protocol::{Answer, shown};
use crate::{Data, LoadError, Protocol, Request};

/// What is not answered by then never is: the slowest request here goes through all keys, which takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);
/// Requests to store that are under way at once: some ten kilobytes, which sockets hold on both sides.
const BATCH: u32 = 256;

/// A connection that asks and waits.
pub struct Client {
    socket: TcpStream,
    protocol: Protocol,
    data: Data,
    received: Vec<u8>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// [`LoadError::System`] if nobody listens.
    pub fn connect(address: SocketAddr, protocol: Protocol, data: Data) -> Result<Self, LoadError> {
        Self::connect_with(address, protocol, data, PATIENCE)
    }

    /// [`Client::connect`], where nothing is waited for longer than so.
    pub(crate) fn connect_with(
        address: SocketAddr,
        protocol: Protocol,
        data: Data,
        patience: Duration,
    ) -> Result<Self, LoadError> {
        let connect = || -> io::Result<TcpStream> {
            let socket = TcpStream::connect_timeout(&address, patience)?;
            socket.set_nodelay(true)?;
            socket.set_read_timeout(Some(patience))?;
            socket.set_write_timeout(Some(patience))?;
            Ok(socket)
        };
        let socket = connect().map_err(LoadError::system("connect to the server"))?;
        Ok(Self { socket, protocol, data, received: Vec::new() })
    }

    /// Whether somebody answers a greeting as a server of this protocol does.
    ///
    /// # Errors
    /// [`LoadError::Protocol`] if somebody else answers.
    pub fn greet(&mut self) -> Result<(), LoadError> {
        let (greeting, begins) = self.protocol.greeting();
        self.say(greeting)?;
        while self.received.len() < begins.len() {
            self.hear()?;
        }
        if !self.received.starts_with(begins) {
            return Err(self.not_spoken());
        }
        while !self.received.ends_with(b"\r\n") {
            self.hear()?;
        }
        self.received.clear();
        Ok(())
    }

    /// Asks one thing about one key, and says how long the right answer took.
    ///
    /// # Errors
    /// [`LoadError::Wrong`] with the answer, if it is another one.
    pub fn ask(&mut self, request: Request, key: u32) -> Result<Duration, LoadError> {
        let mut said = Vec::new();
        self.protocol.ask(self.data, request, key, &mut said);
        let begin = Instant::now();
        self.say(&said)?;
        self.expect(request, key)?;
        Ok(begin.elapsed())
    }

    /// Stores all keys. `stop`: whether somebody wants an end.
    ///
    /// # Errors
    /// [`LoadError::Wrong`] if one is not stored.
    pub fn fill(&mut self, stop: &dyn Fn() -> bool) -> Result<(), LoadError> {
        let mut said = Vec::new();
        for first in (0..self.data.keys).step_by(BATCH as usize) {
            if stop() {
                return Err(LoadError::Stopped);
            }
            let batch = first..(first + BATCH).min(self.data.keys);
            said.clear();
            batch.clone().for_each(|key| self.protocol.ask(self.data, Request::Set, key, &mut said));
            self.say(&said)?;
            batch.into_iter().try_for_each(|key| self.expect(Request::Set, key))?;
        }
        Ok(())
    }

    /// The next answer must be the right one.
    fn expect(&mut self, request: Request, key: u32) -> Result<(), LoadError> {
        let mut right = Vec::new();
        self.protocol.right(self.data, request, key, &mut right);
        loop {
            match self.protocol.read(&self.received, &right) {
                Answer::Incomplete => self.hear()?,
                Answer::Right(length) => {
                    self.received.drain(..length);
                    return Ok(());
                }
                Answer::Wrong(_) => {
                    return Err(LoadError::Wrong(format!(
                        "to {request} of key {key}: {}",
                        shown(&self.received)
                    )));
                }
                Answer::Malformed => return Err(self.not_spoken()),
            }
        }
    }

    fn not_spoken(&self) -> LoadError {
        LoadError::Protocol { protocol: self.protocol.name(), what: shown(&self.received) }
    }

    fn say(&mut self, bytes: &[u8]) -> Result<(), LoadError> {
        self.socket.write_all(bytes).map_err(LoadError::system("ask the server"))
    }

    fn hear(&mut self) -> Result<(), LoadError> {
        let mut buffer = [0; 16 << 10];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => return Err(LoadError::Closed { waiting: 1 }),
                Ok(read) => {
                    self.received.extend(&buffer[..read]);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(LoadError::system("hear the server's answer")(error)),
            }
        }
    }
}
