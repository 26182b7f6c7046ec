//! The events of a cell, shared out to the futures that wait for them.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use hallows_abi::{Error, Event, EventKind, Handle, MAX_TRANSFERS};

use super::answer::{Answered, Place};
use super::flag::Flag;
use super::listener::Bound;
use super::request::Incoming;
use crate::{Deadline, Token, answer, contents, process, wait};

/// The longest message or answer, in bytes, unless [`Events::with_room`] says otherwise.
const USUAL_ROOM: usize = 4_096;

/// After so many polls in a row without a look at the cell's events there is one: tasks that wake each other starve nobody.
const POLLS_WITHOUT_EVENTS: u32 = 16;

/// Events that are taken in a row where nothing is to be waited for.
const MOST_EVENTS: u32 = 64;

/// The events of a cell, shared out to the futures that wait for them. As long as one is in use, [`crate::wait`] is its own: what else
/// waits would take events away from it.
#[derive(Debug)]
pub struct Events {
    pub(super) state: RefCell<State>,
    buffer: RefCell<Box<[u8]>>,
}

/// What is waited for, and what has come.
#[derive(Debug, Default)]
pub(super) struct State {
    /// By token.
    pub answers: BTreeMap<u64, Place>,
    /// By when they are to be woken, and number.
    pub sleepers: BTreeMap<(Deadline, u64), Option<Waker>>,
    /// By badge.
    pub bound: BTreeMap<u64, Bound>,
    /// The badges of those, by handle.
    pub badges: BTreeMap<Handle, u64>,
    pub requests: VecDeque<Incoming>,
    pub servers: Vec<Waker>,
    /// The last number or badge that was given out.
    last: u64,
}

impl State {
    pub fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

impl Events {
    /// With room for messages and answers of 4,096 bytes.
    #[expect(clippy::new_without_default, reason = "a program has one, which `#[main]` makes")]
    #[must_use]
    pub fn new() -> Self {
        Self::with_room(USUAL_ROOM)
    }

    /// With room for messages and answers of so many bytes. A longer message is its sender's error, a longer answer
    /// [`Error::AnswerTooLong`].
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        Self { state: RefCell::default(), buffer: RefCell::new(vec![0; bytes].into_boxed_slice()) }
    }

    /// Bytes of the longest answer.
    pub(super) fn room(&self) -> u32 {
        u32::try_from(self.buffer.borrow().len()).unwrap_or(u32::MAX)
    }

    /// Polls a future whenever something that it waits for has come, until it is done.
    ///
    /// # Errors
    ///
    /// [`Error::NothingToWaitFor`] if it waits for what can never come; [`Error::NotInHandler`] in a passive server;
    /// [`Error::Killed`].
    pub fn block_on<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        let mut future = pin!(future);
        let flag = Flag::new(Waker::noop().clone());
        let waker = Waker::from(flag.clone());
        let mut polls = 0;
        loop {
            if flag.take() {
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    return Ok(output);
                }
                polls += 1;
                if polls >= POLLS_WITHOUT_EVENTS {
                    polls = 0;
                    self.turn(Deadline::PASSED)?;
                }
            } else {
                polls = 0;
                self.turn(Deadline::NEVER)?;
            }
        }
    }

    /// Waits for the next event, at most until then, and wakes who waits for it. Where somebody has given way, and nothing is to be waited for, that is done
    /// with all events that are there.
    fn turn(&self, patience: Deadline) -> Result<(), Error> {
        let due = self.state.borrow().sleepers.first_key_value().map(|((at, _), _)| *at);
        let until = due.map_or(patience, |due| due.min(patience));
        let most = if until == Deadline::PASSED { MOST_EVENTS } else { 1 };
        let mut last = EventKind::Deadline;
        for _ in 0..most {
            last = self.next(until, patience)?;
            if last == EventKind::Deadline {
                break;
            }
        }
        if let Some(due) = due {
            // Events go before deadlines, so with many of them the clock has to be looked at.
            let now =
                if last == EventKind::Deadline && until == due { due } else { Deadline::at(process::now()?) };
            self.wake_sleepers(now);
        }
        Ok(())
    }

    /// Waits for one event, and wakes who waits for it; what it was.
    fn next(&self, until: Deadline, patience: Deadline) -> Result<EventKind, Error> {
        let mut handles = [Handle::NULL; MAX_TRANSFERS as usize];
        let mut buffer = self.buffer.borrow_mut();
        let event = match wait(&mut buffer, &mut handles, until) {
            Ok(event) => event,
            // Asked only whether something is there, and there is nothing that could come.
            Err(Error::NothingToWaitFor) if patience == Deadline::PASSED => return Ok(EventKind::Deadline),
            Err(error) => return Err(error),
        };
        let (bytes, handles) = contents(&event, &buffer, &handles);
        self.wake(&event, bytes, handles);
        Ok(event.kind)
    }

    fn wake(&self, event: &Event, bytes: &[u8], handles: &[Handle]) {
        let mut state = self.state.borrow_mut();
        match event.kind {
            EventKind::Answer => {
                let answered = event.status.map_or_else(|| Ok(Answered::new(bytes, handles)), Err);
                let waker = super::answer::arrived(&mut state.answers, event.token, answered);
                drop(state);
                waker.into_iter().for_each(Waker::wake);
            }
            EventKind::Notification => {
                if let Some(bound) = state.bound.get_mut(&event.badge) {
                    bound.signalled(event.value);
                }
                drop(state);
                self.wake_listeners(event.badge);
            }
            EventKind::Message => {
                let token = Token(event.token);
                state.requests.push_back(Incoming {
                    answered: Answered::new(bytes, handles),
                    status: event.status,
                    badge: event.badge,
                    token,
                });
                let servers = core::mem::take(&mut state.servers);
                drop(state);
                servers.into_iter().for_each(Waker::wake);
            }
            EventKind::Deadline => {}
        }
    }

    /// One by one: whoever is woken may look at these events.
    fn wake_listeners(&self, badge: u64) {
        let mut place = 0;
        loop {
            let waker = {
                let mut state = self.state.borrow_mut();
                state.bound.get_mut(&badge).and_then(|bound| bound.next_waiting(&mut place))
            };
            let Some(waker) = waker else { return };
            waker.wake();
        }
    }

    fn wake_sleepers(&self, now: Deadline) {
        loop {
            let waker = {
                let mut state = self.state.borrow_mut();
                match state.sleepers.first_entry() {
                    Some(first) if first.key().0 <= now => first.remove(),
                    _ => return,
                }
            };
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // Who asked is not left waiting.
        for request in self.state.get_mut().requests.drain(..) {
            request.answered.discard();
            let _ = answer(request.token, &[], &[]);
        }
    }
}
