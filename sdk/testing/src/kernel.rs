//! The calls and operations, as the kernel has them, for one cell on one thread.

use std::cell::RefCell;

use hallows_sdk::abi::{
    Account, Identity, NO_DEADLINE, OnBudget, OnEndpoint, OnNotification, OnObject, OnSpace, OnTimer,
    Operation, Reply,
};
use hallows_sdk::{Error, Event, EventKind, Handle, Rights};

use crate::events::{Coming, Events};
use crate::objects::{Entry, Kind, Objects, Service};
use crate::{Says, nanoseconds};

thread_local! {
    /// The machine that this thread's calls go to.
    static STATE: RefCell<State> = RefCell::default();
}

/// A machine while it runs.
#[derive(Debug, Default)]
pub struct State {
    pub now: u64,
    pub log: Vec<String>,
    pub status: Option<u32>,
    pub start_info: Vec<u8>,
    pub objects: Objects,
    pub events: Events,
    random: u64,
}

/// Puts another machine in the place of this thread's.
pub fn swap(state: State) -> State {
    STATE.replace(state)
}

/// What a call gives: bytes, perhaps a capability.
#[derive(Default)]
pub struct Done {
    pub bytes: Vec<u8>,
    pub handle: Option<Handle>,
}

fn alive<R>(act: impl FnOnce(&mut State) -> Result<R, Error>) -> Result<R, Error> {
    STATE.with_borrow_mut(|state| if state.status.is_some() { Err(Error::Killed) } else { act(state) })
}

pub fn now() -> Result<u64, Error> {
    alive(|state| Ok(state.now))
}

/// Asks a server that the test plays. It is taken out meanwhile, so that it may use the SDK itself.
fn ask(object: usize, bytes: &[u8]) -> Result<Says, Error> {
    let server = alive(|state| match state.objects.kind(object) {
        Kind::Endpoint { server, .. } => Ok(server.take()),
        _ => Err(Error::WrongObject),
    })?;
    let Some(mut server) = server else { return Err(Error::Deadlock) };
    let says = server(bytes);
    alive(|state| {
        if let Kind::Endpoint { server: place, .. } = state.objects.kind(object) {
            *place = Some(server);
        }
        Ok(says)
    })
}

/// The endpoint's object and how it is served.
fn endpoint(handle: Handle) -> Result<Option<(usize, Service)>, Error> {
    alive(|state| {
        let Entry { object, rights, .. } = state.objects.find(handle)?;
        let Kind::Endpoint { service, .. } = state.objects.kind(object) else { return Ok(None) };
        if rights.contains(Rights::SEND) { Ok(Some((object, *service))) } else { Err(Error::NoRight) }
    })
}

pub fn send(handle: Handle, bytes: &[u8], room: u32) -> Result<u64, Error> {
    match endpoint(handle)? {
        Some((_, Service::Own)) => Err(Error::Unsupported),
        None | Some((_, Service::Passive)) => Err(Error::WrongObject),
        Some((object, Service::Active)) => {
            let says = ask(object, bytes)?;
            alive(|state| {
                let token = state.events.token();
                let capabilities = usize::from(matches!(says, Says::With(_)));
                let (at, result) = match says {
                    Says::Now(answer) | Says::With(answer) => (state.now, Ok(answer)),
                    Says::After(after, answer) => (state.now.saturating_add(nanoseconds(after)), Ok(answer)),
                    Says::Fails(error @ (Error::Busy | Error::NotReady)) => return Err(error),
                    Says::Fails(error) => (state.now, Err(error)),
                    Says::Nothing => {
                        state.events.never();
                        return Ok(token);
                    }
                };
                state.events.answer_at(at, token, (result, capabilities), room);
                Ok(token)
            })
        }
    }
}

/// A call of an endpoint, or an operation on another object.
pub fn call(handle: Handle, bytes: &[u8], capabilities: &[Handle], deadline: u64) -> Result<Done, Error> {
    let Some((object, service)) = endpoint(handle)? else {
        let front = bytes.get(..Operation::MOST_BYTES).unwrap_or(bytes);
        let operation = Operation::parse(front, bytes.len())?;
        if capabilities.len() != operation.capabilities() {
            return Err(Error::BadArgument);
        }
        let text = bytes.get(bytes.len() - operation.text_bytes()..).unwrap_or(&[]);
        return alive(|state| state.operate(handle, operation, text, capabilities));
    };
    if service == Service::Own {
        return Err(Error::Deadlock);
    }
    let says = ask(object, bytes)?;
    alive(|state| {
        let answer = |bytes| Ok(Done { bytes, handle: None });
        match says {
            Says::Now(bytes) => answer(bytes),
            Says::With(bytes) => {
                let handle = state.given(1)?.first().copied();
                Ok(Done { bytes, handle })
            }
            Says::After(after, bytes) if state.now.saturating_add(nanoseconds(after)) < deadline => {
                state.now += nanoseconds(after);
                answer(bytes)
            }
            // Nobody else could end the wait.
            Says::Nothing if deadline == NO_DEADLINE => Err(Error::ServerDied),
            Says::After(..) | Says::Nothing => {
                state.now = state.now.max(deadline);
                Err(Error::DeadlinePassed)
            }
            Says::Fails(error) => Err(error),
        }
    })
}

pub fn answer(token: u64, bytes: &[u8]) -> Result<(), Error> {
    alive(|state| state.events.answer(token, bytes))
}

/// The next event, and the capabilities that came with it: all, or none and the event's status says why.
pub fn wait(deadline: u64) -> Result<(Coming, Vec<Handle>), Error> {
    alive(|state| {
        let mut coming = state.wait(deadline)?;
        let handles = state.given(coming.capabilities).unwrap_or_else(|error| {
            coming.event.status = Some(error);
            Vec::new()
        });
        Ok((coming, handles))
    })
}

impl State {
    /// So many capabilities that others give to the cell.
    fn given(&mut self, count: usize) -> Result<Vec<Handle>, Error> {
        if !self.objects.has_room(count) {
            return Err(Error::SpaceFull);
        }
        let endpoint = || Kind::Endpoint { service: Service::Active, server: None };
        let give = |objects: &mut Objects| {
            let object = objects.add(endpoint());
            objects.insert(Entry { object, rights: Rights::SEND, badge: 0, parent: None })
        };
        Ok((0..count).map(|_| give(&mut self.objects)).collect())
    }

    fn wait(&mut self, deadline: u64) -> Result<Coming, Error> {
        loop {
            for (object, bits) in self.events.arrive(self.now) {
                self.signal(object, bits);
            }
            self.fire();
            if let Some(coming) = self.events.take().or_else(|| self.notified()) {
                return Ok(coming);
            }
            let timers = self.objects.iter_mut().filter_map(|(_, kind)| match kind {
                Kind::Timer { next, .. } => *next,
                _ => None,
            });
            let next = timers.chain(self.events.next()).min();
            match next {
                Some(next) if next <= deadline => self.now = self.now.max(next),
                None if deadline == NO_DEADLINE && self.events.is_hopeless() => {
                    return Err(Error::NothingToWaitFor);
                }
                _ => {
                    self.now = self.now.max(deadline);
                    return Ok(Coming { event: Event::DEADLINE, bytes: Vec::new(), capabilities: 0 });
                }
            }
        }
    }

    fn signal(&mut self, object: usize, more: u64) {
        if let Kind::Notification { bits, .. } = self.objects.kind(object) {
            *bits |= more;
        }
    }

    /// Timers whose time has come.
    fn fire(&mut self) {
        let now = self.now;
        let mut fired = Vec::new();
        for (_, kind) in self.objects.iter_mut() {
            if let Kind::Timer { notification, bits, next, period } = kind
                && let Some(at) = next.filter(|at| *at <= now)
            {
                *next = (*period != 0).then(|| at + *period);
                fired.push((*notification, *bits));
            }
        }
        for (notification, bits) in fired {
            self.signal(notification, bits);
        }
    }

    fn notified(&mut self) -> Option<Coming> {
        self.objects.iter_mut().find_map(|(_, kind)| match kind {
            Kind::Notification { bits, bound: Some(badge) } if *bits != 0 => {
                let value = std::mem::take(bits);
                let event = Event { kind: EventKind::Notification, badge: *badge, value, ..Event::DEADLINE };
                Some(Coming { event, bytes: Vec::new(), capabilities: 0 })
            }
            _ => None,
        })
    }

    fn operate(
        &mut self,
        handle: Handle,
        operation: Operation,
        text: &[u8],
        capabilities: &[Handle],
    ) -> Result<Done, Error> {
        let says = |reply: Reply| Ok(Done { bytes: reply.emit().to_vec(), handle: None });
        let target = self.objects.find(handle)?;
        match operation {
            Operation::Object(OnObject::Null) => says(Reply::Done),
            Operation::Object(OnObject::Identify) => says(self.identity(target)),
            Operation::Space(operation) if handle == Handle::SELF => self.operate_space(operation, text),
            Operation::Endpoint(operation) if handle == Handle::SELF => {
                says(self.operate_endpoint(operation)?)
            }
            Operation::Budget(OnBudget::Query) => {
                self.objects.needs(handle, Rights::SEND)?;
                // What a cell has if its system says nothing else.
                says(Reply::Account(Account { total_bytes: 1 << 20, used_bytes: 0 }))
            }
            Operation::Budget(operation) => {
                self.objects.needs(handle, Rights::MANAGE)?;
                self.operate_budget(operation, capabilities)
            }
            Operation::Notification(operation) => says(self.operate_notification(handle, operation)?),
            Operation::Timer(operation) => {
                let object = self.objects.needs(handle, Rights::SEND)?.object;
                let Kind::Timer { next, period, .. } = self.objects.kind(object) else {
                    return Err(Error::WrongObject);
                };
                (*next, *period) = match operation {
                    OnTimer::Arm { at_ns, every_ns, .. } => (Some(at_ns), every_ns),
                    OnTimer::Disarm => (None, 0),
                };
                says(Reply::Done)
            }
            Operation::Space(_) | Operation::Endpoint(_) => Err(Error::WrongObject),
            Operation::Object(OnObject::Destroy) | Operation::Region(_) | Operation::Cell(_) => {
                Err(Error::Unsupported)
            }
        }
    }

    fn identity(&mut self, entry: Entry) -> Reply {
        let kind = self.objects.kind(entry.object).number();
        Reply::Identity(Identity { kind, rights: entry.rights, badge: entry.badge })
    }

    fn operate_space(&mut self, operation: OnSpace, text: &[u8]) -> Result<Done, Error> {
        let reply = match operation {
            OnSpace::Copy { what } => self.derive(what, Rights::ALL, 0)?,
            OnSpace::Mint { what, rights, badge } => self.derive(what, rights, badge)?,
            OnSpace::Move { what } => {
                let entry = self.objects.delete(what)?;
                Reply::Handle(self.objects.insert(entry))
            }
            OnSpace::Delete { what } => self.objects.delete(what).map(|_| Reply::Done)?,
            OnSpace::Revoke { what } => {
                self.objects.find(what)?;
                Reply::Number(self.objects.revoke(what.index()))
            }
            OnSpace::Identify { what } => {
                let entry = self.objects.find(what)?;
                self.identity(entry)
            }
            OnSpace::StartInfo => {
                let mut bytes = vec![Reply::DONE];
                let length = u32::try_from(self.start_info.len()).map_err(|_| Error::AnswerTooLong)?;
                bytes.extend(length.to_le_bytes());
                bytes.extend(&self.start_info);
                return Ok(Done { bytes, handle: None });
            }
            OnSpace::Exit { status } => {
                self.status = Some(status);
                Reply::Done
            }
            OnSpace::Yield | OnSpace::Expect { .. } => Reply::Done,
            OnSpace::Now => Reply::Number(self.now),
            OnSpace::Random => {
                // Weyl's sequence: the same numbers in every run, so that a test can be repeated.
                self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
                Reply::Random([self.random, self.random.rotate_left(32)])
            }
            OnSpace::Log { .. } => {
                self.log.push(String::from_utf8_lossy(text).into_owned());
                Reply::Done
            }
        };
        Ok(Done { bytes: reply.emit().to_vec(), handle: None })
    }

    fn operate_endpoint(&mut self, operation: OnEndpoint) -> Result<Reply, Error> {
        match operation {
            OnEndpoint::Watch { .. } => Ok(Reply::Done),
            OnEndpoint::Recognise { endpoint } => {
                let entry = self.objects.find(endpoint)?;
                match self.objects.kind(entry.object) {
                    Kind::Endpoint { service: Service::Own, .. } => Ok(Reply::Number(entry.badge)),
                    Kind::Endpoint { .. } => Err(Error::NoRight),
                    _ => Err(Error::WrongObject),
                }
            }
            OnEndpoint::Destroy { .. } | OnEndpoint::Reassign { .. } => Err(Error::Unsupported),
        }
    }

    fn operate_budget(&mut self, operation: OnBudget, capabilities: &[Handle]) -> Result<Done, Error> {
        let kind = match operation {
            OnBudget::CreateEndpoint { .. } => Kind::Endpoint { service: Service::Own, server: None },
            OnBudget::CreateNotification => Kind::Notification { bits: 0, bound: None },
            OnBudget::CreateTimer { bits } => {
                let signalled = capabilities.first().ok_or(Error::BadArgument)?;
                let notification = self.objects.needs(*signalled, Rights::SEND)?.object;
                Kind::Timer { notification, bits, next: None, period: 0 }
            }
            _ => return Err(Error::Unsupported),
        };
        let object = self.objects.add(kind);
        let handle = self.objects.insert(Entry { object, rights: Rights::ALL, badge: 0, parent: None });
        Ok(Done { bytes: Reply::Done.emit().to_vec(), handle: Some(handle) })
    }

    fn operate_notification(&mut self, handle: Handle, operation: OnNotification) -> Result<Reply, Error> {
        let right = match operation {
            OnNotification::Signal { .. } => Rights::SEND,
            OnNotification::Bind { .. } | OnNotification::Poll => Rights::RECEIVE,
        };
        let object = self.objects.needs(handle, right)?.object;
        let Kind::Notification { bits, bound } = self.objects.kind(object) else {
            return Err(Error::WrongObject);
        };
        match operation {
            OnNotification::Signal { bits: more } => *bits |= more,
            OnNotification::Poll => return Ok(Reply::Number(std::mem::take(bits))),
            OnNotification::Bind { .. } if bound.is_some() => return Err(Error::BadState),
            OnNotification::Bind { badge } => *bound = Some(badge),
        }
        Ok(Reply::Done)
    }

    fn derive(&mut self, parent: Handle, rights: Rights, badge: u64) -> Result<Reply, Error> {
        let entry = self.objects.find(parent)?;
        if badge != 0 && entry.badge != 0 && badge != entry.badge {
            return Err(Error::BadArgument);
        }
        let child = Entry {
            rights: entry.rights.intersection(rights),
            badge: if badge == 0 { entry.badge } else { badge },
            parent: Some(parent.index()),
            ..entry
        };
        Ok(Reply::Handle(self.objects.insert(child)))
    }
}
