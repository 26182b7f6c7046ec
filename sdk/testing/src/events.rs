//! What comes to the cell, and when.

use std::collections::{BTreeMap, VecDeque};

use hallows_sdk::{Error, Event, EventKind};

/// An event with its bytes.
#[derive(Clone, Debug)]
pub struct Coming {
    pub event: Event,
    pub bytes: Vec<u8>,
    /// How many capabilities are to come with it.
    pub capabilities: usize,
}

#[derive(Debug)]
enum Due {
    Answer { token: u64, result: Result<Vec<u8>, Error>, room: u32, capabilities: usize },
    Message { number: usize, bytes: Vec<u8>, capabilities: usize },
    Signal { object: usize, bits: u64 },
}

/// What is due, in the order of its time; what is there; and what was answered.
#[derive(Debug, Default)]
pub struct Events {
    due: BTreeMap<(u64, u64), Due>,
    inbox: VecDeque<Coming>,
    tokens: u64,
    /// Messages that the cell has and has not answered.
    open: BTreeMap<u64, usize>,
    answers: Vec<Option<Vec<u8>>>,
    /// Answers that never come.
    silent: usize,
}

const NOTHING: Event = Event { kind: EventKind::Message, room: u32::MAX, ..Event::DEADLINE };

impl Events {
    pub fn token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }

    fn add(&mut self, at: u64, due: Due) {
        let order = self.token();
        self.due.insert((at, order), due);
    }

    pub fn signal(&mut self, at: u64, object: usize, bits: u64) {
        self.add(at, Due::Signal { object, bits });
    }

    pub fn message(&mut self, at: u64, bytes: &[u8], capabilities: usize) {
        let number = self.answers.len();
        self.answers.push(None);
        self.add(at, Due::Message { number, bytes: bytes.to_vec(), capabilities });
    }

    pub fn answer_at(
        &mut self,
        at: u64,
        token: u64,
        (result, capabilities): (Result<Vec<u8>, Error>, usize),
        room: u32,
    ) {
        self.add(at, Due::Answer { token, result, room, capabilities });
    }

    pub fn never(&mut self) {
        self.silent += 1;
    }

    /// When the next is due.
    pub fn next(&self) -> Option<u64> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    /// Moves what is due by now to where the cell finds it; signals are given back.
    pub fn arrive(&mut self, now: u64) -> Vec<(usize, u64)> {
        let later = self.due.split_off(&(now + 1, 0));
        let mut signals = Vec::new();
        for due in std::mem::replace(&mut self.due, later).into_values() {
            match due {
                Due::Signal { object, bits } => signals.push((object, bits)),
                Due::Answer { token, result, room, capabilities } => {
                    let result = result.and_then(|bytes| {
                        if bytes.len() > room as usize { Err(Error::AnswerTooLong) } else { Ok(bytes) }
                    });
                    let status = result.as_ref().err().copied();
                    let event = Event { kind: EventKind::Answer, status, token, ..NOTHING };
                    self.inbox.push_back(Coming { event, bytes: result.unwrap_or_default(), capabilities });
                }
                Due::Message { number, bytes, capabilities } => {
                    let token = self.token();
                    self.open.insert(token, number);
                    let event = Event { badge: 1, token, ..NOTHING };
                    self.inbox.push_back(Coming { event, bytes, capabilities });
                }
            }
        }
        signals
    }

    pub fn take(&mut self) -> Option<Coming> {
        self.inbox.pop_front()
    }

    /// Whether a wait without a deadline could never end.
    pub fn is_hopeless(&self) -> bool {
        self.due.is_empty() && self.inbox.is_empty()
    }

    pub fn answer(&mut self, token: u64, bytes: &[u8]) -> Result<(), Error> {
        let number = self.open.remove(&token).ok_or(Error::BadToken)?;
        self.answers[number] = Some(bytes.to_vec());
        Ok(())
    }

    pub fn answers(self) -> Vec<Option<Vec<u8>>> {
        self.answers
    }
}
