//! Instances made ahead: like fresh ones, bounded, gone when nobody wants them, and never with a line of the program run outside of its cell.
//!
//! The stock is the process's, and these tests count what is in it: they take turns.

mod engine_support;

use std::sync::{Mutex, MutexGuard};

use engine_support::{Cell, World, main_program, module, reactor};
use hallows_engine::{clean, counters, populate_at_most};
use hallows_kernel::{CellState, Rooted};

static TURN: Mutex<()> = Mutex::new(());

/// Waits for its turn; a test that failed in its turn does not fail the others.
fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn clean_all() {
    while clean() {}
}

/// Starts a program and runs it to its end, so many times.
fn lives(world: &World, program: &Rooted, count: usize) {
    for _ in 0..count {
        let cell = world.cell_with("life", program, false, 4 << 20);
        world.start(cell);
        world.run();
        assert_eq!(world.kernel.state(cell.id), CellState::Dead);
        world.kernel.boot_destroy(&world.right, &cell.capability);
    }
}

/// Lives until there is a stock of the program. How many instances are in it.
fn stocked(world: &World, program: &Rooted, lives_before: usize) -> usize {
    let before = counters().instances;
    lives(world, program, lives_before);
    clean_all();
    counters().instances - before
}

/// How many starts have found an instance while this ran.
fn found(run: impl FnOnce()) -> u64 {
    let before = counters().instances_found;
    run();
    counters().instances_found - before
}

/// Checks all that an instance starts with, and then changes all of it.
const CHANGES_ALL: &str = r#"
    (table $table 2 8 funcref)
    (elem (i32.const 0) $seven)
    (global $global (mut i64) (i64.const 5))
    (data (i32.const 1000) "as it was")
    (data $passive "once")
    (func $seven (result i32) (i32.const 7))
    (func $eight (result i32) (i32.const 8))
    (elem declare func $eight)
    (func (export "hallows_main") (local $at i32)
        (call $check (i64.eq (global.get $global) (i64.const 5)))
        (call $check (i32.eq (memory.size) (i32.const 1)))
        (call $check (i32.eq (table.size $table) (i32.const 2)))
        (call $check (i32.eq (call_indirect $table (result i32) (i32.const 0)) (i32.const 7)))
        (call $check (ref.is_null (table.get $table (i32.const 1))))
        (call $check (i64.eq (i64.load (i32.const 1000)) (i64.const 0x6177207469207361)))
        (loop $next
            (call $check (i32.or (i64.eqz (i64.load (local.get $at)))
                (i32.and (i32.ge_u (local.get $at) (i32.const 1000)) (i32.lt_u (local.get $at) (i32.const 1016)))))
            (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 65536))))
        (memory.init $passive (i32.const 2000) (i32.const 0) (i32.const 4))
        (data.drop $passive)
        (global.set $global (i64.const -1))
        (call $check (i32.eq (memory.grow (i32.const 3)) (i32.const 1)))
        (call $check (i32.eq (table.grow $table (ref.func $eight) (i32.const 2)) (i32.const 2)))
        (table.set $table (i32.const 0) (ref.func $eight))
        (memory.fill (i32.const 0) (i32.const 255) (i32.const 262144)))"#;

#[test]
fn an_instance_from_stock_starts_as_a_fresh_one_whatever_earlier_lives_have_done() {
    let _turn = turn();
    let world = World::new(1);
    let program = world.program(&module(CHANGES_ALL));
    let found = found(|| {
        for round in 0..20 {
            lives(&world, &program, 20);
            clean_all();
            assert_eq!(world.log(), "", "round {round}");
        }
    });
    assert!(found >= 19 * 20, "all rounds but the first start from stock: {found}");
}

#[test]
fn a_cell_that_starts_from_stock_has_its_own_limit_and_is_charged_and_shown_like_any_other() {
    let _turn = turn();
    let world = World::new(1);
    let grows = world.program(&main_program(
        "(local $pages i32)
         (block $full (loop $more
            (br_if $full (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
            (local.set $pages (i32.add (local.get $pages) (i32.const 1)))
            (br $more)))
         (call $check (i32.lt_u (local.get $pages) (i32.const 16)))",
    ));
    assert!(stocked(&world, &grows, 4) > 0);
    assert_ne!(world.log(), "", "with 4 MiB it gets more, and traps");
    let found_by = found(|| {
        let cell = world.cell_with("small", &grows, false, 1 << 20);
        world.start(cell);
        world.run();
    });
    assert_eq!((found_by, world.log()), (1, String::new()));

    let server = world.program(&reactor(engine_support::ECHO));
    let cells: Vec<Cell> = (0..6).map(|_| world.cell("server", &server, false)).collect();
    let in_use = |cell: &Cell| {
        let cells = world.kernel.picture_cells();
        cells.iter().find(|picture| picture.cell == cell.id).map_or(0, |picture| picture.memory_bytes)
    };
    let (first, rest) = cells.split_at(3);
    let run = |cells: &[Cell]| {
        cells.iter().for_each(|cell| {
            world.endpoint(*cell, false);
            world.start(*cell);
        });
        world.run();
    };
    run(first);
    clean_all();
    assert_eq!(found(|| run(rest)), 3);
    assert!(in_use(&first[0]) >= 65_536);
    assert!(rest.iter().all(|cell| in_use(cell) == in_use(&first[0])));
}

#[test]
fn a_program_that_needs_more_than_its_cell_may_have_is_refused_as_ever() {
    let _turn = turn();
    let world = World::new(1);
    let source = module(r#"(table 65536 funcref) (func (export "hallows_main"))"#);
    let program = world.program(&source);
    assert!(stocked(&world, &program, 4) > 0);
    // Half a MiB of table, and a page.
    let cell = world.cell_with("small", &program, false, 512 << 10);
    assert!(world.kernel.boot_start(&world.right, cell.id, b"").is_err());
    assert_eq!(found(|| lives(&world, &program, 1)), 1);
    assert_eq!(world.log(), "");
}

#[test]
fn a_start_function_runs_in_cells_only_so_such_a_program_is_never_made_ahead() {
    let _turn = turn();
    let world = World::new(1);
    // Its start function calls the kernel, which needs a cell to be called from.
    let program = world.program(&module(
        r#"(func $first (i32.store (i32.const 8) (i32.const 7))
             (call $check (i64.eq (call $echo (i32.const 77) (i32.const 1)) (i64.const -1))))
           (start $first)
           (func (export "hallows_main") (call $check (i32.eq (i32.load (i32.const 8)) (i32.const 7))))"#,
    ));
    assert_eq!(stocked(&world, &program, 8), 0);
    assert_eq!(found(|| lives(&world, &program, 8)), 0);
    assert_eq!(world.log(), "");
}

#[test]
fn a_program_that_cannot_be_made_fails_in_its_cell_and_not_in_the_cleaner() {
    let _turn = turn();
    let world = World::new(1);
    // Its data does not fit into its memory.
    let program = world.program(&module(r#"(data (i32.const 65535) "two") (func (export "hallows_main"))"#));
    assert_eq!(stocked(&world, &program, 4), 0);
    lives(&world, &program, 1);
    assert!(world.log().contains("out of bounds"), "it says why");
}

#[test]
fn a_program_that_starts_once_has_no_stock_and_one_that_starts_no_more_loses_it() {
    let _turn = turn();
    let world = World::new(1);
    let program = world.program(&main_program(""));
    assert_eq!(stocked(&world, &program, 1), 0);
    let stock = stocked(&world, &program, 10);
    assert_eq!(stock, 20, "twice what was started");
    for _ in 0..100 {
        clean();
    }
    assert_eq!(counters().instances, 0);
    // And can have it again.
    assert_eq!(stocked(&world, &program, 3), 6);
}

#[test]
fn a_program_that_is_gone_takes_its_stock_with_it() {
    let _turn = turn();
    let world = World::new(1);
    let before = counters().instances;
    let program = world.program(&main_program(""));
    assert_eq!(stocked(&world, &program, 8), 16);
    // Nobody has cells of it any more.
    world.kernel.boot_destroy(&world.right, &program);
    assert_eq!(counters().instances, before);
    let other = world.program(&main_program("(drop (memory.size))"));
    assert_eq!(stocked(&world, &other, 8), 16);
    drop(world);
    assert_eq!(counters().instances, before);
}

#[test]
fn what_all_stocks_hold_is_bounded_and_the_rest_is_made_late_and_counted() {
    let _turn = turn();
    let world = World::new(1);
    const PAGES: usize = 40;
    let source = main_program("")
        .replace(r#"(memory (export "memory") 1"#, &format!(r#"(memory (export "memory") {PAGES}"#));
    let programs: Vec<Rooted> = (0..3)
        .map(|n| {
            world.program(&source.replace("hallows_main\"", &format!("hallows_main\") (export \"x{n}\"")))
        })
        .collect();
    for program in &programs {
        lives(&world, program, 30);
        clean_all();
    }
    let (instances, late) = (counters().instances, counters().instances_made_late);
    assert!(instances > 3 && instances * PAGES * 65_536 <= 32 << 20, "{instances}");
    lives(&world, &programs[0], instances + 1);
    assert!(counters().instances_made_late > late);
    assert_eq!(world.log(), "");
}

#[test]
fn stocks_take_no_memory_that_the_budget_has_not() {
    let _turn = turn();
    const MOST: u64 = 1 << 20;
    let world = World::new(1);
    let before = counters().populated;
    populate_at_most((before + MOST) as usize);
    let program = world.program(&main_program(""));
    let stock = stocked(&world, &program, 30);
    let held = counters();
    // A program grows into what is held for others.
    let grows = world.program(&reactor(engine_support::ECHO).replace(
        "(func (export \"hallows_inbox\")",
        "(func (export \"hallows_init\") (call $check (i32.eq (memory.grow (i32.const 15)) (i32.const 1))))
         (func (export \"hallows_inbox\")",
    ));
    let cell = world.cell("grows", &grows, false);
    world.endpoint(cell, false);
    world.start(cell);
    world.run();
    clean_all();
    let given = counters();
    populate_at_most(0);
    clean_all();
    assert!(stock > 0 && held.populated <= before + MOST, "{stock} {held:?}");
    assert!(given.populated <= before + MOST && given.populated >= 15 << 16, "{given:?}");
    assert_eq!((world.log(), world.kernel.state(cell.id)), (String::new(), CellState::Running));
}

#[test]
fn what_starts_from_stock_is_preempted_killed_and_started_again_like_any_other() {
    let _turn = turn();
    for world in [World::new(1), World::chaotic(1)] {
        let endless = world.program(&main_program("(loop $again (br $again))"));
        let kill_when_running = |cell: Cell| {
            world.start(cell);
            std::thread::scope(|scope| {
                let running = scope.spawn(|| world.run());
                let runs = || {
                    let cells = world.kernel.picture_cells();
                    cells.iter().any(|picture| picture.cell == cell.id && picture.running)
                };
                while !runs() && !running.is_finished() {
                    std::thread::yield_now();
                }
                assert!(world.kernel.boot_kill(&world.right, cell.id));
                running.join().unwrap();
            });
            assert_eq!(world.kernel.state(cell.id), CellState::Dead);
        };
        let life = || {
            let cell = world.cell("endless", &endless, false);
            kill_when_running(cell);
            world.kernel.boot_destroy(&world.right, &cell.capability);
        };
        (0..4).for_each(|_| life());
        clean_all();
        assert_eq!(found(|| (0..4).for_each(|_| life())), 4);
        // Killed before it ever ran: nobody gets what it would have had.
        let cell = world.cell("never", &endless, false);
        world.start(cell);
        assert!(world.kernel.boot_kill(&world.right, cell.id));
        world.run();
        assert_eq!(world.kernel.state(cell.id), CellState::Dead);
    }
}

#[test]
fn what_is_in_tables_counts_in_what_a_stock_may_hold() {
    let _turn = turn();
    let world = World::new(1);
    let stocked_with = |tables: &str| {
        let program = world.program(&module(&format!("{tables} (func (export \"hallows_main\"))")));
        let before = counters().instances;
        for _ in 0..8 {
            let cell = world.cell_with("life", &program, false, 96 << 20);
            world.start(cell);
            world.run();
            assert_eq!(world.kernel.state(cell.id), CellState::Dead);
            world.kernel.boot_destroy(&world.right, &cell.capability);
        }
        clean_all();
        counters().instances - before
    };
    // 8 bytes an entry: 40 MB of tables are more than the whole stock may hold, 8 MB are not.
    let table = "(table 1000000 funcref)";
    assert_eq!(stocked_with(&table.repeat(5)), 0);
    assert!(stocked_with(table) > 0);
    assert_eq!(world.log(), "");
}
