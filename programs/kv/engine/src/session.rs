//! A client's connection, as the engine sees it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::Bytes;
use crate::command::Command;
use crate::output::Output;
use crate::request::Reader;

/// Who asks.
#[derive(Debug, Default)]
pub struct Client {
    /// Its number.
    pub id: u64,
    /// The database that it has chosen.
    pub database: usize,
    /// Commands that it has queued, within `MULTI`.
    pub queue: Option<Queue>,
    /// Keys that it watches: database, key, version.
    pub watched: Vec<(usize, Bytes, u64)>,
    /// Its connection ends when it has been answered.
    pub is_leaving: bool,
}

/// Commands that wait for `EXEC`.
#[derive(Debug, Default)]
pub struct Queue {
    /// The commands with their words.
    pub commands: Vec<(&'static Command, Vec<Bytes>)>,
    /// One of them was none: none is done.
    pub is_spoilt: bool,
}

/// A connection: bytes that came, how far they were read, bytes to be sent.
#[derive(Debug, Default)]
pub struct Session {
    pub(crate) client: Client,
    pub(crate) input: Vec<u8>,
    /// Bytes of `input` that were done.
    pub(crate) done: usize,
    pub(crate) reader: Reader,
    pub(crate) output: Output,
    /// Whether work of its is under way.
    pub(crate) waits: bool,
    /// Where the log ends when its last change is in it.
    pub(crate) position: u64,
    /// How many bytes more are known to come.
    pub(crate) expects: usize,
}

/// What a client is called and where it is.
#[derive(Clone, Debug, Default)]
pub struct Info {
    /// Its address.
    pub peer: String,
    /// What it calls itself.
    pub name: String,
    /// Its library, and that one's version.
    pub library: [String; 2],
    /// Its database.
    pub database: usize,
    /// 2 or 3.
    pub protocol: u8,
    /// Since when it is here, in milliseconds since 1970.
    pub since: u64,
}

impl Session {
    /// Its number.
    pub const fn id(&self) -> u64 {
        self.client.id
    }

    /// Bytes that came.
    pub fn receive(&mut self, bytes: &[u8]) {
        // What was done makes room first: most of the time that is all of it.
        if self.done == self.input.len() {
            self.input.clear();
            self.done = 0;
        } else if self.done >= self.input.len() / 2 {
            self.input.drain(..self.done);
            self.done = 0;
        }
        // A string whose length is known gets room for it, as far as it does not only say so.
        let known = self.expects.min(self.input.len().max(64 << 10));
        if self.input.capacity() - self.input.len() < known {
            self.input.reserve_exact(known.max(bytes.len()));
        }
        self.input.extend_from_slice(bytes);
    }

    /// What is to be sent. Whoever sends it takes it.
    pub const fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    /// Where the log ends when all that this client is told of is in it.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Gives back room that a large request needed.
    pub(crate) fn trim(&mut self) {
        const KEPT: usize = 64 << 10;
        if self.input.capacity() > KEPT && self.done == self.input.len() {
            self.input = Vec::new();
            self.done = 0;
        }
    }
}
