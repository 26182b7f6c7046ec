//! Messages out and back: `send`, `answer`, and `call` to an active server. `wait` is in `receive.rs`.

use alloc::boxed::Box;
use alloc::vec;

use hallows_abi::{Error, Handle, MAX_MESSAGE, MAX_TRANSFERS, ObjectKind, Rights, TraceKind, Transfer};

use crate::capabilities::InFlight;
use crate::inbox::{Answer, Inbox, Message, Payload, Pending, Sender};
use crate::lane::Request;
use crate::objects::Watched;
use crate::slot::{Found, Name, Via};
use crate::sync::Ordering;
use crate::thread::NOBODY;
use crate::{Context, Engine, HandleList, Kernel, Nanos, Outgoing};

impl<E: Engine> Kernel<E> {
    /// Sends a message and waits for its answer: a protected call of a passive server, a message to an active one, an operation of any other
    /// object. Returns the answer's length in bytes.
    ///
    /// # Errors
    /// As the page of the call in `docs/` lists them. `Killed`: the calling program must unwind.
    #[inline]
    pub fn call(
        &self,
        context: &mut Context,
        endpoint: Handle,
        message: Outgoing<'_, E>,
        reply: E::Bytes,
        handles: &mut HandleList,
        deadline: Nanos,
    ) -> Result<u32, Error> {
        let cell = self.current(context);
        self.check_live(cell)?;
        let found = self.capabilities.find(cell, endpoint)?;
        if self.engine.length(message.bytes) > MAX_MESSAGE as usize {
            return Err(Error::TooLong);
        }
        if found.capability.kind != ObjectKind::Endpoint {
            return self.operate(context, cell, &found, &message, reply, handles);
        }
        if !found.capability.rights.contains(Rights::SEND) {
            return Err(Error::NoRight);
        }
        let record = self.endpoints.at(found.capability.index);
        if !record.generation.is(found.capability.generation) {
            return Err(Error::Gone);
        }
        let sample = self.cells.at(cell).tally.makes().then(|| self.begin_sample(cell));
        let result = if record.is_passive() {
            self.protected_call(context, cell, &found, &message, reply, handles, deadline)
        } else {
            self.active_call(context, cell, &found, &message, reply, handles, deadline)
        };
        if let Some(sample) = sample {
            self.end_sample(&mut context.token, cell, record.serving.server(), sample);
        }
        result
    }

    #[expect(clippy::too_many_arguments, reason = "the arguments of one call, taken apart once")]
    fn active_call(
        &self,
        context: &mut Context,
        cell: u32,
        found: &Found,
        message: &Outgoing<'_, E>,
        reply: E::Bytes,
        handles: &mut HandleList,
        deadline: Nanos,
    ) -> Result<u32, Error> {
        let server = self.active_server(context, cell, found)?;
        self.listen_if_useful(context, server);
        let ticket = {
            let (mut inbox, _) = self.cells.at(cell).inbox.lock(&mut context.token);
            inbox.reserve(Pending { server, reply: Some(reply), reserved: 0, done: None })?
        };
        let room = u32::try_from(self.engine.length(reply)).unwrap_or(u32::MAX);
        self.arm(context, deadline);
        let request = || Request { via: found.via, room, heard: self.lanes.at(cell).heard(server) };
        let posted = message.transfers.is_empty()
            && self.post(context, server, message.bytes, ticket, Some(request()));
        if !posted {
            match self.accept_call(context, server, found, message, (ticket, room)) {
                Ok(accepted) if accepted == server => {}
                Ok(accepted) => {
                    self.cells.at(cell).inbox.lock(&mut context.token).0.set_server(ticket, accepted);
                }
                Err(error) => {
                    self.disarm(context);
                    let (mut inbox, _) = self.cells.at(cell).inbox.lock(&mut context.token);
                    inbox.give_up(ticket);
                    return Err(error);
                }
            }
        }
        let answer = loop {
            let lingered = self.linger(context);
            match lingered.heard(&self.lanes) {
                Some((_, heard)) if heard.post.answers(ticket) => {
                    break self.settle_own(context, &heard, reply);
                }
                Some((from, heard)) => self.take_post(context, from, &heard),
                None if lingered.is_in_vain() => self.block(context),
                None => {}
            }
            let redeemed = {
                let (mut inbox, _) = self.cells.at(cell).inbox.lock(&mut context.token);
                inbox.redeem(ticket)
            };
            if let Some((answer, _)) = redeemed {
                break answer;
            }
            let killed = !self.cells.at(cell).is_live();
            if killed || self.has_expired(context, deadline) {
                if !killed {
                    self.name_circle(context, cell);
                }
                if let Some(answer) = self.give_up(context, cell, ticket) {
                    break answer;
                }
                self.disarm(context);
                self.let_go(context);
                return Err(if killed { Error::Killed } else { Error::DeadlinePassed });
            }
        };
        self.lanes.at(cell).was_answered(ticket);
        // Whom it has woken and then not waited for must not wait for it.
        self.let_go(context);
        self.disarm(context);
        let arrives = self.check_live(cell).and(answer.result);
        if answer.flight.is_empty() {
            return arrives;
        }
        if arrives.is_ok() {
            return self.arrive_whole(context, cell, &answer.flight, handles).and(arrives);
        }
        // A lost answer's capabilities are lost with it.
        self.drop_flight(&mut context.token, context.core.0, &answer.flight);
        arrives
    }

    /// Puts the message of a call into its server's inbox; its bytes stay where they are. The cell that has it.
    fn accept_call(
        &self,
        context: &mut Context,
        server: u32,
        found: &Found,
        message: &Outgoing<'_, E>,
        (ticket, room): (u64, u32),
    ) -> Result<u32, Error> {
        let length = u32::try_from(self.engine.length(message.bytes)).map_err(|_| Error::TooLong)?;
        let payload = Payload::Borrowed(message.bytes, length);
        let sender = Sender::Cell { cell: context.thread.0, ticket };
        let (endpoint, badge) = (found.capability.name(), found.capability.badge);
        let sent = Message::new(sender, found.via, endpoint, badge, payload, InFlight::NONE, room);
        self.accept(context, server, sent, message.transfers, Waker::Continues)
    }

    /// Takes back what is owed for a call, and the call itself out of the server's inbox; or finds that the answer has just come.
    fn give_up(&self, context: &mut Context, cell: u32, ticket: u64) -> Option<Answer> {
        let owes = {
            let (mut inbox, _) = self.cells.at(cell).inbox.lock(&mut context.token);
            if let Some((answer, _)) = inbox.redeem(ticket) {
                return Some(answer);
            }
            // Not the server that it was sent to: another may have got it since (`pass_on`).
            inbox.give_up(ticket)
        };
        if let Some(server) = owes {
            self.cancel(context, server, Sender::Cell { cell, ticket });
        }
        None
    }

    /// Takes a message that nobody waits for out of its server's inbox, if it is still there.
    pub(crate) fn cancel(&self, context: &mut Context, server: u32, sender: Sender) {
        let cancelled = self.cells.at(server).inbox.lock(&mut context.token).0.cancel(sender);
        if let Some(message) = cancelled {
            self.drop_flight(&mut context.token, context.core.0, &message.flight);
            self.tell_room(context, server);
        }
    }

    /// The server of an active endpoint, if the caller may send to it.
    fn active_server(&self, context: &Context, cell: u32, found: &Found) -> Result<u32, Error> {
        if cell != context.thread.0 || self.cells.at(cell).is_passive() {
            return Err(Error::NotInHandler);
        }
        self.server_for(cell, found.capability.name())
    }

    /// The server of an endpoint, for a sender.
    #[inline]
    pub(crate) fn server_for(&self, sender: u32, endpoint: Name) -> Result<u32, Error> {
        let record = self.endpoints.at(endpoint.index);
        let server = record.serving.server();
        // Alive behind it: what was read is not the server of the next endpoint at this index.
        if !record.generation.is(endpoint.generation) {
            return Err(Error::Gone);
        }
        match server {
            NOBODY => Err(Error::Gone),
            server if server == sender => Err(Error::Deadlock),
            server => Ok(server),
        }
    }

    /// Puts a message into the inbox of its endpoint's server, which was `server`. The cell that has it.
    pub(crate) fn accept(
        &self,
        context: &mut Context,
        mut server: u32,
        message: Message<E::Bytes>,
        transfers: &[Transfer],
        waker: Waker,
    ) -> Result<u32, Error> {
        let endpoint = message.endpoint;
        if !transfers.is_empty() {
            let (server, accepted, wake) = self.accept_with(context, server, message, transfers);
            return self.accepted(context, (server, endpoint.index), accepted, wake, waker);
        }
        // A refused message is dropped after the lock.
        let (accepted, wake) = loop {
            let (mut inbox, _) = self.cells.at(server).inbox.lock(&mut context.token);
            match self.may_enter(&mut inbox, server, &message) {
                Ok(()) => break (Ok(inbox.put(message)), inbox.take_waiter_if_any()),
                Err(Refusal::For(error)) => break (Err(error), inbox.take_waiter_if_any()),
                Err(Refusal::Moved) => {}
            }
            drop(inbox);
            server = self.server_for(message.sender_cell(), endpoint)?;
        };
        self.accepted(context, (server, endpoint.index), accepted, wake, waker)
    }

    #[inline]
    fn accepted(
        &self,
        context: &mut Context,
        (server, endpoint): (u32, u32),
        accepted: Result<u64, Error>,
        wake: bool,
        waker: Waker,
    ) -> Result<u32, Error> {
        match accepted {
            Ok(token) => {
                let core = self.core(context.core.0);
                core.trace.record(TraceKind::Send, context.thread.0, endpoint, token);
                if wake {
                    match waker {
                        Waker::Continues => self.wake_to_continue(&mut context.token, context.core.0, server),
                        Waker::Runs => self.wake(&mut context.token, context.core.0, server),
                    }
                }
                Ok(server)
            }
            Err(error) => {
                if wake {
                    self.wake(&mut context.token, context.core.0, server);
                }
                Err(error)
            }
        }
    }

    /// Accepts a message with capabilities: they leave their sender's space at the moment at which the message is accepted, under the
    /// tree's lock and the inbox's, so a refused one has never moved them. Not inlined: calls without capabilities stay short.
    #[inline(never)]
    fn accept_with(
        &self,
        context: &mut Context,
        mut server: u32,
        mut message: Message<E::Bytes>,
        transfers: &[Transfer],
    ) -> (u32, Result<u64, Error>, bool) {
        let list = match Self::sendable(transfers) {
            Ok(list) => list,
            Err(error) => return (server, Err(error), false),
        };
        let cell = self.current(context);
        let find = |handle| self.capabilities.find(cell, handle);
        self.change(&mut context.token, |tree, token| {
            if let Err(error) = tree.check(find, &list, message.through.via()) {
                return (server, Err(error), false);
            }
            loop {
                let (mut inbox, _) = self.cells.at(server).inbox.lock(token);
                let dispatched = match self.may_enter(&mut inbox, server, &message) {
                    Ok(()) => tree.dispatch(find, &list),
                    Err(Refusal::For(error)) => Err(error),
                    Err(Refusal::Moved) => {
                        drop(inbox);
                        match self.server_for(cell, message.endpoint) {
                            Ok(other) => server = other,
                            Err(error) => return (server, Err(error), false),
                        }
                        continue;
                    }
                };
                let accepted = dispatched.map(|flight| {
                    message.flight = flight;
                    inbox.put(message)
                });
                return (server, accepted, inbox.take_waiter_if_any());
            }
        })
    }

    /// Whether a message may come in. Under the inbox's lock, which a revocation purges under: what it has emptied cannot bring anything in
    /// any more. And as its server changes under it, what a former server has is all that it will ever have.
    #[inline]
    fn may_enter(
        &self,
        inbox: &mut Inbox<E::Bytes>,
        server: u32,
        message: &Message<E::Bytes>,
    ) -> Result<(), Refusal> {
        let record = self.endpoints.at(message.endpoint.index);
        let is_served_here = record.serving.is(server);
        if !self.capabilities.still(message.through.via()) {
            Err(Refusal::For(Error::Revoked))
        } else if !record.generation.is(message.endpoint.generation) {
            // Another endpoint may live there by now, and this cell serve it.
            Err(Refusal::For(Error::Gone))
        } else if !is_served_here {
            Err(Refusal::Moved)
        } else {
            inbox.admit(message, record.limit.load(Ordering::Relaxed)).map_err(Refusal::For)
        }
    }

    /// Sends a message and returns at once, with the token of its answer, which will have at most `room` bytes.
    ///
    /// # Errors
    /// As the page of the call in `docs/` lists them.
    pub fn send(
        &self,
        context: &mut Context,
        endpoint: Handle,
        message: Outgoing<'_, E>,
        room: u32,
    ) -> Result<u64, Error> {
        let cell = self.current(context);
        self.check_live(cell)?;
        let found = self.capabilities.find(cell, endpoint)?;
        let length = self.engine.length(message.bytes);
        if length > MAX_MESSAGE as usize || room > MAX_MESSAGE {
            return Err(Error::TooLong);
        }
        if found.capability.kind != ObjectKind::Endpoint {
            return Err(Error::WrongObject);
        }
        if !found.capability.rights.contains(Rights::SEND) {
            return Err(Error::NoRight);
        }
        let record = self.endpoints.at(found.capability.index);
        if !record.generation.is(found.capability.generation) {
            return Err(Error::Gone);
        }
        if record.is_passive() {
            // Its handler runs on its caller's time: there is nobody to run it later.
            return Err(Error::WrongObject);
        }
        let server = self.active_server(context, cell, &found)?;
        let budget = self.cells.at(cell).budget.load(Ordering::Relaxed);
        self.budgets.at(budget).charge(u64::from(room))?;
        let ticket = {
            let (mut inbox, _) = self.cells.at(cell).inbox.lock(&mut context.token);
            inbox.reserve(Pending { server, reply: None, reserved: u64::from(room), done: None })
        };
        let ticket = match ticket {
            Ok(ticket) => ticket,
            Err(error) => {
                self.refund(&mut context.token, budget, u64::from(room));
                return Err(error);
            }
        };
        let mut bytes = vec![0; length].into_boxed_slice();
        self.engine.read(message.bytes, &mut bytes);
        let sender = Sender::Cell { cell, ticket };
        let capability = &found.capability;
        let payload = Payload::Owned(bytes);
        let nothing = InFlight::NONE;
        let sent =
            Message::new(sender, found.via, capability.name(), capability.badge, payload, nothing, room);
        if let Err(error) = self.accept(context, server, sent, message.transfers, Waker::Runs) {
            self.cells.at(cell).inbox.lock(&mut context.token).0.give_up(ticket);
            self.refund(&mut context.token, budget, u64::from(room));
            return Err(error);
        }
        Ok(ticket)
    }

    /// Answers a message that was received.
    ///
    /// # Errors
    /// `BadToken`: it was answered already, or its sender gave up. After any error the answer's capabilities are where they were; those
    /// of the answer's capabilities leave the message unanswered.
    pub fn answer(&self, context: &mut Context, token: u64, message: Outgoing<'_, E>) -> Result<(), Error> {
        self.answer_waking(context, token, &message, Waker::Runs)
    }

    pub(crate) fn answer_waking(
        &self,
        context: &mut Context,
        token: u64,
        message: &Outgoing<'_, E>,
        waker: Waker,
    ) -> Result<(), Error> {
        let cell = self.current(context);
        self.check_live(cell)?;
        if self.engine.length(message.bytes) > MAX_MESSAGE as usize
            || message.transfers.len() > MAX_TRANSFERS as usize
        {
            return Err(Error::TooLong);
        }
        let (answered, flight, refused) = if message.transfers.is_empty() {
            let (mut inbox, _) = self.cells.at(cell).inbox.lock(&mut context.token);
            let answered = inbox.drop_answered(token, Owed::of).ok_or(Error::BadToken)?;
            (answered, InFlight::NONE, inbox.has_refused())
        } else {
            self.answer_with(context, cell, token, message.transfers)?
        };
        self.cells.at(cell).tally.answers();
        if refused {
            self.tell_room(context, cell);
        }
        let Owed { caller, ticket, room, to_call } = answered;
        if caller != NOBODY && to_call {
            // Who calls again finds it listening, also where it does something else before it waits.
            self.listen_if_useful(context, caller);
            let fits = flight.is_empty() && self.engine.length(message.bytes) <= room as usize;
            if fits && self.post(context, caller, message.bytes, ticket, None) {
                return Ok(());
            }
        }
        self.core(context.core.0).trace.record(TraceKind::Answer, context.thread.0, cell, token);
        let sender = if caller == NOBODY { Sender::Kernel } else { Sender::Cell { cell: caller, ticket } };
        self.deliver(context, sender, room, Ok((message.bytes, flight)), waker);
        Ok(())
    }

    /// Takes out the message that an answer with capabilities is for, as they leave, as in [`Self::accept_with`]; and whether anybody was
    /// told `Busy`.
    #[inline(never)]
    fn answer_with(
        &self,
        context: &mut Context,
        cell: u32,
        token: u64,
        transfers: &[Transfer],
    ) -> Result<(Owed, InFlight, bool), Error> {
        let list = Self::sendable(transfers)?;
        let find = |handle| self.capabilities.find(cell, handle);
        self.change(&mut context.token, |tree, below| {
            let (mut inbox, _) = self.cells.at(cell).inbox.lock(below);
            if !inbox.is_received(token) {
                return Err(Error::BadToken);
            }
            tree.check(find, &list, Via::KERNEL)?;
            let flight = tree.dispatch(find, &list)?;
            let answered = inbox.drop_answered(token, Owed::of).ok_or(Error::BadToken)?;
            Ok((answered, flight, inbox.has_refused()))
        })
    }

    /// Gives a sender its answer, or the error instead.
    pub(crate) fn deliver(
        &self,
        context: &mut Context,
        sender: Sender,
        room: u32,
        answer: Result<(E::Bytes, InFlight), Error>,
        waker: Waker,
    ) {
        let Sender::Cell { cell, ticket } = sender else {
            if let Ok((_, flight)) = answer {
                self.drop_flight(&mut context.token, context.core.0, &flight);
            }
            return;
        };
        let (undelivered, wake) = {
            let (mut inbox, _) = self.cells.at(cell).inbox.lock(&mut context.token);
            let answer = match inbox.reply_memory(ticket) {
                None => Answer {
                    flight: answer.map_or(InFlight::NONE, |(_, flight)| flight),
                    ..Answer::error(Error::Gone)
                },
                Some(memory) => self.fill(memory, room, answer),
            };
            let is_call = matches!(inbox.reply_memory(ticket), Some(Some(_)));
            match inbox.complete(ticket, answer) {
                Ok(()) => (InFlight::NONE, is_call || inbox.take_waiter_if_any()),
                Err(answer) => (answer.flight, false),
            }
        };
        self.drop_flight(&mut context.token, context.core.0, &undelivered);
        if wake {
            match waker {
                Waker::Continues => self.wake_to_continue(&mut context.token, context.core.0, cell),
                Waker::Runs => self.wake(&mut context.token, context.core.0, cell),
            }
        }
    }

    /// Copies an answer to where its sender wants it: under the sender's inbox lock, so that it cannot give up meanwhile.
    fn fill(
        &self,
        memory: Option<E::Bytes>,
        room: u32,
        answer: Result<(E::Bytes, InFlight), Error>,
    ) -> Answer {
        let (bytes, flight) = match answer {
            Ok(answer) => answer,
            Err(error) => return Answer::error(error),
        };
        let length = self.engine.length(bytes);
        if length > room as usize {
            // The capabilities of a lost answer are dropped by the receiver, with the error.
            return Answer { flight, ..Answer::error(Error::AnswerTooLong) };
        }
        let copied: Option<Box<[u8]>> = match memory {
            Some(memory) => {
                self.engine.copy(bytes, memory, length);
                None
            }
            None => {
                let mut copy = vec![0; length].into_boxed_slice();
                self.engine.read(bytes, &mut copy);
                Some(copy)
            }
        };
        Answer { result: u32::try_from(length).map_err(|_| Error::AnswerTooLong), bytes: copied, flight }
    }

    /// Tells the watchers of endpoints that have room again.
    pub(crate) fn tell_room(&self, context: &mut Context, server: u32) {
        loop {
            let endpoint = {
                let (mut inbox, _) = self.cells.at(server).inbox.lock(&mut context.token);
                inbox.take_refused(|endpoint| self.endpoints.at(endpoint).limit.load(Ordering::Relaxed))
            };
            let Some(endpoint) = endpoint else { return };
            self.tell_endpoint_watchers(&mut context.token, context.core.0, endpoint, Watched::Room);
        }
    }
}

/// Why a message did not enter an inbox.
pub(crate) enum Refusal {
    /// Another cell serves its endpoint now.
    Moved,
    /// Its sender gets this error.
    For(Error),
}

/// Who is owed an answer, and what kind.
struct Owed {
    /// The cell that sent the message; nobody if the kernel did.
    caller: u32,
    /// The name of its pending one.
    ticket: u64,
    /// Bytes that the sender has room for.
    room: u32,
    /// The sender waits for it in a `call`.
    to_call: bool,
}

impl Owed {
    #[inline]
    fn of<B>(message: &Message<B>) -> Self {
        let to_call = matches!(message.payload, Payload::Borrowed(..));
        let (caller, ticket) = match message.sender {
            Sender::Cell { cell, ticket } => (cell, ticket),
            Sender::Kernel => (NOBODY, 0),
        };
        Self { caller, ticket, room: message.room, to_call }
    }
}

/// What the waker of a thread does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waker {
    /// It is about to wait: the woken thread may have the rest of its slice.
    Continues,
    /// It goes on.
    Runs,
}

/// A message of the kernel itself.
pub(crate) fn from_kernel<B>(endpoint: Name, badge: u64, bytes: Box<[u8]>) -> Message<B> {
    Message::new(Sender::Kernel, Via::KERNEL, endpoint, badge, Payload::Owned(bytes), InFlight::NONE, 0)
}
