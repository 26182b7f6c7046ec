//! Capabilities that travel in messages while others revoke them: none works again once `revoke` has returned, nor does a message
//! arrive that was sent through one; and a refused message leaves what it would have moved.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use hallows_abi::{Error, Handle, NO_DEADLINE, OnSpace, Reply, Rights, Transfer, TransferMode};
use hallows_kernel::{Configuration, Rooted};
use hallows_sim::{Faults, Halt, Process, Response, Simulation};

use crate::lives::OrKilled;
use crate::{MANY_STEPS, choices, each_seed, seen};

/// What the holders and the revoker know of the badges: each names one derivation that the revoker made.
#[derive(Default)]
struct Register {
    /// Revocations of these badges have begun.
    begun: BTreeSet<u64>,
    /// Revocations of these badges have returned.
    revoked: BTreeSet<u64>,
}

type Shared = Rc<RefCell<Register>>;

/// The target: notes which badges still get in.
fn target(sim: &mut Simulation, register: &Shared, passive: bool) -> Rooted {
    let register = Rc::clone(register);
    let check = move |badge: u64| {
        assert!(!register.borrow().revoked.contains(&badge), "badge {badge} got in after its revocation");
    };
    if passive {
        return sim.reactor(move |_| {
            let check = check.clone();
            Ok(Box::new(move |process, message| {
                check(message.badge);
                let work = process.choose(1_500);
                process.compute(work)?;
                // A revocation waits for a handler that runs.
                check(message.badge);
                Ok(Response::bytes([]))
            }))
        });
    }
    sim.main(move |process| {
        loop {
            let event = process.wait(NO_DEADLINE)?;
            check(event.badge);
            let work = process.choose(800);
            process.compute(work)?;
            match process.answer(event.token, &[], &[]).or_killed()? {
                Ok(()) | Err(Error::BadToken) => {}
                Err(error) => panic!("an answer failed with {error:?}"),
            }
        }
    })
}

/// A holder: gets capabilities in messages, uses them, derives from them, passes them on.
fn holder(register: Shared) -> impl Fn(&mut Process<'_>) -> Result<(), Halt> {
    move |process| {
        let peer = Handle(3);
        let mut mine: Vec<(Handle, u64)> = Vec::new();
        loop {
            let deadline =
                if mine.is_empty() { NO_DEADLINE } else { process.time_ns() + process.choose(1_000) };
            let event = process.wait(deadline)?;
            if event.status == Some(Error::Revoked) {
                seen("revoked a message", 1);
            }
            if event.kind == hallows_abi::EventKind::Message {
                let badge = u64::from_le_bytes(event.bytes[..8].try_into().unwrap());
                for handle in &event.handles {
                    if *handle != Handle::NULL {
                        mine.push((*handle, badge));
                    }
                }
                match process.answer(event.token, &[], &[]).or_killed()? {
                    Ok(()) | Err(Error::BadToken) => {}
                    Err(error) => panic!("an answer failed with {error:?}"),
                }
            }
            if mine.is_empty() {
                continue;
            }
            let place = process.choose(mine.len() as u64) as usize;
            let (handle, badge) = mine[place];
            let was_revoked = register.borrow().revoked.contains(&badge);
            let mut gone = false;
            match process.choose(8) {
                0..=2 => {
                    let deadline = process.time_ns() + 20_000;
                    match process.call(handle, &badge.to_le_bytes(), &[], deadline).or_killed()? {
                        Ok(_) => {
                            assert!(!was_revoked, "badge {badge} worked after its revocation");
                            seen("used", 1);
                        }
                        Err(Error::BadHandle | Error::Revoked) => {
                            assert!(
                                register.borrow().begun.contains(&badge),
                                "badge {badge} was lost without a revocation"
                            );
                            seen("found revoked", 1);
                            gone = true;
                        }
                        Err(Error::DeadlinePassed | Error::Busy | Error::NotReady) => {}
                        Err(error) => panic!("a call failed with {error:?}"),
                    }
                }
                3 => match process.make(Handle::SELF, OnSpace::Copy { what: handle }, &[]).or_killed()? {
                    Ok(copy) => {
                        assert!(!was_revoked, "badge {badge} was copied after its revocation");
                        mine.push((copy, badge));
                    }
                    Err(Error::BadHandle) => gone = true,
                    Err(Error::SpaceFull | Error::TooDeep) => {
                        // Room again.
                        for (handle, _) in mine.drain(..) {
                            let _ = process
                                .operate(Handle::SELF, OnSpace::Delete { what: handle }, &[])
                                .or_killed()?;
                        }
                        continue;
                    }
                    Err(error) => panic!("a copy failed with {error:?}"),
                },
                4 => {
                    let mode = if process.choose(2) == 0 { TransferMode::Copy } else { TransferMode::Move };
                    let transfer = Transfer { handle, rights: Rights::ALL, mode };
                    let deadline = process.time_ns() + 3_000;
                    match process.call(peer, &badge.to_le_bytes(), &[transfer], deadline).or_killed()? {
                        Ok(_) => {
                            seen(if mode == TransferMode::Copy { "copied" } else { "moved" }, 1);
                            gone = mode == TransferMode::Move;
                        }
                        Err(Error::BadHandle) => gone = true,
                        // What was on its way is lost with its message.
                        Err(Error::DeadlinePassed) => gone = mode == TransferMode::Move,
                        Err(Error::Busy | Error::NotReady | Error::TooDeep | Error::TableFull) => {
                            let here = process.operate(Handle::SELF, OnSpace::Identify { what: handle }, &[]);
                            let taken = register.borrow().begun.contains(&badge);
                            assert!(here.is_ok() || taken, "a refused message took badge {badge} along");
                            if mode == TransferMode::Move {
                                seen("refused", 1);
                            }
                        }
                        Err(error) => panic!("a transfer failed with {error:?}"),
                    }
                }
                // A message that waits while the capability that it was sent through goes away under it.
                way @ 5..=6 => {
                    match process.send(handle, &badge.to_le_bytes(), &[], 0).or_killed()? {
                        Ok(_) => {
                            assert!(!was_revoked, "badge {badge} sent after its revocation");
                            seen(
                                if way == 5 { "deleted behind a message" } else { "moved behind a message" },
                                1,
                            );
                        }
                        Err(Error::BadHandle | Error::Revoked | Error::Busy | Error::WrongObject) => {}
                        Err(error) => panic!("a send failed with {error:?}"),
                    }
                    let (delete, leave) = (OnSpace::Delete { what: handle }, OnSpace::Move { what: handle });
                    let operation = if way == 5 { delete } else { leave };
                    match process.operate(Handle::SELF, operation, &[]).or_killed()? {
                        Ok((Reply::Handle(moved), _)) => mine.push((moved, badge)),
                        Ok(_) | Err(Error::BadHandle) => {}
                        Err(Error::SpaceFull) => continue,
                        Err(error) => panic!("{operation:?} failed with {error:?}"),
                    }
                    gone = true;
                }
                _ => {
                    let _ =
                        process.operate(Handle::SELF, OnSpace::Delete { what: handle }, &[]).or_killed()?;
                    gone = true;
                }
            }
            if gone {
                mine.swap_remove(place);
            }
        }
    }
}

fn revoke_and_use(seed: u64, replaced: bool) {
    let mut random = choices(seed);
    let faults = Faults::rough(&mut random);
    let cores = 1 + random.below(4) as u32;
    let configuration = Configuration { slots: 2_048, ..Configuration::tiny(cores) };
    let mut sim = Simulation::new(seed, configuration, faults);
    let register = Shared::default();
    let passive = random.below(2) == 0;
    let program = target(&mut sim, &register, passive);
    let mut servers = Vec::new();
    for _ in 0..if replaced { 3 } else { 1 } {
        let (server, rooted) = sim.cell("target", &program, None, passive, random.below(8) as u8);
        // Of its own, so that it always waits for something.
        let own = if passive { sim.passive(server) } else { sim.active(server, 3) };
        sim.start(server);
        servers.push((rooted, own));
    }
    let endpoint = servers[0].1;
    let mut holders = Vec::new();
    for _ in 0..2 {
        let program = sim.main(holder(Rc::clone(&register)));
        let (cell, _) = sim.cell("holder", &program, None, false, random.below(8) as u8);
        // Little room: some are refused.
        holders.push((cell, sim.active(cell, 1 + random.below(2) as u32)));
    }
    sim.grant(holders[0].0, &holders[1].1);
    sim.grant(holders[1].0, &holders[0].1);
    for (cell, _) in &holders {
        sim.start(*cell);
    }
    let (shared, rounds) = (Rc::clone(&register), 1 + random.below(6));
    let revoker = sim.main(move |process| {
        for round in 0..rounds {
            let badge = round + 1;
            let minted = process.make(
                Handle::SELF,
                OnSpace::Mint { what: Handle(3), rights: Rights::ALL, badge },
                &[],
            )?;
            for holder in [Handle(4), Handle(5)] {
                let given = process.make(Handle::SELF, OnSpace::Copy { what: minted }, &[])?;
                let transfer = Transfer { handle: given, rights: Rights::ALL, mode: TransferMode::Move };
                let deadline = process.time_ns() + 30_000;
                match process.call(holder, &badge.to_le_bytes(), &[transfer], deadline).or_killed()? {
                    Ok(_) | Err(Error::Busy | Error::DeadlinePassed) => {}
                    Err(error) => panic!("a gift failed with {error:?}"),
                }
            }
            let rest = process.choose(15_000);
            process.compute(rest)?;
            shared.borrow_mut().begun.insert(badge);
            let (reply, _) = process.operate(Handle::SELF, OnSpace::Revoke { what: minted }, &[])?;
            shared.borrow_mut().revoked.insert(badge);
            seen("revoked some", u64::from(reply != Reply::Number(0)));
            // What was minted itself still works: only what came of it is gone. Its own calls would come in with its badge.
            process.operate(Handle::SELF, OnSpace::Delete { what: minted }, &[])?;
            process.compute(500)?;
        }
        Ok(())
    });
    let (cell, _) = sim.cell("revoker", &revoker, None, false, random.below(8) as u8);
    sim.grant(cell, &endpoint);
    for (_, holder) in &holders {
        sim.grant(cell, holder);
    }
    sim.start(cell);
    if replaced {
        let _ = sim.run(MANY_STEPS);
        let servers: Vec<Rooted> = servers.iter().map(|(cell, _)| *cell).collect();
        crate::replacement::replace(&mut sim, &[endpoint], &servers, 3_000, true);
    }
    sim.run_until(MANY_STEPS, |sim| !sim.kernel.is_live(cell)).unwrap();
    assert_eq!(sim.log().iter().filter(|line| line.contains("panicked")).count(), 0, "{:?}", sim.log());
    for _ in 0..2_000 {
        sim.step();
    }
    sim.finish(MANY_STEPS).unwrap();
}

/// What the seeds reach.
const REACHED: [&str; 9] = [
    "used",
    "found revoked",
    "copied",
    "moved",
    "revoked some",
    "refused",
    "deleted behind a message",
    "moved behind a message",
    "revoked a message",
];

#[test]
fn no_capability_works_again_once_its_revocation_has_returned() {
    each_seed("no_capability_works_again_once_its_revocation_has_returned", &REACHED, |seed| {
        revoke_and_use(seed, false);
    });
}

#[test]
fn no_capability_works_again_once_revoked_also_while_other_cells_come_to_serve() {
    let name = "no_capability_works_again_once_revoked_also_while_other_cells_come_to_serve";
    let reached = [&REACHED[..], &["replaced", "replaced with calls under way"]].concat();
    each_seed(name, &reached, |seed| revoke_and_use(seed, true));
}
