//! One command under way: its words, who asks, what it may change, what it answers.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;

use crate::Bytes;
use crate::command::Command;
use crate::number::{double, integer};
use crate::output::Output;
use crate::pace::{Outcome, Pace, SHORT, Work, ready};
use crate::refusal::Refusal;
use crate::server::Server;
use crate::session::Client;
use crate::store::{Change, Store};
use crate::value::Value;

/// What is written down of a command that changed something.
#[derive(Debug, Default)]
pub enum Logged {
    /// Its words.
    #[default]
    Words,
    /// Other words, which do the same whenever and wherever they are read.
    Instead(Vec<Vec<u8>>),
}

/// Long work that a command begins.
pub enum Long {
    /// On values that it owns.
    Own(Work, Vec<Value>),
    /// Through all keys of a database that match.
    Keys(Vec<u8>),
}

/// A command under way.
pub struct Call<'a> {
    /// The databases.
    pub store: &'a mut Store,
    /// Clients, work, counts.
    pub server: &'a mut Server,
    /// Who asks.
    pub client: &'a mut Client,
    /// What is answered.
    pub out: &'a mut Output,
    /// The command and its arguments: as many as its arity says.
    pub words: &'a [&'a [u8]],
    /// What it is.
    pub command: &'static Command,
    /// Whether it has to be done in one piece: in a transaction, or when a log is read.
    pub in_one_piece: bool,
    /// How much it changed.
    pub changes: usize,
    /// How that is written down.
    pub logged: Logged,
    /// What is yet to be done.
    pub long: Option<Long>,
}

/// Whether a word is this one, whatever the case of its letters.
pub const fn is(word: &[u8], name: &str) -> bool {
    word.eq_ignore_ascii_case(name.as_bytes())
}

/// A whole number.
pub fn int(word: &[u8]) -> Result<i64, Refusal> {
    integer(word).ok_or(Refusal::NO_INTEGER)
}

/// A number.
pub fn float(word: &[u8]) -> Result<f64, Refusal> {
    double(word).ok_or(Refusal::NO_FLOAT)
}

/// A count, which is not negative.
pub fn count(word: &[u8]) -> Result<usize, Refusal> {
    let refusal = Refusal::of("ERR value is out of range, must be positive");
    integer(word).and_then(|number| usize::try_from(number).ok()).ok_or(refusal)
}

/// The places of a range whose ends may count from the end (-1 is the last one); empty if there are none.
pub fn span(start: i64, end: i64, len: usize) -> core::ops::Range<usize> {
    let size = i64::try_from(len).unwrap_or(i64::MAX);
    let from_end = |place: i64| if place < 0 { place.saturating_add(size) } else { place };
    let (start, end) = (from_end(start).max(0), from_end(end).min(size - 1));
    if start > end {
        return 0..0;
    }
    usize::try_from(start).unwrap_or(0)..usize::try_from(end).unwrap_or(0) + 1
}

impl<'a> Call<'a> {
    /// The database that the client has chosen.
    pub const fn database(&self) -> usize {
        self.client.database
    }

    /// An argument that may not be there.
    pub fn word(&self, place: usize) -> Option<&'a [u8]> {
        self.words.get(place).copied()
    }

    /// The value of a key, which counts as used.
    pub fn read(&mut self, key: &[u8]) -> Option<&Value> {
        self.store.read(self.client.database, key).map(|entry| &entry.value)
    }

    /// [`Store::change`] in the client's database.
    pub fn change<R>(
        &mut self,
        key: &[u8],
        new: Option<fn(crate::Seed) -> Value>,
        change: impl FnOnce(&mut Value) -> Result<R, Refusal>,
    ) -> Result<Option<R>, Refusal> {
        self.store.change(self.client.database, key, new, change)
    }

    /// Gives a key a value that does not expire.
    pub fn set(&mut self, key: &[u8], value: Value) {
        self.store.set(self.client.database, key, value, false);
    }

    /// So much of a key was changed.
    pub fn changed(&mut self, key: &[u8], count: usize) {
        if count > 0 {
            self.store.touch(self.client.database, key);
            self.changes += count;
        }
    }

    /// This is written down instead.
    pub fn log_instead(&mut self, words: &[&[u8]]) {
        if self.store.log.is_on {
            self.logged = Logged::Instead(words.iter().map(|word| word.to_vec()).collect());
        }
    }

    /// What came of work that is done.
    pub fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            self.changes += apply(self.store, self.client.database, change);
        }
    }

    /// Does work of so many steps on these values: now if it is short, else in pieces, between other commands.
    pub fn work<F: Future<Output = Outcome> + Send + 'static>(
        &mut self,
        steps: usize,
        inputs: impl IntoIterator<Item = Value>,
        work: impl FnOnce(Output, Pace) -> F,
    ) {
        let version = self.out.version;
        if steps > SHORT && !self.in_one_piece {
            let inputs = inputs.into_iter().collect();
            let work = work(Output::new(version), Pace::in_pieces());
            self.long = Some(Long::Own(Box::pin(work), inputs));
            return;
        }
        let output = core::mem::replace(self.out, Output::new(version));
        let Outcome { output, changes } = ready(work(output, Pace::at_once()));
        *self.out = output;
        self.apply(changes);
    }
}

/// Gives a key what work has made of it; 1 if that changed anything.
pub fn apply(store: &mut Store, database: usize, change: Change) -> usize {
    let Change { key, value, keeps_expiry } = change;
    let is_change = match value {
        Some(value) => {
            store.set(database, &key, value, keeps_expiry);
            true
        }
        None => store.remove(database, &key),
    };
    if is_change {
        store.touch(database, &key);
    }
    is_change.into()
}

/// The words as bytes that are owned.
pub fn owned(words: &[&[u8]]) -> Vec<Bytes> {
    words.iter().map(|word| Bytes::from(*word)).collect()
}
