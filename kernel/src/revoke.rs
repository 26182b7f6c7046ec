//! Revocation: everything derived from a capability goes, and nothing through it goes on.
//!
//! The walk deletes a few descendants at a time under the tree's lock, then ends what came through them: messages waiting in
//! inboxes get the error, regions leave memories, and a handler that runs behind a deleted capability is waited for (it is within its
//! budget, and is lent this caller's priority). Between slices the caller can be preempted.

use alloc::vec::Vec;

use hallows_abi::{Error, ObjectKind, Reply, TraceKind};

use crate::call::Waker;
use crate::core_record::Idle;
use crate::inbox::{Inbox, Message};
use crate::monitor::{Waiter, Wants};
use crate::slot::{Capability, Found, Name};
use crate::sync::Ordering;
use crate::thread::NOBODY;
use crate::through::Ended;
use crate::{CellId, Context, Engine, Kernel};

/// Descendants deleted in one stretch under the tree's lock: about 5 µs.
const SLICE: usize = 32;

impl<E: Engine> Kernel<E> {
    /// Deletes everything derived from what was found: how many.
    pub(crate) fn revoke(&self, context: &mut Context, cell: u32, found: &Found) -> Result<Reply, Error> {
        let (mut count, mut stuck) = (0u64, Ok(()));
        loop {
            let (mut severed, mut orphans) = (Vec::with_capacity(SLICE), Vec::new());
            {
                let (mut tree, _) = self.capabilities.lock(&mut context.token);
                if !self.capabilities.still(found.via) {
                    return Err(Error::BadHandle);
                }
                while severed.len() < SLICE
                    && let Some(leaf) = tree.leaf_below(found.via.slot)
                {
                    orphans.extend(tree.end(leaf.via.slot));
                    severed.push(leaf);
                }
            }
            let done = severed.len() < SLICE;
            count += severed.len() as u64;
            for gone in &severed {
                match self.sever(context, cell, gone) {
                    // The others go on to their end all the same.
                    Err(Error::Deadlock) => stuck = Err(Error::Deadlock),
                    severed => severed?,
                }
            }
            let core = context.core.0;
            self.end_orphans(&mut context.token, core, &orphans);
            if done {
                break;
            }
            self.preempted_between(context, cell)?;
        }
        self.end_through(context, &found.capability, Ended::Below(found.via));
        let record = self.core(context.core.0);
        record.trace.record(TraceKind::Revoke, context.thread.0, found.via.slot, count);
        stuck?;
        Ok(Reply::Number(count))
    }

    fn preempted_between(&self, context: &mut Context, cell: u32) -> Result<(), Error> {
        if self.threads.at(context.thread.0).word.is_set() {
            self.preempted(context)
        } else {
            self.check_live(cell)
        }
    }

    /// Ends what goes on through a deleted capability.
    fn sever(&self, context: &mut Context, cell: u32, gone: &Found) -> Result<(), Error> {
        self.await_operations(context, gone.via.slot);
        let index = gone.capability.index;
        match gone.capability.kind {
            ObjectKind::Endpoint if self.endpoints.at(index).is_passive() => {
                self.await_departure(context, cell, index, gone.via.slot)
            }
            _ => {
                self.end_through(context, &gone.capability, Ended::Deleted(gone.via));
                Ok(())
            }
        }
    }

    /// Ends the messages and mappings that came through what a revocation has ended.
    fn end_through(&self, context: &mut Context, capability: &Capability, end: Ended) {
        match capability.kind {
            ObjectKind::Endpoint if !self.endpoints.at(capability.index).is_passive() => {
                self.purge(context, capability.name(), end);
            }
            ObjectKind::Region => self.unmap_through(context, capability.index, end),
            _ => {}
        }
    }

    /// Waits for operations through a slot on other cores. They are single stretches of a few hundred nanoseconds.
    fn await_operations(&self, context: &Context, slot: u32) {
        for (core, record) in self.cores.iter().enumerate() {
            for word in [&record.operating, &record.signalling] {
                while core != context.core.index() && word.load(Ordering::SeqCst) == u64::from(slot) + 1 {
                    core::hint::spin_loop();
                }
            }
        }
    }

    /// Errors for the messages that a revocation ends, received or not.
    fn purge(&self, context: &mut Context, endpoint: Name, end: Ended) {
        let purge = |server, inbox: &mut Inbox<E::Bytes>| (server, inbox.purge(end));
        while let Some((server, purged)) = self.with_server(&mut context.token, endpoint, purge) {
            let Some(message) = purged else {
                self.tell_room(context, server);
                break;
            };
            self.answer_revoked(context, &message);
        }
        // What entered a server before another served is there, or with one that served even before.
        for cell in self.endpoints.at(endpoint.index).serving.former(&mut context.token) {
            loop {
                let purged = self.cells.at(cell).inbox.lock(&mut context.token).0.purge(end);
                let Some(message) = purged else { break };
                self.answer_revoked(context, &message);
            }
            self.tell_room(context, cell);
        }
    }

    fn answer_revoked(&self, context: &mut Context, message: &Message<E::Bytes>) {
        self.drop_flight(&mut context.token, context.core.0, &message.flight);
        self.deliver(context, message.sender, 0, Err(Error::Revoked), Waker::Runs);
    }

    fn unmap_through(&self, context: &mut Context, region: u32, end: Ended) {
        let record = self.regions.at(region);
        let bytes = record.bytes.load(Ordering::Relaxed);
        let (mut mappings, _) = record.mappings.lock(&mut context.token);
        mappings.retain(|mapping| {
            let ends = mapping.through.is_ended_by(end);
            if ends {
                // The address was mapped before, so it can be: zeroes again.
                let _ = self.engine.map_region(CellId(mapping.cell), mapping.address, bytes, None);
            }
            !ends
        });
    }

    /// Waits until the handler that runs behind a deleted capability has returned, in whichever cell serves the endpoint or has served it.
    fn await_departure(
        &self,
        context: &mut Context,
        cell: u32,
        endpoint: u32,
        slot: u32,
    ) -> Result<(), Error> {
        let serving = &self.endpoints.at(endpoint).serving;
        let server = serving.server();
        if server != NOBODY {
            self.await_departure_from(context, cell, server, slot)?;
        }
        for past in serving.former(&mut context.token) {
            self.await_departure_from(context, cell, past, slot)?;
        }
        Ok(())
    }

    /// The same in one cell. One that the caller itself is inside of is not waited
    /// for. One that waits, over any number of others, for a server that the caller is inside of would never return: `Deadlock`, and it
    /// goes on when the caller has left.
    fn await_departure_from(
        &self,
        context: &mut Context,
        cell: u32,
        server: u32,
        slot: u32,
    ) -> Result<(), Error> {
        let me = context.thread.0;
        let monitor = &self.cells.at(server).monitor;
        let inside = || monitor.holder().is_some_and(|holder| holder.slot == slot && holder.thread != me);
        while inside() {
            let priority = self.threads.at(me).effective_rank();
            let waiter = Waiter { thread: me, slot, priority, wants: Wants::Departure };
            let gone = {
                let (mut waiters, _) = monitor.waiters().lock(&mut context.token);
                monitor.join(&mut waiters, waiter)
            };
            if gone {
                return Ok(());
            }
            // SeqCst: as in `wait_for_monitor`.
            self.threads.at(me).waits_for.store(server, Ordering::SeqCst);
            let cycle = self.closes_a_cycle(me, server);
            if !cycle {
                self.help(context, server);
                self.block(context);
            }
            self.threads.at(me).waits_for.store(NOBODY, Ordering::SeqCst);
            let (mut waiters, _) = monitor.waiters().lock(&mut context.token);
            monitor.leave_queue(&mut waiters, me);
            drop(waiters);
            if cycle {
                return Err(Error::Deadlock);
            }
            self.check_live(cell)?;
        }
        Ok(())
    }

    /// Whether a core runs nothing: for the machine's picture of itself.
    pub fn is_idle(&self, core: crate::CoreId) -> bool {
        self.core(core.0).does() != Idle::Busy
    }
}
