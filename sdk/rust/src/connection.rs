//! Connections: clients that start before their servers, or outlive them.

use hallows_abi::{Error, EventKind, Handle, Outcome, Transfer};

use crate::endpoint::watch;
use crate::form::{FixedBytes, Form};
use crate::rights::{CanSend, CanWatch};
use crate::{Budget, Deadline, Endpoint, Notification, Object, Start};

/// The badge of the watched endpoint's bits.
const WATCHED: u64 = 0;
/// The badge of the supervisor's word that the server stays down.
const GONE: u64 = 1;

/// What the name of that notification has behind the endpoint's.
const GONE_SUFFIX: &str = ".gone";

/// An endpoint whose server may come and go.
///
/// For mains that wait for nothing else: an event of another kind that comes while it waits is an error and is lost.
#[derive(Debug)]
pub struct Connection {
    endpoint: Endpoint,
    notification: Notification,
}

impl Connection {
    /// Watches an endpoint (SEND and WATCH), with a notification out of this cell's own budget.
    ///
    /// # Errors
    ///
    /// [`Error::BudgetExhausted`], [`Error::TableFull`], [`Error::SpaceFull`]; [`Error::NoRight`] without WATCH;
    /// [`Error::NotInHandler`] in a passive server.
    pub fn new<R: CanSend + CanWatch>(endpoint: Endpoint<R>) -> Result<Self, Error> {
        let notification = Budget::OWN.create_notification()?;
        notification.bind(WATCHED)?;
        endpoint.watch(notification)?;
        Ok(Self { endpoint: Endpoint::from_handle(endpoint.handle()), notification })
    }

    /// [`Self::new`] for the endpoint that was granted under a name. If a notification was granted under the same name and
    /// `.gone`, the supervisor signals there that the server stays down, and waiting for it ends.
    ///
    /// # Errors
    ///
    /// As [`Self::new`]; [`Error::BadHandle`] if nothing was granted under this name.
    pub fn granted(start: &Start<'_>, name: &str) -> Result<Self, Error> {
        let connection = Self::new(start.grant::<Endpoint>(name)?)?;
        let is_gone = |granted: &str| granted.strip_suffix(GONE_SUFFIX) == Some(name);
        if let Some((_, handle)) = start.info().grants().find(|(granted, _)| is_gone(granted)) {
            Notification::from_handle(handle).bind(GONE)?;
        }
        Ok(connection)
    }

    /// The endpoint.
    #[must_use]
    pub const fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// [`Endpoint::call`], when the server runs: as long as it does not, it waits for it ([`Error::NotReady`] says that nothing was done,
    /// so calling again is safe).
    ///
    /// # Errors
    ///
    /// As [`Endpoint::call`], except [`Error::NotReady`]; those of [`Self::await_running`].
    pub fn call(
        &self,
        bytes: &[u8],
        transfers: &[Transfer],
        reply: &mut [u8],
        handles: &mut [Handle],
        deadline: Deadline,
    ) -> Result<Outcome, Error> {
        loop {
            match self.endpoint.call(bytes, transfers, reply, handles, deadline) {
                // It may have started just after the call: then the wait ends at once.
                Err(Error::NotReady) => self.await_running(deadline)?,
                result => return result,
            }
        }
    }

    /// [`Endpoint::ask`], when the server runs.
    ///
    /// # Errors
    ///
    /// As [`Self::call`]; [`Error::Refused`] if the answer is not of this layout.
    pub fn ask<Q: Form, A: Form>(&self, request: &Q, deadline: Deadline) -> Result<A, Error> {
        let mut reply = A::Bytes::ZERO;
        let outcome = self.call(request.emit().as_ref(), &[], reply.as_mut(), &mut [], deadline)?;
        A::parse(reply.as_ref().get(..outcome.length as usize).unwrap_or(&[])).ok_or(Error::Refused)
    }

    /// Forgets what was signalled until now, so that [`Self::await_running`] waits for the next time.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`].
    pub fn forget_signals(&self) -> Result<(), Error> {
        self.notification.poll().map(|_| ())
    }

    /// Waits until the server is said to run (again).
    ///
    /// # Errors
    ///
    /// [`Error::DeadlinePassed`]; [`Error::Gone`] if the supervisor has given the server up; [`Error::BadState`] if another event came.
    pub fn await_running(&self, deadline: Deadline) -> Result<(), Error> {
        loop {
            let event = crate::wait(&mut [], &mut [], deadline)?;
            match event.kind {
                EventKind::Notification if event.badge == GONE => return Err(Error::Gone),
                EventKind::Notification if event.value & watch::RUNNING != 0 => return Ok(()),
                EventKind::Notification => {}
                EventKind::Deadline => return Err(Error::DeadlinePassed),
                EventKind::Message | EventKind::Answer => return Err(Error::BadState),
            }
        }
    }
}
