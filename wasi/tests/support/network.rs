//! A port, and whoever connects to it.

use std::collections::{BTreeMap, VecDeque};

use hallows_wasi::{Errno, Result};

/// The port that a process is given.
pub const PORT_SOCKET: u32 = 1;

/// The other end of a connection.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// What it has said and nobody has received.
    pub said: VecDeque<u8>,
    /// It says no more.
    pub has_ended: bool,
    /// It is gone.
    pub is_gone: bool,
    /// What it has heard.
    pub heard: Vec<u8>,
    /// Bytes that can be sent to it until something happens.
    pub room: usize,
    /// It was told that no more will be sent.
    pub is_finished: bool,
}

/// What happens while the process waits.
#[derive(Clone, Debug)]
pub enum Happening {
    Comes(Peer),
    Says(u32, &'static [u8]),
    Ends(u32),
    HasRoom(u32, usize),
}

/// All of it. Connections are numbered from 2 on.
#[derive(Debug, Default)]
pub struct Network {
    pub waiting: VecDeque<Peer>,
    pub peers: BTreeMap<u32, Peer>,
    /// Peers whose connections the process has given back.
    pub left: Vec<Peer>,
    pub is_listening: bool,
    last: u32,
    /// What happens, by what the clock shows. Behind the last of it somebody comes and everybody says something, whenever it is waited for.
    pub script: VecDeque<(u64, Happening)>,
    pub waits: u32,
}

impl Network {
    /// With a port that is listened on.
    pub fn new() -> Self {
        Self { is_listening: true, last: PORT_SOCKET, ..Self::default() }
    }

    pub fn accept(&mut self, port: u32) -> Result<u32> {
        if port != PORT_SOCKET || !self.is_listening {
            return Err(Errno::Inval);
        }
        let peer = self.waiting.pop_front().ok_or(Errno::Again)?;
        self.last += 1;
        self.peers.insert(self.last, peer);
        Ok(self.last)
    }

    fn peer(&mut self, connection: u32) -> Result<&mut Peer> {
        let peer = self.peers.get_mut(&connection).ok_or(Errno::Inval)?;
        if peer.is_gone { Err(Errno::Connreset) } else { Ok(peer) }
    }

    pub fn receive(&mut self, connection: u32, most: u32) -> Result<Vec<u8>> {
        let peer = self.peer(connection)?;
        match peer.said.len().min(most as usize) {
            0 if !peer.has_ended => Err(Errno::Again),
            count => Ok(peer.said.drain(..count).collect()),
        }
    }

    pub fn send(&mut self, connection: u32, bytes: &[u8]) -> Result<u32> {
        let peer = self.peer(connection)?;
        if peer.is_finished {
            return Err(Errno::Pipe);
        }
        let count = bytes.len().min(peer.room);
        if count == 0 {
            return Err(Errno::Again);
        }
        peer.room -= count;
        peer.heard.extend(&bytes[..count]);
        Ok(count as u32)
    }

    pub fn finish(&mut self, connection: u32) -> Result {
        self.peer(connection)?.is_finished = true;
        Ok(())
    }

    pub fn leave(&mut self, socket: u32) {
        match self.peers.remove(&socket) {
            Some(peer) => self.left.push(peer),
            None => {
                assert!(socket == PORT_SOCKET && self.is_listening, "{socket} was given back before");
                self.is_listening = false;
            }
        }
    }

    /// Waits, and says what the clock shows then.
    pub fn wait(&mut self, now: u64, until: u64) -> u64 {
        self.waits += 1;
        if self.script.is_empty() {
            if until < u64::MAX {
                return until.max(now);
            }
            self.waiting.push_back(Peer::default());
            for peer in self.peers.values_mut().filter(|peer| !peer.has_ended) {
                peer.said.extend(b"more");
                peer.room += 100;
            }
            return now + 1_000;
        }
        let (at, happening) = self.script.pop_front_if(|(at, _)| *at <= until).unzip();
        match happening {
            None => {}
            Some(Happening::Comes(peer)) => self.waiting.push_back(peer),
            Some(Happening::Says(connection, bytes)) => {
                self.peers.get_mut(&connection).unwrap().said.extend(bytes);
            }
            Some(Happening::Ends(connection)) => self.peers.get_mut(&connection).unwrap().has_ended = true,
            Some(Happening::HasRoom(connection, bytes)) => {
                self.peers.get_mut(&connection).unwrap().room += bytes;
            }
        }
        at.unwrap_or(until).max(now)
    }
}
