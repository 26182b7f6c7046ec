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
    /// There is something to do; or the peer has rung before, and no wait would end by that: look again.
    Work,
}

/// A side that has said that it sleeps.
#[derive(Debug)]
pub(super) struct LyingDown {
    /// The fence has taken the peer's ring out of the bell. The peer thinks that it has told of this very sleep and rings no more, so this must not be one.
    is_told: bool,
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
        // A bell that this side was rung with is for a sleep that it has got up from.
        let _ = fence.full();
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

    /// Says that this side sleeps. Look once more for work after it, and let [`decide`](Self::decide) say what comes of it.
    #[must_use]
    pub fn lie_down(&mut self, fence: &impl Fence) -> LyingDown {
        self.slept += 1;
        self.own.set(self.slept);
        LyingDown { is_told: fence.full() }
    }

    /// Gets up again if there is something.
    pub fn decide<E>(&mut self, lying: LyingDown, found: Result<bool, E>) -> Result<Rest, E> {
        match found {
            Ok(false) if !lying.is_told => Ok(Rest::Sleep),
            found => {
                self.get_up();
                found.map(|_| Rest::Work)
            }
        }
    }

    /// Says that this side is awake.
    pub fn get_up(&mut self) {
        self.own.set(0);
    }
}
