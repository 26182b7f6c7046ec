//! This cell's capability space: copy, mint, move, delete and revoke what is in it.

use hallows_abi::{Error, Handle, OnSpace, Rights};

use crate::Object;
use crate::operation::{operate, operate_to_name};

fn derive<T: Object>(operation: OnSpace) -> Result<T, Error> {
    operate_to_name(Handle::SELF, operation, &[]).map(T::from_handle)
}

/// Derives a child with the same rights and badge.
///
/// # Errors
///
/// [`Error::BadHandle`]; [`Error::SpaceFull`].
pub fn copy<T: Object>(object: T) -> Result<T, Error> {
    derive(OnSpace::Copy { what: object.handle() })
}

/// Derives a child with some of the rights, and a badge (0: the same as its parent's).
///
/// # Errors
///
/// [`Error::BadHandle`]; [`Error::SpaceFull`]; [`Error::BadArgument`] for another badge on a badged capability.
pub fn mint<T: Object>(object: T, rights: Rights, badge: u64) -> Result<T, Error> {
    derive(OnSpace::Mint { what: object.handle(), rights, badge })
}

/// Moves the capability to a new slot: whoever still has the old handle has nothing.
///
/// # Errors
///
/// [`Error::BadHandle`]; [`Error::SpaceFull`].
pub fn relocate<T: Object>(object: T) -> Result<T, Error> {
    derive(OnSpace::Move { what: object.handle() })
}

/// Deletes the capability; its children become its parent's.
///
/// # Errors
///
/// [`Error::BadHandle`].
pub fn delete(object: impl Object) -> Result<(), Error> {
    operate(Handle::SELF, OnSpace::Delete { what: object.handle() }).map(|_| ())
}

/// Deletes everything derived from the capability, everywhere; it stays itself. When this returns, nothing through
/// them starts or still runs.
///
/// # Errors
///
/// [`Error::BadHandle`].
pub fn revoke(object: impl Object) -> Result<(), Error> {
    operate(Handle::SELF, OnSpace::Revoke { what: object.handle() }).map(|_| ())
}
