//! What the tests of the services share, and the whole service by messages.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use hallows_abi::{MAX_MESSAGE, MAX_TRANSFERS, Outcome, Transfer};
use hallows_sdk::server::Reply;
use hallows_sdk::stub::{Caller, Error, Handle};
use hallows_sdk::{Answer, Deadline, Message, Token};

use super::badge::Badge;
use super::host::Host;
use super::own_endpoint::OwnEndpoint;
use super::resources::{GrantedDirectory, HostResources, Installed, OpenFiles};

/// No directories, no arguments, and nothing behind the streams.
pub fn resources() -> HostResources {
    let null = || OwnedFd::from(File::options().read(true).write(true).open("/dev/null").unwrap());
    HostResources {
        directories: Vec::new(),
        streams: [null(), null(), null()],
        carried_input: None,
        arguments: Vec::new(),
        variables: Vec::new(),
    }
}

/// Resources that were installed for one test.
pub fn installed_with(change: impl FnOnce(&mut HostResources)) -> Arc<Installed> {
    let mut resources = resources();
    change(&mut resources);
    Arc::new(Installed::check(resources, &Arc::new(OpenFiles::new())).expect("are good"))
}

/// A grant of a directory.
pub fn grant(path: &Path, read_only: bool) -> GrantedDirectory {
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::DIRECTORY;
    GrantedDirectory {
        descriptor: rustix::fs::open(path, flags, rustix::fs::Mode::empty()).expect("is there"),
        read_only,
        name: path.display().to_string(),
    }
}

/// The token of every message.
const TOKEN: Token = Token(1);

/// A space of capabilities in place of the kernel's: which badge each handle has.
#[derive(Clone, Debug, Default)]
pub struct Space {
    badges: Rc<RefCell<HashMap<u32, u64>>>,
    /// The answer that was given before its handler returned.
    answered: Rc<RefCell<Option<Vec<u8>>>>,
    /// Clients are served on their own threads.
    pub is_passive: bool,
}

impl Space {
    /// The badge behind a handle that was minted here.
    pub fn badge(&self, handle: Handle) -> u64 {
        self.badges.borrow()[&handle.0]
    }
}

impl OwnEndpoint for Space {
    fn mint(&self, badge: u64) -> Result<Handle, Error> {
        let mut badges = self.badges.borrow_mut();
        let handle = u32::try_from(badges.len() + 3).unwrap();
        badges.insert(handle, badge);
        Ok(Handle(handle))
    }

    fn recognise(&self, capability: Handle) -> Result<u64, Error> {
        self.badges.borrow().get(&capability.0).copied().ok_or(Error::NoRight)
    }

    fn answers_early(&self) -> bool {
        !self.is_passive
    }

    fn answer(&self, token: Token, bytes: &[u8]) {
        assert!(token == TOKEN && !self.is_passive);
        assert_eq!(self.answered.replace(Some(bytes.to_vec())), None, "a message is answered once");
    }
}

/// Stands in the place of engine and kernel: calls a service with a badge.
pub struct Wire<'h> {
    host: &'h RefCell<Host<Space>>,
    space: Space,
    badge: Cell<u64>,
}

impl<'h> Wire<'h> {
    pub fn new((host, space): &'h (RefCell<Host<Space>>, Space), badge: u64) -> Self {
        Self { host, space: space.clone(), badge: Cell::new(badge) }
    }
}

impl Caller for Wire<'_> {
    fn call(
        &self,
        bytes: &[u8],
        transfers: &[Transfer],
        reply: &mut [u8],
        handles: &mut [Handle],
        _: Deadline,
    ) -> Result<Outcome, Error> {
        let given: Vec<Handle> = transfers.iter().map(|transfer| transfer.handle).collect();
        let mut buffer = vec![0; MAX_MESSAGE as usize];
        let mut forms = [[0; Transfer::SIZE]; MAX_TRANSFERS as usize];
        let mut host = self.host.borrow_mut();
        let message = Message {
            bytes,
            handles: &given,
            badge: self.badge.get(),
            token: TOKEN,
            reply: Reply::new(&mut buffer, &mut forms),
        };
        let answered = match host.message(message) {
            Answer::Now { bytes, transfers } => Some((bytes.to_vec(), transfers)),
            Answer::Later => None,
        };
        let (bytes, transfers) = match (answered, self.space.answered.take()) {
            (Some(now), None) => now,
            (None, Some(before)) => (before, 0),
            both => panic!("a message is answered once: {both:?}"),
        };
        reply.get_mut(..bytes.len()).ok_or(Error::AnswerTooLong)?.copy_from_slice(&bytes);
        let length = u32::try_from(bytes.len()).unwrap();
        for (place, form) in handles.iter_mut().zip(&forms).take(transfers) {
            *place = Transfer::parse(form).expect("a transfer").handle;
        }
        Ok(Outcome { length, handles: u32::try_from(transfers).unwrap() })
    }
}

mod whole;
