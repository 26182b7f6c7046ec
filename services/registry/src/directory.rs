//! Namespaces, and who is provided in them. Plain data, without a call.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use hallows_sdk::registry::{Identity, Refusal};

use crate::badge::SERIAL_END;
use crate::policy::{FIRST_MADE, is_name};
use crate::{Client, Policy};

/// Interfaces that one namespace has servers of its own for. A system has some dozens.
pub const MOST_PROVIDED: usize = 128;
/// Namespaces that one client of the system may have made, in whatever depth, at one time.
pub const MOST_SPACES: usize = 8;
/// Namespaces that lie above one at most: what one look-up goes through.
pub const MOST_ABOVE: u8 = 8;

/// The number of a namespace. None comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpaceId(pub u32);

impl SpaceId {
    /// The first one, which all others lie below.
    pub const FIRST: Self = Self(0);

    /// The client that whoever has this namespace is, if the registry has made it: no client of a system has that number.
    const fn client(self) -> Client {
        Client(FIRST_MADE | self.0)
    }
}

/// Order of interfaces: that of their hashes.
type Key = [u8; 32];

/// Who is provided for an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provided<S> {
    /// Its endpoint.
    pub server: S,
    /// What the interface is called.
    pub name: String,
    /// Who provides it.
    pub client: Client,
    /// The number of its registration.
    registration: u64,
}

#[derive(Debug)]
struct Space<S> {
    above: Option<SpaceId>,
    /// How many lie above it.
    depth: u8,
    /// The system's client that has made it, or what it lies in; `None`: the system itself.
    maker: Option<Client>,
    /// What the system says is provided here: it is looked for here and nowhere above, also before it is there.
    promised: BTreeSet<Key>,
    provided: BTreeMap<Key, Provided<S>>,
}

/// All namespaces. `S` stands for an endpoint's capability.
#[derive(Debug)]
pub struct Directory<S> {
    spaces: BTreeMap<SpaceId, Space<S>>,
    /// Those that the system has named.
    named: BTreeMap<String, SpaceId>,
    registrations: BTreeMap<u64, (SpaceId, Key)>,
    last_space: u32,
    last_registration: u64,
}

impl<S: Copy> Directory<S> {
    /// With the namespaces that a system names, and nobody in them.
    #[must_use]
    pub fn new(policy: &Policy) -> Self {
        let mut directory = Self {
            spaces: BTreeMap::new(),
            named: BTreeMap::new(),
            registrations: BTreeMap::new(),
            last_space: 0,
            last_registration: 0,
        };
        directory.insert(SpaceId::FIRST, None, 0, None);
        for name in policy.names() {
            if !directory.named.contains_key(name) {
                directory.last_space += 1;
                let space = SpaceId(directory.last_space);
                directory.insert(space, Some(SpaceId::FIRST), 1, None);
                directory.named.insert(name.to_owned(), space);
            }
        }
        for (client, hash) in policy.all_provided() {
            let space = directory.named(policy.namespace(client));
            if let Some(space) = directory.spaces.get_mut(&space) {
                space.promised.insert(hash);
            }
        }
        directory
    }

    fn insert(&mut self, space: SpaceId, above: Option<SpaceId>, depth: u8, maker: Option<Client>) {
        let (promised, provided) = (BTreeSet::new(), BTreeMap::new());
        self.spaces.insert(space, Space { above, depth, maker, promised, provided });
    }

    /// The namespace that the system has named so; the first one without a name.
    #[must_use]
    pub fn named(&self, name: Option<&str>) -> SpaceId {
        name.and_then(|name| self.named.get(name)).copied().unwrap_or(SpaceId::FIRST)
    }

    /// Whether there is such a namespace.
    #[must_use]
    pub fn has(&self, space: SpaceId) -> bool {
        self.spaces.contains_key(&space)
    }

    /// The client that whoever has a namespace is, if the registry has made it.
    #[must_use]
    pub fn client(&self, space: SpaceId) -> Option<Client> {
        self.spaces.get(&space)?.maker.map(|_| space.client())
    }

    /// A namespace, and those above it, from below. They are fewer than [`MOST_ABOVE`] and one.
    fn upwards(&self, space: SpaceId) -> impl Iterator<Item = &Space<S>> {
        core::iter::successors(self.spaces.get(&space), |space| self.spaces.get(&space.above?))
    }

    /// Who is provided for an interface, and how many namespaces above.
    #[must_use]
    pub fn find(&self, space: SpaceId, identity: Identity) -> Option<(u8, &Provided<S>)> {
        let key = identity.bytes();
        for (above, space) in (0..).zip(self.upwards(space)) {
            let found = space.provided.get(&key).map(|provided| (above, provided));
            if found.is_some() || space.promised.contains(&key) {
                return found;
            }
        }
        None
    }

    /// The namespace that lies so many above one.
    #[must_use]
    pub fn above(&self, space: SpaceId, count: u8) -> Option<SpaceId> {
        (0..count).try_fold(space, |space, _| self.spaces.get(&space)?.above)
    }

    /// The number that the next registration gets.
    #[must_use]
    pub const fn next_registration(&self) -> u64 {
        self.last_registration + 1
    }

    /// Who is provided in a namespace itself.
    #[must_use]
    pub fn own(&self, space: SpaceId, identity: Identity) -> Option<&Provided<S>> {
        self.spaces.get(&space)?.provided.get(&identity.bytes())
    }

    /// The first interface behind one, or of all, that somebody is provided for.
    #[must_use]
    pub fn next(&self, space: SpaceId, after: Option<Identity>) -> Option<(Identity, u8, &Provided<S>)> {
        use core::ops::Bound::{Excluded, Unbounded};
        let mut from = after.map_or(Unbounded, |after| Excluded(after.bytes()));
        loop {
            let firsts =
                self.upwards(space).filter_map(|space| space.provided.range((from, Unbounded)).next());
            let (key, _) = firsts.min_by_key(|(key, _)| **key)?;
            let identity = Identity::from_bytes(*key);
            // It may be promised below where it is.
            if let Some((above, provided)) = self.find(space, identity) {
                return Some((identity, above, provided));
            }
            from = Excluded(*key);
        }
    }

    /// Whether one more can be provided in a namespace under this name.
    ///
    /// # Errors
    ///
    /// [`Refusal::BadName`]; [`Refusal::Full`]; [`Refusal::Nobody`] if there is no such namespace.
    pub fn check(&self, space: SpaceId, identity: Identity, name: &str) -> Result<(), Refusal> {
        let provided = &self.spaces.get(&space).ok_or(Refusal::Nobody)?.provided;
        if !is_name(name, false) {
            return Err(Refusal::BadName);
        }
        let is_new = !provided.contains_key(&identity.bytes());
        if is_new && provided.len() >= MOST_PROVIDED || self.last_registration + 1 >= SERIAL_END {
            return Err(Refusal::Full);
        }
        Ok(())
    }

    /// Provides somebody, in the place of whoever was; the number of the registration, and the endpoint that was there before.
    ///
    /// # Errors
    ///
    /// Those of [`Self::check`], and nothing changes.
    pub fn provide(
        &mut self,
        space: SpaceId,
        identity: Identity,
        name: &str,
        client: Client,
        server: S,
    ) -> Result<(u64, Option<S>), Refusal> {
        self.check(space, identity, name)?;
        let before = self.remove(space, identity);
        self.last_registration += 1;
        let (registration, key) = (self.last_registration, identity.bytes());
        self.registrations.insert(registration, (space, key));
        let provided = Provided { server, name: name.to_owned(), client, registration };
        self.spaces.get_mut(&space).ok_or(Refusal::Nobody)?.provided.insert(key, provided);
        Ok((registration, before))
    }

    /// Makes somebody else the one who provides an interface; the number of the registration, which is a new one: the old one stands for nothing.
    ///
    /// # Errors
    ///
    /// [`Refusal::Nobody`]; [`Refusal::Full`] when all numbers are used up.
    pub fn succeed(&mut self, space: SpaceId, identity: Identity, client: Client) -> Result<u64, Refusal> {
        let next = self.last_registration + 1;
        if next >= SERIAL_END {
            return Err(Refusal::Full);
        }
        let key = identity.bytes();
        let provided = self.spaces.get_mut(&space).and_then(|space| space.provided.get_mut(&key));
        let provided = provided.ok_or(Refusal::Nobody)?;
        self.registrations.remove(&provided.registration);
        self.registrations.insert(next, (space, key));
        self.last_registration = next;
        (provided.client, provided.registration) = (client, next);
        Ok(next)
    }

    /// Removes who is provided in a namespace; the endpoint that was there.
    pub fn remove(&mut self, space: SpaceId, identity: Identity) -> Option<S> {
        let provided = self.spaces.get_mut(&space)?.provided.remove(&identity.bytes())?;
        self.registrations.remove(&provided.registration);
        Some(provided.server)
    }

    /// What a registration is of.
    #[must_use]
    pub fn registered(&self, registration: u64) -> Option<&Provided<S>> {
        let (space, key) = self.registrations.get(&registration)?;
        self.spaces.get(space)?.provided.get(key)
    }

    /// Puts another endpoint in the place of a registration's; the one that was there.
    pub fn replace(&mut self, registration: u64, server: S) -> Option<S> {
        let (space, key) = self.registrations.get(&registration)?;
        let provided = self.spaces.get_mut(space)?.provided.get_mut(key)?;
        Some(core::mem::replace(&mut provided.server, server))
    }

    /// Removes what a registration is of; the endpoint that was there.
    pub fn withdraw(&mut self, registration: u64) -> Option<S> {
        let (space, key) = self.registrations.get(&registration).copied()?;
        self.remove(space, Identity::from_bytes(key))
    }

    /// A new namespace below one, made by a client.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooDeep`]; [`Refusal::Full`] if the client has made as many as it may; [`Refusal::Nobody`] if there is no such namespace.
    pub fn child(&mut self, space: SpaceId, client: Client) -> Result<SpaceId, Refusal> {
        let Space { depth, maker, .. } = self.spaces.get(&space).ok_or(Refusal::Nobody)?;
        let (depth, maker) = (depth + 1, maker.unwrap_or(client));
        if depth > MOST_ABOVE {
            return Err(Refusal::TooDeep);
        }
        let made = self.spaces.values().filter(|space| space.maker == Some(maker)).count();
        if made >= MOST_SPACES || self.last_space + 1 >= FIRST_MADE {
            return Err(Refusal::Full);
        }
        self.last_space += 1;
        let child = SpaceId(self.last_space);
        self.insert(child, Some(space), depth, Some(maker));
        Ok(child)
    }

    /// Ends a namespace that a client has made, and all below it; the endpoints that were provided there. Of others nothing ends.
    pub fn close(&mut self, space: SpaceId) -> Vec<S> {
        if self.client(space).is_none() {
            return Vec::new();
        }
        let is_below = |other: &SpaceId| {
            let above = |other: SpaceId| self.spaces.get(&other)?.above;
            core::iter::successors(Some(*other), |other| above(*other)).any(|other| other == space)
        };
        let ending: Vec<SpaceId> = self.spaces.keys().copied().filter(is_below).collect();
        let mut endpoints = Vec::new();
        for space in ending {
            for provided in
                self.spaces.remove(&space).into_iter().flat_map(|space| space.provided.into_values())
            {
                self.registrations.remove(&provided.registration);
                endpoints.push(provided.server);
            }
        }
        endpoints
    }
}

#[cfg(test)]
mod tests {
    use std::prelude::v1::*;

    use hallows_sdk::registry::{Identity, Refusal};
    use proptest::prelude::*;

    use super::{Directory, MOST_ABOVE, MOST_PROVIDED, MOST_SPACES, SpaceId};
    use crate::{Client, Policy, Rule};

    const ONE: Client = Client(1);

    fn identity(number: u8) -> Identity {
        Identity::from_bytes([number; 32])
    }

    fn found(directory: &Directory<u32>, space: SpaceId, number: u8) -> Option<(u8, u32)> {
        directory.find(space, identity(number)).map(|(above, provided)| (above, provided.server))
    }

    #[test]
    fn what_lies_below_sees_what_is_above_until_it_has_its_own() {
        let mut policy = Policy::default();
        policy.add(Rule::Namespace(ONE, "test".to_owned())).expect("a rule");
        let mut directory = Directory::new(&policy);
        let test = directory.named(Some("test"));
        assert_eq!((directory.named(None), directory.named(Some("no"))), (SpaceId::FIRST, SpaceId::FIRST));
        let child = directory.child(test, ONE).expect("room");
        directory.provide(SpaceId::FIRST, identity(1), "a", ONE, 10).expect("room");
        assert_eq!(found(&directory, child, 1), Some((2, 10)));
        let (registration, before) = directory.provide(test, identity(1), "a", ONE, 11).expect("room");
        assert_eq!(before, None);
        assert_eq!(found(&directory, child, 1), Some((1, 11)));
        assert_eq!(found(&directory, SpaceId::FIRST, 1), Some((0, 10)));
        assert_eq!(directory.withdraw(registration), Some(11));
        assert_eq!((directory.withdraw(registration), found(&directory, child, 1)), (None, Some((2, 10))));
    }

    #[test]
    fn what_the_system_promises_somewhere_is_looked_for_there_alone() {
        let mut policy = Policy::default();
        policy.add(Rule::Namespace(ONE, "test".to_owned())).expect("a rule");
        policy.add(Rule::Provides(ONE, [1; 32])).expect("a rule");
        let mut directory = Directory::new(&policy);
        let test = directory.named(Some("test"));
        let child = directory.child(test, ONE).expect("room");
        for number in [1, 2] {
            directory.provide(SpaceId::FIRST, identity(number), "a", Client(2), 10).expect("room");
        }
        let seen = |directory: &Directory<u32>| [test, child].map(|space| found(directory, space, 1));
        let next = |directory: &Directory<u32>| directory.next(child, None).map(|(found, _, _)| found);
        assert_eq!((seen(&directory), next(&directory)), ([None; 2], Some(identity(2))));
        let (registration, _) = directory.provide(test, identity(1), "a", ONE, 11).expect("room");
        assert_eq!((seen(&directory), next(&directory)), ([Some((0, 11)), Some((1, 11))], Some(identity(1))));
        directory.withdraw(registration);
        assert_eq!(seen(&directory), [None; 2]);
        // In the first namespace there is nobody above.
        assert_eq!(found(&directory, SpaceId::FIRST, 1), Some((0, 10)));
    }

    #[test]
    fn a_registration_ends_with_what_it_is_of_and_when_another_one_comes_after() {
        let mut directory = Directory::new(&Policy::default());
        let first = SpaceId::FIRST;
        let (old, _) = directory.provide(first, identity(1), "a", ONE, 10).expect("room");
        assert_eq!(directory.replace(old, 11), Some(10));
        let new = directory.succeed(first, identity(1), Client(2)).expect("is there");
        assert!(directory.registered(old).is_none() && directory.replace(old, 12).is_none());
        assert_eq!(
            directory.registered(new).map(|provided| (provided.server, provided.client)),
            Some((11, Client(2)))
        );
        let (newest, before) = directory.provide(first, identity(1), "a", Client(2), 13).expect("room");
        assert_eq!((before, directory.registered(new)), (Some(11), None));
        assert_eq!(directory.remove(first, identity(1)), Some(13));
        assert_eq!(directory.registered(newest), None);
        assert_eq!(directory.succeed(first, identity(1), ONE), Err(Refusal::Nobody));
    }

    #[test]
    fn a_closed_namespace_takes_along_what_lies_below_it_and_nothing_else() {
        let mut directory = Directory::new(&Policy::default());
        let one = directory.child(SpaceId::FIRST, ONE).expect("room");
        let below = directory.child(one, directory.client(one).expect("made")).expect("room");
        let beside = directory.child(SpaceId::FIRST, ONE).expect("room");
        let mut registrations = Vec::new();
        for (server, space) in [SpaceId::FIRST, one, below, beside].into_iter().enumerate() {
            registrations
                .push(directory.provide(space, identity(1), "a", ONE, server as u32).expect("room").0);
        }
        assert_eq!(directory.close(SpaceId::FIRST), []);
        assert_eq!(directory.close(one), [1, 2]);
        assert_eq!([one, below, beside].map(|space| directory.has(space)), [false, false, true]);
        let left = registrations.iter().map(|registration| directory.registered(*registration).is_some());
        assert_eq!(left.collect::<Vec<_>>(), [true, false, false, true]);
        assert_eq!(directory.provide(one, identity(1), "a", ONE, 9), Err(Refusal::Nobody));
        assert_eq!(directory.child(below, ONE), Err(Refusal::Nobody));
    }

    #[test]
    fn everything_is_bounded() {
        let mut directory = Directory::new(&Policy::default());
        for number in 0..MOST_PROVIDED as u8 {
            directory.provide(SpaceId::FIRST, identity(number), "a", ONE, 0).expect("room");
        }
        let more = directory.provide(SpaceId::FIRST, identity(255), "a", ONE, 0);
        assert_eq!(more, Err(Refusal::Full));
        directory.provide(SpaceId::FIRST, identity(0), "a", ONE, 1).expect("in the place of the first");
        for name in ["", "A", "a b", "é", &"x".repeat(65)] {
            assert_eq!(directory.provide(SpaceId::FIRST, identity(0), name, ONE, 0), Err(Refusal::BadName));
        }
        let mut space = SpaceId::FIRST;
        for _ in 0..MOST_ABOVE {
            space = directory.child(space, ONE).expect("room");
        }
        assert_eq!(directory.child(space, ONE), Err(Refusal::TooDeep));
        // Whoever has it is another client, but who made all of it counts.
        assert_eq!(directory.child(SpaceId::FIRST, ONE), Err(Refusal::Full));
        let other: Vec<_> = (0..=MOST_SPACES).map(|_| directory.child(SpaceId::FIRST, Client(2))).collect();
        assert_eq!(other.iter().filter(|child| child.is_ok()).count(), MOST_SPACES);
        directory.close(space);
        assert!(directory.child(SpaceId::FIRST, ONE).is_ok());
    }

    proptest! {
        /// Beside what is found by looking: every interface once, in order, the lowest one.
        #[test]
        fn going_through_a_namespace_finds_each_interface_once(
            provided in proptest::collection::vec((0..4_usize, 0..20_u8), 0..40),
        ) {
            let mut directory = Directory::new(&Policy::default());
            let mut spaces = vec![SpaceId::FIRST];
            for _ in 0..3 {
                let last = spaces[spaces.len() - 1];
                spaces.push(directory.child(last, ONE).expect("room"));
            }
            for (server, (space, number)) in provided.iter().enumerate() {
                directory.provide(spaces[*space], identity(*number), "a", ONE, server as u32).expect("room");
            }
            for space in spaces {
                let expected: Vec<_> =
                    (0..20).filter_map(|number| Some((number, found(&directory, space, number)?))).collect();
                let mut met = Vec::new();
                let mut after = None;
                while let Some((identity, above, provided)) = directory.next(space, after) {
                    met.push((identity.bytes()[0], (above, provided.server)));
                    after = Some(identity);
                }
                prop_assert_eq!(met, expected);
            }
        }
    }
}
