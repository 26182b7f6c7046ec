//! Clients that start before their servers, or outlive them: calls that wait until the server runs.

use hallows_abi::{Error, EventKind, Handle, Outcome, Transfer};

use crate::endpoint::watch;
use crate::form::{FixedBytes, Form};
use crate::{Budget, Deadline, Endpoint, Notification};

/// Waits for servers to run.
///
/// For programs whose only events are these: another event that comes during the wait is an error and is lost.
#[derive(Clone, Copy, Debug)]
pub struct Readiness {
    notification: Notification,
    badge: u64,
}

impl Readiness {
    /// Makes a notification out of this cell's own budget and binds it with a badge.
    ///
    /// # Errors
    ///
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`].
    pub fn new(badge: u64) -> Result<Self, Error> {
        let notification = Budget::OWN.create_notification()?;
        notification.bind(badge)?;
        Ok(Self { notification, badge })
    }

    /// [`Endpoint::call`], when the server runs: as long as it does not ([`Error::NotReady`]: nothing was done), waits for it.
    /// The endpoint needs WATCH.
    ///
    /// # Errors
    ///
    /// As [`Endpoint::call`], except [`Error::NotReady`]; [`Error::DeadlinePassed`] also for the waiting; [`Error::BadState`] if
    /// another event came.
    pub fn call(
        &self,
        endpoint: Endpoint,
        bytes: &[u8],
        transfers: &[Transfer],
        reply: &mut [u8],
        handles: &mut [Handle],
        deadline: Deadline,
    ) -> Result<Outcome, Error> {
        let mut watched = false;
        loop {
            match endpoint.call(bytes, transfers, reply, handles, deadline) {
                Err(Error::NotReady) if watched => self.await_running(deadline)?,
                // Watched before the second try, so that a server that starts in between is not missed.
                Err(Error::NotReady) => endpoint.watch(self.notification)?,
                result => return result,
            }
            watched = true;
        }
    }

    /// [`Endpoint::ask`], when the server runs.
    ///
    /// # Errors
    ///
    /// As [`Self::call`]; [`Error::Refused`] if the answer is not of this layout.
    pub fn ask<Q: Form, A: Form>(
        &self,
        endpoint: Endpoint,
        request: &Q,
        deadline: Deadline,
    ) -> Result<A, Error> {
        let mut reply = A::Bytes::ZERO;
        let outcome = self.call(endpoint, request.emit().as_ref(), &[], reply.as_mut(), &mut [], deadline)?;
        A::parse(reply.as_ref().get(..outcome.length as usize).unwrap_or(&[])).ok_or(Error::Refused)
    }

    /// Has its notification signalled when this endpoint's server dies or runs again.
    ///
    /// # Errors
    ///
    /// As [`Endpoint::watch`].
    pub fn watch(&self, endpoint: Endpoint) -> Result<(), Error> {
        endpoint.watch(self.notification)
    }

    /// Waits until a watched endpoint's server runs again.
    ///
    /// # Errors
    ///
    /// [`Error::DeadlinePassed`]; [`Error::BadState`] if another event came.
    pub fn await_running(&self, deadline: Deadline) -> Result<(), Error> {
        loop {
            let event = crate::wait(&mut [], &mut [], deadline)?;
            match event.kind {
                EventKind::Notification if event.badge == self.badge => {
                    if event.value & watch::RUNNING != 0 {
                        return Ok(());
                    }
                }
                EventKind::Deadline => return Err(Error::DeadlinePassed),
                _ => return Err(Error::BadState),
            }
        }
    }
}
