//! The capability spaces and the derivation tree: rights never grow, a revoked capability never works again, and an object is orphaned
//! exactly when the last capability of it goes.

use alloc::vec;
use alloc::vec::Vec;
use std::collections::BTreeMap;

use hallows_abi::{Error, Handle, ObjectKind, Rights, Transfer, TransferMode};

use super::explore::{Model, explore};
use crate::capabilities::{Capabilities, InFlight};
use crate::lock::Token;
use crate::slot::Capability;
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
    /// The cell whose space it is in; none while it is on its way.
    cell: Option<u32>,
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
    next: u32,
}

#[derive(Clone, Debug)]
enum Step {
    Derive { from: u32, rights: u16, badge: u64 },
    Move { from: u32 },
    Delete { from: u32 },
    Revoke { from: u32, slices: bool },
    Send { from: u32, mode: TransferMode, rights: u16 },
    Arrive { cell: u32 },
    Lose,
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

impl System {
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

    fn find(&self, number: u32) -> Result<crate::slot::Found, Error> {
        let cell = self.known[&number].cell.expect("in a space");
        self.real.find(cell, self.handles[&number])
    }

    fn free_slots(&self, cell: u32) -> usize {
        SPACE as usize - 1 - self.known.values().filter(|known| known.cell == Some(cell)).count()
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
    type Key = (Vec<Known>, Option<Vec<u32>>, bool);

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
            if system.flight.is_none() {
                steps.push(Step::Send { from, mode: TransferMode::Copy, rights: Rights::SEND.0 });
                steps.push(Step::Send { from, mode: TransferMode::Move, rights: Rights::ALL.0 });
            }
        }
        if system.flight.is_some() {
            steps.extend([Step::Arrive { cell: 0 }, Step::Arrive { cell: 1 }, Step::Lose]);
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
                let derived = {
                    let (mut tree, _) = system.real.lock(&mut system.token);
                    tree.derive(&found, cell, Diminish { rights: Rights(rights), badge })
                        .map(|found| tree.handle(cell, &found))
                };
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
                let moved = {
                    let (mut tree, _) = system.real.lock(&mut system.token);
                    tree.relocate(&found, cell).map(|found| tree.handle(cell, &found))
                };
                assert_eq!(moved.is_ok(), room);
                if let Ok(handle) = moved {
                    let old = system.handles.insert(from, handle).expect("had one");
                    system.stale.push((cell, old));
                }
            }
            Step::Delete { from } => {
                let found = system.find(from).expect("works");
                let orphan = {
                    let (mut tree, _) = system.real.lock(&mut system.token);
                    tree.delete(found.via.slot)
                };
                orphans += usize::from(orphan.is_some());
                system.forget(from);
            }
            Step::Revoke { from, slices } => {
                let found = system.find(from).expect("works");
                let condemned = below(&system.known, from);
                // In slices, others run between them: here, the deletion of a sibling that is to go anyway.
                let limit = if slices { 1 } else { usize::MAX };
                loop {
                    let (mut tree, _) = system.real.lock(&mut system.token);
                    let mut deleted = 0;
                    while deleted < limit
                        && let Some(leaf) = tree.leaf_below(found.via.slot)
                    {
                        orphans += usize::from(tree.delete(leaf.via.slot).is_some());
                        deleted += 1;
                    }
                    if deleted == 0 || limit == usize::MAX {
                        break;
                    }
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
                let sent = {
                    let (mut tree, _) = system.real.lock(&mut system.token);
                    tree.dispatch(|handle| system.real.find(cell, handle), &list)
                };
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
                let arrived = {
                    let (mut tree, _) = system.real.lock(&mut system.token);
                    tree.arrive(&flight, cell, &mut handles, |_| orphans += 1)
                };
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
                {
                    let (mut tree, _) = system.real.lock(&mut system.token);
                    tree.drop_flight(&flight, |_| orphans += 1);
                }
                if system.known.contains_key(&numbers[0]) {
                    system.forget(numbers[0]);
                }
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
        (known.collect(), flight, system.stale.is_empty())
    }
}

#[test]
fn rights_never_grow_and_the_revoked_never_works_again_in_every_history() {
    let depth = std::env::var("MODEL_DEPTH").ok().and_then(|depth| depth.parse().ok()).unwrap_or(6);
    let states = explore(&Spaces, depth);
    std::println!("capability model: {states} states within {depth} steps");
    assert!(states > 1_000, "the search went nowhere");
}
