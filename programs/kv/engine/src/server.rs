//! What a store's server knows beside its keys: who is connected, what is under way.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use crate::Bytes;
use crate::output::Output;
use crate::pace::Work;
use crate::session::Info;
use crate::value::Value;

/// Work under way.
pub struct Job {
    /// Whose it is.
    pub client: u64,
    /// The database that it is for.
    pub database: usize,
    /// What is left to do.
    pub task: Task,
    /// What it looks at: freed piece by piece when it was the last to have it.
    pub inputs: Vec<Value>,
    /// The command's words, if it changes anything.
    pub words: Option<Vec<Bytes>>,
}

/// What is left to do.
pub enum Task {
    /// On what it owns.
    Own(Work),
    /// Through all keys.
    Keys {
        /// Which ones.
        pattern: Vec<u8>,
        /// The next page of slots.
        page: usize,
        /// Those that were found.
        found: Output,
        /// How many.
        count: usize,
    },
}

/// What came of a client's work.
#[derive(Debug)]
pub struct Finished {
    /// What it is answered.
    pub output: Output,
    /// Where the log ends with it.
    pub position: u64,
}

/// The server.
#[derive(Default)]
pub struct Server {
    /// Who is connected.
    pub clients: BTreeMap<u64, Info>,
    /// The last number that was given to a client.
    pub last_client: u64,
    /// Work under way: each has a piece done in turn.
    pub jobs: VecDeque<Job>,
    /// Work that is done, by client.
    pub finished: BTreeMap<u64, Finished>,
    /// Clients that wait for keys which work has.
    pub waiting: Vec<u64>,
    /// Clients that can go on.
    pub wake: Vec<u64>,
    /// Clients that are to be closed.
    pub killed: Vec<u64>,
    /// The server is asked to end.
    pub is_ending: bool,
    /// Milliseconds since 1970 when it began.
    pub since: u64,
    /// Of `CLIENT REPLY` and the like there is nothing; the number of this run, for `INFO`.
    pub run: u64,
}
