//! A server that does the work of fan-out. Several cells of it, served actively, work at the same time.
#![no_std]
#![forbid(unsafe_code)]

use hallows::{Answer, Error, Form, Message, Server, Start};
use hallows_protocols::work::{Request, Response};

/// It remembers nothing.
pub struct Worker;

impl Server for Worker {
    const INBOX_BYTES: usize = 64;
    const REPLY_BYTES: usize = 64;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self)
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        match Request::parse(message.bytes) {
            Some(request) => message.reply.form(&Response { result: request.result() }),
            None => Answer::EMPTY,
        }
    }
}

hallows::server!(Worker);
