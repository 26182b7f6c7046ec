//! Objects, and the capability space of the one cell.

use std::fmt;

use hallows_sdk::abi::ObjectKind;
use hallows_sdk::{Error, Handle, Rights};

use crate::Says;

/// How an endpoint's messages are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Active,
    Passive,
    /// By the cell itself.
    Own,
}

/// A server that the test plays.
pub type Server = Box<dyn FnMut(&[u8]) -> Says>;

/// An object.
pub enum Kind {
    Cell,
    Budget,
    Endpoint { service: Service, server: Option<Server> },
    Notification { bits: u64, bound: Option<u64> },
    Timer { notification: usize, bits: u64, next: Option<u64>, period: u64 },
}

impl Kind {
    pub const fn number(&self) -> ObjectKind {
        match self {
            Self::Cell => ObjectKind::Cell,
            Self::Budget => ObjectKind::Budget,
            Self::Endpoint { .. } => ObjectKind::Endpoint,
            Self::Notification { .. } => ObjectKind::Notification,
            Self::Timer { .. } => ObjectKind::Timer,
        }
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(formatter)
    }
}

/// A capability.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub object: usize,
    pub rights: Rights,
    pub badge: u64,
    pub parent: Option<u32>,
}

/// All objects, and the space. A slot's handle changes with every use of it.
#[derive(Debug)]
pub struct Objects {
    all: Vec<Kind>,
    slots: Vec<(u32, Option<Entry>)>,
    /// The most capabilities that may come with messages, all together.
    room: usize,
}

impl Default for Objects {
    fn default() -> Self {
        let own = |object| Some(Entry { object, rights: Rights::ALL, badge: 0, parent: None });
        Self {
            all: vec![Kind::Cell, Kind::Budget],
            slots: vec![(0, None), (0, own(0)), (0, own(1))],
            room: usize::MAX,
        }
    }
}

impl Objects {
    pub fn add(&mut self, kind: Kind) -> usize {
        self.all.push(kind);
        self.all.len() - 1
    }

    pub fn kind(&mut self, object: usize) -> &mut Kind {
        &mut self.all[object]
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut Kind)> {
        self.all.iter_mut().enumerate()
    }

    pub fn insert(&mut self, entry: Entry) -> Handle {
        let free = (3..self.slots.len()).find(|slot| self.slots[*slot].1.is_none());
        let index = free.unwrap_or_else(|| {
            self.slots.push((0, None));
            self.slots.len() - 1
        });
        self.slots[index].1 = Some(entry);
        Handle::new(index as u32, self.slots[index].0)
    }

    /// So many more capabilities fit into the space.
    pub fn limit(&mut self, slots: usize) {
        self.room = self.capabilities() + slots;
    }

    /// Whether so many more capabilities fit.
    pub fn has_room(&self, more: usize) -> bool {
        self.room.saturating_sub(self.capabilities()) >= more
    }

    /// How many capabilities there are.
    pub fn capabilities(&self) -> usize {
        self.slots.iter().filter(|(_, entry)| entry.is_some()).count()
    }

    pub fn find(&self, handle: Handle) -> Result<Entry, Error> {
        match self.slots.get(handle.index() as usize) {
            Some((generation, Some(entry))) if *generation == handle.generation() => Ok(*entry),
            _ => Err(Error::BadHandle),
        }
    }

    /// A capability of this object that has a right.
    pub fn needs(&self, handle: Handle, right: Rights) -> Result<Entry, Error> {
        let entry = self.find(handle)?;
        if entry.rights.contains(right) { Ok(entry) } else { Err(Error::NoRight) }
    }

    pub fn delete(&mut self, handle: Handle) -> Result<Entry, Error> {
        let entry = self.find(handle)?;
        let index = handle.index();
        for (_, other) in &mut self.slots {
            if let Some(other) = other.as_mut().filter(|other| other.parent == Some(index)) {
                other.parent = entry.parent;
            }
        }
        self.clear(index);
        Ok(entry)
    }

    /// Deletes everything that was derived from this one; how many that were.
    pub fn revoke(&mut self, index: u32) -> u64 {
        let children: Vec<_> = (0..self.slots.len() as u32)
            .filter(|slot| self.slots[*slot as usize].1.is_some_and(|entry| entry.parent == Some(index)))
            .collect();
        let mut count = 0;
        for child in children {
            count += 1 + self.revoke(child);
            self.clear(child);
        }
        count
    }

    fn clear(&mut self, index: u32) {
        let (generation, entry) = &mut self.slots[index as usize];
        *entry = None;
        *generation = (*generation + 1) % (1 << Handle::GENERATION_BITS);
    }
}
