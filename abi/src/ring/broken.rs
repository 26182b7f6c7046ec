//! What goes wrong with a ring: a peer that does what no peer may, and a queue without room.

/// What the peer did that no peer may do. A ring that is broken stays so: every later use of it gives the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Broken {
    /// The index of a queue's producer went back, or so far ahead that it would have overwritten what was not consumed.
    ProducerIndex,
    /// The index of a queue's consumer went back, or past what was produced.
    ConsumerIndex,
    /// There is a completion, and no submission that was not completed before.
    Unasked,
}

impl Broken {
    /// What happened, in a few words for people.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::ProducerIndex => "its producer's index is out of range",
            Self::ConsumerIndex => "its consumer's index is out of range",
            Self::Unasked => "a completion answers no submission",
        }
    }
}

impl core::fmt::Display for Broken {
    /// What it means, and what to do.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "the ring is broken: {} (forget it, and make another one)", self.message())
    }
}

impl core::error::Error for Broken {}

/// Why an entry was not put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refused {
    /// There is no room: look at what came back, or wait.
    Full,
    /// The service completes more than it took: a mistake of its own.
    NothingTaken,
    /// The peer broke the ring.
    Broken(Broken),
}

impl From<Broken> for Refused {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl core::fmt::Display for Refused {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Full => formatter.write_str("the ring is full (take completions, or wait for them)"),
            Self::NothingTaken => {
                formatter.write_str("nothing was taken that is not completed (complete each submission once)")
            }
            Self::Broken(broken) => broken.fmt(formatter),
        }
    }
}

impl core::error::Error for Refused {}
