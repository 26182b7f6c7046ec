//! Calls between cores while both are awake: a thread with nothing to do looks out for the one that it talks with, instead of giving up a
//! core that nobody else wants. What it hears in the other's [lane](crate::lane) it takes into its own inbox, as the other would have.

use hallows_abi::{Error, Event, EventKind, TraceKind};

use crate::call::{Refusal, Waker};
use crate::capabilities::InFlight;
use crate::inbox::{Answer, Message, Payload, Sender};
use crate::lane::{Heard, Kept, Lane, MAX_POST, Post, Request, Text};
use crate::sync::Ordering;
use crate::table::Table;
use crate::thread::NOBODY;
use crate::{Context, CoreId, Engine, Kernel, Machine};

/// So many looks at what is near for one at the other cores' queues.
const NEAR_LOOKS: u32 = 64;

/// Why a thread stopped to linger.
pub(crate) enum Lingered {
    /// It heard something from the thread that it listens to: the last that this has posted.
    Heard(u32),
    /// It heard this at the last moment. Its ear is closed.
    Kept(u32, Kept),
    /// It was woken.
    Woken,
    /// Nothing came, or its core is wanted. Its ear is closed: it may block.
    InVain,
}

impl Lingered {
    /// What it heard, and from whom.
    #[inline]
    pub fn heard<'l>(&'l self, lanes: &'l Table<Lane>) -> Option<(u32, Heard<'l>)> {
        match self {
            Self::Heard(from) => Some((*from, lanes.at(*from).last())),
            Self::Kept(from, kept) => Some((*from, kept.heard())),
            Self::Woken | Self::InVain => None,
        }
    }

    /// Whether it may block.
    pub const fn is_in_vain(&self) -> bool {
        matches!(self, Self::InVain)
    }
}

impl<E: Engine> Kernel<E> {
    /// Whether the calling thread should listen to another: that runs, or ran last, on another core, and this one has nothing else to do.
    fn should_listen(&self, context: &Context, to: u32) -> bool {
        let here = self.core(context.core.0);
        self.configuration.idle_looks > 0
            && self.cells.at(context.thread.0).is_live()
            && self.threads.at(to).core.load(Ordering::Relaxed) != context.core.0
            && !here.waiting().any()
            && here.handoff.load(Ordering::Relaxed) == NOBODY
    }

    /// The calling thread listens to another from now on, if that may be worth it.
    pub(crate) fn listen_if_useful(&self, context: &mut Context, to: u32) {
        let me = context.thread.0;
        let lane = self.lanes.at(me);
        if lane.listens_to() == to || !self.should_listen(context, to) {
            return;
        }
        if let Some((from, kept)) = self.close_ear(me) {
            self.take_post(context, from, &kept.heard());
        }
        if let Some(kept) = lane.listen(me, to, self.lanes.at(to)) {
            self.take_post(context, to, &kept.heard());
        }
    }

    /// A thread listens to nobody any more. What came at the last moment.
    pub(crate) fn close_ear(&self, thread: u32) -> Option<(u32, Kept)> {
        let lane = self.lanes.at(thread);
        let from = lane.listens_to();
        if from == NOBODY {
            return None;
        }
        lane.close(thread, self.lanes.at(from)).map(|kept| (from, kept))
    }

    /// What was posted to a thread whose life ends gets its error. Its inbox is closed, or its thread is over: what it hears itself at the
    /// same moment comes to nothing.
    pub(crate) fn refuse_posted(&self, core: u32, thread: u32) {
        let mut context = Context::new(CoreId(core), crate::ThreadId(NOBODY));
        if let Some((from, kept)) = self.close_ear(thread)
            && let Some(request) = &kept.post.request
        {
            let sender = Sender::Cell { cell: from, ticket: kept.post.ticket };
            if self.is_served_elsewhere(request, thread) {
                return self.pass_on(&mut context, sender, &kept.heard(), request);
            }
            self.deliver(&mut context, sender, 0, Err(Error::ServerDied), Waker::Runs);
        }
    }

    /// What the one that the calling thread listens to has posted.
    #[inline]
    pub(crate) fn hear(&self, context: &Context) -> Option<(u32, Heard<'_>)> {
        let lane = self.lanes.at(context.thread.0);
        let from = lane.listens_to();
        if from == NOBODY {
            return None;
        }
        lane.hear(context.thread.0, self.lanes.at(from)).map(|heard| (from, heard))
    }

    /// Looks out, while nobody else wants the core, for what the calling thread waits for.
    #[inline]
    pub(crate) fn linger(&self, context: &mut Context) -> Lingered {
        match self.lanes.at(context.thread.0).listens_to() {
            NOBODY => Lingered::InVain,
            from => self.linger_for(context, from),
        }
    }

    #[inline(never)]
    fn linger_for(&self, context: &mut Context, from: u32) -> Lingered {
        let me = context.thread.0;
        let (thread, lane) = (self.threads.at(me), self.lanes.at(me));
        let (here, sender) = (self.core(context.core.0), self.lanes.at(from));
        if here.handoff.load(Ordering::Relaxed) == NOBODY {
            for look in 0..self.configuration.idle_looks {
                if lane.hears(me, sender) {
                    return Lingered::Heard(from);
                }
                sender.touch();
                if thread.state.take_wake() {
                    return Lingered::Woken;
                }
                let wanted = here.waiting().any() || thread.word.is_set();
                if wanted || look % NEAR_LOOKS == NEAR_LOOKS - 1 && self.is_wanted_elsewhere(context.core.0) {
                    break;
                }
                self.machine.relax(context.core, look);
            }
        }
        match self.close_ear(me) {
            Some((from, kept)) => Lingered::Kept(from, kept),
            None => Lingered::InVain,
        }
    }

    fn is_wanted_elsewhere(&self, core: u32) -> bool {
        self.is_stopping() || self.is_surplus_near(core)
    }

    /// Posts a message of the calling thread to its server, or its answer to a caller, whose pending one is `ticket`. False: it must go by
    /// the receiver's inbox.
    #[inline]
    pub(crate) fn post(
        &self,
        context: &Context,
        to: u32,
        from: E::Bytes,
        ticket: u64,
        request: Option<Request>,
    ) -> bool {
        let me = context.thread.0;
        let (lane, receiver) = (self.lanes.at(me), self.lanes.at(to));
        let length = self.engine.length(from);
        if !receiver.listens(me) || length > MAX_POST {
            return false;
        }
        let posted = lane.post(me, receiver, to, &Post { ticket, request, length }, |text| {
            self.engine.read_words(from, |place, word| text.set(place, word));
        });
        if posted {
            let here = self.core(context.core.0);
            // Relaxed: only this core counts here.
            here.posts.store(here.posts.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            here.trace.record(TraceKind::Post, me, to, ticket);
        }
        posted
    }

    /// Takes what was heard while the calling thread does something else.
    #[inline(never)]
    pub(crate) fn take_post(&self, context: &mut Context, from: u32, heard: &Heard<'_>) {
        self.receive_post(context, from, heard, None);
    }

    /// Takes what was heard. A message is received into `buffer` if there is one and nothing is queued before it, or else is queued; an
    /// answer is kept for who waits for it.
    #[inline(always)]
    pub(crate) fn receive_post(
        &self,
        context: &mut Context,
        from: u32,
        heard: &Heard<'_>,
        buffer: Option<E::Bytes>,
    ) -> Option<Event> {
        let Some(request) = &heard.post.request else {
            self.settle(context, heard);
            return None;
        };
        self.lanes.at(context.thread.0).was_heard(request.heard);
        let sender = Sender::Cell { cell: from, ticket: heard.post.ticket };
        self.accept_post(context, sender, heard, request, buffer).unwrap_or_else(|refused| {
            match refused {
                Refusal::Moved => self.pass_on(context, sender, heard, request),
                Refusal::For(error) => self.deliver(context, sender, 0, Err(error), Waker::Runs),
            }
            None
        })
    }

    /// Whether what was posted to a cell is for an endpoint that another serves by now.
    fn is_served_elsewhere(&self, request: &Request, cell: u32) -> bool {
        self.capabilities.held(request.via).is_some_and(|capability| {
            let endpoint = self.endpoints.at(capability.index);
            endpoint.generation.is(capability.generation) && !endpoint.serving.is(cell)
        })
    }

    /// Puts a message that was posted to a cell into the inbox of the one that serves its endpoint by now, as its sender would have: who gives
    /// up looks for it there.
    #[cold]
    #[inline(never)]
    fn pass_on(&self, context: &mut Context, sender: Sender, heard: &Heard<'_>, request: &Request) {
        let passed = self.capabilities.held(request.via).ok_or(Error::Revoked).and_then(|capability| {
            let (endpoint, badge) = (capability.name(), capability.badge);
            let payload = Payload::Owned(heard.keep().bytes());
            let message =
                Message::new(sender, request.via, endpoint, badge, payload, InFlight::NONE, request.room);
            let server = self.server_for(message.sender_cell(), endpoint)?;
            self.accept(context, server, message, &[], Waker::Runs)
        });
        match (passed, sender) {
            (Ok(server), Sender::Cell { cell, ticket }) => {
                let is_owed = self.cells.at(cell).inbox.lock(&mut context.token).0.set_server(ticket, server);
                if !is_owed {
                    // It gave up meanwhile, and has looked for it in the former server.
                    self.cancel(context, server, sender);
                }
            }
            (Ok(_), Sender::Kernel) => {}
            (Err(error), _) => self.deliver(context, sender, 0, Err(error), Waker::Runs),
        }
    }

    /// Accepts a message that was heard, as [`Kernel::accept`] does one in its sender's place. Inlined, so that nothing is stored in pieces
    /// and loaded again as a whole, which waits until the stores are done.
    #[inline(always)]
    fn accept_post(
        &self,
        context: &mut Context,
        sender: Sender,
        heard: &Heard<'_>,
        request: &Request,
        buffer: Option<E::Bytes>,
    ) -> Result<Option<Event>, Refusal> {
        let length = u32::try_from(heard.post.length).map_err(|_| Refusal::For(Error::TooLong))?;
        let (mut inbox, _) = self.cells.at(context.thread.0).inbox.lock(&mut context.token);
        // Under the lock that a revocation purges under, as in `accept`.
        let capability = self.capabilities.held(request.via).ok_or(Refusal::For(Error::Revoked))?;
        let endpoint = self.endpoints.at(capability.index);
        let is_served_here = endpoint.serving.is(context.thread.0);
        if !endpoint.generation.is(capability.generation) {
            return Err(Refusal::For(Error::Gone));
        }
        if !is_served_here {
            return Err(Refusal::Moved);
        }
        let limit = endpoint.limit.load(Ordering::Relaxed);
        let message = |payload| {
            let (endpoint, badge) = (capability.name(), capability.badge);
            Message::new(sender, request.via, endpoint, badge, payload, InFlight::NONE, request.room)
        };
        let at_once =
            |buffer: &E::Bytes| inbox.is_empty() && heard.post.length <= self.engine.length(*buffer);
        let Some(buffer) = buffer.filter(at_once) else {
            let queued = inbox.accept(message(Payload::Owned(heard.keep().bytes())), limit);
            return queued.map(|_| None).map_err(|(error, _)| Refusal::For(error));
        };
        inbox.admit_bytes(capability.index, 0, Some(limit)).map_err(Refusal::For)?;
        let token = inbox.put_received(message(Payload::Borrowed(buffer, length)));
        self.put_text(buffer, heard);
        Ok(Some(Event {
            kind: EventKind::Message,
            status: None,
            length,
            handles: 0,
            room: request.room,
            badge: capability.badge,
            token,
            value: 0,
        }))
    }

    /// Takes the answer to the call that the calling thread makes.
    pub(crate) fn settle_own(&self, context: &mut Context, heard: &Heard<'_>, reply: E::Bytes) -> Answer {
        self.cells.at(context.thread.0).inbox.lock(&mut context.token).0.give_up(heard.post.ticket);
        self.put_answer(heard, reply)
    }

    /// Keeps an answer that was heard for the call that waits for it, if any still does.
    fn settle(&self, context: &mut Context, heard: &Heard<'_>) {
        let (mut inbox, _) = self.cells.at(context.thread.0).inbox.lock(&mut context.token);
        if let Some(Some(memory)) = inbox.reply_memory(heard.post.ticket) {
            let _ = inbox.complete(heard.post.ticket, self.put_answer(heard, memory));
        }
    }

    fn put_answer(&self, heard: &Heard<'_>, memory: E::Bytes) -> Answer {
        let length = heard.post.length;
        if length > self.engine.length(memory) {
            return Answer::error(Error::AnswerTooLong);
        }
        self.put_text(memory, heard);
        let result = u32::try_from(length).map_err(|_| Error::AnswerTooLong);
        Answer { result, bytes: None, flight: InFlight::NONE }
    }

    /// Copies the text of what was heard.
    #[inline]
    fn put_text(&self, to: E::Bytes, heard: &Heard<'_>) {
        let length = heard.post.length;
        match heard.text {
            Text::There(written) => self.engine.write_words(to, length, |place| written.get(place)),
            Text::Kept(kept) => {
                self.engine.write_words(to, length, |place| kept.get(place).copied().unwrap_or(0));
            }
        }
    }
}
