//! The program: it holds the endpoints that are provided, and makes the capabilities that clients get.
//!
//! Its arguments are the system's [`Rule`]s. It is granted nothing. It answers one interface, to capabilities that stand for a namespace (those
//! of the system's clients among them) or a registration.

use hallows_sdk::abi::ObjectKind;
use hallows_sdk::registry::Identity;
use hallows_sdk::registry::protocol::{
    self, Entry, Namespace, Refusal, Registration, Server as Provider, Service, Target,
};
use hallows_sdk::stub::{self, Own, Resource};
use hallows_sdk::{
    Answer, Budget, Endpoint, Error, Message, Object, Rights, Server, Start, log, process, space,
};

use crate::{Badge, Client, Directory, Life, Policy, Rule, SpaceId};

/// Bytes of the longest message: `provide` with the longest name, and some.
const MESSAGE_BYTES: usize = 256;
/// Messages that may wait for capabilities that it makes, if it is served actively.
const QUEUE: u16 = 64;
/// What the registry needs of what is provided: clients get these.
const NEEDED: Rights = Rights(Rights::SEND.0 | Rights::WATCH.0 | Rights::TRANSFER.0);
/// What the holder of a namespace or a registration may do with its capability: call it, and pass it on.
const OWN_RIGHTS: Rights = Rights(Rights::SEND.0 | Rights::TRANSFER.0);

/// The state of a cell of the registry.
#[derive(Debug)]
pub struct Registry {
    policy: Policy,
    directory: Directory<Endpoint>,
    life: Life,
    /// What namespaces and registrations are minted from: nobody else has it without a badge.
    own: Endpoint,
}

impl Server for Registry {
    const INBOX_BYTES: usize = MESSAGE_BYTES;
    const REPLY_BYTES: usize = MESSAGE_BYTES;

    fn new(start: &Start<'_>) -> Result<Self, Error> {
        let mut policy = Policy::default();
        for argument in start.info().arguments() {
            argument.parse::<Rule>().and_then(|rule| policy.add(rule)).map_err(|error| {
                log!("{error}");
                Error::BadArgument
            })?;
        }
        // It can only serve in the way that its system wants.
        let own = match Budget::OWN.create_endpoint(hallows_sdk::Service::Passive { budget: None }) {
            Err(Error::BadState) => {
                Budget::OWN.create_endpoint(hallows_sdk::Service::Active { queue: QUEUE })
            }
            made => made,
        }?;
        let [low, high, ..] = process::random()?;
        let directory = Directory::new(&policy);
        Ok(Self { policy, directory, life: Life(u16::from_le_bytes([low, high])), own })
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        protocol::serve(self, message)
    }
}

/// Who calls what.
#[derive(Clone, Copy)]
struct Place {
    space: SpaceId,
    client: Client,
    /// A client of the system, which provides what that says.
    is_of_system: bool,
}

/// Deletes a capability that nobody needs any more.
fn delete(endpoint: Endpoint) {
    // It is gone already if it was revoked.
    let _ = space::delete(endpoint);
}

/// What the kernel says of a capability that a server was provided by: its badge, if it will do.
fn fit(server: Endpoint) -> Result<u64, Refusal> {
    let identity = server.identify().map_err(|_| Refusal::Unfit)?;
    let is_endpoint = identity.kind == ObjectKind::Endpoint;
    if !is_endpoint || !identity.rights.contains(NEEDED) || !is_there(server) {
        return Err(Refusal::Unfit);
    }
    Ok(identity.badge)
}

/// Whether an endpoint has not ended, and its capability was not revoked.
fn is_there(server: Endpoint) -> bool {
    // Nobody is asked but the kernel; that another cell serves it is what is expected.
    !matches!(server.recognise(), Err(Error::Gone | Error::Revoked | Error::BadHandle))
}

impl Registry {
    fn badge(&self, number: u64) -> Option<Badge> {
        Badge::from_number(number, self.life)
    }

    /// The namespace that a call came to. The stubs have seen to it that there is one.
    fn place(&self, caller: stub::Client) -> Result<Place, Refusal> {
        match self.badge(caller.badge) {
            Some(Badge::Client(client)) => {
                let space = self.directory.named(self.policy.namespace(client));
                Ok(Place { space, client, is_of_system: true })
            }
            Some(Badge::Space(space)) => {
                let client = self.directory.client(space).ok_or(Refusal::Nobody)?;
                Ok(Place { space, client, is_of_system: false })
            }
            Some(Badge::Registration(_)) | None => Err(Refusal::Nobody),
        }
    }

    /// The number of the registration that a call came to; one that never was for anything else.
    fn registration(&self, caller: stub::Client) -> u64 {
        match self.badge(caller.badge) {
            Some(Badge::Registration(number)) => number,
            _ => 0,
        }
    }

    /// A capability for what has this badge.
    fn give<R: Resource>(&self, badge: Badge) -> Result<Own<R>, Refusal> {
        let made = space::mint(self.own, OWN_RIGHTS, badge.number(self.life));
        made.map(|endpoint| Own(R::from_capability(endpoint.handle()))).map_err(|_| Refusal::Full)
    }

    /// Whether whoever calls may provide an interface.
    fn permit(&self, place: Place, identity: Identity) -> Result<(), Refusal> {
        if place.is_of_system && !self.policy.provides(place.client, identity) {
            return Err(Refusal::NotPermitted);
        }
        Ok(())
    }

    /// Forgets who is provided in a namespace itself, if that has ended.
    fn sweep(&mut self, space: SpaceId, identity: Identity) {
        let server = self.directory.own(space, identity).map(|provided| provided.server);
        if server.is_some_and(|server| !is_there(server))
            && let Some(server) = self.directory.remove(space, identity)
        {
            delete(server);
        }
    }

    /// Provides a server that is fit.
    fn accept(
        &mut self,
        place: Place,
        identity: Identity,
        name: &str,
        server: Endpoint,
    ) -> Result<Own<Registration>, Refusal> {
        self.permit(place, identity)?;
        fit(server)?;
        self.sweep(place.space, identity);
        let other = self.directory.own(place.space, identity).map(|provided| provided.client);
        if other.is_some_and(|other| other != place.client) {
            return Err(Refusal::Taken);
        }
        self.directory.check(place.space, identity, name)?;
        let next = self.directory.next_registration();
        let registration = self.give(Badge::Registration(next))?;
        let (_, before) = self.directory.provide(place.space, identity, name, place.client, server)?;
        before.into_iter().for_each(delete);
        Ok(registration)
    }
}

impl Service for Registry {
    fn target(&self, badge: u64) -> Option<Target> {
        match self.badge(badge)? {
            Badge::Client(_) => Some(Target::Namespace),
            Badge::Space(space) => self.directory.has(space).then_some(Target::Namespace),
            Badge::Registration(number) => self.directory.registered(number).map(|_| Target::Registration),
        }
    }

    fn namespace_resolve(
        &mut self,
        caller: stub::Client,
        identity: Identity,
    ) -> Result<Own<Provider>, Refusal> {
        let place = self.place(caller)?;
        let server = loop {
            let (above, provided) = self.directory.find(place.space, identity).ok_or(Refusal::Nobody)?;
            if is_there(provided.server) {
                break provided.server;
            }
            // It has ended: whoever is above it is found instead, as if it had been withdrawn.
            let space = self.directory.above(place.space, above).ok_or(Refusal::Nobody)?;
            self.sweep(space, identity);
        };
        // Who was provided with a badge already keeps it; everybody else hears which client it is.
        let badge = if fit(server)? == 0 { u64::from(place.client.0) } else { 0 };
        let made = space::mint(server, NEEDED, badge).map_err(|_| Refusal::Full)?;
        Ok(Own(Provider::from_capability(made.handle())))
    }

    fn namespace_provide(
        &mut self,
        caller: stub::Client,
        identity: Identity,
        name: &str,
        server: Own<Provider>,
    ) -> Result<Own<Registration>, Refusal> {
        let server = Endpoint::from_capability(server.0.capability());
        let place = self.place(caller);
        place.and_then(|place| self.accept(place, identity, name, server)).inspect_err(|_| delete(server))
    }

    fn namespace_succeed(
        &mut self,
        caller: stub::Client,
        identity: Identity,
    ) -> Result<Own<Registration>, Refusal> {
        let place = self.place(caller)?;
        self.permit(place, identity)?;
        self.sweep(place.space, identity);
        self.directory.own(place.space, identity).ok_or(Refusal::Nobody)?;
        let registration: Own<Registration> =
            self.give(Badge::Registration(self.directory.next_registration()))?;
        self.directory.succeed(place.space, identity, place.client).inspect_err(|_| {
            delete(Endpoint::from_capability(registration.0.capability()));
        })?;
        Ok(registration)
    }

    fn namespace_next(&mut self, caller: stub::Client, after: Option<Identity>) -> Option<Entry<'_>> {
        let place = self.place(caller).ok()?;
        let (identity, above, provided) = self.directory.next(place.space, after)?;
        Some(Entry { identity, name: &provided.name, above })
    }

    fn namespace_child(&mut self, caller: stub::Client) -> Result<Own<Namespace>, Refusal> {
        let place = self.place(caller)?;
        let child = self.directory.child(place.space, place.client)?;
        self.give(Badge::Space(child)).inspect_err(|_| {
            self.directory.close(child);
        })
    }

    fn namespace_close(&mut self, caller: stub::Client) {
        if let Ok(place) = self.place(caller) {
            self.directory.close(place.space).into_iter().for_each(delete);
        }
    }

    fn registration_server(&mut self, caller: stub::Client) -> Result<Own<Provider>, Refusal> {
        let provided = self.directory.registered(self.registration(caller)).ok_or(Refusal::Nobody)?;
        let made = space::copy(provided.server).map_err(|error| match error {
            Error::SpaceFull | Error::TooDeep => Refusal::Full,
            _ => Refusal::Nobody,
        })?;
        Ok(Own(Provider::from_capability(made.handle())))
    }

    fn registration_replace(&mut self, caller: stub::Client, server: Own<Provider>) -> Result<(), Refusal> {
        let server = Endpoint::from_capability(server.0.capability());
        let replaced = fit(server)
            .and_then(|_| self.directory.replace(self.registration(caller), server).ok_or(Refusal::Nobody));
        replaced.map(delete).inspect_err(|_| delete(server))
    }

    fn registration_withdraw(&mut self, caller: stub::Client) {
        self.directory.withdraw(self.registration(caller)).into_iter().for_each(delete);
    }
}

hallows_sdk::server!(Registry);
hallows_sdk::serves!(protocol);
