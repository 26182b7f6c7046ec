//! Rights: what a capability allows.

/// A set of rights, as bits. A derived capability never has more than the one it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[repr(transparent)]
pub struct Rights(pub u16);

impl Rights {
    /// None.
    pub const NONE: Self = Self(0);
    /// Send messages to an endpoint; signal a notification; set a timer; ask an object about itself.
    pub const SEND: Self = Self(1);
    /// Serve an endpoint; receive a notification.
    pub const RECEIVE: Self = Self(2);
    /// Pass the capability on: in messages, or into another space.
    pub const TRANSFER: Self = Self(4);
    /// Destroy, kill, restart, configure the object.
    pub const MANAGE: Self = Self(8);
    /// Map a region for reading.
    pub const READ: Self = Self(16);
    /// Map a region for writing.
    pub const WRITE: Self = Self(32);
    /// Be told of an endpoint's room and of its server's death and rebirth.
    pub const WATCH: Self = Self(64);
    /// All of them.
    pub const ALL: Self = Self(127);

    /// As the flags of an interface: one byte, in the order of the bits. Bits that mean nothing are dropped.
    #[must_use]
    pub const fn to_flags(self) -> u8 {
        (self.0 & Self::ALL.0).to_le_bytes()[0]
    }

    /// From flags: `None` if one of them means nothing.
    #[must_use]
    pub const fn from_flags(flags: u8) -> Option<Self> {
        if flags as u16 & !Self::ALL.0 == 0 { Some(Self(flags as u16)) } else { None }
    }

    /// Whether every right of `other` is here too.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The rights in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The rights in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl core::ops::BitOr for Rights {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl core::fmt::Display for Rights {
    /// One letter a right, `-` where it is missing: `srtm---`.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (bit, letter) in ['s', 'r', 't', 'm', 'R', 'W', 'w'].into_iter().enumerate() {
            core::fmt::Write::write_char(formatter, if self.0 >> bit & 1 == 1 { letter } else { '-' })?;
        }
        Ok(())
    }
}
