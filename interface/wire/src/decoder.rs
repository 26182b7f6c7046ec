//! Takes values from a message that anybody may have written.

use hallows_abi::{Handle, MAX_TRANSFERS};

/// What is left of a message.
#[derive(Clone, Copy, Debug)]
pub struct Decoder<'m> {
    bytes: &'m [u8],
    handles: Handles,
}

impl<'m> Decoder<'m> {
    /// Starts at a message's front. More than [`MAX_TRANSFERS`] handles are too many for a message: the rest counts as not taken.
    #[inline(always)]
    #[must_use]
    pub fn new(bytes: &'m [u8], handles: &[Handle]) -> Self {
        Self { bytes, handles: Handles::new(handles) }
    }

    /// The next bytes as they are.
    #[inline(always)]
    pub const fn bytes(&mut self, length: usize) -> Option<&'m [u8]> {
        match self.bytes.split_at_checked(length) {
            Some((head, rest)) => {
                self.bytes = rest;
                Some(head)
            }
            None => None,
        }
    }

    /// The next bytes as an array.
    #[inline(always)]
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(*head)
    }

    /// A number of bytes or elements that follow.
    ///
    /// Every element takes at least one byte or one capability, so a number that is larger than what is left is none, and no loop over a
    /// message is longer than the message.
    #[inline(always)]
    pub fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(u32::from_le_bytes(self.array()?)).ok()?;
        (count <= self.bytes.len() + self.handles.left()).then_some(count)
    }

    /// The next capability; it is lent to the receiver until it answers, or the receiver's own. None that was revoked on its way.
    pub(crate) fn handle(&mut self, kind: u8, is_lent: bool) -> Option<Handle> {
        self.handles.take(kind, is_lent)
    }

    /// The end: `None` if something is left over.
    #[inline(always)]
    #[must_use]
    pub const fn end(&self) -> Option<()> {
        if self.bytes.is_empty() && self.handles.left() == 0 { Some(()) } else { None }
    }

    /// The capabilities.
    #[inline(always)]
    #[must_use]
    pub const fn handles(&self) -> &Handles {
        &self.handles
    }
}

/// The capabilities of a message, and which of them were taken.
#[derive(Clone, Copy, Debug)]
pub struct Handles {
    list: [Handle; MAX_TRANSFERS as usize],
    taken: usize,
    count: usize,
    /// A bit for each that was taken as lent.
    lent: u8,
    /// What each was taken as.
    kinds: [u8; MAX_TRANSFERS as usize],
}

// The bits of `lent`.
const _: () = assert!(MAX_TRANSFERS <= u8::BITS);

impl Handles {
    #[inline(always)]
    fn new(handles: &[Handle]) -> Self {
        let mut list = [Handle::NULL; MAX_TRANSFERS as usize];
        for (place, handle) in list.iter_mut().zip(handles) {
            *place = *handle;
        }
        // Not cut to the list's length: what nobody can take makes the message end badly.
        Self { list, taken: 0, count: handles.len(), lent: 0, kinds: [0; MAX_TRANSFERS as usize] }
    }

    #[inline(always)]
    const fn left(&self) -> usize {
        self.count - self.taken
    }

    fn take(&mut self, kind: u8, is_lent: bool) -> Option<Handle> {
        let handle = *self.list.get(self.taken)?;
        if self.taken == self.count || handle == Handle::NULL {
            return None;
        }
        self.lent |= u8::from(is_lent) << self.taken;
        *self.kinds.get_mut(self.taken)? = kind;
        self.taken += 1;
        Some(handle)
    }

    /// The handles that were taken as resources of the interface itself, each with its [`Resource::KIND`].
    ///
    /// [`Resource::KIND`]: crate::Resource::KIND
    pub fn own_kinds(&self) -> impl Iterator<Item = (Handle, u8)> {
        let taken = self.list.iter().copied().zip(self.kinds).take(self.taken);
        taken.filter(|(_, kind)| *kind != 0)
    }

    /// Those that were taken as lent, a bit for each: whoever received them deletes them when it has answered.
    #[inline(always)]
    #[must_use]
    pub const fn lent(&self) -> u8 {
        self.lent
    }
}
