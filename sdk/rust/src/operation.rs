//! Operations on kernel objects: one call with one 32-byte message, and the reply's two words.

use hallows_abi::{Code, Error, Handle, Operation, Reply, Transfer};

use crate::Deadline;
use crate::call::call_handle;

/// Asks an object to do something.
///
/// # Errors
///
/// What the operation's description says; [`Error::BadHandle`], [`Error::WrongObject`], [`Error::NoRight`].
#[inline]
pub fn operate(object: Handle, code: Code, arguments: [u64; 3]) -> Result<Reply, Error> {
    let message = Operation { code, arguments }.emit();
    let mut reply = [0; Reply::SIZE];
    call_handle(object, &message, &[], &mut reply, &mut [], Deadline::NEVER)?;
    Reply::parse(&reply).ok_or(Error::Unsupported)
}

/// Asks an object to do something with capabilities.
///
/// # Errors
///
/// As [`operate`], and those of passing capabilities on.
pub fn operate_with(
    object: Handle,
    code: Code,
    arguments: [u64; 3],
    transfers: &[Transfer],
) -> Result<Reply, Error> {
    let message = Operation { code, arguments }.emit();
    let mut reply = [0; Reply::SIZE];
    call_handle(object, &message, transfers, &mut reply, &mut [], Deadline::NEVER)?;
    Reply::parse(&reply).ok_or(Error::Unsupported)
}

/// Asks an object for a new capability, with a message that starts with an operation.
///
/// # Errors
///
/// As [`operate`]; [`Error::SpaceFull`] if there is no slot for it.
pub fn operate_for(object: Handle, message: &[u8], transfers: &[Transfer]) -> Result<Handle, Error> {
    let mut reply = [0; Reply::SIZE];
    let mut handles = [Handle::NULL];
    let outcome = call_handle(object, message, transfers, &mut reply, &mut handles, Deadline::NEVER)?;
    if outcome.handles == 1 { Ok(handles[0]) } else { Err(Error::SpaceFull) }
}
