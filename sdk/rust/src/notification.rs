//! Notifications: 64 bits that a cell can be told of. They count nothing: a bit that is set twice is set.

use hallows_abi::{Error, OnNotification};

use crate::operation::{operate, operate_to_count};
use crate::rights::{CanReceive, CanSend};
use crate::{Notification, Object};

impl<R: CanSend> Notification<R> {
    /// Sets bits. SEND.
    ///
    /// # Errors
    ///
    /// [`Error::Gone`] if whoever it was bound to has ended, and nobody has bound it since; [`Error::NoRight`], [`Error::BadHandle`].
    pub fn signal(self, bits: u64) -> Result<(), Error> {
        operate(self.handle(), OnNotification::Signal { bits }).map(|_| ())
    }
}

impl<R: CanReceive> Notification<R> {
    /// From now on [`crate::wait`] brings its bits to this cell, with this badge. RECEIVE.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`].
    pub fn bind(self, badge: u64) -> Result<(), Error> {
        operate(self.handle(), OnNotification::Bind { badge }).map(|_| ())
    }

    /// Takes the bits that are set, without waiting. RECEIVE.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`].
    pub fn poll(self) -> Result<u64, Error> {
        operate_to_count(self.handle(), OnNotification::Poll, &[])
    }
}
