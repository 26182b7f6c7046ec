//! Operations on kernel objects: calls of functions of their interfaces (`wit/kernel`).

use hallows_abi::{Error, Handle, Operation, Reply, Transfer};

use crate::Deadline;
use crate::call::call_handle;

/// Asks an object to do something.
///
/// # Errors
///
/// What the operation's description says; [`Error::BadHandle`], [`Error::WrongObject`], [`Error::NoRight`].
#[inline]
pub fn operate(object: Handle, operation: impl Into<Operation>) -> Result<Reply, Error> {
    operate_with(object, operation, &[])
}

/// Asks an object to do something with capabilities.
///
/// # Errors
///
/// As [`operate`], and those of the capabilities. [`Error::Refused`] if what answers is no kernel object.
#[inline]
pub fn operate_with(
    object: Handle,
    operation: impl Into<Operation>,
    transfers: &[Transfer],
) -> Result<Reply, Error> {
    let operation = operation.into();
    let mut reply = [0; Reply::MOST_BYTES];
    let outcome = call_handle(object, &operation.emit(), transfers, &mut reply, &mut [], Deadline::NEVER)?;
    let answer = reply.get(..outcome.length as usize).unwrap_or(&[]);
    Reply::parse(operation.answer(), answer).ok_or(Error::Refused)
}

/// Asks an object for a new capability.
///
/// # Errors
///
/// As [`operate_with`]; [`Error::SpaceFull`] if there is no slot for it.
pub fn operate_for(
    object: Handle,
    operation: impl Into<Operation>,
    transfers: &[Transfer],
) -> Result<Handle, Error> {
    let (mut reply, mut handles) = ([0; Reply::MOST_BYTES], [Handle::NULL]);
    let message = operation.into().emit();
    let outcome = call_handle(object, &message, transfers, &mut reply, &mut handles, Deadline::NEVER)?;
    if outcome.handles == 1 { Ok(handles[0]) } else { Err(Error::Refused) }
}

/// Asks an object for the name of a capability.
///
/// # Errors
///
/// As [`operate_with`].
pub fn operate_to_name(
    object: Handle,
    operation: impl Into<Operation>,
    transfers: &[Transfer],
) -> Result<Handle, Error> {
    operate_with(object, operation, transfers)?.handle().ok_or(Error::Refused)
}

/// Asks an object for a number.
///
/// # Errors
///
/// As [`operate_with`].
#[inline]
pub fn operate_to_count(
    object: Handle,
    operation: impl Into<Operation>,
    transfers: &[Transfer],
) -> Result<u64, Error> {
    operate_with(object, operation, transfers)?.number().ok_or(Error::Refused)
}
