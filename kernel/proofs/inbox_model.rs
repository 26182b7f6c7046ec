//! The inboxes of a server and two clients: every accepted message gets exactly one answer or one error, and no wake-up is lost.

use alloc::vec;
use alloc::vec::Vec;
use std::collections::BTreeMap;

use hallows_abi::Error;

use super::explore::{Model, explore, wander};
use crate::capabilities::InFlight;
use crate::inbox::{Answer, Entry, Inbox, Message, Payload, Pending, Sender};
use crate::slot::{Name, Via};
use crate::through::Ended;

const CLIENTS: u32 = 2;
const LIMIT: u32 = 2;
const ENDPOINT: Name = Name { index: 0, generation: 1 };

type Bytes = ();

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Fate {
    /// Accepted; nothing has come back yet.
    Owed,
    /// The answer or error is in the client's inbox.
    Delivered,
    /// The client has it.
    Taken,
    /// The client gave up.
    GivenUp,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct System {
    server: Inbox<Bytes>,
    clients: Vec<Inbox<Bytes>>,
    /// By client and ticket.
    fates: BTreeMap<(u32, u64), (Fate, bool)>,
    /// Tokens that the server has received.
    received: Vec<u64>,
    sent: u32,
    /// Whether the server, and each client, waits and was not woken since.
    asleep: Vec<bool>,
    open: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Call { client: u32 },
    Send { client: u32 },
    ServerNext,
    Answer { token: u64 },
    Stale { token: u64 },
    GiveUp { client: u32, ticket: u64 },
    ClientNext { client: u32 },
    Redeem { client: u32, ticket: u64 },
    Purge { client: u32 },
    Close,
    Open,
}

struct Inboxes {
    /// Messages in all: bounds the search.
    messages: u32,
}

fn via(client: u32) -> Via {
    Via { slot: client, head: 1 }
}

impl System {
    fn deliver(&mut self, message: Message<Bytes>, result: Result<u32, Error>) {
        let Sender::Cell { cell, ticket } = message.sender else { return };
        let answer = Answer { result, bytes: None, flight: InFlight::NONE };
        let inbox = &mut self.clients[cell as usize];
        let completed = inbox.complete(ticket, answer).is_ok();
        let (fate, is_call) = self.fates.get_mut(&(cell, ticket)).expect("was accepted");
        match fate {
            Fate::Owed => {
                assert!(completed, "an answer that is owed finds its room");
                *fate = Fate::Delivered;
                if *is_call || inbox.take_waiter_if_any() {
                    self.asleep[cell as usize + 1] = false;
                }
            }
            Fate::GivenUp => assert!(!completed, "an answer came to who had given up"),
            Fate::Delivered | Fate::Taken => panic!("a second answer"),
        }
    }

    fn check(&mut self) {
        // No lost wake-up: who sleeps has nothing to do.
        let mut probe = self.clone();
        if self.asleep[0] {
            assert_eq!(probe.server.next(), None, "the server sleeps beside a message");
        }
        for client in 0..CLIENTS as usize {
            if self.asleep[client + 1] {
                assert_eq!(probe.clients[client].next(), None, "a client sleeps beside an event");
            }
        }
        // A closed server owes nobody.
        if !self.open {
            assert!(self.fates.values().all(|(fate, _)| *fate != Fate::Owed));
        }
    }

    fn send(&mut self, client: u32, is_call: bool) {
        let inbox = &mut self.clients[client as usize];
        let pending = Pending { server: 0, reply: is_call.then_some(()), reserved: 0, done: None };
        let ticket = inbox.reserve(pending).expect("room");
        let sender = Sender::Cell { cell: client, ticket };
        let payload = Payload::Borrowed((), 0);
        let message = Message::new(sender, via(client), ENDPOINT, 0, payload, InFlight::NONE, 0);
        match self.server.accept(message, LIMIT) {
            Ok(_) => {
                assert!(self.open);
                self.sent += 1;
                self.fates.insert((client, ticket), (Fate::Owed, is_call));
                if self.server.take_waiter_if_any() {
                    self.asleep[0] = false;
                }
                if is_call {
                    self.asleep[client as usize + 1] = false;
                }
            }
            Err((error, _)) => {
                assert!(error == Error::Busy && self.open || error == Error::NotReady && !self.open);
                self.clients[client as usize].give_up(ticket);
            }
        }
    }
}

impl Model for Inboxes {
    type System = System;
    type Step = Step;
    type Key = System;

    fn start(&self) -> System {
        let mut server = Inbox::new();
        server.open();
        let mut client = Inbox::new();
        client.open();
        System {
            server,
            clients: vec![client; CLIENTS as usize],
            fates: BTreeMap::new(),
            received: Vec::new(),
            sent: 0,
            asleep: vec![false; CLIENTS as usize + 1],
            open: true,
        }
    }

    fn steps(&self, system: &mut System) -> Vec<Step> {
        let mut steps = vec![Step::ServerNext, Step::Close, Step::Open];
        steps.extend(system.received.iter().map(|&token| Step::Answer { token }));
        steps.extend([0, 1, 1 << 32].map(|token| Step::Stale { token }));
        for client in 0..CLIENTS {
            if system.sent < self.messages {
                steps.extend([Step::Call { client }, Step::Send { client }]);
            }
            steps.extend([Step::ClientNext { client }, Step::Purge { client }]);
        }
        for (&(client, ticket), (fate, is_call)) in &system.fates {
            if *is_call {
                match fate {
                    Fate::Owed => steps.push(Step::GiveUp { client, ticket }),
                    Fate::Delivered => steps.push(Step::Redeem { client, ticket }),
                    Fate::Taken | Fate::GivenUp => {}
                }
            }
        }
        steps
    }

    fn take(&self, system: &mut System, step: &Step) {
        match *step {
            Step::Call { client } => system.send(client, true),
            Step::Send { client } => system.send(client, false),
            Step::ServerNext => match system.server.next() {
                None => system.asleep[0] = system.open,
                Some(Entry::Message(token)) => {
                    assert!(system.server.receive(token).is_some(), "a queued message is there");
                    system.received.push(token);
                }
                Some(entry) => panic!("{entry:?} in a server that sent nothing"),
            },
            Step::Answer { token } => {
                system.received.retain(|received| *received != token);
                if let Some(message) = system.server.drop_answered(token, Clone::clone) {
                    system.deliver(message, Ok(0));
                }
            }
            Step::Stale { token } => {
                if !system.received.contains(&token) {
                    assert!(
                        system.server.drop_answered(token, |_| ()).is_none(),
                        "answered what was not received"
                    );
                }
            }
            Step::GiveUp { client, ticket } => {
                assert_eq!(system.clients[client as usize].give_up(ticket), Some(0), "was owed");
                system.fates.get_mut(&(client, ticket)).expect("known").0 = Fate::GivenUp;
                // It may be cancelled, or be answered in vain: never both.
                if let Some(message) = system.server.cancel(Sender::Cell { cell: client, ticket }) {
                    assert_eq!(message.sender, Sender::Cell { cell: client, ticket });
                }
            }
            Step::ClientNext { client } => match system.clients[client as usize].next() {
                None => system.asleep[client as usize + 1] = true,
                Some(Entry::Answer(ticket)) => {
                    assert!(system.clients[client as usize].redeem(ticket).is_some());
                    let fate = &mut system.fates.get_mut(&(client, ticket)).expect("known").0;
                    assert_eq!(*fate, Fate::Delivered);
                    *fate = Fate::Taken;
                }
                Some(entry) => panic!("{entry:?} in a client"),
            },
            Step::Redeem { client, ticket } => {
                assert!(system.clients[client as usize].redeem(ticket).is_some());
                assert!(system.clients[client as usize].redeem(ticket).is_none(), "an answer twice");
                system.fates.get_mut(&(client, ticket)).expect("known").0 = Fate::Taken;
            }
            Step::Purge { client } => {
                while let Some(message) = system.server.purge(Ended::Deleted(via(client))) {
                    system.deliver(message, Err(Error::Revoked));
                }
                let owed =
                    system.fates.iter().any(|((cell, _), (fate, _))| *cell == client && *fate == Fate::Owed);
                assert!(!owed, "a message through a revoked capability goes on");
            }
            Step::Close => {
                while let Some(message) = system.server.close() {
                    system.deliver(message, Err(Error::ServerDied));
                }
                system.server.forget(|_, _| {});
                system.received.clear();
                system.open = false;
                system.asleep[0] = false;
            }
            Step::Open => {
                system.server.open();
                system.open = true;
            }
        }
        system.check();
    }

    fn key(&self, system: &mut System) -> System {
        system.clone()
    }
}

#[test]
fn every_accepted_message_gets_one_answer_or_one_error_in_every_history() {
    let depth = std::env::var("MODEL_DEPTH").ok().and_then(|depth| depth.parse().ok()).unwrap_or(7);
    let states = explore(&Inboxes { messages: 4 }, depth);
    std::println!("inbox model: {states} states within {depth} steps");
    assert!(states > 1_000, "the search went nowhere");
}

#[test]
fn every_accepted_message_gets_one_answer_or_one_error_in_long_histories() {
    wander(&Inboxes { messages: u32::MAX });
}
