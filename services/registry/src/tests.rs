//! The whole service, called through the stubs of its clients.

use std::cell::RefCell;
use std::prelude::v1::*;
use std::vec;

use hallows_sdk::abi::{MAX_TRANSFERS, Outcome};
use hallows_sdk::program::read_start;
use hallows_sdk::registry::Identity;
use hallows_sdk::registry::protocol::{self, Refusal, Registration, Service as _};
use hallows_sdk::stub::{Caller, Own, Resource};
use hallows_sdk::{
    Answer, Budget, Deadline, Endpoint, Error, Handle, Message, Object, Reply, Rights, Server, Service,
    Start, Token, Transfer, space,
};
use hallows_testing::{Machine, Says};
use proptest::prelude::*;

use crate::{Client, Registry, Rule};

const NEVER: Deadline = Deadline::NEVER;
const TALLY: [u8; 32] = [7; 32];

fn tally() -> Identity {
    Identity::from_bytes(TALLY)
}

/// Stands in the place of the kernel: hands the registry what comes through a badge. All capabilities are in one space.
#[derive(Clone, Copy)]
struct Wire<'r>(&'r RefCell<Registry>, u64);

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
        let mut buffer = vec![0; Registry::REPLY_BYTES];
        let mut forms = [[0; Transfer::SIZE]; MAX_TRANSFERS as usize];
        let mut registry = self.0.borrow_mut();
        let reply_to = Reply::new(&mut buffer, &mut forms);
        let message = Message { bytes, handles: &given, badge: self.1, token: Token(1), reply: reply_to };
        let Answer::Now { bytes, transfers } = registry.message(message) else {
            std::panic!("it answers at once")
        };
        let length = bytes.len();
        reply.get_mut(..length).ok_or(Error::AnswerTooLong)?.copy_from_slice(bytes);
        for (place, form) in handles.iter_mut().zip(&forms).take(transfers) {
            *place = Transfer::parse(form).expect("a transfer").handle;
        }
        Ok(Outcome { length: length as u32, handles: transfers as u32 })
    }
}

impl Wire<'_> {
    fn namespace(self) -> protocol::Namespace<Self> {
        protocol::Namespace(self)
    }

    fn resolve(self) -> Result<Endpoint, Refusal> {
        self.namespace().resolve(tally(), NEVER).expect("an answer").map(|server| server.0.0)
    }

    /// Provides a copy of an endpoint, as programs do.
    fn provide(self, endpoint: Endpoint) -> Result<Self, Refusal> {
        let copy = space::copy(endpoint).expect("room");
        self.provide_itself(copy.handle())
    }

    fn provide_itself(self, handle: Handle) -> Result<Self, Refusal> {
        let server = Own(protocol::Server::from_capability(handle));
        let answer = self.namespace().provide(tally(), "tally", server, &mut [0; 128], NEVER);
        answer.expect("an answer").map(|registration| self.through(registration.0))
    }

    fn succeed(self) -> Result<Self, Refusal> {
        let answer = self.namespace().succeed(tally(), NEVER).expect("an answer");
        answer.map(|registration| self.through(registration.0))
    }

    fn child(self) -> Result<Self, Refusal> {
        self.namespace().child(NEVER).expect("an answer").map(|child| self.through(child.0))
    }

    /// What a capability that was given reaches.
    fn through(self, resource: impl Resource) -> Self {
        Wire(self.0, Endpoint::from_handle(resource.capability()).identify().expect("a capability").badge)
    }

    fn registration(self) -> Registration<Self> {
        Registration(self)
    }
}

/// A registry, and an endpoint of somebody's that it may be given.
fn with_registry(rules: &[Rule], body: impl FnOnce(&RefCell<Registry>, Endpoint)) -> hallows_testing::Ended {
    let machine = Machine::new().passive("other", |_| Says::Now(vec![]));
    let machine = rules.iter().fold(machine, |machine, rule| machine.argument(&rule.to_string()));
    machine.run(|| {
        let mut room = [0; 4_096];
        let start: Start<'_> = read_start(&mut room).expect("it was started");
        let registry = RefCell::new(Registry::new(&start).expect("its rules are good"));
        body(&registry, start.grant("other").expect("it was granted"));
    })
}

/// Clients 1 and 2 may provide it, 3 in a namespace that it has with 5; 4 may not, nor may 6 in another one.
fn rules() -> Vec<Rule> {
    let mut rules: Vec<_> = [1, 2, 3].map(|client| Rule::Provides(Client(client), TALLY)).into();
    for (client, name) in [(3, "test"), (5, "test"), (6, "other")] {
        rules.push(Rule::Namespace(Client(client), name.to_owned()));
    }
    rules
}

/// An endpoint of this cell, with all rights and no badge.
fn own_endpoint() -> Endpoint {
    Budget::OWN.create_endpoint(Service::Passive { budget: None }).expect("room")
}

#[test]
fn who_resolves_may_call_watch_and_pass_on_under_its_own_number() {
    with_registry(&rules(), |registry, _| {
        let [provider, client] = [1, 4].map(|badge| Wire(registry, badge));
        assert_eq!(client.resolve(), Err(Refusal::Nobody));
        provider.provide(own_endpoint()).expect("it may");
        let identity = client.resolve().expect("provided").identify().expect("a capability");
        assert_eq!((identity.rights, identity.badge), (Rights::SEND | Rights::WATCH | Rights::TRANSFER, 4));
        let next = client
            .namespace()
            .next(None, &mut [0; 128], NEVER)
            .expect("an answer")
            .map(|entry| entry.identity);
        assert_eq!(next, Some(tally()));
        assert!(client.namespace().next(next, &mut [0; 128], NEVER).expect("an answer").is_none());
        // One that has a badge already keeps it.
        let badged = own_endpoint().mint(99).expect("room");
        provider.provide(badged).expect("it may");
        assert_eq!(client.resolve().expect("provided").identify().expect("a capability").badge, 99);
    });
}

#[test]
fn a_namespace_of_the_systems_shadows_the_first_one() {
    with_registry(&rules(), |registry, _| {
        let [first, test, user, other] = [1, 3, 5, 6].map(|badge| Wire(registry, badge));
        first.provide(own_endpoint().mint(11).expect("room")).expect("it may");
        let badge =
            |wire: Wire<'_>| wire.resolve().map(|server| server.identify().expect("a capability").badge);
        // It is promised there, and has not come yet; elsewhere it is not.
        assert_eq!([user, other].map(badge), [Err(Refusal::Nobody), Ok(11)]);
        let registration = test.provide(own_endpoint().mint(33).expect("room")).expect("it may");
        assert_eq!([first, test, user, other].map(badge), [Ok(11), Ok(33), Ok(33), Ok(11)]);
        registration.registration().withdraw(NEVER).expect("an answer");
        assert_eq!(badge(user), Err(Refusal::Nobody));
        assert_eq!(registration.registration().withdraw(NEVER), Err(Error::Gone));
    });
}

#[test]
fn only_whom_the_system_names_provides_and_only_in_the_place_of_itself() {
    with_registry(&rules(), |registry, other| {
        let [one, two, four] = [1, 2, 4].map(|badge| Wire(registry, badge));
        assert_eq!(four.provide(other).err(), Some(Refusal::NotPermitted));
        assert_eq!(four.succeed().err(), Some(Refusal::NotPermitted));
        assert_eq!(one.succeed().err(), Some(Refusal::Nobody));
        let earlier = one.provide(other).expect("it may");
        assert_eq!(two.provide(other).err(), Some(Refusal::Taken));
        // The next life of the same client.
        let later = one.provide(other).expect("it may");
        assert_eq!(earlier.registration().server(NEVER), Err(Error::Gone));
        let successor = two.succeed().expect("it may");
        assert_eq!(later.registration().server(NEVER), Err(Error::Gone));
        assert!(successor.registration().server(NEVER).expect("an answer").is_ok());
        assert_eq!(one.provide(other).err(), Some(Refusal::Taken), "it is another's now");
    });
}

#[test]
fn who_comes_after_gets_all_rights_that_were_given() {
    with_registry(&rules(), |registry, _| {
        let registration = Wire(registry, 1).provide(own_endpoint()).expect("it may");
        let server = registration.registration().server(NEVER).expect("an answer").expect("is there").0.0;
        assert_eq!(server.identify().map(|identity| (identity.rights, identity.badge)), Ok((Rights::ALL, 0)));
        let replacement =
            own_endpoint().mint::<hallows_sdk::rights!(SEND | WATCH | TRANSFER)>(5).expect("room");
        let given = Own(protocol::Server::from_capability(replacement.handle()));
        assert_eq!(registration.registration().replace(given, NEVER), Ok(Ok(())));
        assert_eq!(Wire(registry, 4).resolve().expect("provided").identify().expect("a capability").badge, 5);
    });
}

#[test]
fn what_cannot_be_called_watched_and_passed_on_is_unfit_and_not_kept() {
    with_registry(&rules(), |registry, other| {
        let provider = Wire(registry, 1);
        let notification = Budget::OWN.create_notification().expect("room").handle();
        let lacking = |rights| space::mint(other, rights, 0).expect("room").handle();
        let unfit = [
            notification,
            Handle(77),
            lacking(Rights::SEND | Rights::WATCH),
            lacking(Rights::SEND | Rights::TRANSFER),
            lacking(Rights::WATCH | Rights::TRANSFER),
        ];
        for handle in unfit {
            assert_eq!(provider.provide_itself(handle).err(), Some(Refusal::Unfit), "{handle:?}");
            assert_eq!(Endpoint::from_handle(handle).identify(), Err(Error::BadHandle), "{handle:?} is kept");
        }
        assert_eq!(provider.resolve(), Err(Refusal::Nobody));
    });
}

#[test]
fn a_server_that_was_revoked_leaves_its_place_to_others() {
    with_registry(&rules(), |registry, other| {
        let [one, two, test] = [1, 2, 3].map(|badge| Wire(registry, badge));
        let kept = space::copy(other).expect("room");
        one.provide(kept).expect("it may");
        test.provide(kept).expect("it may");
        let had = two.resolve().expect("provided");
        space::revoke(kept).expect("it is there");
        assert_eq!(had.identify(), Err(Error::BadHandle), "it was the provider's to take back");
        assert_eq!([one, two, test].map(Wire::resolve), [Err(Refusal::Nobody); 3]);
        two.provide(other).expect("the place is free");
        assert!(one.resolve().is_ok());
    });
}

#[test]
fn whoever_has_a_namespace_provides_in_it_until_it_is_closed() {
    with_registry(&rules(), |registry, other| {
        let four = Wire(registry, 4);
        let child = four.child().expect("room");
        let inner = child.child().expect("room");
        child.provide(other).expect("it is its own");
        assert!(inner.resolve().is_ok() && four.resolve().is_err());
        let number = inner.resolve().expect("provided").identify().expect("a capability").badge;
        assert!((1 << 31..1 << 32).contains(&number), "{number:#x} may be a client of the system");
        // The system's own is not its client's to close.
        four.namespace().close(NEVER).expect("an answer");
        child.namespace().close(NEVER).expect("an answer");
        for gone in [child, inner] {
            assert_eq!(gone.namespace().resolve(tally(), NEVER), Err(Error::Gone));
        }
        assert!(four.child().is_ok());
    });
}

#[test]
fn another_life_knows_nothing_of_what_was_made_before() {
    with_registry(&rules(), |registry, other| {
        let child = Wire(registry, 1).child().expect("room");
        let registration = Wire(registry, 1).provide(other).expect("it may");
        let mut room = [0; 4_096];
        let start = read_start(&mut room).expect("it was started");
        let next = RefCell::new(Registry::new(&start).expect("its rules are good"));
        assert!(next.borrow().target(child.1).is_none() && next.borrow().target(registration.1).is_none());
        assert_eq!(Wire(&next, child.1).namespace().close(NEVER), Err(Error::Gone));
        assert!(Wire(&next, 1).provide(other).is_ok());
    });
}

#[test]
fn rules_that_are_none_are_said_and_it_does_not_start() {
    let ended = Machine::new().argument("provides=1:xyz").run(|| {
        let mut room = [0; 4_096];
        let start = read_start(&mut room).expect("it was started");
        assert_eq!(Registry::new(&start).err(), Some(Error::BadArgument));
    });
    assert!(ended.log[0].contains("a hash has 64 digits"), "{:?}", ended.log);
}

proptest! {
    /// Messages at random, many of them nearly good: each is answered, and no capability that came is kept but by who provides it.
    #[test]
    fn whatever_a_message_has_it_is_answered_and_nothing_is_left_behind(
        messages in prop::collection::vec(
            (0..6_usize, 0..TAGS.len() + 1, prop::collection::vec(prop_oneof![0_u8..9, any::<u8>()], 0..60), 0..3_usize), 1..40,
        ),
    ) {
        with_registry(&rules(), |registry, other| {
            let before = highest_of_many(other);
            let [child, registration] = [
                Wire(registry, 4).namespace().child(NEVER).expect("an answer").expect("room").0.capability(),
                provided(Wire(registry, 1), other),
            ];
            let [at_child, at_registration] =
                [child, registration].map(|handle| Wire(registry, badge_of(handle)));
            let badges = [0, 1, 4, at_child.1, at_registration.1, u64::MAX];
            for (badge, tag, bytes, handles) in messages {
                let mut message = TAGS.get(tag).map_or(Vec::new(), |tag| tag.to_le_bytes().to_vec());
                message.extend(bytes);
                let transfers: Vec<_> =
                    (0..handles).map(|_| Transfer::copy(space::copy(other).expect("room").handle())).collect();
                let (mut reply, mut given) = ([0; 256], [Handle::NULL; 8]);
                let outcome = Wire(registry, badges[badge]).call(&message, &transfers, &mut reply, &mut given, NEVER);
                let outcome = outcome.expect("an answer");
                assert!(outcome.length > 0);
                for handle in &given[..outcome.handles as usize] {
                    space::delete(Endpoint::from_handle(*handle)).expect("it was given");
                }
            }
            // Both may be gone by now.
            let _ = (at_child.namespace().close(NEVER), at_registration.registration().withdraw(NEVER));
            for handle in [child, registration] {
                space::delete(Endpoint::from_handle(handle)).expect("it is this side's");
            }
            assert_eq!(highest_of_many(other), before, "something is left in the space");
        });
    }
}

fn badge_of(handle: Handle) -> u64 {
    Endpoint::from_handle(handle).identify().expect("a capability").badge
}

/// Provides a copy of an endpoint; the registration's capability.
fn provided(wire: Wire<'_>, endpoint: Endpoint) -> Handle {
    let copy = Own(protocol::Server::from_capability(space::copy(endpoint).expect("room").handle()));
    let answer = wire.namespace().provide(tally(), "tally", copy, &mut [0; 128], NEVER);
    answer.expect("an answer").expect("it may").0.capability()
}

/// The highest slot that so many capabilities more than a test leaves behind take: the same, unless it has left some.
fn highest_of_many(of: Endpoint) -> u32 {
    let copies: Vec<_> = (0..128).map(|_| space::copy(of).expect("room")).collect();
    copies.iter().for_each(|copy| space::delete(*copy).expect("it is there"));
    copies.iter().map(|copy| copy.handle().index()).max().expect("there are some")
}

/// Of all functions, in the order of `registry.wit`.
const TAGS: [u32; 9] = [
    0x2904_56ef,
    0xe595_0a8b,
    0xe79a_4546,
    0x499b_641d,
    0xc41c_e163,
    0x6010_82e7,
    0xadb2_8b1a,
    0x0730_ae16,
    0x7a23_aebd,
];
