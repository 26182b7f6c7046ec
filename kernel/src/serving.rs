//! Who serves an endpoint, and how another cell comes to serve it while it is called.
//!
//! The server changes in one store, and nobody is stopped for it. Who was told the old server just before looks again once it
//! holds what makes it seen: a sender the server's inbox lock, a protected caller the server's monitor. If another serves now, it
//! lets go and begins again there. So from the store on nothing new enters the old server, and what is in it is found by who looks:
//!
//! - The store to an active endpoint is made under the old server's inbox lock. A message is in an inbox only if it entered under that
//!   lock while the cell served.
//! - A caller writes the monitor's word, then looks at the server; who looks for callers looks at the word after the store. All
//!   are sequentially consistent, so one of the two sees the other (as with revocations, `monitor.rs`).
//!
//! What a former server has taken stays with it, and it answers that. A revocation and the endpoint's end look for it there: former
//! servers are remembered as long as they have something.

use alloc::boxed::Box;
use alloc::vec::Vec;

use hallows_abi::{Error, Reply};

use crate::cell::CellState;
use crate::inbox::Inbox;
use crate::lock::{Lock, Token, level};
use crate::objects::Watched;
use crate::slot::Name;
use crate::sync::{AtomicU32, Ordering, beside_sequentially_consistent_access};
use crate::thread::NOBODY;
use crate::{Context, Engine, Kernel};

/// Former servers of one endpoint that may have something of it at the same time: what looks for messages looks in all of them.
pub const MAX_FORMER: usize = 8;

/// The server of one endpoint, and those that it had before.
#[derive(Debug)]
pub struct Serving {
    server: AtomicU32,
    /// Whether `former` has any: looked at where the lock would cost.
    has_former: AtomicU32,
    /// Cells that served before and may have messages of this endpoint, or a caller inside. Held while the server changes.
    pub former: Lock<{ level::SERVING }, Vec<u32>>,
}

impl Default for Serving {
    fn default() -> Self {
        Self { server: AtomicU32::new(NOBODY), has_former: AtomicU32::new(0), former: Lock::default() }
    }
}

impl Serving {
    /// The cell that serves, or [`NOBODY`] when the endpoint has ended. It may change at once: see [`Self::is`].
    #[inline]
    pub fn server(&self) -> u32 {
        beside_sequentially_consistent_access();
        self.server.load(Ordering::SeqCst)
    }

    /// Whether a cell still serves: asked with its inbox locked, or with its monitor taken; then whether it is still the same endpoint.
    #[inline]
    pub fn is(&self, server: u32) -> bool {
        self.server() == server
    }

    /// Another serves from now on. While others call: with `former` locked, and the old server's inbox.
    pub fn change(&self, server: u32) {
        self.server.store(server, Ordering::SeqCst);
        beside_sequentially_consistent_access();
    }

    /// The cells that served before and may have something. Asked after [`Self::server`]: then none is missed that served meanwhile.
    pub fn former<const M: u8>(&self, token: &mut Token<'_, M>) -> Box<[u32]> {
        const { assert!(M < level::SERVING) };
        if !self.has_former() {
            return Box::default();
        }
        self.former.lock(token).0.as_slice().into()
    }

    /// Whether there are any.
    pub fn has_former(&self) -> bool {
        // Acquire: set before the server was changed, which the caller has looked at.
        self.has_former.load(Ordering::Acquire) != 0
    }

    /// Says whether there are former servers. With `former` locked, before [`Self::change`].
    pub fn note_former(&self, former: &[u32]) {
        self.has_former.store(u32::from(!former.is_empty()), Ordering::Release);
    }
}

impl<E: Engine> Kernel<E> {
    /// Works with the inbox of an endpoint's server, which it stays until the work is done. None when the endpoint has ended, whatever lives at
    /// its place by now.
    pub(crate) fn with_server<const M: u8, T>(
        &self,
        token: &mut Token<'_, M>,
        endpoint: Name,
        work: impl FnOnce(u32, &mut Inbox<E::Bytes>) -> T,
    ) -> Option<T> {
        let record = self.endpoints.at(endpoint.index);
        loop {
            let server = record.serving.server();
            if server == NOBODY || !record.generation.is(endpoint.generation) {
                return None;
            }
            let (mut inbox, _) = self.cells.at(server).inbox.lock(token);
            // In this order: the server that was read is not the next endpoint's.
            if record.serving.is(server) && record.generation.is(endpoint.generation) {
                return Some(work(server, &mut inbox));
            }
        }
    }

    /// How much of an endpoint a cell that served it still has: messages that are not answered, or a caller inside.
    fn left_with<const M: u8>(&self, token: &mut Token<'_, M>, endpoint: u32, cell: u32) -> u64 {
        const { assert!(M < level::INBOX) };
        let record = self.cells.at(cell);
        if self.endpoints.at(endpoint).is_passive() {
            // Whoever is inside may have come by this endpoint.
            u64::from(record.monitor.holder().is_some())
        } else {
            record.inbox.lock(token).0.messages_to(endpoint)
        }
    }

    /// Another cell serves an endpoint from now on. As a number: what its former servers still have of it, to answer.
    ///
    /// # Errors
    /// `Gone`: endpoint or cell have ended. `BadState`: the one is passive and the other is not. `NotReady`: the cell does not run. `Busy`: as many
    /// former servers as can be remembered have something.
    pub(crate) fn reassign(
        &self,
        context: &mut Context,
        Name { index: endpoint, generation }: Name,
        server: Name,
    ) -> Result<Reply, Error> {
        let (record, cell) = (self.endpoints.at(endpoint), server.index);
        let (old, refused, left) = {
            // Held until all is done: changes come one after the other, and the endpoint's end after them.
            let (mut former, mut token) = record.serving.former.lock(&mut context.token);
            if !record.generation.is(generation) {
                return Err(Error::Gone);
            }
            former.retain(|past| self.left_with(&mut token, endpoint, *past) > 0);
            record.serving.note_former(&former);
            let old = record.serving.server();
            let mut refused = false;
            if old != cell {
                if former.len() >= MAX_FORMER && !former.contains(&old) {
                    return Err(Error::Busy);
                }
                refused = self.change_server(&mut token, endpoint, (old, server), &mut former)?;
            }
            let left = former.iter().map(|past| self.left_with(&mut token, endpoint, *past)).sum();
            (old, refused, left)
        };
        if old != cell {
            // If it waits for this endpoint alone, it waits for nothing now.
            self.wake(&mut context.token, context.core.0, old);
            let bits = Watched::Running as u64 | if refused { Watched::Room as u64 } else { 0 };
            self.signal_watchers(&mut context.token, context.core.0, endpoint, bits);
        }
        Ok(Reply::Number(left))
    }

    /// The change itself. Whether a sender waits for room.
    fn change_server(
        &self,
        token: &mut Token<'_, { level::SERVING }>,
        endpoint: u32,
        (old, server): (u32, Name),
        former: &mut Vec<u32>,
    ) -> Result<bool, Error> {
        let (record, next) = (self.endpoints.at(endpoint), self.cells.at(server.index));
        let active = u32::from(!record.is_passive());
        let refused = {
            // Under the lock that the cell's end is noted under: it serves when it ends, or was never given the endpoint.
            let (mut control, mut token) = next.control.lock(token);
            if !next.generation.is(server.generation) {
                return Err(Error::Gone);
            }
            if next.is_passive() != record.is_passive() {
                return Err(Error::BadState);
            }
            if next.state() != CellState::Running {
                return Err(Error::NotReady);
            }
            if !former.contains(&old) {
                former.push(old);
            }
            record.serving.note_former(former);
            let refused = {
                let (mut inbox, _) = self.cells.at(old).inbox.lock(&mut token);
                record.serving.change(server.index);
                inbox.forget_refused(endpoint)
            };
            control.serves.push(endpoint);
            next.inbox.lock(&mut token).0.sources += active;
            refused
        };
        self.serves_no_more(token, old, endpoint, active);
        Ok(refused)
    }

    /// Takes an endpoint off a cell's list, and with it what its wait could end by.
    pub(crate) fn serves_no_more<const M: u8>(
        &self,
        token: &mut Token<'_, M>,
        cell: u32,
        endpoint: u32,
        active: u32,
    ) {
        const { assert!(M < level::CONTROL) };
        let (mut control, mut token) = self.cells.at(cell).control.lock(token);
        let before = control.serves.len();
        control.serves.retain(|served| *served != endpoint);
        if control.serves.len() < before {
            let (mut inbox, _) = self.cells.at(cell).inbox.lock(&mut token);
            inbox.sources = inbox.sources.saturating_sub(active);
        }
    }
}
