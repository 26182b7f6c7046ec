//! Resources: a resource is a capability, which takes no bytes of the message and goes beside them.

use hallows_abi::{Handle, Rights, Transfer, TransferMode};

use crate::{Decoder, Encoder, Value};

/// The name of a capability that stands for a resource.
pub trait Resource: Copy {
    /// Which of its interface's own resources it is, from 1: the interface's server recognises it among its parameters. 0: one of another
    /// interface, which only that one's server can tell from a forged one.
    const KIND: u8 = 0;

    /// The resource that this handle names.
    fn from_capability(handle: Handle) -> Self;

    /// The handle of its capability.
    fn capability(self) -> Handle;
}

impl Resource for Handle {
    fn from_capability(handle: Handle) -> Self {
        handle
    }

    fn capability(self) -> Handle {
        self
    }
}

/// A resource that is given away: the sender has it no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Own<R>(pub R);

impl<'m, R: Resource> Value<'m> for Own<R> {
    fn put(&self, encoder: &mut Encoder<'_>) -> Option<()> {
        encoder.give(Transfer { handle: self.0.capability(), rights: Rights::ALL, mode: TransferMode::Move })
    }

    fn take(decoder: &mut Decoder<'m>) -> Option<Self> {
        decoder.handle(R::KIND, false).map(|handle| Self(R::from_capability(handle)))
    }
}

/// A resource that is lent until the call is over: the receiver gets a copy to use and not to pass on, and deletes it when it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Borrow<R>(pub R);

impl<'m, R: Resource> Value<'m> for Borrow<R> {
    fn put(&self, encoder: &mut Encoder<'_>) -> Option<()> {
        // Whatever it may be used for; a right that the lender has not is not given by this.
        let rights = Rights::SEND | Rights::READ | Rights::WRITE | Rights::WATCH;
        encoder.give(Transfer { handle: self.0.capability(), rights, mode: TransferMode::Copy })
    }

    fn take(decoder: &mut Decoder<'m>) -> Option<Self> {
        decoder.handle(R::KIND, true).map(|handle| Self(R::from_capability(handle)))
    }
}
