//! This cell's capability space: copy, mint, move, delete and revoke what is in it.

use hallows_abi::{Code, Error, Handle, Rights};

use crate::Object;
use crate::operation::operate;

fn derive<T: Object>(code: Code, arguments: [u64; 3]) -> Result<T, Error> {
    let reply = operate(Handle::SELF, code, arguments)?;
    u32::try_from(reply.a).map(|handle| T::from_handle(Handle(handle))).map_err(|_| Error::Unsupported)
}

fn word(object: impl Object) -> u64 {
    u64::from(object.handle().0)
}

/// Derives a child with the same rights and badge.
///
/// # Errors
///
/// [`Error::BadHandle`]; [`Error::SpaceFull`].
pub fn copy<T: Object>(object: T) -> Result<T, Error> {
    derive(Code::Copy, [word(object), 0, 0])
}

/// Derives a child with some of the rights, and a badge (0: the same as its parent's).
///
/// # Errors
///
/// [`Error::BadHandle`]; [`Error::SpaceFull`]; [`Error::BadArgument`] for another badge on a badged capability.
pub fn mint<T: Object>(object: T, rights: Rights, badge: u64) -> Result<T, Error> {
    derive(Code::Mint, [word(object), u64::from(rights.0), badge])
}

/// Moves the capability to a new slot: whoever still has the old handle has nothing.
///
/// # Errors
///
/// [`Error::BadHandle`]; [`Error::SpaceFull`].
pub fn relocate<T: Object>(object: T) -> Result<T, Error> {
    derive(Code::Move, [word(object), 0, 0])
}

/// Deletes the capability; its children become its parent's.
///
/// # Errors
///
/// [`Error::BadHandle`].
pub fn delete(object: impl Object) -> Result<(), Error> {
    operate(Handle::SELF, Code::Delete, [word(object), 0, 0]).map(|_| ())
}

/// Deletes everything derived from the capability, everywhere; it stays itself. When this returns, nothing through
/// them starts or still runs.
///
/// # Errors
///
/// [`Error::BadHandle`].
pub fn revoke(object: impl Object) -> Result<(), Error> {
    operate(Handle::SELF, Code::Revoke, [word(object), 0, 0]).map(|_| ())
}
