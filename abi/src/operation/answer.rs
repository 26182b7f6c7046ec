//! What kernel objects answer: a status, as every server of interfaces has it, and the result.
//!
//! The status is always the first byte of an answer, and it is 0: what goes wrong is the call's own error.

use super::form::{Emitted, take_handle, take_kind, take_rights};
use super::{
    ObjectKind, OnBudget, OnCell, OnEndpoint, OnNotification, OnObject, OnRegion, OnSpace, Operation,
};
use crate::{Handle, Reader, Rights};

/// What the kernel says of a capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What it names.
    pub kind: ObjectKind,
    /// What it allows.
    pub rights: Rights,
    /// Its badge, 0 for none.
    pub badge: u64,
}

/// How much of a budget there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Bytes in all.
    pub total_bytes: u64,
    /// Bytes in use.
    pub used_bytes: u64,
}

/// Where a cell is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CellState {
    /// Made, not started.
    Created = 1,
    /// A passive server whose program makes itself ready.
    Starting = 2,
    /// It runs, or waits for events.
    Running = 3,
    /// It was killed or has faulted, and unwinds.
    Dying = 4,
    /// It is over, and may be started again.
    Dead = 5,
}

impl CellState {
    /// Every state, in the order of their numbers and of the interface's cases.
    pub const ALL: [Self; 5] = [Self::Created, Self::Starting, Self::Running, Self::Dying, Self::Dead];
}

/// What the kernel says of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Where it is in its life.
    pub state: CellState,
    /// Which life it is in, from 1.
    pub generation: u32,
    /// Bytes of linear memory in use.
    pub memory_bytes: u64,
}

/// The result of an operation, other than a list of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// None, or only the capability that comes with the answer.
    Done,
    /// The name of a capability.
    Handle(Handle),
    /// Which life a cell is in.
    Life(u32),
    /// A number.
    Number(u64),
    /// What a capability is.
    Identity(Identity),
    /// Two random numbers.
    Random([u64; 2]),
    /// How much of a budget there is.
    Account(Account),
    /// What there is to know about a cell.
    Inspection(Inspection),
}

/// What the answer to an operation looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerForm {
    /// [`Reply::Done`].
    Done,
    /// [`Reply::Done`], and a capability comes with it.
    Capability,
    /// [`Reply::Handle`].
    Handle,
    /// [`Reply::Life`].
    Life,
    /// [`Reply::Number`].
    Number,
    /// [`Reply::Identity`].
    Identity,
    /// [`Reply::Random`].
    Random,
    /// [`Reply::Account`].
    Account,
    /// [`Reply::Inspection`].
    Inspection,
    /// A list of bytes, which is no [`Reply`].
    Bytes,
}

impl AnswerForm {
    /// Bytes of an answer, with its status; the fewest, if it is a list.
    #[must_use]
    #[inline]
    pub const fn bytes(self) -> usize {
        Reply::STATUS_BYTES
            + match self {
                Self::Done | Self::Capability => 0,
                Self::Handle | Self::Life | Self::Bytes => 4,
                Self::Number => 8,
                Self::Identity => 10,
                Self::Random | Self::Account => 16,
                Self::Inspection => 13,
            }
    }

    /// How many capabilities come with it.
    #[must_use]
    #[inline]
    pub const fn capabilities(self) -> usize {
        matches!(self, Self::Capability) as usize
    }
}

impl Operation {
    /// What its answer looks like.
    #[must_use]
    #[inline(always)]
    pub const fn answer(&self) -> AnswerForm {
        match self {
            Self::Object(OnObject::Identify) | Self::Space(OnSpace::Identify { .. }) => AnswerForm::Identity,
            Self::Space(OnSpace::Copy { .. } | OnSpace::Mint { .. } | OnSpace::Move { .. })
            | Self::Cell(OnCell::Grant { .. }) => AnswerForm::Handle,
            Self::Space(OnSpace::Revoke { .. } | OnSpace::Now)
            | Self::Endpoint(OnEndpoint::Reassign { .. } | OnEndpoint::Recognise { .. })
            | Self::Notification(OnNotification::Poll)
            | Self::Region(OnRegion::Size) => AnswerForm::Number,
            Self::Space(OnSpace::StartInfo) => AnswerForm::Bytes,
            Self::Space(OnSpace::Random) => AnswerForm::Random,
            Self::Budget(OnBudget::Query) => AnswerForm::Account,
            Self::Budget(_) => AnswerForm::Capability,
            Self::Cell(OnCell::Start { .. } | OnCell::Restart) => AnswerForm::Life,
            Self::Cell(OnCell::Inspect) => AnswerForm::Inspection,
            _ => AnswerForm::Done,
        }
    }
}

impl Reply {
    /// Bytes before a result.
    pub const STATUS_BYTES: usize = 1;
    /// What an answer begins with: done, the result follows.
    pub const DONE: u8 = 0;
    /// Bytes of the longest answer that is none of a list of bytes.
    pub const MOST_BYTES: usize = 17;

    /// As an answer stands in a message.
    #[must_use]
    #[inline]
    pub fn emit(&self) -> Emitted<{ Self::MOST_BYTES }> {
        Emitted::of(|writer| {
            writer.u8(Self::DONE)?;
            match *self {
                Self::Done => Some(()),
                Self::Handle(handle) => writer.u32(handle.0),
                Self::Life(life) => writer.u32(life),
                Self::Number(number) => writer.u64(number),
                Self::Identity(Identity { kind, rights, badge }) => {
                    writer.u8(kind as u8 - ObjectKind::Endpoint as u8)?;
                    writer.u8(rights.to_flags())?;
                    writer.u64(badge)
                }
                Self::Random([low, high]) => writer.u64(low).and_then(|()| writer.u64(high)),
                Self::Account(Account { total_bytes, used_bytes }) => {
                    writer.u64(total_bytes)?;
                    writer.u64(used_bytes)
                }
                Self::Inspection(Inspection { state, generation, memory_bytes }) => {
                    writer.u8(state as u8 - CellState::Created as u8)?;
                    writer.u32(generation)?;
                    writer.u64(memory_bytes)
                }
            }
        })
    }

    /// From an answer of this form: `None` if it is none, or is one of a list of bytes.
    #[must_use]
    #[inline(always)]
    pub fn parse(form: AnswerForm, bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != Self::DONE {
            return None;
        }
        let reply = match form {
            AnswerForm::Done | AnswerForm::Capability => Self::Done,
            AnswerForm::Handle => Self::Handle(take_handle(&mut reader)?),
            AnswerForm::Life => Self::Life(reader.u32()?),
            AnswerForm::Number => Self::Number(reader.u64()?),
            AnswerForm::Identity => Self::Identity(Identity {
                kind: take_kind(&mut reader)?,
                rights: take_rights(&mut reader)?,
                badge: reader.u64()?,
            }),
            AnswerForm::Random => Self::Random([reader.u64()?, reader.u64()?]),
            AnswerForm::Account => {
                Self::Account(Account { total_bytes: reader.u64()?, used_bytes: reader.u64()? })
            }
            AnswerForm::Inspection => Self::Inspection(Inspection {
                state: *CellState::ALL.get(usize::from(reader.u8()?))?,
                generation: reader.u32()?,
                memory_bytes: reader.u64()?,
            }),
            AnswerForm::Bytes => return None,
        };
        reader.rest().is_empty().then_some(reply)
    }

    /// The list of bytes in an answer that is one.
    #[must_use]
    pub fn parse_bytes(bytes: &[u8]) -> Option<&[u8]> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != Self::DONE {
            return None;
        }
        let length = usize::try_from(reader.u32()?).ok()?;
        (reader.rest().len() == length).then_some(reader.rest())
    }

    /// The capability's name, if that is what it is.
    #[must_use]
    #[inline]
    pub const fn handle(self) -> Option<Handle> {
        if let Self::Handle(handle) = self { Some(handle) } else { None }
    }

    /// The number, if it is one.
    #[must_use]
    #[inline]
    pub const fn number(self) -> Option<u64> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    /// What a capability is, if that is what it says.
    #[must_use]
    #[inline]
    pub const fn identity(self) -> Option<Identity> {
        if let Self::Identity(identity) = self { Some(identity) } else { None }
    }

    /// Which life a cell is in, if that is what it says.
    #[must_use]
    #[inline]
    pub const fn life(self) -> Option<u32> {
        if let Self::Life(life) = self { Some(life) } else { None }
    }
}
