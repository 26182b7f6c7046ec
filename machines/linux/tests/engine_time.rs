//! Time on the real engine: handler budgets and time budgets, with a timekeeper that looks at compiled code as it runs.

mod engine_support;

use engine_support::{Cell, World, main_program, module, reactor};
use hallows_abi::{FaultKind, Rights, TimeBudget};
use hallows_kernel::{CellPicture, CellSpecification, CellState, Service};

/// An endless loop.
const SPIN: &str = "(loop $again (br $again))";

fn picture(world: &World, cell: Cell) -> CellPicture {
    world.kernel.picture_cells().into_iter().find(|picture| picture.cell == cell.id).unwrap()
}

fn cell_of(world: &World, name: &str, source: &str, priority: u8, time: Option<TimeBudget>) -> Cell {
    let specification = CellSpecification {
        name,
        memory_bytes: 8 << 20,
        slots: 0,
        class: Default::default(),
        priority,
        passive: false,
        pinned: None,
        pool: 0,
        time,
    };
    let program = world.program(source);
    let (id, capability) = world.kernel.boot_cell(&world.right, &program, None, &specification).unwrap();
    Cell { id, capability }
}

#[test]
fn a_handler_that_does_not_return_is_ended_by_its_budget_and_its_caller_goes_on() {
    let world = World::new(1);
    // Spins when it is sent anything, and answers the empty message.
    let server = world.cell(
        "server",
        &world.program(&reactor(&format!("(if (local.get $length) (then {SPIN})) (i64.const 0)"))),
        true,
    );
    let service = Service::Passive { handler_budget_ns: 2_000_000 };
    let endpoint = world.kernel.boot_endpoint(&world.right, server.id, service).unwrap();
    world.start(server);
    world.run();
    // `ServerDied`, then `NotReady`: the server is over, and the caller is not.
    let client = world.cell(
        "client",
        &world.program(&main_program(
            "(call $check (i64.eq (i64.const 0) (call $echo (i32.const 3) (i32.const 0))))
             (call $check (i64.eq (i64.const -14) (call $echo (i32.const 3) (i32.const 1))))
             (call $check (i64.eq (i64.const -25) (call $echo (i32.const 3) (i32.const 0))))",
        )),
        false,
    );
    world.grant(client, &endpoint);
    world.start(client);
    world.run_in_time(|world| world.kernel.state(client.id) == CellState::Dead);
    assert_eq!(world.kernel.state(server.id), CellState::Dead);
    assert_eq!(picture(&world, server).last_fault.unwrap().kind, FaultKind::HandlerOverrun);
    assert_eq!(picture(&world, client).last_fault, None, "{}", world.log());
}

#[test]
fn a_spinning_program_with_a_budget_leaves_time_for_one_of_lower_priority() {
    let world = World::new(1);
    let time = TimeBudget { budget_ns: 1_000_000, period_ns: 5_000_000 };
    let greedy = cell_of(&world, "greedy", &main_program(SPIN), 7, Some(time));
    // Some tens of milliseconds of work: many periods of the other's.
    let modest = module(
        r#"(func (export "hallows_main") (local $left i32)
            (local.set $left (i32.const 1000000000))
            (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))"#,
    );
    let modest = cell_of(&world, "modest", &modest, 0, None);
    world.start(greedy);
    world.start(modest);
    world.run_in_time(|world| world.kernel.state(modest.id) == CellState::Dead);
    assert_eq!(picture(&world, modest).last_fault, None, "{}", world.log());
    let greedy = picture(&world, greedy);
    assert!(greedy.time.unwrap().throttlings > 1, "{greedy:?}");
    assert_eq!(greedy.state, CellState::Running);
}

#[test]
fn a_call_is_completed_on_credit_and_paid_for() {
    let world = World::new(1);
    // Some milliseconds of work.
    let work = "(local $left i32) (local.set $left (i32.const 20000000))
        (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1))))) (i64.const 0)";
    let server = world.cell("server", &world.program(&reactor(work)), true);
    // Longer than a loaded host could make of it.
    let service = Service::Passive { handler_budget_ns: 10_000_000_000 };
    let endpoint = world.kernel.boot_endpoint(&world.right, server.id, service).unwrap();
    world.start(server);
    world.run();
    let time = TimeBudget { budget_ns: 200_000, period_ns: 1_000_000 };
    let calls = "(call $check (i64.eq (i64.const 0) (call $echo (i32.const 3) (i32.const 0))))";
    let client = cell_of(&world, "client", &main_program(&calls.repeat(3)), 3, Some(time));
    world.kernel.boot_grant(&world.right, client.id, &endpoint, Rights::ALL, 0).unwrap();
    world.start(client);
    let mut most_ns = 0;
    world.run_in_time(|world| {
        let time = picture(world, client).time.unwrap();
        assert_eq!(world.kernel.throttled_holders(), []);
        most_ns = most_ns.max(time.debt_ns);
        world.kernel.state(client.id) == CellState::Dead
    });
    assert_eq!(picture(&world, client).last_fault, None, "{}", world.log());
    assert!(most_ns > time.budget_ns, "a debt of {most_ns} ns");
    // Once after each call, but for the last one if the client ends before anybody looks. That no handler was stopped in its middle was looked at
    // all the time.
    let throttlings = picture(&world, client).time.unwrap().throttlings;
    assert!(throttlings >= 2, "{throttlings}");
}
