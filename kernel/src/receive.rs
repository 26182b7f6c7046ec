//! `wait`: how a cell takes messages, answers, notifications and deadlines out of its inbox; and the loop of a server.

use hallows_abi::{Error, Event, EventKind};

use crate::call::Waker;
use crate::capabilities::InFlight;
use crate::inbox::{Answer, Entry, Inbox, Payload};
use crate::sync::Ordering;
use crate::{Context, Engine, HandleList, Kernel, Nanos, Outgoing};

impl<E: Engine> Kernel<E> {
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
        self.threads.at(cell).begin_work();
        let mut armed = false;
        let result = loop {
            match self.take_event(context, buffer, handles) {
                Ok(None) => {}
                Ok(Some(event)) => break Ok(event),
                Err(error) => break Err(error),
            }
            if deadline == Nanos::NEVER && self.waits_for_nothing(context) {
                // What was posted before another cell served what this one did.
                if let Some((from, kept)) = self.close_ear(cell) {
                    self.take_post(context, from, &kept.heard());
                    continue;
                }
                break Err(Error::NothingToWaitFor);
            }
            if deadline == Nanos(0) || armed && self.has_expired(context, deadline) {
                let heard = self.hear(context);
                let event =
                    heard.and_then(|(from, heard)| self.receive_post(context, from, &heard, Some(buffer)));
                break Ok(event.unwrap_or(Event::DEADLINE));
            }
            if !armed {
                self.arm(context, deadline);
                armed = true;
            }
            let lingered = self.linger(context);
            match lingered.heard(&self.lanes) {
                Some((from, heard)) => {
                    if let Some(event) = self.receive_post(context, from, &heard, Some(buffer)) {
                        break Ok(event);
                    }
                }
                None if lingered.is_in_vain() => self.block(context),
                None => {}
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
        self.threads.at(context.thread.0).begin_work();
        let event = loop {
            match self.take_event(context, buffer, handles) {
                Ok(None) => {}
                event => break event,
            }
            let lingered = self.linger(context);
            match lingered.heard(&self.lanes) {
                Some((from, heard)) => {
                    if let Some(event) = self.receive_post(context, from, &heard, Some(buffer)) {
                        break Ok(Some(event));
                    }
                }
                None if lingered.is_in_vain() => break Ok(None),
                None => {}
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
                if let Some((from, heard)) = self.hear(context) {
                    self.take_post(context, from, &heard);
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
}

enum Taken {
    Message(Event, InFlight),
    TooLong(u64),
    Answer(u64, Answer, u64),
    Notification(u32),
}
