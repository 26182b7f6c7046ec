//! Notifications that tasks wait for.

use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::{Poll, Waker};

use hallows_abi::{Error, Handle};

use super::Events;
use crate::rights::CanReceive;
use crate::{Notification, Object};

/// A notification that is bound to this cell.
#[derive(Debug)]
pub(super) struct Bound {
    handle: Handle,
    /// What was signalled and not taken yet.
    bits: u64,
    /// Of all who wait: the first to be polled takes the bits, and any of them may be gone by then.
    wakers: Vec<Waker>,
}

impl Bound {
    /// Bits were signalled; who is to be woken.
    pub fn signalled(&mut self, bits: u64) -> Vec<Waker> {
        self.bits |= bits;
        core::mem::take(&mut self.wakers)
    }
}

/// Hears a notification. Timers and watched endpoints signal one.
#[derive(Debug)]
pub struct Listener<'e> {
    events: &'e Events,
    badge: u64,
}

impl Events {
    /// Hears a notification from now on. To listen to the same one again is no error: who asks first for the bits gets them.
    ///
    /// # Errors
    ///
    /// Those of [`Notification::bind`]: [`Error::BadState`] if another cell hears it.
    pub fn listen<R: CanReceive>(&self, notification: Notification<R>) -> Result<Listener<'_>, Error> {
        let handle = notification.handle();
        let mut state = self.state.borrow_mut();
        let known = state.bound.iter().find(|(_, bound)| bound.handle == handle).map(|(badge, _)| *badge);
        let badge = match known {
            Some(badge) => badge,
            None => {
                let badge = state.number();
                notification.bind(badge)?;
                state.bound.insert(badge, Bound { handle, bits: 0, wakers: Vec::new() });
                badge
            }
        };
        Ok(Listener { events: self, badge })
    }
}

impl Listener<'_> {
    /// Forgets what was signalled and not taken yet.
    pub fn forget(&mut self) {
        if let Some(bound) = self.events.state.borrow_mut().bound.get_mut(&self.badge) {
            bound.bits = 0;
        }
    }

    /// Waits until bits are set, and takes them.
    pub async fn bits(&mut self) -> u64 {
        poll_fn(|context| {
            let mut state = self.events.state.borrow_mut();
            let Some(bound) = state.bound.get_mut(&self.badge) else { return Poll::Pending };
            if bound.bits == 0 {
                if !bound.wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                    bound.wakers.push(context.waker().clone());
                }
                return Poll::Pending;
            }
            Poll::Ready(core::mem::take(&mut bound.bits))
        })
        .await
    }
}
