//! Capabilities in messages: what the sender names and how it gives it.

use crate::{Handle, Reader, Rights, Writer};

/// Whether the sender keeps what it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum TransferMode {
    /// The receiver gets a child of the sender's capability: the sender may revoke it.
    Copy = 0,
    /// The receiver gets the sender's place in the derivation tree; the sender has it no more.
    Move = 1,
}

/// One capability of a message, 8 bytes in memory, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The sender's handle.
    pub handle: Handle,
    /// The rights that the receiver gets at most (a move keeps them all and ignores this).
    pub rights: Rights,
    /// Copy or move.
    pub mode: TransferMode,
}

impl Transfer {
    /// Bytes of a transfer in memory.
    pub const SIZE: usize = 8;

    /// A copy with all the rights of the original.
    #[must_use]
    pub const fn copy(handle: Handle) -> Self {
        Self { handle, rights: Rights::ALL, mode: TransferMode::Copy }
    }

    /// Its form in memory.
    #[must_use]
    pub fn emit(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let mut writer = Writer::new(&mut bytes);
        let _ = writer.u32(self.handle.0);
        let _ = writer.u16(self.rights.0);
        let _ = writer.u16(self.mode as u16);
        bytes
    }

    /// From its form in memory; `None` if it is not one.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        Some(Self {
            handle: Handle(reader.u32()?),
            rights: Rights(reader.u16()?),
            mode: match reader.u16()? {
                0 => TransferMode::Copy,
                1 => TransferMode::Move,
                _ => return None,
            },
        })
    }
}
