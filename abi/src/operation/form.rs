//! How operations stand in messages: a function's tag and its parameters, each in its one encoding. A pure pair, total and bounded.
//!
//! What puts one together is inlined always: whoever asks knows what it asks, and then all that is left are its bytes.

use super::function::Function;
use super::{
    Access, NewCell, ObjectKind, OnBudget, OnCell, OnEndpoint, OnNotification, OnObject, OnRegion, OnSpace,
    OnTimer, Operation, Running, Serving,
};
use crate::{Error, Handle, Reader, Rights, TimeBudget, Writer};

/// Bytes that were put together: at most `MOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emitted<const MOST: usize> {
    bytes: [u8; MOST],
    length: usize,
}

impl<const MOST: usize> Emitted<MOST> {
    /// What is put. `MOST` is enough for it.
    #[inline(always)]
    pub(super) fn of(put: impl FnOnce(&mut Writer<'_>) -> Option<()>) -> Self {
        let mut bytes = [0; MOST];
        let mut writer = Writer::new(&mut bytes);
        let _ = put(&mut writer);
        let length = writer.written();
        Self { bytes, length }
    }
}

impl<const MOST: usize> core::ops::Deref for Emitted<MOST> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }
}

impl Operation {
    /// Bytes of a function's tag, which every message begins with.
    pub const TAG_BYTES: usize = 4;
    /// Bytes before the text of an operation that has one.
    pub const TEXT_START: usize = Self::TAG_BYTES + 4;
    /// Bytes of the longest operation, without a text behind it.
    pub const MOST_BYTES: usize = 37;

    /// As it stands in a message; its text, if it has one, comes behind.
    #[must_use]
    #[inline(always)]
    pub fn emit(&self) -> Emitted<{ Self::MOST_BYTES }> {
        Emitted::of(|writer| {
            writer.u32(self.function().tag())?;
            match *self {
                Self::Object(OnObject::Null | OnObject::Identify | OnObject::Destroy) => Some(()),
                Self::Space(operation) => put_space(writer, operation),
                Self::Endpoint(operation) => match operation {
                    OnEndpoint::Watch { endpoint }
                    | OnEndpoint::Destroy { endpoint }
                    | OnEndpoint::Recognise { endpoint } => writer.u32(endpoint.0),
                    OnEndpoint::Reassign { endpoint, to_another } => {
                        writer.u32(endpoint.0)?;
                        writer.u8(to_another.into())
                    }
                },
                Self::Budget(operation) => put_budget(writer, operation),
                Self::Notification(operation) => match operation {
                    OnNotification::Signal { bits } => writer.u64(bits),
                    OnNotification::Bind { badge } => writer.u64(badge),
                    OnNotification::Poll => Some(()),
                },
                Self::Timer(OnTimer::Arm { at_ns, every_ns, slack_ns }) => {
                    writer.u64(at_ns)?;
                    writer.u64(every_ns)?;
                    writer.u64(slack_ns)
                }
                Self::Timer(OnTimer::Disarm) => Some(()),
                Self::Region(operation) => match operation {
                    OnRegion::Map { address, access } => {
                        writer.u64(address)?;
                        writer.u8(match access {
                            Access::Read => 0,
                            Access::ReadWrite => 1,
                        })
                    }
                    OnRegion::Unmap { address } => writer.u64(address),
                    OnRegion::Size => Some(()),
                },
                Self::Cell(operation) => match operation {
                    OnCell::Grant { rights, badge } => {
                        writer.u8(rights.to_flags())?;
                        writer.u64(badge)
                    }
                    OnCell::Start { length } => writer.u32(length),
                    OnCell::Kill | OnCell::Restart | OnCell::Inspect => Some(()),
                },
            }
        })
    }

    /// From the front of a message of `length` bytes: all of it, or its first [`Self::MOST_BYTES`].
    ///
    /// # Errors
    ///
    /// [`Error::UnknownOperation`] for a tag of no function; [`Error::BadArgument`] if it is too short for a tag, or what follows is not the one
    /// encoding of the function's parameters, to the last byte.
    #[inline]
    pub fn parse(front: &[u8], length: usize) -> Result<Self, Error> {
        let mut reader = Reader::new(front);
        let tag = reader.u32().ok_or(Error::BadArgument)?;
        let function = Function::from_tag(tag).ok_or(Error::UnknownOperation)?;
        let operation = take(function, &mut reader).ok_or(Error::BadArgument)?;
        let taken = front.len() - reader.rest().len();
        if taken.checked_add(operation.text_bytes()) == Some(length) {
            Ok(operation)
        } else {
            Err(Error::BadArgument)
        }
    }

    /// The function that it calls.
    #[must_use]
    #[inline(always)]
    pub const fn function(&self) -> Function {
        match self {
            Self::Object(operation) => match operation {
                OnObject::Null => Function::ObjectNull,
                OnObject::Identify => Function::ObjectIdentify,
                OnObject::Destroy => Function::ObjectDestroy,
            },
            Self::Space(operation) => match operation {
                OnSpace::Copy { .. } => Function::SpaceCopy,
                OnSpace::Mint { .. } => Function::SpaceMint,
                OnSpace::Move { .. } => Function::SpaceMove,
                OnSpace::Delete { .. } => Function::SpaceDelete,
                OnSpace::Revoke { .. } => Function::SpaceRevoke,
                OnSpace::Identify { .. } => Function::SpaceIdentify,
                OnSpace::StartInfo => Function::SpaceStartInfo,
                OnSpace::Exit { .. } => Function::SpaceExit,
                OnSpace::Yield => Function::SpaceYield,
                OnSpace::Expect { .. } => Function::SpaceExpect,
                OnSpace::Now => Function::SpaceNow,
                OnSpace::Random => Function::SpaceRandom,
                OnSpace::Log { .. } => Function::SpaceLog,
            },
            Self::Endpoint(operation) => match operation {
                OnEndpoint::Watch { .. } => Function::EndpointWatch,
                OnEndpoint::Destroy { .. } => Function::EndpointDestroy,
                OnEndpoint::Reassign { .. } => Function::EndpointReassign,
                OnEndpoint::Recognise { .. } => Function::EndpointRecognise,
            },
            Self::Budget(operation) => match operation {
                OnBudget::CreateEndpoint { .. } => Function::BudgetCreateEndpoint,
                OnBudget::CreateNotification => Function::BudgetCreateNotification,
                OnBudget::CreateTimer { .. } => Function::BudgetCreateTimer,
                OnBudget::CreateRegion { .. } => Function::BudgetCreateRegion,
                OnBudget::CreateCell { .. } => Function::BudgetCreateCell,
                OnBudget::Split { .. } => Function::BudgetSplit,
                OnBudget::Query => Function::BudgetQuery,
            },
            Self::Notification(operation) => match operation {
                OnNotification::Signal { .. } => Function::NotificationSignal,
                OnNotification::Bind { .. } => Function::NotificationBind,
                OnNotification::Poll => Function::NotificationPoll,
            },
            Self::Timer(operation) => match operation {
                OnTimer::Arm { .. } => Function::TimerArm,
                OnTimer::Disarm => Function::TimerDisarm,
            },
            Self::Region(operation) => match operation {
                OnRegion::Map { .. } => Function::RegionMap,
                OnRegion::Unmap { .. } => Function::RegionUnmap,
                OnRegion::Size => Function::RegionSize,
            },
            Self::Cell(operation) => match operation {
                OnCell::Grant { .. } => Function::CellGrant,
                OnCell::Start { .. } => Function::CellStart,
                OnCell::Kill => Function::CellKill,
                OnCell::Restart => Function::CellRestart,
                OnCell::Inspect => Function::CellInspect,
            },
        }
    }
}

#[inline(always)]
fn put_space(writer: &mut Writer<'_>, operation: OnSpace) -> Option<()> {
    match operation {
        OnSpace::Copy { what }
        | OnSpace::Move { what }
        | OnSpace::Delete { what }
        | OnSpace::Revoke { what }
        | OnSpace::Identify { what } => writer.u32(what.0),
        OnSpace::Mint { what, rights, badge } => {
            writer.u32(what.0)?;
            writer.u8(rights.to_flags())?;
            writer.u64(badge)
        }
        OnSpace::Exit { status } => writer.u32(status),
        OnSpace::Log { length } => writer.u32(length),
        OnSpace::Expect { ns } => writer.u64(ns),
        OnSpace::StartInfo | OnSpace::Yield | OnSpace::Now | OnSpace::Random => Some(()),
    }
}

#[inline(always)]
fn put_budget(writer: &mut Writer<'_>, operation: OnBudget) -> Option<()> {
    match operation {
        OnBudget::CreateEndpoint { serving, of_another } => {
            match serving {
                Serving::Active { queue } => {
                    writer.u8(0)?;
                    writer.u16(queue)?;
                }
                Serving::Passive { handler_budget_ns } => {
                    writer.u8(1)?;
                    put_option(writer, handler_budget_ns, |writer, time| writer.u64(time))?;
                }
            }
            writer.u8(of_another.into())
        }
        OnBudget::CreateTimer { bits } => writer.u64(bits),
        OnBudget::CreateRegion { bytes } | OnBudget::Split { bytes } => writer.u64(bytes),
        OnBudget::CreateCell { with_faults, new } => {
            writer.u8(with_faults.into())?;
            writer.u64(new.memory_bytes)?;
            put_option(writer, new.slots, |writer, slots| writer.u32(slots))?;
            writer.u8(new.priority)?;
            match new.running {
                Running::Active(time) => {
                    writer.u8(0)?;
                    put_option(writer, time, |writer, time| {
                        writer.u64(time.budget_ns)?;
                        writer.u64(time.period_ns)
                    })
                }
                Running::Passive => writer.u8(1),
            }
        }
        OnBudget::CreateNotification | OnBudget::Query => Some(()),
    }
}

#[inline(always)]
fn put_option<T>(
    writer: &mut Writer<'_>,
    option: Option<T>,
    put: impl FnOnce(&mut Writer<'_>, T) -> Option<()>,
) -> Option<()> {
    match option {
        None => writer.u8(0),
        Some(value) => {
            writer.u8(1)?;
            put(writer, value)
        }
    }
}

#[inline]
fn take(function: Function, reader: &mut Reader<'_>) -> Option<Operation> {
    Some(match function {
        Function::ObjectNull => OnObject::Null.into(),
        Function::ObjectIdentify => OnObject::Identify.into(),
        Function::ObjectDestroy => OnObject::Destroy.into(),
        Function::SpaceCopy => OnSpace::Copy { what: take_handle(reader)? }.into(),
        Function::SpaceMint => {
            OnSpace::Mint { what: take_handle(reader)?, rights: take_rights(reader)?, badge: reader.u64()? }
                .into()
        }
        Function::SpaceMove => OnSpace::Move { what: take_handle(reader)? }.into(),
        Function::SpaceDelete => OnSpace::Delete { what: take_handle(reader)? }.into(),
        Function::SpaceRevoke => OnSpace::Revoke { what: take_handle(reader)? }.into(),
        Function::SpaceIdentify => OnSpace::Identify { what: take_handle(reader)? }.into(),
        Function::SpaceStartInfo => OnSpace::StartInfo.into(),
        Function::SpaceExit => OnSpace::Exit { status: reader.u32()? }.into(),
        Function::SpaceYield => OnSpace::Yield.into(),
        Function::SpaceExpect => OnSpace::Expect { ns: reader.u64()? }.into(),
        Function::SpaceNow => OnSpace::Now.into(),
        Function::SpaceRandom => OnSpace::Random.into(),
        Function::SpaceLog => OnSpace::Log { length: reader.u32()? }.into(),
        Function::EndpointWatch => OnEndpoint::Watch { endpoint: take_handle(reader)? }.into(),
        Function::EndpointDestroy => OnEndpoint::Destroy { endpoint: take_handle(reader)? }.into(),
        Function::EndpointReassign => {
            OnEndpoint::Reassign { endpoint: take_handle(reader)?, to_another: take_bool(reader)? }.into()
        }
        Function::EndpointRecognise => OnEndpoint::Recognise { endpoint: take_handle(reader)? }.into(),
        Function::BudgetCreateEndpoint => {
            OnBudget::CreateEndpoint { serving: take_serving(reader)?, of_another: take_bool(reader)? }.into()
        }
        Function::BudgetCreateNotification => OnBudget::CreateNotification.into(),
        Function::BudgetCreateTimer => OnBudget::CreateTimer { bits: reader.u64()? }.into(),
        Function::BudgetCreateRegion => OnBudget::CreateRegion { bytes: reader.u64()? }.into(),
        Function::BudgetCreateCell => {
            OnBudget::CreateCell { with_faults: take_bool(reader)?, new: take_new_cell(reader)? }.into()
        }
        Function::BudgetSplit => OnBudget::Split { bytes: reader.u64()? }.into(),
        Function::BudgetQuery => OnBudget::Query.into(),
        Function::NotificationSignal => OnNotification::Signal { bits: reader.u64()? }.into(),
        Function::NotificationBind => OnNotification::Bind { badge: reader.u64()? }.into(),
        Function::NotificationPoll => OnNotification::Poll.into(),
        Function::TimerArm => {
            OnTimer::Arm { at_ns: reader.u64()?, every_ns: reader.u64()?, slack_ns: reader.u64()? }.into()
        }
        Function::TimerDisarm => OnTimer::Disarm.into(),
        Function::RegionMap => OnRegion::Map { address: reader.u64()?, access: take_access(reader)? }.into(),
        Function::RegionUnmap => OnRegion::Unmap { address: reader.u64()? }.into(),
        Function::RegionSize => OnRegion::Size.into(),
        Function::CellGrant => OnCell::Grant { rights: take_rights(reader)?, badge: reader.u64()? }.into(),
        Function::CellStart => OnCell::Start { length: reader.u32()? }.into(),
        Function::CellKill => OnCell::Kill.into(),
        Function::CellRestart => OnCell::Restart.into(),
        Function::CellInspect => OnCell::Inspect.into(),
    })
}

pub(super) fn take_handle(reader: &mut Reader<'_>) -> Option<Handle> {
    reader.u32().map(Handle)
}

pub(super) fn take_rights(reader: &mut Reader<'_>) -> Option<Rights> {
    reader.u8().and_then(Rights::from_flags)
}

pub(super) fn take_kind(reader: &mut Reader<'_>) -> Option<ObjectKind> {
    ObjectKind::ALL.get(usize::from(reader.u8()?)).copied()
}

fn take_bool(reader: &mut Reader<'_>) -> Option<bool> {
    match reader.u8()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

fn take_option<'m, T>(
    reader: &mut Reader<'m>,
    take: impl FnOnce(&mut Reader<'m>) -> Option<T>,
) -> Option<Option<T>> {
    if take_bool(reader)? { take(reader).map(Some) } else { Some(None) }
}

fn take_access(reader: &mut Reader<'_>) -> Option<Access> {
    match reader.u8()? {
        0 => Some(Access::Read),
        1 => Some(Access::ReadWrite),
        _ => None,
    }
}

fn take_serving(reader: &mut Reader<'_>) -> Option<Serving> {
    match reader.u8()? {
        0 => Some(Serving::Active { queue: reader.u16()? }),
        1 => Some(Serving::Passive { handler_budget_ns: take_option(reader, Reader::u64)? }),
        _ => None,
    }
}

fn take_new_cell(reader: &mut Reader<'_>) -> Option<NewCell> {
    Some(NewCell {
        memory_bytes: reader.u64()?,
        slots: take_option(reader, Reader::u32)?,
        priority: reader.u8()?,
        running: match reader.u8()? {
            0 => Running::Active(take_option(reader, |reader| {
                Some(TimeBudget { budget_ns: reader.u64()?, period_ns: reader.u64()? })
            })?),
            1 => Running::Passive,
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests;
