//! The notification that a socket's service rings, and the news that the service has ended.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::pin;
use core::task::Poll;

use super::network::{delete, patience};
use super::{Problem, protocol};
use crate::stub::{Own, Resource};
use crate::task::{Events, Listener};
use crate::{Budget, Deadline, Endpoint, Error, Notification, Object, Rights, space, watch};

/// What all sockets of a network have together.
#[derive(Debug)]
pub(super) struct Shared<'e> {
    pub events: &'e Events,
    pub endpoint: Endpoint,
    /// Of the watched endpoint.
    notification: Notification,
    is_lost: Cell<bool>,
    /// Bells of sockets that are closed, for the next ones: a cell hears only so many.
    bells: RefCell<Vec<Pair<'e>>>,
}

/// A notification, who listens to it, and to the news of the service.
#[derive(Debug)]
struct Pair<'e> {
    notification: Notification,
    listener: Listener<'e>,
    /// Whoever hears them first notes what they say.
    news: Listener<'e>,
}

impl<'e> Shared<'e> {
    pub fn new(events: &'e Events, endpoint: Endpoint) -> Result<Self, Error> {
        let notification = Budget::OWN.create_notification()?;
        endpoint.watch(notification)?;
        Ok(Self {
            events,
            endpoint,
            notification,
            is_lost: Cell::new(false),
            bells: RefCell::new(Vec::new()),
        })
    }

    /// The service that has ended is forgotten.
    pub fn renew(&self) -> Result<(), Error> {
        self.notification.poll()?;
        self.events.listen(self.notification)?.forget();
        self.is_lost.set(false);
        Ok(())
    }

    /// [`Problem::Lost`] if the service has ended.
    pub fn check(&self) -> Result<(), Problem> {
        if self.is_lost.get() { Err(Problem::Lost) } else { Ok(()) }
    }
}

/// A socket's bell.
#[derive(Debug)]
pub(super) struct Bell<'e> {
    shared: Rc<Shared<'e>>,
    /// Taken when it is dropped.
    own: Option<Pair<'e>>,
}

impl<'e> Bell<'e> {
    /// A bell that has not rung.
    pub fn new(shared: &Rc<Shared<'e>>) -> Result<Self, Error> {
        let known = shared.bells.borrow_mut().pop();
        let own = match known {
            Some(mut pair) => {
                pair.notification.poll()?;
                pair.listener.forget();
                pair
            }
            None => {
                let notification = Budget::OWN.create_notification()?;
                let listener = shared.events.listen(notification)?;
                Pair { notification, listener, news: shared.events.listen(shared.notification)? }
            }
        };
        Ok(Self { shared: shared.clone(), own: Some(own) })
    }

    /// Gives the service a capability that rings it and does nothing else.
    pub fn give(
        &self,
        tell: impl FnOnce(Own<protocol::Bell>, Deadline) -> Result<(), Error>,
    ) -> Result<(), Problem> {
        let Pair { notification, .. } = self.own.as_ref().ok_or(Error::BadState)?;
        // TRANSFER, so that it can be moved.
        let given = space::mint(*notification, Rights::SEND | Rights::TRANSFER, 0)?;
        let bell = protocol::Bell::from_capability(given.handle());
        let told = patience().and_then(|deadline| tell(Own(bell), deadline));
        // It is still here if the call was not made.
        Ok(told.inspect_err(|_| delete(bell))?)
    }

    /// What the socket belongs to.
    pub fn shared(&self) -> &Shared<'e> {
        &self.shared
    }

    /// Waits until it rings, or the service ends.
    ///
    /// # Errors
    ///
    /// [`Problem::Lost`].
    pub async fn rung(&mut self) -> Result<(), Problem> {
        let Self { shared, own } = self;
        let Some(Pair { listener, news, .. }) = own else { return Err(Error::BadState.into()) };
        let mut rung = pin!(listener.bits());
        core::future::poll_fn(|context| {
            // Until there are none: only then it is waited for others.
            while let Poll::Ready(bits) = pin!(news.bits()).poll(context) {
                if bits & watch::DIED != 0 {
                    shared.is_lost.set(true);
                }
            }
            if shared.is_lost.get() {
                return Poll::Ready(Err(Problem::Lost));
            }
            rung.as_mut().poll(context).map(|_| Ok(()))
        })
        .await
    }
}

impl Drop for Bell<'_> {
    fn drop(&mut self) {
        if let Some(own) = self.own.take() {
            self.shared.bells.borrow_mut().push(own);
        }
    }
}
