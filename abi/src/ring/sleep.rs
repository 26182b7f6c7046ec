//! Who sleeps, and who is to be told: the sleep words of a ring's two sides.

use core::sync::atomic::AtomicU64;

use super::word::{Fence, Word};

/// Whether the peer is to be notified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a peer that is not told sleeps on"]
pub enum Doorbell {
    /// It sleeps, and was not told yet: signal its notification.
    Ring,
    /// It is awake, or was told.
    Quiet,
}

/// Whether a side may wait for its notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "who sleeps while there is work is not woken"]
pub enum Rest {
    /// There is nothing to do; the peer signals when there is.
    Sleep,
    /// There is something to do.
    Work,
}

/// A side's sleep word, and its peer's.
///
/// The word is 0 while its side is awake, and another number each time that it sleeps. So a peer knows whether it has told of this sleep
/// already, and signals once for each, however many batches it publishes meanwhile.
#[derive(Debug)]
pub(super) struct Sleeper<'a, W = AtomicU64> {
    own: &'a W,
    peer: &'a W,
    /// How often this side has slept.
    slept: u64,
    /// The peer's sleep that it was told of.
    told: u64,
}

impl<'a, W: Word> Sleeper<'a, W> {
    pub const fn new(own: &'a W, peer: &'a W) -> Self {
        Self { own, peer, slept: 0, told: 0 }
    }

    /// After something was published.
    #[inline]
    pub fn ring(&mut self, fence: &impl Fence) -> Doorbell {
        // Who is seen to sleep is rung for: however old that is, a bell that is rung ends the next wait.
        if self.sees_sleep() {
            return Doorbell::Ring;
        }
        // Publish, fence, look who sleeps; the peer's order is the other way round, in `lie_down`. One of the two sees the other.
        fence.full();
        if self.sees_sleep() { Doorbell::Ring } else { Doorbell::Quiet }
    }

    /// Whether the peer sleeps, and was not told of it; it is then.
    #[inline]
    fn sees_sleep(&mut self) -> bool {
        let sleep = self.peer.get();
        if sleep == 0 || sleep == self.told {
            return false;
        }
        self.told = sleep;
        true
    }

    /// Says that this side sleeps. Look once more for work after it, and [`get_up`](Self::get_up) if there is some.
    pub fn lie_down(&mut self, fence: &impl Fence) {
        self.slept += 1;
        self.own.set(self.slept);
        fence.full();
    }

    /// Says that this side is awake.
    pub fn get_up(&mut self) {
        self.own.set(0);
    }
}
