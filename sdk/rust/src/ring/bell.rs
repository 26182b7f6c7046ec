//! The notification that wakes one side of a ring, and the fence that cells have.

use core::cell::Cell;

use hallows_abi::ring::Fence;
use hallows_abi::{Error, Rights, Transfer};

use crate::{Budget, Notification, Object, space};

/// The notification that wakes this side of a ring.
#[derive(Debug)]
pub struct Bell {
    notification: Notification,
    /// Bits that came to light when somebody looked for another reason.
    bits: Cell<u64>,
    /// The peer's ring was among them.
    took_ring: Cell<bool>,
}

impl Bell {
    /// A notification out of this cell's own budget; [`crate::wait`] and [`crate::Server::notification`] bring its bits with this badge.
    ///
    /// # Errors
    ///
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`]; [`Error::NotInHandler`] in a passive server.
    pub fn bound(badge: u64) -> Result<Self, Error> {
        let bell = Self::unbound()?;
        bell.notification.bind(badge)?;
        Ok(bell)
    }

    /// The same, not bound yet: for async programs, whose `Events::listen` binds it.
    ///
    /// # Errors
    ///
    /// Those of [`Self::bound`].
    pub fn unbound() -> Result<Self, Error> {
        Ok(Self {
            notification: Budget::OWN.create_notification()?,
            bits: Cell::new(0),
            took_ring: Cell::new(false),
        })
    }

    /// The notification.
    pub const fn notification(&self) -> Notification {
        self.notification
    }

    /// For the peer: it may ring and nothing else.
    pub(super) fn to_give(&self) -> Transfer {
        self.notification.share_with(Rights::SEND)
    }

    /// Bits that came with an event.
    pub(super) fn heard(&self, bits: u64) {
        self.bits.set(self.bits.get() | bits);
    }

    /// Whether a fence has taken a ring of the peer's out of the notification since this was last asked: no event will tell of it.
    pub(super) fn has_taken_ring(&self) -> bool {
        self.took_ring.take()
    }

    /// Whether the peer has said that it closed the ring.
    pub(super) fn says_closed(&self) -> bool {
        self.bits.get() & super::CLOSED != 0
    }

    /// The other side cannot ring any more.
    pub(super) fn end(&self) {
        // If it is gone, that is what is wanted. A capability of nothing has its slot still.
        let _ = self.notification.destroy();
        let _ = space::delete(self.notification);
    }
}

/// In a cell the fence is a call of the kernel: the operation `poll` of a notification is one (`docs/objects/notification.md`). What it
/// takes out of the notification is kept.
impl Fence for Bell {
    #[inline]
    fn full(&self) -> bool {
        #[cfg(target_arch = "wasm32")]
        {
            // It fails only when the cell is being ended.
            let bits = self.notification.poll().unwrap_or(0);
            self.heard(bits);
            if bits != 0 {
                self.took_ring.set(true);
            }
            bits != 0
        }
        #[cfg(not(target_arch = "wasm32"))]
        hallows_abi::ring::ProcessorFence.full()
    }
}
