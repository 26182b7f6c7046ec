//! What the file-drop keeps: plain data, without a call.

use hallows::Handle;
use hallows_protocols::file_drop::{Name, Status};

/// How many capabilities it keeps: small, as this is a demonstration of a full store too.
const CAPACITY: usize = 32;
/// How many may wait for a name that is not there yet.
const WAITING: usize = 32;

/// One capability that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: Name,
    /// The badge of who put it.
    pub owner: u64,
    /// The capability, in the store's own space.
    pub handle: Handle,
}

/// What is kept, and who waits for what.
pub struct Store {
    entries: [Option<Entry>; CAPACITY],
    waiting: [Option<(Name, u64)>; WAITING],
}

impl Store {
    /// Nothing and nobody.
    pub const fn new() -> Self {
        Self { entries: [None; CAPACITY], waiting: [None; WAITING] }
    }

    /// What is kept under a name.
    pub fn find(&self, name: &Name) -> Option<Entry> {
        self.entries.iter().flatten().find(|entry| entry.name == *name).copied()
    }

    /// Keeps something.
    pub fn insert(&mut self, entry: Entry) -> Status {
        if self.find(&entry.name).is_some() {
            return Status::NameTaken;
        }
        match self.entries.iter_mut().find(|place| place.is_none()) {
            Some(place) => {
                *place = Some(entry);
                Status::Done
            }
            None => Status::Full,
        }
    }

    /// Forgets what its owner put under a name, and gives it back.
    pub fn remove(&mut self, name: &Name, owner: u64) -> Option<Entry> {
        let owned = |place: &&mut Option<Entry>| {
            place.is_some_and(|entry| entry.name == *name && entry.owner == owner)
        };
        self.entries.iter_mut().find(owned)?.take()
    }

    /// Notes who waits for a name: the token of its message. False if there is no room.
    pub fn wait(&mut self, name: Name, token: u64) -> bool {
        let place = self.waiting.iter_mut().find(|place| place.is_none());
        place.map(|place| *place = Some((name, token))).is_some()
    }

    /// Takes one out who waits for a name.
    pub fn take_waiting(&mut self, name: &Name) -> Option<u64> {
        let waits = |place: &&mut Option<(Name, u64)>| place.is_some_and(|(wanted, _)| wanted == *name);
        self.waiting.iter_mut().find(waits)?.take().map(|(_, token)| token)
    }
}

#[cfg(test)]
mod tests {
    use hallows::Handle;
    use hallows_protocols::file_drop::{Status, name};

    use super::{CAPACITY, Entry, Store, WAITING};

    fn entry(text: &str, owner: u64) -> Entry {
        Entry { name: name(text), owner, handle: Handle(7) }
    }

    #[test]
    fn a_name_stands_for_one_thing_until_its_owner_removes_it() {
        let mut store = Store::new();
        assert_eq!(store.insert(entry("a", 1)), Status::Done);
        assert_eq!(store.insert(entry("a", 2)), Status::NameTaken);
        assert_eq!(store.remove(&name("a"), 2), None);
        assert_eq!(store.find(&name("a")), Some(entry("a", 1)));
        assert_eq!(store.remove(&name("a"), 1), Some(entry("a", 1)));
        assert_eq!(store.insert(entry("a", 2)), Status::Done);
    }

    #[test]
    fn a_full_store_takes_nothing_more() {
        let mut store = Store::new();
        for number in 0..CAPACITY {
            assert_eq!(store.insert(entry(&std::format!("{number}"), 1)), Status::Done);
        }
        assert_eq!(store.insert(entry("one more", 1)), Status::Full);
    }

    #[test]
    fn everybody_who_waits_for_a_name_is_taken_out_once() {
        let mut store = Store::new();
        for token in 0..WAITING as u64 {
            assert!(store.wait(name(if token % 2 == 0 { "even" } else { "odd" }), token));
        }
        assert!(!store.wait(name("even"), 99));
        let mut even = std::vec::Vec::new();
        while let Some(token) = store.take_waiting(&name("even")) {
            even.push(token);
        }
        assert!(even.iter().copied().eq((0..WAITING as u64).step_by(2)));
        assert!(store.wait(name("even"), 99));
    }
}
