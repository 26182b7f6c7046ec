//! A store of capabilities: one client leaves one under a name, another picks a copy of it up.
//!
//! What is picked up derives from what was left: when its owner takes it back, from the store or by revoking its own, it is
//! gone everywhere at once. It is active, because who asks for a name that is not there yet is answered later.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod store;

use hallows::{
    Answer, Endpoint, Error, Form, Handle, Message, Rights, Server, Start, Token, Transfer, answer, identify,
    log, space,
};
use hallows_protocols::file_drop::{Action, Name, Request, Response, Status};

use store::{Entry, Store};

/// What is kept, and who waits for what.
pub struct FileDrop {
    store: Store,
}

impl Server for FileDrop {
    const INBOX_BYTES: usize = 64;
    const REPLY_BYTES: usize = 64;

    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self { store: Store::new() })
    }

    fn message<'a>(&'a mut self, mut message: Message<'a>) -> Answer<'a> {
        let request = Request::parse(message.bytes);
        let action = request.and_then(|request| Action::from_number(request.action));
        if action != Some(Action::Put) {
            drop_all(message.handles);
        }
        let (Some(Request { name, .. }), Some(action)) = (request, action) else { return Answer::EMPTY };
        let status = match action {
            Action::Put => self.put(name, message.badge, message.handles),
            Action::Remove => self.remove(name, message.badge),
            Action::Take => match self.store.find(&name) {
                Some(entry) => match message.reply.give(Transfer::copy(entry.handle)) {
                    Ok(()) => Status::Done,
                    Err(_) => Status::Full,
                },
                None if self.store.wait(name, message.token.0) => return Answer::Later,
                None => Status::Full,
            },
        };
        message.reply.form(&Response { status: status as u32 })
    }
}

/// Deletes capabilities that nobody asked for.
fn drop_all(handles: &[Handle]) {
    for handle in handles {
        // Only a kernel that takes no more calls from this cell refuses, and then it is over anyway.
        let _ = space::delete(Endpoint::from_handle(*handle));
    }
}

impl FileDrop {
    fn put(&mut self, name: Name, owner: u64, handles: &[Handle]) -> Status {
        let status = match handles {
            [handle] if name[0] != 0 && may_be_passed_on(*handle) => {
                self.store.insert(Entry { name, owner, handle: *handle })
            }
            _ => Status::BadRequest,
        };
        if status == Status::Done {
            self.answer_waiting(&name);
        } else {
            drop_all(handles);
        }
        status
    }

    fn remove(&mut self, name: Name, owner: u64) -> Status {
        let Some(entry) = self.store.remove(&name, owner) else { return Status::NotYours };
        let kept = Endpoint::from_handle(entry.handle);
        // The handle may be stale already, if its owner revoked it: then nothing is left to take back.
        let _ = space::revoke(kept);
        let _ = space::delete(kept);
        Status::Done
    }

    fn answer_waiting(&mut self, name: &Name) {
        let Some(entry) = self.store.find(name) else { return };
        while let Some(token) = self.store.take_waiting(name) {
            let response = Response { status: Status::Done as u32 }.emit();
            if let Err(error) = answer(Token(token), &response, &[Transfer::copy(entry.handle)]) {
                log!("could not hand something over that was waited for: {error}");
            }
        }
    }
}

fn may_be_passed_on(handle: Handle) -> bool {
    identify(handle).is_ok_and(|identity| identity.rights.contains(Rights::TRANSFER))
}

hallows::server!(FileDrop);
