//! Tables of kernel objects: made once at boot, so that using an object allocates nothing and a stale name is a generation
//! that does not match.

use alloc::boxed::Box;
use alloc::vec::Vec;

use hallows_abi::Error;

use crate::lock::{Lock, Token, level};

/// A fixed number of objects of one kind, and which of them are free.
pub struct Table<T> {
    objects: Box<[T]>,
    /// Stands for every index outside of the table: an object that is never in use, so that a wrong index is no panic.
    null: T,
    free: Lock<{ level::LEAF }, Free>,
}

struct Free {
    /// Indices given back, the last first: its memory is the warmest.
    returned: Vec<u32>,
    /// Indices from here on were never used.
    fresh: u32,
}

impl<T> Table<T> {
    /// `capacity` objects, all free.
    pub fn new(capacity: u32, mut make: impl FnMut(u32) -> T) -> Self {
        Self {
            objects: (0..capacity).map(&mut make).collect(),
            null: make(u32::MAX),
            free: Lock::new(Free { returned: Vec::with_capacity(capacity as usize), fresh: 0 }),
        }
    }

    /// The object at an index.
    #[inline]
    pub fn at(&self, index: u32) -> &T {
        self.objects.get(index as usize).unwrap_or(&self.null)
    }

    /// How many there are, used or not.
    #[expect(clippy::cast_possible_truncation, reason = "made from a u32")]
    pub fn capacity(&self) -> u32 {
        self.objects.len() as u32
    }

    /// Takes a free one.
    pub fn take<const M: u8>(&self, token: &mut Token<'_, M>) -> Result<u32, Error> {
        let (mut free, _) = self.free.lock(token);
        if let Some(index) = free.returned.pop() {
            return Ok(index);
        }
        if free.fresh < self.capacity() {
            free.fresh += 1;
            return Ok(free.fresh - 1);
        }
        Err(Error::TableFull)
    }

    /// Gives one back. The caller has made its old names stale.
    pub fn give_back<const M: u8>(&self, token: &mut Token<'_, M>, index: u32) {
        let (mut free, _) = self.free.lock(token);
        if index < free.fresh {
            free.returned.push(index);
        }
    }

    /// Every object that was ever used, with its index.
    pub fn used<const M: u8>(&self, token: &mut Token<'_, M>) -> impl Iterator<Item = (u32, &T)> {
        let fresh = self.free.lock(token).0.fresh;
        (0..fresh).zip(self.objects.iter())
    }
}
