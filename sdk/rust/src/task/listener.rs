//! Notifications that tasks wait for.

use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::{Poll, Waker};

use hallows_abi::Error;

use super::Events;
use crate::rights::CanReceive;
use crate::{Notification, Object};

/// A notification that is bound to this cell.
#[derive(Debug, Default)]
pub(super) struct Bound {
    /// What was signalled and not taken yet.
    bits: u64,
    /// By the places of its listeners: who waits. The first to be polled takes the bits, and any of them may be gone by then.
    wakers: Vec<Option<Waker>>,
    /// Places that nobody has.
    free: Vec<usize>,
}

impl Bound {
    /// Bits were signalled.
    pub fn signalled(&mut self, bits: u64) {
        self.bits |= bits;
    }

    /// The next one from a place on that waits, and does so no more.
    pub fn next_waiting(&mut self, place: &mut usize) -> Option<Waker> {
        let mut rest = self.wakers.iter_mut().skip(*place);
        rest.find_map(|waker| {
            *place += 1;
            waker.take()
        })
    }
}

/// Hears a notification. Timers and watched endpoints signal one.
#[derive(Debug)]
pub struct Listener<'e> {
    events: &'e Events,
    badge: u64,
    /// Among those that hear it.
    place: usize,
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
        let badge = match state.badges.get(&handle) {
            Some(badge) => *badge,
            None => {
                let badge = state.number();
                notification.bind(badge)?;
                state.badges.insert(handle, badge);
                badge
            }
        };
        let bound = state.bound.entry(badge).or_default();
        let place = bound.free.pop().unwrap_or_else(|| {
            bound.wakers.push(None);
            bound.wakers.len() - 1
        });
        Ok(Listener { events: self, badge, place })
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
                if let Some(waker) = bound.wakers.get_mut(self.place)
                    && !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker()))
                {
                    *waker = Some(context.waker().clone());
                }
                return Poll::Pending;
            }
            Poll::Ready(core::mem::take(&mut bound.bits))
        })
        .await
    }
}

impl Drop for Listener<'_> {
    fn drop(&mut self) {
        if let Some(bound) = self.events.state.borrow_mut().bound.get_mut(&self.badge) {
            if let Some(waker) = bound.wakers.get_mut(self.place) {
                *waker = None;
            }
            bound.free.push(self.place);
        }
    }
}
