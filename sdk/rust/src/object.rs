//! Handles by kind: a capability of this program's space whose object is known to be an endpoint, a timer, ….
//!
//! They are names, not owners: copying one copies no capability, and dropping one deletes none (see [`crate::space`]).
//! The kernel checks kind and rights again with every use; the types only keep mistakes out of programs.

use hallows_abi::{Code, Error, Handle, ObjectKind, Rights, Transfer, TransferMode};

use crate::operation::operate;

/// A capability of a known kind.
pub trait Object: Copy {
    /// The kind of object.
    const KIND: ObjectKind;

    /// The capability that this handle names, taken for one of this kind. If it is of another, its uses
    /// end with [`Error::WrongObject`].
    fn from_handle(handle: Handle) -> Self;

    /// Its handle.
    fn handle(self) -> Handle;

    /// To be given away in a message: the receiver gets a child with all the rights, which the sender may revoke.
    fn share(self) -> Transfer {
        Transfer::copy(self.handle())
    }

    /// To be given away in a message, with some of its rights.
    fn share_with(self, rights: Rights) -> Transfer {
        Transfer { handle: self.handle(), rights, mode: TransferMode::Copy }
    }

    /// To be given away in a message for good: the sender has it no more.
    fn hand_over(self) -> Transfer {
        Transfer { handle: self.handle(), rights: Rights::ALL, mode: TransferMode::Move }
    }

    /// What the kernel says of this capability.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`] if it names nothing.
    fn identify(self) -> Result<Identity, Error> {
        Identity::of(self.handle())
    }

    /// Ends the object. Everything waiting on it ends with an error. MANAGE.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`]; [`Error::WrongObject`] of programs, which cannot be ended.
    fn destroy(self) -> Result<(), Error> {
        let handle = self.handle();
        // A message to an endpoint would go to its server, so what is done with one goes through this cell's own space.
        let (object, named) =
            if Self::KIND == ObjectKind::Endpoint { (Handle::SELF, handle) } else { (handle, Handle::NULL) };
        operate(object, Code::Destroy, [u64::from(named.0), 0, 0]).map(|_| ())
    }
}

/// What the kernel says of a capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The kind number of its object ([`ObjectKind`]).
    pub kind: u8,
    /// What it allows.
    pub rights: Rights,
    /// Its badge, 0 for none.
    pub badge: u64,
}

impl Identity {
    /// The identity of any capability.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`] if the handle names nothing.
    pub fn of(handle: Handle) -> Result<Self, Error> {
        let reply = operate(Handle::SELF, Code::Identify, [u64::from(handle.0), 0, 0])?;
        let [kind, _, low, high, ..] = reply.a.to_le_bytes();
        Ok(Self { kind, rights: Rights(u16::from_le_bytes([low, high])), badge: reply.b })
    }
}

macro_rules! object {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(transparent)]
        pub struct $name(Handle);

        impl Object for $name {
            const KIND: ObjectKind = ObjectKind::$name;

            #[inline]
            fn from_handle(handle: Handle) -> Self {
                Self(handle)
            }

            #[inline]
            fn handle(self) -> Handle {
                self.0
            }
        }

        impl hallows_wire::Resource for $name {
            #[inline]
            fn from_capability(handle: Handle) -> Self {
                Self(handle)
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
    pub const OWN: Self = Self(Handle::BUDGET);
}
