//! The inbox of a cell: messages to its endpoints, answers to what it sent, notifications. Plain data behind one lock, so
//! that a model check can run exactly this code.
//!
//! A message is in its server's inbox from its acceptance until it is answered, cancelled or purged; what its sender is
//! owed is a [`Pending`] in the sender's own inbox, reserved before the message is sent, so an answer always has room. Whoever
//! takes a message out of an inbox completes the sender's pending one, once: that is how every accepted message gets exactly
//! one answer or one error.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hallows_abi::Error;

use crate::capabilities::InFlight;
use crate::slab::Slab;
use crate::slot::{Name, Via};
use crate::thread::NOBODY;
use crate::through::{Ended, Step, Through};

/// The most bytes of sent messages that may wait in one inbox: a flood costs its sender `Busy` and not the machine its memory.
pub const MAX_QUEUED_BYTES: usize = 1 << 20;

/// The most sends of one cell that may be unanswered.
pub const MAX_PENDING: usize = 1_024;

/// The bytes of a message or an answer on their way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Payload<B> {
    /// Still in the memory of its sender, who is blocked until the message is out of this inbox.
    Borrowed(B, u32),
    /// Copied: of a `send`.
    Owned(Box<[u8]>),
}

impl<B> Payload<B> {
    /// Bytes in it.
    pub fn length(&self) -> usize {
        match self {
            Self::Borrowed(_, length) => *length as usize,
            Self::Owned(bytes) => bytes.len(),
        }
    }

    /// Bytes of the kernel's memory that it takes.
    fn owned(&self) -> usize {
        match self {
            Self::Borrowed(..) => 0,
            Self::Owned(bytes) => bytes.len(),
        }
    }
}

/// Who sent a message: a pending one in a cell's inbox; or the kernel, which wants no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sender {
    /// A cell, and the name of its pending one.
    Cell {
        /// The cell's index.
        cell: u32,
        /// What [`Inbox::reserve`] returned.
        ticket: u64,
    },
    /// The kernel.
    Kernel,
}

/// A message in an inbox.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message<B> {
    /// Who is owed an answer.
    pub sender: Sender,
    /// The capability that it came through.
    pub through: Through,
    /// The endpoint.
    pub endpoint: Name,
    /// The capability's badge.
    pub badge: u64,
    /// Its bytes.
    pub payload: Payload<B>,
    /// Its capabilities.
    pub flight: InFlight,
    /// The longest answer that the sender has room for, in bytes.
    pub room: u32,
    received: bool,
}

impl<B> Message<B> {
    /// A message that was not received yet.
    pub const fn new(
        sender: Sender,
        via: Via,
        endpoint: Name,
        badge: u64,
        payload: Payload<B>,
        flight: InFlight,
        room: u32,
    ) -> Self {
        let through = Through::new(via);
        Self { sender, through, endpoint, badge, payload, flight, room, received: false }
    }

    /// The cell that sent it, or [`NOBODY`].
    pub const fn sender_cell(&self) -> u32 {
        match self.sender {
            Sender::Cell { cell, .. } => cell,
            Sender::Kernel => NOBODY,
        }
    }
}

/// What a sender is owed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pending<B> {
    /// The cell that serves.
    pub server: u32,
    /// The memory for the answer of a `call`; none for a `send`.
    pub reply: Option<B>,
    /// Bytes of the sender's budget that are reserved for the answer.
    pub reserved: u64,
    /// The answer, when it has come.
    pub done: Option<Answer>,
}

/// An answer, or the error instead of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    /// Its length in bytes, or why there is none.
    pub result: Result<u32, Error>,
    /// Its bytes, of the answer to a `send`. A call's are in its reply memory already.
    pub bytes: Option<Box<[u8]>>,
    /// Its capabilities.
    pub flight: InFlight,
}

impl Answer {
    /// An error.
    pub const fn error(error: Error) -> Self {
        Self { result: Err(error), bytes: None, flight: InFlight::NONE }
    }
}

/// What is next in an inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// A message: its token.
    Message(u64),
    /// An answer: its ticket.
    Answer(u64),
    /// A notification: its index.
    Notification(u32),
}

/// What the owner of an inbox is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Life {
    /// Not there: never started, dead, being restarted.
    Closed,
    /// Takes messages.
    Open,
}

/// See the module's description. `B` is a range of a program's memory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Inbox<B> {
    life: Life,
    /// The owner waits for an event: who brings one wakes it.
    waiting: bool,
    queue: VecDeque<Entry>,
    queued_bytes: usize,
    messages: Slab<Message<B>>,
    pending: Slab<Pending<B>>,
    /// Endpoints whose sender was told `Busy` since a message was last taken.
    refused: Vec<u32>,
    /// Endpoints served and notifications bound: sources that can end a wait.
    pub sources: u32,
}

impl<B: Copy> Default for Inbox<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Copy> Inbox<B> {
    /// Closed and empty.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            life: Life::Closed,
            waiting: false,
            queue: VecDeque::new(),
            queued_bytes: 0,
            messages: Slab::new(),
            pending: Slab::new(),
            refused: Vec::new(),
            sources: 0,
        }
    }

    /// Takes messages from now on.
    pub const fn open(&mut self) {
        self.life = Life::Open;
    }

    /// Whether the owner should be woken, once: it waited and something is there now.
    pub fn take_waiter_if_any(&mut self) -> bool {
        !self.queue.is_empty() && core::mem::replace(&mut self.waiting, false)
    }

    /// Whether a message would be accepted, unless its endpoint has `limit` messages waiting already.
    ///
    /// # Errors
    /// `NotReady` of a closed inbox; `Busy` of a full one, and the endpoint is noted for [`Self::take_refused`].
    #[inline]
    pub fn admit(&mut self, message: &Message<B>, limit: u32) -> Result<(), Error> {
        // The kernel's own messages (one fault a life of a cell) are bounded by the number of cells and always have room.
        let limit = if message.sender == Sender::Kernel { None } else { Some(limit) };
        self.admit_bytes(message.endpoint.index, message.payload.owned(), limit)
    }

    /// The same of a message to `endpoint` that takes so many bytes of the kernel's memory; without a limit it is the kernel's own.
    ///
    /// # Errors
    /// As [`Self::admit`].
    #[inline(always)]
    pub fn admit_bytes(&mut self, endpoint: u32, owned: usize, limit: Option<u32>) -> Result<(), Error> {
        if self.life == Life::Closed {
            return Err(Error::NotReady);
        }
        let Some(limit) = limit else { return Ok(()) };
        if self.messages.len() >= limit as usize || self.queued_bytes + owned > MAX_QUEUED_BYTES {
            return Err(self.refuse(endpoint));
        }
        Ok(())
    }

    #[cold]
    fn refuse(&mut self, endpoint: u32) -> Error {
        if !self.refused.contains(&endpoint) {
            self.refused.push(endpoint);
        }
        Error::Busy
    }

    /// Accepts a message.
    ///
    /// # Errors
    /// As [`Self::admit`]; the message comes back.
    pub fn accept(&mut self, message: Message<B>, limit: u32) -> Result<u64, (Error, Message<B>)> {
        match self.admit(&message, limit) {
            Ok(()) => Ok(self.put(message)),
            Err(error) => Err((error, message)),
        }
    }

    /// Accepts a message that was [admitted](Self::admit) under this hold of the lock.
    #[inline]
    pub fn put(&mut self, message: Message<B>) -> u64 {
        self.queued_bytes += message.payload.owned();
        let token = self.messages.insert(message);
        self.queue.push_back(Entry::Message(token));
        token
    }

    /// Accepts a message that was [admitted](Self::admit) under this hold of the lock and that its owner takes at once, with nothing queued
    /// before it.
    #[inline(always)]
    pub fn put_received(&mut self, mut message: Message<B>) -> u64 {
        self.waiting = false;
        self.queued_bytes += message.payload.owned();
        message.received = true;
        self.messages.insert(message)
    }

    /// Whether nothing is queued.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Notes a notification; once, however often it is signalled before it is taken.
    pub fn notify(&mut self, notification: u32) {
        let entry = Entry::Notification(notification);
        if self.life == Life::Open && !self.queue.contains(&entry) {
            self.queue.push_back(entry);
        }
    }

    /// Takes out the next entry; or notes that the owner waits.
    pub fn next(&mut self) -> Option<Entry> {
        let entry = self.queue.pop_front();
        self.waiting = entry.is_none();
        entry
    }

    /// The message of an entry just taken: it counts as received. Its capabilities are the receiver's to place.
    pub fn receive(&mut self, token: u64) -> Option<(&mut Message<B>, InFlight)> {
        let message = self.messages.get_mut(token)?;
        message.received = true;
        let flight = core::mem::replace(&mut message.flight, InFlight::NONE);
        Some((message, flight))
    }

    /// Whether a message was received and not answered.
    pub fn is_received(&mut self, token: u64) -> bool {
        self.messages.get_mut(token).is_some_and(|message| message.received)
    }

    /// Takes out a received message, to answer it.
    pub fn answer(&mut self, token: u64) -> Option<Message<B>> {
        if !self.is_received(token) {
            return None;
        }
        self.remove(token)
    }

    /// Drops a received message, which is answered; what `look` found in it.
    #[inline]
    pub fn drop_answered<R>(&mut self, token: u64, look: impl FnOnce(&Message<B>) -> R) -> Option<R> {
        let look = |message: &Message<B>| message.received.then(|| (look(message), message.payload.owned()));
        let (found, owned) = self.messages.drop_if(token, look)?;
        self.queued_bytes -= owned;
        Some(found)
    }

    fn remove(&mut self, token: u64) -> Option<Message<B>> {
        let message = self.messages.remove(token)?;
        self.queued_bytes -= message.payload.owned();
        if !message.received {
            self.queue.retain(|entry| *entry != Entry::Message(token));
        }
        Some(message)
    }

    /// Takes out the message that a sender gives up.
    pub fn cancel(&mut self, sender: Sender) -> Option<Message<B>> {
        let (token, _) = self.messages.names().find(|(_, message)| message.sender == sender)?;
        self.remove(token)
    }

    /// Takes out one message that a revocation ends, received or not.
    pub fn purge(&mut self, end: Ended) -> Option<Message<B>> {
        let (token, _) = self.messages.names().find(|(_, message)| message.through.is_ended_by(end))?;
        self.remove(token)
    }

    /// Messages that came through a capability go along with it.
    pub fn follow(&mut self, step: &Step) {
        self.messages.values_mut().for_each(|message| message.through.follow(step));
    }

    /// Takes out one message to an endpoint.
    pub fn purge_endpoint(&mut self, endpoint: u32) -> Option<Message<B>> {
        let (token, _) = self.messages.names().find(|(_, message)| message.endpoint.index == endpoint)?;
        self.remove(token)
    }

    /// Closes the inbox and takes out one message; call until there is none.
    pub fn close(&mut self) -> Option<Message<B>> {
        self.life = Life::Closed;
        self.waiting = false;
        let token = self.messages.names().next().map(|(token, _)| token);
        token.and_then(|token| self.remove(token))
    }

    /// Forgets everything that the owner of a closed inbox was owed or told; gives back the answers' capabilities.
    pub fn forget(&mut self, mut undelivered: impl FnMut(InFlight, u64)) {
        self.waiting = false;
        self.queue.clear();
        self.refused.clear();
        self.sources = 0;
        let tickets: Vec<u64> = self.pending.names().map(|(ticket, _)| ticket).collect();
        for ticket in tickets {
            if let Some(pending) = self.pending.remove(ticket) {
                undelivered(pending.done.map_or(InFlight::NONE, |answer| answer.flight), pending.reserved);
            }
        }
    }

    /// Reserves room for an answer before a message is sent.
    #[inline(always)]
    pub fn reserve(&mut self, pending: Pending<B>) -> Result<u64, Error> {
        if self.pending.len() >= MAX_PENDING {
            return Err(Error::Busy);
        }
        Ok(self.pending.insert(pending))
    }

    /// How many sends and calls of the owner are unanswered or their answers untaken.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.pending.len()
    }

    /// How many messages wait or are unanswered.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.messages.len()
    }

    /// Whether the owner waits although there is something: a lost wake-up.
    #[must_use]
    pub fn waits_with_events(&self) -> bool {
        self.waiting && !self.queue.is_empty()
    }

    /// Whether the answer to a `call` has come and was not taken.
    #[must_use]
    pub fn has_answered_call(&self) -> bool {
        self.pending.names().any(|(_, pending)| pending.reply.is_some() && pending.done.is_some())
    }

    /// The `call` of the owner whose answer is owed, if it waits for one: its ticket, and the cell that it calls.
    #[must_use]
    pub fn owed_call(&self) -> Option<(u64, u32)> {
        let owed = |pending: &Pending<B>| pending.reply.is_some() && pending.done.is_none();
        self.pending
            .names()
            .find(|(_, pending)| owed(pending))
            .map(|(ticket, pending)| (ticket, pending.server))
    }

    /// The memory that an answer to a pending one goes into, while it is owed.
    pub fn reply_memory(&mut self, ticket: u64) -> Option<Option<B>> {
        let pending = self.pending.get_mut(ticket)?;
        pending.done.is_none().then_some(pending.reply)
    }

    /// Delivers an answer. Gives it back if it is not owed (any more).
    pub fn complete(&mut self, ticket: u64, answer: Answer) -> Result<(), Answer> {
        let Some(pending) = self.pending.get_mut(ticket) else { return Err(answer) };
        if pending.done.is_some() {
            return Err(answer);
        }
        let is_call = pending.reply.is_some();
        pending.done = Some(answer);
        if !is_call {
            self.queue.push_back(Entry::Answer(ticket));
        }
        Ok(())
    }

    /// Takes the answer that has come; the ticket is stale then.
    pub fn redeem(&mut self, ticket: u64) -> Option<(Answer, u64)> {
        self.pending.get_mut(ticket)?.done.as_ref()?;
        let pending = self.pending.remove(ticket)?;
        Some((pending.done?, pending.reserved))
    }

    /// Gives up what is owed. Who owed it, if anybody did.
    #[inline]
    pub fn give_up(&mut self, ticket: u64) -> Option<u32> {
        self.pending.drop_if(ticket, |pending| Some(pending.server))
    }

    /// A message went to another server than its answer was reserved for. False: nothing is owed for it any more.
    pub fn set_server(&mut self, ticket: u64, server: u32) -> bool {
        self.pending.get_mut(ticket).map(|pending| pending.server = server).is_some()
    }

    /// How many messages to an endpoint wait or are unanswered.
    #[must_use]
    pub fn messages_to(&self, endpoint: u32) -> u64 {
        self.messages.names().filter(|(_, message)| message.endpoint.index == endpoint).map(|_| 1).sum()
    }

    /// Forgets that an endpoint's senders were told `Busy`. Whether they were.
    pub fn forget_refused(&mut self, endpoint: u32) -> bool {
        let before = self.refused.len();
        self.refused.retain(|refused| *refused != endpoint);
        self.refused.len() < before
    }

    /// An endpoint whose senders were told `Busy` and that has room again.
    pub fn take_refused(&mut self, limit_of: impl Fn(u32) -> u32) -> Option<u32> {
        let length = self.messages.len();
        let place = self.refused.iter().position(|endpoint| length < limit_of(*endpoint) as usize)?;
        Some(self.refused.swap_remove(place))
    }

    /// Whether any sender was told `Busy` since.
    #[must_use]
    pub fn has_refused(&self) -> bool {
        !self.refused.is_empty()
    }
}
