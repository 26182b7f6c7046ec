//! The capability spaces and the derivation tree: rights never grow, a revoked capability never works again, an object is orphaned
//! exactly when the last capability of it goes, what a refused call would have moved is where it was, and a waiting message ends
//! exactly when something above the capability that it came through is revoked, whatever became of that one meanwhile.

use alloc::vec;
use alloc::vec::Vec;
use std::collections::BTreeMap;

use hallows_abi::{Error, Handle, ObjectKind, Rights, Transfer, TransferMode};

use super::explore::{Model, explore, wander};
use crate::capabilities::{Capabilities, Carried, InFlight, Locked};
use crate::inbox::{Inbox, Message, Payload, Sender};
use crate::lock::Token;
use crate::slot::{Capability, Found, Via};
use crate::through::Ended;
use crate::tree::Diminish;
use crate::{HandleList, TransferList};

/// Cells 0 and 1 with spaces of 4 slots each, of which 3 can be used.
const CELLS: u32 = 2;
const SPACE: u32 = 4;

/// What the oracle knows of one capability.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct Known {
    rights: u16,
    badge: u64,
    /// Which capability it was derived from.
    parent: Option<u32>,
    /// The cell whose space it is in; none while it is on its way, and while a call that carried it has not decided its fate.
    cell: Option<u32>,
}

/// A call that carried one capability to the other cell and whose handler has not begun.
struct CarriedCall {
    real: Carried,
    number: u32,
    /// Of a moved one: where it was, and under which handle.
    origin: Option<(u32, Handle)>,
    from: u32,
}

/// A message that waits.
struct Sent {
    through: u32,
    /// What that was derived from when it was sent.
    above: Vec<u32>,
}

/// The real spaces beside the oracle. Capabilities have numbers in the oracle; `handles` says by which handle the real one is
/// known.
struct System {
    real: Capabilities,
    token: Token<'static, 0>,
    known: BTreeMap<u32, Known>,
    handles: BTreeMap<u32, Handle>,
    /// Handles of capabilities that are gone: none may ever work again.
    stale: Vec<(u32, Handle)>,
    flight: Option<(InFlight, Vec<u32>)>,
    call: Option<CarriedCall>,
    /// What the server will know the carried one by.
    carried: Handle,
    /// The server's: at most one message waits, with what was above its capability when it was sent.
    inbox: Inbox<()>,
    message: Option<Sent>,
    next: u32,
}

#[derive(Clone, Debug)]
enum Step {
    Derive {
        from: u32,
        rights: u16,
        badge: u64,
    },
    Move {
        from: u32,
    },
    Delete {
        from: u32,
    },
    Revoke {
        from: u32,
        slices: bool,
    },
    Send {
        from: u32,
        mode: TransferMode,
        rights: u16,
    },
    Arrive {
        cell: u32,
    },
    Lose,
    /// A protected call that carries a capability, up to its handler; then the handler runs, or it never does.
    Carry {
        from: u32,
        mode: TransferMode,
    },
    Settle,
    TakeBack,
    /// A message through a capability is accepted; then answered.
    Message {
        through: u32,
    },
    Answered,
}

struct Spaces;

fn below(known: &BTreeMap<u32, Known>, root: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for &number in known.keys() {
        let mut at = number;
        while let Some(parent) = known.get(&at).and_then(|known| known.parent) {
            if parent == root {
                found.push(number);
                break;
            }
            at = parent;
        }
    }
    found
}

/// All that a capability was derived from.
fn above(known: &BTreeMap<u32, Known>, number: u32) -> Vec<u32> {
    let parent = |number: &u32| known.get(number).and_then(|known| known.parent);
    core::iter::successors(parent(&number), parent).collect()
}

impl System {
    /// Changes the tree as the kernel does: what came through capabilities follows them before the lock is given back.
    fn change<T>(&mut self, work: impl FnOnce(&mut Locked<'_>, &Capabilities) -> T) -> T {
        let (mut tree, _) = self.real.lock(&mut self.token);
        let result = work(&mut tree, &self.real);
        tree.take_steps().iter().for_each(|step| self.inbox.follow(step));
        result
    }

    /// Ends the messages that a revocation ends; how many.
    fn purge(&mut self, end: Ended) -> usize {
        core::iter::from_fn(|| self.inbox.purge(end)).count()
    }

    fn forget(&mut self, number: u32) {
        let gone = self.known.remove(&number).expect("known");
        if let (Some(cell), Some(handle)) = (gone.cell, self.handles.remove(&number)) {
            self.stale.push((cell, handle));
        }
        for child in self.known.values_mut() {
            if child.parent == Some(number) {
                child.parent = gone.parent;
            }
        }
    }

    fn find(&self, number: u32) -> Result<Found, Error> {
        let cell = self.known[&number].cell.expect("in a space");
        self.real.find(cell, self.handles[&number])
    }

    fn free_slots(&self, cell: u32) -> usize {
        // The slot that a moved one has left is kept until its call is decided.
        let kept = self.call.as_ref().and_then(|call| call.origin).filter(|origin| origin.0 == cell);
        let carried =
            self.call.as_ref().filter(|call| call.from != cell && self.known.contains_key(&call.number));
        let filled = self.known.values().filter(|known| known.cell == Some(cell)).count();
        SPACE as usize - 1 - filled - usize::from(kept.is_some()) - usize::from(carried.is_some())
    }

    /// A protected call up to its handler: one capability in the other cell's space, which does not know of it yet.
    fn carry(&mut self, from: u32, mode: TransferMode) {
        let original = self.known[&from];
        let cell = original.cell.expect("in a space");
        let handle = self.handles[&from];
        let room = self.free_slots(1 - cell) > 0;
        let mut list = TransferList::EMPTY;
        list.push(Transfer { handle, rights: Rights::SEND, mode }).expect("room for one");
        let mut handles = HandleList::EMPTY;
        let carried = self.change(|tree, real| {
            let find = |handle| real.find(cell, handle);
            tree.check(find, &list, Via::KERNEL)?;
            tree.carry(find, &list, (cell, 1 - cell), &mut handles)
        });
        let carried = match carried {
            Ok(carried) => carried,
            Err(error) => {
                let may = Rights(original.rights).contains(Rights::TRANSFER);
                assert_eq!(error, if may { Error::SpaceFull } else { Error::NoRight });
                assert!(!may || !room);
                return;
            }
        };
        assert!(room && self.real.find(1 - cell, handles.as_slice()[0]).is_ok());
        let (number, origin) = if mode == TransferMode::Move {
            let old = self.handles.remove(&from).expect("had one");
            self.known.get_mut(&from).expect("known").cell = None;
            assert_eq!(self.real.find(cell, old).err(), Some(Error::BadHandle), "in two places");
            (from, Some((cell, old)))
        } else {
            let rights = original.rights & Rights::SEND.0;
            let copy = Known { rights, parent: Some(from), cell: None, badge: original.badge };
            self.known.insert(self.next, copy);
            self.next += 1;
            (self.next - 1, None)
        };
        self.carried = handles.as_slice()[0];
        self.call = Some(CarriedCall { real: carried, number, origin, from: cell });
    }

    /// The handle in the server's space: it works unless the capability was revoked meanwhile.
    fn carried_handle(&self, call: &CarriedCall) -> Handle {
        let there = self.real.find(1 - call.from, self.carried).is_ok();
        assert_eq!(there, self.known.contains_key(&call.number));
        self.carried
    }

    fn check(&mut self) {
        for (&number, known) in &self.known {
            if known.cell.is_none() {
                continue;
            }
            let found = self.find(number).expect("a capability that was not taken away works");
            assert_eq!(found.capability.rights.0, known.rights);
            assert_eq!(found.capability.badge, known.badge);
            if let Some(parent) = known.parent.and_then(|parent| self.known.get(&parent)) {
                assert_eq!(known.rights & !parent.rights, 0, "rights grew");
            }
        }
        for (cell, handle) in &self.stale {
            let reused = self
                .handles
                .iter()
                .any(|(number, live)| live == handle && self.known[number].cell == Some(*cell));
            assert!(!reused, "a handle of an earlier capability names a later one");
            assert_eq!(self.real.find(*cell, *handle).err(), Some(Error::BadHandle), "a stale handle works");
        }
    }
}

impl Model for Spaces {
    type System = System;
    type Step = Step;
    type Key = (Vec<Known>, Option<Vec<u32>>, Option<(Option<u32>, bool)>, Option<Vec<Option<u32>>>, bool);

    fn start(&self) -> System {
        let real = Capabilities::new(CELLS, 4, 64);
        let mut token = Token::at_entry();
        let handle = {
            let (mut tree, _) = real.lock(&mut token);
            tree.open_space(0, SPACE).expect("room");
            tree.open_space(1, SPACE).expect("room");
            let first = Capability {
                kind: ObjectKind::Endpoint,
                index: 1,
                generation: 1,
                rights: Rights::SEND | Rights::TRANSFER | Rights::WATCH,
                badge: 0,
            };
            let found = tree.plant(0, &first).expect("room");
            tree.handle(0, &found)
        };
        let rights = (Rights::SEND | Rights::TRANSFER | Rights::WATCH).0;
        let known = BTreeMap::from([(0, Known { rights, badge: 0, parent: None, cell: Some(0) })]);
        System {
            real,
            token,
            known,
            handles: BTreeMap::from([(0, handle)]),
            stale: Vec::new(),
            flight: None,
            call: None,
            carried: Handle::NULL,
            inbox: {
                let mut inbox = Inbox::new();
                inbox.open();
                inbox
            },
            message: None,
            next: 1,
        }
    }

    fn steps(&self, system: &mut System) -> Vec<Step> {
        let mut steps = Vec::new();
        for (&from, known) in &system.known {
            if known.cell.is_none() {
                continue;
            }
            for rights in [Rights::ALL.0, (Rights::SEND | Rights::TRANSFER).0, Rights::WATCH.0] {
                steps.push(Step::Derive { from, rights, badge: 0 });
                steps.push(Step::Derive { from, rights, badge: 7 });
            }
            steps.push(Step::Move { from });
            steps.push(Step::Delete { from });
            steps.push(Step::Revoke { from, slices: false });
            steps.push(Step::Revoke { from, slices: true });
            for mode in [TransferMode::Copy, TransferMode::Move] {
                steps.push(Step::Carry { from, mode });
            }
            if system.message.is_none() {
                steps.push(Step::Message { through: from });
            }
            if system.flight.is_none() {
                steps.push(Step::Send { from, mode: TransferMode::Copy, rights: Rights::SEND.0 });
                steps.push(Step::Send { from, mode: TransferMode::Move, rights: Rights::ALL.0 });
            }
        }
        // While the handler has not begun, the calling cell stands still, and so does the server; others revoke and receive.
        if let Some(call) = &system.call {
            let from = call.from;
            let revoke = |step: &Step| match step {
                Step::Revoke { from: number, .. } | Step::Delete { from: number } => {
                    system.known[number].cell == Some(1 - from)
                }
                _ => false,
            };
            steps.retain(revoke);
            steps.extend([Step::Settle, Step::TakeBack]);
            return steps;
        }
        if system.flight.is_some() {
            steps.extend([Step::Arrive { cell: 0 }, Step::Arrive { cell: 1 }, Step::Lose]);
        }
        if system.message.is_some() {
            steps.push(Step::Answered);
        }
        steps
    }

    fn take(&self, system: &mut System, step: &Step) {
        let (mut orphans, existed) = (0, !system.known.is_empty());
        match *step {
            Step::Derive { from, rights, badge } => {
                let original = system.known[&from];
                let cell = original.cell.expect("in a space");
                let found = system.find(from).expect("works");
                let room = system.free_slots(cell) > 0;
                let derived = system.change(|tree, _| {
                    tree.derive(&found, cell, Diminish { rights: Rights(rights), badge })
                        .map(|found| tree.handle(cell, &found))
                });
                let rebadged = badge != 0 && original.badge != 0 && badge != original.badge;
                match derived {
                    Ok(handle) => {
                        assert!(room && !rebadged);
                        let badge = if badge == 0 { original.badge } else { badge };
                        let rights = original.rights & rights;
                        let known = Known { rights, badge, parent: Some(from), cell: Some(cell) };
                        system.known.insert(system.next, known);
                        system.handles.insert(system.next, handle);
                        system.next += 1;
                    }
                    Err(error) => assert!(!room && error == Error::SpaceFull || rebadged),
                }
            }
            Step::Move { from } => {
                let cell = system.known[&from].cell.expect("in a space");
                let found = system.find(from).expect("works");
                let room = system.free_slots(cell) > 0;
                let moved = system
                    .change(|tree, _| tree.relocate(&found, cell).map(|found| tree.handle(cell, &found)));
                assert_eq!(moved.is_ok(), room);
                if let Ok(handle) = moved {
                    let old = system.handles.insert(from, handle).expect("had one");
                    system.stale.push((cell, old));
                }
            }
            Step::Delete { from } => {
                let found = system.find(from).expect("works");
                let orphan = system.change(|tree, _| tree.delete(found.via.slot));
                orphans += usize::from(orphan.is_some());
                system.forget(from);
            }
            Step::Revoke { from, slices } => {
                let found = system.find(from).expect("works");
                let condemned = below(&system.known, from);
                // In slices, others run between them: here, the deletion of a sibling that is to go anyway.
                let limit = if slices { 1 } else { usize::MAX };
                let mut ended = 0;
                loop {
                    let mut deleted: Vec<Via> = Vec::new();
                    system.change(|tree, _| {
                        while deleted.len() < limit
                            && let Some(leaf) = tree.leaf_below(found.via.slot)
                        {
                            orphans += usize::from(tree.end(leaf.via.slot).is_some());
                            deleted.push(leaf.via);
                        }
                    });
                    for via in &deleted {
                        ended += system.purge(Ended::Deleted(*via));
                    }
                    if deleted.is_empty() || limit == usize::MAX {
                        break;
                    }
                }
                ended += system.purge(Ended::Below(found.via));
                // Exactly what was sent through something that was, when it was sent, below what is revoked.
                let condemns = system.message.as_ref().is_some_and(|sent| sent.above.contains(&from));
                assert_eq!(
                    ended,
                    usize::from(condemns),
                    "a message outlives a revocation, or dies of another"
                );
                if condemns {
                    system.message = None;
                }
                for number in condemned {
                    if system.known.contains_key(&number) {
                        // A condemned capability on its way is empty when it arrives.
                        system.forget(number);
                    }
                }
            }
            Step::Send { from, mode, rights } => {
                let original = system.known[&from];
                let cell = original.cell.expect("in a space");
                let handle = system.handles[&from];
                let mut list = TransferList::EMPTY;
                list.push(Transfer { handle, rights: Rights(rights), mode }).expect("room for one");
                let sent = system.change(|tree, real| {
                    let find = |handle| real.find(cell, handle);
                    tree.check(find, &list, Via::KERNEL)?;
                    tree.dispatch(find, &list)
                });
                if !Rights(original.rights).contains(Rights::TRANSFER) {
                    assert_eq!(sent.err(), Some(Error::NoRight));
                } else {
                    let flight = sent.expect("the held space has room");
                    let number = if mode == TransferMode::Move {
                        let old = system.handles.remove(&from).expect("had one");
                        system.stale.push((cell, old));
                        system.known.get_mut(&from).expect("known").cell = None;
                        from
                    } else {
                        let rights = original.rights & rights;
                        let known = Known { rights, parent: Some(from), cell: None, badge: original.badge };
                        system.known.insert(system.next, known);
                        system.next += 1;
                        system.next - 1
                    };
                    system.flight = Some((flight, vec![number]));
                }
            }
            Step::Arrive { cell } => {
                let (flight, numbers) = system.flight.take().expect("on its way");
                let mut handles = HandleList::EMPTY;
                let room = system.free_slots(cell) > 0;
                let whole = system.change(|tree, _| tree.has_room(&flight, cell));
                assert_eq!(whole, room || !system.known.contains_key(&numbers[0]));
                let arrived =
                    system.change(|tree, _| tree.arrive(&flight, cell, &mut handles, |_| orphans += 1));
                let number = numbers[0];
                let handle = handles.as_slice()[0];
                if !system.known.contains_key(&number) {
                    assert_eq!(handle, Handle::NULL, "a revoked capability arrived");
                    assert!(arrived.is_ok());
                } else if room {
                    assert!(arrived.is_ok());
                    system.known.get_mut(&number).expect("known").cell = Some(cell);
                    system.handles.insert(number, handle);
                } else {
                    assert_eq!(arrived.err(), Some(Error::SpaceFull));
                    system.forget(number);
                }
            }
            Step::Lose => {
                let (flight, numbers) = system.flight.take().expect("on its way");
                system.change(|tree, _| tree.drop_flight(&flight, |_| orphans += 1));
                if system.known.contains_key(&numbers[0]) {
                    system.forget(numbers[0]);
                }
            }
            Step::Carry { from, mode } => system.carry(from, mode),
            Step::Settle => {
                let call = system.call.take().expect("under way");
                system.change(|tree, _| tree.settle(&call.real));
                if system.known.contains_key(&call.number) {
                    let cell = 1 - call.from;
                    let handle = system.carried_handle(&call);
                    system.known.get_mut(&call.number).expect("known").cell = Some(cell);
                    system.handles.insert(call.number, handle);
                }
                system.stale.extend(call.origin);
            }
            Step::TakeBack => {
                let call = system.call.take().expect("under way");
                let handle = system.carried_handle(&call);
                system.change(|tree, _| tree.take_back(&call.real, |_| orphans += 1));
                system.stale.push((1 - call.from, handle));
                match call.origin {
                    // As if it had never left; `check` finds it under its old handle.
                    Some((cell, old)) if system.known.contains_key(&call.number) => {
                        system.known.get_mut(&call.number).expect("known").cell = Some(cell);
                        system.handles.insert(call.number, old);
                    }
                    Some(gone) => system.stale.push(gone),
                    None if system.known.contains_key(&call.number) => system.forget(call.number),
                    None => {}
                }
            }
            Step::Message { through } => {
                let found = system.find(through).expect("works");
                let sender = Sender::Cell { cell: 0, ticket: 0 };
                let (endpoint, payload) = (found.capability.name(), Payload::Borrowed((), 0));
                let message = Message::new(sender, found.via, endpoint, 0, payload, InFlight::NONE, 0);
                assert!(system.inbox.accept(message, 1).is_ok());
                system.message = Some(Sent { through, above: above(&system.known, through) });
            }
            Step::Answered => {
                assert!(system.inbox.cancel(Sender::Cell { cell: 0, ticket: 0 }).is_some(), "it still waits");
                system.message = None;
            }
        }
        let last_went = existed && system.known.is_empty();
        assert_eq!(orphans, usize::from(last_went), "orphaned exactly when the last one goes");
        system.check();
    }

    fn key(&self, system: &mut System) -> Self::Key {
        // Numbers are renamed by their order, so that histories that lead to the same shape meet.
        let order: BTreeMap<u32, u32> =
            system.known.keys().enumerate().map(|(place, number)| (*number, place as u32)).collect();
        let known = system.known.values().map(|known| Known {
            parent: known.parent.and_then(|parent| order.get(&parent).copied()),
            ..*known
        });
        let flight = system
            .flight
            .as_ref()
            .map(|(_, numbers)| numbers.iter().filter_map(|number| order.get(number).copied()).collect());
        let call = system.call.as_ref().map(|call| (order.get(&call.number).copied(), call.origin.is_some()));
        let message = system.message.as_ref().map(|sent| {
            let numbers = core::iter::once(&sent.through).chain(&sent.above);
            numbers.map(|number| order.get(number).copied()).collect()
        });
        (known.collect(), flight, call, message, system.stale.is_empty())
    }
}

#[test]
fn rights_never_grow_and_the_revoked_never_works_again_in_every_history() {
    let depth = std::env::var("MODEL_DEPTH").ok().and_then(|depth| depth.parse().ok()).unwrap_or(6);
    let states = explore(&Spaces, depth);
    std::println!("capability model: {states} states within {depth} steps");
    assert!(states > 1_000, "the search went nowhere");
}

#[test]
fn rights_never_grow_and_the_revoked_never_works_again_in_long_histories() {
    wander(&Spaces);
}
