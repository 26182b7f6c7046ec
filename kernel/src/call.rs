//! The calls of programs: `send`, `answer`, `wait`, and `call` to an active server.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use hallows_abi::{
    Error, Event, EventKind, Handle, MAX_MESSAGE, MAX_TRANSFERS, ObjectKind, Rights, TraceKind, Transfer,
    TransferMode,
};

use crate::capabilities::{Carried, InFlight};
use crate::inbox::{Answer, Entry, Inbox, Message, Payload, Pending, Sender};
use crate::lane::Request;
use crate::linger::Lingered;
use crate::objects::Watched;
use crate::slot::{Found, Via};
use crate::sync::Ordering;
use crate::{Context, Engine, HandleList, Kernel, Nanos, Outgoing, TransferList};

/// The list that the engine gives, as the kernel keeps it.
pub(crate) fn transfer_list(transfers: &[Transfer]) -> Result<TransferList, Error> {
    let mut list = TransferList::EMPTY;
    transfers.iter().try_for_each(|transfer| list.push(*transfer)).map_err(|_| Error::TooLong)?;
    Ok(list)
}

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
        if record.is_passive() {
            self.protected_call(context, cell, &found, &message, reply, handles, deadline)
        } else {
            self.active_call(context, cell, &found, &message, reply, handles, deadline)
        }
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
        let length = u32::try_from(self.engine.length(message.bytes)).map_err(|_| Error::TooLong)?;
        let payload = Payload::Borrowed(message.bytes, length);
        let room = u32::try_from(self.engine.length(reply)).unwrap_or(u32::MAX);
        let sender = Sender::Cell { cell, ticket };
        let capability = &found.capability;
        let nothing = InFlight::NONE;
        let sent =
            Message::new(sender, found.via, capability.index, capability.badge, payload, nothing, room);
        self.arm(context, deadline);
        let posted = message.transfers.is_empty()
            && self.post(
                context,
                server,
                message.bytes,
                ticket,
                Some(Request { via: found.via, room, heard: self.lanes.at(cell).heard(server) }),
            );
        if !posted && let Err(error) = self.accept(context, server, sent, message.transfers, Waker::Continues)
        {
            self.disarm(context);
            let (mut inbox, _) = self.cells.at(cell).inbox.lock(&mut context.token);
            inbox.give_up(ticket);
            return Err(error);
        }
        let answer = loop {
            match self.linger(context) {
                Lingered::Heard(_, post) if post.answers(ticket) => {
                    break self.settle_own(context, &post, reply);
                }
                Lingered::Heard(from, post) => self.take_post(context, from, &post),
                Lingered::Woken => {}
                Lingered::InVain => self.block(context),
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
                if let Some(answer) = self.give_up(context, cell, server, ticket) {
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

    /// Takes back what is owed for a call, and the call itself out of the server's inbox; or finds that the answer has just come.
    fn give_up(&self, context: &mut Context, cell: u32, server: u32, ticket: u64) -> Option<Answer> {
        {
            let (mut inbox, _) = self.cells.at(cell).inbox.lock(&mut context.token);
            if let Some((answer, _)) = inbox.redeem(ticket) {
                return Some(answer);
            }
            inbox.give_up(ticket);
        }
        let cancelled = {
            let (mut inbox, _) = self.cells.at(server).inbox.lock(&mut context.token);
            inbox.cancel(Sender::Cell { cell, ticket })
        };
        if let Some(message) = cancelled {
            self.drop_flight(&mut context.token, context.core.0, &message.flight);
            self.tell_room(context, server);
        }
        None
    }

    /// The server of an active endpoint, if the caller may send to it.
    fn active_server(&self, context: &Context, cell: u32, found: &Found) -> Result<u32, Error> {
        if cell != context.thread.0 || self.cells.at(cell).is_passive() {
            return Err(Error::NotInHandler);
        }
        let server = self.endpoints.at(found.capability.index).server.load(Ordering::Relaxed);
        if server == cell { Err(Error::Deadlock) } else { Ok(server) }
    }

    fn accept(
        &self,
        context: &mut Context,
        server: u32,
        message: Message<E::Bytes>,
        transfers: &[Transfer],
        waker: Waker,
    ) -> Result<(), Error> {
        let endpoint = message.endpoint;
        if !transfers.is_empty() {
            let (accepted, wake) = self.accept_with(context, server, message, transfers);
            return self.accepted(context, (server, endpoint), accepted, wake, waker);
        }
        // A refused message is dropped after the lock.
        let (accepted, wake) = {
            let (mut inbox, _) = self.cells.at(server).inbox.lock(&mut context.token);
            let accepted = match self.may_enter(&mut inbox, &message) {
                Ok(()) => Ok(inbox.put(message)),
                Err(error) => Err(error),
            };
            (accepted, inbox.take_waiter_if_any())
        };
        self.accepted(context, (server, endpoint), accepted, wake, waker)
    }

    #[inline]
    fn accepted(
        &self,
        context: &mut Context,
        (server, endpoint): (u32, u32),
        accepted: Result<u64, Error>,
        wake: bool,
        waker: Waker,
    ) -> Result<(), Error> {
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
                Ok(())
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
        server: u32,
        mut message: Message<E::Bytes>,
        transfers: &[Transfer],
    ) -> (Result<u64, Error>, bool) {
        let list = match Self::sendable(transfers) {
            Ok(list) => list,
            Err(error) => return (Err(error), false),
        };
        let cell = self.current(context);
        let find = |handle| self.capabilities.find(cell, handle);
        self.change(&mut context.token, |tree, token| {
            if let Err(error) = tree.check(find, &list, message.through.via()) {
                return (Err(error), false);
            }
            let (mut inbox, _) = self.cells.at(server).inbox.lock(token);
            let dispatched = self.may_enter(&mut inbox, &message).and_then(|()| tree.dispatch(find, &list));
            let accepted = dispatched.map(|flight| {
                message.flight = flight;
                inbox.put(message)
            });
            (accepted, inbox.take_waiter_if_any())
        })
    }

    /// Whether a message may come in. Under the inbox's lock, which a revocation purges under: what it has emptied cannot bring anything in
    /// any more.
    #[inline]
    fn may_enter(&self, inbox: &mut Inbox<E::Bytes>, message: &Message<E::Bytes>) -> Result<(), Error> {
        let record = self.endpoints.at(message.endpoint);
        if !self.capabilities.still(message.through.via()) {
            Err(Error::Revoked)
        } else if !record.generation.is_alive() {
            Err(Error::Gone)
        } else {
            inbox.admit(message, record.limit.load(Ordering::Relaxed))
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
            Message::new(sender, found.via, capability.index, capability.badge, payload, nothing, room);
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

    fn answer_waking(
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
            let answered = inbox.answer(token).map(Owed::of).ok_or(Error::BadToken)?;
            (answered, InFlight::NONE, inbox.has_refused())
        } else {
            self.answer_with(context, cell, token, message.transfers)?
        };
        if refused {
            self.tell_room(context, cell);
        }
        let Owed { sender, room, to_call } = answered;
        if let Sender::Cell { cell: caller, ticket } = sender
            && to_call
            && waker == Waker::Continues
        {
            // Who calls again finds it listening.
            self.listen_if_useful(context, caller);
            let fits = flight.is_empty() && self.engine.length(message.bytes) <= room as usize;
            if fits && self.post(context, caller, message.bytes, ticket, None) {
                return Ok(());
            }
        }
        self.core(context.core.0).trace.record(TraceKind::Answer, context.thread.0, cell, token);
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
            let answered = inbox.answer(token).map(Owed::of).ok_or(Error::BadToken)?;
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

    /// Waits for the next event of the calling cell. A message's or an answer's bytes go into `buffer`.
    ///
    /// # Errors
    /// `Killed`; `NotInHandler`; `NothingToWaitFor`. A message that is longer than `buffer` is answered with `TooLong` and not seen.
    pub fn wait(
        &self,
        context: &mut Context,
        buffer: E::Bytes,
        handles: &mut HandleList,
        deadline: Nanos,
    ) -> Result<Event, Error> {
        let cell = context.thread.0;
        if self.threads.at(cell).depth.load(Ordering::Relaxed) > 0 || self.cells.at(cell).is_passive() {
            return Err(Error::NotInHandler);
        }
        let mut armed = false;
        let result = loop {
            match self.take_event(context, buffer, handles) {
                Ok(None) => {}
                Ok(Some(event)) => break Ok(event),
                Err(error) => break Err(error),
            }
            if deadline == Nanos::NEVER && self.waits_for_nothing(context) {
                break Err(Error::NothingToWaitFor);
            }
            if deadline == Nanos(0) || armed && self.has_expired(context, deadline) {
                let heard = self.hear(context);
                let event =
                    heard.and_then(|(from, post)| self.receive_post(context, from, &post, Some(buffer)));
                break Ok(event.unwrap_or(Event::DEADLINE));
            }
            if !armed {
                self.arm(context, deadline);
                armed = true;
            }
            match self.linger(context) {
                Lingered::Heard(from, post) => {
                    if let Some(event) = self.receive_post(context, from, &post, Some(buffer)) {
                        break Ok(event);
                    }
                }
                Lingered::Woken => {}
                Lingered::InVain => self.block(context),
            }
        };
        if armed {
            self.disarm(context);
        }
        self.let_go(context);
        result
    }

    fn waits_for_nothing(&self, context: &mut Context) -> bool {
        let (inbox, _) = self.cells.at(context.thread.0).inbox.lock(&mut context.token);
        inbox.sources == 0 && inbox.outstanding() == 0
    }

    /// Answers a message, then waits for the next event: the loop of a server in one call.
    ///
    /// # Errors
    /// As [`Self::answer`], then nothing was waited for; as [`Self::wait`].
    pub fn answer_wait(
        &self,
        context: &mut Context,
        token: u64,
        message: Outgoing<'_, E>,
        buffer: E::Bytes,
        handles: &mut HandleList,
        deadline: Nanos,
    ) -> Result<Event, Error> {
        self.answer_waking(context, token, &message, Waker::Continues)?;
        self.wait(context, buffer, handles, deadline)
    }

    /// Takes the next event of the calling cell, if there is one; if not, the next one wakes its thread. For a reactor's loop.
    ///
    /// # Errors
    /// `Killed`.
    pub fn next_event(
        &self,
        context: &mut Context,
        buffer: E::Bytes,
        handles: &mut HandleList,
    ) -> Result<Option<Event>, Error> {
        let event = loop {
            match self.take_event(context, buffer, handles) {
                Ok(None) => {}
                event => break event,
            }
            match self.linger(context) {
                Lingered::Heard(from, post) => {
                    if let Some(event) = self.receive_post(context, from, &post, Some(buffer)) {
                        break Ok(Some(event));
                    }
                }
                Lingered::Woken => {}
                Lingered::InVain => break Ok(None),
            }
        };
        if !matches!(event, Ok(None)) {
            // It does not wait after all: whom its answer has woken must not wait for it.
            self.let_go(context);
        }
        event
    }

    /// [`Self::answer`] from a reactor's loop, which takes the next event at once.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub fn answer_and_continue(
        &self,
        context: &mut Context,
        token: u64,
        message: Outgoing<'_, E>,
    ) -> Result<(), Error> {
        self.answer_waking(context, token, &message, Waker::Continues)
    }

    fn take_event(
        &self,
        context: &mut Context,
        buffer: E::Bytes,
        handles: &mut HandleList,
    ) -> Result<Option<Event>, Error> {
        let cell = context.thread.0;
        let record = self.cells.at(cell);
        loop {
            self.check_live(cell)?;
            let taken = {
                let (mut inbox, _) = record.inbox.lock(&mut context.token);
                match inbox.next() {
                    None => return Ok(None),
                    Some(Entry::Notification(index)) => Taken::Notification(index),
                    Some(Entry::Answer(ticket)) => match inbox.redeem(ticket) {
                        Some((answer, reserved)) => Taken::Answer(ticket, answer, reserved),
                        None => continue,
                    },
                    Some(Entry::Message(token)) => {
                        match self.receive(&mut inbox, token, buffer, handles.room()) {
                            Some(received) => received,
                            None => continue,
                        }
                    }
                }
            };
            let event = match taken {
                Taken::Message(mut event, flight) => {
                    event.status = self.arrive(context, cell, &flight, handles).err();
                    event.handles = u32::try_from(handles.as_slice().len()).unwrap_or(0);
                    Some(event)
                }
                Taken::TooLong(token) => {
                    self.refuse(context, token, Error::TooLong);
                    None
                }
                Taken::Answer(ticket, answer, reserved) => {
                    self.refund(&mut context.token, record.budget.load(Ordering::Relaxed), reserved);
                    Some(self.answer_event(context, ticket, answer, buffer, handles))
                }
                Taken::Notification(index) => self.notification_event(cell, index),
            };
            if event.is_some() {
                // What is posted does not wait for an empty queue: it takes its place there. Not looked at before: with an empty queue
                // the caller does, and the less often the line is looked at, the sooner it can be written.
                if let Some((from, post)) = self.hear(context) {
                    self.take_post(context, from, &post);
                }
                return Ok(event);
            }
        }
    }

    /// Copies a message that was taken from the queue into the receiver's buffer: under the inbox's lock, so that its sender cannot give up
    /// meanwhile.
    fn receive(
        &self,
        inbox: &mut Inbox<E::Bytes>,
        token: u64,
        buffer: E::Bytes,
        room: usize,
    ) -> Option<Taken> {
        let (message, flight) = inbox.receive(token)?;
        let length = message.payload.length();
        if length > self.engine.length(buffer) || flight.len() > room {
            message.flight = flight;
            return Some(Taken::TooLong(token));
        }
        match &message.payload {
            Payload::Borrowed(bytes, _) => self.engine.copy(*bytes, buffer, length),
            Payload::Owned(bytes) => self.engine.write(buffer, bytes),
        }
        let event = Event {
            kind: EventKind::Message,
            status: None,
            length: u32::try_from(length).ok()?,
            handles: 0,
            room: message.room,
            badge: message.badge,
            token,
            value: 0,
        };
        Some(Taken::Message(event, flight))
    }

    /// Answers a received message with an error.
    pub(crate) fn refuse(&self, context: &mut Context, token: u64, error: Error) {
        let taken = {
            let (mut inbox, _) = self.cells.at(context.thread.0).inbox.lock(&mut context.token);
            inbox.answer(token)
        };
        if let Some(message) = taken {
            self.drop_flight(&mut context.token, context.core.0, &message.flight);
            self.deliver(context, message.sender, 0, Err(error), Waker::Runs);
            self.tell_room(context, context.thread.0);
        }
    }

    fn answer_event(
        &self,
        context: &mut Context,
        ticket: u64,
        answer: Answer,
        buffer: E::Bytes,
        handles: &mut HandleList,
    ) -> Event {
        let bytes = answer.bytes.as_deref().unwrap_or_default();
        let fits = bytes.len() <= self.engine.length(buffer) && answer.flight.len() <= handles.room();
        if fits {
            self.engine.write(buffer, bytes);
        }
        let arrived = if fits && answer.result.is_ok() {
            self.arrive(context, context.thread.0, &answer.flight, handles).err()
        } else {
            self.drop_flight(&mut context.token, context.core.0, &answer.flight);
            None
        };
        Event {
            kind: EventKind::Answer,
            status: answer.result.err().or(if fits { arrived } else { Some(Error::AnswerTooLong) }),
            length: if fits { answer.result.unwrap_or(0) } else { 0 },
            handles: u32::try_from(handles.as_slice().len()).unwrap_or(0),
            room: 0,
            badge: 0,
            token: ticket,
            value: 0,
        }
    }

    fn notification_event(&self, cell: u32, index: u32) -> Option<Event> {
        let record = self.notifications.at(index);
        if !record.generation.is_alive() || record.bound.load(Ordering::Relaxed) != cell {
            return None;
        }
        let value = record.bits.swap(0, Ordering::AcqRel);
        let badge = record.badge.load(Ordering::Relaxed);
        (value != 0).then_some(Event { kind: EventKind::Notification, badge, value, ..Event::DEADLINE })
    }

    /// What a program asks to send along, if it can be asked for.
    fn sendable(transfers: &[Transfer]) -> Result<TransferList, Error> {
        let list = transfer_list(transfers)?;
        for transfer in transfers {
            // What a cell is cannot be given away, nor its budget moved out of its space.
            if transfer.handle.index() < Handle::FIRST_GRANT
                && (transfer.mode == TransferMode::Move || transfer.handle == Handle::SELF)
            {
                return Err(Error::NoRight);
            }
        }
        Ok(list)
    }

    fn arrive(
        &self,
        context: &mut Context,
        cell: u32,
        flight: &InFlight,
        handles: &mut HandleList,
    ) -> Result<(), Error> {
        if flight.is_empty() {
            return Ok(());
        }
        let mut orphans = Vec::new();
        let result = self.change(&mut context.token, |tree, _| {
            tree.arrive(flight, cell, handles, |orphan| orphans.push(orphan))
        });
        self.end_orphans(&mut context.token, context.core.0, &orphans);
        result
    }

    /// The same for an answer that is lost unless all of it arrives.
    #[inline(never)]
    fn arrive_whole(
        &self,
        context: &mut Context,
        cell: u32,
        flight: &InFlight,
        handles: &mut HandleList,
    ) -> Result<(), Error> {
        let fits = flight.len() <= handles.room()
            && self.capabilities.lock(&mut context.token).0.has_room(flight, cell);
        if !fits {
            self.drop_flight(&mut context.token, context.core.0, flight);
            return Err(Error::AnswerTooLong);
        }
        // Only the calling thread fills this space, and it is here.
        self.arrive(context, cell, flight, handles)
    }

    /// Gives the capabilities of a protected call from the caller's space into the server's. Not inlined, nor are the two below: calls
    /// without any stay short.
    #[inline(never)]
    pub(crate) fn carry(
        &self,
        context: &mut Context,
        way: (u32, u32),
        through: Via,
        transfers: &[Transfer],
        handles: &mut HandleList,
    ) -> Result<Carried, Error> {
        let list = Self::sendable(transfers)?;
        let find = |handle| self.capabilities.find(way.0, handle);
        self.change(&mut context.token, |tree, _| {
            tree.check(find, &list, through)?;
            tree.carry(find, &list, way, handles)
        })
    }

    /// The handler has run: what went with the call is the server's.
    #[inline(never)]
    pub(crate) fn settle_call(&self, context: &mut Context, carried: &Carried) {
        self.change(&mut context.token, |tree, _| tree.settle(carried));
    }

    /// The handler has not run: what went with the call is its caller's again.
    #[inline(never)]
    pub(crate) fn take_back(&self, context: &mut Context, carried: &Carried) {
        let mut orphans = Vec::new();
        self.change(&mut context.token, |tree, _| tree.take_back(carried, |orphan| orphans.push(orphan)));
        self.end_orphans(&mut context.token, context.core.0, &orphans);
    }

    /// Gives the capabilities of a handler's answer to its caller. An answer that the caller has no room for is lost with its
    /// capabilities: the handler that would have to know of them is over.
    #[inline(never)]
    pub(crate) fn give(
        &self,
        context: &mut Context,
        way: (u32, u32),
        transfers: &[Transfer],
        handles: &mut HandleList,
    ) -> Result<(), Error> {
        let carried = if transfers.len() > handles.room() {
            Err(Error::SpaceFull)
        } else {
            self.carry(context, way, Via::KERNEL, transfers, handles)
        };
        match carried {
            Ok(carried) => {
                self.settle_call(context, &carried);
                Ok(())
            }
            Err(Error::SpaceFull) => {
                self.lose(context, way.0, transfers);
                Err(Error::AnswerTooLong)
            }
            Err(error) => Err(error),
        }
    }

    /// Drops the capabilities that would have gone with an answer that is lost.
    #[inline(never)]
    pub(crate) fn lose(&self, context: &mut Context, from: u32, transfers: &[Transfer]) {
        let Ok(list) = Self::sendable(transfers) else { return };
        let find = |handle| self.capabilities.find(from, handle);
        let mut orphans = Vec::new();
        self.change(&mut context.token, |tree, _| {
            if tree.check(find, &list, Via::KERNEL).is_err() {
                return;
            }
            // A copy that does not arrive was never made.
            for transfer in list.as_slice().iter().filter(|transfer| transfer.mode == TransferMode::Move) {
                if let Ok(found) = find(transfer.handle) {
                    orphans.extend(tree.delete(found.via.slot));
                }
            }
        });
        self.end_orphans(&mut context.token, context.core.0, &orphans);
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

/// Who is owed an answer, and what kind.
struct Owed {
    sender: Sender,
    /// Bytes that the sender has room for.
    room: u32,
    /// The sender waits for it in a `call`.
    to_call: bool,
}

impl Owed {
    fn of<B>(message: Message<B>) -> Self {
        let to_call = matches!(message.payload, Payload::Borrowed(..));
        Self { sender: message.sender, room: message.room, to_call }
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

enum Taken {
    Message(Event, InFlight),
    TooLong(u64),
    Answer(u64, Answer, u64),
    Notification(u32),
}

/// A message of the kernel itself.
pub(crate) fn from_kernel<B>(endpoint: u32, badge: u64, bytes: Box<[u8]>) -> Message<B> {
    Message::new(Sender::Kernel, Via::KERNEL, endpoint, badge, Payload::Owned(bytes), InFlight::NONE, 0)
}
