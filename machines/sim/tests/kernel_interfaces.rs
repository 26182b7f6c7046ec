//! Kernel objects are servers of the interfaces in `wit/kernel`: clients that were made from those files ask them, and nothing else is known of how
//! they are asked.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hallows_abi::{Error, Function, Handle, NO_DEADLINE, Outcome, Transfer};
use hallows_kernel::{Configuration, Rooted};
use hallows_sdk::Deadline;
use hallows_sdk::stub::{Borrow, Caller, Own, Resource};
use hallows_sim::{Faults, Process, Simulation};
use hallows_system::kernel::{budget, cell, endpoint, notification, object, region, space, timer};
// Whose calls the clients would make if they were not given others.
use hallows_testing as _;

const STEPS: u64 = 50_000;
const ROOM: usize = 256;

/// A simulated program, as what a client calls through.
struct Through<'a, 'p>(&'a RefCell<&'a mut Process<'p>>, Handle);

impl Caller for Through<'_, '_> {
    fn call(
        &self,
        bytes: &[u8],
        transfers: &[Transfer],
        reply: &mut [u8],
        handles: &mut [Handle],
        deadline: Deadline,
    ) -> Result<Outcome, Error> {
        let received = self.0.borrow_mut().call(self.1, bytes, transfers, deadline.nanoseconds())?;
        reply.get_mut(..received.bytes.len()).ok_or(Error::AnswerTooLong)?.copy_from_slice(&received.bytes);
        handles
            .get_mut(..received.handles.len())
            .ok_or(Error::AnswerTooLong)?
            .copy_from_slice(&received.handles);
        Ok(Outcome { length: received.bytes.len() as u32, handles: received.handles.len() as u32 })
    }
}

/// Runs a program that holds capabilities with all rights, from handle 3 on.
fn program(sim: &mut Simulation, grants: &[&Rooted], main: impl Fn(&mut Process<'_>) + 'static) {
    let done = Rc::new(Cell::new(false));
    let noted = Rc::clone(&done);
    let program = sim.main(move |process| {
        main(process);
        noted.set(true);
        Ok(())
    });
    let (id, _) = sim.cell("asks", &program, None, false, 3);
    grants.iter().for_each(|what| {
        sim.grant(id, what);
    });
    sim.start(id);
    sim.run(STEPS).unwrap();
    assert!(done.get(), "the program came to its end");
}

fn machine() -> Simulation {
    Simulation::new(7, Configuration::tiny(2), Faults::CALM)
}

const NEVER: Deadline = Deadline::NEVER;

#[test]
fn clients_from_the_files_make_and_use_every_kind_of_object() {
    let mut sim = machine();
    let child = sim.main(|process| {
        process.wait(NO_DEADLINE)?;
        Ok(())
    });
    program(&mut sim, &[&child], |process| {
        let process = &RefCell::new(process);
        let at = |handle: Handle| Through(process, handle);
        let named = |resource: Handle| at(resource);
        let space = space::Client(at(Handle::SELF));
        let budget = budget::Budget(at(Handle::BUDGET));

        let Own(bell) = budget.create_notification(NEVER).unwrap();
        let bell = bell.capability();
        let notification = notification::Notification(named(bell));
        notification.signal(5, NEVER).unwrap();
        assert_eq!(notification.poll(NEVER), Ok(5));
        notification.bind(9, NEVER).unwrap();
        assert_eq!(notification.bind(9, NEVER), Err(Error::BadState));

        let target = Borrow(budget::Notification::from_capability(bell));
        let Own(made) = budget.create_timer(target, 1 << 40, NEVER).unwrap();
        let timer = timer::Timer(named(made.capability()));
        timer.arm(space.now(NEVER).unwrap() + 1_000, 0, 0, NEVER).unwrap();
        let event = process.borrow_mut().wait(NO_DEADLINE).unwrap();
        assert_eq!((event.badge, event.value), (9, 1 << 40));
        timer.disarm(NEVER).unwrap();

        let Own(made) = budget.create_region(4_097, NEVER).unwrap();
        let region = region::Region(named(made.capability()));
        assert_eq!(region.size(NEVER), Ok(8_192));
        region.map(12_288, region::Access::ReadWrite, NEVER).unwrap();
        region.unmap(12_288, NEVER).unwrap();
        assert_eq!(region.unmap(12_288, NEVER), Err(Error::BadState));

        let Own(made) = budget.create_endpoint(budget::Serving::Active(4), None, NEVER).unwrap();
        let served = made.capability();
        let endpoints = endpoint::Client(at(Handle::SELF));
        let badged = space.mint(served.0, space::Rights::SEND, 77, NEVER).unwrap();
        assert_eq!(endpoints.recognise(badged, NEVER), Ok(77));
        let told = Borrow(endpoint::Notification::from_capability(bell));
        endpoints.watch(served.0, told, NEVER).unwrap();

        let Own(small) = budget.split(100_000, NEVER).unwrap();
        let account = budget::Budget(named(small.capability())).query(NEVER).unwrap();
        assert_eq!((account.total, account.used), (100_000, 0));

        let new = budget::NewCell {
            memory: 65_536,
            slots: Some(8),
            priority: 1,
            running: budget::Running::Active(None),
        };
        let of = Borrow(budget::Program::from_capability(Handle(3)));
        let Own(made) = budget.create_cell(of, None, new, NEVER).unwrap();
        let child = cell::Cell(named(made.capability()));
        let what = Borrow(cell::Object::from_capability(bell));
        assert_eq!(child.grant(what, cell::Rights::SEND, 3, NEVER), Ok(3));
        let inspection = child.inspect(NEVER).unwrap();
        assert_eq!((inspection.state, inspection.life), (cell::State::Created, 0));
        assert_eq!(child.start(&[1, 2, 3], &mut [0; ROOM], NEVER), Ok(1));
        child.kill(NEVER).unwrap();

        endpoints.destroy(served.0, NEVER).unwrap();
        assert_eq!(endpoints.recognise(badged, NEVER), Err(Error::Gone));
    });
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_client_from_the_file_moves_about_in_its_own_space() {
    let mut sim = machine();
    let bell = sim.kernel.boot_notification(&sim.boot).unwrap();
    program(&mut sim, &[&bell], |process| {
        let process = &RefCell::new(process);
        let space = space::Client(Through(process, Handle::SELF));
        let copy = space.copy(3, NEVER).unwrap();
        let identity = space.identify(copy, NEVER).unwrap();
        assert_eq!(identity.kind, space::Kind::Notification);
        assert!(identity.rights.contains(space::Rights::RECEIVE | space::Rights::WATCH));
        let seen = object::Object(Through(process, Handle(copy))).identify(NEVER).unwrap();
        assert_eq!((seen.kind, seen.badge), (object::Kind::Notification, 0));
        let moved = space.move_(copy, NEVER).unwrap();
        assert_eq!(space.delete(copy, NEVER), Err(Error::BadHandle));
        assert_eq!(space.revoke(3, NEVER), Ok(1));
        assert_eq!(space.identify(moved, NEVER), Err(Error::BadHandle));
        space.yield_(NEVER).unwrap();
        space.log(b"a line", &mut [0; ROOM], NEVER).unwrap();
        assert_ne!(space.random(NEVER), space.random(NEVER));
        assert_eq!(space.start_info(&mut [0; ROOM], NEVER), Ok(&[][..]));
        object::Object(Through(process, Handle(3))).null(NEVER).unwrap();
        object::Object(Through(process, Handle(3))).destroy(NEVER).unwrap();
        assert_eq!(object::Object(Through(process, Handle(3))).destroy(NEVER), Err(Error::Gone));
    });
    assert_eq!(sim.log(), ["asks: a line"]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn what_is_not_a_function_or_not_its_parameters_is_said_as_by_every_server() {
    let mut sim = machine();
    let bell = sim.kernel.boot_notification(&sim.boot).unwrap();
    program(&mut sim, &[&bell], |process| {
        let mut call = |bytes: &[u8], transfers: &[Transfer]| {
            process.call(Handle(3), bytes, transfers, NO_DEADLINE).map(|received| received.bytes)
        };
        let signal = Function::NotificationSignal.tag().to_le_bytes();
        let with = |parameters: &[u8]| [&signal[..], parameters].concat();
        assert_eq!(call(&with(&[1; 8]), &[]), Ok(vec![0]));
        for (bytes, transfers, error) in [
            (with(&[1; 7]), &[][..], Error::BadArgument),
            (with(&[1; 9]), &[], Error::BadArgument),
            (signal.to_vec(), &[], Error::BadArgument),
            (with(&[1; 8]), &[Transfer::copy(Handle(3))], Error::BadArgument),
            (vec![], &[], Error::BadArgument),
            (signal[..3].to_vec(), &[], Error::BadArgument),
            (vec![0; 4], &[], Error::UnknownOperation),
            (vec![0xff; 4_000], &[], Error::UnknownOperation),
            (Function::TimerDisarm.tag().to_le_bytes().to_vec(), &[], Error::WrongObject),
        ] {
            assert_eq!(call(&bytes, transfers), Err(error), "{bytes:x?}");
        }
        // Room for the answer is looked at before anything is done.
        let poll = Function::NotificationPoll.tag().to_le_bytes();
        process.store(0, &poll).unwrap();
        let message = process.range(0, 4).unwrap();
        for room in [0, 8] {
            let reply = process.range(64, room).unwrap();
            let refused = process.call_ranges(Handle(3), message, &[], reply, NO_DEADLINE);
            assert_eq!(refused.map(|received| received.bytes), Err(Error::AnswerTooLong));
        }
        let reply = process.range(64, 9).unwrap();
        let told = process.call_ranges(Handle(3), message, &[], reply, NO_DEADLINE).unwrap();
        assert_eq!(told.bytes, [&[0][..], &[1; 8]].concat());
    });
    sim.finish(STEPS).unwrap();
}
