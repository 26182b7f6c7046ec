//! Notifications: signal, bind, poll.

use hallows_abi::{Error, OnNotification, Reply, Rights};

use super::Request;
use crate::lock::{Token, level};
use crate::sync::Ordering;
use crate::thread::{LEFT, NOBODY};
use crate::{Context, Engine, Kernel};

impl<E: Engine> Kernel<E> {
    pub(super) fn operate_notification(
        &self,
        context: &mut Context,
        request: &Request<'_, E>,
        operation: OnNotification,
    ) -> Result<Reply, Error> {
        let index = request.index();
        match operation {
            OnNotification::Signal { bits } => {
                request.needs(Rights::SEND)?;
                let core = context.core.0;
                self.signal(&mut context.token, core, index, bits);
                let hears = self.notifications.at(index).bound.load(Ordering::Relaxed) != LEFT;
                if hears { Ok(Reply::Done) } else { Err(Error::Gone) }
            }
            OnNotification::Poll => {
                request.needs(Rights::RECEIVE)?;
                // SeqCst: cells have no other fence, and rings sleep by this one.
                Ok(Reply::Number(self.notifications.at(index).bits.swap(0, Ordering::SeqCst)))
            }
            OnNotification::Bind { badge } => {
                request.needs(Rights::RECEIVE)?;
                self.bind(context, request, badge)
            }
        }
    }

    fn bind(&self, context: &mut Context, request: &Request<'_, E>, badge: u64) -> Result<Reply, Error> {
        // The thread that calls hears of it.
        let (cell, index) = (self.current(context), request.index());
        if self.cells.at(cell).is_passive() {
            return Err(Error::NotInHandler);
        }
        let record = self.notifications.at(index);
        // Under the lock that an end unbinds under: it finds all of this done, or nothing.
        let (mut control, mut token) = self.cells.at(cell).control.lock(&mut context.token);
        // AcqRel: pairs with `signal`.
        let free = |bound| matches!(bound, NOBODY | LEFT).then_some(cell);
        if record.bound.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).is_err() {
            return Err(Error::BadState);
        }
        if !record.generation.is(request.generation()) {
            // It has ended, and another may live there: whose end, if it was that, finds nothing here.
            let _ = record.bound.compare_exchange(cell, NOBODY, Ordering::AcqRel, Ordering::Relaxed);
            return Err(Error::Gone);
        }
        record.badge.store(badge, Ordering::Relaxed);
        control.bound.push(index);
        let (mut inbox, _) = self.cells.at(cell).inbox.lock(&mut token);
        inbox.sources += 1;
        // Bits that were set before are told now.
        if record.bits.load(Ordering::Acquire) != 0 {
            inbox.notify(index);
        }
        Ok(Reply::Done)
    }

    /// Takes a notification away from the cell that it is bound to.
    pub(crate) fn unbind(&self, token: &mut Token<'static, { level::NONE }>, core: u32, index: u32) {
        let bound = self.notifications.at(index).bound.swap(NOBODY, Ordering::AcqRel);
        if matches!(bound, NOBODY | LEFT) {
            return;
        }
        {
            let (mut control, mut token) = self.cells.at(bound).control.lock(token);
            let before = control.bound.len();
            control.bound.retain(|notification| *notification != index);
            if control.bound.len() < before {
                let (mut inbox, _) = self.cells.at(bound).inbox.lock(&mut token);
                inbox.sources = inbox.sources.saturating_sub(1);
            }
        }
        // A wait for it alone ends with `NothingToWaitFor`.
        self.wake(token, core, bound);
    }
}
