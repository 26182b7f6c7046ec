//! Events: what `wait` returns.

use crate::{Error, Reader, Writer};

/// What kind of event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum EventKind {
    /// A message to an endpoint that this cell serves. Answer it with `token`.
    Message = 1,
    /// The answer (or the error, in `status`) to a message that was sent with `token`.
    Answer = 2,
    /// A notification was signalled: `value` has its bits, collected since it was last delivered.
    Notification = 3,
    /// The deadline of the `wait` came.
    Deadline = 4,
}

/// One event, 48 bytes in memory, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Of an answer: the error instead of one. Of a message or an answer: [`Error::SpaceFull`] if some of its capabilities
    /// found no slot and were dropped.
    pub status: Option<Error>,
    /// Bytes put into the buffer.
    pub length: u32,
    /// Handles put into the list of handles.
    pub handles: u32,
    /// Of a message: the longest answer that the sender has room for, in bytes.
    pub room: u32,
    /// The badge of the capability that the message came through, or of the binding of the notification.
    pub badge: u64,
    /// Of a message: what to answer with. Of an answer: what `send` returned.
    pub token: u64,
    /// Of a notification: its bits.
    pub value: u64,
}

impl Event {
    /// Bytes of an event in memory.
    pub const SIZE: usize = 48;

    /// The deadline event.
    pub const DEADLINE: Self = Self {
        kind: EventKind::Deadline,
        status: None,
        length: 0,
        handles: 0,
        room: 0,
        badge: 0,
        token: 0,
        value: 0,
    };

    /// Its form in memory.
    #[must_use]
    pub fn emit(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let mut writer = Writer::new(&mut bytes);
        let status = self.status.map_or(0, |error| u32::from(error.number()));
        for word in [self.kind as u32, status, self.length, self.handles, self.room, 0] {
            let _ = writer.u32(word);
        }
        for word in [self.badge, self.token, self.value] {
            let _ = writer.u64(word);
        }
        bytes
    }

    /// From its form in memory; `None` if it is not one.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let kind = match reader.u32()? {
            1 => EventKind::Message,
            2 => EventKind::Answer,
            3 => EventKind::Notification,
            4 => EventKind::Deadline,
            _ => return None,
        };
        let status = match reader.u32()? {
            0 => None,
            number => Some(Error::from_number(u8::try_from(number).ok()?)?),
        };
        let (length, handles, room, _) = (reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?);
        Some(Self {
            kind,
            status,
            length,
            handles,
            room,
            badge: reader.u64()?,
            token: reader.u64()?,
            value: reader.u64()?,
        })
    }
}
