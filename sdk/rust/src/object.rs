//! Handles by kind and rights: a capability of this program's space whose object is known to be an endpoint, a timer, …, and
//! what it allows ([`crate::rights`]).
//!
//! They are names, not owners: copying one copies no capability, and dropping one deletes none (see [`crate::space`]).
//! The kernel checks kind and rights again with every use; the types only keep mistakes out of programs.

pub use hallows_abi::Identity;
use hallows_abi::{
    Error, Handle, ObjectKind, OnEndpoint, OnObject, OnSpace, Operation, Rights, Transfer, TransferMode,
};

use core::fmt;
use core::marker::PhantomData;

use crate::operation::operate;
use crate::rights::{All, CanManage, CanTransfer, RightSet, Within};
use crate::space;

/// A capability of a known kind.
pub trait Object: Copy {
    /// The kind of object.
    const KIND: ObjectKind;
    /// What it is taken to allow.
    type Rights: RightSet;
    /// The same kind with other rights.
    type With<S: RightSet>: Object<Rights = S>;

    /// The capability that this handle names, taken for one of this kind with these rights: a claim that nobody checks. If it is
    /// of another kind, its uses end with [`Error::WrongObject`]; if it allows less, with [`Error::NoRight`].
    fn from_handle(handle: Handle) -> Self;

    /// Its handle.
    fn handle(self) -> Handle;

    /// The capability that this handle names, if it is of this kind and has these rights. Asks the kernel, once.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`] if it names nothing, [`Error::WrongObject`] for another kind, [`Error::NoRight`] if it allows less.
    fn check(handle: Handle) -> Result<Self, Error> {
        let identity = identify(handle)?;
        if identity.kind != Self::KIND {
            return Err(Error::WrongObject);
        }
        if !identity.rights.contains(Self::Rights::RIGHTS) {
            return Err(Error::NoRight);
        }
        Ok(Self::from_handle(handle))
    }

    /// The same capability, as a handle that may do less. Nothing is asked of the kernel: who gets the number can claim more again.
    /// A capability that allows less is what [`Self::mint`] makes.
    fn restrict<S: Within<Self::Rights>>(self) -> Self::With<S> {
        Self::With::from_handle(self.handle())
    }

    /// A new capability that allows less, with a badge (0: the same as this one's): a child of this one.
    ///
    /// # Errors
    ///
    /// Those of [`space::mint`].
    fn mint<S: Within<Self::Rights>>(self, badge: u64) -> Result<Self::With<S>, Error> {
        space::mint(self, S::RIGHTS, badge).map(|minted| Self::With::from_handle(minted.handle()))
    }

    /// To be given away in a message: the receiver gets a child with all the rights, which the sender may revoke. TRANSFER, as for
    /// everything that is given away.
    fn share(self) -> Transfer
    where
        Self::Rights: CanTransfer,
    {
        Transfer::copy(self.handle())
    }

    /// To be given away in a message, with some of its rights.
    fn share_with(self, rights: Rights) -> Transfer
    where
        Self::Rights: CanTransfer,
    {
        Transfer { handle: self.handle(), rights, mode: TransferMode::Copy }
    }

    /// To be given away in a message for good: the sender has it no more.
    fn hand_over(self) -> Transfer
    where
        Self::Rights: CanTransfer,
    {
        Transfer { handle: self.handle(), rights: Rights::ALL, mode: TransferMode::Move }
    }

    /// What the kernel says of this capability.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`] if it names nothing.
    fn identify(self) -> Result<Identity, Error> {
        identify(self.handle())
    }

    /// Ends the object. Everything waiting on it ends with an error. MANAGE.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`]; [`Error::WrongObject`] of programs, which cannot be ended.
    fn destroy(self) -> Result<(), Error>
    where
        Self::Rights: CanManage,
    {
        let handle = self.handle();
        // A message to an endpoint would go to its server, so what is done with one goes through this cell's own space.
        let (object, operation): (_, Operation) = if Self::KIND == ObjectKind::Endpoint {
            (Handle::SELF, OnEndpoint::Destroy { endpoint: handle }.into())
        } else {
            (handle, OnObject::Destroy.into())
        };
        operate(object, operation).map(|_| ())
    }
}

/// The identity of any capability.
///
/// # Errors
///
/// [`Error::BadHandle`] if the handle names nothing.
pub fn identify(handle: Handle) -> Result<Identity, Error> {
    operate(Handle::SELF, OnSpace::Identify { what: handle })?.identity().ok_or(Error::Refused)
}

macro_rules! object {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(transparent)]
        pub struct $name<R = All>(Handle, PhantomData<R>);

        impl $name {
            /// [`Object::from_handle`], with every right.
            #[inline]
            #[must_use]
            pub const fn from_handle(handle: Handle) -> Self {
                Self(handle, PhantomData)
            }
        }

        impl<R: RightSet> Object for $name<R> {
            const KIND: ObjectKind = ObjectKind::$name;
            type Rights = R;
            type With<S: RightSet> = $name<S>;

            #[inline]
            fn from_handle(handle: Handle) -> Self {
                Self(handle, PhantomData)
            }

            #[inline]
            fn handle(self) -> Handle {
                self.0
            }
        }

        /// [`Object::check`].
        impl<R: RightSet> TryFrom<Handle> for $name<R> {
            type Error = Error;

            fn try_from(handle: Handle) -> Result<Self, Error> {
                Self::check(handle)
            }
        }

        impl<R: RightSet> fmt::Debug for $name<R> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_tuple(stringify!($name)).field(&self.0).finish()
            }
        }

        impl hallows_wire::Resource for $name {
            #[inline]
            fn from_capability(handle: Handle) -> Self {
                Self::from_handle(handle)
            }

            #[inline]
            fn capability(self) -> Handle {
                self.0
            }
        }
    };
}

object! {
    /// A place to send messages to, served by one cell.
    Endpoint
}
object! {
    /// A set of 64 bits that a cell can be told of.
    Notification
}
object! {
    /// Signals a notification at a time.
    Timer
}
object! {
    /// An amount of memory that objects and cells are made from.
    Budget
}
object! {
    /// Page-granular memory that cells can share.
    Region
}
object! {
    /// A program in execution, and its capability space.
    Cell
}
object! {
    /// A program that can be started.
    Program
}

impl Budget {
    /// This cell's own budget, which it has from the start.
    pub const OWN: Self = Self::from_handle(Handle::BUDGET);
}
