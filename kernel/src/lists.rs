//! Short lists without allocation: the capabilities of one message.

use hallows_abi::{Handle, MAX_TRANSFERS, Rights, Transfer, TransferMode};

const CAPACITY: usize = MAX_TRANSFERS as usize;

/// The capabilities that go with a message, named in the sender's space.
#[derive(Clone, Debug)]
pub struct TransferList {
    items: [Transfer; CAPACITY],
    length: usize,
}

impl TransferList {
    /// None.
    pub const EMPTY: Self = Self {
        items: [Transfer { handle: Handle::NULL, rights: Rights::NONE, mode: TransferMode::Copy }; CAPACITY],
        length: 0,
    };

    /// Adds one; gives it back when the list is full.
    pub fn push(&mut self, transfer: Transfer) -> Result<(), Transfer> {
        let Some(place) = self.items.get_mut(self.length) else { return Err(transfer) };
        *place = transfer;
        self.length += 1;
        Ok(())
    }

    /// Those in it.
    #[must_use]
    pub fn as_slice(&self) -> &[Transfer] {
        self.items.get(..self.length).unwrap_or_default()
    }
}

/// The capabilities that came with a message, named in the receiver's space: no more than the receiver has said that it takes.
#[derive(Clone, Debug)]
pub struct HandleList {
    items: [Handle; CAPACITY],
    length: u8,
    room: u8,
}

impl HandleList {
    /// None.
    pub const EMPTY: Self = Self::with_room(CAPACITY);

    /// None, of a receiver that takes so many: what brings more is refused. More than a message can have counts as that.
    #[must_use]
    pub const fn with_room(room: usize) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "at most 8")]
        let room = if room < CAPACITY { room } else { CAPACITY } as u8;
        Self { items: [Handle::NULL; CAPACITY], length: 0, room }
    }

    /// How many more it takes.
    #[must_use]
    pub const fn room(&self) -> usize {
        (self.room - self.length) as usize
    }

    /// Adds one; gives it back when the list is full.
    pub fn push(&mut self, handle: Handle) -> Result<(), Handle> {
        if self.room() == 0 {
            return Err(handle);
        }
        let Some(place) = self.items.get_mut(usize::from(self.length)) else { return Err(handle) };
        *place = handle;
        self.length += 1;
        Ok(())
    }

    /// Those in it.
    #[must_use]
    pub fn as_slice(&self) -> &[Handle] {
        self.items.get(..usize::from(self.length)).unwrap_or_default()
    }
}
