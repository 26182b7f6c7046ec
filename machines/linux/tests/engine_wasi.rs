//! Programs of WASI on the engine: what they are given reaches them, what they write arrives, and they end as everybody does.

mod engine_support;

use engine_support::World;
use engine_support::wasi::{
    WALL, clock, console, invocation, outcome, output, program, program_with, random, set_input, start,
};
use hallows_engine::LoadError;
use hallows_kernel::CellState;

#[test]
fn what_a_program_writes_arrives_in_its_order() {
    let world = World::new(1);
    let console = console(&world);
    let hello = program_with(
        r#"(data (i32.const 100) "hello, world\n")"#,
        "(call $check (call $write (i32.const 1) (i32.const 100) (i32.const 13)) (i32.const 13))
         (call $check (call $write (i32.const 2) (i32.const 100) (i32.const 5)) (i32.const 5))
         ;; Three ranges at once, one of them empty.
         (i64.store (i32.const 24) (i64.const 0x7_00000064))
         (i64.store (i32.const 32) (i64.const 0x0_00000064))
         (i64.store (i32.const 40) (i64.const 0x6_0000006b))
         (call $check (call $fd_write (i32.const 1) (i32.const 24) (i32.const 3) (i32.const 16)) (i32.const 0))
         (call $check (i32.load (i32.const 16)) (i32.const 13))",
    );
    assert_eq!(outcome(&world, &hello, &[("console.out", &console), ("console.err", &console)]), "");
    assert_eq!(output(), b"hello, world\nhellohello, world\n");
}

#[test]
fn a_long_write_goes_in_as_many_messages_as_its_server_takes_and_input_comes_in_pieces() {
    let world = World::new(1);
    let console = console(&world);
    set_input(b"0123456789");
    let source = program(
        "(local $sum i32) (local $count i32)
         (memory.fill (i32.const 100) (i32.const 65) (i32.const 60000))
         (call $check (call $write (i32.const 1) (i32.const 100) (i32.const 60000)) (i32.const 60000))
         (loop $again
            (local.set $count (call $read (i32.const 0) (i32.const 200) (i32.const 100)))
            (local.set $sum (i32.add (local.get $sum) (local.get $count)))
            (br_if $again (local.get $count)))
         (call $check (local.get $sum) (i32.const 10))
         (call $check (i32.load8_u (i32.const 200)) (i32.const 57))",
    );
    assert_eq!(outcome(&world, &source, &[("console.in", &console), ("console.out", &console)]), "");
    assert_eq!(output(), [b'A'; 60_000]);
}

#[test]
fn arguments_and_variables_are_those_of_the_invocation() {
    let world = World::new(1);
    let (console, invocation) = (console(&world), invocation(&world));
    let source = program(
        "(call $check (call $args_sizes_get (i32.const 0) (i32.const 4)) (i32.const 0))
         (call $check (i32.load (i32.const 0)) (i32.const 3))
         (call $check (call $args_get (i32.const 32) (i32.const 100)) (i32.const 0))
         (call $check (i32.load (i32.const 32)) (i32.const 100))
         (call $check (i32.load (i32.const 36)) (i32.const 108))
         (call $check (i32.load (i32.const 40)) (i32.const 121))
         (drop (call $write (i32.const 1) (i32.const 100) (i32.load (i32.const 4))))
         (call $check (call $environ_sizes_get (i32.const 0) (i32.const 4)) (i32.const 0))
         (call $check (i32.load (i32.const 0)) (i32.const 2))
         (call $check (call $environ_get (i32.const 32) (i32.const 100)) (i32.const 0))
         (call $check (i32.load (i32.const 36)) (i32.const 107))
         (drop (call $write (i32.const 1) (i32.const 100) (i32.load (i32.const 4))))
         ;; No room at the end of memory: nothing is given in part.
         (call $check (call $args_get (i32.const 65528) (i32.const 100)) (i32.const 21))
         (call $check (call $args_get (i32.const 32) (i32.const 65530)) (i32.const 21))",
    );
    assert_eq!(outcome(&world, &source, &[("invocation", &invocation), ("console.out", &console)]), "");
    assert_eq!(output(), b"program\0one argument\0\0HOME=/\0PATH=/bin:/usr/bin\0");
}

#[test]
fn who_was_granted_nothing_has_no_descriptors_arguments_or_clock_on_the_wall_and_goes_on() {
    let source = program(
        "(call $check (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)) (i32.const 8))
         (call $check (call $fd_read (i32.const 0) (i32.const 8) (i32.const 1) (i32.const 16)) (i32.const 8))
         (call $check (call $fd_close (i32.const 3)) (i32.const 8))
         (call $check (call $args_sizes_get (i32.const 0) (i32.const 4)) (i32.const 0))
         (call $check (i32.or (i32.load (i32.const 0)) (i32.load (i32.const 4))) (i32.const 0))
         (call $check (call $args_get (i32.const 0) (i32.const 0)) (i32.const 0))
         (call $check (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 0)) (i32.const 28))
         (call $check (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 0)) (i32.const 0))
         (call $check (i64.eqz (i64.load (i32.const 0))) (i32.const 0))
         (call $check (call $random_get (i32.const 0) (i32.const 20)) (i32.const 0))
         (call $check (i32.load (i32.const 16)) (i32.const 0x07070707))
         (call $check (i32.load (i32.const 20)) (i32.const 0))
         (call $check (call $sched_yield) (i32.const 0))",
    );
    assert_eq!(outcome(&World::new(1), &source, &[]), "");
}

#[test]
fn random_bytes_are_those_of_the_service() {
    let world = World::new(1);
    let random = random(&world);
    let source = program(
        "(call $check (call $random_get (i32.const 0) (i32.const 20)) (i32.const 0))
         (call $check (i32.load (i32.const 0)) (i32.const 0x09090909))
         (call $check (i32.load (i32.const 16)) (i32.const 0x09090909))
         (call $check (i32.load (i32.const 20)) (i32.const 0))",
    );
    assert_eq!(outcome(&world, &source, &[("random", &random)]), "");
}

#[test]
fn the_clock_on_the_wall_shows_what_its_service_says() {
    let world = World::new(1);
    let clock = clock(&world);
    *WALL.lock().unwrap() = 1_600_000_000;
    let source = program(
        "(call $check (call $clock_time_get (i32.const 0) (i64.const 1) (i32.const 0)) (i32.const 0))
         (call $check (i32.wrap_i64 (i64.div_u (i64.load (i32.const 0)) (i64.const 1000000000))) (i32.const 1600000000))",
    );
    assert_eq!(outcome(&world, &source, &[("clock", &clock)]), "");
}

#[test]
fn pointers_that_lead_out_of_memory_are_faults_and_nothing_is_done() {
    let world = World::new(1);
    let console = console(&world);
    let fault = |call: &str| format!("(call $check (call {call}) (i32.const 21))");
    let calls = [
        // A list, a range, and the place of the result.
        "$fd_write (i32.const 1) (i32.const 65532) (i32.const 1) (i32.const 16)",
        "$fd_write (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 16)",
        "$fd_write (i32.const 1) (i32.const 24) (i32.const 1) (i32.const 16)",
        "$fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 65533)",
        "$fd_read (i32.const 0) (i32.const 24) (i32.const 1) (i32.const 16)",
        "$fd_read (i32.const 0) (i32.const 32) (i32.const 1) (i32.const -1)",
        "$random_get (i32.const 65535) (i32.const 2)",
        "$random_get (i32.const 0) (i32.const -1)",
        "$clock_time_get (i32.const 1) (i64.const 0) (i32.const 65529)",
        "$args_sizes_get (i32.const -1) (i32.const 0)",
    ];
    let body: String = calls.iter().map(|call| fault(call)).collect();
    let source = program(&format!(
        "(i64.store (i32.const 24) (i64.const 0xffffffff_00000064))
         (i64.store (i32.const 32) (i64.const 0x4_00000064))
         {body}
         ;; Nothing of it was read.
         (call $check (call $read (i32.const 0) (i32.const 200) (i32.const 100)) (i32.const 4))"
    ));
    set_input(b"12345678");
    assert_eq!(outcome(&world, &source, &[("console.in", &console), ("console.out", &console)]), "");
    assert_eq!(output(), b"");
}

#[test]
fn the_status_of_an_exit_is_the_cells_from_however_deep_it_comes() {
    let world = World::new(1);
    let exits = |status: &str| {
        outcome(
            &world,
            &program_with(
                &format!("(func $deep (call $proc_exit (i32.const {status})) unreachable)"),
                "(call $deep) unreachable",
            ),
            &[],
        )
    };
    assert_eq!(exits("0"), "");
    assert!(exits("7").ends_with("with status 7\n"), "{}", exits("7"));
    assert!(exits("-1").ends_with("with status 4294967295\n"), "{}", exits("-1"));
    // The signal `abrt`; and `winch`, of which nothing comes.
    let raised = program(
        "(call $check (call $proc_raise (i32.const 27)) (i32.const 0)) (drop (call $proc_raise (i32.const 6)))",
    );
    assert!(outcome(&world, &raised, &[]).ends_with("with status 134\n"));
}

#[test]
fn a_program_that_waits_for_input_can_be_killed() {
    let world = World::new(1);
    let console = console(&world);
    set_input(b"never");
    let source = program("(drop (call $read (i32.const 0) (i32.const 200) (i32.const 100))) unreachable");
    let cell = start(&world, &source, &[("console.in", &console)]);
    world.run();
    assert_eq!(world.kernel.state(cell.id), CellState::Running);
    assert!(world.kernel.boot_kill(&world.right, cell.id));
    world.run();
    assert_eq!(world.kernel.state(cell.id), CellState::Dead);
    assert!(world.log().contains("was killed"));
}

#[test]
fn a_program_whose_console_has_died_is_told_so() {
    let world = World::new(1);
    let (server, endpoint) = engine_support::wasi::serve(&world, &engine_support::wasi::CONSOLE);
    assert!(world.kernel.boot_kill(&world.right, server.id));
    world.run();
    world.log();
    let source = program(
        "(i64.store (i32.const 32) (i64.const 0x4_00000064))
         (call $check (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 16)) (i32.const 29))",
    );
    assert_eq!(outcome(&world, &source, &[("console.out", &endpoint)]), "");
}

#[test]
fn a_function_that_wasi_has_not_is_named() {
    let world = World::new(1);
    let source =
        r#"(module (import "wasi_snapshot_preview1" "fd_fly" (func)) (memory 1) (func (export "_start")))"#;
    let Err(LoadError::Imports(reason)) = world.load(source) else { panic!("it was loaded") };
    assert!(reason.contains("wasi_snapshot_preview1") && reason.contains("fd_fly"), "{reason}");
}

#[test]
fn a_program_without_memory_gets_faults() {
    let source = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
        (func (export "_start") (call $proc_exit (call $random_get (i32.const 0) (i32.const 1)))))"#;
    assert!(outcome(&World::new(1), source, &[]).ends_with("with status 21\n"));
}

/// A poll of the monotonic clock for so many nanoseconds.
fn poll(nanoseconds: u64) -> String {
    format!(
        "(i64.store (i32.const 1000) (i64.const 77))
         (i32.store8 (i32.const 1008) (i32.const 0))
         (i32.store (i32.const 1016) (i32.const 1))
         (i64.store (i32.const 1024) (i64.const {nanoseconds}))
         (i32.store16 (i32.const 1040) (i32.const 0))
         (call $check (call $poll_oneoff (i32.const 1000) (i32.const 1100) (i32.const 1) (i32.const 1200)) (i32.const 0))
         (call $check (i32.load (i32.const 1200)) (i32.const 1))
         (call $check (i32.load (i32.const 1100)) (i32.const 77))
         (call $check (i32.load (i32.const 1108)) (i32.const 0))"
    )
}

#[test]
fn a_poll_waits_as_long_as_it_says() {
    let world = World::new(1);
    let source = program(&format!(
        "(local $begin i64)
         (call $check (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 0)) (i32.const 0))
         (local.set $begin (i64.load (i32.const 0)))
         {}
         (call $check (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 0)) (i32.const 0))
         (call $check (i64.ge_u (i64.sub (i64.load (i32.const 0)) (local.get $begin)) (i64.const 3000000)) (i32.const 1))",
        poll(3_000_000)
    ));
    let cell = start(&world, &source, &[]);
    world.run_in_time(|world| world.kernel.state(cell.id) == CellState::Dead);
    assert_eq!(world.log(), "");
}

#[test]
fn a_program_that_sleeps_can_be_killed() {
    let world = World::new(1);
    let cell = start(&world, &program(&format!("{} unreachable", poll(u64::MAX >> 1))), &[]);
    world.run();
    assert_eq!(world.kernel.state(cell.id), CellState::Running);
    assert!(world.kernel.boot_kill(&world.right, cell.id));
    world.run();
    assert_eq!(world.kernel.state(cell.id), CellState::Dead);
    assert!(world.log().contains("was killed"));
}

#[test]
fn nothing_is_lost_where_every_check_preempts() {
    let world = World::chaotic(2);
    let console = console(&world);
    let source = program(
        "(local $n i32)
         (loop $again
            (i32.store (i32.const 100) (local.get $n))
            (call $check (call $write (i32.const 1) (i32.const 100) (i32.const 4)) (i32.const 4))
            (call $check (call $clock_time_get (i32.const 1) (i64.const 1) (i32.const 0)) (i32.const 0))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $n) (i32.const 2000))))",
    );
    let cells: Vec<_> = (0..2).map(|_| start(&world, &source, &[("console.out", &console)])).collect();
    world.run_on_threads(2, &cells);
    assert_eq!(world.log(), "");
    // Each number twice.
    let output = output();
    let mut seen: Vec<u32> = output.as_chunks().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
    seen.sort_unstable();
    assert!(seen.iter().copied().eq((0..2_000).flat_map(|number| [number, number])));
}
