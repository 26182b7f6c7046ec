//! Notifications: 64 bits that a cell can be told of. They count nothing: a bit that is set twice is set.

use hallows_abi::{Code, Error};

use crate::operation::operate;
use crate::{Notification, Object};

impl Notification {
    /// Sets bits. SEND.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`].
    pub fn signal(self, bits: u64) -> Result<(), Error> {
        operate(self.handle(), Code::Signal, [bits, 0, 0]).map(|_| ())
    }

    /// From now on [`crate::wait`] brings its bits to this cell, with this badge. RECEIVE.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`].
    pub fn bind(self, badge: u64) -> Result<(), Error> {
        operate(self.handle(), Code::Bind, [badge, 0, 0]).map(|_| ())
    }

    /// Takes the bits that are set, without waiting. RECEIVE.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`].
    pub fn poll(self) -> Result<u64, Error> {
        operate(self.handle(), Code::Poll, [0; 3]).map(|reply| reply.a)
    }
}
