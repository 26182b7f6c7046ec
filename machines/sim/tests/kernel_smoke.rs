//! The smallest whole system: one client, one passive server, one active server, one core.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::cell::RefCell;
use std::rc::Rc;

use hallows_abi::{Handle, NO_DEADLINE};
use hallows_kernel::Configuration;
use hallows_sim::{Faults, Response, Simulation};

#[test]
fn a_client_calls_a_passive_and_an_active_server() {
    let mut sim = Simulation::new(1, Configuration::tiny(1), Faults::CALM);
    let heard = Rc::new(RefCell::new(Vec::new()));
    let double = sim.reactor(|_| {
        Ok(Box::new(|process, message| {
            process.check()?;
            Ok(Response::bytes(message.bytes.iter().map(|byte| byte * 2).collect::<Vec<u8>>()))
        }))
    });
    let count = sim.main(|process| {
        let mut event = process.wait(NO_DEADLINE)?;
        loop {
            let answer = [event.bytes.len() as u8];
            event = process.answer_wait(event.token, &answer, &[], NO_DEADLINE)?;
        }
    });
    let (passive_cell, _) = sim.cell("double", &double, None, true, 3);
    let (active_cell, _) = sim.cell("count", &count, None, false, 3);
    let passive = sim.passive(passive_cell);
    let active = sim.active(active_cell, 4);
    let results = Rc::clone(&heard);
    let client = sim.main(move |process| {
        let (passive, active) = (Handle(3), Handle(4));
        for round in 0..10u8 {
            let doubled = process.call(passive, &[round, 7], &[], NO_DEADLINE)?;
            let counted = process.call(active, &vec![0; usize::from(round)], &[], NO_DEADLINE)?;
            results.borrow_mut().push((doubled.bytes, counted.bytes));
        }
        Ok(())
    });
    let (client_cell, _) = sim.cell("client", &client, None, false, 3);
    assert_eq!(sim.grant(client_cell, &passive), Handle(3));
    assert_eq!(sim.grant(client_cell, &active), Handle(4));
    for cell in [passive_cell, active_cell] {
        sim.start(cell);
    }
    sim.run(10_000).unwrap();
    sim.start(client_cell);
    sim.run(10_000).unwrap();
    let expected: Vec<_> = (0..10u8).map(|round| (vec![round * 2, 14], vec![round])).collect();
    assert_eq!(*heard.borrow(), expected);
    sim.finish(10_000).unwrap();
}
