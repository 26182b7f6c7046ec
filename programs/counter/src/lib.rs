//! A server that counts, and crashes when it is told to. What it counted dies with it.
#![no_std]
#![forbid(unsafe_code)]

use hallows::{Answer, Error, Form, Message, Server, Start, process};
use hallows_protocols::counter::{Action, Request, Response};

/// What was added up in this life.
pub struct Counter {
    value: u64,
}

impl Server for Counter {
    const INBOX_BYTES: usize = 64;
    const REPLY_BYTES: usize = 64;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self { value: 0 })
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        let Some(request) = Request::parse(message.bytes) else { return Answer::EMPTY };
        match Action::from_number(request.action) {
            Some(Action::Add) => {
                self.value = self.value.wrapping_add(request.amount);
                message.reply.form(&Response { value: self.value })
            }
            Some(Action::Crash) => {
                let _ = process::crash("a client asked for it");
                Answer::EMPTY
            }
            None => Answer::EMPTY,
        }
    }
}

hallows::server!(Counter);
